#!/usr/bin/env python3
"""bench/audit.py - does the audit find what was planted, and nothing else?

    bench/audit.py LATHE --items EVAL.jsonl [--corpora 6] [--seed 100] FILE...

Has tests/plant_faults.py make corpora from FILEs: one with nothing planted, the others with faults
drawn by seed.  Each becomes a data set of a fresh lab and is audited (--against EVAL).  Printed per
fault: documents planted, found and named, precision, recall, and recall of the milder and the worse
half.  Real text has faults of its own, so each corpus is audited without anything planted too: what is
named there by the same detector is counted apart (`natural`) and neither for nor against it.
"""
import argparse, collections, json, os, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

def run(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode: sys.exit(f"{' '.join(words)} ended with {done.returncode}: {done.stderr[-400:]}")
    return done.stdout

def audited(args, folder, seed, none):
    """[(fault, severity, named kinds, number)], findings"""
    plant = ["--none"] if none else []
    run(sys.executable, f"{HERE}/../tests/plant_faults.py", "--seed", str(seed), "--out", folder, "--docs", str(args.docs),
        "--items", args.items, *plant, *args.files)
    lab = f"{folder}/lab"
    run(args.lathe, "init", lab)
    run(args.lathe, "-C", lab, "data", "add", "text", f"{folder}/docs.jsonl")
    report = json.loads(run(args.lathe, "-C", lab, "data", "audit", "text", "--json", "--against", args.items,
                            "--documents", f"{folder}/named.jsonl"))
    named = collections.defaultdict(set)
    for line in open(f"{folder}/named.jsonl"):
        d = json.loads(line)
        if "offset" in d: named[d["offset"]] |= set(d["kinds"])
    rows = []
    for number, line in enumerate(open(f"{folder}/truth.jsonl")):
        t = json.loads(line)
        if t["offset"] not in named or ("of" in t and t["of"] not in named): continue
        # Of a copy and what it was made of, the one that comes later is named.
        if "copies" in named.get(t.get("of"), ()):
            named[t["offset"]].add("copies")
            named[t["of"]].discard("copies")
        rows.append((t["fault"], t["severity"], named[t["offset"]], number))
    return rows, [f["kind"] for f in report["findings"]]

def main():
    p = argparse.ArgumentParser()
    p.add_argument("lathe")
    p.add_argument("--items", required=True)
    p.add_argument("--corpora", type=int, default=6)
    p.add_argument("--seed", type=int, default=100)
    p.add_argument("--docs", type=int, default=1500)
    p.add_argument("files", nargs="+")
    args = p.parse_args()
    planted, found, named, natural = (collections.Counter() for _ in range(4))
    severities, crossed = collections.defaultdict(list), collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        clean, findings = audited(args, f"{folder}/none", args.seed, True)
        for _, _, kinds, _ in clean: natural.update(kinds)
        print(f"nothing planted: {len(clean)} documents, findings: {', '.join(findings) or 'none'}; "
              f"named documents: {dict(natural) or 'none'}")
        natural.clear()
        for i in range(1, args.corpora + 1):
            before = {number: kinds for _, _, kinds, number in audited(args, f"{folder}/{i}-none", args.seed + i, True)[0]}
            rows, _ = audited(args, f"{folder}/{i}", args.seed + i, False)
            for fault, severity, kinds, number in rows:
                own = before.get(number, set()) & kinds - {fault}
                natural.update(own)
                kinds = kinds - own
                if fault:
                    planted[fault] += 1
                    found[fault] += fault in kinds
                    severities[fault].append((severity, fault in kinds))
                named.update(kinds)
                for k in kinds:
                    if k != fault: crossed[k, fault or "clean"] += 1
            print(f"corpus {i}: {sum(1 for r in rows if r[0])} of {len(rows)} documents with a fault", flush=True)
    print(f"{'fault':14} planted  found  named  precision  recall  milder  worse  natural  also named")
    for k in sorted(set(planted) | set(named)):
        s = sorted(severities[k])
        half = len(s) // 2
        share = lambda x: f"{sum(f for _, f in x) / len(x):6.2f}" if x else "     -"
        worse = share(s[half:]) if k != "copies" else share([x for x in s if x[0] >= .7])
        milder = share(s[:half]) if k != "copies" else share([x for x in s if x[0] < .7])
        also = ", ".join(f"{n} {f}" for (kind, f), n in crossed.most_common() if kind == k)
        print(f"{k:14} {planted[k]:7} {found[k]:6} {named[k]:6}  {found[k] / named[k] if named[k] else float('nan'):9.2f}  "
              f"{found[k] / planted[k] if planted[k] else float('nan'):6.2f}  {milder}  {worse}  {natural[k]:7}  {also}")
    print("copies: the last two columns are those under and over Jaccard .7, from which on they are copies by definition")

main()
