/* Every operation in the list, without knowing any: derivatives against finite differences, every
 * level against the definition in double, levels and threads against each other to the bit, causes
 * before effects, rows alone and in company.  What an op computes is test_tensor_math.c's. */
#include "tests/op_rig.h"

typedef void EachCase(const OpDef *op, const OpCase *shape, int number);

static void each_case(EachCase *f)
{
    int count;
    const OpDef *const *ops = op_all(&count);
    for (int i = 0; i < count; i++)
        for (int k = 0; k < ops[i]->n_cases; k++)
            if (op_kernel(ops[i], LEVEL_REF)) f(ops[i], &ops[i]->cases[k], k);
}

/* ---- finite differences ---------------------------------------------------------------------- */

/* sum(out * d_out): its slope tells a wrong derivative from a right one; that of sum(out) would
 * let a wrong softmax pass.  A LOSS has but its first output.  *size: the same of magnitudes. */
static double weighted_sum(Rig *r, double *size)
{
    rig_forward(r);
    if (r->op->kind == OP_LOSS) return *size = rig_get(r, RIG_OUT, 0, 0);
    double sum = 0;
    *size = 0;
    for (int i = 0; i < r->op->n_out; i++)
        for (ptrdiff_t k = 0; k < tensor_count(r->node.out[i]); k++) {
            double term = rig_get(r, RIG_OUT, i, k) * rig_get(r, RIG_D_OUT, i, k);
            sum += term;
            *size += fabs(term);
        }
    return sum;
}

static double slope(Rig *probe, int input, ptrdiff_t k, double *size)
{
    const double h = 1e-6;
    double x = rig_get(probe, RIG_IN, input, k);
    rig_set(probe, RIG_IN, input, k, x + h);
    double up = weighted_sum(probe, size);
    rig_set(probe, RIG_IN, input, k, x - h);
    double down = weighted_sum(probe, size);
    rig_set(probe, RIG_IN, input, k, x);
    return (up - down) / (2 * h);
}

static void check_slopes(const OpDef *op, const OpCase *shape, int number)
{
    if (op->no_grad) return;
    Rig *r = rig_new(op, shape, LEVEL_REF, (RigOpt){ 0 });
    Rig *probe = rig_new(op, shape, LEVEL_REF, (RigOpt){ .strided = true });
    rig_run(r);
    Rand pick = rand_stream(3, op->name);
    for (int i = 0; i < op->n_in; i++) {
        if (!rig_wants(r, i)) continue;
        ptrdiff_t n = rig_count(r, i), tries = n > 1000 ? 8 : MIN(n, 40);
        for (ptrdiff_t t = 0; t < tries; t++) {
            ptrdiff_t k = n <= 40 ? t : (ptrdiff_t)rand_below(&pick, (uint64_t)n);
            double size, want = slope(probe, i, k, &size), got = rig_get(r, RIG_D_IN, i, k);
            double room = 1e-6 * MAX(1, fabs(want)) + 1e-9 * size;
            EXPECT_MSG(fabs(got - want) <= room, "%s case %d: d_in[%d][%td] is %.9g, slope %.9g",
                       op->name, number, i, k, got, want);
        }
    }
    rig_free(r);
    rig_free(probe);
}

TEST(derivatives_are_slopes_of_a_weighted_sum)
{
    each_case(check_slopes);
}

/* ---- comparing rigs -------------------------------------------------------------------------- */

/* What a call leaves behind: outputs, gradients, and the inputs of a STATE op. */
static int results(const Rig *r, int kind)
{
    if (kind == RIG_OUT) return r->op->n_out;
    if (kind == RIG_SAVED) return r->op->n_saved;
    return kind == RIG_D_IN || kind == RIG_IN ? r->op->n_in : 0;
}

static void expect_close(Rig *a, Rig *b, double room, const char *what)
{
    for (int kind = 0; kind < RIG_KINDS; kind++)
        for (int i = 0; i < results(a, kind); i++) {
            if (!a->block[kind][i]) continue;
            ptrdiff_t n = tensor_count(rig_tensor(a, kind, i));
            double top = 0, worst = 0;
            for (ptrdiff_t k = 0; k < n; k++) {
                double x = rig_get(a, kind, i, k), y = rig_get(b, kind, i, k);
                top = MAX(top, fabs(y));
                worst = fabs(x - y) <= worst ? worst : fabs(x - y); /* so written, NaN is worst */
            }
            EXPECT_MSG(worst <= room * MAX(top, 0.05),
                       "%s (%s): result %d.%d is off by %.3g of %.3g", a->op->name, what, kind, i,
                       worst, top);
        }
}

static void expect_same(Rig *a, Rig *b, const char *what)
{
    for (int kind = 0; kind < RIG_KINDS; kind++)
        for (int i = 0; i < results(a, kind); i++) {
            if (!a->block[kind][i]) continue;
            ptrdiff_t n = tensor_count(rig_tensor(a, kind, i)), bad = 0;
            for (ptrdiff_t k = 0; k < n; k++) {
                double x = rig_get(a, kind, i, k), y = rig_get(b, kind, i, k);
                bad += !(x == y);
            }
            EXPECT_MSG(!bad, "%s (%s): %td elements of result %d.%d differ", a->op->name, what, bad,
                       kind, i);
        }
}

static void check_levels(const OpDef *op, const OpCase *shape, int number)
{
    (void)number;
    Rig *ref = rig_new(op, shape, LEVEL_REF, (RigOpt){ 0 });
    Rig *plain = rig_new(op, shape, LEVEL_PLAIN, (RigOpt){ 0 });
    rig_run(ref);
    rig_run(plain);
    expect_close(plain, ref, 3e-5, "plain, against ref");
    for (CpuLevel level = LEVEL_AVX2; level <= cpu_level(); level++) {
        Rig *r = rig_new(op, shape, level, (RigOpt){ 0 });
        rig_run(r);
        expect_same(r, plain, cpu_level_name(level));
        rig_free(r);
    }
    rig_free(ref);
    rig_free(plain);
}

TEST(levels_agree_with_the_definition_and_with_each_other_to_the_bit_E1_E5)
{
    each_case(check_levels);
}

static void check_layouts(const OpDef *op, const OpCase *shape, int number)
{
    (void)number;
    const RigOpt variant[] = { { .strided = true }, { .shuffle = true } };
    Rig *r = rig_new(op, shape, cpu_level(), (RigOpt){ 0 });
    rig_run(r);
    for (int i = 0; i < COUNT(variant); i++) {
        Rig *other = rig_new(op, shape, cpu_level(), variant[i]);
        rig_run(other);
        expect_same(other, r, i ? "parts in another order" : "inputs are slices");
        rig_free(other);
    }
    rig_free(r);
}

TEST(neither_slices_nor_the_order_of_parts_change_a_bit_E2)
{
    each_case(check_layouts);
}

/* How far adds.d_in[i] is from what was there plus what is written. */
static double adding_error(Rig *adds, Rig *before, Rig *writes, int i, double *top)
{
    double worst = 0;
    for (ptrdiff_t k = 0; k < rig_count(writes, i); k++) {
        double d = rig_get(writes, RIG_D_IN, i, k), was = rig_get(before, RIG_D_IN, i, k);
        double error = fabs(rig_get(adds, RIG_D_IN, i, k) - (was + d));
        worst = error <= worst ? worst : error;
        *top = MAX(*top, MAX(fabs(d), fabs(was)));
    }
    return worst;
}

static void check_adding_at(const OpDef *op, const OpCase *shape, int number, CpuLevel level)
{
    double room = level == LEVEL_REF ? 1e-12 : 3e-6;
    Rig *writes = rig_new(op, shape, level, (RigOpt){ 0 });
    Rig *adds = rig_new(op, shape, level, (RigOpt){ .add = true, .strided = true });
    Rig *before = rig_new(op, shape, level, (RigOpt){ .add = true });
    rig_run(writes);
    rig_run(adds);
    rig_before(before);
    for (int i = 0; i < op->n_in; i++) {
        if (!writes->block[RIG_D_IN][i]) continue;
        double top = 1, worst = adding_error(adds, before, writes, i, &top);
        EXPECT_MSG(worst <= room * top, "%s case %d at %s: adding to d_in[%d] is off by %g of %g",
                   op->name, number, cpu_level_name(level), i, worst, top);
    }
    rig_free(writes);
    rig_free(adds);
    rig_free(before);
}

static void check_adding(const OpDef *op, const OpCase *shape, int number)
{
    if (op->no_grad) return;
    check_adding_at(op, shape, number, LEVEL_REF);
    check_adding_at(op, shape, number, cpu_level());
}

TEST(gradients_can_be_added_to_what_is_there)
{
    each_case(check_adding);
}

/* ---- threads --------------------------------------------------------------------------------- */

static Dev three;

static void check_threads(const OpDef *op, const OpCase *shape, int number)
{
    (void)number;
    Rig *alone = rig_new(op, shape, cpu_level(), (RigOpt){ 0 });
    Rig *shared = rig_new(op, shape, cpu_level(), (RigOpt){ .dev = &three });
    rig_run(alone);
    rig_run(shared);
    expect_same(shared, alone, "three threads");
    rig_free(alone);
    rig_free(shared);
}

TEST(three_threads_reach_the_bits_of_one_E1)
{
    Err err = { 0 };
    bool open = dev_open(&three, "cpu", 3, &err);
    EXPECT_MSG(open, "%s", err.msg);
    if (!open) return;
    each_case(check_threads);
    dev_close(&three);
}

/* ---- causes and company ---------------------------------------------------------------------- */

/* Changes what stands at positions from `from` on, in real inputs with dims (B, T, ...). */
static void change_later(Rig *r, ptrdiff_t from)
{
    for (int i = 0; i < r->op->n_in; i++) {
        const Tensor *t = r->node.in[i];
        if (!t || t->dtype == I32 || t->rank < 3) continue;
        ptrdiff_t inner = tensor_count(t) / (t->dim[0] * t->dim[1]);
        for (ptrdiff_t b = 0; b < t->dim[0]; b++)
            for (ptrdiff_t k = from * inner; k < t->dim[1] * inner; k++) {
                ptrdiff_t at = b * t->dim[1] * inner + k;
                rig_set(r, RIG_IN, i, at, 3 - rig_get(r, RIG_IN, i, at));
            }
    }
}

static void check_causal(const OpDef *op, const OpCase *shape, int number)
{
    if (!op->causal || (op->optional >> 3 & 1 && shape->rank[3]))
        return; /* a cache stands elsewhere */
    ptrdiff_t t = shape->dim[0][1], from = t / 2;
    for (CpuLevel level = LEVEL_REF; level <= cpu_level(); level++) {
        Rig *a = rig_new(op, shape, level, (RigOpt){ 0 });
        Rig *b = rig_new(op, shape, level, (RigOpt){ 0 });
        change_later(b, from);
        rig_forward(a);
        rig_forward(b);
        ptrdiff_t n = tensor_count(a->node.out[0]), inner = n / (shape->dim[0][0] * t), changed = 0;
        for (ptrdiff_t k = 0; k < n; k++) {
            bool same = rig_get(a, RIG_OUT, 0, k) == rig_get(b, RIG_OUT, 0, k);
            if (k / inner % t < from)
                EXPECT_MSG(same, "%s case %d: a later position reached element %td", op->name,
                           number, k);
            else
                changed += !same;
        }
        EXPECT_MSG(changed > 0, "%s case %d: the change had no effect at all", op->name, number);
        rig_free(a);
        rig_free(b);
    }
}

TEST(later_positions_never_reach_earlier_ones)
{
    each_case(check_causal);
}

/* Which inputs go along with the rows of out[0], by name: the rest is shared by all rows. */
static uint32_t rows_of(const OpDef *op, const OpCase *shape)
{
    static const struct {
        const char *op;
        uint32_t inputs;
    } table[] = { { "gelu", 1 },   { "silu", 1 },       { "relu2", 1 },     { "softcap", 1 },
                  { "scale", 1 },  { "rmsnorm", 1 },    { "layernorm", 1 }, { "softmax", 1 },
                  { "linear", 1 }, { "embed", 1 },      { "rows", 2 },      { "rope", 3 },
                  { "copy", 1 },   { "attention", 31 }, { "head_loss", 53 } };
    if (!strcmp(op->name, "head_loss") && shape->rank[6]) return 0; /* rows are chosen by company */
    for (int i = 0; i < COUNT(table); i++)
        if (!strcmp(table[i].op, op->name)) return table[i].inputs;
    bool pair = !strcmp(op->name, "add") || !strcmp(op->name, "sub") || !strcmp(op->name, "mul");
    if (pair && shape->rank[0] > 1) return shape->rank[0] == shape->rank[1] ? 3 : 1;
    return !strcmp(op->name, "matmul") && shape->rank[0] > 2 ? 3 : 0;
}

static void copy_item(Rig *to, Rig *from, int kind, int i, ptrdiff_t item)
{
    ptrdiff_t n = tensor_count(rig_tensor(to, kind, i));
    for (ptrdiff_t k = 0; k < n; k++) rig_set(to, kind, i, k, rig_get(from, kind, i, item * n + k));
}

static void expect_item(Rig *one, Rig *all, int kind, int i, ptrdiff_t item)
{
    ptrdiff_t n = tensor_count(rig_tensor(one, kind, i)), bad = 0;
    for (ptrdiff_t k = 0; k < n; k++)
        bad += !(rig_get(one, kind, i, k) == rig_get(all, kind, i, item * n + k));
    EXPECT_MSG(!bad, "%s: item %td alone differs in %td elements of result %d.%d", one->op->name,
               item, bad, kind, i);
}

static void check_company(const OpDef *op, const OpCase *shape, int number)
{
    (void)number;
    uint32_t rows = rows_of(op, shape);
    int lead = rows & 1 ? 0 : 1;
    ptrdiff_t items = shape->dim[lead][0];
    if (!rows || items < 2) return;
    Rig *all = rig_new(op, shape, cpu_level(), (RigOpt){ 0 });
    rig_run(all);
    OpCase single = *shape;
    for (int i = 0; i < op->n_in; i++)
        if (rows >> i & 1) single.dim[i][0] = 1;
    for (ptrdiff_t item = 0; item < items; item += items - 1) {
        Rig *one = rig_new(op, &single, cpu_level(), (RigOpt){ 0 });
        int out = op->n_out - 1; /* of the head: nll by rows */
        for (int i = 0; i < op->n_in; i++)
            if (one->node.in[i]) copy_item(one, all, RIG_IN, i, rows >> i & 1 ? item : 0);
        copy_item(one, all, RIG_D_OUT, out, item);
        rig_run(one);
        expect_item(one, all, RIG_OUT, out, item);
        for (int i = 0; i < op->n_in; i++)
            if (rows >> i & 1 && one->block[RIG_D_IN][i] && rows >> i != 0 &&
                strcmp(op->name, "rows"))
                expect_item(one, all, RIG_D_IN, i, item);
        rig_free(one);
    }
    rig_free(all);
}

TEST(a_row_alone_equals_the_row_among_others_E3)
{
    each_case(check_company);
}

TEST(every_operation_has_cases_and_a_formula)
{
    int count;
    const OpDef *const *ops = op_all(&count);
    for (int i = 0; i < count; i++) {
        EXPECT_MSG(ops[i]->n_cases > 0, "%s has no cases", ops[i]->name);
        EXPECT_MSG(ops[i]->doc && ops[i]->doc[0], "%s has no formula", ops[i]->name);
        EXPECT_MSG(op_find(ops[i]->name) == ops[i], "%s is not found", ops[i]->name);
    }
}
