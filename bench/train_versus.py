#!/usr/bin/env python3
"""bench/train_versus.py - how much faster does Lathe train than another program on this machine?

    bench/train_versus.py build/release/lathe --model 6x384 --rounds 5 -- /usr/bin/python3 bench/torch_train.py 6x384
    bench/train_versus.py build/release/lathe --model toy -- ./older/lathe bench train --model toy --json

Machines drift by more than programs differ, so the two take turns: Lathe, peer, peer, Lathe, ...  The peer
is any command that prints JSON with `tokens_per_s`, last on its stdout, alone or first in a list.
Printed: tokens/s of each round, medians, the median of the ratios of each round, and its range.
"""
import argparse, json, statistics, subprocess, sys

def last_json(text):
    """The value that ends the output: a line of it, or all of it."""
    for part in (text, text.strip().splitlines()[-1] if text.strip() else ""):
        try:
            value = json.loads(part)
        except ValueError:
            continue
        return value[0] if isinstance(value, list) and value else value
    sys.exit("the command printed no JSON:\n" + text[-500:])

def measured(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}")
    return last_json(done.stdout)

def tell(name, rows):
    rates = [r["tokens_per_s"] for r in rows]
    text = f"{name:6} {statistics.median(rates):9.0f} tokens/s, from {min(rates):.0f} to {max(rates):.0f}"
    if rows[0].get("share_of_peak"):
        text += f"; {100 * statistics.median(r['share_of_peak'] for r in rows):.1f} % of the peak"
    if rows[0].get("peak_bytes"):
        text += f"; {max(r['peak_bytes'] for r in rows) / 1e6:.0f} MB"
    print(text)

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("lathe")
    p.add_argument("--model", default="6x384", help="a fixed model of `lathe bench train`")
    p.add_argument("--threads", type=int, default=0, help="of Lathe; 0: all cores")
    p.add_argument("--seconds", type=float, default=10, help="of Lathe, each round")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--json", action="store_true")
    p.add_argument("peer", nargs="+", help="the other command, behind --")
    args = p.parse_args()
    ours = [args.lathe, "bench", "train", "--model", args.model, "--threads", str(args.threads),
            "--seconds", str(args.seconds), "--json"]
    rows = {"lathe": [], "peer": []}
    for i in range(args.rounds):
        turn = [("lathe", ours), ("peer", args.peer)]
        for name, command in turn if i % 2 == 0 else turn[::-1]:
            rows[name].append(measured(command))
        ratio = rows["lathe"][-1]["tokens_per_s"] / rows["peer"][-1]["tokens_per_s"]
        print(f"round {i + 1}: {rows['lathe'][-1]['tokens_per_s']:.0f} and {rows['peer'][-1]['tokens_per_s']:.0f} "
              f"tokens/s, ratio {ratio:.3f}", file=sys.stderr)
    ratios = [a["tokens_per_s"] / b["tokens_per_s"] for a, b in zip(rows["lathe"], rows["peer"])]
    if args.json:
        print(json.dumps({"model": args.model, "ratio": statistics.median(ratios), "ratios": ratios, **rows}))
        return
    tell("lathe", rows["lathe"])
    tell("peer", rows["peer"])
    print(f"ratio  {statistics.median(ratios):9.3f}, from {min(ratios):.3f} to {max(ratios):.3f}, {len(ratios)} rounds")

if __name__ == "__main__":
    main()
