#!/bin/sh
# check_kinds.sh - what is written into the ledger is documented, has a view, and has words.
#
# The kinds are read from the calls of ledger_append in src/; each must stand in the table of
# docs/formats/ledger.md, in the views of src/ledger/schema.c and in the sayings of
# src/lab/entry_text.c, and the page must name no kind that nobody writes.
set -eu
cd "$(dirname "$0")/.."
bad=0
say() {
    echo "$*"
    bad=1
}
written=$(cat src/*/*.c | tr '\n' ' ' | grep -o 'ledger_append([^"();]*"[a-z_]*"' | sed 's/.*"\(.*\)"/\1/' | sort -u)
documented=$(sed -n '/^## Kinds/,/^## Views/s/^| `\([a-z_]*\)` |.*/\1/p' docs/formats/ledger.md | sort -u)
for kind in $written; do
    echo "$documented" | grep -qx "$kind" || say "docs/formats/ledger.md does not know the kind $kind"
    grep -q "{ \"[a-z_]*\", \"$kind\"," src/ledger/schema.c || say "src/ledger/schema.c has no view of the kind $kind"
    grep -q "{ \"$kind\", say_" src/lab/entry_text.c || say "src/lab/entry_text.c has no words for the kind $kind"
done
for kind in $documented; do
    echo "$written" | grep -qx "$kind" || say "docs/formats/ledger.md knows the kind $kind, which nobody writes"
done
[ -n "$written" ] || say "no call of ledger_append was found"
exit $bad
