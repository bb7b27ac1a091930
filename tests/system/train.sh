#!/bin/bash
# train.sh BUILD - a run by hand, from outside: the same weights however often it is killed, stopped,
# on however many threads; its JSON; and one sentence for everything that is wrong.
set -u
build=$(cd "$1" && pwd) || exit 1
lathe=$build/lathe
dir=$(mktemp -d /tmp/lathe-system-XXXXXX)
count=0 failures=0
trap 'rm -rf "$dir"' EXIT
result() { # STATUS NAME
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; failures=$((failures + 1)); fi
}
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
# refused STATUS WORD COMMAND...: that exit status, nothing on stdout, one sentence with the word.
refused() {
    local want=$1 word=$2 got=0
    shift 2
    "$@" >"$dir/out" 2>"$dir/err" || got=$?
    [ $got -eq "$want" ] && [ ! -s "$dir/out" ] && tail -1 "$dir/err" | grep -qF -- "$word" && return 0
    echo "# $*: exit status $got: $(cat "$dir/err")"
    return 1
}

"$lathe" init "$dir/lab" >/dev/null 2>&1 && cd "$dir/lab" && "$lathe" data synth world --docs 300 >/dev/null 2>&1 || exit 1
small="-s data.sources=world -s tokenizer.kind=bytes -s model.depth=2 -s model.width=48 -s model.context=64 -s train.batch=8"
run="$lathe train $small -s train.steps=640 -s train.checkpoint_every=10 --json"

begun=$(date +%s.%N)
$run >"$dir/whole" 2>"$dir/chatter" && python3 - "$dir/whole" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
for key in "run recipe seed bpb steps tokens seconds tokens_per_s planned_bytes weights_sha256".split():
    assert key in d, key
assert d["steps"] == 640 and d["tokens"] == 640 * 8 * 64 and 0.5 < d["bpb"] < 6, d
PY
result $? "train_gives_one_json_document_with_what_was_promised"
took=$(python3 -c "print($(date +%s.%N) - $begun)")
grep -q 'planned memory' "$dir/chatter"
result $? "planned_memory_is_said_before_the_run"

for form in "-s model.width=192" "-s model.width=256 -s optim.name=muon -s model.heads=4" "-s model.context=512 -s train.batch=16 -s train.accumulate=2"; do
    $lathe train $small -s train.steps=3 -s model.heads=3 -s model.depth=4 $form --json 2>/dev/null
done | python3 -c '
import json, sys
text, at, decoder = sys.stdin.read(), 0, json.JSONDecoder()
while text[at:].strip():
    at += len(text[at:]) - len(text[at:].lstrip())
    d, at = decoder.raw_decode(text, at)
    print("# planned", d["planned_bytes"], "peak", d["peak_bytes"])
    assert abs(d["peak_bytes"] / d["planned_bytes"] - 1) < 0.05
'
result $? "memory_is_within_five_percent_of_the_plan"

"$lathe" init "$dir/other" >/dev/null 2>&1 && cp -r data judge "$dir/other/" && cd "$dir/other" || exit 1
killed=0
for i in 1 2 3 4 5 6 7 8 9 10; do
    $run --threads $((i % 3)) >"$dir/again" 2>/dev/null &
    pid=$!
    sleep "$(awk "BEGIN { print $took * (0.05 + $i * 7 % 10 * 0.012) }")" # so that all ten find it at work
    kill -9 $pid 2>/dev/null && killed=$((killed + 1))
    wait $pid 2>/dev/null
done
$run >"$dir/again" 2>/dev/null
[ "$killed" -ge 5 ] && [ "$(field weights_sha256 <"$dir/again")" = "$(field weights_sha256 <"$dir/whole")" ] &&
    [ "$(field bpb <"$dir/again")" = "$(field bpb <"$dir/whole")" ]
result $? "ten_kills_lead_to_the_same_weights_and_score"
"$lathe" log --verify >/dev/null && [ "$("$lathe" log --kind result --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')" = 1 ]
result $? "the_ledger_is_whole_and_counts_the_run_once"

long="$lathe train $small -s train.steps=100000"
$long >"$dir/out" 2>"$dir/err" &
pid=$!
sleep 1
kill -INT $pid
wait $pid
[ $? -eq 1 ] && tail -1 "$dir/err" | grep -q 'goes on' && ls runs/*/step-*.ckpt >/dev/null
result $? "ctrl_c_leaves_a_checkpoint_and_says_how_to_go_on"

"$lathe" sample r1 --prompt "The " -n 20 --json | python3 -c 'import json, sys; d = json.load(sys.stdin); assert 1 <= d["tokens"] <= 20' &&
    [ "$("$lathe" sample r1 --seed 5)" = "$("$lathe" sample r1 --seed 5 --threads 1)" ]
result $? "a_seed_samples_the_same_text_on_any_threads"
printf 'hello\nand now?\n' | "$lathe" chat -n 20 >"$dir/talk" && [ "$(wc -l <"$dir/talk")" -ge 2 ]
result $? "chat_answers_lines_from_a_pipe"

"$lathe" bench train --seconds 0.3 -s model.depth=1 -s model.width=32 -s model.heads=2 --json >"$dir/bench" && "$lathe" bench peak --seconds 0.3 | grep -q GFLOP &&
    python3 - "$dir/bench" <<'PY'
import json, sys
(d,) = json.load(open(sys.argv[1]))
for key in "model device precision tokens_per_s flops_per_s share_of_peak peak_flops_per_s peak_bytes".split():
    assert key in d, key
assert d["tokens_per_s"] > 0 and 0 < d["share_of_peak"] < 1 and abs(sum(o["share"] for o in d["ops"]) - 1) < 1e-6
PY
result $? "bench_train_gives_what_was_promised"
"$lathe" bench train --model toy --seconds 0.3 --json | python3 -c '
import json, sys
(d,) = json.load(sys.stdin)
assert d["model"] == "4x128 T64 V65 B12" and d["params"] > 790000, d' && ! "$lathe" bench train --model toi 2>"$dir/err" && grep -q '6x384' "$dir/err"
result $? "bench_train_knows_fixed_models_by_name"

printf '[model]\nheads = 5\nwidth = 48\n' >"$dir/heads.toml"
printf '[model]\ndepht = 5\n' >"$dir/knob.toml"
refused 2 'does not divide' "$lathe" train "$dir/heads.toml" && refused 2 'heads.toml' "$lathe" train "$dir/heads.toml" &&
    refused 2 'knob.toml:2' "$lathe" train "$dir/knob.toml" && refused 2 'model.depth' "$lathe" train "$dir/knob.toml" &&
    refused 2 'context' $lathe train $small -s model.context=900000 && refused 2 'nowhere' "$lathe" train -s data.sources=nowhere &&
    refused 1 'absent.toml' "$lathe" train absent.toml && refused 2 'r99' "$lathe" sample r99
result $? "what_is_wrong_is_said_in_one_sentence"

printf x >>"$(ls runs/r1/step-*.ckpt | tail -1)" && "$lathe" sample r1 -n 3 >/dev/null && for f in runs/r1/step-*.ckpt; do truncate -s 1000 "$f"; done &&
    refused 1 '.ckpt' "$lathe" sample r1
result $? "a_damaged_checkpoint_is_passed_over_or_refused_by_name"

mkdir "$dir/full" && if mount -t tmpfs -o size=256k none "$dir/full" 2>/dev/null; then
    cp -r "$dir/lab" "$dir/third" && rm -rf "$dir/third/runs" && ln -s "$dir/full" "$dir/third/runs" && cd "$dir/third" &&
        refused 1 'cannot' $lathe train $small -s train.steps=3 && [ -z "$(find "$dir/full" -name '*.ckpt')" ]
    result $? "a_full_disk_is_an_error_without_a_half_written_file"
    umount "$dir/full"
fi
# The doctor at the bedside: told while it goes on, entered with the result, and not of a healthy run.
$lathe train $small -s train.steps=200 --json >"$dir/well" 2>"$dir/well.err"
$lathe train $small -s train.steps=200 -s optim.lr=0.8 --json >"$dir/sick" 2>"$dir/sick.err"
$lathe doctor "$(field run <"$dir/sick")" --json >"$dir/diagnosis"
python3 - "$dir" <<'PY'
import json, sqlite3, sys
dir = sys.argv[1]
read = lambda name: json.load(open(f"{dir}/{name}"))
entered = dict(sqlite3.connect("lathe.db").execute("SELECT run, group_concat(finding) FROM diagnoses GROUP BY run"))
assert "explodes" in entered[read("sick")["run"]], entered
assert read("well")["run"] not in entered, entered
assert any(f["finding"] == "explodes" and f["edit"] for f in read("diagnosis")["findings"])
assert "knowing nothing" in open(f"{dir}/sick.err").read()
PY
result $? "a_sick_run_is_diagnosed_and_a_healthy_one_is_not"
echo "1..$count"
exit $failures
