#!/bin/bash
# crash.sh BUILD [KILLS] - a session of twenty patches whose worker is killed with -9 again and again.
#
# In the end every proposal must have been answered once, the ledger must be whole, and nothing may
# be left: no process, no mount, no control group.  Prints TAP.  Ten minutes; not part of ./check.
set -u
cd "$(dirname "$0")/../.." || exit 1
root=$PWD
lathe=$(realpath "$1")/lathe
kills=${2:-10}
"$lathe" sandbox >/dev/null 2>&1 || { echo "1..0 # skip $("$lathe" sandbox 2>&1)"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" && "$lathe" init lab >/dev/null 2>&1 && cd lab && "$lathe" data synth words --docs 300 >/dev/null 2>&1 || exit 1
new_file() {
    printf 'diff --git a/src/model/%s b/src/model/%s\nnew file mode 100644\n--- /dev/null\n+++ b/src/model/%s\n@@ -0,0 +1,%d @@\n' \
        "$2" "$2" "$2" "$(wc -l <"$1")"
    sed 's/^/+/' "$1"
}
given=0
for file in "$root"/tests/patches/honest/[0-9]*.patch "$root"/tests/patches/dishonest/{01,02,05,06,11,15,17,18,20,22}*.c; do
    patch=$file
    if [ "${file##*.}" = c ]; then
        patch=$work/p.patch
        { new_file "$root/tests/patches/lie.h" lie.h; new_file "$file" lie.c; } >"$patch"
    fi
    "$lathe" propose --patch "$patch" --title "$(basename "$file")" >/dev/null 2>&1 && given=$((given + 1))
done
research() {
    "$lathe" research --experiments "$given" --threads 1 -s budget.frame=tokens -s budget.tokens=40000 -s model.depth=2 \
        -s model.width=32 -s model.heads=2 -s model.context=64 -s tokenizer.kind=bytes -s train.batch=8 -s optim.lr=0.003
}
killed=0
while [ $killed -lt "$kills" ]; do
    research >>"$work/out" 2>&1 &
    front=$!
    sleep $((2 + RANDOM % 5))
    pid=$(python3 -c 'import json; print(json.load(open("worker.json"))["pid"])' 2>/dev/null)
    if [ -n "$pid" ] && kill -9 "$pid" 2>/dev/null; then killed=$((killed + 1)); fi
    wait $front
    grep -q '"ended": *true' worker.json 2>/dev/null && break
done
research >>"$work/out" 2>&1
sql() { sqlite3 lathe.db "$1"; }
failed=0 count=0
is() { # NAME FOUND WANTED
    count=$((count + 1))
    if [ "$2" = "$3" ]; then echo "ok $count - $1: $2"; else echo "not ok $count - $1: $2, not $3"; failed=1; fi
}
echo "# $given patches given, the worker killed $killed times"
is "patches that became an experiment or were answered" "$(sql "select count(distinct json_extract(body, '\$.idea')) from entries where kind in ('proposal', 'idea_refused') and json_extract(body, '\$.idea') is not null")" "$given"
is "proposals" "$(sql "select count(*) = count(distinct id) from entries where kind = 'proposal'")" 1
is "proposals without a verdict" "$(sql "select count(*) from entries where kind = 'proposal' and id not in (select id from entries where kind = 'verdict')")" 0
is "verdicts given twice" "$(sql "select count(*) - count(distinct id) from entries where kind = 'verdict'")" 0
is "lies that were kept" "$(sql "select count(*) from experiments where verdict = 'keep' and title like '%.c'")" 0
is "processes left" "$(pgrep -f "$work" | wc -l)" 0
"$lathe" sandbox >/dev/null # sweeps what killed processes left
is "control groups left" "$(find /sys/fs/cgroup -maxdepth 2 -name 'lathe-*' 2>/dev/null | wc -l)" 0
is "mounts left" "$(grep -c "$work" /proc/mounts)" 0
sql "select '# ' || experiment || ' ' || title || ': ' || verdict || ', ' || coalesce(round(effect, 4), 'no effect') from experiments"
echo "1..$count"
exit $failed
