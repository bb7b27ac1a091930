#!/usr/bin/env python3
"""bench/planted.py - does the judge find what is there?  Planted improvements in real sessions.

    bench/planted.py LATHE LAB [--sessions 5] [--nulls 10] [--seeds 30] [--threads 1] -s budget.flops=3e10 [-s knob=value]...

A larger budget is a gain whose size can be chosen and measured.  First it is measured: a straight line in log
budget sizes factors that gain 2 and 4 sigma, and the four recipes that a session can meet (neither, either,
both) train on so many seeds each.  Then sessions of the researcher `aa` run, each on seeds of its own: nulls, the
2 sigma at a third of the way and the 4 sigma at two thirds.  Printed: what was found, whether the intervals hold
the truth that the 30 seeds say, and which nulls were kept.

Last, a session whose nulls are many and whose only gain is a planted 2 sigma: it should end by the finding that
no proposal left is worth its cost, and not before that was tried.
"""
import argparse, json, math, subprocess, sys

def lathe(args, *words):
    done = subprocess.run([args.lathe, "-C", args.lab, *words, "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if done.returncode:
        sys.exit(f"lathe {' '.join(words)} ended with {done.returncode}")
    return json.loads(done.stdout)

def mean(x):
    return sum(x) / len(x)

def sd(x):
    return math.sqrt(sum((v - mean(x)) ** 2 for v in x) / (len(x) - 1))

def arm(args, factor, first, seeds):
    """bpb of a budget so many times as large."""
    rest = [w for s in args.set if not s.startswith("budget.flops=") for w in ("-s", s)]
    return [lathe(args, "train", "--threads", args.threads, "--seed", str(first + i), *rest, "-s", f"budget.flops={args.flops * factor:.3g}")["bpb"]
            for i in range(seeds)]

def size_plants(args):
    """Factors that gain 2 and 4 sigma, and the arms: {(two, four): bpb by seed}."""
    plain, longer = arm(args, 1, 10001, args.seeds), arm(args, 1.3, 11001, 8)
    sigma, per_log = sd(plain), (mean(plain) - mean(longer)) / math.log(1.3)
    two, four = math.exp(2 * sigma / per_log), math.exp(4 * sigma / per_log)
    print(f"sigma {sigma:.5f} bpb ({100 * sigma / mean(plain):.2f} %) of {len(plain)} seeds; planted: {two:.4f} and {four:.4f} times the budget")
    arms = {(0, 0): plain, (1, 0): arm(args, two, 12001, args.seeds), (0, 1): arm(args, four, 13001, args.seeds),
            (1, 1): arm(args, two * four, 14001, args.seeds)}
    for (a, b), x in arms.items():
        gain, error = mean(plain) - mean(x), sigma * math.sqrt(2 / args.seeds)
        print(f"  {'2 sigma' if a else '':8}{'4 sigma' if b else '':8} {mean(x):.4f} bpb, gains {gain:.4f} (+- {error:.4f}), {gain / sigma:.1f} sigma")
    sys.stdout.flush()
    return sigma, two, four, arms

def session(args, first_seed, spec, experiments):
    sets = [w for s in args.set for w in ("-s", s)]
    return lathe(args, "research", "--new", "--first-seed", str(first_seed), "--researcher", "aa:" + spec, "--experiments", str(experiments),
                 "--threads", args.threads, *sets)

def five_sessions(args, sigma, two, four, arms):
    n = args.nulls + 2
    at = (1 + n // 3, 1 + 2 * n // 3)
    found, held, told, nulls = [0, 0], 0, 0, 0
    for k in range(args.sessions):
        result = session(args, 1 + 1000 * k, f"{at[0]}:{two:.5f},{at[1]}:{four:.5f}", n)
        has, words = [0, 0], []
        for i, x in enumerate(result["experiments"]):
            kept = x["verdict"] == "keep"
            if i + 1 not in at:
                nulls += kept
                continue
            which = at.index(i + 1)
            before = tuple(has)
            with_it = tuple(has[j] or j == which for j in range(2))
            truth = mean(arms[before]) - mean(arms[tuple(map(int, with_it))])
            error = sigma * math.sqrt(2 / args.seeds)
            holds = x["low"] - error <= truth <= x["high"] + error
            has[which] = int(kept)
            found[which] += kept
            told += 1
            held += holds
            words.append(f"{2 + 2 * which} sigma: {x['verdict']}, {x['effect'] if kept else float('nan'):.4f} ({x['low']:.4f} to {x['high']:.4f}), truth {truth:.4f}"
                         f"{'' if holds else ' OUTSIDE'}, {x['runs']} runs")
        print(f"session {k + 1}: " + "; ".join(words), flush=True)
    print(f"found: 2 sigma {found[0]} of {args.sessions}, 4 sigma {found[1]} of {args.sessions}; {held} of {told} intervals hold the truth (within its own "
          f"error); {nulls} of {args.nulls * args.sessions} nulls kept")

def at_the_optimum(args, two):
    planted = 13
    result = session(args, 900001, f"{planted}:{two:.5f}", args.at_most)
    tried = result["experiments"]
    kept = [i + 1 for i, x in enumerate(tried) if x["verdict"] == "keep"]
    print(f"at the optimum: ended after {len(tried)} of {args.at_most} because {result['stopped_because']}; the 2 sigma was proposal {planted}, "
          f"{tried[planted - 1]['verdict'] if len(tried) >= planted else 'NOT TRIED'}; kept {kept}")

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("lathe")
    p.add_argument("lab")
    p.add_argument("--sessions", type=int, default=5)
    p.add_argument("--nulls", type=int, default=10)
    p.add_argument("--seeds", type=int, default=30)
    p.add_argument("--at-most", type=int, default=40)
    p.add_argument("--threads", default="1")
    p.add_argument("-s", dest="set", action="append", default=[])
    args = p.parse_args()
    budget = [s for s in args.set if s.startswith("budget.flops=")]
    if not budget:
        sys.exit("give the budget of a run: -s budget.flops=3e10")
    args.flops = float(budget[0].split("=")[1])
    sigma, two, four, arms = size_plants(args)
    five_sessions(args, sigma, two, four, arms)
    at_the_optimum(args, two)

main()
