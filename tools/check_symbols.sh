#!/bin/sh
# check_symbols.sh BUILD - every exported name says where it belongs.
#
# A name begins with its module, with a header of its module, or with a type that such a header
# declares (KnobSet gives knobset_ and knob_set_, ScheduleDef gives schedule_), in the singular or
# the plural.  The few names that are words of their field are listed here, so that adding one is a
# decision.
set -eu
cd "$(dirname "$0")/.."
own_words() {
    case $1 in
    base) echo 'philox4x32 sparkline stop utf8 knobs' ;;
    dev) echo 'cpu' ;;
    tensor) echo 't' ;;
    optim) echo 'group' ;;
    cli) echo 'main' ;;
    esac
}
bad=0
for dir in src/*/; do
    module=$(basename "$dir")
    objects=$(find "$1/src/$module" -name '*.o' 2>/dev/null) || true
    [ -n "$objects" ] || continue
    headers=$(find "$dir" -name '*.h')
    types=$([ -z "$headers" ] || sed -n 's/^typedef .*[^A-Za-z0-9_]\([A-Z][A-Za-z0-9]*\);$/\1/p; s/^} \([A-Z][A-Za-z0-9]*\);$/\1/p; s/^typedef \(struct\|enum\|union\) \([A-Z][A-Za-z0-9]*\) {.*/\2/p' $headers)
    names=$([ -z "$headers" ] || basename -a -s .h $headers)
    snakes=$(echo "$types" | sed 's/Def$//; s/\([a-z0-9]\)\([A-Z]\)/\1_\2/g')
    allowed="$module $names $types $snakes $(own_words "$module")"
    nm -g --defined-only $objects 2>/dev/null | awk -v allowed="$allowed" -v module="$module" '
        BEGIN { n = split(tolower(allowed), word, /[ \n]+/) }
        NF == 3 && $3 !~ /^__/ {
            ok = 0
            for (i = 1; i <= n; i++) {
                w = word[i]
                sub(/s$/, "", w)
                rest = substr($3, length(w) + 1)
                if (index($3, w) == 1 && rest ~ /^s?([0-9]*_|[0-9]*$)/) ok = 1
            }
            if (!ok && !seen[$3]++) { print "src/" module " exports " $3 ", which does not say where it belongs"; bad = 1 }
        }
        END { exit bad }' || bad=1
done
exit $bad
