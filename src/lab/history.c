/* history.c - reads entries of the open question into arrays.
 *
 * One visitor per kind, named in one table.  Entries come in order, so whatever
 * an entry names has been seen before it. */
#include "lab/history.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "science/stats.h"

enum { MAX_BANK = 48 };

static const char *keep(History *h, const json_t *body, const char *key)
{
    return arena_str(h->lab->arena, str_of(json_str(body, key, "")));
}

static void *grown(Arena *a, void *old, int count, int *cap, ptrdiff_t size)
{
    if (count < *cap) return old;
    int more = *cap ? 2 * *cap : 64;
    void *wide = arena_alloc(a, size, 16, more);
    if (count) memcpy(wide, old, (size_t)(size * count));
    *cap = more;
    return wide;
}

static HistRun *find_run(History *h, const char *id)
{
    for (int i = h->runs - 1; i >= 0; i--)
        if (strcmp(h->run[i].id, id) == 0) return &h->run[i];
    return NULL;
}

static HistExp *find_exp(History *h, const char *id)
{
    for (int i = h->exps - 1; i >= 0; i--)
        if (strcmp(h->exp[i].id, id) == 0) return &h->exp[i];
    return NULL;
}

/* ---- runs by recipe ----
 *
 * Noise, banks and means are asked for in every turn, and each is about all runs of one recipe; a
 * chain through them costs a walk where a search through all runs for each run was quadratic. */

static int slot_of(const History *h, const char *recipe)
{
    uint64_t at = 14695981039346656037u;
    for (const char *c = recipe; *c; c++) at = (at ^ (unsigned char)*c) * 1099511628211u;
    int i = (int)(at & (uint64_t)(h->slots - 1));
    while (h->slot[i] >= 0 && strcmp(h->run[h->slot[i]].recipe, recipe) != 0)
        i = (i + 1) & (h->slots - 1);
    return i;
}

static int first_run(const History *h, const char *recipe)
{
    return h->slots ? h->slot[slot_of(h, recipe)] : -1;
}

static void widen_table(History *h)
{
    h->slots = h->slots ? 2 * h->slots : 256;
    h->slot = NEW(h->lab->arena, int, h->slots);
    for (int i = 0; i < h->slots; i++) h->slot[i] = -1;
    for (int i = 0; i < h->runs; i++)
        if (h->run[i].first == i) h->slot[slot_of(h, h->run[i].recipe)] = i;
}

/* The newest run joins the others of its recipe. */
static void join_recipe(History *h)
{
    int i = h->runs - 1;
    if (2 * h->runs > h->slots) widen_table(h);
    int slot = slot_of(h, h->run[i].recipe), last = h->slot[slot];
    h->run[i].next = -1;
    if (last < 0 || last == i) {
        h->slot[slot] = h->run[i].first = i;
        return;
    }
    h->run[i].first = last;
    while (h->run[last].next >= 0) last = h->run[last].next;
    h->run[last].next = i;
}

static bool ours(const History *h, const json_t *body)
{
    return strcmp(json_str(body, "question", ""), h->question) == 0;
}

/* ---- one visitor per kind ---- */

static void drop_bodies(History *h)
{
    json_decref(h->body);
    h->body = NULL;
    for (int i = 0; i < h->exps; i++) json_decref(h->exp[i].edits);
    h->exps = 0;
}

static void see_question(History *h, const Entry *e)
{
    drop_bodies(h);
    h->question = arena_str(h->lab->arena, str_of(e->id));
    h->body = json_deep_copy(e->body);
    h->baseline = h->champion = keep(h, e->body, "recipe");
    h->champion_exp = -1;
    h->runs = h->exps = h->kept = h->decided = 0;
    for (int i = 0; i < h->slots; i++) h->slot[i] = -1;
    h->audit_reads = h->audit_disagrees = 0;
}

static void see_run(History *h, const Entry *e)
{
    if (!ours(h, e->body) || json_str(e->body, "replay_of", "")[0]) return;
    h->run = grown(h->lab->arena, h->run, h->runs, &h->run_cap, (ptrdiff_t)sizeof(*h->run));
    h->run[h->runs++] = (HistRun){ .id = arena_str(h->lab->arena, str_of(e->id)),
                                   .recipe = keep(h, e->body, "recipe"),
                                   .purpose = keep(h, e->body, "purpose"),
                                   .experiment = keep(h, e->body, "experiment"),
                                   .session = keep(h, e->body, "session"),
                                   .seed = (uint64_t)json_int(e->body, "seed", 0),
                                   .bpb = (double)NAN,
                                   .exp = -1,
                                   .first = -1 };
    HistExp *x = find_exp(h, h->run[h->runs - 1].experiment);
    if (x) h->run[h->runs - 1].exp = (int)(x - h->exp);
    join_recipe(h);
    h->last = e->at;
}

static double *read_numbers(Arena *a, const json_t *list)
{
    ptrdiff_t n = (ptrdiff_t)json_array_size(list);
    double *x = NEW(a, double, n);
    for (ptrdiff_t i = 0; i < n; i++) x[i] = json_number_value(json_array_get(list, (size_t)i));
    return x;
}

static void see_blocks(History *h, const Entry *e)
{
    HistRun *r = find_run(h, e->id);
    if (!r) return;
    const json_t *bits = json_object_get(e->body, "bits");
    r->blocks = (int)json_array_size(bits);
    r->bits = read_numbers(h->lab->arena, bits);
    r->bytes = read_numbers(h->lab->arena, json_object_get(e->body, "bytes"));
}

static void see_result(History *h, const Entry *e)
{
    HistRun *r = find_run(h, e->id);
    if (!r) return;
    r->done = true;
    r->failed = json_is_true(json_object_get(e->body, "failed"));
    r->bpb = json_num(e->body, "bpb", (double)NAN);
    r->seconds = json_num(e->body, "seconds", 0);
    r->flops = json_int(e->body, "flops", 0);
    r->at = e->seq;
    h->last = e->at;
}

static void see_proposal(History *h, const Entry *e)
{
    if (!ours(h, e->body)) return;
    h->exp = grown(h->lab->arena, h->exp, h->exps, &h->exp_cap, (ptrdiff_t)sizeof(*h->exp));
    json_t *edits = json_deep_copy(json_object_get(e->body, "edits"));
    const char *ablates = json_str(e->body, "ablates", "");
    const char *before = json_str(e->body, "anew", "");
    HistExp *taken_out = ablates[0] ? find_exp(h, ablates) : NULL;
    HistExp *passed = before[0] ? find_exp(h, before) : NULL;
    h->exp[h->exps] =
        (HistExp){ .id = arena_str(h->lab->arena, str_of(e->id)),
                   .title = keep(h, e->body, "title"),
                   .author = keep(h, e->body, "author"),
                   .recipe = keep(h, e->body, "recipe"),
                   .base = keep(h, e->body, "base_recipe"),
                   .session = keep(h, e->body, "session"),
                   .kind = keep(h, json_array_get(edits, 0), "knob"),
                   .edits = edits,
                   .predicted = json_num(e->body, "predicted", (double)NAN),
                   .confidence = json_num(e->body, "confidence", (double)NAN),
                   .fresh_seeds = json_is_true(json_object_get(e->body, "fresh_seeds")),
                   .ablates = taken_out ? (int)(taken_out - h->exp) : -1,
                   .anew = passed ? (int)(passed - h->exp) : -1,
                   .confirming = passed != NULL,
                   .decides = keep(h, e->body, "decides"),
                   .against = keep(h, e->body, "against"),
                   .effect = (double)NAN,
                   .low = (double)NAN,
                   .high = (double)NAN,
                   .P = (double)NAN,
                   .why = "" };
    h->exps++;
    h->last = e->at;
}

static void see_verdict(History *h, const Entry *e)
{
    HistExp *x = find_exp(h, e->id);
    if (!x) return;
    const char *word = json_str(e->body, "decision", "");
    x->decision = strcmp(word, "keep") == 0   ? EXP_KEEP
                  : strcmp(word, "drop") == 0 ? EXP_DROP
                                              : EXP_UNDECIDED;
    x->effect = json_num(e->body, "effect", (double)NAN);
    x->low = json_num(e->body, "low", (double)NAN);
    x->high = json_num(e->body, "high", (double)NAN);
    x->P = json_num(e->body, "P", (double)NAN);
    x->seconds = json_num(e->body, "seconds", 0);
    x->runs = (int)json_int(e->body, "runs", 0);
    x->why = keep(h, e->body, "why");
    x->at = e->seq;
    h->last = e->at;
    /* What the session tests of its own is no new idea, and what could not be run was not tried:
     * the prior stays. */
    x->refused = json_is_true(json_object_get(e->body, "refused"));
    x->moved = json_is_true(json_object_get(e->body, "moved"));
    if (!history_is_idea(x) || x->refused) return;
    h->decided++;
    h->kept += x->decision == EXP_KEEP;
}

static void see_veto(History *h, const Entry *e)
{
    HistExp *x = find_exp(h, json_str(e->body, "target", ""));
    if (x && x->decision == EXP_OPEN) {
        x->decision = EXP_VETOED;
        x->why = keep(h, e->body, "reason");
        x->at = e->seq;
    }
}

static void see_champion(History *h, const Entry *e)
{
    if (!ours(h, e->body)) return;
    h->champion = keep(h, e->body, "recipe");
    const HistExp *x = find_exp(h, json_str(e->body, "experiment", ""));
    h->champion_exp = x ? (int)(x - h->exp) : -1;
}

static void see_judge_read(History *h, const Entry *e)
{
    HistExp *x = find_exp(h, json_str(e->body, "experiment", ""));
    if (!ours(h, e->body) || strcmp(json_str(e->body, "tier", ""), "audit") != 0) return;
    h->audit_reads++;
    if (x) x->audit_read = true;
}

static void see_audit(History *h, const Entry *e)
{
    HistExp *x = find_exp(h, json_str(e->body, "experiment", ""));
    if (!x) return;
    x->audit = json_is_true(json_object_get(e->body, "agrees")) ? 1 : -1;
    h->audit_disagrees += x->audit < 0;
}

static void see_confirming(History *h, const Entry *e)
{
    HistExp *x = find_exp(h, e->id);
    if (x) x->confirming = true;
}

static void see_session(History *h, const Entry *e)
{
    (void)e;
    h->worked = h->stretch = 0;
}

static void end_stretch(History *h, double at)
{
    if (h->stretch > 0) h->worked += MAX(at - h->stretch, 0);
    h->stretch = 0;
}

static void see_work(History *h, const Entry *e)
{
    end_stretch(h, h->last - json_num(e->body, "away", 0));
    h->stretch = h->last = e->at;
}

static void see_control(History *h, const Entry *e)
{
    if (strcmp(json_str(e->body, "action", ""), "resume") != 0)
        end_stretch(h, e->at);
    else if (h->stretch == 0)
        h->stretch = h->last = e->at;
}

static const struct {
    const char *kind;
    void (*see)(History *h, const Entry *e);
} visitors[] = {
    { "question", see_question }, { "run", see_run },
    { "blocks", see_blocks },     { "result", see_result },
    { "proposal", see_proposal }, { "verdict", see_verdict },
    { "veto", see_veto },         { "champion", see_champion },
    { "audit", see_audit },       { "judge_read", see_judge_read },
    { "session", see_session },   { "work", see_work },
    { "control", see_control },   { "confirming", see_confirming },
};

static bool see(void *self, const Entry *e)
{
    History *h = self;
    for (ptrdiff_t i = 0; i < COUNT(visitors); i++)
        if (strcmp(visitors[i].kind, e->kind) == 0) visitors[i].see(h, e);
    h->seen = e->seq;
    return true;
}

bool history_open(History *h, Lab *lab, Err *err)
{
    *h =
        (History){ .lab = lab, .question = "", .champion_exp = -1, .baseline = "", .champion = "" };
    return history_update(h, err);
}

bool history_update(History *h, Err *err)
{
    return ledger_each(h->lab->ledger, NULL, h->seen, see, h, err);
}

void history_close(History *h)
{
    drop_bodies(h);
}

/* ---- what follows from it ---- */

bool history_is_idea(const HistExp *x)
{
    return x->ablates < 0 && !x->decides[0] && !x->moved;
}

int history_bank(const History *h, const char *recipe, int *index, int cap)
{
    int n = 0;
    for (int i = first_run(h, recipe); i >= 0 && n < cap; i = h->run[i].next) {
        const HistRun *r = &h->run[i];
        bool counts = strcmp(r->purpose, "bank") == 0 || strcmp(r->purpose, "confirm") == 0;
        if (r->done && !r->failed && counts) index[n++] = i;
    }
    return n;
}

int history_candidate(const History *h, const HistExp *x, int *index, int cap)
{
    int n = 0;
    for (int i = first_run(h, x->recipe); i >= 0 && n < cap; i = h->run[i].next) {
        const HistRun *r = &h->run[i];
        if (r->done && strcmp(r->experiment, x->id) == 0 &&
            (strcmp(r->purpose, "search") == 0 || strcmp(r->purpose, "confirm") == 0))
            index[n++] = i;
    }
    return n;
}

/* Noise from the banks alone: what tells a disaster from a run when all runs are pooled. */
static double bank_s(const History *h)
{
    Noise noise = { 0 };
    for (int i = 0; i < h->runs; i++) {
        if (h->run[i].first != i) continue; /* each recipe once */
        double x[MAX_BANK];
        int index[MAX_BANK], n = history_bank(h, h->run[i].recipe, index, MAX_BANK);
        for (int k = 0; k < n; k++) x[k] = h->run[index[k]].bpb;
        noise_add(&noise, x, n);
    }
    return noise_s(&noise);
}

/* Did a candidate's run fail, by the bank that it was compared with? */
static bool disaster(const History *h, const HistRun *r, double s)
{
    const HistExp *x = r->exp >= 0 ? &h->exp[r->exp] : NULL;
    int index[MAX_BANK], m = x ? history_bank(h, x->base, index, MAX_BANK) : 0;
    double bank[MAX_BANK];
    for (int i = 0; i < m; i++) bank[i] = h->run[index[i]].bpb;
    return m > 0 && isfinite(s) && verdict_failed(r->bpb, bank, m, s);
}

Noise history_noise(const History *h, const char *without)
{
    Noise noise = { 0 };
    double s = bank_s(h);
    for (int i = 0; i < h->runs; i++) {
        double x[MAX_BANK];
        int n = 0;
        if (h->run[i].first != i || (without && strcmp(without, h->run[i].recipe) == 0)) continue;
        for (int k = i; k >= 0 && n < MAX_BANK; k = h->run[k].next) {
            const HistRun *r = &h->run[k];
            if (r->done && !r->failed && strcmp(r->purpose, "champion") != 0 && !disaster(h, r, s))
                x[n++] = r->bpb;
        }
        noise_add(&noise, x, n);
    }
    return noise;
}

/* Mean bits per block over runs, into out[blocks]; 0 blocks if the runs do not share them. */
static int mean_bits(const History *h, const int *index, int n, double *out, int cap)
{
    int blocks = n > 0 ? h->run[index[0]].blocks : 0;
    if (blocks > cap) return 0;
    for (int b = 0; b < blocks; b++) out[b] = 0;
    for (int i = 0; i < n; i++) {
        const HistRun *r = &h->run[index[i]];
        if (r->blocks != blocks) return 0;
        for (int b = 0; b < blocks; b++) out[b] += r->bits[b] / n;
    }
    return blocks;
}

double history_text_error(const History *h, const int *bank, int m, const int *cand, int n)
{
    enum { CAP = 4096 };
    static _Thread_local double a[CAP], b[CAP];
    int blocks = mean_bits(h, bank, m, a, CAP);
    if (blocks < 2 || mean_bits(h, cand, n, b, CAP) != blocks) return 0;
    return stat_jackknife_diff(a, b, h->run[bank[0]].bytes, blocks);
}

/* Same-seed pairs of decided experiments of the same kind of edit (section 3). */
static double kind_rho(const History *h, const HistExp *x)
{
    Pairs pairs = { 0 };
    for (int k = 0; k < h->exps; k++) {
        const HistExp *other = &h->exp[k];
        if (other == x || other->fresh_seeds || strcmp(other->kind, x->kind) != 0) continue;
        double bank[MAX_BANK], run[MAX_BANK];
        int index[MAX_BANK], n = 0, c = history_candidate(h, other, index, MAX_BANK);
        for (int i = 0; i < c; i++) {
            const HistRun *r = &h->run[index[i]], *twin = history_find(h, other->base, r->seed);
            if (r->failed || !twin || !twin->done || twin->failed) continue;
            bank[n] = twin->bpb;
            run[n++] = r->bpb;
        }
        pairs_add(&pairs, bank, run, n);
    }
    return pairs_rho(&pairs, NULL, NULL);
}

void history_case(const History *h, const HistExp *x, VerdictCase *c)
{
    int bank[MAX_BANK], cand[MAX_BANK], good[MAX_BANK];
    int m = history_bank(h, x->base, bank, MAX_BANK), n = history_candidate(h, x, cand, MAX_BANK);
    *c = (VerdictCase){ .m = m,
                        .noise = history_noise(h, x->recipe),
                        .kept = h->kept,
                        .decided = h->decided,
                        .confirming = x->confirming,
                        .audit = history_reported(h) ? 1 : x->audit }; /* no tier to ask */
    for (int i = 0; i < m; i++) c->bank[i] = h->run[bank[i]].bpb;
    double s = noise_s(&c->noise);
    for (int i = 0; i < n; i++) {
        const HistRun *r = &h->run[cand[i]];
        bool confirm = strcmp(r->purpose, "confirm") == 0;
        if (r->failed || verdict_failed(r->bpb, c->bank, m, s)) {
            c->failed++;
            continue;
        }
        for (int k = 0; k < m; k++)
            if (h->run[bank[k]].seed == r->seed) c->twin[c->n] = k + 1;
        c->fresh += confirm;
        good[c->n] = cand[i];
        c->run[c->n++] = r->bpb;
    }
    c->rho = x->fresh_seeds ? 0 : kind_rho(h, x);
    c->e = history_text_error(h, bank, m, good, c->n);
}

const HistRun *history_find(const History *h, const char *recipe, uint64_t seed)
{
    for (int i = first_run(h, recipe); i >= 0; i = h->run[i].next)
        if (h->run[i].seed == seed) return &h->run[i];
    return NULL;
}

const HistExp *history_exp(const History *h, const char *id)
{
    for (int i = 0; i < h->exps; i++)
        if (strcmp(h->exp[i].id, id) == 0) return &h->exp[i];
    return NULL;
}

uint64_t history_free_seed(const History *h)
{
    uint64_t last = (uint64_t)json_int(h->body, "first_seed", 1) - 1;
    for (int i = 0; i < h->runs; i++) last = MAX(last, h->run[i].seed);
    return last + 1;
}

int history_bank_seed(const History *h, const HistExp *x, uint64_t *seed)
{
    int bank[MAX_BANK], m = history_bank(h, x->base, bank, MAX_BANK);
    for (int i = 0; i < m; i++) {
        const HistRun *tried = history_find(h, x->recipe, h->run[bank[i]].seed);
        if (tried && tried->done) continue;
        *seed = h->run[bank[i]].seed;
        return 1;
    }
    return 0;
}

double history_mean(const History *h, const char *recipe, int *n)
{
    double sum = 0;
    *n = 0;
    for (int i = first_run(h, recipe); i >= 0; i = h->run[i].next) {
        const HistRun *r = &h->run[i];
        if (!r->done || r->failed || strcmp(r->purpose, "champion") == 0) continue;
        sum += r->bpb;
        ++*n;
    }
    return *n ? sum / *n : (double)NAN;
}

double history_bank_mean(const History *h, const char *recipe, int *n)
{
    int index[MAX_BANK];
    double sum = 0;
    *n = history_bank(h, recipe, index, MAX_BANK);
    for (int i = 0; i < *n; i++) sum += h->run[index[i]].bpb;
    return *n ? sum / *n : (double)NAN;
}

double history_worked(const History *h, double now)
{
    return h->worked + (h->stretch > 0 ? MAX(now - h->stretch, 0) : 0);
}

bool history_reported(const History *h)
{
    return strcmp(json_str(h->body, "scores", ""), "self-reported") == 0;
}

const char *history_metric(const History *h)
{
    return json_str(h->body, "metric", "bpb");
}
