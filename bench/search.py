#!/usr/bin/env python3
"""bench/search.py - how much compute does research need to reach random search's best of 64?

    bench/search.py LATHE LAB [--draws 64] [--repeats 5] [--experiments 6] [--seeds 5] [--threads 1] -s budget.flops=3e10 [-s knob=value]...

From one first recipe (give it rates and sizes away from the best ones), so many times:

  - random search: 64 recipes, one to three knobs of the first one drawn from the ranges that research searches (a factor of 8
    either way on a log scale, a quarter of the range on a linear one, 4 either way of a whole number, any choice), one run
    each; the best is run again on fresh seeds, which takes off the luck that chose it;
  - `lathe research` with the built-in researcher, on seeds of its own; each champion is run again on the same fresh seeds.

Printed: the FLOPs that research had spent, runs for the noise, confirmations and new banks counted, when its champion was
first as good as random's best, over those of the 64 runs; with the 95 % interval of the mean over repetitions.
"""
import argparse, json, math, os, random, sqlite3, subprocess, sys, tempfile

def lathe(args, *words, may_fail=False):
    done = subprocess.run([args.lathe, "-C", args.lab, *words, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode and may_fail:
        return None
    if done.returncode:
        sys.exit(f"lathe {' '.join(words)} ended with {done.returncode}: {done.stderr[-300:]}")
    return json.loads(done.stdout)

def mean(x):
    return sum(x) / len(x)

# ---- random search, over the ranges of src/lab/space.c ----

def draw(rng, knob, at):
    if knob["type"] in ("flag", "yes or no"):
        return rng.choice(["true", "false"])
    if knob["type"] == "choice":
        return rng.choice(knob["choices"])
    low, high = knob["min"], knob["max"]
    whole = knob["type"] == "whole number"
    if knob["scale"] == "log" and at > 0:
        low, high = max(low, at / 8), min(high, at * 8)
        value = math.exp(rng.uniform(math.log(low), math.log(high)))
    elif whole:
        value = rng.uniform(max(low, at - 4), min(high, at + 4))
    else:
        span = (high - low) / 4
        value = rng.uniform(max(low, at - span), min(high, at + span))
    return f"{round(value)}" if whole else f"{value:.3g}"

def values(args):
    """What each searched knob has in the first recipe."""
    set_to = dict(s.split("=", 1) for s in args.set)
    knobs = {k["name"]: k for k in lathe(args, "knobs")}
    at = {n: set_to.get(n, str(k["default"]).lower() if k["type"] != "text" else k["default"]) for n, k in knobs.items()}
    active = lambda k: not k.get("only") or all(at[c.split("=")[0]] in c.split("=")[1].split("|") for c in [k["only"]])
    return {n: k for n, k in knobs.items() if k["searched"] and k["type"] != "text" and active(k)}, at

def random_search(args, repeat):
    rng = random.Random(1000 + repeat)
    knobs, at = values(args)
    best, flops, tried = None, 0, 0
    while tried < args.draws:
        names = rng.sample(sorted(knobs), rng.randint(1, 3))
        edits = {}
        for n in names:
            k = knobs[n]
            edits[n] = draw(rng, k, float(at[n]) if k["type"] in ("number", "whole number") else at[n])
        words = [w for n, v in edits.items() for w in ("-s", f"{n}={v}")]
        r = lathe(args, "train", "--seed", str(50000 + 100 * repeat), "--threads", args.threads, *args.sets, *words, may_fail=True)
        if r is None:  # a recipe that does not hold together costs nothing
            continue
        tried += 1
        flops += r["flops"]
        if r["bpb"] and (best is None or r["bpb"] < best[0]):
            best = (r["bpb"], edits)
    return best, flops

# ---- research ----

def research(args, repeat):
    """The champions in their order: (FLOPs spent until then, recipe as TOML)."""
    r = lathe(args, "research", "--new", "--first-seed", str(1 + 1000 * repeat), "--experiments", str(args.experiments), "--threads", args.threads, *args.sets)
    db = sqlite3.connect(f"file:{args.lab}/lathe.db?mode=ro", uri=True)
    question = db.execute("SELECT question FROM questions ORDER BY seq DESC LIMIT 1").fetchone()[0]
    out = []
    for seq, recipe in db.execute("SELECT seq, json_extract(body,'$.recipe') FROM entries WHERE kind='champion' AND json_extract(body,'$.question')=? ORDER BY seq", (question,)):
        spent = db.execute("SELECT sum(x.flops) FROM runs r JOIN results x ON x.run=r.run WHERE r.question=? AND r.purpose IN ('bank','search','confirm') AND x.seq<?",
                           (question, seq)).fetchone()[0]
        text = json.loads(db.execute("SELECT body FROM entries WHERE kind='recipe' AND id=?", (recipe,)).fetchone()[0])["text"]
        out.append((spent, text))
    return out

def again(args, repeat, toml=None, edits={}):
    """Mean bpb of a recipe on the fresh seeds of this repetition."""
    words = []
    if toml:
        with tempfile.NamedTemporaryFile("w", suffix=".toml", delete=False) as f:
            f.write(toml)
        words = [f.name]
    else:
        words = [*args.sets, *[w for n, v in edits.items() for w in ("-s", f"{n}={v}")]]
    seeds = range(60001 + 100 * repeat, 60001 + 100 * repeat + args.seeds)
    x = [lathe(args, "train", *words, "--seed", str(s), "--threads", args.threads)["bpb"] for s in seeds]
    if toml:
        os.unlink(f.name)
    return mean(x)

T_975 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("lathe")
    p.add_argument("lab")
    p.add_argument("--draws", type=int, default=64)
    p.add_argument("--repeats", type=int, default=5)
    p.add_argument("--experiments", type=int, default=6)
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--threads", default="1")
    p.add_argument("-s", dest="set", action="append", default=[])
    args = p.parse_args()
    args.sets = [w for s in args.set for w in ("-s", s)]
    shares = []
    for k in range(args.repeats):
        first = again(args, k)
        (seen, edits), flops = random_search(args, k)
        best = again(args, k, edits=edits)
        share, words = None, []
        for spent, toml in research(args, k):
            bpb = again(args, k, toml=toml)
            words.append(f"{bpb:.4f} for {spent / flops:.3f}")
            if share is None and bpb <= best:
                share = spent / flops
        shares.append(share)
        print(f"{k + 1}: first recipe {first:.4f}; best of {args.draws} {seen:.4f}, on fresh seeds {best:.4f} ({', '.join(f'{n}={v}' for n, v in edits.items())}); "
              f"research {'; '.join(words) or 'kept nothing'}: {'not reached' if share is None else f'reached for {share:.3f} of the compute'}", flush=True)
    reached = [x for x in shares if x is not None]
    if len(reached) < len(shares):
        print(f"reached in {len(reached)} of {len(shares)} repetitions: no mean")
    elif len(reached) > 1:
        sd = math.sqrt(sum((x - mean(reached)) ** 2 for x in reached) / (len(reached) - 1))
        half = T_975[len(reached) - 1] * sd / math.sqrt(len(reached))
        print(f"compute to reach random search's best of {args.draws}: {mean(reached):.3f} ({mean(reached) - half:.3f} to {mean(reached) + half:.3f}) of its own")

main()
