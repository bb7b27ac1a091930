/* chart.c - series that grow. */
#include "doctor/chart.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Says {
    const char *key, *name;
} Says;

static const Says says[SIGNALS] = {
    [SIG_LOSS] = { "loss", "loss" },
    [SIG_VAL] = { "val_loss", "held-out loss" },
    [SIG_NORM] = { "grad_norm", "gradient norm" },
    [SIG_RATE] = { "lr", "rate" },
    [SIG_RATIO] = { "update_ratio", "update ratio" },
    [SIG_SCALE] = { "loss_scale", "scale" },
    [SIG_SKIPPED] = { "skipped", "skipped steps" },
    [SIG_NAN] = { "nan", "NaN steps" },
    [SIG_SECONDS] = { "seconds", "seconds a step" },
    [SIG_GRAD] = { "grad", "gradient norm of a weight" },
    [SIG_WEIGHT] = { "weight", "norm of a weight" },
    [SIG_UPDATE] = { "update", "update ratio of a weight" },
    [SIG_STILL] = { "still", "share left unchanged" },
    [SIG_EPS] = { "below_eps", "share below epsilon" },
    [SIG_LAG] = { "lag", "gradient over its memory" },
    [SIG_STREAM] = { "stream", "size of the stream" },
    [SIG_EXTREME] = { "extreme", "largest activation" },
    [SIG_DEAD] = { "dead", "share of dead units" },
    [SIG_BUSY] = { "busy", "share of units always on" },
    [SIG_ENTROPY] = { "entropy", "entropy of attention" },
    [SIG_LOGIT] = { "logit", "attention logit" },
    [SIG_HEADOUT] = { "head_out", "output of a head" },
    [SIG_COSINE] = { "cosine", "likeness of token states" },
    [SIG_RANK] = { "rank", "rank of token states" },
    [SIG_LOGZ] = { "logz", "log-normaliser" },
    [SIG_GAIN] = { "gain", "gain of a step" },
    [SIG_SHARP] = { "sharp", "sharpness along the step" },
    [SIG_MEDIAN] = { "token_median", "median token loss" },
    [SIG_TAIL] = { "token_tail", "95th percentile of token losses" },
    [SIG_EARLY] = { "loss_early", "loss of early positions" },
    [SIG_LATE] = { "loss_late", "loss of late positions" },
    [SIG_NOISE] = { "noise_scale", "gradient noise scale" },
    [SIG_REPEAT] = { "repeat", "batches read before" },
    [SIG_TWIN] = { "twin", "equal micro-batches" },
    [SIG_EPOCH] = { "epoch", "epoch" },
    [SIG_WAIT] = { "wait", "share of waiting" },
    [SIG_SPEED] = { "tokens_per_s", "tokens a second" },
    [SIG_MEMORY] = { "memory", "memory" },
    [SIG_UNIGRAM] = { "unigram", "entropy of single tokens" },
    [SIG_UNUSED] = { "unused", "share of unused tokens" },
};

const char *signal_name(Signal s)
{
    return says[s].name;
}

const char *signal_key(Signal s)
{
    return says[s].key;
}

int signal_of(const char *key)
{
    for (int s = 0; s < SIGNALS; s++)
        if (strcmp(says[s].key, key) == 0) return s;
    return -1;
}

/* The smaller, the worse. */
static bool is_low(Signal s)
{
    return s == SIG_GRAD || s == SIG_ENTROPY || s == SIG_HEADOUT || s == SIG_RANK;
}

static bool series_add(Series *of, double step, double x)
{
    if (of->n > 0 && !(step > of->step[of->n - 1])) return false;
    if (of->n == of->cap) {
        of->cap = MAX(2 * of->cap, 64);
        of->step = realloc(of->step, (size_t)of->cap * sizeof *of->step);
        of->x = realloc(of->x, (size_t)of->cap * sizeof *of->x);
        CHECK(of->step && of->x, "no memory for %d steps", of->cap);
    }
    of->step[of->n] = step;
    of->x[of->n++] = x;
    return true;
}

bool chart_add(Chart *c, Signal s, double step, double x)
{
    if (s == SIG_UNIGRAM) c->unigram = x;
    return series_add(&c->of[s], step, x);
}

static Part *part_of(Chart *c, Signal s, const char *where)
{
    for (int i = 0; i < c->parts; i++)
        if (c->part[i].signal == s && strcmp(c->part[i].where, where) == 0) return &c->part[i];
    if (c->parts == c->parts_cap) {
        c->parts_cap = MAX(2 * c->parts_cap, 64);
        c->part = realloc(c->part, (size_t)c->parts_cap * sizeof *c->part);
        CHECK(c->part, "no memory for %d signals", c->parts_cap);
    }
    Part *p = &c->part[c->parts++];
    *p = (Part){ .signal = s };
    snprintf(p->where, sizeof p->where, "%s", where);
    return p;
}

bool chart_add_part(Chart *c, Signal s, const char *where, double step, double x)
{
    Series *all = &c->of[s];
    if (!series_add(&part_of(c, s, where)->s, step, x)) return false;
    if (all->n == 0 || all->step[all->n - 1] < step) return series_add(all, step, x);
    double *worst = &all->x[all->n - 1];
    if (!isfinite(x) || (is_low(s) ? x < *worst : x > *worst)) *worst = x;
    return true;
}

void chart_free(Chart *c)
{
    for (int s = 0; s < SIGNALS; s++) {
        free(c->of[s].step);
        free(c->of[s].x);
    }
    for (int i = 0; i < c->parts; i++) {
        free(c->part[i].s.step);
        free(c->part[i].s.x);
    }
    free(c->part);
    *c = (Chart){ 0 };
}

static void series_cut(Series *s, double step)
{
    while (s->n > 0 && s->step[s->n - 1] > step) s->n--;
}

Chart chart_until(const Chart *c, double step, Arena *out)
{
    Chart cut = *c;
    cut.part = NEW(out, Part, MAX(c->parts, 1));
    for (int s = 0; s < SIGNALS; s++) series_cut(&cut.of[s], step);
    for (int i = 0; i < c->parts; i++) {
        cut.part[i] = c->part[i];
        series_cut(&cut.part[i].s, step);
    }
    return cut;
}

double chart_last(const Chart *c)
{
    double last = 0;
    for (int s = 0; s < SIGNALS; s++)
        if (c->of[s].n > 0) last = MAX(last, c->of[s].step[c->of[s].n - 1]);
    return last;
}
