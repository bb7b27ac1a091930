#!/bin/sh
# check_manual.sh BUILD - the manual page, the completions and --help know every command.
set -eu
cd "$(dirname "$0")/.."
lathe=$1/lathe
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$lathe" man >"$out/lathe.1"
"$lathe" completion bash >"$out/bash"
"$lathe" completion zsh >"$out/zsh"
bash -n "$out/bash"
if command -v zsh >/dev/null; then zsh -n "$out/zsh"; fi
"$lathe" >"$out/screen"
bad=0
sed -n 's/^\.SS lathe \([a-z]\{1,\}\( [a-z]\{1,\}\)\{0,1\}\)\( .*\)\{0,1\}$/\1/p' "$out/lathe.1" >"$out/commands"
sed -n 's/^  \([a-z]\{1,\}\( [a-z]\{1,\}\)\{0,1\}\) .*/\1/p' "$out/screen" | grep -v '^lathe' | while read -r command; do
    grep -qx "$command" "$out/commands" || echo "no manual for $command"
done >"$out/complaints"
while read -r command; do
    grep -qw "${command##* }" "$out/screen" || echo "$command is not on the screen"
    grep -q "\"$command\")" "$out/bash" || echo "no completion for $command"
    "$lathe" $command --help | grep -q "^lathe $command" || echo "no help for $command"
    "$lathe" help $command | grep -q "^options:" || echo "no options for $command"
done <"$out/commands" >>"$out/complaints"
cat "$out/complaints"
[ ! -s "$out/complaints" ] || bad=1
[ "$(wc -l <"$out/screen")" -le 60 ] || { echo "lathe alone prints more than one screen"; bad=1; }
exit $bad
