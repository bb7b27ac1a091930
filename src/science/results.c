/* results.c - which runs are one recipe's, and the rule over them.
 *
 * Rows of another trainer know no recipes, only cells.  Two things must not go wrong.  A
 * champion's run that stands in ten proposals is one run: counted ten times it would make the
 * noise look measured when it is not.  And the runs that found a winner are lucky ones: where a
 * winner has others, those make its bank (docs/honest.md, 4).
 *
 * The rule is asked run by run, as if the experiments were being made.  Where it wants one more
 * champion run and the rows have none, the verdict goes on with the bank there is: the bank's own
 * error is in it, so that it is weaker and not wrong. */
#include "science/results.h"

#include <math.h>
#include <string.h>

#include "science/gain.h"
#include "science/stats.h"

typedef struct Run {
    const char *seed;
    double value;
    int recipe;
    bool lucky;  /* it found a winner */
    bool failed; /* not finite, or far worse than the champion that it was judged against */
} Run;

typedef struct Book {
    const ResultsRow *row;
    int rows;
    const ResultsOpt *opt;
    Run *run;
    int runs;
    int *parent;       /* of a recipe: itself, or one that it turned out to be */
    int *first, *last; /* of a recipe: its runs as a list; -1: none */
    int *next;         /* of a run */
    int recipes, kept, decided, last_champion, last_winner;
    Pairs pairs;
    Arena *arena;
} Book;

static int root(const Book *b, int recipe)
{
    while (b->parent[recipe] != recipe) recipe = b->parent[recipe];
    return recipe;
}

static int new_recipe(Book *b)
{
    b->parent[b->recipes] = b->recipes;
    b->first[b->recipes] = b->last[b->recipes] = -1;
    return b->recipes++;
}

/* Recipe `other` was `recipe` all along. */
static void unite(Book *b, int other, int recipe)
{
    int from = root(b, other), to = root(b, recipe);
    if (from == to || b->first[from] < 0) return;
    if (b->first[to] >= 0) {
        b->next[b->last[from]] = b->first[to];
        b->first[to] = b->first[from];
    } else {
        b->first[to] = b->first[from];
        b->last[to] = b->last[from];
    }
    b->first[from] = -1;
    b->parent[from] = to;
}

static bool same_run(const Run *r, const char *seed, double value)
{
    return r->value == value && strcmp(r->seed, seed) == 0;
}

/* Adds the run unless its recipe has it. */
static void add_run(Book *b, int recipe, const char *seed, double value)
{
    int to = root(b, recipe);
    for (int i = b->first[to]; i >= 0; i = b->next[i])
        if (same_run(&b->run[i], seed, value)) return;
    int at = b->runs++;
    b->run[at] =
        (Run){ .seed = seed, .value = value, .recipe = recipe, .failed = !isfinite(value) };
    b->next[at] = -1;
    if (b->first[to] < 0)
        b->first[to] = at;
    else
        b->next[b->last[to]] = at;
    b->last[to] = at;
}

/* The champion of proposal `name`: its cells, and every recipe that shares a run with them. */
static int find_champion(Book *b, const char *name)
{
    int champion = -1;
    for (int i = 0; i < b->rows; i++) {
        const ResultsRow *row = &b->row[i];
        if (!row->has_champion || strcmp(row->proposal, name) != 0) continue;
        if (champion < 0) champion = new_recipe(b);
        for (int k = 0; k < b->runs; k++)
            if (isfinite(row->champion) && same_run(&b->run[k], row->seed, row->champion))
                unite(b, b->run[k].recipe, champion);
        add_run(b, champion, row->seed, row->champion);
    }
    if (champion >= 0) return champion;
    return b->last_winner >= 0 ? b->last_winner : b->last_champion;
}

static int values_of(const Book *b, int recipe, double *out, int cap)
{
    int n = 0;
    for (int i = b->first[root(b, recipe)]; i >= 0 && n < cap; i = b->next[i])
        if (!b->run[i].failed) out[n++] = b->run[i].value;
    return n;
}

/* About sigma, whatever single runs did: the median distance of runs from their recipe's median,
 * with half as much again because recipes of two or three runs lie close to their own medians. */
static double rough_sigma(const Book *b)
{
    Arena scratch = *b->arena; /* what is taken from the copy is free again on return */
    double *off = NEW(&scratch, double, b->runs + 1), x[VERDICT_RUNS];
    int n = 0;
    for (int r = 0; r < b->recipes; r++) {
        int runs = root(b, r) == r ? values_of(b, r, x, VERDICT_RUNS) : 0;
        for (int i = 0; i < runs && runs > 1; i++) off[n++] = fabs(x[i] - stat_median(x, runs));
    }
    return n > 0 ? 1.5 * stat_median(off, n) / 0.6745 : (double)INFINITY;
}

/* Residuals of all recipes; a run far above the others of its recipe failed and is left out. */
static Noise noise_now(const Book *b)
{
    Noise noise = { 0 };
    double s = rough_sigma(b);
    if (b->opt->sigma > 0) return (Noise){ 1000 * b->opt->sigma * b->opt->sigma, 1000 };
    for (int r = 0; r < b->recipes; r++) {
        double all[VERDICT_RUNS], x[VERDICT_RUNS];
        int n = 0, runs = root(b, r) == r ? values_of(b, r, all, VERDICT_RUNS) : 0;
        for (int i = 0; i < runs; i++)
            if (!(s > 0) || !verdict_failed(all[i], all, runs, s)) x[n++] = all[i];
        noise_add(&noise, x, n);
    }
    return noise;
}

static void fill_bank(const Book *b, int champion, double s, VerdictCase *c, const char **seed,
                      bool *lucky)
{
    double all[VERDICT_RUNS];
    int n = values_of(b, champion, all, VERDICT_RUNS);
    for (int pass = 0; pass < 2 && c->m == 0; pass++)
        for (int i = b->first[root(b, champion)]; i >= 0 && c->m < VERDICT_RUNS; i = b->next[i]) {
            const Run *r = &b->run[i];
            if (r->lucky && pass == 0) continue;
            if (verdict_failed(r->value, all, n, s)) continue;
            *lucky = *lucky || r->lucky;
            seed[c->m] = r->seed;
            c->bank[c->m++] = r->value;
        }
}

static void feed(VerdictCase *c, const Run *r, const char *const *seed)
{
    if (r->failed) {
        c->failed++;
        return;
    }
    c->twin[c->n] = 0;
    for (int i = 0; i < c->m; i++)
        if (strcmp(seed[i], r->seed) == 0) c->twin[c->n] = i + 1;
    c->run[c->n++] = r->value;
    c->fresh += c->confirming;
}

static void plain_interval(const VerdictCase *c, ResultsVerdict *v)
{
    if (!isfinite(v->ev.D)) {
        v->plain_low = v->plain_high = (double)NAN;
        return;
    }
    double half = stat_t_quantile(0.95, c->noise.nu) * v->ev.s * sqrt(v->ev.v);
    v->plain_low = v->ev.D - half;
    v->plain_high = v->ev.D + half;
}

/* Runs the rule over runs first..end-1, which are the candidate's. */
static void decide(Book *b, VerdictCase *c, int first, int end, const char *const *seed,
                   ResultsVerdict *v)
{
    int at = first, opened = end;
    c->audit = 1; /* there is no second held-out set to ask */
    for (;;) {
        v->step = verdict_next(c, &v->ev);
        if (v->ev.confirming && !c->confirming) opened = at;
        c->confirming = v->ev.confirming;
        if (v->step >= VERDICT_KEEP || at == end || c->n == VERDICT_RUNS) break;
        feed(c, &b->run[at++], seed);
    }
    plain_interval(c, v);
    v->m = c->m;
    v->n = c->n;
    v->failed = c->failed;
    v->rho = c->rho;
    for (int i = first; i < opened && v->step == VERDICT_KEEP; i++) b->run[i].lucky = true;
}

static void remember_pairs(Book *b, const VerdictCase *c)
{
    double bank[VERDICT_RUNS], run[VERDICT_RUNS];
    int n = 0;
    for (int i = 0; i < c->n; i++) {
        if (c->twin[i] <= 0) continue;
        bank[n] = c->bank[c->twin[i] - 1];
        run[n++] = c->run[i];
    }
    pairs_add(&b->pairs, bank, run, n);
}

static bool judge(Book *b, ResultsVerdict *v, Err *err)
{
    VerdictCase c = { .e = b->opt->e, .kept = b->kept, .decided = b->decided };
    const char *seed[VERDICT_RUNS];
    int champion = find_champion(b, v->proposal);
    if (champion < 0)
        return err_set(err, ERR_CONFIG, "proposal %s comes before any run of a champion",
                       v->proposal);
    c.noise = noise_now(b);
    if (c.noise.nu < 1)
        return err_set(err, ERR_CONFIG,
                       "at proposal %s no recipe has run on two seeds yet, so that nothing says "
                       "how much seeds differ: add champion runs, or give --sigma",
                       v->proposal);
    v->s = noise_s(&c.noise);
    v->nu = c.noise.nu;
    fill_bank(b, champion, v->s, &c, seed, &v->bank_lucky);
    if (c.m == 0)
        return err_set(err, ERR_CONFIG, "no run of the champion of proposal %s finished",
                       v->proposal);
    c.rho = pairs_rho(&b->pairs, NULL, NULL);
    int first = b->runs, candidate = new_recipe(b);
    for (int i = 0; i < b->rows; i++)
        if (b->row[i].has_candidate && strcmp(b->row[i].proposal, v->proposal) == 0)
            add_run(b, candidate, b->row[i].seed, b->row[i].candidate);
    v->given = b->runs - first;
    for (int i = first; i < b->runs; i++)
        b->run[i].failed = verdict_failed(b->run[i].value, c.bank, c.m, v->s);
    decide(b, &c, first, b->runs, seed, v);
    remember_pairs(b, &c);
    b->last_champion = champion;
    b->decided += v->step >= VERDICT_KEEP;
    if (v->step != VERDICT_KEEP) return true;
    b->kept++;
    b->last_winner = candidate;
    return true;
}

static int count_proposals(const ResultsRow *row, int rows, Arena *out, ResultsVerdict **verdict)
{
    int n = 0;
    *verdict = NEW(out, ResultsVerdict, MAX(rows, 1));
    for (int i = 0; i < rows; i++) {
        bool seen = false;
        for (int k = 0; k < n && !seen; k++)
            seen = strcmp((*verdict)[k].proposal, row[i].proposal) == 0;
        if (!seen) (*verdict)[n++].proposal = row[i].proposal;
    }
    return n;
}

bool results_judge(const ResultsRow *row, int rows, const ResultsOpt *opt, Arena *out,
                   ResultsVerdict **verdict, int *count, Err *err)
{
    *count = count_proposals(row, rows, out, verdict);
    Book b = { .row = row, .rows = rows, .opt = opt, .arena = out };
    b.last_champion = b.last_winner = -1;
    b.run = NEW(out, Run, 2 * rows + 1);
    b.next = NEW(out, int, 2 * rows + 1);
    b.parent = NEW(out, int, 2 * *count + 1);
    b.first = NEW(out, int, 2 * *count + 1);
    b.last = NEW(out, int, 2 * *count + 1);
    for (int i = 0; i < *count; i++)
        if (!judge(&b, &(*verdict)[i], err)) return false;
    return true;
}

int results_ratchet(const RatchetRow *row, int rows, double sigma, RatchetKeep *out, int cap)
{
    int champion = -1, n = 0, kept = 0, decided = 0;
    for (int i = 0; i < rows; i++) {
        bool keep = row[i].kept && isfinite(row[i].value);
        if (keep && champion >= 0 && n < cap) {
            double d = (row[champion].value - row[i].value) / sigma,
                   pi = (2.0 + kept) / (20 + decided);
            GainFit fit = gain_fit(d, 2, 1000);
            double P = pi * fit.B / (pi * fit.B + 1 - pi), half = 1.6448536269514722 * sqrt(2.0);
            out[n++] = (RatchetKeep){ .row = i,
                                      .champion = champion,
                                      .gain = d * sigma,
                                      .P = P,
                                      .effect = P * fit.mean * sigma,
                                      .low = (d - half) * sigma,
                                      .high = (d + half) * sigma };
            kept += P >= 0.8;
        }
        decided += champion >= 0;
        if (keep) champion = i;
    }
    return n;
}

double results_ratchet_bar(void)
{
    double low = 0, high = 20;
    for (int i = 0; i < 50; i++) {
        double d = (low + high) / 2, B = gain_fit(d, 2, 1000).B;
        if (0.1 * B >= 0.8 * (0.1 * B + 0.9))
            high = d;
        else
            low = d;
    }
    return high;
}
