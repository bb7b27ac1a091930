#!/bin/bash
# llm.sh BUILD - the fake of the language models' protocols, held against the providers' own clients.
#
# Our client is tested against the fake (tests/test_llm_ask.c); this says that the fake is faithful.
# The clients come from npm into BUILD/../node and stay there.  Where they cannot be had, nothing is
# tested and that is said.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
node=${LATHE_NODE:-$build/../node}
dir=$(mktemp -d /tmp/lathe-system-XXXXXX)
trap 'rm -rf "$dir"' EXIT

skip() {
    echo "1..0 # skip: $1"
    exit 0
}

command -v node >/dev/null || skip "no node, so no clients of the providers"
if [ ! -d "$node/sdk/node_modules/@anthropic-ai/sdk" ]; then
    command -v npm >/dev/null || skip "no npm, so no clients of the providers"
    mkdir -p "$node/sdk" && cd "$node/sdk" || exit 1
    echo '{}' >package.json
    timeout 120 npm install --silent --no-audit --no-fund --ignore-scripts @anthropic-ai/sdk@1.11.0 openai@6.49.0 \
        >"$dir/npm.log" 2>&1 || { rm -rf "$node/sdk"; skip "npm could not get the providers' clients"; }
fi
mkfifo "$dir/hold"
"$build/fake_llm" <"$dir/hold" >"$dir/port" &
exec 3>"$dir/hold" # while this is open the fake runs
for _ in $(seq 100); do [ -s "$dir/port" ] && break; sleep 0.05; done
LATHE_NODE_MODULES=$node/sdk node "$here/llm.mjs" "$(cat "$dir/port")"
status=$?
exec 3>&-
wait
exit $status
