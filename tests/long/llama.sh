#!/bin/bash
# llama.sh BUILD - a whole session of research with llama.cpp as the language model.
#
#     tests/long/llama.sh build/release        two to four minutes; not a part of ./check
#
# The model is one that Lathe trains and exports here: it talks nonsense, and llama.cpp makes calls
# of it under a grammar (llama_server.mjs).  What is looked at is the way from end to end: an endpoint
# that this project did not write, its tokens in the ledger, valid proposals run and decided, invalid
# calls answered in words.  llama.cpp comes from npm as for tests/system/gguf.sh.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
lathe=$build/lathe
node=${LATHE_NODE:-$build/../node}
dir=$(mktemp -d /tmp/lathe-long-XXXXXX)
server=
end() {
    [ -z "$server" ] || kill "$server"
    [ ! -e "$dir/lab/worker.lock" ] || "$lathe" -C "$dir/lab" stop >/dev/null 2>&1
    rm -rf "$dir"
}
trap end EXIT

count=0 failed=0
result() {
    count=$((count + 1))
    [ "$1" = 0 ] && echo "ok $count - $2" || { failed=1; echo "not ok $count - $2"; }
}
sql() { sqlite3 "$dir/lab/lathe.db" "$1"; }

[ -d "$node/node_modules/node-llama-cpp" ] || { echo "1..0 # skip: no llama.cpp in $node: tests/system/gguf.sh brings it"; exit 0; }
cd "$dir" || exit 1
"$lathe" init lab >/dev/null 2>&1 && cd lab && "$lathe" data synth words --docs 400 >/dev/null 2>&1 || exit 1
"$lathe" train -s train.steps=150 -s train.batch=8 -s model.depth=2 -s model.width=64 -s model.heads=4 -s model.context=512 \
    -s tokenizer.vocab=400 >"$dir/log" 2>&1 && "$lathe" export r1 -o "$dir/small.gguf" >>"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
cat >recipes/champion.toml <<'RECIPE'
[tokenizer]
kind = "bytes"
[model]
depth = 1
width = 32
heads = 2
context = 64
[train]
batch = 8
[optim]
lr = 0.001
RECIPE
(cd "$node" && exec node "$here/llama_server.mjs" "$dir/small.gguf" >"$dir/port" 2>"$dir/server.log") &
server=$!
for _ in $(seq 200); do [ -s "$dir/port" ] && break; sleep 0.1; done
timeout 500 "$lathe" research --researcher openai --base-url "http://127.0.0.1:$(cat "$dir/port")/v1" --model small.gguf \
    --max-tokens 300000 --experiments 4 --hours 0.04 --threads 1 >"$dir/research.log" 2>&1
result $? "the session comes to its end"
sed 's/^/# /' "$dir/research.log"
[ "$(sql "SELECT count(*) FROM verdicts v JOIN proposals p ON p.experiment = v.experiment WHERE p.author = 'openai:small.gguf'")" -gt 0 ]
result $? "proposals of the model are run and decided"
[ "$(sql "SELECT count(*) FROM llm_turns WHERE stop = 'calls'")" -gt 0 ]
result $? "its calls are in the ledger"
[ "$(sql "SELECT count(*) FROM llm_tries WHERE json_extract(usage, '$.output') > 0")" -gt 0 ] &&
    [ "$(sql "SELECT sum(json_extract(usage, '$.input') + json_extract(usage, '$.output')) FROM llm_tries")" = \
        "$(sed -n 's/^\([0-9]*\) + \([0-9]*\): .*/\1 \2/p' "$dir/server.log" | awk '{ n += $1 + $2 } END { print n }')" ]
result $? "its tokens are those that llama.cpp counted"
sql "SELECT '# refused: ' || tool || ': ' || why FROM tool_calls WHERE NOT ok LIMIT 8"
[ "$(sql "SELECT count(*) FROM tool_calls WHERE NOT ok AND author = 'openai:small.gguf'")" -gt 0 ]
result $? "calls that do not fit are answered in words"
echo "1..$count"
exit $failed
