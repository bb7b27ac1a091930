/* mixture_weights.c - how much of which source, and from which step on.
 *
 * Weights decide which rows a model reads, so they may not depend on a libm whose last bit differs
 * between machines: the power that a temperature asks for is made of multiplications and square
 * roots, which IEEE 754 rounds alike everywhere.
 *
 * A curriculum is a list of steps from which other weights hold.  Within each stretch the order of
 * sources is the loader's rotation, so every stretch keeps to its weights at every row, and where a
 * source goes on after a pause is a sum over the stretches before: still nothing is remembered. */
#include "data/mixture_weights.h"

#include <math.h>
#include <string.h>

/* x^a for 0 < x <= 1 and a > 0: the binary digits of log2 x by squaring, and two to the power of
 * the digits of the product by roots of two. */
static double power(double x, double a)
{
    int e;
    double m = 2 * frexp(x, &e), log2 = e - 1, root = sqrt(2), result;
    for (double bit = 0.5; bit > 1e-16; bit /= 2) {
        m *= m;
        if (m < 2) continue;
        m /= 2;
        log2 += bit;
    }
    double whole = floor(a * log2), rest = a * log2 - whole;
    if (whole < -1000) return 0;
    result = ldexp(1, (int)whole);
    for (int i = 0; i < 52; i++, root = sqrt(root)) {
        rest *= 2;
        if (rest < 1) continue;
        rest -= 1;
        result *= root;
    }
    return result;
}

static void share_out(double *weight, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++) sum += weight[i];
    for (int i = 0; i < count; i++) weight[i] /= sum;
}

void mixture_heat(double *weight, int count, double temperature)
{
    double most = 0;
    for (int i = 0; i < count; i++) most = MAX(most, weight[i]);
    if (temperature < 1 || temperature > 1)
        for (int i = 0; i < count; i++) weight[i] = power(weight[i] / most, 1 / temperature);
    share_out(weight, count);
}

static int find_source(const Mixture *m, Str name)
{
    for (int i = 0; i < m->count; i++)
        if (str_eq(name, str_of(m->source[i].name))) return i;
    return -1;
}

static bool complain(Str item, const char *why, Err *err)
{
    return err_set(err, ERR_CONFIG,
                   "data.curriculum: \"%.*s\" %s; say it as \"400 books:1,gov:3; 800 "
                   "gov:1\", steps with the weights that hold from there on",
                   (int)MIN(item.len, (ptrdiff_t)80), item.at, why);
}

/* "books:1,gov:3" */
static bool read_weights(const Mixture *m, Str list, double *weight, Err *err)
{
    Str item, name;
    double sum = 0;
    while (list.at && str_cut(&list, ',', &item)) {
        Str rest = str_trim(item);
        double w;
        int i = str_cut(&rest, ':', &name) ? find_source(m, str_trim(name)) : -1;
        if (i < 0) return complain(item, "names no data set of data.sources", err);
        if (!str_to_double(str_trim(rest), &w) || !(w > 0) || w > 1e100)
            return complain(item, "has no weight above 0", err);
        if (weight[i] > 0) return complain(item, "names a data set twice", err);
        sum += weight[i] = w;
    }
    return sum > 0;
}

bool mixture_read_curriculum(Mixture *m, Str text, Err *err)
{
    Str item, step;
    int64_t before = 0;
    for (text = str_trim(text); text.len > 0 && str_cut(&text, ';', &item);) {
        Str rest = str_trim(item);
        if (m->n_later == MIXTURE_PHASES)
            return err_set(err, ERR_CONFIG, "data.curriculum has more than %d steps",
                           MIXTURE_PHASES);
        MixturePhase *p = &m->later[m->n_later++];
        *p = (MixturePhase){ 0 };
        if (!str_cut(&rest, ' ', &step) || !str_to_i64(step, &p->from_step) ||
            p->from_step <= before || !str_trim(rest).len)
            return complain(item, "does not begin with a step behind the one before", err);
        before = p->from_step;
        if (!read_weights(m, str_trim(rest), p->weight, err)) return false;
        share_out(p->weight, m->count);
    }
    return true;
}
