/* audit_loss.c - documents that a model finds much harder than the others, or much easier.
 *
 * Needs a file of scores (`lathe data score NAME`).  Bits per byte of each document, as a distance
 * from the median in robust standard deviations (1.4826 times the median deviation), on a
 * logarithmic scale, because losses are skewed.  Six of them are far out by any law of tails: such
 * a document is another kind of text, noise, or one that the model has seen too often.  Which of
 * these it is, the examples say; the remedy takes out the hard ones alone, for what is easy may
 * be what the model has learned best. */
#include <math.h>
#include <stdlib.h>

#include "base/file.h"
#include "data/audit_inside.h"
#include "data/scores.h"

enum { FEWEST = 50 }; /* tokens to judge a document by */
static const double far_out = 6;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(double *x, int64_t n)
{
    qsort(x, (size_t)n, sizeof(*x), by_value);
    return x[n / 2];
}

/* The logarithm of each document's bits per byte; NaN of those that are too short. */
static int64_t measure_all(const Audit *a, const Scores *s, double *log_bits, double *known)
{
    int64_t n = 0;
    for (int64_t i = 0; i < a->docs.count; i++) {
        double nats = scores_nats(s, i);
        bool enough = scores_tokens(s, i) >= FEWEST && nats > 0 && isfinite(nats);
        log_bits[i] = enough ? log(nats / (double)audit_doc(a, i).len) : (double)NAN;
        if (enough) known[n++] = log_bits[i];
    }
    return n;
}

static void hit_outliers(Audit *a, const double *log_bits, double *known, int64_t n, AuditFind *f)
{
    double *measure = audit_measure(a), middle = median_of(known, n), spread;
    int64_t easy = 0;
    for (int64_t i = 0; i < n; i++) known[i] = fabs(known[i] - middle);
    spread = 1.4826 * median_of(known, n);
    for (int64_t i = 0; i < a->docs.count; i++) {
        measure[i] = isnan(log_bits[i]) || spread <= 0 ? 0 : (log_bits[i] - middle) / spread;
        easy += measure[i] < -far_out;
        Str doc = audit_doc(a, i);
        if (measure[i] > far_out)
            audit_hit(f, (AuditHit){ i, measure[i], doc.len / 2, 200, doc.len });
    }
    f->detail = json_pack("{s:f,s:I}", "median_bits_per_byte", exp(middle) / 0.6931471805599453,
                          "far_easier", (json_int_t)easy);
}

static bool look(Audit *a, Err *err)
{
    Scores s = { 0 };
    if (!a->job->scores)
        return audit_not_asked(a, "--scores RUN names a model whose `lathe data score` is there");
    if (!scores_open(&s, a->job->scores, a->docs.sha256, err)) return false;
    CHECK(s.documents == a->docs.count, "scores of another text");
    double *log_bits = NEW(a->arena, double, a->docs.count);
    double *known = NEW(a->arena, double, a->docs.count);
    AuditFind f = { .remedy = "the documents go" };
    int64_t n = measure_all(a, &s, log_bits, known);
    if (n > 0) hit_outliers(a, log_bits, known, n, &f);
    f.what = arena_printf(a->arena,
                          "documents that %s finds harder than the others by more than six "
                          "robust standard deviations",
                          s.run[0] ? s.run : "the model");
    scores_close(&s);
    return audit_find(a, &f, err);
}

const AuditDef audit_loss = {
    .kind = "loss",
    .doc = "documents that a model finds far harder than the others (--scores)",
    .look = look,
};
