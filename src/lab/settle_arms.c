/* settle_arms.c - what has been run for a settle, from the ledger, as the rule's numbers. */
#include <math.h>
#include <string.h>

#include "lab/settle_private.h"
#include "science/stats.h"

/* ---- runs ---- */

typedef struct Reading {
    Lab *lab;
    const SettlePlan *plan;
    SettleArms *arms;
    const json_t *domains;
    Err *err;
    bool ok;
} Reading;

static double *numbers(Arena *a, const json_t *list, int *n)
{
    *n = (int)json_array_size(list);
    double *x = NEW(a, double, *n);
    for (int i = 0; i < *n; i++) x[i] = json_number_value(json_array_get(list, (size_t)i));
    return x;
}

static bool read_run(Lab *lab, const char *id, SettleRun *r, bool *done, Err *err)
{
    json_t *result = NULL, *blocks = NULL;
    int n;
    bool ok = ledger_last(lab->ledger, "result", id, &result, err) &&
              ledger_last(lab->ledger, "blocks", id, &blocks, err);
    *done = ok && result;
    if (*done) {
        const json_t *by = json_object_get(result, "bpb_by_source");
        r->failed = json_is_true(json_object_get(result, "failed"));
        r->bpb = json_num(result, "bpb", (double)NAN);
        r->seconds = json_num(result, "seconds", 0);
        r->flops = json_num(result, "flops", 0);
        for (int i = 0; i < MIXTURE_MAX && i < (int)json_array_size(by); i++)
            r->by_domain[i] = json_number_value(json_array_get(by, (size_t)i));
        r->bits = numbers(lab->arena, json_object_get(blocks, "bits"), &r->blocks);
        r->bytes = numbers(lab->arena, json_object_get(blocks, "bytes"), &n);
    }
    json_decref(result);
    json_decref(blocks);
    return ok;
}

static bool see_run(void *self, const Entry *e)
{
    Reading *r = self;
    const char *purpose = json_str(e->body, "purpose", "");
    if (strcmp(json_str(e->body, "experiment", ""), r->plan->id) != 0 ||
        json_str(e->body, "replay_of", "")[0])
        return true;
    SettleArm *arm = strcmp(purpose, "control") == 0 ? &r->arms->control : &r->arms->remedy;
    bool done = false;
    SettleRun run = { .id = arena_str(r->lab->arena, str_of(e->id)),
                      .seed = (uint64_t)json_int(e->body, "seed", 0),
                      .fresh = strcmp(purpose, "confirm") == 0 };
    r->ok = read_run(r->lab, run.id, &run, &done, r->err);
    if (r->ok && done && arm->n < VERDICT_RUNS) arm->run[arm->n++] = run;
    return r->ok;
}

/* ---- noise, and how often remedies have helped ---- */

typedef struct Group {
    Lab *lab;
    const char *id;
    double bpb[VERDICT_RUNS];
    int n;
} Group;

static bool see_control(void *self, const Entry *e)
{
    Group *g = self;
    RunResult result;
    bool found = false;
    Err err = { 0 };
    if (strcmp(json_str(e->body, "experiment", ""), g->id) == 0 &&
        strcmp(json_str(e->body, "purpose", ""), "control") == 0 && g->n < VERDICT_RUNS &&
        lab_result(g->lab, e->id, &result, &found, &err) && found && !result.failed)
        g->bpb[g->n++] = result.bpb;
    return true;
}

/* Controls of one settle are runs of one recipe; settles of the same base recipe and text are of
 * the same size, frame and machine, so their noise is one. */
static bool see_settle(void *self, const Entry *e)
{
    Reading *r = self;
    Group g = { .lab = r->lab, .id = e->id };
    if (strcmp(json_str(e->body, "base", ""), r->plan->base) != 0 ||
        !json_equal(json_object_get(e->body, "domains"), r->domains))
        return true;
    r->ok = ledger_each(r->lab->ledger, "run", 0, see_control, &g, r->err);
    noise_add(&r->arms->noise, g.bpb, g.n);
    return r->ok;
}

static bool see_settled(void *self, const Entry *e)
{
    Reading *r = self;
    if (strcmp(e->id, r->plan->id) == 0) return true;
    r->arms->decided++;
    r->arms->kept += strcmp(json_str(e->body, "decision", ""), "keep") == 0;
    return true;
}

static bool read_audit(Lab *lab, const SettlePlan *plan, SettleArms *arms, Err *err)
{
    json_t *body = NULL;
    if (!ledger_last(lab->ledger, "audit", plan->id, &body, err)) return false;
    if (body) arms->audit = json_is_true(json_object_get(body, "agrees")) ? 1 : -1;
    json_decref(body);
    return true;
}

bool settlearms_read(Lab *lab, const SettleOpt *opt, const SettlePlan *plan, SettleArms *arms,
                     Err *err)
{
    json_t *domains = json_array();
    for (int i = 0; i < opt->n_domains; i++)
        json_array_append_new(domains, json_string(opt->domains[i]));
    *arms = (SettleArms){ 0 };
    Reading r = {
        .lab = lab, .plan = plan, .arms = arms, .domains = domains, .err = err, .ok = true
    };
    bool ok = ledger_each(lab->ledger, "run", 0, see_run, &r, err) && r.ok &&
              ledger_each(lab->ledger, "settle", 0, see_settle, &r, err) && r.ok &&
              ledger_each(lab->ledger, "settled", 0, see_settled, &r, err) &&
              read_audit(lab, plan, arms, err);
    json_decref(domains);
    return ok;
}

/* ---- the rule's view ---- */

static int mean_bits(const SettleArm *arm, const int *index, int n, double *out, int cap)
{
    int blocks = n > 0 ? arm->run[index[0]].blocks : 0;
    if (blocks > cap) return 0;
    for (int b = 0; b < blocks; b++) out[b] = 0;
    for (int i = 0; i < n; i++) {
        const SettleRun *r = &arm->run[index[i]];
        if (r->blocks != blocks) return 0;
        for (int b = 0; b < blocks; b++) out[b] += r->bits[b] / n;
    }
    return blocks;
}

/* The held-out text's own error for these arms (docs/honest.md, section 1). */
static double text_error(const SettleArms *a, const int *bank, int m, const int *cand, int n)
{
    enum { CAP = 4096 };
    double x[CAP], y[CAP];
    int blocks = mean_bits(&a->control, bank, m, x, CAP);
    if (blocks < 2 || mean_bits(&a->remedy, cand, n, y, CAP) != blocks) return 0;
    return stat_jackknife_diff(x, y, a->control.run[bank[0]].bytes, blocks);
}

void settlearms_case(const SettleArms *a, const SettlePlan *plan, VerdictCase *c)
{
    int bank[VERDICT_RUNS], cand[VERDICT_RUNS];
    *c = (VerdictCase){
        .noise = a->noise, .kept = a->kept, .decided = a->decided, .audit = a->audit
    };
    for (int i = 0; i < a->control.n; i++) {
        if (a->control.run[i].failed) continue;
        bank[c->m] = i;
        c->bank[c->m++] = a->control.run[i].bpb;
    }
    for (int i = 0; i < a->remedy.n; i++) {
        const SettleRun *r = &a->remedy.run[i];
        bool failed = r->failed || verdict_failed(r->bpb, c->bank, c->m, noise_s(&c->noise));
        c->failed += failed;
        if (failed) continue;
        for (int k = 0; k < c->m; k++)
            if (a->control.run[bank[k]].seed == r->seed) c->twin[c->n] = k + 1;
        c->fresh += r->fresh;
        cand[c->n] = i;
        c->run[c->n++] = r->bpb;
    }
    /* A control beyond the first bank was run because a confirmation had begun. */
    c->confirming = c->fresh > 0 || c->m > plan->bank;
    c->e = text_error(a, bank, c->m, cand, c->n);
}

static int column(const SettleArm *arm, int domain, double *x)
{
    int n = 0;
    for (int i = 0; i < arm->n; i++)
        if (!arm->run[i].failed && isfinite(arm->run[i].by_domain[domain]))
            x[n++] = arm->run[i].by_domain[domain];
    return n;
}

json_t *settlearms_domains(const SettleArms *a, const SettleOpt *opt)
{
    json_t *list = json_array();
    for (int d = 0; d < opt->n_domains; d++) {
        double x[VERDICT_RUNS], y[VERDICT_RUNS];
        int m = column(&a->control, d, x), n = column(&a->remedy, d, y);
        Noise noise = { 0 };
        noise_add(&noise, x, m);
        noise_add(&noise, y, n);
        double gain = m > 0 && n > 0 ? stat_mean(x, m) - stat_mean(y, n) : (double)NAN;
        double half = m + n > 2 && noise.nu > 0 ? stat_t_quantile(0.95, noise.nu) *
                                                      noise_s(&noise) * sqrt(1.0 / m + 1.0 / n)
                                                : (double)NAN;
        json_array_append_new(list,
                              json_pack("{s:s, s:o, s:o, s:o}", "name", opt->domains[d], "gain",
                                        json_num_of(gain), "low", json_num_of(gain - half), "high",
                                        json_num_of(gain + half)));
    }
    return list;
}
