#!/bin/bash
# conformance.sh BUILD - the official conformance suite of MCP against `lathe mcp --http`.
#
#     tests/long/conformance.sh build/release      a minute; not a part of ./check
#
# 0.1.16 of @modelcontextprotocol/conformance knows the era of 2025-11-25, 0.2.0-alpha.12 that of
# 2026-07-28; the latter wants node 22 or newer, which npm has too.  Most scenarios call tools,
# prompts and resources of the suite's own (test_simple_text...), which a laboratory has not: they
# stand below as not applicable.  Whatever else fails is a failure.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
node=${LATHE_NODE_CONFORMANCE:-$build/../node-conformance}
dir=$(mktemp -d /tmp/lathe-long-XXXXXX)
server=
trap '[ -z "$server" ] || kill $server; rm -rf "$dir"' EXIT

get() { # FOLDER PACKAGE...
    [ -d "$node/$1/node_modules" ] && return
    mkdir -p "$node/$1" && cd "$node/$1" && echo '{}' >package.json || exit 1
    shift
    timeout 300 npm install --silent --no-audit --no-fund "$@" >"$dir/npm.log" 2>&1
}

# Fixtures of the suite's own, and what is not offered: completion, logging, sampling, elicitation,
# subscriptions to resources, input that a server asks of its client in between.
not_applicable='completion-complete logging-set-level tools-call-simple-text tools-call-image tools-call-audio
tools-call-embedded-resource tools-call-mixed-content tools-call-with-logging tools-call-error
tools-call-with-progress tools-call-sampling tools-call-elicitation json-schema-2020-12
elicitation-sep1034-defaults elicitation-sep1330-enums resources-read-text resources-read-binary
resources-templates-read resources-subscribe resources-unsubscribe prompts-get-simple
prompts-get-with-args prompts-get-embedded-resource prompts-get-with-image
http-custom-header-server-validation input-required-result-basic-elicitation
input-required-result-basic-sampling input-required-result-basic-list-roots
input-required-result-request-state input-required-result-multiple-input-requests
input-required-result-multi-round input-required-result-non-tool-request
input-required-result-result-type input-required-result-tampered-state
input-required-result-capability-check'
# Applicable but for so many checks, which want a tool of the suite's own: one that needs a capability,
# greets by name, fails, or asks back.
partly='server-stateless:4 tasks-lifecycle:2 tasks-request-headers:1 tasks-dispatch-and-envelope:2'

get old @modelcontextprotocol/conformance@0.1.16
get new @modelcontextprotocol/conformance@0.2.0-alpha.12 node@22.23.3
bin=$node/new/node_modules/node/bin/node
[ -x "$bin" ] || bin=node
[ -d "$node/old/node_modules" ] && [ -d "$node/new/node_modules" ] || { echo "1..0 # skip: npm has no conformance suite"; exit 0; }

"$build/lathe" init "$dir/lab" >/dev/null 2>&1 && "$build/lathe" -C "$dir/lab" data synth words --docs 200 >/dev/null 2>&1 || exit 1
"$build/lathe" -C "$dir/lab" mcp --http 2>"$dir/url" &
server=$!
for _ in $(seq 100); do [ -s "$dir/url" ] && break; sleep 0.1; done
url=$(sed -n 's/,.*//p' "$dir/url")

(cd "$node/old" && "$bin" node_modules/.bin/conformance server --url "$url" --suite all) >"$dir/2025-11-25" 2>&1
(cd "$node/new" && "$bin" node_modules/.bin/conformance server --url "$url" --spec-version 2026-07-28 --suite all) >"$dir/2026-07-28" 2>&1

# The extension's scenarios are not run by "all".  Somebody at work is played by who holds the lock.
flock "$dir/lab/worker.lock" sleep 200 &
server="$server $!"
"$bin" "$here/conformance_names.mjs" "$(sed 's/.*:\([0-9]*\)\/.*/\1/' <<<"$url")" >"$dir/names" 2>/dev/null &
server="$server $!"
for _ in $(seq 100); do [ -s "$dir/names" ] && break; sleep 0.1; done
for name in tasks-lifecycle tasks-capability-negotiation tasks-wire-fields tasks-request-headers \
    tasks-dispatch-and-envelope tasks-request-state-removal; do
    (cd "$node/new" && "$bin" node_modules/.bin/conformance server --url "http://127.0.0.1:$(cat "$dir/names")/mcp" \
        --spec-version 2026-07-28 --scenario $name --force) 2>&1 |
        sed -n "s/^Passed: \([0-9]*\)\/[0-9]*, \([0-9]*\) failed.*/✗ $name: \1 passed, \2 failed/p" |
        sed 's/^✗\(.*, 0 failed\)/✓\1/' >>"$dir/2026-07-28"
done

count=0 failed=0
for era in 2025-11-25 2026-07-28; do
    while read -r mark name passed _ bad _; do
        name=${name%:}
        count=$((count + 1))
        case " ${not_applicable//$'\n'/ } " in *" $name "*)
            echo "ok $count - $era $name # skip: not applicable"
            continue ;;
        esac
        case " $partly " in *" $name:$bad "*) mark=✓ ;; esac
        if [ "$mark" = ✓ ]; then
            echo "ok $count - $era $name: $passed of $((passed + bad)) checks"
        else
            failed=1
            echo "not ok $count - $era $name: $bad checks fail"
        fi
    done < <(grep -E '^[✓✗] ' "$dir/$era" | sed 's/passed,/& /')
done
[ "$count" -gt 40 ] || { echo "not ok $((count + 1)) - the suites run"; tail -n 20 "$dir"/20*; failed=1; }
echo "1..$count"
exit $failed
