#!/bin/bash
# parquet.sh BUILD - Parquet of other programs (parquet.mjs says which).
#
# They come from npm (40 MB, nothing is compiled or run on installing) into BUILD/../node-parquet and
# stay there; LATHE_NODE_PARQUET names a folder that has them already.  Where they cannot be had,
# nothing is tested and that is said.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
node=${LATHE_NODE_PARQUET:-$build/../node-parquet}
dir=$(mktemp -d /tmp/lathe-system-XXXXXX)
trap 'rm -rf "$dir"' EXIT
skip() {
    echo "1..0 # skip: $1"
    exit 0
}
command -v node >/dev/null || skip "no node, so no other writer of Parquet"
if [ ! -d "$node/node_modules/parquet-wasm" ]; then
    command -v npm >/dev/null || skip "no npm, so no other writer of Parquet"
    mkdir -p "$node" && cd "$node" || exit 1
    timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts hyparquet-writer@0.17 parquet-wasm@0.8 apache-arrow@21 >"$dir/npm.log" 2>&1 ||
        { rm -rf "$node/node_modules"; skip "npm could not get other writers of Parquet"; }
fi
cd "$node" && exec node "$here/parquet.mjs" "$build/read_dump" "$dir"
