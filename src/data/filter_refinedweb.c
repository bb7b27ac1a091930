/* filter_refinedweb.c - lines that are buttons and counters.  Penedo et al. 2023 (RefinedWeb),
 * appendix G.2, with the numbers of DCLM.
 *
 * A line of capitals, of numbers, of one word, "3 likes", "items in cart" goes; a document that is
 * mostly such lines goes whole. */
#include <string.h>
#include <strings.h>

#include "data/filter.h"

enum { CAPITALS, NUMBERS, LINE_WORDS, COUNTERS, BUTTONS, REMOVED };

static const Knob knobs[] = {
    { .name = "filter.refinedweb.capitals",
      .fallback = 0.5,
      .max = 1,
      .doc = "greatest share of capitals in the letters of a line",
      .fixed = true },
    { .name = "filter.refinedweb.numbers",
      .fallback = 0.999999,
      .max = 1,
      .doc = "greatest share of digits in a line",
      .fixed = true },
    { .name = "filter.refinedweb.line_words",
      .type = KNOB_WHOLE,
      .fallback = 2,
      .max = 100,
      .doc = "a line with fewer words goes",
      .fixed = true },
    { .name = "filter.refinedweb.counters",
      .type = KNOB_WHOLE,
      .fallback = 1,
      .max = 1,
      .doc = "1: lines such as \"3 likes\" go",
      .fixed = true },
    { .name = "filter.refinedweb.button_words",
      .type = KNOB_WHOLE,
      .fallback = 10,
      .max = 100,
      .doc = "a line of at most so many words that is a button (\"sign in\", \"items in cart\", "
             "\"read more...\") goes",
      .fixed = true },
    { .name = "filter.refinedweb.removed",
      .fallback = 0.05,
      .max = 1,
      .doc = "a document that lost a greater share of its words goes",
      .fixed = true },
    { 0 },
};

static const FilterRule rules[] = {
    { "capitals", FILTER_EDIT, CAPITALS },    { "numbers", FILTER_EDIT, NUMBERS },
    { "few_words", FILTER_EDIT, LINE_WORDS }, { "counter", FILTER_EDIT, COUNTERS },
    { "button", FILTER_EDIT, BUTTONS },       { "removed", FILTER_MORE, REMOVED },
};

typedef struct Signs {
    int64_t capitals, letters, digits, all;
} Signs;

static Signs signs_of(Str t)
{
    Signs s = { 0 };
    for (ptrdiff_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.at[i];
        bool capital = c >= 'A' && c <= 'Z';
        s.capitals += capital;
        s.letters += capital || (c >= 'a' && c <= 'z');
        s.digits += c >= '0' && c <= '9';
        s.all += c > ' ' && (c & 0xc0) != 0x80;
    }
    return s;
}

static Str bare(Str w)
{
    while (w.len > 0 && !filter_is_letter((unsigned char)w.at[0]) &&
           (w.at[0] < '0' || w.at[0] > '9'))
        w.at++, w.len--;
    while (w.len > 0 && !filter_is_letter((unsigned char)w.at[w.len - 1])) w.len--;
    return w;
}

static bool is_number(Str w)
{
    ptrdiff_t i = 0;
    while (i < w.len && ((w.at[i] >= '0' && w.at[i] <= '9') || w.at[i] == '.' || w.at[i] == ','))
        i++;
    if (i == 0 || w.at[0] < '0' || w.at[0] > '9') return false;
    return i == w.len || (i + 1 == w.len && memchr("KkMmBb", w.at[i], 6));
}

/* "1.2K views" */
static bool is_counter(const FilterDoc *d, const FilterLine *line)
{
    static const char *const things[] = { "likes",     "shares",    "comments",  "retweets",
                                          "reposts",   "quotes",    "bookmarks", "upvotes",
                                          "downvotes", "downloads", "views",     "followers" };
    if (line->words != 2 || !is_number(d->word[line->word].text)) return false;
    Str thing = bare(d->word[line->word + 1].text);
    for (int i = 0; i < COUNT(things); i++)
        if ((ptrdiff_t)strlen(things[i]) == thing.len &&
            strncasecmp(things[i], thing.at, (size_t)thing.len) == 0)
            return true;
    return false;
}

static bool is_button(Str t)
{
    static const char *const begins[] = { "sign-in", "sign in", "log in", "sign up" };
    static const char *const ends[] = { "read more...", "read more", "read more\xe2\x80\xa6" };
    for (int i = 0; i < COUNT(begins); i++)
        if (t.len >= (ptrdiff_t)strlen(begins[i]) &&
            strncasecmp(t.at, begins[i], strlen(begins[i])) == 0)
            return true;
    for (int i = 0; i < COUNT(ends); i++) {
        ptrdiff_t n = (ptrdiff_t)strlen(ends[i]);
        if (t.len >= n && strncasecmp(t.at + t.len - n, ends[i], (size_t)n) == 0) return true;
    }
    return filter_has(t, STR("items in cart"));
}

static int goes(const FilterDoc *d, const FilterLine *line, const double *knob)
{
    Signs s = signs_of(line->text);
    if ((double)s.capitals > knob[CAPITALS] * (double)s.letters) return CAPITALS;
    if ((double)s.digits > knob[NUMBERS] * (double)s.all) return NUMBERS;
    if (knob[COUNTERS] > 0 && is_counter(d, line)) return COUNTERS;
    if ((double)line->words < knob[LINE_WORDS]) return LINE_WORDS;
    if ((double)line->words <= knob[BUTTONS] && is_button(line->text)) return BUTTONS;
    return -1;
}

static bool edit(const FilterDoc *d, const FilterAsk *a, Buf *out, double *count)
{
    bool changed = false;
    const char *from = d->text.at;
    for (int64_t i = 0; i < d->lines; i++) {
        int rule = goes(d, &d->line[i], a->knob);
        if (rule < 0) continue;
        count[rule]++;
        changed = true;
        Str t = d->line[i].text;
        buf_put(out, from, t.at - from);
        from = t.at + t.len;
        if (from < d->text.at + d->text.len && *from == '\n') from++;
    }
    buf_put(out, from, d->text.at + d->text.len - from);
    return changed;
}

static void measure(const FilterDoc *d, const FilterAsk *a, double *value)
{
    (void)a;
    value[REMOVED] =
        (double)(d->words_before - d->words) / (double)MAX(d->words_before, (int64_t)1);
}

const FilterDef filter_refinedweb = {
    .name = "refinedweb",
    .doc = "lines that are buttons, counters or shouted, and documents that are mostly those",
    .source = "Penedo et al. 2023 (RefinedWeb), G.2",
    .version = 1,
    .knobs = knobs,
    .rules = rules,
    .n_rules = (int)COUNT(rules),
    .list = FILTER_NO_LIST,
    .edit = edit,
    .measure = measure,
};
