#!/usr/bin/env python3
"""Writes src/data/tokenizer_unicode.h from Unicode's UnicodeData.txt (Debian: unicode-data).

    tools/unicode_classes.py 15.0 < /usr/share/unicode/UnicodeData.txt > src/data/tokenizer_unicode.h

The table is kept in the source and not asked of a library at run time, because where words
are cut decides which tokens a model sees: it must not change with somebody's upgrade.
"""
import sys


def ranges(letter):
    """Ranges of code points whose general category begins with `letter`, neighbours joined."""
    out = []
    for first, last, category in POINTS:
        if not category.startswith(letter):
            continue
        if out and out[-1][1] + 1 == first:
            out[-1][1] = last
        else:
            out.append([first, last])
    return out


def table(name, letter):
    cells = ["{ 0x%X, 0x%X }," % (a, b) for a, b in ranges(letter)]
    print("static const UnicodeRange %s[] = {" % name)
    for i in range(0, len(cells), 4):
        print("    " + " ".join(cells[i : i + 4]))
    print("};\n")


def read(stream):
    points, first = [], None
    for line in stream:
        code, name, category = line.split(";")[:3]
        if name.endswith("First>"):
            first = int(code, 16)
            continue
        points.append((int(code, 16) if first is None else first, int(code, 16), category))
        first = None
    return points


POINTS = read(sys.stdin)
print("/* tokenizer_unicode.h - letters and numbers of Unicode %s (categories L* and N*), sorted." % sys.argv[1])
print(" * Made by tools/unicode_classes.py; not edited by hand. */")
print("#ifndef DATA_TOKENIZER_UNICODE_H\n#define DATA_TOKENIZER_UNICODE_H\n")
print("typedef struct UnicodeRange {\n    unsigned first, last;\n} UnicodeRange;\n")
print("/* clang-format off */")
table("unicode_letters", "L")
table("unicode_numbers", "N")
print("/* clang-format on */\n#endif")
