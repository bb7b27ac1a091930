#!/bin/sh
# bench/tokenizers.sh LATHE TEXT.txt - the same text by other programs, where they are installed.
#
# SentencePiece's BPE (Debian: sentencepiece) learns the vocabulary that `lathe bench data` learns and
# encodes by it; npm's tiktoken encodes by GPT-2's (found from the folder where this is called).  One
# thread each; processor seconds are compared, as they are the steadier on a machine with neighbours.
set -eu
lathe=$1 text=$2 vocab=4096
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bytes=$(wc -c <"$text")

cpu() { # seconds of processor time of a command
    /usr/bin/time -f "%U %S" -o "$work/time" "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
    awk '{ print $1 + $2 }' "$work/time"
}
rate() { awk -v b="$bytes" -v s="$2" -v w="$1" 'BEGIN { printf "%-28s %8.1f MB a second of one processor\n", w, b / s / 1e6 }'; }

LATHE_BENCH_TEXT=$text "$lathe" bench data --threads 1 --seconds 8
if command -v spm_train >/dev/null; then
    rate "spm_train bpe $vocab" "$(cpu spm_train --input="$text" --model_prefix="$work/spm" --model_type=bpe \
        --vocab_size=$vocab --num_threads=1 --max_sentence_length=1000000 --input_sentence_size=0)"
    rate "spm_encode bpe $vocab" "$(cpu spm_encode --model="$work/spm.model" --output_format=id --output="$work/ids" "$text")"
fi
if command -v node >/dev/null && node -e 'require("tiktoken")' 2>/dev/null; then
    node -e '
        const fs = require("fs"), e = require("tiktoken").get_encoding("gpt2");
        const s = fs.readFileSync(process.argv[1], "utf8"), began = process.cpuUsage();
        for (let i = 0; i < s.length; i += 65536) e.encode_ordinary(s.slice(i, i + 65536));
        const used = process.cpuUsage(began).user / 1e6;
        console.log("npm tiktoken, gpt2".padEnd(28) + (Buffer.byteLength(s) / used / 1e6).toFixed(1).padStart(9) + " MB a second of one processor");
    ' "$text"
fi
