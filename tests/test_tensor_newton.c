/* The one operation here that is written in others: what plans make of it. */
#include "base/rand.h"
#include "tensor/ops.h"
#include "tensor/plan.h"
#include "tests/test.h"

enum { SIDE_MAX = 64 };

static void fill(float *x, ptrdiff_t n, const char *name)
{
    Rand r = rand_stream(5, name);
    for (ptrdiff_t i = 0; i < n; i++) x[i] = 1e-4f * (float)rand_normal(&r);
}

/* One turn of Jacobi's method: zeroes a[p][q] of a symmetric matrix. */
static void rotate(double a[SIDE_MAX][SIDE_MAX], int n, int p, int q)
{
    if (fabs(a[p][q]) < 1e-15) return;
    double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
    double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1));
    double c = 1 / sqrt(t * t + 1), s = t * c;
    for (int k = 0; k < n; k++) {
        double x = a[k][p], y = a[k][q];
        a[k][p] = c * x - s * y, a[k][q] = s * x + c * y;
    }
    for (int k = 0; k < n; k++) {
        double x = a[p][k], y = a[q][k];
        a[p][k] = c * x - s * y, a[q][k] = s * x + c * y;
    }
}

/* Least and greatest singular value of x (rows, cols), from the Gram matrix of its smaller side. */
static void singular_values(const float *x, int rows, int cols, double *least, double *most)
{
    static double gram[SIDE_MAX][SIDE_MAX];
    int n = MIN(rows, cols), inner = MAX(rows, cols);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            gram[i][j] = 0;
            for (int k = 0; k < inner; k++)
                gram[i][j] += rows <= cols ? (double)x[i * cols + k] * (double)x[j * cols + k]
                                           : (double)x[k * cols + i] * (double)x[k * cols + j];
        }
    for (int sweep = 0; sweep < 12; sweep++)
        for (int p = 0; p < n; p++)
            for (int q = p + 1; q < n; q++) rotate(gram, n, p, q);
    *least = HUGE_VAL, *most = 0;
    for (int i = 0; i < n; i++) {
        *least = MIN(*least, sqrt(gram[i][i]));
        *most = MAX(*most, sqrt(gram[i][i]));
    }
}

/* A graph, a device and a store that live for one test. */
typedef struct Stage {
    Arena home;
    Dev dev;
    Graph *g;
    Store *store;
    Plan *plan;
} Stage;

static void stage_open(Stage *s, CpuLevel level)
{
    *s = (Stage){ .home = arena_reserve((ptrdiff_t)1 << 26) };
    Err err = { 0 };
    bool open = dev_open(&s->dev, "cpu", 1, &err);
    EXPECT_MSG(open, "%s", err.msg);
    s->g = graph_new(&s->home);
    s->store = store_new(&s->dev, level, &s->home);
}

static void stage_plan(Stage *s, Tensor *const roots[], int n, CpuLevel level)
{
    Err err = { 0 };
    s->plan = plan_new(s->g, roots, n, &s->dev, (PlanOpt){ .level = level }, &s->home, &err);
    bool bound = s->plan && plan_bind(s->plan, s->store, &err);
    if (!bound) fprintf(stderr, "%s\n", err.msg);
    EXPECT_MSG(bound, "%s", err.msg);
    store_init(s->store, 1);
}

static void stage_close(Stage *s)
{
    store_free(s->store);
    dev_close(&s->dev);
    Arena home = s->home;
    arena_release(&home);
}

static void check_singular_values(ptrdiff_t rows, ptrdiff_t cols)
{
    enum { P = 3 };
    Stage s;
    stage_open(&s, cpu_level());
    Tensor *x = t_input(s.g, "x", F32, 3, (ptrdiff_t[]){ P, rows, cols });
    Tensor *y = t_newton_schulz(s.g, x, (NewtonOpt){ .steps = 5 });
    stage_plan(&s, &y, 1, cpu_level());
    fill(plan_at(s.plan, x), P * rows * cols, "newton");
    plan_run(s.plan, &(StepIn){ .step = 1 });
    for (ptrdiff_t i = 0; i < P; i++) {
        double least, most;
        singular_values((float *)plan_at(s.plan, y) + i * rows * cols, (int)rows, (int)cols, &least,
                        &most);
        EXPECT_MSG(least > 0.68 && most < 1.14, "(%td, %td): singular values %g to %g", rows, cols,
                   least, most);
    }
    stage_close(&s);
}

TEST(newton_schulz_brings_singular_values_near_one)
{
    check_singular_values(24, 40);
    check_singular_values(40, 24);
    check_singular_values(8, 64);
}

TEST(newton_schulz_keeps_directions)
{
    /* A diagonal stays a diagonal, so each element is the polynomial of its own. */
    enum { N = 3 };
    Stage s;
    stage_open(&s, LEVEL_REF);
    Tensor *x = t_input(s.g, "x", F32, 2, (ptrdiff_t[]){ N, N }),
           *y = t_newton_schulz(s.g, x, (NewtonOpt){ .steps = 2 });
    stage_plan(&s, &y, 1, LEVEL_REF);
    double *in = plan_at(s.plan, x), value[N] = { 3, -4, 12 }; /* of norm 13 */
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) in[i * N + j] = i == j ? value[i] : 0;
    plan_run(s.plan, &(StepIn){ .step = 1 });
    const double *out = plan_at(s.plan, y);
    for (int i = 0; i < N; i++) {
        double v = value[i] / 13;
        for (int k = 0; k < 2; k++)
            v = v * ((double)3.4445f + (double)-4.7750f * v * v + (double)2.0315f * v * v * v * v);
        EXPECT_MSG(fabs(out[i * N + i] - v) < 1e-6, "%g, not %g", out[i * N + i], v);
        EXPECT(fabs(out[i * N + (i + 1) % N]) < 1e-12);
    }
    stage_close(&s);
}

static double weighted_sum(Stage *s, Tensor *y, const double *weight)
{
    plan_run(s->plan, &(StepIn){ .step = 1, .train = true });
    const double *out = plan_at(s->plan, y);
    double sum = 0;
    for (ptrdiff_t i = 0; i < tensor_count(y); i++) sum += out[i] * weight[i];
    return sum;
}

TEST(an_op_written_in_others_has_their_derivative)
{
    enum { M = 4, N = 6 };
    Stage s;
    stage_open(&s, LEVEL_REF);
    Tensor *x = t_param(
        s.g, (ParamSpec){ .name = "x", .rank = 2, .dim = { M, N }, .init = { INIT_NORMAL, 1 } });
    Tensor *y = t_newton_schulz(s.g, x, (NewtonOpt){ .steps = 2 });
    Tensor *d_y = t_input(s.g, "d_y", F32, 2, (ptrdiff_t[]){ M, N });
    graph_grad_from(s.g, &y, &d_y, 1);
    stage_plan(&s, (Tensor *[]){ y, x->grad }, 2, LEVEL_REF);
    double *value = plan_at(s.plan, x), *weight = plan_at(s.plan, d_y), slope[M * N];
    Rand r = rand_stream(9, "weights");
    for (int i = 0; i < M * N; i++) weight[i] = rand_normal(&r);
    weighted_sum(&s, y, weight);
    memcpy(slope, plan_at(s.plan, x->grad), sizeof(slope));
    for (int i = 0; i < M * N; i++) {
        double was = value[i];
        value[i] = was + 1e-6;
        double up = weighted_sum(&s, y, weight);
        value[i] = was - 1e-6;
        double want = (up - weighted_sum(&s, y, weight)) / 2e-6;
        value[i] = was;
        EXPECT_MSG(fabs(slope[i] - want) < 1e-7 * MAX(1, fabs(want)), "%g, slope %g", slope[i],
                   want);
    }
    stage_close(&s);
}

/* A diagonal's singular values are its elements; they come back as the polynomials make them. */
static void through(NewtonOpt o, const double *in, double *out, int n)
{
    Stage s;
    stage_open(&s, cpu_level());
    Tensor *x = t_input(s.g, "x", F32, 2, (ptrdiff_t[]){ n, n }), *y = t_newton_schulz(s.g, x, o);
    stage_plan(&s, &y, 1, cpu_level());
    float *at = plan_at(s.plan, x);
    for (int i = 0; i < n * n; i++) at[i] = i % (n + 1) ? 0 : (float)in[i / (n + 1)];
    plan_run(s.plan, &(StepIn){ .step = 1 });
    for (int i = 0; i < n; i++) out[i] = (double)((float *)plan_at(s.plan, y))[i * (n + 1)];
    stage_close(&s);
}

TEST(five_newton_schulz_steps_reach_the_published_singular_values)
{
    const double in[] = { 0.1, 0.5, 0.9, 1.0 }, want[] = { 0.71212, 0.76544, 0.68201, 0.69644 };
    double out[4];
    through((NewtonOpt){ .steps = 5, .bounded = true }, in, out, 4);
    for (int i = 0; i < 4; i++)
        EXPECT_MSG(fabs(out[i] - want[i]) < 1e-4, "%g became %.6f, not %.5f", in[i], out[i],
                   want[i]);
}

/* Amsel et al. 2025 (arXiv:2505.16932), the five tuples for a safety factor of 2e-2 and a cushion
 * of 2, as nanochat prints them. */
TEST(polar_express_is_its_five_published_polynomials)
{
    static const double tuple[5][3] = {
        { 8.156554524902461, -22.48329292557795, 15.878769915207462 },
        { 4.042929935166739, -2.808917465908714, 0.5000178451051316 },
        { 3.8916678022926607, -2.772484153217685, 0.5060648178503393 },
        { 3.285753657755655, -2.3681294933425376, 0.46449024233003106 },
        { 2.3465413258596377, -1.7097828382687081, 0.42323551169305323 },
    };
    const double in[] = { 0.01, 0.1, 0.5, 0.9, 0.98 };
    double out[5];
    through((NewtonOpt){ .kind = NEWTON_POLAR, .steps = 5, .bounded = true }, in, out, 5);
    for (int i = 0; i < 5; i++) {
        double v = in[i];
        for (int k = 0; k < 5; k++)
            v *= tuple[k][0] + tuple[k][1] * v * v + tuple[k][2] * v * v * v * v;
        EXPECT_MSG(fabs(out[i] - v) < 1e-4, "%g became %.6f, not %.6f", in[i], out[i], v);
        EXPECT_MSG(v > 0.859 && v < 1.141, "%g became %g", in[i], v);
    }
}

TEST(polar_express_divides_by_a_bound_two_per_cent_above_the_norm)
{
    const double in[] = { 3, 4 };
    double out[2], scaled[2], bounded[2] = { 3 / 5.1, 4 / 5.1 };
    through((NewtonOpt){ .kind = NEWTON_POLAR, .steps = 5 }, in, out, 2);
    through((NewtonOpt){ .kind = NEWTON_POLAR, .steps = 5, .bounded = true }, bounded, scaled, 2);
    for (int i = 0; i < 2; i++) EXPECT(fabs(out[i] - scaled[i]) < 1e-5);
}
