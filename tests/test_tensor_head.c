/* What the head learns from a teacher and from chosen tokens, against plain code in double: whole
 * distributions written out, choices made by sorting. */
#include "tensor/ops.h"
#include "tests/op_rig.h"

enum { N = 40, V = 9, C = 4, K = 3 };

static double logit(Rig *r, ptrdiff_t row, ptrdiff_t token)
{
    double z = 0;
    for (ptrdiff_t k = 0; k < C; k++)
        z += rig_get(r, RIG_IN, 0, row * C + k) * rig_get(r, RIG_IN, 1, token * C + k);
    return z;
}

/* softmax(z / heat) of a row. */
static void softmax(Rig *r, ptrdiff_t row, double heat, double p[V])
{
    double sum = 0;
    for (int j = 0; j < V; j++) sum += p[j] = exp(logit(r, row, j) / heat);
    for (int j = 0; j < V; j++) p[j] /= sum;
}

static OpCase taught(float heat)
{
    return (OpCase){ .rank = { 2, 2, 1, 1, 2, 2 },
                     .dim = { { N, C }, { V, C }, { N }, { 1 }, { N, K }, { N, K } },
                     .below = { 0, 0, V, 0, V },
                     .opt = { .x = heat } };
}

static double room_of(CpuLevel level)
{
    return level == LEVEL_REF ? 1e-12 : 2e-5;
}

static bool near(double got, double want, CpuLevel level)
{
    return fabs(got - want) <= room_of(level) * MAX(1, fabs(want));
}

/* The target distribution of a row at temperature 1, and what the teacher wants at `heat`. */
static void wanted(Rig *r, ptrdiff_t row, double teacher[V], double *share)
{
    memset(teacher, 0, V * sizeof(*teacher));
    *share = 0;
    for (int k = 0; k < K; k++) {
        double q = rig_get(r, RIG_IN, 5, row * K + k);
        teacher[(int)rig_get(r, RIG_IN, 4, row * K + k)] += q;
        *share += q;
    }
}

static void check_taught(float heat, CpuLevel level)
{
    OpCase shape = taught(heat);
    Rig *r = rig_new(op_find("head_loss"), &shape, level, (RigOpt){ 0 });
    for (int i = 0; i < N * K; i++) rig_set(r, RIG_IN, 5, i, (double)(float)(0.1 + 0.02 * (i % 7)));
    for (int i = 3; i < N; i += 9) rig_set(r, RIG_IN, 2, i, -1);
    rig_forward(r);
    double sum = 0, T = (double)heat, weight = rig_get(r, RIG_IN, 3, 0);
    for (int i = 0; i < N; i++) {
        double p[V], hot[V], teacher[V], share, loss, d_z[V];
        int target = (int)rig_get(r, RIG_IN, 2, i);
        if (target < 0) continue;
        softmax(r, i, 1, p);
        softmax(r, i, T, hot);
        wanted(r, i, teacher, &share);
        loss = -(1 - share) * log(p[target]);
        for (int j = 0; j < V; j++) {
            loss -= T * T * teacher[j] * log(hot[j]);
            d_z[j] = (1 - share) * (p[j] - (j == target)) + T * (share * hot[j] - teacher[j]);
        }
        sum += loss;
        EXPECT(near(rig_get(r, RIG_OUT, 1, i), -log(p[target]), level));
        for (int k = 0; k < C; k++) {
            double d_x = 0;
            for (int j = 0; j < V; j++) d_x += weight * d_z[j] * rig_get(r, RIG_IN, 1, j * C + k);
            EXPECT_MSG(near(rig_get(r, RIG_D_IN, 0, i * C + k), d_x, level),
                       "T %g, row %d: d_x is %.9g and should be %.9g", T, i,
                       rig_get(r, RIG_D_IN, 0, i * C + k), d_x);
        }
    }
    EXPECT_MSG(near(rig_get(r, RIG_OUT, 0, 0), weight * sum, level),
               "T %g: loss %.9g, plainly %.9g", T, rig_get(r, RIG_OUT, 0, 0), weight * sum);
    rig_free(r);
}

TEST(a_teacher_is_followed_as_written_out_in_full)
{
    for (CpuLevel level = LEVEL_REF; level <= cpu_level(); level++) {
        check_taught(1, level);
        check_taught(2.5f, level);
    }
}

TEST(a_teacher_of_no_weight_changes_no_bit)
{
    OpCase with = taught(1), without = with;
    without.rank[4] = without.rank[5] = 0;
    Rig *a = rig_new(op_find("head_loss"), &with, cpu_level(), (RigOpt){ 0 });
    Rig *b = rig_new(op_find("head_loss"), &without, cpu_level(), (RigOpt){ 0 });
    for (int i = 0; i < N * K; i++) rig_set(a, RIG_IN, 5, i, 0);
    rig_forward(a);
    rig_forward(b);
    EXPECT(rig_get(a, RIG_OUT, 0, 0) == rig_get(b, RIG_OUT, 0, 0));
    for (int i = 0; i < N * C; i++)
        EXPECT(rig_get(a, RIG_D_IN, 0, i) == rig_get(b, RIG_D_IN, 0, i));
    rig_free(a);
    rig_free(b);
}

/* ---- chosen tokens */

typedef struct Above {
    double excess;
    int row;
} Above;

static int by_excess(const void *a, const void *b)
{
    const Above *x = a, *y = b;
    if (x->excess != y->excess) return x->excess > y->excess ? -1 : 1;
    return x->row - y->row;
}

/* The losses' excess over ref, greatest first; returns how many rows have a target. */
static int ranked(Rig *r, Above list[N])
{
    int n = 0;
    for (int i = 0; i < N; i++) {
        if (rig_get(r, RIG_IN, 2, i) < 0) continue;
        list[n++] = (Above){ rig_get(r, RIG_OUT, 1, i) - rig_get(r, RIG_IN, 6, i), i };
    }
    qsort(list, (size_t)n, sizeof(*list), by_excess);
    return n;
}

TEST(the_tokens_most_above_the_reference_are_learned_from_and_no_others)
{
    const float shares[] = { 0.01f, 0.3f, 0.6f, 1 };
    for (int s = 0; s < (int)COUNT(shares); s++) {
        OpCase shape = { .rank = { 2, 2, 1, 1, 0, 0, 1 },
                         .dim = { { N, C }, { V, C }, { N }, { 1 }, { 0 }, { 0 }, { N } },
                         .below = { 0, 0, V },
                         .opt = { .y = shares[s] } };
        Rig *r = rig_new(op_find("head_loss"), &shape, cpu_level(), (RigOpt){ 0 });
        for (int i = 1; i < N; i += 6) rig_set(r, RIG_IN, 2, i, -1);
        for (int i = 2; i < N; i += 6) rig_set(r, RIG_IN, 6, i, -2); /* gladly taken */
        rig_forward(r);
        Above list[N];
        int n = ranked(r, list), kept = MAX(1, (int)((double)shares[s] * n + 0.5));
        bool learned[N] = { false };
        double sum = 0;
        for (int i = 0; i < kept; i++) {
            learned[list[i].row] = true;
            sum += rig_get(r, RIG_OUT, 1, list[i].row);
        }
        for (int i = 0; i < N; i++) {
            bool slope = false;
            for (int k = 0; k < C; k++) slope |= rig_get(r, RIG_D_IN, 0, i * C + k) != 0;
            EXPECT_MSG(slope == learned[i], "share %g: row %d is %slearned from", (double)shares[s],
                       i, slope ? "" : "not ");
        }
        double want = rig_get(r, RIG_IN, 3, 0) * sum * n / kept; /* the mean of those, for all */
        EXPECT(near(rig_get(r, RIG_OUT, 0, 0), want, LEVEL_AVX2));
        rig_free(r);
    }
}

TEST(of_equal_tokens_the_earlier_is_taken)
{
    OpCase shape = { .rank = { 2, 2, 1, 1, 0, 0, 1 },
                     .dim = { { N, C }, { V, C }, { N }, { 1 }, { 0 }, { 0 }, { N } },
                     .below = { 0, 0, V },
                     .opt = { .y = 0.5f } };
    Rig *r = rig_new(op_find("head_loss"), &shape, cpu_level(), (RigOpt){ 0 });
    for (int i = 0; i < N; i++) {
        rig_set(r, RIG_IN, 2, i, 2);
        rig_set(r, RIG_IN, 6, i, 0.5);
        for (int k = 0; k < C; k++) rig_set(r, RIG_IN, 0, i * C + k, 0.25 * (k + 1));
    }
    rig_forward(r);
    for (int i = 0; i < N; i++) EXPECT((rig_get(r, RIG_D_IN, 0, i * C) != 0) == (i < N / 2));
    rig_free(r);
}
