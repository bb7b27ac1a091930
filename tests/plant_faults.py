#!/usr/bin/env python3
"""tests/plant_faults.py - plants known faults in real text, knowing nothing of what looks for them.

    tests/plant_faults.py --seed N --out DIR [--none] [--items EVAL.jsonl] FILE...

Reads .jsonl with `text`, and plain text, cuts it into documents of some kilobytes, and gives each at
most one fault.  Which faults occur, in how many documents and how badly, is drawn from the seed;
with --none nothing is planted.  Writes DIR/docs.jsonl and DIR/truth.jsonl, a line for a line:
{offset, fault, severity, of}, offset being the byte of docs.jsonl where the document's line begins,
of that of the document that a copy was made of.
"""
import argparse, json, os, random, re

FOREIGN = {
    "French": ["La maison de ma grand-mère se trouvait au bord d'une rivière qui gelait chaque hiver.",
               "Nous avons marché pendant des heures sans trouver le chemin que le vieux nous avait montré.",
               "Il faut que vous sachiez que cette ville n'est plus ce qu'elle était avant la guerre.",
               "Les enfants jouaient dans la cour et personne ne pensait encore à la rentrée.",
               "On dit que le médecin est parti avec ses livres et une petite valise noire.",
               "Sur la table, elle avait posé du pain, du beurre et une lettre qui n'était pas ouverte."],
    "German": ["Der alte Mann saß jeden Abend vor dem Haus und sprach mit niemandem.",
               "Wir haben die Stadt erst verlassen, als es dunkel wurde und der Regen nicht mehr aufhörte.",
               "Es ist nicht leicht zu sagen, warum sich die Leute damals so schnell entschieden haben.",
               "In der Küche stand ein Tisch, auf dem noch die Briefe von gestern lagen.",
               "Die Kinder wurden von einem Nachbarn nach Hause gebracht, den keiner von uns kannte.",
               "Auch wenn er das nicht glauben wollte, war die Brücke schon seit Jahren gesperrt."],
    "Italian": ["Quando siamo arrivati alla stazione, il treno era già partito da più di un'ora.",
                "La donna che vendeva le mele non ricordava il nome della strada.",
                "Non è vero che tutti gli abitanti del paese fossero contenti della nuova scuola.",
                "Mio padre diceva sempre che il mare, di notte, parla con chi lo sa ascoltare.",
                "Hanno chiuso la porta e sono rimasti in silenzio per tutta la sera.",
                "Questo libro è stato scritto da un uomo che non aveva mai visto la neve."],
    "Spanish": ["Cuando volvimos del campo, la casa estaba vacía y las ventanas seguían abiertas.",
                "El maestro nos contó que aquel puente lo habían construido sus abuelos.",
                "No sé por qué la gente del pueblo no quería hablar de lo que pasó ese verano.",
                "Mi hermana dejó los platos en la mesa y se fue sin decir una palabra.",
                "Todos los días, antes de que saliera el sol, los pescadores ya estaban en la playa.",
                "Es una historia muy larga, pero también es la única que recuerdo de mi madre."],
}
NAMES = "anna ben carla dmitri elena farid grace hugo ines jonas kate liam mona nils olga pedro".split()
NOTICES = ["Click here to subscribe to our newsletter and get the latest updates.",
           "All content on this site is protected and may not be copied without permission.",
           "This website uses cookies to improve your experience; by continuing you agree.",
           "Share this page with your friends on social media and leave a comment below.",
           "Home | About us | Contact | Terms of service | Privacy policy | Site map",
           "Please enable scripts in your browser to see this page as it was meant to be."]
LOOKS_LIKE = {"e": "co", "c": "eo", "o": "ec0", "a": "uo", "u": "na", "n": "ur", "h": "b", "b": "h6",
              "l": "1i", "i": "l1", "t": "lf", "f": "t", "s": "a5", "r": "n", "v": "y", "g": "q", "d": "cl", "w": "vv"}

def cut(text, r):
    """Documents of 2 to 8 kB, at ends of paragraphs or lines."""
    out, at = [], 0
    while len(text) - at > 1500:
        want = at + r.randrange(2000, 8000)
        end = text.find("\n\n", want)
        if end < 0 or end > want + 3000: end = text.find("\n", want)
        if end < 0 or end > want + 3000: end = text.find(" ", want)
        if end < 0: end = len(text)
        out.append(text[at:end].strip())
        at = end
    return out

def strings(v):
    if isinstance(v, str): return [v]
    if isinstance(v, dict): return [s for x in v.values() for s in strings(x)]
    if isinstance(v, list): return [s for x in v for s in strings(x)]
    return []

def read(path, r):
    if not path.endswith(".jsonl"): return cut(open(path, encoding="utf-8", errors="replace").read(), r)
    out, pile = [], ""
    for line in open(path, encoding="utf-8"):
        text = "\n".join(strings(json.loads(line)))
        if len(text) > 2000: out += cut(text, r)
        else:  # items too short to be documents are piled up
            pile += text + "\n\n"
            if len(pile) > 5000:
                out += cut(pile, r)
                pile = ""
    return out

# ---- faults: text, severity 0..1 -> text, and what to call the severity ----

def shuffle(text, s, r):
    parts = re.split(r"(?<=[.!?])\s+", text)
    share = 0.4 + 0.6 * s
    for i, p in enumerate(parts):
        if r.random() < share:
            words = p.split()
            r.shuffle(words)
            parts[i] = " ".join(words)
    return " ".join(parts), share

def ocr(text, s, r):
    rate = 0.005 + 0.075 * s
    out = [r.choice(LOOKS_LIKE[c]) if c in LOOKS_LIKE and r.random() < rate else c for c in text]
    return "".join(out), rate

def mojibake(text, s, r):
    text = text.replace("'", "\u2019").replace(' "', " \u201c").replace('"', "\u201d")
    share = 0.05 + 0.95 * s
    def spoil(c):
        if ord(c) < 128 or r.random() > share: return c
        try: return c.encode("utf-8").decode("cp1252")
        except UnicodeDecodeError: return c.encode("utf-8").decode("latin-1")
    out = "".join(spoil(c) for c in text)
    return (out, share) if out != text else None

def loop(text, s, r):
    at = r.randrange(max(1, len(text) - 400))
    piece = text[at:at + r.randrange(150, 400)]
    share = 0.35 + 0.6 * s
    times = max(3, int(share / (1 - min(share, .95)) * len(text) / len(piece)))
    return text + "\n" + "\n".join([piece] * min(times, 200)), share

def foreign(text, s, r):
    words = FOREIGN[r.choice(list(FOREIGN))]
    share = 0.7 + 0.3 * s
    n = int(len(text) * share / 80)
    made = " ".join(r.choice(words) for _ in range(n))
    return made + "\n" + text[:int(len(text) * (1 - share))], share

def personal(text, s, r):
    lines, n = text.split("\n"), 1 + int(5 * s)
    for _ in range(n):
        name, other = r.choice(NAMES), r.choice(NAMES)
        what = r.choice([f"Write to {name}.{other}{r.randrange(99)}@{other}mail.org for details.",
                         f"Call {name.title()} at ({r.randrange(201, 989)}) {r.randrange(220, 999)}-{r.randrange(1000, 9999)}.",
                         f"{name.title()} logged in from {r.randrange(11, 99)}.{r.randrange(255)}.{r.randrange(255)}.{r.randrange(1, 255)}."])
        lines.insert(r.randrange(len(lines) + 1), what)
    return "\n".join(lines), n

def copy_of(text, s, r):
    rate = 0.06 * s
    words = text.split(" ")
    for i in range(len(words)):
        if r.random() < rate: words[i] = r.choice(words)
    return " ".join(words), rate

def jaccard(a, b):
    def shingles(t):
        w = re.findall(r"\w+", t.lower())
        return {tuple(w[i:i + 5]) for i in range(len(w) - 4)}
    x, y = shingles(a), shingles(b)
    return len(x & y) / max(1, len(x | y))

FAULTS = {"order": shuffle, "ocr": ocr, "encoding": mojibake, "repeats": loop, "language": foreign, "personal": personal}

def plant(docs, r, items):
    """fault, severity, text of each document."""
    made, copied = [[None, 0, d] for d in docs], {}
    free = list(range(len(docs)))
    r.shuffle(free)
    take = lambda n: [free.pop() for _ in range(min(n, len(free)))]
    for fault, how in FAULTS.items():
        if r.random() < 0.2: continue  # this one does not occur
        for i in take(int(len(docs) * r.choice([.005, .01, .02, .04]))):
            done = how(docs[i], r.random(), r)
            if done: made[i] = [fault, done[1], done[0]]
    if r.random() < 0.8:
        for i in take(int(len(docs) * r.choice([.005, .01, .02]))):
            other = docs[r.choice(free)]
            text, _ = copy_of(other, r.random(), r)
            made[i] = ["copies", jaccard(text, other), text]
            copied[i] = docs.index(other)
    if r.random() < 0.8:
        notice = r.sample(NOTICES, r.randrange(1, 4))
        for i in take(max(25, int(len(docs) * r.choice([.02, .05, .1])))):
            made[i] = ["boilerplate", len(notice), "\n".join([notice[0], docs[i]] + notice[1:])]
    if items and r.random() < 0.8:
        for i in take(int(len(docs) * .01)):
            lines = docs[i].split("\n")
            lines.insert(r.randrange(len(lines) + 1), r.choice(items))
            made[i] = ["contamination", 1, "\n".join(lines)]
    return made, copied

def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--none", action="store_true")
    p.add_argument("--items")
    p.add_argument("--docs", type=int, default=1500)
    p.add_argument("files", nargs="+")
    a = p.parse_args()
    r = random.Random(a.seed)
    docs = [d for f in a.files for d in read(f, r) if len(d) > 1000]
    r.shuffle(docs)
    docs = docs[:a.docs]
    items = []
    if a.items:
        for line in open(a.items, encoding="utf-8"):
            items += [s for s in strings(json.loads(line)) if len(s.split()) >= 18]
    made, copied = ([[None, 0, d] for d in docs], {}) if a.none else plant(docs, r, items)
    os.makedirs(a.out, exist_ok=True)
    with open(f"{a.out}/docs.jsonl", "wb") as out, open(f"{a.out}/truth.jsonl", "w") as truth:
        lines = [json.dumps({"text": text}, ensure_ascii=False).encode() + b"\n" for _, _, text in made]
        offsets = [sum(map(len, lines[:i])) for i in range(len(lines))]
        for i, (fault, severity, text) in enumerate(made):
            row = {"offset": offsets[i], "fault": fault, "severity": round(severity, 4)}
            if i in copied: row["of"] = offsets[copied[i]]
            truth.write(json.dumps(row) + "\n")
            out.write(lines[i])

main()
