#!/bin/bash
# bench/settle_ocr.sh LATHE BOOKS.jsonl OCR.jsonl JUDGE.jsonl... - raw newspaper OCR in books, found and settled.
#
# One part of OCR to three of books becomes a data set; its audit is not told.  Printed: how many of the
# OCR documents it names and how many of the books; then the verdict on the remedy, trained against a
# removal of as many tokens at random and judged on the held-out text of the other files.
# MB=8 sets the size of the mixture, RUN the recipe (-s ...).
set -eu
lathe=$(realpath "$1") books=$(realpath "$2") ocr=$(realpath "$3")
shift 3
work=${WORK:-$(mktemp -d)}
[ -n "${WORK:-}" ] || trap 'rm -rf "$work"' EXIT
mb=${MB:-8}
run=${RUN:--s model.depth=2 -s model.width=96 -s model.heads=3 -s model.context=128 -s tokenizer.vocab=2048 -s train.batch=16 -s budget.frame=tokens -s budget.tokens=400000}

# Documents of some kilobytes, so that books are not all or nothing; a seed draws them.
python3 - "$books" "$ocr" "$mb" "$work/mixed.jsonl" <<'PY'
import json, random, sys
books, ocr, mb, out = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]
r = random.Random(3)
def pieces(path, most):
    all = []
    for line in open(path, encoding="utf-8"):
        text, at = json.loads(line)["text"], 0
        while len(text) - at > 2000:
            all.append(text[at:at + r.randrange(4000, 12000)])
            at += len(all[-1])
    r.shuffle(all)
    sum, kept = 0, []
    for t in all:
        if sum > most: break
        kept.append(t)
        sum += len(t)
    return kept
docs = [(t, 0) for t in pieces(books, mb * 750000)] + [(t, 1) for t in pieces(ocr, mb * 250000)]
r.shuffle(docs)
with open(out, "w", encoding="utf-8") as f, open(out + ".truth", "w") as truth:
    at = 0
    for text, bad in docs:
        line = json.dumps({"text": text}, ensure_ascii=False) + "\n"
        f.write(line)
        truth.write(f"{at} {bad}\n")
        at += len(line.encode())
PY
[ -d "$work/lab" ] || "$lathe" init "$work/lab" >/dev/null 2>&1
"$lathe" -C "$work/lab" data add mixed "$work/mixed.jsonl" >/dev/null
n=0
for judge in "$@"; do
    n=$((n + 1))
    "$lathe" -C "$work/lab" data add "judge$n" "$judge" >/dev/null
done
"$lathe" -C "$work/lab" data audit mixed --documents "$work/named.jsonl" | cut -c1-160
python3 - "$work" <<'PY'
import json, sys
truth = dict(map(int, l.split()) for l in open(sys.argv[1] + "/mixed.jsonl.truth"))
count = {0: [0, 0], 1: [0, 0]}
for line in open(sys.argv[1] + "/named.jsonl"):
    d = json.loads(line)
    count[truth[d["offset"]]][0] += 1
    count[truth[d["offset"]]][1] += "ocr" in d["kinds"]
print(f"called ocr: {count[1][1]} of {count[1][0]} documents of the newspapers, {count[0][1]} of {count[0][0]} of the books")
PY
"$lathe" -C "$work/lab" data audit mixed --settle 1 $run --threads "${THREADS:-1}"
