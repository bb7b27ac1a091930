#!/bin/sh
# check_headers.sh - every header compiles alone as C17; those that kernels in another language will
# see (base, dev, tensor) as C++17 too, except the two that are C by nature.
set -eu
cd "$(dirname "$0")/.."
bad=0
for header in $(find src -name '*.h' ! -name '*_list.h' ! -path 'src/tensor/level/*' | sort); do
    line="#include \"${header#src/}\""
    echo "$line" | gcc -std=c17 -D_GNU_SOURCE -Isrc -Wall -Wextra -Werror -DLEVEL=1 -fsyntax-only -xc - || bad=1
    case $header in
    src/base/json.h | src/tensor/kernel.h) ;;
    src/base/* | src/dev/* | src/tensor/*)
        echo "$line" | clang++ -std=c++17 -D_GNU_SOURCE -Isrc -Wall -Wextra -Werror -fsyntax-only -xc++ - || bad=1 ;;
    esac
done
exit $bad
