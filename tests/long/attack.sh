#!/bin/bash
# attack.sh BUILD [PATTERN] - patches that lie, each built, trained and judged as any patch is.
#
# tests/patches/dishonest/*.c are whole patches: one new file of src/model/, with lie.h beside it.
# The first line of each says what has to become of it: caught (the run fails, and says why) or
# harmless (its score is the honest one, to 1e-6 bpb).  Prints TAP, with what was seen.  A quarter
# of an hour of two cores at most; not part of ./check.
set -u
cd "$(dirname "$0")/../.." || exit 1
root=$PWD
lathe=$(realpath "$1")/lathe
pattern=${2:-}
"$lathe" sandbox >/dev/null 2>&1 || { echo "1..0 # skip $("$lathe" sandbox 2>&1)"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
knobs="-s budget.frame=tokens -s budget.tokens=40000 -s model.depth=2 -s model.width=32 -s model.heads=2
    -s model.context=64 -s tokenizer.kind=bytes -s train.batch=8 -s optim.lr=0.003 --threads 1"
cd "$work" && "$lathe" init lab >/dev/null 2>&1 && cd lab && "$lathe" data synth words --docs 300 >/dev/null 2>&1 || exit 1

# new_file FILE NAME: the diff that makes src/model/NAME of it.
new_file() {
    printf 'diff --git a/src/model/%s b/src/model/%s\nnew file mode 100644\n--- /dev/null\n+++ b/src/model/%s\n@@ -0,0 +1,%d @@\n' \
        "$2" "$2" "$2" "$(wc -l <"$1")"
    sed 's/^/+/' "$1"
}
field() { python3 -c 'import json, sys; v = json.load(open(sys.argv[1])).get(sys.argv[2]); print("" if v is None else v)' "$1" "$2"; }

# The honest score, by this program itself.
"$lathe" train $knobs --json >honest.json 2>honest.log || { cat honest.log; exit 1; }
honest=$(field honest.json bpb)
echo "# honest: $honest bpb"
count=0 failed=0
for file in "$root"/tests/patches/dishonest/*$pattern*.c; do
    name=$(basename "$file" .c)
    want=$(sed -n '1s|^/\* \([a-z ]*\):.*|\1|p' "$file")
    { new_file "$root/tests/patches/lie.h" lie.h; new_file "$file" lie.c; } >"$name.patch"
    count=$((count + 1)) seen="" ok=not
    if ! "$lathe" propose --patch "$name.patch" --json >"$name.json" 2>"$name.log"; then
        seen="it was not built: $(tail -n 3 "$name.log" "$name.json" | tr '\n' ' ')"
    else
        tree=$(field "$name.json" tree)
        "$lathe" train $knobs -s code="$tree" --json >"$name.json" 2>"$name.log"
        id=$("$lathe" log --json --kind result 2>/dev/null | python3 -c 'import json, sys
rows = json.load(sys.stdin); rows = rows if isinstance(rows, list) else rows["entries"]
body = rows[-1].get("body", rows[-1]); print(body["run"], body["failed"], body["bpb"], (body.get("why") or "").replace("\n", " "))')
        read -r run fail bpb why <<<"$id"
        if [ "$fail" = True ]; then
            seen="caught: $why"
        elif python3 -c "import sys; sys.exit(abs($bpb - $honest) > 1e-6)"; then
            seen="harmless: $bpb bpb, the honest score"
        else
            seen="GOT THROUGH: $bpb bpb instead of $honest"
        fi
        case $want in *"${seen%%:*}"*) ok="" ;; esac
    fi
    [ -z "$ok" ] || failed=$((failed + 1))
    echo "${ok:+not }ok $count - $name: $seen"
done
leftover=$(pgrep -f "$work" | wc -l)
groups=$(find /sys/fs/cgroup -maxdepth 2 -name 'lathe-*' 2>/dev/null | wc -l)
echo "# left behind: $leftover processes, $groups control groups"
echo "1..$count"
exit $((failed > 0))
