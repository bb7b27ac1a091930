/* settle_plan.c - the two arms of the experiment, fixed before anything runs.
 *
 * The control is what makes the experiment mean something: a smaller data set is read more often,
 * and dropping a third of a mixture at random may help or harm by itself.  So the control loses as
 * many tokens as the remedy, drawn from the same data set by a permutation of its documents: what
 * is gone is a fair sample of all that is there, the faulty text included.  Documents that would
 * overshoot are passed over, so that the two differ by less than the shortest document.  Where the
 * remedy cuts lines, lines are drawn, by their hash, as many bytes as the tokens come to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/rand.h"
#include "data/corpus.h"
#include "data/docs.h"
#include "data/drop.h"
#include "data/mixture.h"
#include "lab/settle_private.h"

enum { CHUNK = 1 << 16 };

/* ---- tokens ---- */

static const MixtureSource *source_named(const Mixture *m, const char *name)
{
    for (int i = 0; i < m->count; i++)
        if (strcmp(m->source[i].name, name) == 0) return &m->source[i];
    return NULL;
}

/* Tokens of the data set as a recipe reads it. */
static bool count_tokens(Lab *lab, const SettleOpt *opt, const Recipe *r, int64_t *tokens, Err *err)
{
    Mixture m = { 0 };
    if (!mixture_open(&m, lab->dir, &r->knobs, lab->arena, err)) return false;
    const MixtureSource *s = source_named(&m, opt->name);
    if (s) *tokens = s->shard.tokens;
    mixture_close(&m);
    return s != NULL || err_set(err, ERR_CONFIG, "the recipe does not read %s: -s data.sources=%s",
                                opt->name, opt->name);
}

/* Of each document, counted in the shard of the whole data set: each begins with an end of text. */
static bool count_by_document(Lab *lab, const SettleOpt *opt, int64_t *count, int64_t documents,
                              Err *err)
{
    Mixture m = { 0 };
    if (!mixture_open(&m, lab->dir, &opt->recipe->knobs, lab->arena, err)) return false;
    const Shard *s = &source_named(&m, opt->name)->shard;
    int32_t *ids = NEW(lab->arena, int32_t, CHUNK), end = tokenizer_end(m.tokenizer);
    int64_t doc = -1;
    bool ok = true;
    for (int64_t at = 0; ok && at < s->tokens; at += CHUNK) {
        int64_t n = MIN(s->tokens - at, (int64_t)CHUNK);
        ok = shard_read(s, at, n, ids, err);
        for (int64_t i = 0; ok && i < n; i++) {
            doc += ids[i] == end;
            CHECK(doc >= 0 && doc < documents, "a shard of another data set");
            count[doc]++;
        }
    }
    mixture_close(&m);
    return ok;
}

/* ---- the control's list ---- */

static bool draw_documents(Lab *lab, const SettleOpt *opt, const SettlePlan *p, const Docs *docs,
                           DropList *list, Err *err)
{
    int64_t *count = NEW(lab->arena, int64_t, docs->count), left = p->remedy_tokens;
    if (!count_by_document(lab, opt, count, docs->count, err)) return false;
    for (int64_t i = 0; i < docs->count && left > 0; i++) {
        int64_t at = (int64_t)rand_permute((uint64_t)i, (uint64_t)docs->count, p->control_seed);
        if (count[at] > left) continue;
        left -= count[at];
        droplist_document(list, dedup_key(docs_get(docs, at)), false);
    }
    return true;
}

typedef struct Drawn {
    uint64_t order; /* of its hash: the same line everywhere at once */
    Str line;
} Drawn;

static int by_order(const void *a, const void *b)
{
    const Drawn *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

static void gather_lines(const Docs *docs, uint64_t seed, Buf *lines)
{
    Str rest = { docs->text, (ptrdiff_t)docs->bytes }, line;
    while (rest.len > 0 && str_cut(&rest, '\n', &line)) {
        Str text = str_trim(line);
        Drawn d = { hash64(text.at, text.len, seed), text };
        if (text.len > 0) buf_put(lines, &d, sizeof(d));
    }
}

static void draw_lines(const SettlePlan *p, const Docs *docs, DropList *list)
{
    Buf lines = { 0 };
    gather_lines(docs, p->control_seed, &lines);
    Drawn *d = (Drawn *)(void *)lines.at;
    int64_t n = lines.len / (int64_t)sizeof(*d);
    double left = (double)p->remedy_tokens * (double)docs->bytes / (double)MAX(p->tokens, 1);
    if (n > 0) qsort(d, (size_t)n, sizeof(*d), by_order);
    for (int64_t i = 0; i < n && left > 0; i++) {
        left -= (double)(d[i].line.len + 1);
        droplist_line(list, d[i].line);
    }
    buf_free(&lines);
}

static bool cuts_lines(Lab *lab, const SettleOpt *opt, const char *list, bool *lines, Err *err)
{
    Drop drop = { 0 };
    const char *id = list[0] == '{' ? NULL : strchr(list, ':');
    *lines = false;
    if (!id) return true; /* the remedy is another edit than a list */
    bool ok = drop_add(&drop, lab->dir, opt->name, str_of(id + 1), err);
    *lines = drop.lines.count > 0;
    drop_free(&drop);
    return ok;
}

static bool draw_control(Lab *lab, const SettleOpt *opt, SettlePlan *p, Err *err)
{
    Docs docs;
    DropList list = { 0 };
    char id[17];
    bool lines = false;
    p->control_list = "";
    if (p->remedy_tokens <= 0) return true; /* it mends, and nothing is gone: neither is here */
    if (!cuts_lines(lab, opt, p->remedy_list, &lines, err) ||
        !docs_open(&docs, corpus_train_stem(lab->dir, opt->name, lab->arena), err))
        return false;
    bool ok = lines || draw_documents(lab, opt, p, &docs, &list, err);
    if (lines) draw_lines(p, &docs, &list);
    if (ok && list.rows.len == 0)
        ok = err_set(err, ERR_CONFIG,
                     "the remedy removes less than any document of %s has, and no control can be "
                     "drawn for it",
                     opt->name);
    ok = ok && droplist_write(&list, lab->dir, opt->name, id, err);
    if (ok) p->control_list = arena_printf(lab->arena, "%s:%s", opt->name, id);
    droplist_free(&list);
    docs_close(&docs);
    return ok;
}

/* ---- the recipes ---- */

/* What stands in the recipe stays, and the edit comes behind it. */
static bool edit_recipe(Lab *lab, Recipe *r, const char *knob, const char *value, Err *err)
{
    int k = knobs_find(&r->knobs, knob);
    if (k < 0)
        return err_set(err, ERR_CONFIG, "the remedy edits %s, and there is no such knob", knob);
    if (!value[0]) return true;
    const char *before = r->knobs.knob[k]->type == KNOB_TEXT ? r->knobs.text[k] : "";
    bool list = strcmp(knob, "data.drop") == 0, filters = strcmp(knob, "data.filters") == 0;
    if (before[0] && (list || filters))
        value = arena_printf(lab->arena, "%s%s%s", before, list ? "," : "", value);
    return knobs_set(&r->knobs, knob, str_of(value), "the remedy", err);
}

static bool recipe_without(Lab *lab, const SettleOpt *opt, const char *list, Recipe *out, Err *err)
{
    recipe_copy(out, opt->recipe, lab->arena);
    if (!edit_recipe(lab, out, "data.drop", list, err)) return false;
    recipe_seal(out);
    return true;
}

static bool recipe_remedied(Lab *lab, const SettleOpt *opt, Recipe *out, Err *err)
{
    const json_t *edit = json_object_get(json_object_get(opt->finding, "remedy"), "edit");
    const char *knob;
    json_t *value;
    recipe_copy(out, opt->recipe, lab->arena);
    json_object_foreach((json_t *)edit, knob, value)
    {
        const char *text = json_string_value(value);
        if (!text) return err_set(err, ERR_CONFIG, "the edit of %s is no text", knob);
        if (!edit_recipe(lab, out, knob, arena_str(lab->arena, str_of(text)), err)) return false;
    }
    recipe_seal(out);
    return true;
}

static bool make_arms(Lab *lab, const SettleOpt *opt, SettlePlan *p, Err *err)
{
    int64_t left;
    if (!count_tokens(lab, opt, opt->recipe, &p->tokens, err) ||
        !recipe_remedied(lab, opt, &p->remedy, err) ||
        !count_tokens(lab, opt, &p->remedy, &left, err))
        return false;
    p->remedy_tokens = p->tokens - left;
    if (!draw_control(lab, opt, p, err) ||
        !recipe_without(lab, opt, p->control_list, &p->control, err) ||
        !count_tokens(lab, opt, &p->control, &left, err))
        return false;
    p->control_tokens = p->tokens - left;
    return true;
}

/* ---- in the ledger ---- */

static json_t *names(const SettleOpt *opt)
{
    json_t *list = json_array();
    for (int i = 0; i < opt->n_domains; i++)
        json_array_append_new(list, json_string(opt->domains[i]));
    return list;
}

typedef struct Wanted {
    const char *base, *remedy;
    json_t *domains, *body;
} Wanted;

static bool match_settle(void *self, const Entry *e)
{
    Wanted *w = self;
    if (strcmp(json_str(e->body, "base", ""), w->base) != 0 ||
        strcmp(json_str(e->body, "remedy_list", ""), w->remedy) != 0 ||
        !json_equal(json_object_get(e->body, "domains"), w->domains))
        return true;
    json_decref(w->body);
    w->body = json_incref(e->body);
    return true;
}

static bool read_plan(Lab *lab, const json_t *b, SettlePlan *p, Err *err)
{
    snprintf(p->id, sizeof(p->id), "%s", json_str(b, "id", ""));
    p->control_list = arena_str(lab->arena, str_of(json_str(b, "control_list", "")));
    p->tokens = json_int(b, "tokens", 0);
    p->control_tokens = json_int(b, "control_tokens", 0);
    p->remedy_tokens = json_int(b, "remedy_tokens", 0);
    p->control_seed = (uint64_t)json_int(b, "control_seed", 1);
    p->bank = (int)json_int(b, "bank", 4);
    return lab_recipe(lab, json_str(b, "control", ""), &p->control, err) &&
           lab_recipe(lab, json_str(b, "remedy", ""), &p->remedy, err);
}

static bool enter_plan(Lab *lab, const SettleOpt *opt, SettlePlan *p, Err *err)
{
    if (!ledger_begin(lab->ledger, err)) return false;
    bool ok = lab_recipe_keep(lab, &p->control, err) && lab_recipe_keep(lab, &p->remedy, err) &&
              ledger_next_id(lab->ledger, 'a', p->id, err);
    if (ok) {
        json_t *body = json_pack(
            "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:i}", "id",
            p->id, "data", opt->name, "kind", json_str(opt->finding, "kind", "?"), "what",
            json_str(opt->finding, "what", ""), "base", p->base, "control", p->control.sha256,
            "remedy", p->remedy.sha256, "control_list", p->control_list, "remedy_list",
            p->remedy_list, "tokens", (json_int_t)p->tokens, "control_tokens",
            (json_int_t)p->control_tokens, "remedy_tokens", (json_int_t)p->remedy_tokens,
            "control_seed", (json_int_t)p->control_seed, "domains", names(opt), "bank", p->bank);
        ok = ledger_append(lab->ledger, "settle", p->id, body, err);
    }
    if (ok) return ledger_commit(lab->ledger, err);
    ledger_rollback(lab->ledger);
    return false;
}

/* A list as the recipe names it; another edit as JSON. */
static const char *edit_text(Lab *lab, const json_t *edit)
{
    const char *list = json_str(edit, "data.drop", "");
    Buf text = { 0 };
    if (list[0]) return arena_str(lab->arena, str_of(list));
    if (json_object_size(edit) > 0) json_write(edit, false, &text);
    const char *all = arena_str(lab->arena, str_trim(buf_view(&text)));
    buf_free(&text);
    return all;
}

bool settleplan_open(Lab *lab, const SettleOpt *opt, SettlePlan *p, Err *err)
{
    const json_t *edit = json_object_get(json_object_get(opt->finding, "remedy"), "edit");
    *p = (SettlePlan){ .control_seed = 1, .bank = verdict_first_bank(opt->planned) };
    memcpy(p->base, opt->recipe->sha256, sizeof(p->base));
    p->remedy_list = edit_text(lab, edit);
    if (!p->remedy_list[0])
        return err_set(err, ERR_CONFIG, "a finding of %s has no edit that could be settled",
                       json_str(opt->finding, "kind", "?"));
    Wanted w = { .base = p->base, .remedy = p->remedy_list, .domains = names(opt) };
    bool ok = ledger_each(lab->ledger, "settle", 0, match_settle, &w, err);
    if (ok)
        ok = w.body ? read_plan(lab, w.body, p, err)
                    : make_arms(lab, opt, p, err) && enter_plan(lab, opt, p, err);
    json_decref(w.domains);
    json_decref(w.body);
    return ok;
}

bool settle_domains(const Lab *lab, const char *name, const char **domain, int *count, Err *err)
{
    char **all;
    int n;
    *count = 0;
    if (!corpus_list(lab->dir, lab->arena, &all, &n, err)) return false;
    for (int i = 0; i < n && *count < MIXTURE_MAX; i++)
        if (strcmp(all[i], name) != 0 && !str_ends(str_of(all[i]), STR("-dirty")))
            domain[(*count)++] = all[i];
    if (*count == 0) domain[(*count)++] = name;
    return true;
}
