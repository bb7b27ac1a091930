/* filter_c4.c - lines that are sentences, of documents that are pages of them.  Raffel et al. 2020
 * (T5), section 2.2.
 *
 * A line that does not end as a sentence goes, and with it most menus, headings and buttons; so do
 * lines about javascript and cookies.  What is left must have five sentences.  The mark of
 * a citation is cut out of its line.  FineWeb found the terminal mark to cost a third of all text
 * for little, and left it out: c4(terminal=0). */
#include <string.h>

#include "data/filter.h"

enum { TERMINAL, LINE_WORDS, LONG_WORDS, SCRIPTS, POLICIES, CITATIONS, SENTENCES, LOREM, BRACES };

#define WHOLE(NAME, VALUE, MAX, DOC)                                                               \
    {                                                                                              \
        .name = "filter.c4." NAME, .type = KNOB_WHOLE, .fallback = (VALUE), .max = (MAX),          \
        .doc = DOC, .fixed = true                                                                  \
    }

static const Knob knobs[] = {
    WHOLE("terminal", 1, 1, "1: a line must end in . ? ! or a quotation mark"),
    WHOLE("line_words", 3, 100, "a line with fewer words goes"),
    WHOLE("word_bytes", 1000, 1000000, "a line with a longer word goes"),
    WHOLE("javascript", 1, 1, "1: lines that say javascript go"),
    WHOLE("policy", 1, 1, "1: lines about terms of use, privacy and cookies go"),
    WHOLE("citations", 1, 1, "1: [1], [edit] and [citation needed] are cut out"),
    WHOLE("sentences", 5, 1000, "a document with fewer sentences left goes"),
    WHOLE("lorem_ipsum", 0, 1000, "a document that says lorem ipsum more often goes"),
    WHOLE("braces", 0, 1000000, "a document with more { goes: it is a program"),
    { 0 },
};

static const FilterRule rules[] = {
    { "no_terminal", FILTER_EDIT, TERMINAL }, { "few_words", FILTER_EDIT, LINE_WORDS },
    { "long_word", FILTER_EDIT, LONG_WORDS }, { "javascript", FILTER_EDIT, SCRIPTS },
    { "policy", FILTER_EDIT, POLICIES },      { "citation", FILTER_EDIT, CITATIONS },
    { "sentences", FILTER_LESS, SENTENCES },  { "lorem_ipsum", FILTER_MORE, LOREM },
    { "braces", FILTER_MORE, BRACES },
};

static bool is_policy(Str line)
{
    static const char *const words[] = { "terms of use", "privacy policy", "cookie policy",
                                         "uses cookies", "use of cookies", "use cookies" };
    for (int i = 0; i < COUNT(words); i++)
        if (filter_has(line, str_of(words[i]))) return true;
    return false;
}

static bool has_long_word(const FilterDoc *d, const FilterLine *line, double most)
{
    for (int64_t i = 0; i < line->words; i++)
        if ((double)d->word[line->word + i].text.len > most) return true;
    return false;
}

/* The rule by which the line goes; -1: it stays. */
static int goes(const FilterDoc *d, const FilterLine *line, const double *knob)
{
    Str t = line->text;
    bool ends = filter_ends_sentence(t) && !str_ends(t, STR("..."));
    if (knob[TERMINAL] > 0 && !ends) return TERMINAL;
    if ((double)line->words < knob[LINE_WORDS]) return LINE_WORDS;
    if (has_long_word(d, line, knob[LONG_WORDS])) return LONG_WORDS;
    if (knob[SCRIPTS] > 0 && filter_has(t, STR("javascript"))) return SCRIPTS;
    if (knob[POLICIES] > 0 && is_policy(t)) return POLICIES;
    return -1;
}

/* Length of "[12]", "[edit]" or "[citation needed]" at the front; 0 if none stands there. */
static ptrdiff_t citation(Str s)
{
    if (str_starts(s, STR("[edit]"))) return 6;
    if (str_starts(s, STR("[citation needed]"))) return 17;
    ptrdiff_t n = 1;
    while (n < s.len && n < 5 && s.at[n] >= '0' && s.at[n] <= '9') n++;
    return n > 1 && n < s.len && s.at[n] == ']' ? n + 1 : 0;
}

/* The line without citations; how many there were. */
static int64_t put_line(Str t, bool cut, Buf *out)
{
    int64_t cuts = 0;
    ptrdiff_t from = 0;
    for (ptrdiff_t i = 0; cut && i < t.len; i++) {
        const char *open = memchr(t.at + i, '[', (size_t)(t.len - i));
        if (!open) break;
        i = open - t.at;
        ptrdiff_t n = citation((Str){ open, t.len - i });
        if (n == 0) continue;
        buf_put(out, t.at + from, i - from);
        from = i + n;
        i = from - 1;
        cuts++;
    }
    buf_put(out, t.at + from, t.len - from);
    return cuts;
}

static bool edit(const FilterDoc *d, const FilterAsk *a, Buf *out, double *count)
{
    bool changed = false;
    for (int64_t i = 0; i < d->lines; i++) {
        int rule = goes(d, &d->line[i], a->knob);
        if (rule >= 0) {
            count[rule]++;
            changed = true;
            continue;
        }
        if (out->len > 0) buf_str(out, d->line[i].paragraph ? STR("\n\n") : STR("\n"));
        int64_t cuts = put_line(d->line[i].text, a->knob[CITATIONS] > 0, out);
        count[CITATIONS] += (double)cuts;
        changed = changed || cuts > 0;
    }
    return changed;
}

/* Ends of sentences: a mark with white space or nothing behind it. */
static int64_t count_sentences(const FilterDoc *d)
{
    int64_t n = 0;
    for (int64_t i = 0; i < d->words; i++) n += filter_ends_sentence(d->word[i].text);
    return n;
}

static void measure(const FilterDoc *d, const FilterAsk *a, double *value)
{
    int64_t lorem = 0, braces = 0;
    (void)a;
    for (int64_t i = 0; i < d->lines; i++) lorem += filter_has(d->line[i].text, STR("lorem ipsum"));
    for (ptrdiff_t i = 0; i < d->text.len; i++) braces += d->text.at[i] == '{';
    value[SENTENCES] = (double)count_sentences(d);
    value[LOREM] = (double)lorem;
    value[BRACES] = (double)braces;
}

const FilterDef filter_c4 = {
    .name = "c4",
    .doc = "lines that are no sentences, and documents of which too little is left",
    .source = "Raffel et al. 2020 (T5), 2.2",
    .version = 1,
    .knobs = knobs,
    .rules = rules,
    .n_rules = (int)COUNT(rules),
    .list = FILTER_NO_LIST,
    .edit = edit,
    .measure = measure,
};
