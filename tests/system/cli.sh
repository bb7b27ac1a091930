#!/bin/bash
# cli.sh BUILD - the frame around every command: names, options, help, exit statuses, finding the lab,
# pipes that close, full disks, completion, installation.
set -u
build=$(cd "$1" && pwd) || exit 1
cd "$(dirname "$0")/../.." || exit 1
source=$PWD
lathe=$build/lathe
dir=$(mktemp -d /tmp/lathe-system-XXXXXX)
count=0 failures=0
trap 'rm -rf "$dir"' EXIT
result() { # STATUS NAME
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; failures=$((failures + 1)); fi
}
# refused STATUS WORD COMMAND...: that exit status, nothing on stdout, one sentence with the word.
refused() {
    local want=$1 word=$2 got=0
    shift 2
    "$@" >"$dir/out" 2>"$dir/err" || got=$?
    [ $got -eq "$want" ] && [ ! -s "$dir/out" ] && [ "$(wc -l <"$dir/err")" -eq 1 ] && grep -qF -- "$word" "$dir/err" && return 0
    echo "# $*: exit status $got: $(cat "$dir/err")"
    return 1
}
commands() { "$lathe" | sed -n 's/^  \([a-z]\{1,\}\( [a-z]\{1,\}\)\{0,1\}\)  .*/\1/p' | grep -v '^lathe'; }

mkdir "$dir/empty" && cd "$dir/empty" || exit 1

[ "$(commands | wc -l)" -ge 20 ] && "$lathe" | grep -q 'lathe research'
result $? "lathe_alone_shows_the_loop_and_the_commands"

bad=0
while read -r command; do
    "$lathe" $command --help >"$dir/a" && "$lathe" help $command >"$dir/b" && "$lathe" --help $command >"$dir/c" || bad=1
    cmp -s "$dir/a" "$dir/b" && cmp -s "$dir/a" "$dir/c" && [ "$(head -c 6 "$dir/a")" = "lathe " ] || { echo "# $command"; bad=1; }
done < <(commands)
[ "$(commands | wc -l)" -ge 20 ] || bad=1
result $bad "every_command_explains_itself_outside_a_lab"

refused 2 'the nearest is train' "$lathe" trian && refused 2 'the nearest is knobs' "$lathe" knob
result $? "an_unknown_command_is_told_the_nearest"
refused 2 'lathe tokenizer decode' "$lathe" tokenizer && refused 2 'lathe tokenizer decode' "$lathe" tokenizer trian
result $? "half_a_command_is_told_its_other_halves"
refused 2 'the nearest is --experiments' "$lathe" research --experiment 3 &&
    refused 2 'needs a value' "$lathe" research --hours && refused 2 'no option -x' "$lathe" version -x &&
    refused 2 'takes no value' "$lathe" version --json=yes
result $? "a_wrong_option_is_told_the_nearest"
refused 2 'one argument too many' "$lathe" version now && refused 2 'lathe completion bash|zsh' "$lathe" completion
result $? "a_wrong_number_of_arguments_is_told_the_form"
refused 2 '--json is not understood here' "$lathe" completion bash --json
result $? "json_is_refused_where_there_is_none"
"$lathe" --version | grep -q '^lathe ' && "$lathe" version --json | python3 -c 'import json, sys; json.load(sys.stdin)["lathe"]' &&
    "$lathe" knobs --json | python3 -c 'import json, sys; assert len(json.load(sys.stdin)) > 30'
result $? "json_is_one_document"

refused 1 'lathe init' "$lathe" status && refused 1 'no such folder' "$lathe" -C "$dir/nowhere" status
result $? "outside_a_lab_the_way_in_is_named"
"$lathe" init "$dir/lab" >/dev/null 2>&1 && mkdir -p "$dir/lab/a/b" && (cd "$dir/lab/a/b" && "$lathe" log >/dev/null) &&
    "$lathe" -C "$dir/lab" log >/dev/null && "$lathe" log -C ../lab/a >/dev/null && "$lathe" -C../lab log >/dev/null
result $? "the_lab_is_found_from_inside_and_by_name"

(set -o pipefail; trap - PIPE; "$lathe" knobs 2>"$dir/err" | head -n 1 >/dev/null); [ ! -s "$dir/err" ]
result $? "a_reader_that_goes_away_is_no_news"
got=0; "$lathe" knobs >/dev/full 2>"$dir/err" || got=$?
[ $got -eq 1 ] && grep -q 'free some space' "$dir/err"
result $? "output_that_cannot_be_written_is_a_failure"

"$lathe" completion bash >"$dir/completion" && bash -c '
    . "$1"
    complete_words() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _lathe; echo "${COMPREPLY[*]}"; }
    compopt() { :; }
    lathe() { "$2" "$@"; }
    [ "$(complete_words lathe resea)" = research ] || { complete_words lathe resea; exit 1; }
    complete_words lathe tokenizer "" | grep -q "encode" || exit 1
    complete_words lathe research --ex | grep -q -- --experiments || exit 1
    complete_words lathe version --j | grep -q -- --json || exit 1
' bash "$dir/completion"
result $? "the_shell_completes_commands_and_options"

make -s -C "$source" install OUT="$build" PREFIX=/usr DESTDIR="$dir/root" >"$dir/log" 2>&1 &&
    "$dir/root/usr/bin/lathe" version >/dev/null && [ -s "$dir/root/usr/share/man/man1/lathe.1" ] &&
    [ -s "$dir/root/usr/share/lathe/recipes/shakespeare-char-cpu.toml" ] &&
    make -s -C "$source" uninstall PREFIX=/usr DESTDIR="$dir/root" >>"$dir/log" 2>&1 &&
    [ -z "$(find "$dir/root" -type f)" ]
result $? "what_is_installed_can_be_uninstalled"

echo "1..$count"
[ $failures -eq 0 ]
