#!/bin/bash
# fuzz.sh [SECONDS [NAME...]] - feeds nonsense to what reads other people's bytes, with clang's libFuzzer
# and both sanitizers: each program in tests/fuzz for SECONDS (60).  A crash, a leak, a byte read that is not
# there, or more than 2 GB of memory ends it, and the input stays in build/fuzz.  With a minute each
# this is the checks' long form; `./check` does not run it.
set -eu
cd "$(dirname "$0")/.."
. tools/setup.sh
need "to fuzz" clang
seconds=${1:-60}
[ $# -eq 0 ] || shift
out=build/fuzz
names=${*:-$(basename -s .c tests/fuzz/*.c)}
flags="-std=c17 -D_GNU_SOURCE -Isrc -I. -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -DHAVE_X86_LEVELS=0"
mkdir -p "$out"
objects=""
for source in src/base/*.c src/data/reader*.c src/data/parquet*.c src/data/filter*.c src/data/dedup*.c; do
    object=$out/$(echo "$source" | tr / _).o
    objects="$objects $object"
    [ "$object" -nt "$source" ] && [ -z "$(find src -name '*.h' -newer "$object" -print -quit)" ] || clang $flags -c -o "$object" "$source"
done
rm -f "$out/all.a" && ar rcs "$out/all.a" $objects
for name in $names; do
    corpus=$out/corpus-$name
    mkdir -p "$corpus"
    python3 tests/fuzz/seeds.py "$name" "$corpus"
    clang $flags -fsanitize=fuzzer -o "$out/$name" "tests/fuzz/$name.c" "$out/all.a" -ljansson -lzstd -lz -lpcre2-8 -lm -lpthread -ldl
    echo "# $name, $seconds s"
    "$out/$name" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 -max_len=65536 -print_final_stats=1 \
        -artifact_prefix="$out/" "$corpus" 2>"$out/$name.log" || { tail -n 40 "$out/$name.log"; exit 1; }
    grep -E 'stat::number_of_executed_units|stat::peak_rss_mb' "$out/$name.log"
done
