/* filter_plan.c - the knob data.filters, read for one source.
 *
 * One line of a recipe rather than sixty: a threshold that nobody changed is not said, and what is
 * said of one source stands beside it.  Thresholds are declared like any knob and set through a
 * KnobSet of the filter's own, so a wrong name is answered with the nearest one and a wrong value
 * with the range.  The plan's key has every threshold and the version of every filter: a default
 * that changes in a later version makes other shards. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "data/filter.h"

/* What is being read. */
typedef struct Reading {
    const char *lab, *source;
    KnobSet set[FILTER_MAX]; /* of each filter */
    bool on[FILTER_MAX];
    Arena *arena;
} Reading;

static bool is_gap(char c)
{
    return c == ' ' || c == ',' || c == '\t' || c == '\n';
}

static int number_of(const FilterDef *def)
{
    int count, i = 0;
    const FilterDef *const *all = filter_all(&count);
    while (all[i] != def) i++;
    return i;
}

/* "gopher_qualty" is answered with the nearest name. */
static bool no_such_filter(Str name, Err *err)
{
    int count, best = 0, nearest = 1000;
    char asked[64];
    const FilterDef *const *all = filter_all(&count);
    snprintf(asked, sizeof(asked), "%.*s", (int)MIN(name.len, (ptrdiff_t)60), name.at);
    for (int i = 0; i < count; i++) {
        int distance = str_distance(asked, all[i]->name);
        if (distance < nearest) best = i, nearest = distance;
    }
    return err_set(err, ERR_CONFIG,
                   "data.filters: there is no filter \"%s\"; did you mean %s? "
                   "(`lathe data filters` lists them)",
                   asked, all[best]->name);
}

/* "words_min=10 stop_words=0" */
static bool read_values(Reading *r, const FilterDef *def, Str values, Err *err)
{
    KnobSet *set = &r->set[number_of(def)];
    while (values.len > 0) {
        ptrdiff_t n = 0;
        while (n < values.len && !is_gap(values.at[n])) n++;
        Str rest = { values.at, n }, name;
        values = (Str){ values.at + n, values.len - n };
        while (values.len > 0 && is_gap(values.at[0])) values.at++, values.len--;
        if (rest.len == 0) continue;
        if (!str_cut(&rest, '=', &name) || !rest.at)
            return err_set(err, ERR_CONFIG, "data.filters: %s takes KNOB=VALUE, and not \"%.*s\"",
                           def->name, (int)MIN(name.len, (ptrdiff_t)60), name.at);
        const char *full = arena_printf(r->arena, "filter.%s.%.*s", def->name,
                                        (int)MIN(name.len, (ptrdiff_t)60), name.at);
        if (!knobs_set(set, full, rest, "data.filters", err)) return false;
    }
    return true;
}

static bool read_item(Reading *r, Str item, Str values, Err *err)
{
    bool off = item.len > 0 && item.at[0] == '-';
    if (off) item.at++, item.len--;
    const FilterDef *def = filter_find(item);
    if (!def) return no_such_filter(item, err);
    r->on[number_of(def)] = !off;
    return read_values(r, def, values, err);
}

static bool read_items(Reading *r, Str items, Err *err)
{
    for (ptrdiff_t i = 0; i < items.len;) {
        if (is_gap(items.at[i])) {
            i++;
            continue;
        }
        ptrdiff_t begin = i;
        while (i < items.len && !is_gap(items.at[i]) && items.at[i] != '(') i++;
        Str item = { items.at + begin, i - begin }, values = { "", 0 };
        if (i < items.len && items.at[i] == '(') {
            const char *close = memchr(items.at + i, ')', (size_t)(items.len - i));
            if (!close)
                return err_set(err, ERR_CONFIG, "data.filters: a ( without ) behind %.*s",
                               (int)MIN(item.len, (ptrdiff_t)60), item.at);
            values = (Str){ items.at + i + 1, close - items.at - i - 1 };
            i = close + 1 - items.at;
        }
        if (!read_item(r, item, values, err)) return false;
    }
    return true;
}

/* Cuts "SOURCE:" off the front of a segment; empty if it is for all. */
static Str source_of(Str *segment)
{
    *segment = str_trim(*segment);
    const char *colon = memchr(segment->at, ':', (size_t)segment->len);
    const char *round = memchr(segment->at, '(', (size_t)segment->len);
    if (!colon || (round && round < colon)) return (Str){ "", 0 };
    Str name = { segment->at, colon - segment->at };
    *segment = (Str){ colon + 1, segment->at + segment->len - colon - 1 };
    return str_trim(name);
}

static bool read_filters(Reading *r, const char *filters, Err *err)
{
    Str rest = str_of(filters), segment;
    while (str_cut(&rest, ';', &segment)) {
        Str source = source_of(&segment);
        if (source.len > 0 && !str_eq(source, str_of(r->source))) continue;
        if (!read_items(r, segment, err)) return false;
    }
    return true;
}

bool filterplan_check(const char *filters, const char *const *names, int count, Err *err)
{
    Str rest = str_of(filters), segment;
    while (str_cut(&rest, ';', &segment)) {
        Str source = source_of(&segment);
        bool known = source.len == 0;
        for (int i = 0; i < count; i++) known = known || str_eq(source, str_of(names[i]));
        if (!known)
            return err_set(err, ERR_CONFIG, "data.filters names %.*s, which data.sources does not",
                           (int)MIN(source.len, (ptrdiff_t)80), source.at);
    }
    return true;
}

/* ---- lists of words ---- */

/* Each line's first word, as dedup_words sees words; *sha names the content. */
static bool load_list(const Reading *r, const char *path, DedupSet *words, char sha[65], Err *err)
{
    Buf text = { 0 };
    char full[1024];
    snprintf(full, sizeof(full), "%s/%s", r->lab, path);
    const char *place = path[0] != '/' && file_exists(full) ? full : path;
    if (!file_read(place, &text, err)) {
        err->code = ERR_CONFIG;
        return err_wrap(err, "data.filters");
    }
    Str rest = buf_view(&text), line;
    while (str_cut(&rest, '\n', &line)) {
        DedupWords w = dedup_words(line);
        if (dedup_next(&w)) dedup_set_add(words, filter_word_key(w.hash));
    }
    sha256_hex(text.at ? text.at : "", text.len, sha);
    buf_free(&text);
    return true;
}

static bool add_filter(FilterPlan *p, const Reading *r, int i, Err *err)
{
    int count, at = p->count++;
    const FilterDef *def = filter_all(&count)[i];
    char number[32], sha[65];
    p->def[at] = def;
    buf_printf(&p->key, " %s/%d(", def->name, def->version);
    for (int k = 0; k < filter_knobs(def); k++) {
        p->knob[at][k] = r->set[i].value[k];
        if (k == def->list) continue;
        buf_printf(&p->key, "%s%s", k ? " " : "", str_number(number, p->knob[at][k]));
    }
    const char *path = def->list == FILTER_NO_LIST ? "" : r->set[i].text[def->list];
    if (path[0]) {
        if (!load_list(r, path, &p->words[at], sha, err)) return false;
        buf_printf(&p->key, " %s", sha);
    }
    buf_char(&p->key, ')');
    return true;
}

bool filterplan_make(FilterPlan *p, const char *lab, const char *filters, const char *source,
                     bool all, Err *err)
{
    *p = (FilterPlan){ 0 };
    Arena arena = arena_reserve(1 << 22);
    Reading r = { .lab = lab, .source = source, .arena = &arena };
    int count;
    const FilterDef *const *defs = filter_all(&count);
    CHECK(count <= FILTER_MAX, "%d filters", count);
    for (int i = 0; i < count; i++) {
        const Knob *tables[] = { defs[i]->knobs, NULL };
        r.set[i] = knobs_new(&arena, tables);
    }
    bool ok = read_filters(&r, filters, err);
    for (int i = 0; ok && i < count; i++)
        if (all || r.on[i]) ok = add_filter(p, &r, i, err);
    arena_release(&arena);
    if (!ok) filterplan_free(p);
    return ok;
}

void filterplan_free(FilterPlan *p)
{
    for (int i = 0; i < FILTER_MAX; i++) dedup_set_free(&p->words[i]);
    buf_free(&p->key);
    filterroom_free(&p->room[0]);
    filterroom_free(&p->room[1]);
    buf_free(&p->text[0]);
    buf_free(&p->text[1]);
    *p = (FilterPlan){ 0 };
}

bool filterplan_apply(FilterPlan *p, Str doc, Str *left)
{
    int turn = 0;
    FilterDoc d;
    *left = doc;
    filter_read(doc, &p->room[0], &d);
    for (int i = 0; i < p->count; i++) {
        FilterVerdict v;
        filter_judge(p->def[i], p->knob[i], &p->words[i], &d, &p->room[1], &p->text[turn], &v);
        if (v.failed) return false;
        if (!v.edited) continue;
        *left = buf_view(&p->text[turn]);
        filter_read(*left, &p->room[0], &d);
        turn = !turn;
    }
    return str_trim(*left).len > 0;
}
