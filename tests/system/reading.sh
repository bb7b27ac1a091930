#!/bin/bash
# reading.sh BUILD - what people read of a lab: eval, show, log, diff, pack, on two tiny real runs.
set -u
lathe=$(cd "$1" && pwd)/lathe
dir=$(mktemp -d /tmp/lathe-system-XXXXXX)
count=0 failures=0
trap 'rm -rf "$dir"' EXIT
result() { # STATUS NAME
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; failures=$((failures + 1)); fi
}
sql() { sqlite3 lathe.db "$1"; }
refused() { # STATUS FILE WORD: one sentence on stderr that names the word
    [ "$1" -eq 2 ] && [ "$(wc -l <"$2")" -eq 1 ] && grep -q -- "$3" "$2"
}

cd "$dir" || exit 1
python3 - >words.txt <<'PYTHON'
import random
r = random.Random(4)
words = ["".join(r.choice("abcdefghijklmnop") for _ in range(r.randint(2, 7))) for _ in range(300)]
for _ in range(2500):
    print(" ".join(r.choice(words[: r.choice([20, 100, 300])]) for _ in range(40)) + ".\n")
PYTHON
tiny="-s tokenizer.kind=bytes -s model.depth=1 -s model.width=32 -s model.heads=2 -s model.context=32 -s train.batch=4 -s train.steps=12"
"$lathe" init . >/dev/null 2>&1 && "$lathe" data add words words.txt >/dev/null 2>&1 &&
    "$lathe" train $tiny >/dev/null 2>&1 && "$lathe" train $tiny -s optim.lr=0.0123 >/dev/null 2>err
result $? "a lab with two runs is made"
[ $failures -eq 0 ] || { cat err; echo "1..$count"; exit 1; }

# eval
"$lathe" eval r1 --json >eval.json 2>/dev/null && python3 - <<'PYTHON'
import json, os
e = json.load(open("eval.json"))
assert e["run"] == "r1" and e["tier"] == "search" and 1 < e["bpb"] < 9, e
assert e["bytes"] == os.path.getsize("judge/words/search.txt"), "bytes are those of the text"
assert e["tokens"] == e["bytes"], "a token a byte"
PYTHON
result $? "eval counts the bytes of the held-out text"
[ "$("$lathe" eval r1 --json 2>/dev/null)" = "$(cat eval.json)" ]
result $? "eval says the same twice"
[ "$(sql "SELECT printf('%!.17g', bpb) FROM results WHERE run='r1'")" = "$(python3 -c 'import json; print("%.17g" % json.load(open("eval.json"))["bpb"])')" ]
result $? "and the same as the ledger, to the last bit"
before=$(sql "SELECT count(*) FROM judge_reads")
"$lathe" eval r2 --tier locked >/dev/null 2>&1 && "$lathe" eval r2 --tier audit >/dev/null 2>&1
[ "$(sql "SELECT count(*) FROM judge_reads")" -eq $((before + 2)) ]
result $? "reads of locked and audit are counted"
cp judge/words/locked.txt kept.txt
printf x | dd of=judge/words/locked.txt bs=1 seek=9 conv=notrunc 2>/dev/null
"$lathe" eval r1 --tier locked >/dev/null 2>err
[ $? -eq 1 ] && grep -q 'locked tier of words' err && [ "$(sql "SELECT count(*) FROM judge_reads")" -eq $((before + 3)) ]
result $? "altered held-out text is refused, and the read counts all the same"
cp kept.txt judge/words/locked.txt

# show
"$lathe" show r1 | grep '^loss ' | grep -qF '▁'
result $? "show draws the curve of a run"
"$lathe" show --json | python3 -c 'import json, sys; d = json.load(sys.stdin); assert d["data"] == ["words"] and d["counts"][0]["finished"] == 2'
result $? "show without an id is the lab"
recipe=$(sql "SELECT recipe FROM runs WHERE run='r2'")
"$lathe" show "${recipe:0:8}" | grep -q 'lr = 0.0123'
result $? "show knows a recipe by the beginning of its hash"
"$lathe" show r99 2>err; refused $? err r99
result $? "a run that is not there is named"
"$lathe" show nonsense 2>err; refused $? err nonsense
result $? "and so is what is no id"

# diff
"$lathe" diff r1 r2 --json | python3 -c 'import json, sys; d = json.load(sys.stdin); assert [e["knob"] for e in d["edits"]] == ["optim.lr"] and d["edits"][0]["to"] == "0.0123", d'
result $? "diff names the one knob"
"$lathe" show "${recipe:0:8}" >r2.toml && "$lathe" diff r2 r2.toml | grep -q 'the recipes are the same'
result $? "a shown recipe is a recipe file"
"$lathe" diff r1 absent.toml 2>err; refused $? err absent.toml
result $? "diff names a side that is nothing"

# pack
"$lathe" pack r2 -o slice.jsonl.zst >/dev/null && zstd -dcq slice.jsonl.zst >slice.jsonl && python3 - <<'PYTHON'
import json, sqlite3
head, *rest = [json.loads(line) for line in open("slice.jsonl")]
assert head["lathe_pack"] == 1 and head["ids"] == ["r2"]
entries = [r for r in rest if "kind" in r]
curves = [r for r in rest if "steps" in r]
kinds = sorted(e["kind"] for e in entries)
assert {"recipe", "run", "result", "blocks"} <= set(kinds) and kinds.count("run") == 1, kinds
assert [c["run"] for c in curves] == ["r2"] and len(curves[0]["steps"]["loss"]) == 12
stated = dict(sqlite3.connect("lathe.db").execute("SELECT seq, hash FROM entries"))
assert all(stated[e["seq"]] == e["hash"] for e in entries)
text = open("words.txt").read()
assert not any(line[:60] in open("slice.jsonl").read() for line in text.split("\n\n") if line.strip())
PYTHON
result $? "pack holds a run with its recipe and curve, and no text"
"$lathe" pack e1 -o x.jsonl 2>err; refused $? err e1
result $? "pack names an id that is not there"
[ ! -e x.jsonl ]
result $? "and leaves no file"

# log
"$lathe" log --verify --json | python3 -c 'import json, sys; d = json.load(sys.stdin); assert d["whole"] and d["results"] == 2 and len(d["hash"]) == 64'
result $? "log --verify is whole"
"$lathe" log --kind result -n 0 --json | python3 -c 'import json, sys; assert [e["id"] for e in json.load(sys.stdin)] == ["r1", "r2"]'
result $? "log picks a kind"

echo "1..$count"
[ $failures -eq 0 ]
