/* filter.c - a document is taken apart once, and every rule looks at the parts.
 *
 * Words are what stands between white space.  The papers do not say what a word is, and it decides:
 * with punctuation as words of their own, "80 % of words have a letter" leaves out a quarter of all
 * textbooks and nearly all technical documentation, with white space hardly any.  Lengths
 * in shares of text are of bytes on both sides of the fraction.
 *
 * A rule is a number that is measured and a knob that it is held against, so the table of what each
 * rule would leave out (filter_table.c) needs to know nothing about any of them. */
#include "data/filter.h"

#include <string.h>

#include "base/hash.h"

#define FILTER(name) extern const FilterDef filter_##name;
#include "data/filter_list.h"
#undef FILTER

static const FilterDef *const filters[] = {
#define FILTER(name) &filter_##name,
#include "data/filter_list.h"
#undef FILTER
};

const FilterDef *const *filter_all(int *count)
{
    *count = (int)COUNT(filters);
    return filters;
}

const FilterDef *filter_find(Str name)
{
    for (ptrdiff_t i = 0; i < COUNT(filters); i++)
        if (str_eq(str_of(filters[i]->name), name)) return filters[i];
    return NULL;
}

int filter_knobs(const FilterDef *def)
{
    int n = 0;
    while (def->knobs[n].name) n++;
    return n;
}

/* ---- taking apart ---- */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool filter_is_letter(unsigned char c)
{
    return c >= 128 || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

int64_t filter_characters(Str text)
{
    int64_t n = 0;
    for (ptrdiff_t i = 0; i < text.len; i++) n += ((unsigned char)text.at[i] & 0xc0) != 0x80;
    return n;
}

/* Words of one line, and the line if there are any. */
static void read_line(const char *at, const char *end, FilterRoom *room, bool paragraph)
{
    const ptrdiff_t size = (ptrdiff_t)sizeof(FilterWord);
    FilterLine line = { .word = room->words.len / size, .paragraph = paragraph, .hash = 1 };
    const char *last = at;
    while (at < end) {
        if (is_space(*at)) {
            at++;
            continue;
        }
        const char *begin = at;
        while (at < end && !is_space(*at)) at++;
        FilterWord w = { { begin, at - begin }, hash64(begin, at - begin, 0) };
        if (line.words++ == 0) line.text.at = begin;
        line.hash = hash64_mix(line.hash ^ w.hash);
        last = at;
        buf_put(&room->words, &w, size);
    }
    if (line.words == 0) return;
    line.text.len = last - line.text.at;
    buf_put(&room->lines, &line, sizeof(line));
}

void filter_read(Str text, FilterRoom *room, FilterDoc *d)
{
    if (text.len == 0) text.at = "";
    *d = (FilterDoc){ .text = text };
    buf_clear(&room->words);
    buf_clear(&room->lines);
    const char *at = text.at, *end = at + text.len;
    bool blank = true;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        ptrdiff_t before = room->lines.len;
        read_line(at, stop, room, blank);
        blank = room->lines.len == before;
        d->newlines += newline != NULL;
        at = newline ? newline + 1 : end;
    }
    d->word = (const FilterWord *)(const void *)room->words.at;
    d->line = (const FilterLine *)(const void *)room->lines.at;
    d->words = room->words.len / (ptrdiff_t)sizeof(FilterWord);
    d->lines = room->lines.len / (ptrdiff_t)sizeof(FilterLine);
    d->words_before = d->words;
    d->characters = filter_characters(text);
}

DedupKey filter_word_key(uint64_t hash)
{
    DedupKey key = { { 1 } };
    for (int i = 0; i < 8; i++) key.byte[8 + i] = (unsigned char)(hash >> (8 * i));
    return key;
}

void filterroom_free(FilterRoom *room)
{
    buf_free(&room->words);
    buf_free(&room->lines);
    buf_free(&room->seen);
    buf_free(&room->grams);
}

bool filter_ends_sentence(Str line)
{
    static const char *const ends[] = { "\xe2\x80\x9d", "\xe2\x80\x99", "\xe3\x80\x82",
                                        "\xe2\x80\xa6" };
    if (line.len == 0) return false;
    char c = line.at[line.len - 1];
    if (c == '.' || c == '?' || c == '!' || c == '"' || c == '\'') return true;
    for (int i = 0; i < COUNT(ends); i++)
        if (str_ends(line, str_of(ends[i]))) return true;
    return false;
}

bool filter_has(Str text, Str what)
{
    char first = what.at[0], other = (char)(first ^ 32);
    bool letter = first >= 'a' && first <= 'z';
    for (ptrdiff_t i = 0; i + what.len <= text.len; i++) {
        if (text.at[i] != first && !(letter && text.at[i] == other)) continue;
        ptrdiff_t k = 1;
        while (k < what.len) {
            char c = text.at[i + k];
            if (c >= 'A' && c <= 'Z') c = (char)(c | 32);
            if (c != what.at[k]) break;
            k++;
        }
        if (k == what.len) return true;
    }
    return false;
}

/* ---- judging ---- */

static void hold_against(const FilterDef *def, const double *knob, FilterVerdict *v)
{
    for (int r = 0; r < def->n_rules; r++) {
        const FilterRule *rule = &def->rules[r];
        bool fails = (rule->sense == FILTER_LESS && v->value[r] < knob[rule->knob]) ||
                     (rule->sense == FILTER_MORE && v->value[r] > knob[rule->knob]);
        if (fails) v->failed |= (uint32_t)1 << r;
    }
}

void filter_judge(const FilterDef *def, const double *knob, const DedupSet *words,
                  const FilterDoc *d, FilterRoom *room, Buf *text, FilterVerdict *v)
{
    FilterDoc left = *d;
    FilterAsk ask = { knob, words, room };
    *v = (FilterVerdict){ 0 };
    if (def->edit) {
        buf_clear(text);
        v->edited = def->edit(d, &ask, text, v->value);
        if (v->edited && def->measure) filter_read(buf_view(text), room, &left);
        left.words_before = d->words;
    }
    if (def->measure) def->measure(&left, &ask, v->value);
    hold_against(def, knob, v);
}
