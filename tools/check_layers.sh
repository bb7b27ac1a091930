#!/bin/sh
# check_layers.sh - a module includes itself and modules of strictly lower layers, nothing else.
#
# The layers are read from docs/ARCHITECTURE.md, from lines such as "layer 2: tensor data", so that
# the page cannot differ from the code.  Held here too: outside things have one door each.
set -eu
cd "$(dirname "$0")/.."
awk '
FILENAME == "docs/ARCHITECTURE.md" {
    if (match($0, /^ *layer [0-9]+:/)) {
        number = $2 + 0
        for (i = 3; i <= NF; i++) layer[$i] = number
    }
    next
}
FNR == 1 {
    split(FILENAME, part, "/")
    from = part[2]
    if (!(from in layer)) { print FILENAME ": src/" from " stands in no layer of docs/ARCHITECTURE.md"; bad = 1 }
}
/^#include "/ {
    file = $2
    gsub(/"/, "", file)
    split(file, part, "/")
    to = part[1]
    if (file !~ /\//) { print FILENAME ":" FNR ": include it as \"module/file.h\""; bad = 1 }
    else if (to != from && (!(to in layer) || layer[to] >= layer[from])) {
        print FILENAME ":" FNR ": " from " (layer " layer[from] ") must not include " file " (layer " layer[to] ")"
        bad = 1
    }
    if (to != from && file ~ /(_private|_inside)\.h$/) { print FILENAME ":" FNR ": " file " is private to its folder"; bad = 1 }
}
function door(header, home) {
    if (index($0, "<" header ">") && FILENAME !~ "^src/" home "/") {
        print FILENAME ":" FNR ": " header " is included in src/" home " only"
        bad = 1
    }
}
/^#include </ { door("sqlite3.h", "ledger"); door("jansson.h", "base"); door("curl/curl.h", "base"); door("microhttpd.h", "base"); door("seccomp.h", "sandbox") }
/[^a-z_]exit\(/ && FILENAME !~ /^src\/(cli|base)\// { print FILENAME ":" FNR ": a library never exits"; bad = 1 }
END { exit bad }
' docs/ARCHITECTURE.md $(find src -name '*.[ch]' | sort)
