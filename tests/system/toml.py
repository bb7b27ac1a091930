"""Holds our TOML reader against Python's tomllib.

Documents are generated from a small grammar that knows every construct we read and many that
we refuse, then damaged at random.  For each one:
  - what our reader accepts, tomllib accepts, with the same names, types and values;
  - a document made only of what we say that we read is accepted.
"""
import json
import random
import subprocess
import sys

try:
    import tomllib
except ImportError:
    print("1..0 # skip: this Python has no tomllib (3.11 has it)")
    sys.exit(0)

reader = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def ours(document):
    reader.stdin.write(b"%d\n" % len(document) + document)
    reader.stdin.flush()
    return json.loads(reader.stdout.readline())


def flatten(table, prefix, out):
    for key, value in table.items():
        name = prefix + key
        if isinstance(value, dict):
            flatten(value, name + ".", out)
        else:
            out[name] = value
    return out


def same(pair, value):
    kind, text = pair
    if kind == "string":
        return isinstance(value, str) and text == value
    if kind == "bool":
        return isinstance(value, bool) and text == ("true" if value else "false")
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool) and int(text) == value
    if kind == "float":
        return isinstance(value, float) and float(text) == value
    return isinstance(value, list) and len(text) == len(value) and all(map(same, text, value))


rng = random.Random(1)
PARTS = ["a", "b", "c", "model", "lr", "x-y", "k_1", "7"]


def blank():
    return rng.choice(["", "", " ", "\t", "  "])


def key():
    part = rng.choice(PARTS)
    return rng.choice([part, part, part, '"%s"' % part, "'%s'" % part])


def dotted():
    return (blank() + "." + blank()).join(key() for _ in range(rng.choice([1, 1, 1, 2, 3])))


def string():
    if rng.random() < 0.3:
        return "'%s'" % "".join(rng.choice(["a", " ", "\\", '"', "#", "é", "\t", "]"]) for _ in range(rng.randint(0, 6)))
    pieces = ["a", " ", "'", "#", "=", "é", "漢", "😀", "\\n", "\\t", '\\"', "\\\\", "\\u00e9", "\\U0001F600", "\\b\\f\\r", "\\u0000"]
    return '"%s"' % "".join(rng.choice(pieces) for _ in range(rng.randint(0, 6)))


def number():
    digits = rng.choice(["0", "7", "10", "1_000", "12_34_5", str(rng.getrandbits(62))])
    fraction = rng.choice(["", "", ".0", ".25", ".1_2", ".%d" % rng.getrandbits(50)])
    exponent = rng.choice(["", "", "e3", "E-5", "e+1_0", "e07"])
    return rng.choice(["", "", "-", "+"]) + digits + fraction + exponent


def scalar():
    return rng.choice([string, number, lambda: rng.choice(["true", "false"])])()


def value():
    if rng.random() < 0.2:
        inside = (blank() + "," + blank()).join(scalar() for _ in range(rng.randint(0, 4)))
        comma = "," if inside and rng.random() < 0.3 else ""
        return "[" + blank() + inside + blank() + comma + blank() + "]"
    return scalar()


def strange():
    return rng.choice(["1979-05-27", "07:32:00", "inf", "-nan", "0x1F", "0o7", "0b1", "01", "1.", ".5", "1__0", "_1", "1_",
                       '"""a"""', "'''a'''", "{a = 1}", "[[1]]", "[1,\n2]", "True", "", '"\\q"', '"\\ud800"', "'a", '"a',
                       "99999999999999999999", "1e999", "[1 2]", "[,]", "[1,,2]", '"a" b', "+true", "e5", "1e", "- 1"])


def document(odd):
    lines = []
    for _ in range(rng.randint(1, 8)):
        kind = rng.random()
        comment = rng.choice(["", "", " # note \" ' [", "#é"])
        if kind < 0.2:
            name = dotted()
            lines.append(blank() + ("[[%s]]" if odd and rng.random() < 0.2 else "[%s]") % (blank() + name + blank()) + blank() + comment)
        elif kind < 0.3:
            lines.append(blank() + comment)
        else:
            lines.append(blank() + dotted() + blank() + "=" + blank() + (strange() if odd and rng.random() < 0.3 else value()) + blank() + comment)
    text = rng.choice(["\n", "\n", "\r\n"]).join(lines) + rng.choice(["", "\n"])
    return text.encode()


def damaged(text):
    text = bytearray(text)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text) + 1)
        what = rng.random()
        if what < 0.4 and text:
            del text[at - 1:at]
        elif what < 0.8:
            text[at:at] = rng.choice([b"=", b"[", b"]", b'"', b"'", b".", b",", b"#", b"\n", b"\r", b"_", b"\0", b"\x7f", b"\xff", b"\xc3", b" ", b"1", b"e", b"-"])
        else:
            text[at:at] = text[:rng.randrange(12)]
    return bytes(text)


def theirs(text):
    try:
        return flatten(tomllib.loads(text.decode()), "", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None


def disagreement(text, must_read):
    """A sentence, or None where the two agree."""
    mine, reference = ours(text), theirs(text)
    if isinstance(mine, str):
        return "refused (%s)" % mine if must_read and reference is not None else None
    if reference is None:
        return "accepted, and tomllib refuses it"
    if list(mine.keys()) != sorted(reference.keys()):
        return "names %s, not %s" % (list(mine), list(reference))
    for name in mine:
        if not same(mine[name], reference[name]):
            return "%s is %r, not %r" % (name, mine[name], reference[name])
    return None


def implied_then_dotted(text):
    """The one legal form that we refuse: a dotted key into a table that a header implied."""
    return "is already defined" in str(ours(text))


def over_long(text):
    return "too large" in str(ours(text))


def report(number, name, cases):
    accepted, failures = 0, []
    for text, must_read in cases:
        complaint = disagreement(text, must_read)
        if complaint and complaint.startswith("refused") and (implied_then_dotted(text) or over_long(text)):
            continue
        accepted += not isinstance(ours(text), str)
        if complaint:
            failures.append((text, complaint))
    for text, complaint in failures[:5]:
        print("# %r: %s" % (text, complaint))
    ok = not failures and accepted > len(cases) // 20
    print("%s %d - %s (%d documents, %d accepted)" % ("ok" if ok else "not ok", number, name, len(cases), accepted))
    return ok


results = [
    report(1, "what_a_recipe_may_say_is_read_as_tomllib_reads_it", [(document(False), True) for _ in range(4000)]),
    report(2, "what_we_accept_of_odd_documents_tomllib_accepts_with_the_same_meaning", [(document(True), False) for _ in range(6000)]),
    report(3, "what_we_accept_of_damaged_documents_tomllib_accepts_with_the_same_meaning", [(damaged(document(False)), False) for _ in range(20000)]),
]
shipped = [open(path, "rb").read() for path in sys.argv[2:]]
if shipped:
    results.append(report(4, "the_recipes_that_ship_mean_the_same_to_tomllib", [(text, True) for text in shipped]))
print("1..%d" % len(results))
sys.exit(not all(results))
