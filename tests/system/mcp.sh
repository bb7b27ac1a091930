#!/bin/bash
# mcp.sh BUILD - the official MCP clients of both eras as judges of `lathe mcp` (mcp.mjs says how).
#
# They come from npm into BUILD/../node-mcp and stay there; LATHE_NODE_MCP names a folder that has
# them already.  Where they cannot be had, nothing is tested and that is said.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
lathe=$build/lathe
node=${LATHE_NODE_MCP:-$build/../node-mcp}
dir=$(mktemp -d /tmp/lathe-system-XXXXXX)
# Who stops in the middle leaves a worker behind, which writes until it is gone.
end() {
    [ ! -e "$dir/lab/worker.lock" ] || "$lathe" -C "$dir/lab" stop >/dev/null 2>&1
    rm -rf "$dir"
}
trap end EXIT

skip() {
    echo "1..0 # skip: $1"
    exit 0
}

command -v node >/dev/null || skip "no node, so no MCP client from npm"
[ "$(node -p 'process.versions.node.split(".")[0] >= 20')" = true ] || skip "the MCP clients want node 20 or newer"
if [ ! -d "$node/node_modules/@modelcontextprotocol/client" ]; then
    command -v npm >/dev/null || skip "no npm, so no MCP client"
    mkdir -p "$node" && cd "$node" || exit 1
    timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts \
        @modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/client@2.4.0 >"$dir/npm.log" 2>&1 ||
        { rm -rf "$node/node_modules"; skip "npm could not get the MCP clients"; }
fi

cd "$dir" || exit 1
"$lathe" init lab >/dev/null 2>&1 && cd lab && "$lathe" data synth words --docs 300 >/dev/null 2>&1 ||
    { echo "not ok 1 - a lab with text is made"; exit 1; }
cat >recipes/champion.toml <<'RECIPE'
[data]
sources = "words"
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
cd "$node" && node "$here/mcp.mjs" "$lathe" "$dir/lab"
