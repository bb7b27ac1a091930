#!/usr/bin/env python3
"""bench/ladder.py - does a ladder of small sizes foretell a larger one?

    bench/ladder.py LATHE FOLDER FILE [FILE]... [--megabytes 4] [--threads 1] [--ladder "OPTIONS OF lathe scale"]

For each file of text (whole lines up to so many megabytes): a new lab in FOLDER, a ladder of four sizes of 0.1 to
1.6 million parameters at three lengths, the law through it, its prediction of a fifth size of 2.7 million, and
that one trained.  Printed: foretold, interval, its half-width, measured, inside or not.
"""
import argparse, json, os, subprocess, sys

# Steps of few tokens: a law in D needs some hundred steps before it begins to hold.
RECIPE = ("tokenizer.kind=bytes model.depth=4 model.width=128 model.heads=4 model.context=64 train.batch=8 optim.name=muon "
          "optim.lr=0.004 schedule.warmup=0.1").split()
LADDER = "--sizes 0.125,0.42,1,1.95 --tokens 100000,200000,400000 --target 3.4 --target-tokens 300000"

def lathe(args, lab, *words):
    done = subprocess.run([args.lathe, "-C", lab, *words, "--json"], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"lathe {' '.join(words)} ended with {done.returncode}")
    return json.loads(done.stdout)

def slice_of(path, megabytes, out):
    with open(path, "rb") as f, open(out, "wb") as g:
        while f.tell() < megabytes * 1e6 and (line := f.readline()):
            g.write(line)

def ladder(args, path):
    name = os.path.splitext(os.path.basename(path))[0]
    lab = os.path.join(args.folder, name)
    if not os.path.exists(lab):
        os.makedirs(args.folder, exist_ok=True)
        text = os.path.join(args.folder, os.path.basename(path))
        slice_of(path, args.megabytes, text)
        subprocess.run([args.lathe, "init", lab], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([args.lathe, "-C", lab, "data", "add", "text", text], check=True, stdout=subprocess.DEVNULL)
    r = lathe(args, lab, "scale", "--check", "--threads", args.threads, *args.ladder.split(), *[w for s in RECIPE for w in ("-s", s)])
    t = r["target"]
    half = 50 * (t["high"] - t["low"]) / t["bpb"]
    print(f"{name}: {len(r['rungs'])} runs, N {r['rungs'][0]['N']:.3g} to {r['rungs'][-1]['N']:.3g}, scatter {100 * r['spread']:.2f} %; "
          f"N {t['N']:.3g}, D {t['D']:.3g}: {t['bpb']:.4f} foretold, {t['low']:.4f} to {t['high']:.4f} (+- {half:.2f} %), measured {r['measured']:.4f} "
          f"({100 * (r['measured'] / t['bpb'] - 1):+.2f} %), {'inside' if r['inside'] else 'OUTSIDE'}; {t['trust']}", flush=True)

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("lathe")
    p.add_argument("folder")
    p.add_argument("file", nargs="+")
    p.add_argument("--megabytes", type=float, default=4)
    p.add_argument("--threads", default="1")
    p.add_argument("--ladder", default=LADDER)
    args = p.parse_args()
    for path in args.file:
        ladder(args, path)

main()
