#!/bin/sh
# check_format.sh - the layout of the source is what clang-format 14 makes of .clang-format.
#
# Versions differ in small things, so one is named; without it nothing is said.  --fix lays out anew.
set -eu
cd "$(dirname "$0")/.."
for formatter in clang-format-14 clang-format; do
    if "$formatter" --version 2>/dev/null | grep -q 'version 14\.'; then
        mode="--dry-run -Werror"
        [ "${1:-}" != --fix ] || mode=-i
        exec "$formatter" $mode $(find src tests bench -name '*.[ch]' ! -name '*_list.h')
    fi
done
echo "skipped: there is no clang-format 14 here"
[ "${1:-}" != --fix ]
