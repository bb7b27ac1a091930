#!/usr/bin/env python3
"""bench/versus.py - is the champion of a lab better than a tuned plain baseline?

    bench/versus.py LATHE LAB [--other LAB]...  [--seeds 5] [--rates 0.25,0.5,1,2,4]

The plain baseline is the recipe that the lab's last question began with.  Its learning rate is
swept over five factors at the budget of the question; the best by the search tier stands for it.
Baseline and champion then run on the same fresh seeds (from 1001 on) and are read on the audit tier.
Printed: the difference with a 90 % interval (Welch's t).  --other names labs on the same data whose
champions (random search, say) are put beside it at the same budget.
"""
import argparse, json, math, sqlite3, subprocess, sys, tempfile, os

def lathe(args, *words):
    done = subprocess.run([args.lathe, "-C", args.lab, *words, "--json"], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"lathe {' '.join(words)} ended with {done.returncode}")
    return json.loads(done.stdout)

def recipes(lab):
    """Baseline and champion of the last question, as TOML."""
    db = sqlite3.connect(f"file:{lab}/lathe.db?mode=ro", uri=True)
    question, body = db.execute("SELECT id, body FROM entries WHERE kind='question' ORDER BY seq DESC LIMIT 1").fetchone()
    baseline = json.loads(body)["recipe"]
    row = db.execute("SELECT json_extract(body,'$.recipe') FROM entries WHERE kind='champion' AND "
                     "json_extract(body,'$.question')=? ORDER BY seq DESC LIMIT 1", (question,)).fetchone()
    text = lambda sha: json.loads(db.execute("SELECT body FROM entries WHERE kind='recipe' AND id=?", (sha,)).fetchone()[0])["text"]
    return text(baseline), text(row[0] if row else baseline)

def value(toml, table, knob):
    import tomllib
    return tomllib.loads(toml)[table][knob]

def runs(args, toml, seeds, *sets):
    """Trains on each seed; [(run id, search bpb)]."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml", delete=False) as f:
        f.write(toml)
    out = []
    for seed in seeds:
        r = lathe(args, "train", f.name, "--seed", str(seed), "--threads", str(args.threads), *[w for s in sets for w in ("-s", s)])
        out.append((r["run"], r["bpb"]))
    os.unlink(f.name)
    return out

def audit(args, trained):
    return [lathe(args, "eval", run, "--tier", "audit")["bpb"] for run, _ in trained]

def mean(x):
    return sum(x) / len(x)

def var(x):
    return sum((v - mean(x)) ** 2 for v in x) / (len(x) - 1)

def t_quantile(p, nu):
    """By bisection on the integral of the density."""
    c = math.exp(math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2)) / math.sqrt(nu * math.pi)
    def cdf(t):
        n = 4000
        return 0.5 + sum(c * (1 + ((i + .5) * t / n) ** 2 / nu) ** (-(nu + 1) / 2) for i in range(n)) * t / n
    low, high = 0.0, 100.0
    for _ in range(60):
        mid = (low + high) / 2
        low, high = (mid, high) if cdf(mid) < p else (low, mid)
    return low

def difference(a, b):
    """Mean of a less mean of b, with its 90 % interval."""
    va, vb = var(a) / len(a), var(b) / len(b)
    nu = (va + vb) ** 2 / (va ** 2 / (len(a) - 1) + vb ** 2 / (len(b) - 1))
    d, half = mean(a) - mean(b), t_quantile(0.95, nu) * math.sqrt(va + vb)
    return d, d - half, d + half

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("lathe")
    p.add_argument("lab")
    p.add_argument("--other", action="append", default=[])
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--threads", type=int, default=os.cpu_count(), help="results do not depend on it")
    p.add_argument("--rates", default="0.25,0.5,1,2,4")
    args = p.parse_args()
    seeds = range(1001, 1001 + args.seeds)
    plain, champion = recipes(args.lab)
    lr = value(plain, "optim", "lr")
    swept = []
    for factor in map(float, args.rates.split(",")):
        trained = runs(args, plain, seeds, f"optim.lr={lr * factor:.6g}")
        bpb = mean([b for _, b in trained])
        swept.append((bpb, factor, trained))
        print(f"plain, rate {lr * factor:.5g}: search tier {bpb:.4f} bpb over {args.seeds} seeds", flush=True)
    _, factor, best = min(swept, key=lambda s: s[0])
    base = audit(args, best)
    print(f"best plain rate {lr * factor:.5g}: audit tier {mean(base):.4f} bpb")
    for name, toml in [("champion", champion)] + [(lab, recipes(lab)[1]) for lab in args.other]:
        budget = value(plain, "budget", "flops")
        trained = runs(args, toml, seeds, f"budget.flops={budget!r}")
        bpb = audit(args, trained)
        d, low, high = difference(base, bpb)
        print(f"{name}: audit tier {mean(bpb):.4f} bpb; gain over the best plain rate {d:.4f} ({low:.4f} to {high:.4f}, 90 %)", flush=True)

main()
