#!/bin/bash
# honest.sh BUILD [patches|knobs] [N] - what does not lie is never rejected.
#
#     patches   tests/patches/honest/*.patch from diff to score, with the time of each; those whose
#               names begin with x must be refused in the words of the compiler or of a test
#     knobs     N (200) evaluations at arm's length of recipes with knobs of the model at random:
#               none is rejected, and each equals the evaluation in this process to 1e-6 bpb
#
# Prints TAP.  Ten minutes of two cores; not part of ./check.
set -u
cd "$(dirname "$0")/../.." || exit 1
root=$PWD
lathe=$(realpath "$1")/lathe
what=${2:-patches knobs}
number=${3:-200}
"$lathe" sandbox >/dev/null 2>&1 || { echo "1..0 # skip $("$lathe" sandbox 2>&1)"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
small="-s budget.frame=tokens -s model.depth=2 -s model.width=32 -s model.heads=2 -s model.context=64
    -s tokenizer.kind=bytes -s train.batch=8 -s optim.lr=0.003 --threads 1"
cd "$work" && "$lathe" init lab >/dev/null 2>&1 && cd lab && "$lathe" data synth words --docs 300 >/dev/null 2>&1 || exit 1
field() { python3 -c 'import json, sys; v = json.load(open(sys.argv[1])).get(sys.argv[2]); print("" if v is None else v)' "$1" "$2"; }
count=0 failed=0
result() { # NAME OK TEXT
    count=$((count + 1))
    [ "$2" = yes ] || failed=$((failed + 1))
    echo "$([ "$2" = yes ] || echo "not ")ok $count - $1: $3"
}

# The first build compiles all of the source, or takes over the objects of its own build.
patches() {
    local file name tree begun took bpb
    for file in "$root"/tests/patches/honest/*.patch; do
        name=$(basename "$file" .patch)
        begun=$(date +%s.%N)
        if "$lathe" propose --patch "$file" --title "$name" --json >p.json 2>p.log; then
            tree=$(field p.json tree)
            "$lathe" train $small -s train.steps=1 -s code="$tree" --json >t.json 2>t.log
            took=$(python3 -c "import time; print(round(time.time() - $begun, 1))")
            "$lathe" train $small -s budget.tokens=40000 -s code="$tree" --json >t.json 2>>t.log
            bpb=$(field t.json bpb)
            result "$name" "$([ -n "$bpb" ] && echo yes)" "engine after $(field p.json seconds) s, trained one step and judged after $took s; ${bpb:-$(tail -n 1 t.log)} bpb"
        else
            result "$name" "$(case $name in x*) grep -qE 'error:|not ok' p.log && echo yes ;; esac)" "refused: $(grep -m1 -hE 'error:|not ok' p.log | cut -c1-150)"
        fi
    done
}

knobs() {
    "$lathe" knobs --json >knobs.json
    local i set here there rejected=0 far=0 done=0 cpu=0
    for i in $(seq 1 $(((number + 3) / 4))); do
        set=$(python3 - "$i" <<'PYTHON'
import json, random, sys
random.seed(int(sys.argv[1]))
rows = json.load(open("knobs.json"))
rows = rows if isinstance(rows, list) else rows["knobs"]
out = []
for k in rows:
    if not k["name"].startswith("model."): continue
    if k["type"] == "flag": out.append((k["name"], random.choice(["true", "false"])))
    if k["type"] == "choice": out.append((k["name"], random.choice(k["choices"])))
pick = lambda name, values: out.append((name, random.choice(values)))
pick("model.kv_heads", [0, 1, 2]); pick("model.softcap", [0, 15]); pick("model.attn_scale", [1, 1.5])
pick("model.rope_fraction", [1, 0.5]); pick("model.window_size", [0, 7]); pick("model.context", [32, 64, 100])
pick("model.depth", [1, 2, 3]); pick("model.mlp_ratio", [1, 4]); pick("optim.lr", [0.003, 0.03]); pick("train.steps", [1, 8])
print(" ".join(f"-s {a}={b}" for a, b in out))
PYTHON
)
        "$lathe" train $small -s train.steps=4 $set --json >r.json 2>r.log || { echo "# $set: $(tail -n 1 r.log)"; continue; }
        here=$(field r.json bpb)
        for _ in 1 2 3 4; do
            if "$lathe" eval "$(field r.json run)" --apart --json >a.json 2>a.log; then
                there=$(field a.json bpb)
                python3 -c "import sys; sys.exit(abs($here - $there) > 1e-6)" || { far=$((far + 1)); echo "# $here here, $there apart: $set"; }
            else
                rejected=$((rejected + 1))
                echo "# $(tail -n 1 a.log): $set"
            fi
            done=$((done + 1))
        done
    done
    result "of $done honest evaluations none is rejected" "$([ $rejected = 0 ] && [ $done -gt 0 ] && echo yes)" "$rejected"
    result "all scores are those of the evaluation in one process" "$([ $far = 0 ] && echo yes)" "$far differ by more than 1e-6 bpb"
}
for part in $what; do "$part"; done
echo "1..$count"
exit $((failed > 0))
