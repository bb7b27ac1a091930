#!/bin/bash
# ledger.sh BUILD - the ledger under kill -9, many writers, tampering, a full and a read-only disk.
# The chain of hashes is recomputed by Python from its documentation, not by the program under test.
set -u
lathe=$(cd "$1" && pwd)/lathe
dir=$(mktemp -d /tmp/lathe-system-XXXXXX)
count=0 failures=0
trap 'chmod -R u+w "$dir" 2>/dev/null; rm -rf "$dir"' EXIT

result() { # STATUS NAME
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; failures=$((failures + 1)); fi
}
skip() { count=$((count + 1)) && echo "ok $count - $1 # skip $2"; }
entries() { sqlite3 "$1/lathe.db" 'SELECT count(*) FROM entries'; }

chain() { # LAB: the five lines of docs/formats/ledger.md
    python3 - "$1/lathe.db" <<'PYTHON'
import hashlib, sqlite3, sys
before, expected = "0" * 64, 1
for seq, kind, id, at, body, stated in sqlite3.connect(sys.argv[1]).execute(
        "SELECT seq, kind, id, at, body, hash FROM entries ORDER BY seq"):
    before = hashlib.sha256(f"{before}\n{kind}\n{id}\n{at:.6f}\n{body}\n".encode()).hexdigest()
    if before != stated or seq != expected:
        sys.exit(f"entry {seq}: {before} {stated}")
    expected += 1
PYTHON
}

whole() { # LAB: every way to ask
    [ "$(sqlite3 "$1/lathe.db" 'PRAGMA integrity_check')" = ok ] && chain "$1" &&
        "$lathe" -C "$1" log --verify >/dev/null
}

one_sentence() { # FILE WORD: a single line on stderr with the word, ending without a period
    [ "$(wc -l <"$1")" -eq 1 ] && grep -q "$2" "$1" && ! grep -q '\.$' "$1"
}

cd "$dir" || exit 1
"$lathe" init lab >/dev/null 2>&1
result $? "a lab is made"

# Each note that was acknowledged is counted by the writer; the writer is killed at any moment.
: >said
for round in 1 2 3 4 5 6 7 8 9 10; do
    setsid bash -c 'while "$0" -C lab note "round $1" >/dev/null 2>&1; do echo >>said; done' "$lathe" $round &
    group=$!
    disown
    sleep "0.$((RANDOM % 4))$((RANDOM % 10))5"
    kill -9 -- -$group
done
sleep 0.2
said=$(wc -l <said) kept=$(sqlite3 lab/lathe.db "SELECT count(*) FROM notes")
[ "$said" -gt 0 ] && [ "$kept" -ge "$said" ] && [ "$kept" -le $((said + 10)) ]
result $? "ten kills lose nothing that was acknowledged ($said said, $kept kept)"
whole lab
result $? "the ledger is whole after the kills"

# Four writers and a reader at once.
before=$(entries lab)
for w in 1 2 3 4; do
    (for i in $(seq 15); do "$lathe" -C lab note "writer $w, $i" >/dev/null || exit 1; done) &
    writers[w]=$!
done
reads=0
for i in $(seq 15); do "$lathe" -C lab log -n 3 >/dev/null && reads=$((reads + 1)); done
failed=0
for w in 1 2 3 4; do wait "${writers[w]}" || failed=1; done
[ $failed -eq 0 ] && [ $reads -eq 15 ] && [ "$(entries lab)" -eq $((before + 60)) ] && whole lab
result $? "four writers and a reader get along"

"$lathe" -C lab log --json -n 5 | python3 -c 'import json,sys; d = json.load(sys.stdin); assert len(d) == 5 and d[4]["kind"] == "note"'
result $? "log --json is one document"

# Tampering.
sqlite3 lab/lathe.db "UPDATE entries SET body='{}' WHERE seq=2" 2>/dev/null
[ $? -ne 0 ] && whole lab
result $? "SQL is refused by the triggers"
cp -r lab forged
sqlite3 forged/lathe.db "DROP TRIGGER entries_no_update; UPDATE entries SET body='{}' WHERE seq=2"
"$lathe" -C forged log --verify 2>err
[ $? -eq 1 ] && one_sentence err 'entry 2 '
result $? "an entry changed behind the triggers is named"

# A disk that is full: no file may reach 64 KiB, and the note alone is larger, however long the
# ledger has become (the signal is ignored, so writes fail with EFBIG).
before=$(entries lab)
(trap '' XFSZ; ulimit -f 64; "$lathe" -C lab note "$(head -c 100000 /dev/zero | tr '\0' x)" 2>err)
[ $? -eq 1 ] && one_sentence err 'no space is left' && [ "$(entries lab)" -eq "$before" ] && whole lab
result $? "a full disk is one sentence and loses nothing"
"$lathe" -C lab note "room again" && [ "$(entries lab)" -eq $((before + 1)) ]
result $? "and the same command works when there is room"

# A read-only lab, as a user who may not write.
user() { if [ "$(id -u)" -eq 0 ]; then setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; else "$@"; fi; }
chmod 755 "$dir" lab && chmod 444 lab/lathe.db && chmod 555 lab
if user true 2>/dev/null && user test -x "$lathe"; then
    user "$lathe" -C lab log >out 2>err && [ -s out ] && [ ! -s err ]
    result $? "a read-only lab is read"
    user "$lathe" -C lab note no 2>err
    [ $? -eq 1 ] && one_sentence err 'writable'
    result $? "and says what to do when it is written"
else
    skip "a read-only lab is read" "no other user can run the program here"
    skip "and says what to do when it is written" "no other user can run the program here"
fi
chmod 755 lab && chmod 644 lab/lathe.db

# Damaged, newer, and no ledger at all.
mkdir torn newer foreign
head -c $(($(stat -c %s lab/lathe.db) / 2)) lab/lathe.db >torn/lathe.db
"$lathe" -C torn log --verify >/dev/null 2>err
[ $? -eq 1 ] && one_sentence err damaged
result $? "a truncated ledger is called damaged"
cp lab/lathe.db newer/ && sqlite3 newer/lathe.db 'PRAGMA user_version=99'
sum=$(sha256sum <newer/lathe.db)
"$lathe" -C newer note no 2>err
[ $? -eq 1 ] && one_sentence err 'version 99' && [ "$sum" = "$(sha256sum <newer/lathe.db)" ]
result $? "a newer ledger is refused and left alone"
echo "not a database at all, just a line of text that somebody saved under this name" >foreign/lathe.db
"$lathe" -C foreign log 2>err
[ $? -eq 1 ] && one_sentence err lathe.db
result $? "a file that is no database is refused by name"

echo "1..$count"
[ $failures -eq 0 ]
