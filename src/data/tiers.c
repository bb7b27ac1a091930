/* tiers.c - which text is held out.
 *
 * Which units are held out is decided by hashes of their text.  All groups of units stand
 * on a circle at the hash of their text; each tier starts at its own third of the circle and
 * takes groups in order until it has enough.  So the choice depends on no file name and no
 * order, and a larger collection that contains a smaller one tends to hold out what the
 * smaller one did.  A tail of the file was rejected (the last tenth of a book is its end, not
 * a sample of it), and so was a random draw by document alone (one long novel would be a whole
 * tier).
 *
 * Enough is a twentieth of the text or 400 kB, and 34 units (neighbours in one book become one
 * document, and 30 should be left), but never over a twelfth.  A group of near-duplicates larger
 * than a third of a tier stays in training: a template used a thousand times is no sample of
 * anything. */
#include "data/tiers.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "data/dedup.h"

enum { CUT_OVER = 64 << 10, TIER_BYTES = 400000, SHARE = 20, MOST = 12, ENOUGH_UNITS = 34 };

typedef struct Unit {
    int64_t doc, begin, end;
    int where;
} Unit;

typedef struct Group {
    uint64_t place; /* on the circle */
    int64_t bytes, units, first;
    int forced; /* the tier of another data set that holds a near-duplicate, or -1 */
} Group;

typedef struct Cutting {
    const Docs *raw;
    const bool *live;
    const TierHeld *held;
    TierPlan *plan;
    Unit *unit;
    int64_t units, bytes, target;
    int64_t *group; /* of each unit: its first unit; the texts of `held` come before the units */
    Group *of;      /* by first unit: what is known of its group */
} Cutting;

static Str text_of(const Cutting *c, const Unit *u)
{
    Str doc = docs_get(c->raw, u->doc);
    return (Str){ doc.at + u->begin, (ptrdiff_t)(u->end - u->begin) };
}

static void choose_sizes(Cutting *c)
{
    for (int64_t i = 0; i < c->raw->count; i++)
        if (c->live[i]) c->bytes += docs_get(c->raw, i).len;
    c->target = MIN(c->bytes / SHARE, (int64_t)TIER_BYTES);
    c->plan->cut_over = MAX(MIN(c->bytes / 60, (int64_t)CUT_OVER), (int64_t)1024);
    c->plan->piece = MAX(MIN(c->target / 32, (int64_t)8192), (int64_t)512);
    c->plan->gap = MAX(MIN(c->plan->piece / 8, (int64_t)512), (int64_t)64);
}

static void collect_units(Cutting *c)
{
    Buf units = { 0 }, ends = { 0 };
    for (int64_t i = 0; i < c->raw->count; i++) {
        if (!c->live[i]) continue;
        Str doc = docs_get(c->raw, i);
        buf_clear(&ends);
        int64_t whole = doc.len;
        if (doc.len > c->plan->cut_over)
            tiers_cut(doc, c->plan->piece, &ends);
        else
            buf_put(&ends, &whole, sizeof(whole));
        int64_t begin = 0, end;
        for (ptrdiff_t at = 0; at < ends.len; at += (ptrdiff_t)sizeof(end), begin = end) {
            memcpy(&end, ends.at + at, sizeof(end));
            Unit u = { i, begin, end, TIER_TRAIN };
            buf_put(&units, &u, sizeof(u));
        }
    }
    buf_free(&ends);
    c->units = units.len / (int64_t)sizeof(Unit);
    c->unit = (Unit *)(void *)units.at;
}

/* The texts of other data sets stand first, so a group that holds one is named after it. */
static bool group_units(Cutting *c, Err *err)
{
    int64_t held = c->held->count, count = held + c->units;
    size_t room = (size_t)MAX(count, (int64_t)1);
    Str *text = calloc(room, sizeof(*text));
    c->group = calloc(room, sizeof(*c->group));
    c->of = calloc(room, sizeof(*c->of));
    CHECK(text && c->group && c->of, "no memory for %td pieces of text", (ptrdiff_t)count);
    for (int64_t i = 0; i < held; i++) text[i] = c->held->text[i];
    for (int64_t i = 0; i < c->units; i++) text[held + i] = text_of(c, &c->unit[i]);
    bool ok = dedup_near(text, count, c->group, err);
    for (int64_t i = 0; ok && i < count; i++) {
        Group *g = &c->of[c->group[i]];
        bool ours = i >= held;
        uint64_t place = hash64(text[i].at, text[i].len, 0);
        if (ours) g->place = g->units ? MIN(g->place, place) : place;
        if (c->group[i] == i) g->forced = ours ? -1 : c->held->tier[i];
        g->first = c->group[i];
        g->bytes += ours ? text[i].len : 0;
        g->units += ours;
    }
    free(text);
    return ok;
}

static void count_near(Cutting *c, const Group *group, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        c->plan->near_groups += group[i].units > 1;
        c->plan->near_documents += group[i].units - 1;
    }
}

static int by_place(const void *a, const void *b)
{
    const Group *x = a, *y = b;
    if (x->place != y->place) return x->place < y->place ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

/* Takes groups around the circle from the tier's third on; *where is by group. */
static void fill_tier(const Cutting *c, int tier, const Group *group, int64_t count, int *where)
{
    uint64_t from = UINT64_MAX / TIER_COUNT * (uint64_t)tier;
    int64_t start = 0, bytes = 0, units = 0;
    while (start < count && group[start].place < from) start++;
    for (int64_t i = 0; i < count; i++)
        if (where[i] == tier) bytes += group[i].bytes, units++;
    for (int64_t step = 0; step < count; step++) {
        if (bytes >= c->target && units >= ENOUGH_UNITS) break;
        const Group *g = &group[(start + step) % count];
        int *to = &where[g - group];
        if (*to != TIER_TRAIN || g->bytes > MAX(c->plan->cut_over, c->target / 3)) continue;
        if (bytes + g->bytes > c->bytes / MOST) continue;
        *to = tier;
        bytes += g->bytes;
        units++;
    }
}

static void choose_units(Cutting *c)
{
    int64_t all = c->held->count + c->units, count = 0;
    Group *group = calloc((size_t)MAX(all, (int64_t)1), sizeof(*group));
    int *where = calloc((size_t)MAX(all, (int64_t)1), sizeof(*where));
    CHECK(group && where, "no memory for %td groups", (ptrdiff_t)all);
    for (int64_t i = 0; i < all; i++)
        if (c->of[i].units > 0) group[count++] = c->of[i];
    count_near(c, group, count);
    qsort(group, (size_t)count, sizeof(*group), by_place);
    for (int64_t i = 0; i < count; i++)
        where[i] = group[i].forced >= 0 ? group[i].forced : TIER_TRAIN;
    for (int tier = 0; tier < TIER_COUNT; tier++) fill_tier(c, tier, group, count, where);
    for (int64_t i = 0; i < count; i++) c->of[group[i].first].forced = where[i];
    for (int64_t i = 0; i < c->units; i++)
        c->unit[i].where = c->of[c->group[c->held->count + i]].forced;
    free(group);
    free(where);
}

/* ---- spans ---- */

/* Neighbouring units that go to one place are one span. */
static void merge_units(Cutting *c, Arena *out)
{
    TierPlan *p = c->plan;
    p->span = NEW(out, TierSpan, 3 * c->units);
    for (int64_t i = 0; i < c->units; i++) {
        const Unit *u = &c->unit[i];
        TierSpan *last = p->count > 0 ? &p->span[p->count - 1] : NULL;
        if (last && last->doc == u->doc && last->where == u->where)
            last->end = u->end;
        else
            p->span[p->count++] = (TierSpan){ u->doc, u->begin, u->end, u->where };
    }
}

/* Where a gap at the front of the span ends: behind the line that holds its last byte. */
static int64_t after_gap(const Cutting *c, const TierSpan *s)
{
    Str doc = docs_get(c->raw, s->doc);
    int64_t at = s->begin + c->plan->gap, limit = at + 4 * c->plan->gap;
    if (at >= s->end) return s->end;
    const char *newline = memchr(doc.at + at, '\n', (size_t)(MIN(limit, s->end) - at));
    return newline ? newline + 1 - doc.at : at;
}

static int64_t before_gap(const Cutting *c, const TierSpan *s)
{
    Str doc = docs_get(c->raw, s->doc);
    int64_t at = s->end - c->plan->gap, limit = at - 4 * c->plan->gap;
    if (at <= s->begin) return s->begin;
    const char *newline =
        memrchr(doc.at + MAX(limit, s->begin), '\n', (size_t)(at - MAX(limit, s->begin)));
    return newline ? newline + 1 - doc.at : at;
}

/* A training span gives its ends where it meets held-out text; between two tiers the later
 * one gives its front. */
static void cut_gaps(Cutting *c, Arena *out)
{
    TierPlan *p = c->plan;
    TierSpan *from = p->span, *to = NEW(out, TierSpan, 3 * p->count);
    int64_t n = 0;
    for (int64_t i = 0; i < p->count; i++) {
        TierSpan s = from[i];
        const TierSpan *before = i > 0 && from[i - 1].doc == s.doc ? &from[i - 1] : NULL;
        const TierSpan *after = i + 1 < p->count && from[i + 1].doc == s.doc ? &from[i + 1] : NULL;
        bool front = before && (s.where == TIER_TRAIN || before->where != TIER_TRAIN);
        bool back = after && s.where == TIER_TRAIN;
        int64_t begin = front ? after_gap(c, &s) : s.begin;
        int64_t end = back ? MAX(before_gap(c, &s), begin) : s.end;
        if (begin > s.begin) to[n++] = (TierSpan){ s.doc, s.begin, begin, TIER_GAP };
        if (end > begin) to[n++] = (TierSpan){ s.doc, begin, end, s.where };
        if (s.end > end) to[n++] = (TierSpan){ s.doc, end, s.end, TIER_GAP };
    }
    p->span = to;
    p->count = n;
}

static bool check_tiers(const Cutting *c, Err *err)
{
    int64_t units[TIER_GAP + 1] = { 0 };
    for (int64_t i = 0; i < c->plan->count; i++) units[c->plan->span[i].where]++;
    for (int where = 0; where <= TIER_TRAIN; where++)
        if (units[where] == 0)
            return err_set(err, ERR_CONFIG,
                           "%" PRId64 " bytes of different text are too little to hold some out "
                           "for testing; add more text (8 kB is the least, a megabyte is useful)",
                           c->bytes);
    return true;
}

bool tiers_plan(const Docs *raw, const bool *live, const TierHeld *held, Arena *out, TierPlan *plan,
                Err *err)
{
    *plan = (TierPlan){ 0 };
    Cutting c = { .raw = raw, .live = live, .held = held, .plan = plan };
    choose_sizes(&c);
    collect_units(&c);
    bool ok = group_units(&c, err);
    if (ok) {
        choose_units(&c);
        merge_units(&c, out);
        cut_gaps(&c, out);
        ok = check_tiers(&c, err);
    }
    free(c.unit);
    free(c.group);
    free(c.of);
    return ok;
}
