#!/usr/bin/env python3
"""bench/aa.py - does the judge keep what is nothing?  A/A sessions with real runs.

    bench/aa.py LATHE LAB [--proposals 66] [--pool 100] [--seconds 600] [--threads 1] -s budget.flops=3e10 [-s knob=value]...

In a lab that has data: one session of the researcher `aa`, whose proposals change the arithmetic and not
the recipe (epsilon by hundredths), each on fresh seeds; it ends by itself where 60 have shown nothing.  Printed: what the rule kept, and what
keep-if-lower (one run each, against the best so far) would have kept on the same runs.

The first --pool finished runs, in the order of time, are then one sample of one recipe (each was begun on a
fresh seed whatever the runs before it said), and `lathe bench verdict --runs` draws its simulated sessions
from them: printed are the nulls kept, and how far D / (s sqrt(v)) is from Student's t.
"""
import argparse, json, math, os, sqlite3, subprocess, sys, tempfile

def lathe(args, *words):
    done = subprocess.run([args.lathe, "-C", args.lab, *words, "--json"], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"lathe {' '.join(words)} ended with {done.returncode}")
    return done.stdout

def session_runs(lab):
    """Runs of the newest question in the order of time: (purpose, experiment, bpb)."""
    db = sqlite3.connect(f"file:{lab}/lathe.db?mode=ro", uri=True)
    return db.execute(
        "SELECT r.purpose, r.experiment, x.bpb FROM runs r JOIN results x ON x.run=r.run WHERE NOT x.failed AND r.purpose IN "
        "('bank','search','confirm') AND r.question=(SELECT question FROM questions ORDER BY seq DESC LIMIT 1) ORDER BY r.seq").fetchall()

def keep_if_lower(runs):
    """On the first run of each experiment; the first run of the bank is what has to be beaten."""
    best, kept, seen = None, 0, set()
    for purpose, experiment, bpb in runs:
        if best is None:
            best = bpb
        elif experiment and experiment not in seen:
            seen.add(experiment)
            kept += bpb < best
            best = min(best, bpb)
    return kept

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("lathe")
    p.add_argument("lab")
    p.add_argument("--proposals", type=int, default=66)
    p.add_argument("--pool", type=int, default=100)
    p.add_argument("--seconds", default="600")
    p.add_argument("--threads", default="1")
    p.add_argument("-s", dest="set", action="append", default=[])
    args = p.parse_args()
    if not any(s.startswith("budget.flops=") for s in args.set):
        sys.exit("give the budget of a run: -s budget.flops=3e10")
    sets = [w for s in args.set for w in ("-s", s)]
    result = json.loads(lathe(args, "research", "--new", "--researcher", "aa", "--experiments", str(args.proposals), "--threads", args.threads, *sets))
    tried = result["experiments"]
    kept = [x["id"] for x in tried if x["verdict"] == "keep"]
    runs = session_runs(args.lab)
    bpb = [x[2] for x in runs]
    mean = sum(bpb) / len(bpb)
    sd = math.sqrt(sum((x - mean) ** 2 for x in bpb) / (len(bpb) - 1))
    print(f"{len(tried)} null proposals, {len(bpb)} runs of {mean:.4f} bpb, sigma {100 * sd / mean:.2f} %")
    print(f"the rule kept {len(kept)} ({' '.join(kept)}); keep if lower, on the same first runs, {keep_if_lower(runs)}", flush=True)
    if len(bpb) < args.pool:
        sys.exit(f"{len(bpb)} runs are fewer than a pool of {args.pool}")
    with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as f:
        f.writelines(f"{x:.9f}\n" for x in bpb[:args.pool])
    rows = json.loads(lathe(args, "bench", "verdict", "--runs", f.name, "--seconds", args.seconds))
    os.unlink(f.name)
    for row in rows:
        if row["setting"] == "agreement with t":
            print(f"{row['pool']} runs, banks of 8 against 4: D / (s sqrt(v)) below the 5 % point of t {100 * row['below_5']:.1f} %, above the 95 % "
                  f"point {100 * row['above_95']:.1f} %, distribution functions at most {100 * row['distance']:.1f} % apart")
        elif row["setting"] in ("reference", "all null", "keep if lower"):
            print(f"{row['sessions']:.0f} sessions drawn from the pool, {row['setting']}: nulls kept {100 * row['null_kept']:.3f} % "
                  f"(+- {100 * row['null_kept_se']:.3f}), sessions that kept one {100 * row['sessions_with_null_kept']:.1f} %")

main()
