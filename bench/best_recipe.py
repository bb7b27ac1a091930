#!/usr/bin/env python3
"""bench/best_recipe.py - does recipes/small-best.toml beat a tuned plain GPT-2, and by which of its parts?

    bench/best_recipe.py LATHE LAB [--flops 1e12] [--seeds 5] [--few 3] [--sweep 2] [--jobs 2]

The plain recipe is Lathe's default: GPT-2's form, AdamW, cosine, at the size, batch and budget of the
best one.  Its learning rate is swept on seeds that nothing else uses (901, 902, ...), by the search tier;
the best rate then runs on the fresh seeds 1001, 1002, ... as the best recipe does, and both are read
on the audit tier.  Equal time: processor seconds of a step of both are measured in alternating short runs,
and the plain recipe gets as many steps as fit into the training time of the best one.  Leave one out: each part
of the best recipe is put back to the plain one, on the first --few of the seeds.  Differences are of
means with a 90 % interval: Welch's t between two recipes; in the table the variance of seeds is pooled
over its arms, which have few seeds each.  Positive: the recipe is better with the part than without.
"""
import argparse, json, math, os, resource, statistics, subprocess, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
BEST = os.path.join(HERE, "..", "recipes", "small-best.toml")
SIZE = ["model.depth=4", "model.width=96", "model.heads=3", "model.context=128", "train.batch=4", "tokenizer.vocab=1024"]
# What each part of the best recipe replaced, in the words of the plain one.  AdamW gets the embedding's
# factor back and a rate of its own, or it would be judged with Muon's.
PARTS = {
    "Muon (else AdamW at 2e-3)": ["optim.name=adamw", "optim.lr=0.002", "optim.embed_mult=1", "optim.beta1=0.9", "optim.beta2=0.99"],
    "NorMuon, MuonEq, Polar Express": ["optim.muon.variance=0", "optim.muon.equilibrate=false", "optim.muon.polynomial=jordan"],
    "rotary positions": ["model.position=learned"],
    "norm of queries and keys": ["model.qk_norm=false"],
    "ReLU squared": ["model.mlp=gelu"],
    "head tied to the embedding": ["model.tied=false", "model.embed_std=0", "model.head_std=0.001"],
    "norm behind the embedding": ["model.embed_norm=false"],
    "initial sizes by fan-in, zero projections": ["model.init=gpt2", "model.proj_init=scaled"],
    "softcap": ["model.softcap=0"],
    "value embeddings": ["model.value_embed=false"],
    "layer scalars": ["model.layer_scalars=false"],
    "batch of 512 tokens (else 1024)": ["train.batch=8"],
    "linear decay to 5 %, no warmup": ["schedule.name=cosine", "schedule.warmup=0.05", "schedule.final=0.1"],
}


def lathe(args, *words):
    done = subprocess.run([args.lathe, "-C", args.lab, *words, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"lathe {' '.join(words)} ended with {done.returncode}: {done.stderr[-500:]}")
    return json.loads(done.stdout)


def plain_file():
    with tempfile.NamedTemporaryFile("w", suffix=".toml", delete=False) as f:
        f.write("# plain\n")
    return f.name


def train(args, recipe, seed, sets):
    words = [w for s in sets for w in ("-s", s)]
    return lathe(args, "train", recipe, "--seed", str(seed), "--threads", "1", *words)


def audited(args, recipe, seeds, sets):
    """Bits per byte on the audit tier, of each seed; args.jobs at a time."""
    def one(seed):
        return lathe(args, "eval", train(args, recipe, seed, sets)["run"], "--tier", "audit")["bpb"]
    with ThreadPoolExecutor(args.jobs) as pool:
        return list(pool.map(one, seeds))


def t_quantile(p, nu):
    """By bisection on the integral of the density."""
    c = math.exp(math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2)) / math.sqrt(nu * math.pi)
    def cdf(t):
        n = 4000
        return 0.5 + sum(c * (1 + ((i + .5) * t / n) ** 2 / nu) ** (-(nu + 1) / 2) for i in range(n)) * t / n
    low, high = 0.0, 200.0
    for _ in range(60):
        mid = (low + high) / 2
        low, high = (mid, high) if cdf(mid) < p else (low, mid)
    return low


def gain(a, b):
    """Mean of b less mean of a (a is better if positive), with its 90 % interval."""
    va, vb = statistics.variance(a) / len(a), statistics.variance(b) / len(b)
    nu = (va + vb) ** 2 / (va ** 2 / (len(a) - 1) + vb ** 2 / (len(b) - 1))
    d, half = statistics.mean(b) - statistics.mean(a), t_quantile(0.95, nu) * math.sqrt(va + vb)
    return d, d - half, d + half


def table(best, without):
    """Each arm against the recipe, with the variance pooled over all of them."""
    arms = [best, *without.values()]
    nu = sum(len(a) - 1 for a in arms)
    sd = math.sqrt(sum((len(a) - 1) * statistics.variance(a) for a in arms) / nu)
    print(f"leave one out: bpb that the recipe loses without (sd of a seed {sd:.4f}, {nu} degrees of freedom)")
    for name, arm in sorted(without.items(), key=lambda x: -statistics.mean(x[1])):
        d = statistics.mean(arm) - statistics.mean(best)
        half = t_quantile(0.95, nu) * sd * math.sqrt(1 / len(arm) + 1 / len(best))
        print(f"    {d:+.4f} ({d - half:+.4f} to {d + half:+.4f})  {name}", flush=True)


def say(what, a, b):
    d, low, high = gain(a, b)
    print(f"{what}: {d:+.4f} bpb ({low:+.4f} to {high:+.4f}), {100 * d / statistics.mean(b):+.1f} %", flush=True)


def swept(args, plain, budget):
    """The plain recipe's best rate, by the search tier."""
    scores, seeds = {}, range(901, 901 + args.sweep)
    rates = [float(r) for r in args.rates.split(",")]
    with ThreadPoolExecutor(args.jobs) as pool:
        runs = {(r, s): pool.submit(train, args, plain, s, SIZE + budget + [f"optim.lr={r:.6g}"]) for r in rates for s in seeds}
    for r in rates:
        scores[r] = statistics.mean(runs[r, s].result()["bpb"] for s in seeds)
        print(f"plain, rate {r:g}: search tier {scores[r]:.4f} bpb, {args.sweep} seeds", flush=True)
    best = min(scores, key=scores.get)
    if best in (rates[0], rates[-1]):
        print(f"the best rate, {best:g}, stands at the edge of those tried", flush=True)
    return best


def processor_seconds(args, recipe, seed, sets):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    train(args, recipe, seed, sets)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def step_seconds(args, plain, rate, rounds=3, short=20, long=80):
    """Median processor seconds of a step, of the best recipe and of the plain one, on one thread, in turns.
    The difference of a long run and a short one leaves out what both do besides steps; processor time,
    because on one thread it is what a quiet machine's clock would show, also where others compute."""
    times, fresh = ([], []), int(time.time())  # seeds that no run has: a known run takes no time
    for i in range(rounds):
        for k, (recipe, sets) in enumerate(((BEST, SIZE), (plain, SIZE + [f"optim.lr={rate:.6g}"]))):
            took = [processor_seconds(args, recipe, fresh + i, sets + [f"train.steps={n}"]) for n in (short, long)]
            times[k].append((took[1] - took[0]) / (long - short))
    return statistics.median(times[0]), statistics.median(times[1])


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("lathe")
    p.add_argument("lab")
    p.add_argument("--flops", type=float, default=1e12)
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--few", type=int, default=3, help="seeds of each arm that leaves one out; at least 2")
    p.add_argument("--sweep", type=int, default=2, help="seeds of each rate of the sweep")
    p.add_argument("--jobs", type=int, default=2, help="runs at a time, one thread each; no result depends on it")
    p.add_argument("--rates", default="5e-4,1e-3,2e-3,4e-3,8e-3")
    args = p.parse_args()
    seeds, plain = range(1001, 1001 + args.seeds), plain_file()
    budget = ["budget.frame=flops", f"budget.flops={args.flops:.6g}"]
    rate = swept(args, plain, budget)
    best = audited(args, BEST, seeds, SIZE + budget)
    base = audited(args, plain, seeds, SIZE + budget + [f"optim.lr={rate:.6g}"])
    print(f"audit tier, {args.seeds} fresh seeds: best recipe {statistics.mean(best):.4f} (sd {statistics.stdev(best):.4f}), "
          f"plain at {rate:g} {statistics.mean(base):.4f} (sd {statistics.stdev(base):.4f})", flush=True)
    say(f"gain at equal FLOPs ({args.flops:g})", best, base)
    t_best, t_plain = step_seconds(args, plain, rate)
    steps = train(args, BEST, seeds[0], SIZE + budget)["steps"]
    longer = round(steps * t_best / t_plain)
    print(f"a step takes {1e3 * t_best:.1f} ms, of the plain recipe {1e3 * t_plain:.1f} ms: {steps} steps against {longer}", flush=True)
    timed = audited(args, plain, seeds, SIZE + [f"train.steps={longer}", f"optim.lr={rate:.6g}"])
    say("gain at equal time", best, timed)
    without = {}
    for name, sets in PARTS.items():
        without[name] = audited(args, BEST, seeds[:args.few], SIZE + budget + sets)
        print(f"without {name}: {statistics.mean(without[name]):.4f}", flush=True)
    table(best, without)


main()
