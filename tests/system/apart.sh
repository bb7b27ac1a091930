#!/bin/bash
# apart.sh BUILD - the judge's processes: a run scored at arm's length has the score that it has here,
# a patch that leaves the open part is refused, and nothing is left behind.
set -u
lathe=$(realpath "$1")/lathe
"$lathe" sandbox >/dev/null 2>&1 || { echo "1..0 # skip $("$lathe" sandbox 2>&1)"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" && "$lathe" init lab >/dev/null 2>&1 && cd lab && "$lathe" data synth words --docs 300 >/dev/null 2>&1 || exit 1
count=0 failed=0
is() { # NAME STATUS
    count=$((count + 1))
    if [ "$2" = 0 ]; then echo "ok $count - $1"; else echo "not ok $count - $1"; failed=1; fi
}
"$lathe" train -s tokenizer.kind=bytes -s model.depth=1 -s model.width=32 -s model.heads=2 -s model.context=64 -s train.batch=8 \
    -s train.steps=20 -s optim.lr=0.01 --threads 1 --json >train.json 2>log || cat log
"$lathe" eval r1 --apart --json >apart.json 2>log || cat log
python3 -c 'import json; a, b = (json.load(open(f))["bpb"] for f in ("train.json", "apart.json")); assert abs(a - b) < 1e-6, (a, b)'
is "at arm's length the score is the same to 1e-6 bpb" $?
printf -- '--- a/src/judge/arm.c\n+++ b/src/judge/arm.c\n@@ -1 +1 @@\n-a\n+b\n' >closed.patch
"$lathe" propose --patch closed.patch 2>log
[ $? = 2 ] && grep -q 'open part' log
is "a patch of the judge is refused" $?
echo nonsense >no.patch
"$lathe" propose --patch no.patch 2>/dev/null
[ $? = 2 ]
is "what is no patch is refused" $?
"$lathe" train -s code=../../evil -s budget.frame=tokens --json 2>log >/dev/null
[ $? != 0 ] && grep -q 'no tree' log
is "a recipe cannot name an engine by a path" $?
# A group that is left is one whose maker is dead.
left=$(find /sys/fs/cgroup -maxdepth 2 -name 'lathe-*' 2>/dev/null | while read -r group; do
    pid=${group##*/lathe-}
    [ -d "/proc/${pid%%-*}" ] || echo "$group"
done)
[ -z "$(pgrep -f "$work")" ] && [ -z "$left" ]
is "no process and no control group is left" $?
echo "1..$count"
exit $failed
