/* filter_gopher_quality.c - is it prose at all?  Rae et al. 2021 (Gopher), appendix A.1.1.
 *
 * The stop words are English, so the rule of two of them is a language test as well; for other
 * languages set stop_words to 0 for the source. */
#include "data/filter.h"

enum {
    WORDS_MIN,
    WORDS_MAX,
    LENGTH_MIN,
    LENGTH_MAX,
    HASHES,
    ELLIPSES,
    BULLETS,
    ELLIPSIS_LINES,
    LETTERS,
    STOP_WORDS
};

#define RATIO(NAME, VALUE, DOC)                                                                    \
    {                                                                                              \
        .name = "filter.gopher_quality." NAME, .type = KNOB_NUMBER, .fallback = (VALUE), .min = 0, \
        .max = 1, .doc = DOC, .fixed = true                                                        \
    }
#define AMOUNT(NAME, VALUE, MAX, DOC)                                                              \
    {                                                                                              \
        .name = "filter.gopher_quality." NAME, .type = KNOB_NUMBER, .fallback = (VALUE), .min = 0, \
        .max = (MAX), .doc = DOC, .fixed = true                                                    \
    }

static const Knob knobs[] = {
    AMOUNT("words_min", 50, 1e9, "a document with fewer words goes"),
    AMOUNT("words_max", 100000, 1e12, "a document with more words goes"),
    AMOUNT("length_min", 3, 100, "least mean length of words, in characters"),
    AMOUNT("length_max", 10, 1000, "greatest mean length of words, in characters"),
    RATIO("hashes", 0.1, "most # to a word"),
    RATIO("ellipses", 0.1, "most ellipses to a word"),
    RATIO("bullets", 0.9, "greatest share of lines that begin with a bullet"),
    RATIO("ellipsis_lines", 0.3, "greatest share of lines that end in an ellipsis"),
    RATIO("letters", 0.8, "least share of words with a letter"),
    AMOUNT("stop_words", 2, 8,
           "least number of different words of: the be to of and that have with"),
    { 0 },
};

static const FilterRule rules[] = {
    { "words_min", FILTER_LESS, WORDS_MIN },   { "words_max", FILTER_MORE, WORDS_MAX },
    { "length_min", FILTER_LESS, LENGTH_MIN }, { "length_max", FILTER_MORE, LENGTH_MAX },
    { "hashes", FILTER_MORE, HASHES },         { "ellipses", FILTER_MORE, ELLIPSES },
    { "bullets", FILTER_MORE, BULLETS },       { "ellipsis_lines", FILTER_MORE, ELLIPSIS_LINES },
    { "letters", FILTER_LESS, LETTERS },       { "stop_words", FILTER_LESS, STOP_WORDS },
};

static const char ellipsis[] = "\xe2\x80\xa6"; /* U+2026 */

static bool has_letter(Str w)
{
    for (ptrdiff_t i = 0; i < w.len; i++)
        if (filter_is_letter((unsigned char)w.at[i])) return true;
    return false;
}

/* Its bit if it is one of the eight. */
static unsigned stop_word(Str w)
{
    static const char *const words[] = { "the", "be", "to", "of", "and", "that", "have", "with" };
    if (w.len > 4) return 0;
    for (int i = 0; i < COUNT(words); i++)
        if (str_eq(w, str_of(words[i]))) return 1u << i;
    return 0;
}

static int64_t count_ellipses(Str w)
{
    int64_t n = 0;
    for (ptrdiff_t i = 0; i + 3 <= w.len; i++) {
        Str three = { w.at + i, 3 };
        if (w.at[i] != '.' && w.at[i] != ellipsis[0]) continue;
        if (str_eq(three, STR("...")) || str_eq(three, str_of(ellipsis))) n++, i += 2;
    }
    return n;
}

static bool is_bullet(Str line)
{
    static const char *const bullets[] = {
        "-", "*", "\xe2\x80\xa2", "\xe2\x97\x8f", "\xe2\x96\xaa", "\xe2\x80\xa3"
    };
    for (int i = 0; i < COUNT(bullets); i++)
        if (str_starts(line, str_of(bullets[i]))) return true;
    return false;
}

static double over(double part, int64_t whole)
{
    return whole > 0 ? part / (double)whole : 0;
}

static void measure_words(const FilterDoc *d, double *value)
{
    int64_t characters = 0, hashes = 0, ellipses = 0, letters = 0;
    unsigned stops = 0;
    for (int64_t i = 0; i < d->words; i++) {
        Str w = d->word[i].text;
        characters += filter_characters(w);
        letters += has_letter(w);
        ellipses += count_ellipses(w);
        stops |= stop_word(w);
        for (ptrdiff_t k = 0; k < w.len; k++) hashes += w.at[k] == '#';
    }
    value[WORDS_MIN] = value[WORDS_MAX] = (double)d->words;
    value[LENGTH_MIN] = value[LENGTH_MAX] = over((double)characters, d->words);
    value[HASHES] = over((double)hashes, d->words);
    value[ELLIPSES] = over((double)ellipses, d->words);
    value[LETTERS] = over((double)letters, d->words);
    value[STOP_WORDS] = __builtin_popcount(stops);
}

static void measure(const FilterDoc *d, const FilterAsk *a, double *value)
{
    (void)a;
    int64_t bullets = 0, ends = 0;
    measure_words(d, value);
    for (int64_t i = 0; i < d->lines; i++) {
        Str line = d->line[i].text;
        bullets += is_bullet(line);
        ends += str_ends(line, STR("...")) || str_ends(line, str_of(ellipsis));
    }
    value[BULLETS] = over((double)bullets, d->lines);
    value[ELLIPSIS_LINES] = over((double)ends, d->lines);
}

const FilterDef filter_gopher_quality = {
    .name = "gopher_quality",
    .doc = "documents that are no prose: too short, too long, too many signs, no common words",
    .source = "Rae et al. 2021 (Gopher), A.1.1",
    .version = 1,
    .knobs = knobs,
    .rules = rules,
    .n_rules = (int)COUNT(rules),
    .list = FILTER_NO_LIST,
    .measure = measure,
};
