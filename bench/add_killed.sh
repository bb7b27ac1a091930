#!/bin/bash
# bench/add_killed.sh LATHE PATH... - `data add` undisturbed, and killed five times on the way.
#
# Prints the time, processor time and peak memory of the undisturbed addition, where each kill fell, and
# the hash of both manifests, which must be one; and what filters leave out, by rule and by file.
set -eu
lathe=$(realpath "$1")
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$lathe" init "$work/lab" 2>/dev/null >&2

/usr/bin/time -f "%e %U %S %M" -o "$work/time" "$lathe" -C "$work/lab" data add text "$@" >"$work/said"
cat "$work/said"
read -r wall user system peak <"$work/time"
bytes=$(du -cbL "$@" | tail -1 | cut -f1)
awk -v b="$bytes" -v w="$wall" -v c="$user" -v s="$system" -v m="$peak" 'BEGIN {
    printf "undisturbed: %.1f MB in %.2f s, %.1f MB/s, %.1f MB a second of one processor, peak %.0f MB resident\n",
        b / 1e6, w, b / w / 1e6, b / (c + s) / 1e6, m / 1e3 }'
undisturbed=$(sha256sum <"$work/lab/data/text/manifest.json")

mv "$work/lab" "$work/first"
"$lathe" init "$work/lab" 2>/dev/null >&2
kills=0
when=(.02 .04 .08 .3 .5) # of the undisturbed time: while files are read, then while documents are compared and written
for try in $(seq 1 50); do
    "$lathe" -C "$work/lab" data add text "$@" >"$work/said" 2>"$work/errors" &
    pid=$!
    [ $kills -lt 5 ] || { wait $pid && break; }
    sleep "$(awk -v w="$wall" -v k="${when[$kills]}" 'BEGIN { printf "%.3f", w * k }')"
    kill -9 $pid 2>/dev/null || { echo "it had ended before kill $((kills + 1))"; break; }
    wait $pid 2>/dev/null || true
    kills=$((kills + 1))
    kept=$(stat -c %s "$work"/lab/data/text.part/raw.txt.tmp 2>/dev/null || echo 0)
    echo "kill $kills: $kept bytes of text were read"
done
killed=$(sha256sum <"$work/lab/data/text/manifest.json")
echo "manifest undisturbed            ${undisturbed%% *}"
echo "manifest killed $kills times         ${killed%% *}"
[ "$undisturbed" = "$killed" ] || exit 1
"$lathe" -C "$work/lab" data show text 2>/dev/null | head -n "${ROWS:-60}"
