#!/bin/bash
# fetch.sh BUILD - data from URLs: whole, in pieces, changed on the way, checked; by a server on loopback.
set -u
here=$(cd "$(dirname "$0")" && pwd)
lathe=$(cd "$1" && pwd)/lathe
dir=$(mktemp -d /tmp/lathe-system-XXXXXX)
server=""
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$dir"' EXIT
count=0 failures=0
result() { # STATUS NAME
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; failures=$((failures + 1)); fi
}
mkdir "$dir/files"
python3 - "$dir/files/a.jsonl" <<'END'
import json, random, sys
r = random.Random(1)
with open(sys.argv[1], "w") as f:
    for i in range(900):
        f.write(json.dumps({"text": " ".join("w%d" % r.randrange(50000) for _ in range(60))}) + "\n")
END
gzip -k "$dir/files/a.jsonl"
: >"$dir/log"
python3 "$here/fetch.py" "$dir/files" "$dir/log" >"$dir/port" &
server=$!
for _ in $(seq 100); do [ -s "$dir/port" ] && break || sleep 0.1; done
at=http://127.0.0.1:$(cat "$dir/port")
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
"$lathe" init "$dir/lab" >/dev/null 2>&1 && cd "$dir/lab" || exit 1
hash_of() { "$lathe" data show "$1" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["sha256"])'; }
sha=$(sha256sum "$dir/files/a.jsonl.gz" | cut -d ' ' -f 1)

"$lathe" data add file "$dir/files/a.jsonl" >/dev/null 2>&1 && (cd .. && "$lathe" init lab2 >/dev/null 2>&1)
cd "$dir/lab2" && "$lathe" data add url "$at/a.jsonl.gz" >"$dir/out" 2>"$dir/err" && [ ! -e data/.fetch ] &&
    [ "$(hash_of url)" = "$(cd "$dir/lab" && hash_of file)" ]
result $? "a_file_from_a_url_is_the_data_set_that_the_file_is"
"$lathe" data show url --json | grep -q "$sha" && "$lathe" data sample url -n 1 | grep -q "from $at/a.jsonl.gz at byte"
result $? "the_manifest_has_the_hash_of_what_came_and_the_place"

new_lab() { cd "$dir" && rm -rf lab3 && "$lathe" init lab3 >/dev/null 2>&1 && cd lab3; }
new_lab && "$lathe" data add cut "$at/cut/40000/a.jsonl.gz" >"$dir/out" 2>"$dir/err" &&
    [ "$(hash_of cut)" = "$(cd "$dir/lab" && hash_of file)" ] && grep -q '/cut/40000/.* 206' "$dir/log"
result $? "a_connection_that_breaks_off_is_gone_on_with"
new_lab && "$lathe" data add change "$at/change/a.jsonl.gz" >"$dir/out" 2>"$dir/err" &&
    [ "$(hash_of change)" = "$(cd "$dir/lab" && hash_of file)" ] && ! grep -q '/change/.* 206' "$dir/log"
result $? "a_file_that_changed_meanwhile_is_never_spliced"
new_lab && "$lathe" data add good "$at/a.jsonl.gz#sha256=$sha" >"$dir/out" 2>"$dir/err"
result $? "bytes_of_the_hash_that_was_asked_for_are_taken"
new_lab && ! "$lathe" data add bad "$at/a.jsonl.gz#sha256=${sha//[0-4]/5}" >"$dir/out" 2>"$dir/err" && grep -q 'was asked for' "$dir/err" && [ ! -e data/bad ]
result $? "bytes_of_another_hash_are_refused"
new_lab && ! "$lathe" data add none "$at/nothing.txt" >"$dir/out" 2>"$dir/err" && grep -q 'answers 404' "$dir/err" && [ "$(grep -c nothing "$dir/log")" -eq 1 ]
result $? "an_address_without_a_file_is_said_at_once"
kill "$server" && wait "$server" 2>/dev/null
server=""
echo "1..$count"
[ $failures -eq 0 ]
