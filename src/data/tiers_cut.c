/* tiers_cut.c - a long document in pieces.
 *
 * Where to cut is decided by the words that follow, not by counting bytes: a blank line is a
 * cut if a hash of the next few words says so.  So two editions of a book are cut at the same
 * passages and their pieces meet as near-duplicates, where pieces counted from the front would
 * drift apart at the first added line (content-defined chunking; A. Muthitacharoen et al.,
 * "A low-bandwidth network file system", SOSP 2001). */
#include <string.h>

#include "data/dedup.h"
#include "data/tiers.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* The first byte behind the blank lines that begin at `at`, which follows a newline; `at`
 * itself if the line there is not blank. */
static const char *skip_blank_lines(const char *at, const char *end)
{
    for (const char *line = at;;) {
        const char *c = line;
        while (c < end && is_space(*c)) c++;
        if (c == end || *c != '\n') return line;
        line = c + 1;
    }
}

/* A number of the next eight words. */
static uint64_t words_hash(Str text)
{
    uint64_t h = 0;
    DedupWords w = dedup_words((Str){ text.at, MIN(text.len, (ptrdiff_t)200) });
    for (int i = 0; i < 8 && dedup_next(&w); i++) h = hash64_mix(h + w.hash);
    return h;
}

/* Of how many blank lines one should be a cut, so that pieces are about as long as wanted;
 * a power of two, so that another edition's choice holds or is held by this one's. */
static uint64_t one_in(Str text, int64_t piece)
{
    int64_t blank = 1;
    const char *end = text.at + text.len;
    for (const char *at = text.at; (at = memchr(at, '\n', (size_t)(end - at))); at++) {
        const char *next = skip_blank_lines(at + 1, end);
        blank += next > at + 1;
        at = next - 1;
    }
    int64_t every = piece / 2 * blank / MAX((int64_t)text.len, (int64_t)1);
    uint64_t power = 1;
    while ((int64_t)(2 * power) <= every) power *= 2;
    return power;
}

/* The last place to cut in [low, high): behind a blank line, else a line, a space, a
 * character. */
static const char *forced_cut(const char *low, const char *high)
{
    const char *line = NULL, *space = NULL;
    for (const char *c = high; c > low; c--) {
        if (c[-1] == '\n' && !line) line = c;
        if (c[-1] == '\n' && c - 2 >= low && c[-2] == '\n') return c;
        if (is_space(c[-1]) && !space) space = c;
    }
    if (line || space) return line ? line : space;
    while (high > low && ((unsigned char)*high & 0xC0) == 0x80) high--;
    return high;
}

static const char *next_cut(const char *at, const char *end, int64_t piece, uint64_t every)
{
    if (end - at <= 2 * piece) return end;
    const char *low = at + piece / 2, *high = at + 2 * piece;
    for (const char *c = low; (c = memchr(c, '\n', (size_t)(high - c))); c++) {
        const char *next = skip_blank_lines(c + 1, high);
        if (next > c + 1 && next < high && words_hash((Str){ next, end - next }) % every == 0)
            return next;
    }
    const char *forced = forced_cut(low, at + piece);
    return forced > low ? forced : at + piece;
}

void tiers_cut(Str text, int64_t piece, Buf *ends)
{
    const char *end = text.at + text.len;
    uint64_t every = one_in(text, piece);
    for (const char *at = text.at; at < end;) {
        at = next_cut(at, end, piece, every);
        int64_t offset = at - text.at;
        buf_put(ends, &offset, sizeof(offset));
    }
}
