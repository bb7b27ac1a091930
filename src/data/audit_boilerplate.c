/* audit_boilerplate.c - lines that stand in many documents: menus, notices, disclaimers.
 *
 * A line counts once a document.  One of 20 bytes and three words that stands in more than a
 * hundredth of all documents, and in ten at least, is boilerplate; shorter ones are headings
 * and numbers.  The remedy cuts the lines and leaves the documents.  The fields of a form are
 * found too ("Land use - agricultural land:"): they *are* repeated in every document, and whether
 * they harm is what the experiment is for. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "data/audit_inside.h"

enum { SHORTEST = 20, WORDS = 3, DOCUMENTS = 10 };
static const double share_of_documents = 0.01;

typedef struct Line {
    uint64_t hash; /* 0: free */
    Str at;
    int32_t documents, last;
} Line;

typedef struct Lines {
    Line *slot; /* on the heap */
    int64_t count, cap;
} Lines;

static Line *slot_of(const Lines *l, uint64_t hash)
{
    int64_t at = (int64_t)(hash >> 1 & (uint64_t)(l->cap - 1));
    while (l->slot[at].hash && l->slot[at].hash != hash) at = (at + 1) & (l->cap - 1);
    return &l->slot[at];
}

static void grow(Lines *l)
{
    Lines bigger = { .cap = l->cap ? 2 * l->cap : 1 << 14, .count = l->count };
    bigger.slot = calloc((size_t)bigger.cap, sizeof(*bigger.slot));
    CHECK(bigger.slot, "no memory for %td lines", (ptrdiff_t)bigger.cap);
    for (int64_t i = 0; i < l->cap; i++)
        if (l->slot[i].hash) *slot_of(&bigger, l->slot[i].hash) = l->slot[i];
    free(l->slot);
    *l = bigger;
}

static bool counts(Str line)
{
    int words = 0;
    AuditWord word;
    if (line.len < SHORTEST) return false;
    for (AuditWords w = audit_words(line); words < WORDS && audit_next(&w, &word);) words++;
    return words == WORDS;
}

static uint64_t hash_of(Str line)
{
    return hash64(line.at, line.len, 1) | 1;
}

static void count_lines(Lines *l, Str doc, int32_t number)
{
    Str rest = doc, line;
    while (rest.len > 0 && str_cut(&rest, '\n', &line)) {
        line = str_trim(line);
        if (!counts(line)) continue;
        if (2 * (l->count + 1) > l->cap) grow(l);
        Line *s = slot_of(l, hash_of(line));
        if (!s->hash) *s = (Line){ .hash = hash_of(line), .at = line, .last = -1 }, l->count++;
        s->documents += s->last != number;
        s->last = number;
    }
}

typedef struct Found {
    int64_t bytes, lines;
    ptrdiff_t at, len; /* of the line in most documents */
    int32_t most;
} Found;

static Found find_lines(const Lines *l, Str doc, int32_t least)
{
    Found f = { 0 };
    Str rest = doc, line;
    while (rest.len > 0 && str_cut(&rest, '\n', &line)) {
        Str text = str_trim(line);
        if (!counts(text)) continue;
        const Line *s = slot_of(l, hash_of(text));
        if (s->documents < least) continue;
        f.lines++;
        f.bytes += line.len + 1;
        if (s->documents <= f.most) continue;
        f.most = s->documents;
        f.at = text.at - doc.at;
        f.len = text.len;
    }
    return f;
}

static bool look(Audit *a, Err *err)
{
    Lines lines = { 0 };
    AuditFind f = { .remedy = "the lines go, the rest of the documents stays" };
    double *measure = audit_measure(a);
    int64_t n = a->docs.count, different = 0;
    int32_t least = (int32_t)MAX((double)DOCUMENTS, share_of_documents * (double)n);
    grow(&lines);
    for (int64_t i = 0; i < n; i++) count_lines(&lines, audit_doc(a, i), (int32_t)i);
    for (int64_t i = 0; i < n; i++) {
        Found found = find_lines(&lines, audit_doc(a, i), least);
        measure[i] = (double)found.bytes / (double)MAX(audit_doc(a, i).len, (ptrdiff_t)1);
        if (found.lines > 0)
            audit_hit(&f, (AuditHit){ i, measure[i], found.at, found.len, found.bytes });
    }
    for (int64_t i = 0; i < lines.cap; i++) {
        if (lines.slot[i].documents < least) continue;
        different++;
        droplist_line(&f.drop, lines.slot[i].at);
    }
    free(lines.slot);
    f.what = arena_printf(a->arena, "%lld different lines stand in %d documents or more each",
                          (long long)different, (int)least);
    f.detail =
        json_pack("{s:I,s:i}", "lines", (json_int_t)different, "least_documents", (int)least);
    return audit_find(a, &f, err);
}

const AuditDef audit_boilerplate = {
    .kind = "boilerplate",
    .doc = "lines that stand in many documents",
    .look = look,
};
