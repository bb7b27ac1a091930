#!/bin/bash
# gguf.sh BUILD - llama.cpp as the judge of exported models (gguf.mjs says how).
#
# It comes from npm (85 MB, prebuilt, nothing is compiled or run on installing) into BUILD/../node
# and stays there; LATHE_NODE names a folder that has it already.  Where it cannot be had, nothing
# is tested and that is said.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
lathe=$build/lathe logits=$build/gguf_logits
node=${LATHE_NODE:-$build/../node}
dir=$(mktemp -d /tmp/lathe-system-XXXXXX)
trap 'rm -rf "$dir"' EXIT

skip() {
    echo "1..0 # skip: $1"
    exit 0
}

command -v node >/dev/null || skip "no node, so no llama.cpp from npm to ask"
[ "$(uname -sm)" = "Linux x86_64" ] || skip "the prebuilt llama.cpp is for Linux on x86-64"
if [ ! -d "$node/node_modules/node-llama-cpp" ]; then
    command -v npm >/dev/null || skip "no npm, so no llama.cpp to ask"
    mkdir -p "$node" && cd "$node" || exit 1
    timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts --omit=optional \
        node-llama-cpp@3 @node-llama-cpp/linux-x64@3 >"$dir/npm.log" 2>&1 ||
        { rm -rf "$node/node_modules"; skip "npm could not get node-llama-cpp"; }
fi

cd "$dir" || exit 1
"$lathe" init lab >/dev/null 2>&1 && cd lab && "$lathe" data synth words --docs 400 >/dev/null 2>&1 ||
    { echo "not ok 1 - a lab with text is made"; exit 1; }

# model NAME KNOB...: trains a small model and exports it; adds what gguf.mjs needs to know of it.
cases=()
model() {
    local name=$1 options=() knob id tokenizer=bytes
    shift
    for knob in train.steps=60 train.batch=8 model.depth=2 model.width=64 model.heads=4 model.context=64 \
        tokenizer.vocab=400 "$@"; do options+=(-s "$knob"); done
    id=$("$lathe" train --json "${options[@]}" 2>"$dir/$name.log" | python3 -c 'import json,sys; print(json.load(sys.stdin)["run"])') &&
        "$lathe" export "$id" -o "$dir/$name.gguf" >>"$dir/$name.log" 2>&1 ||
        { echo "not ok 1 - $name is trained and exported"; cat "$dir/$name.log"; exit 1; }
    case " $* " in *" tokenizer.kind=bytes "*) ;; *) tokenizer=$(ls "$dir"/lab/tokenizers/*.json) ;; esac
    cases+=("$name=$dir/lab/runs/$id,$dir/$name.gguf,$tokenizer")
}

llama="model.position=rope model.norm=rmsnorm model.mlp=swiglu"
model gpt2
model gpt2-bare model.bias=false model.norm_gain=false model.tied=false model.attn_scale=1.7
model llama $llama model.bias=false model.kv_heads=2 model.tied=false
model llama-bias $llama model.bias=true model.rope_base=500 model.attn_scale=0.8
model llama-bytes $llama model.bias=false model.head_size=32 tokenizer.kind=bytes

cd "$node" && node "$here/gguf.mjs" "$logits" "$lathe" "${cases[@]}"
