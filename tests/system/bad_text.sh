#!/bin/bash
# bad_text.sh BUILD - what people really hand to `data add`: nothing, the wrong thing, broken bytes,
# one endless line, a full or a read-only disk.  One sentence each, and nothing half-written.
set -u
lathe=$(cd "$1" && pwd)/lathe
dir=$(mktemp -d /tmp/lathe-system-XXXXXX)
count=0 failures=0
trap 'umount "$dir/small" 2>/dev/null; chmod -R u+w "$dir" 2>/dev/null; rm -rf "$dir"' EXIT
result() { # STATUS NAME
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; failures=$((failures + 1)); fi
}
skip() { count=$((count + 1)) && echo "ok $count - $1 # skip $2"; }
# refused WORD COMMAND...: exit status 1 or 2, nothing on stdout, one complaint that has the word.
refused() {
    local word=$1 got=0
    shift
    "$@" >"$dir/out" 2>"$dir/err" || got=$?
    { [ $got -eq 1 ] || [ $got -eq 2 ]; } && [ ! -s "$dir/out" ] && [ "$(grep -c '^lathe' "$dir/err")" -eq 1 ] &&
        tail -n 1 "$dir/err" | grep -qiF -- "$word" && return 0
    echo "# $*: exit status $got: $(head -c 600 "$dir/err")"
    return 1
}
nothing_left() { # NAME: no data set, no temporary file
    [ ! -e "data/$1" ] && [ -z "$(find . -name '*.tmp')" ] && return 0
    echo "# left behind: $(find data judge -path "*$1*" 2>/dev/null | head -n 3) $(find . -name '*.tmp')"
    return 1
}
words() { # N SEED: N lines of text that differ
    python3 -c '
import random, sys
r = random.Random(int(sys.argv[2]))
names = ["river", "stone", "lamp", "winter", "garden", "letter", "engine", "harbour", "violin", "meadow", "captain", "window"]
for i in range(int(sys.argv[1])):
    print(" ".join(r.choice(names) + str(r.randrange(90)) for _ in range(12)) + ".")
    if i % 9 == 8: print()
' "$1" "$2"
}

"$lathe" init "$dir/lab" >/dev/null 2>&1 && cd "$dir/lab" || exit 1
mkdir "$dir/in" "$dir/in/none" "$dir/in/office"
words 3000 1 >"$dir/in/good.txt"

refused absent.txt "$lathe" data add a "$dir/in/absent.txt" && nothing_left a
result $? "a_missing_file_is_named"
refused "$dir/in/none" "$lathe" data add a "$dir/in/none" && nothing_left a
result $? "a_folder_without_text_is_named"
: >"$dir/in/empty.txt"
refused empty "$lathe" data add a "$dir/in/empty.txt" && nothing_left a
result $? "an_empty_file_is_no_data_set"
printf 'x' >"$dir/in/office/a.docx" && printf 'x' >"$dir/in/office/b.pdf" && printf 'x' >"$dir/in/office/c.pdf"
refused .pdf "$lathe" data add a "$dir/in/office" && grep -q .docx "$dir/err" && nothing_left a
result $? "a_folder_of_docx_and_pdf_says_what_it_could_not_read"
refused name "$lathe" data add ../up "$dir/in/good.txt" && [ ! -e ../up ] && [ ! -e data/../up/shards ]
result $? "a_name_that_leaves_the_lab_is_refused"
words 400 2 | gzip | head -c 2000 >"$dir/in/cut.txt.gz"
refused cut.txt.gz "$lathe" data add a "$dir/in/cut.txt.gz" && nothing_left a
result $? "a_compressed_file_cut_short_is_named"
printf 'not json at all\nnor this\n' >"$dir/in/not.jsonl"
refused not.jsonl "$lathe" data add a "$dir/in/not.jsonl" && nothing_left a
result $? "a_jsonl_without_a_good_line_is_named"

{ cat "$dir/in/good.txt"; printf 'NUL \000 and broken \377\376 \303 bytes \355\240\200\n'; } >"$dir/in/odd.txt"
"$lathe" data add odd "$dir/in/odd.txt" >"$dir/out" 2>"$dir/err" && "$lathe" data show odd >/dev/null && "$lathe" data show odd --json | python3 -c 'import json, sys; json.load(sys.stdin)'
result $? "nul_bytes_and_broken_utf8_are_text_like_any_other"
grep -q 'odd.txt not UTF-8 throughout' "$dir/out" && ! "$lathe" data show good 2>/dev/null | grep -q UTF-8
result $? "broken_utf8_is_said_when_it_comes_in"
head -c 400000000 /dev/zero | tr '\0' a | gzip >"$dir/in/bomb.txt.gz"
refused 'decompression bomb' "$lathe" data add bomb "$dir/in/bomb.txt.gz" && nothing_left bomb
result $? "what_unpacks_without_end_is_refused"
python3 -c 'print("{\"text\":" + "[" * 5000000)' >"$dir/in/deep.jsonl"
refused deep.jsonl "$lathe" data add deep "$dir/in/deep.jsonl" && nothing_left deep
result $? "nesting_without_end_is_a_bad_line"
printf 'PAR1 cut off' >"$dir/in/cut.parquet" && printf 'WARC/1.0\r\nContent-Length: 99\r\n\r\nx' >"$dir/in/cut.wet"
refused cut.parquet "$lathe" data add cut "$dir/in/cut.parquet" && refused 'cut short' "$lathe" data add cut "$dir/in/cut.wet" && nothing_left cut
result $? "parquet_and_web_archives_cut_short_are_named"
python3 -c '
import random
r = random.Random(3)
print(" ".join("%x" % r.getrandbits(60) for _ in range(6500000)))' >"$dir/in/line.txt"
[ "$(stat -c %s "$dir/in/line.txt")" -gt 100000000 ] && { cat "$dir/in/good.txt"; cat "$dir/in/line.txt"; } >"$dir/in/long.txt" && rm "$dir/in/line.txt" &&
    (ulimit -v 8000000; timeout 300 "$lathe" data add long "$dir/in/long.txt") >"$dir/out" 2>"$dir/err" && "$lathe" data show long >/dev/null
result $? "a_line_of_100_mb_is_read"
rm -f "$dir/in/long.txt"

"$lathe" data add good "$dir/in/good.txt" >/dev/null 2>&1 || exit 1
small="-s data.sources=good -s tokenizer.kind=bytes -s model.depth=1 -s model.width=32 -s model.heads=2 -s model.context=32 -s train.steps=4"
refused vocab "$lathe" train $small -s tokenizer.kind=bpe -s tokenizer.vocab=900000
result $? "a_vocabulary_larger_than_the_data_supports_is_refused"
refused model.depth "$lathe" train $small -s model.depth=1000 && refused 'whole number' "$lathe" train $small -s model.depth=two &&
    refused 'must be' "$lathe" train $small -s optim.name=adam
result $? "a_value_out_of_range_or_of_a_wrong_type_is_refused"
"$lathe" train $small >/dev/null 2>&1 || exit 1
shard=$(find data/good build cache data -name '*.bin' 2>/dev/null | head -n 1)
[ -n "$shard" ] && for damage in 'truncate -s 900' 'truncate -s 3' 'sed -i s/^..../XXXX/'; do
    cp "$shard" "$dir/shard" && $damage "$shard"
    "$lathe" train $small --seed 7 >"$dir/out" 2>"$dir/err"
    got=$?
    # Either the cache is made anew, or the file is named; never a crash, never a silent wrong run.
    if [ $got -ne 0 ] && ! { [ $got -eq 1 ] && grep -qF "$(basename "$shard")" "$dir/err"; }; then echo "# $damage: $got: $(cat "$dir/err")"; false; break; fi
    cp "$dir/shard" "$shard"
done
result $? "a_damaged_shard_is_made_anew_or_named"

# A disk with 3 MB, which takes the ledger but not the data.
mkdir "$dir/small"
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=3m none "$dir/small" 2>/dev/null; then
    words 60000 4 >"$dir/in/big.txt"
    "$lathe" init "$dir/small/lab" >/dev/null 2>&1 && cd "$dir/small/lab" &&
        refused 'space' "$lathe" data add big "$dir/in/big.txt" && nothing_left big &&
        "$lathe" data add fits "$dir/in/good.txt" >"$dir/out" 2>&1 && "$lathe" log --verify >/dev/null
    result $? "a_full_disk_loses_nothing_and_smaller_data_still_fit"
    cd "$dir/lab" || exit 1
else
    skip a_full_disk_loses_nothing_and_smaller_data_still_fit "no right to mount a small disk"
fi

# Files that may not grow: the kernel's signal must not end the program.
refused 'ulimit -f' bash -c 'ulimit -f 20; exec "$0" data add limited "$1"' "$lathe" "$dir/in/good.txt" && nothing_left limited
result $? "a_limit_on_the_size_of_files_is_a_sentence"

# A read-only lab, as a user who may not write.
user() { if [ "$(id -u)" -eq 0 ]; then setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; else "$@"; fi; }
chmod 755 "$dir" && chmod -R go+rX "$dir/lab" "$dir/in" && chmod -R a-w "$dir/lab"
if user test -x "$lathe" 2>/dev/null; then
    refused permission user "$lathe" data add more "$dir/in/good.txt" || refused writable user "$lathe" data add more "$dir/in/good.txt"
    result $? "a_read_only_lab_is_named"
    user "$lathe" data list >/dev/null 2>"$dir/err" && [ ! -s "$dir/err" ]
    result $? "a_read_only_lab_is_still_read"
    mkdir "$dir/free" "$dir/in/mixed" && cp "$dir/in/good.txt" "$dir/in/mixed/a.txt" && cp "$dir/in/good.txt" "$dir/in/mixed/locked.txt"
    chmod 777 "$dir/free" && chmod 755 "$dir/in/mixed" && chmod 644 "$dir/in/mixed/a.txt" && chmod 0 "$dir/in/mixed/locked.txt"
    user "$lathe" init "$dir/free/lab" >/dev/null 2>&1 && user "$lathe" -C "$dir/free/lab" data add mixed "$dir/in/mixed" >"$dir/out" 2>"$dir/err" &&
        grep -q 'not read: Permission denied (.*locked.txt)' "$dir/out" && refused locked.txt user "$lathe" -C "$dir/free/lab" data add locked "$dir/in/mixed/locked.txt"
    result $? "a_file_of_a_folder_that_may_not_be_read_is_named_and_the_rest_is_read"
else
    skip a_read_only_lab_is_named "no other user can run the program here"
    skip a_read_only_lab_is_still_read "no other user can run the program here"
    skip a_file_of_a_folder_that_may_not_be_read_is_named_and_the_rest_is_read "no other user can run the program here"
fi
echo "1..$count"
[ $failures -eq 0 ]
