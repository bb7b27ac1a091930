#!/usr/bin/env python3
"""bench/startup.py - how long from `lathe train` to the first step?

    bench/startup.py build/release/lathe [--megabytes 100] [--rounds 5] [-s KNOB=VALUE ...]

A lab with about so many megabytes of tokens (two bytes each, of random words) is made in a temporary folder, and
the model of 6 layers, width 384 and 8192 tokens is trained for a step, each round with another seed, so that nothing
is known before.  Printed: seconds from the start of the process to the launch of the first step, median and range.
What was trained is also judged, which takes 25 seconds of a processor a round.
That is what `lathe train --json` calls start_seconds, and the time that the system takes to begin the program,
which is measured as that of `lathe version`.
"""
import argparse, glob, json, os, random, statistics, subprocess, sys, tempfile, time

MODEL = ["model.depth=6", "model.width=384", "model.heads=6", "model.context=256", "train.batch=16", "train.steps=1",
         "tokenizer.vocab=8192"]
LETTERS = 3.3  # of such text to a token of such a vocabulary

def run(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(words)} ended with {done.returncode}: {done.stderr[-500:]}")
    return done.stdout

def write_text(path, size):
    r = random.Random(1)
    words = ["".join(r.choices("etaoinshrdlu", k=r.randint(2, 9))) for _ in range(20000)]
    with open(path, "w") as f:
        for _ in range(size // 60_000 + 1):  # documents of about 60 kB
            f.write(json.dumps({"text": " ".join(r.choices(words, k=9230))}) + "\n")

def begins(lathe):
    times = []
    for _ in range(20):
        at = time.monotonic()
        run(lathe, "version")
        times.append(time.monotonic() - at)
    return statistics.median(times)

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("lathe")
    p.add_argument("--megabytes", type=int, default=100, help="of tokens")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("-s", dest="sets", action="append", default=[], metavar="KNOB=VALUE")
    args = p.parse_args()
    lathe, knobs = os.path.abspath(args.lathe), [w for s in MODEL + args.sets for w in ("-s", s)]
    with tempfile.TemporaryDirectory() as folder:
        text, recipe, lab = (os.path.join(folder, n) for n in ("text.jsonl", "recipe.toml", "lab"))
        open(recipe, "w").close()
        write_text(text, round(args.megabytes * 500_000 * LETTERS))
        run(lathe, "init", lab)
        run(lathe, "-C", lab, "data", "add", "words", text)
        def start(seed):
            return json.loads(run(lathe, "-C", lab, "train", recipe, "--seed", str(seed), "--json", *knobs))["start_seconds"]
        start(1)  # makes the shard
        size = sum(os.path.getsize(f) for f in glob.glob(os.path.join(lab, "data/words/shards/*.bin")))
        times = [start(2 + i) for i in range(args.rounds)]
    before = begins(lathe)
    print(f"{size / 1e6:.0f} MB of tokens: {before + statistics.median(times):.3f} s to the first step "
          f"({before + min(times):.3f}-{before + max(times):.3f}, {args.rounds} rounds), {before:.3f} of them before the program runs")

if __name__ == "__main__":
    main()
