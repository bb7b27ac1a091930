#!/usr/bin/env python3
"""bench/aa.py - does the judge keep what is nothing, and find what is something?

    bench/aa.py LATHE LAB [--proposals 30] [--sigmas 4] [-s knob=value]...

In a lab that has data: measures sigma of the first recipe and what a larger budget gains, sizes a planted
improvement of so many sigma, and runs a session by the researcher `aa`, whose other proposals change
nothing that matters, each on fresh seeds.  Printed: what the rule kept, and what keep-if-lower (one run
each, against the best so far) would have kept on the same runs.
"""
import argparse, json, math, sqlite3, subprocess, sys

def lathe(args, *words):
    done = subprocess.run([args.lathe, "-C", args.lab, *words, "--json"], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"lathe {' '.join(words)} ended with {done.returncode}")
    return json.loads(done.stdout)

def mean(x):
    return sum(x) / len(x)

def sd(x):
    return math.sqrt(sum((v - mean(x)) ** 2 for v in x) / (len(x) - 1))

def factor_for(args, sets):
    """The budget's factor that gains so many sigma: by a straight line in log budget from 1 to 1.5."""
    budget = next(s for s in args.set if s.startswith("budget.flops="))
    flops = float(budget.split("=")[1])
    def bpb(factor):
        return [lathe(args, "train", "--seed", str(seed), *sets, "-s", f"budget.flops={flops * factor:.4g}")["bpb"]
                for seed in range(901, 909)]
    plain, longer = bpb(1.0), bpb(1.5)
    sigma, gain = sd(plain), mean(plain) - mean(longer)
    factor = math.exp(math.log(1.5) * args.sigmas * sigma / gain)
    print(f"sigma {sigma:.5f} bpb ({100 * sigma / mean(plain):.2f} %); half as much budget again gains {gain / sigma:.1f} sigma; "
          f"planted: {factor:.3f} times the budget, {args.sigmas} sigma", flush=True)
    return factor

def naive(lab):
    """Keep-if-lower on the first run of each experiment."""
    db = sqlite3.connect(f"file:{lab}/lathe.db?mode=ro", uri=True)
    bpb = dict(db.execute("SELECT id, json_extract(body,'$.bpb') FROM entries WHERE kind='result'"))
    runs = db.execute("SELECT id, json_extract(body,'$.purpose'), json_extract(body,'$.experiment') FROM entries "
                      "WHERE kind='run' AND json_extract(body,'$.session') IS NOT NULL ORDER BY seq").fetchall()
    best, kept, seen = None, [], set()
    for run, purpose, experiment in runs:
        if purpose == "bank" and best is None:
            best = bpb[run]
        if experiment and experiment not in seen:
            seen.add(experiment)
            if bpb[run] < best:
                best = bpb[run]
                kept.append(experiment)
    return kept

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("lathe")
    p.add_argument("lab")
    p.add_argument("--proposals", type=int, default=30)
    p.add_argument("--sigmas", type=float, default=4)
    p.add_argument("-s", dest="set", action="append", default=[])
    args = p.parse_args()
    if not any(s.startswith("budget.flops=") for s in args.set):
        sys.exit("give the budget of a run: -s budget.flops=1e12")
    sets = [w for s in args.set for w in ("-s", s)]
    planted = args.proposals // 2
    factor = factor_for(args, sets)
    result = lathe(args, "research", "--researcher", f"aa:{planted}:{factor:.4f}", "--experiments", str(args.proposals + 1), *sets)
    kept = [x for x in result["experiments"] if x["verdict"] == "keep"]
    real = [x for x in kept if x["title"].startswith("planted")]
    runs = sum(x["runs"] for x in result["experiments"])
    print(f"the rule: {len(kept) - len(real)} of {args.proposals} nulls kept, planted {'found' if real else 'NOT found'}, {runs} candidate runs")
    for x in real:
        print(f"  {x['id']}: gain {x['effect']:.4f} ({x['low']:.4f} to {x['high']:.4f})")
    lower = naive(args.lab)
    nulls = [e for e in lower if e not in {x["id"] for x in result["experiments"] if x["title"].startswith("planted")}]
    print(f"keep if lower, on the same runs: {len(nulls)} of {args.proposals} nulls kept ({' '.join(nulls)}), planted {'found' if len(nulls) < len(lower) else 'NOT found'}")

main()
