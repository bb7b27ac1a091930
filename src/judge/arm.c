/* arm.c - questions, probes, and what follows from the answers.
 *
 * Why two sittings catch whoever looks ahead.  Take the answer at place i of a row that counts.
 * In the second sitting a process that never saw that row gets it up to place i, and something
 * else behind.  If the first answer hung on what stood behind, on rows seen before, on rows beside
 * it, on the time, or on what was learned meanwhile, the second cannot be equal to the last bit but
 * by luck: what it hung on is not there any more.  So it does not matter how the candidate does it,
 * only how often it gains by it, and whether the probes go where it gains:
 *
 *   - where.  A probe that replaces the text from token k on tests the answer that predicts token
 *     k, and all before that look further ahead.  Half of the cuts are drawn from all places, half
 *     in proportion to what the answer was better than the frequency of its token says: a gain that
 *     was not earned is a gain, so the cuts go there.
 *   - unnoticed.  The ending is taken from a place that follows the same one or two tokens
 *     elsewhere in the text, or is the end of a document, so that no jump gives the probe away;
 *     and such rows stand in the first sitting too, so that their presence says nothing.
 *
 * Costs: an eighth of the rows more in the first sitting, and a second one of a quarter of the
 * rows, 256 at the least but never more than twice as many as there are.
 *
 * Rejected: a limit on how good a score may be, which says nothing about how it came about; scoring
 * one token at a time so that there is nothing ahead to be seen, at `context` times the cost;
 * asking the candidate for its loss. */
#include "judge/arm.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/rand.h"

enum {
    CELLS = 1 << 20, /* tokens that are shuffled together */
    DECOYS = 8,      /* one row in so many is asked again or altered in the first sitting */
    PROBES = 4,      /* one in so many in the second */
    PROBES_LEAST = 256
};

/* One row as it is asked. */
typedef struct Item {
    int row;        /* whose beginning it has */
    int cut;        /* answers before this place must stand; for a row that counts, all */
    int kind;       /* of a probe; -1: it counts */
    ptrdiff_t from; /* suffix: the cell where the other ending is read */
    uint64_t *mark; /* (context): a hash of each answer */
} Item;

typedef struct Arm {
    const ArmJob *job;
    ArmResult *result;
    int vocab, rows;                 /* rows: of this call */
    const int32_t *tokens, *targets; /* (rows, context) */
    double *nll;                     /* (rows, context) */
    double *common;                  /* (vocab): -ln of each token's share of the targets */
    Item *real;                      /* (rows) */
    int32_t *asked;                  /* (sitting's rows, context) */
    float *logits;                   /* (sitting's rows, context, vocab) */
    Rand rand;
    Arena *out;
} Arm;

/* ---- what is asked ---- */

static int scored(const Arm *a, int row)
{
    int C = a->job->context, n = 0;
    while (n < C && a->targets[(ptrdiff_t)row * C + n] >= 0) n++;
    return n;
}

/* Cells whose token follows the same two tokens as the one at `cut` of `row`, else the same one,
 * and is another; else any. */
static ptrdiff_t other_ending(Arm *a, int row, int cut)
{
    int C = a->job->context;
    ptrdiff_t n = (ptrdiff_t)a->rows * C, here = (ptrdiff_t)row * C + cut, best = -1;
    ptrdiff_t begin = (ptrdiff_t)rand_below(&a->rand, (uint64_t)n);
    const int32_t *t = a->tokens;
    for (ptrdiff_t i = 0; i < n; i++) {
        ptrdiff_t at = (begin + i) % n;
        if (at % C == 0 || at / C == row || a->targets[at - 1] < 0 || t[at] == t[here]) continue;
        if (t[at - 1] != t[here - 1]) continue;
        if (best < 0) best = at;
        if (cut < 2 || (at % C >= 2 && t[at - 2] == t[here - 2])) return at;
    }
    return best >= 0 ? best : begin;
}

static void write_row(const Arm *a, const Item *item, int32_t *to)
{
    int C = a->job->context;
    ptrdiff_t n = (ptrdiff_t)a->rows * C, from = item->from;
    memcpy(to, a->tokens + (ptrdiff_t)item->row * C, (size_t)C * sizeof(*to));
    if (item->kind == ARM_END)
        for (int i = item->cut; i < C; i++) to[i] = tokenizer_end(a->job->tokenizer);
    if (item->kind != ARM_SUFFIX) return;
    for (int i = item->cut; i < C; i++, from++) {
        if (from > item->from && from % C == 0) from++; /* it repeats the last token before */
        to[i] = a->tokens[from % n];
    }
}

/* ---- answers ---- */

/* The judge's own probabilities.  False: some number is none. */
static bool normalise(const float *logits, int V, int32_t target, double *nll)
{
    float most = logits[0];
    double sum = 0;
    for (int v = 0; v < V; v++) {
        if (!isfinite(logits[v])) return false;
        most = MAX(most, logits[v]);
    }
    for (int v = 0; v < V; v++) sum += exp((double)(logits[v] - most));
    *nll = log(sum) + (double)most - (double)logits[target];
    return true;
}

static bool reject(Arm *a, const char *why)
{
    a->result->rejected = true;
    snprintf(a->result->why, sizeof(a->result->why), "%s", why);
    return false;
}

static bool take_answer(Arm *a, const Item *item, const float *logits)
{
    int C = a->job->context, n = item->kind < 0 ? scored(a, item->row) : item->cut;
    for (int i = 0; i < n; i++) {
        const float *l = logits + (ptrdiff_t)i * a->vocab;
        ptrdiff_t cell = (ptrdiff_t)item->row * C + i;
        item->mark[i] = hash64(l, (ptrdiff_t)a->vocab * 4, a->job->secret);
        if (item->kind < 0 && !normalise(l, a->vocab, a->targets[cell], &a->nll[cell]))
            return reject(a, "it answered with numbers that are not finite");
    }
    return true;
}

static void shuffle(Arm *a, Item *const *from, Item **to, int n)
{
    for (int i = 0; i < n; i++) {
        int j = (int)rand_below(&a->rand, (uint64_t)i + 1);
        to[i] = to[j];
        to[j] = from[i];
    }
}

static bool ask_all(Arm *a, Item *const *item, int n, Err *err)
{
    const Sitting *s = a->job->sitting;
    int C = a->job->context;
    for (int at = 0; at < n; at += s->rows) {
        int rows = MIN(s->rows, n - at);
        if (stop_asked()) return err_set(err, ERR_STOPPED, "stopped while judging");
        for (int r = 0; r < rows; r++) write_row(a, item[at + r], a->asked + (ptrdiff_t)r * C);
        if (!s->ask(s->self, a->asked, rows, a->logits, err)) return false;
        for (int r = 0; r < rows; r++)
            if (!take_answer(a, item[at + r], a->logits + (ptrdiff_t)r * C * a->vocab))
                return err_set(err, ERR_FORMAT, "%s", a->result->why);
    }
    return true;
}

static bool sit(Arm *a, Item *const *item, int n, Err *err)
{
    const Sitting *s = a->job->sitting;
    Item **order = NEW(a->out, Item *, n);
    shuffle(a, item, order, n);
    bool ok = s->begin(s->self, err) && ask_all(a, order, n, err);
    s->end(s->self);
    return ok;
}

/* ---- probes ---- */

static double gain_at(const Arm *a, ptrdiff_t cell)
{
    return a->targets[cell] < 0 ? 0 : MAX(a->common[a->targets[cell]] - a->nll[cell], 0);
}

/* A cell in proportion to its gain over the frequencies. */
static ptrdiff_t where_it_gains(Arm *a, double all)
{
    ptrdiff_t n = (ptrdiff_t)a->rows * a->job->context, last = 0;
    double left = rand_uniform(&a->rand) * all;
    for (ptrdiff_t i = 0; i < n && left > 0; i++) {
        double g = gain_at(a, i);
        if (g > 0) last = i;
        left -= g;
    }
    return last;
}

/* The place behind which a row is altered.  The answer at cut - 1 predicts the token at cut, so it
 * is the first that must not know.  0: the row has no such place. */
static void place_cut(Arm *a, Item *p, double all)
{
    int C = a->job->context;
    ptrdiff_t cell = (ptrdiff_t)rand_below(&a->rand, (uint64_t)a->rows * (uint64_t)C);
    if (all > 0 && rand_below(&a->rand, 2)) cell = where_it_gains(a, all);
    p->row = (int)(cell / C);
    int n = scored(a, p->row);
    p->cut = n < 2 ? 0 : MIN((int)(cell % C) + 1, n - 1);
}

static Item *new_probe(Arm *a, int kind, double all)
{
    Item *p = NEW(a->out, Item, 1);
    p->mark = NEW(a->out, uint64_t, a->job->context);
    p->kind = kind;
    place_cut(a, p, all);
    if (p->cut == 0) p->kind = all > 0 ? ARM_FRESH : ARM_AGAIN;
    if (p->kind == ARM_AGAIN || p->kind == ARM_FRESH) p->cut = scored(a, p->row);
    if (p->kind == ARM_SUFFIX) p->from = other_ending(a, p->row, p->cut);
    a->result->probes[p->kind]++;
    return p;
}

static void compare(Arm *a, Item *const *probe, int n)
{
    for (int i = 0; i < n; i++) {
        const Item *p = probe[i];
        bool same = memcmp(p->mark, a->real[p->row].mark, (size_t)p->cut * sizeof(*p->mark)) == 0;
        a->result->failed[p->kind] += !same;
    }
}

/* ---- both sittings ---- */

static bool first_sitting(Arm *a, Err *err)
{
    int n = 0, decoys = (a->rows + DECOYS - 1) / DECOYS;
    Item **all = NEW(a->out, Item *, a->rows + decoys);
    for (int r = 0; r < a->rows; r++) {
        a->real[r] = (Item){ .row = r, .kind = -1 };
        a->real[r].mark = NEW(a->out, uint64_t, a->job->context);
        all[n++] = &a->real[r];
    }
    for (int i = 0; i < decoys; i++) all[n++] = new_probe(a, i % 2 ? ARM_SUFFIX : ARM_AGAIN, 0);
    if (!sit(a, all, n, err)) return false;
    compare(a, all + a->rows, decoys);
    return true;
}

static bool second_sitting(Arm *a, Err *err)
{
    static const int kinds[] = { ARM_SUFFIX, ARM_END, ARM_SUFFIX, ARM_FRESH };
    int n = MAX(a->rows / PROBES, MIN(2 * a->rows, PROBES_LEAST));
    double all = 0;
    for (ptrdiff_t i = 0; i < (ptrdiff_t)a->rows * a->job->context; i++) all += gain_at(a, i);
    Item **probe = NEW(a->out, Item *, n);
    for (int i = 0; i < n; i++) probe[i] = new_probe(a, kinds[i % 4], MAX(all, 1e-300));
    if (!sit(a, probe, n, err)) return false;
    compare(a, probe, n);
    return true;
}

/* What speaks loudest first: whoever answers the same row in two ways remembers, or throws dice,
 * and then looking ahead is not what was found. */
static bool weigh(Arm *a, Err *err)
{
    static const char *const says[ARM_KINDS] = {
        [ARM_AGAIN] = "a block that was asked twice got two answers: it remembers, or its answers "
                      "hang on chance or on the blocks beside",
        [ARM_FRESH] = "a fresh process answered the same block otherwise: its answers hang on what "
                      "it was asked before",
        [ARM_SUFFIX] = "its answers changed when the text behind them was replaced: it reads ahead",
        [ARM_END] = "its answers changed when the text behind them was taken away: it reads ahead",
    };
    for (int k = 0; k < ARM_KINDS; k++) {
        if (a->result->failed[k] == 0) continue;
        a->result->rejected = true;
        snprintf(a->result->why, sizeof(a->result->why), "%s (%d of %d times)", says[k],
                 a->result->failed[k], a->result->probes[k]);
        return err_set(err, ERR_FORMAT, "%s", a->result->why);
    }
    return true;
}

static void count_tokens(Arm *a)
{
    ptrdiff_t n = (ptrdiff_t)a->rows * a->job->context, seen = 0;
    for (ptrdiff_t i = 0; i < n; i++)
        if (a->targets[i] >= 0) a->common[a->targets[i]]++, seen++;
    for (int v = 0; v < a->vocab; v++)
        a->common[v] = log((double)(seen + a->vocab) / (a->common[v] + 1));
}

/* As the judge's predictor: all rows of a source at once, up to CELLS tokens. */
static bool answer(void *self, const int32_t *tokens, const int32_t *targets, int rows, int length,
                   double *nll, Err *err)
{
    Arm *a = self;
    Arena mark = *a->out;
    ptrdiff_t block = (ptrdiff_t)a->job->sitting->rows * length;
    memset(nll, 0, (size_t)rows * (size_t)length * sizeof(*nll));
    a->rows = rows;
    a->tokens = tokens;
    a->targets = targets;
    a->nll = nll;
    a->common = NEW(a->out, double, a->vocab);
    a->real = NEW(a->out, Item, rows);
    a->asked = NEW(a->out, int32_t, block);
    a->logits = NEW(a->out, float, block * a->vocab);
    a->result->rows += rows;
    count_tokens(a);
    bool ok = first_sitting(a, err) && second_sitting(a, err) && weigh(a, err);
    arena_rewind(a->out, mark);
    return ok;
}

bool arm_score(const JudgeText *text, const ArmJob *job, Arena *out, ArmResult *result, Err *err)
{
    *result = (ArmResult){ 0 };
    Arena scratch = arena_reserve((ptrdiff_t)1 << 34);
    Arm a = { .job = job,
              .result = result,
              .vocab = tokenizer_vocab(job->tokenizer),
              .rand = rand_stream(job->secret, "judge at arm's length"),
              .out = &scratch };
    Predictor p = { .self = &a,
                    .tokenizer = job->tokenizer,
                    .context = job->context,
                    .rows = MAX(1, CELLS / job->context),
                    .nll = answer };
    bool ok = judge_score_with(text, &p, out, &result->score, err);
    arena_release(&scratch);
    if (!ok && result->rejected) {
        *err = (Err){ 0 };
        result->score = (JudgeScore){ .bpb = (double)NAN };
        return true;
    }
    return ok;
}
