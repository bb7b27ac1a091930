/* Plans: a training run ends at the same bits however it is laid out, and memory is what was
 * planned. */
#include "base/rand.h"
#include "tests/tiny.h"

/* Sanitizers are slow and have memory of their own beside ours. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#elif defined(__has_feature)
enum { SANITIZED = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) };
#else
enum { SANITIZED = 0 };
#endif

static TinyRun usual(void)
{
    return (TinyRun){ .opt = { .level = cpu_level(), .recompute = RECOMPUTE_CHEAP },
                      .threads = 1,
                      .steps = SANITIZED ? 2 : 4 };
}

static void expect_same(const char *what, TinyEnd a, TinyEnd b)
{
    EXPECT_MSG(a.hash == b.hash, "%s: other bits; loss %.9g and %.9g", what, a.loss, b.loss);
}

TEST(training_lowers_the_loss)
{
    TinyRun r = usual();
    r.steps = 1;
    double first = train_tiny(r).loss;
    r.steps = 40;
    double last = train_tiny(r).loss;
    EXPECT_MSG(first > 1.6 && last < 0.7 * first, "from %g to %g", first, last);
}

TEST(E1_the_bits_do_not_depend_on_threads)
{
    TinyRun r = usual();
    TinyEnd one = train_tiny(r);
    for (r.threads = 2; r.threads <= 3; r.threads++) expect_same("threads", one, train_tiny(r));
}

TEST(E1_the_bits_do_not_depend_on_placement)
{
    TinyRun r = usual();
    TinyEnd shared = train_tiny(r);
    r.opt.apart = true;
    TinyEnd apart = train_tiny(r);
    expect_same("apart and poisoned", shared, apart);
    EXPECT(apart.cost.step > 2 * shared.cost.step);
}

TEST(E1_the_bits_do_not_depend_on_recomputation)
{
    TinyRun r = usual();
    TinyEnd cheap = train_tiny(r);
    r.opt.recompute = RECOMPUTE_NONE;
    TinyEnd none = train_tiny(r);
    expect_same("recompute none", cheap, none);
    EXPECT_MSG(cheap.cost.step < none.cost.step && cheap.cost.nodes > none.cost.nodes,
               "%td bytes and %d nodes, without recomputation %td and %d", cheap.cost.step,
               cheap.cost.nodes, none.cost.step, none.cost.nodes);
    r.opt.recompute = RECOMPUTE_AUTO; /* small enough to keep all */
    TinyEnd automatic = train_tiny(r);
    expect_same("recompute auto", cheap, automatic);
    EXPECT(automatic.cost.step == none.cost.step);
    EXPECT(cheap.cost.matmul_flops == none.cost.matmul_flops);
    r.opt.apart = true;
    r.opt.recompute = RECOMPUTE_CHEAP;
    expect_same("recompute cheap, apart", cheap, train_tiny(r));
}

/* The residual stream of the tiny model has sums, norms behind them, and a gate with its product.
 */
TEST(E1_the_bits_do_not_depend_on_fusion)
{
    TinyRun r = usual();
    TinyEnd fused = train_tiny(r);
    const unsigned off[] = { FUSE_SHARE, FUSE_CHAIN, FUSE_SHARE | FUSE_CHAIN };
    const Recompute recompute[] = { RECOMPUTE_CHEAP, RECOMPUTE_NONE };
    for (int i = 0; i < COUNT(off); i++)
        for (int k = 0; k < COUNT(recompute); k++) {
            r.opt.off = off[i];
            r.opt.recompute = recompute[k];
            expect_same("rules of fusion off", fused, train_tiny(r));
        }
    r = usual();
    r.opt.plain = true;
    expect_same("plain", fused, train_tiny(r));
    r = usual();
    r.opt.apart = true;
    r.threads = 3;
    for (r.opt.recompute = RECOMPUTE_AUTO; r.opt.recompute <= RECOMPUTE_NONE; r.opt.recompute++)
        expect_same("fused, apart and poisoned, three threads", fused, train_tiny(r));
    r = usual();
    r.tap = true;
    expect_same("fused and tapped", fused, train_tiny(r));
}

static int named(const PlanTime *times, int n, const char *op, bool backward)
{
    int found = 0;
    for (int i = 0; i < n; i++) found += !strcmp(times[i].op, op) && times[i].backward == backward;
    return found;
}

static int times_of(unsigned off, PlanTime *times, int cap, PlanCost *cost)
{
    Arena home = arena_reserve(1 << 28);
    Dev d;
    Err err = { 0 };
    EXPECT(dev_open(&d, "cpu", 1, &err));
    Store *s = store_new(&d, cpu_level(), &home);
    Tiny t = tiny_record(&home, true);
    PlanOpt o = { .level = cpu_level(), .recompute = RECOMPUTE_NONE, .off = off };
    Plan *p = tiny_plan(t.g, &t.loss, 1, &d, o, &home, s);
    store_init(s, 1);
    tiny_fill(p, &t, cpu_level(), 1);
    plan_profile(p, true);
    plan_run(p, &(StepIn){ .step = 1, .train = true });
    int n = plan_times(p, times, cap);
    *cost = plan_cost(p);
    for (int i = 0; i < n; i++) /* names live as long as the plan */
        times[i].op = !strcmp(times[i].op, "add, rmsnorm") ? "add, rmsnorm"
                      : !strcmp(times[i].op, "silu, mul")  ? "silu, mul"
                      : !strcmp(times[i].op, "add")        ? "add"
                                                           : "";
    store_free(s);
    dev_close(&d);
    arena_release(&home);
    return n;
}

TEST(sums_have_no_backward_node_and_norms_go_with_their_residual)
{
    PlanTime times[64];
    PlanCost all, none;
    int n = times_of(0, times, 64, &all);
    EXPECT(named(times, n, "add, rmsnorm", false) == 1 && named(times, n, "silu, mul", false) == 1);
    EXPECT(named(times, n, "add", true) == 0 && named(times, n, "add", false) == 0);
    n = times_of(FUSE_SHARE | FUSE_CHAIN, times, 64, &none);
    EXPECT(named(times, n, "add", true) == 1 && named(times, n, "add", false) == 1);
    EXPECT(named(times, n, "add, rmsnorm", false) == 0);
    EXPECT_MSG(all.nodes == none.nodes - 2 * TINY_L && all.step <= none.step &&
                   all.flops <= none.flops,
               "%d nodes and %td bytes, without fusion %d and %td", all.nodes, all.step, none.nodes,
               none.step);
}

TEST(E1_the_bits_do_not_depend_on_taps)
{
    TinyRun r = usual();
    TinyEnd plain = train_tiny(r);
    r.tap = true;
    expect_same("tapped", plain, train_tiny(r));
}

TEST(E1_the_bits_do_not_depend_on_the_level)
{
    TinyRun r = usual();
    r.opt.level = LEVEL_PLAIN;
    TinyEnd plain = train_tiny(r);
    for (int level = LEVEL_PLAIN + 1; level <= (int)cpu_level(); level++) {
        r.opt.level = (CpuLevel)level;
        expect_same(cpu_level_name(r.opt.level), plain, train_tiny(r));
    }
}

/* For comparing builds by different compilers: the number must be the same. */
TEST(E1_the_bits_are_printed_for_other_builds_to_compare)
{
    TinyEnd end = train_tiny(usual());
    printf("# hash of a tiny training: %016llx\n", (unsigned long long)end.hash);
    EXPECT(end.hash != 0);
}

TEST(E5_training_in_float_stays_close_to_training_in_double)
{
    TinyRun r = usual();
    TinyEnd fast = train_tiny(r);
    r.opt.level = LEVEL_REF;
    TinyEnd ref = train_tiny(r);
    EXPECT_MSG(fabs(fast.loss - ref.loss) < 2e-5 && fabs(fast.sum / ref.sum - 1) < 1e-5,
               "loss %.9g and %.9g, |w| %.9g and %.9g", fast.loss, ref.loss, fast.sum, ref.sum);
}

/* ---- stores ---------------------------------------------------------------------------------- */

typedef struct Bench {
    Arena home;
    CpuLevel level;
    Dev d;
    Store *s;
} Bench;

static void bench_open(Bench *b, CpuLevel level)
{
    *b = (Bench){ .home = arena_reserve(1 << 28), .level = level };
    Err err = { 0 };
    EXPECT(dev_open(&b->d, "cpu", 1, &err));
    b->s = store_new(&b->d, level, &b->home);
}

static void bench_close(Bench *b)
{
    store_free(b->s);
    dev_close(&b->d);
    arena_release(&b->home);
}

TEST(evaluation_shares_weights_and_step_memory_with_training)
{
    Bench b;
    bench_open(&b, cpu_level());
    PlanOpt o = { .level = cpu_level() };
    Tiny train = tiny_record(&b.home, true), eval = tiny_record(&b.home, false);
    Plan *p = tiny_plan(train.g, &train.loss, 1, &b.d, o, &b.home, b.s);
    ptrdiff_t before = store_bytes(b.s);
    Plan *q = tiny_plan(eval.g, (Tensor *[]){ eval.loss, eval.nll }, 2, &b.d, o, &b.home, b.s);
    EXPECT(plan_cost(q).step < plan_cost(p).step && plan_cost(q).grads == 0);
    EXPECT(store_bytes(b.s) == before + plan_cost(q).inputs);
    store_init(b.s, 5);
    tiny_fill(p, &train, o.level, 1);
    tiny_fill(q, &eval, o.level, 1);
    plan_run(p, &(StepIn){ .step = 1, .train = true });
    float loss = *(float *)plan_at(p, train.loss);
    plan_run(q, &(StepIn){ .step = 1 });
    EXPECT(*(float *)plan_at(q, eval.loss) == loss);
    double sum = 0;
    const float *nll = plan_at(q, eval.nll);
    for (int i = 0; i < TINY_B * TINY_T; i++) sum += (double)nll[i];
    EXPECT(fabs(sum / (2 * TINY_B * TINY_T) - (double)loss) < 1e-5);
    bench_close(&b);
}

TEST(a_larger_plan_may_be_bound_after_a_smaller_one_has_run)
{
    Bench b;
    bench_open(&b, cpu_level());
    PlanOpt o = { .level = cpu_level() };
    Tiny eval = tiny_record(&b.home, false), train = tiny_record(&b.home, true);
    Plan *q = tiny_plan(eval.g, &eval.loss, 1, &b.d, o, &b.home, b.s);
    store_init(b.s, 5);
    tiny_fill(q, &eval, o.level, 1);
    plan_run(q, &(StepIn){ .step = 1 });
    float loss = *(float *)plan_at(q, eval.loss);
    Plan *p = tiny_plan(train.g, &train.loss, 1, &b.d, o, &b.home, b.s);
    tiny_fill(p, &train, o.level, 1);
    plan_run(p, &(StepIn){ .step = 1, .train = true });
    EXPECT(*(float *)plan_at(p, train.loss) == loss);
    plan_run(q, &(StepIn){ .step = 1 });
    EXPECT(*(float *)plan_at(q, eval.loss) == loss);
    bench_close(&b);
}

static void gradients_after(Plan *p, const Tiny *t, const Store *s, const int *step, int steps,
                            double *sum)
{
    for (int i = 0; i < steps; i++) {
        tiny_fill(p, t, LEVEL_REF, step[i]);
        plan_run(p, &(StepIn){ .step = 1, .later = i > 0, .train = true });
    }
    for (int i = 0, at = 0; i < store_count(s); i++) {
        const StoreItem *d = store_item(s, i);
        for (ptrdiff_t k = 0; k < d->count && d->life == LIFE_GRAD; k++) sum[at++] += d->at64[k];
    }
}

TEST(later_micro_steps_add_to_the_gradients_of_the_first)
{
    Bench b;
    bench_open(&b, LEVEL_REF);
    Tiny t = tiny_record(&b.home, true);
    Plan *p = tiny_plan(t.g, &t.loss, 1, &b.d, (PlanOpt){ 0 }, &b.home, b.s);
    store_init(b.s, 5);
    ptrdiff_t n = plan_cost(p).grads / 8;
    double *apart = NEW(&b.home, double, n), *together = NEW(&b.home, double, n), worst = 0;
    gradients_after(p, &t, b.s, (int[]){ 0 }, 1, apart);
    gradients_after(p, &t, b.s, (int[]){ 1 }, 1, apart);
    gradients_after(p, &t, b.s, (int[]){ 0, 1 }, 2, together);
    for (ptrdiff_t i = 0; i < n; i++) worst = fmax(worst, fabs(apart[i] - together[i]));
    EXPECT_MSG(worst < 1e-12 && fabs(apart[0]) > 1e-9, "off by %g", worst);
    bench_close(&b);
}

TEST(a_weight_of_another_shape_is_refused_by_name)
{
    Bench b;
    bench_open(&b, LEVEL_REF);
    Err err = { 0 };
    for (int i = 0; i < 2; i++) {
        Graph *g = graph_new(&b.home);
        Tensor *y = t_gelu(g, tiny_weight(g, "some.w", 3 + i, 3));
        Plan *p = plan_new(g, &y, 1, &b.d, (PlanOpt){ 0 }, &b.home, &err);
        EXPECT(p && plan_bind(p, b.s, &err) == (i == 0));
    }
    EXPECT_MSG(strstr(err.msg, "some.w") && err.code == ERR_CONFIG, "%s", err.msg);
    bench_close(&b);
}

TEST(a_plan_that_the_machine_cannot_hold_is_refused_before_it_is_touched)
{
    Bench b;
    bench_open(&b, cpu_level());
    Err err = { 0 };
    Graph *g = graph_new(&b.home);
    ptrdiff_t rows = (ptrdiff_t)1 << 40; /* 8 TB and more */
    Tensor *y = t_gelu(g, tiny_weight(g, "w", rows, 2));
    PlanOpt o = { .level = b.level };
    Plan *p = plan_new(g, &y, 1, &b.d, o, &b.home, &err);
    EXPECT(p && !plan_bind(p, b.s, &err) && err.code == ERR_DEVICE);
    EXPECT_MSG(strstr(err.msg, "smaller"), "%s", err.msg);
    bench_close(&b);
}

static void record_params(Bench *b, bool more)
{
    Graph *g = graph_new(&b->home);
    Tensor *y = t_gelu(g, tiny_weight(g, "a", 50, 40));
    if (more) y = t_mul(g, t_gelu(g, tiny_weight(g, "between", 50, 40)), y);
    y = t_mul(g, y, tiny_weight(g, "b", 50, 40));
    PlanOpt o = { .level = b->level };
    tiny_plan(g, &y, 1, &b->d, o, &b->home, b->s);
    store_init(b->s, 9);
}

static float *copy_of(const Store *s, const char *name)
{
    const StoreItem *w = store_find(s, name);
    float *x = malloc((size_t)w->count * sizeof(float));
    for (ptrdiff_t i = 0; i < w->count; i++) x[i] = w->at ? w->at[i] : (float)w->at64[i];
    return x;
}

TEST(a_used_store_begins_again_at_the_bits_of_a_new_one)
{
    TinyEnd end[2] = { { 0 } };
    for (int used = 0; used < 2; used++) {
        Bench b;
        bench_open(&b, cpu_level());
        Tiny t = tiny_record(&b.home, true);
        Plan *p = tiny_plan(t.g, &t.loss, 1, &b.d, (PlanOpt){ .level = b.level }, &b.home, b.s);
        if (used) {
            store_init(b.s, 9);
            tiny_fill(p, &t, b.level, 1);
            plan_run(p, &(StepIn){ .step = 1, .train = true });
        }
        store_init(b.s, 42);
        tiny_sum(b.s, &end[used]);
        bench_close(&b);
    }
    EXPECT(end[0].sum > 0 && end[0].hash == end[1].hash);
}

TEST(initial_weights_depend_on_seed_and_name_alone)
{
    Bench few, more, ref;
    bench_open(&few, cpu_level());
    bench_open(&more, cpu_level());
    bench_open(&ref, LEVEL_REF);
    record_params(&few, false);
    record_params(&more, true);
    record_params(&ref, true);
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "b" : "a";
        float *x = copy_of(few.s, name), *y = copy_of(more.s, name), *z = copy_of(ref.s, name);
        EXPECT(!memcmp(x, y, 2000 * sizeof(float)) && !memcmp(x, z, 2000 * sizeof(float)));
        double sum = 0, squares = 0;
        for (int k = 0; k < 2000; k++) sum += (double)x[k], squares += (double)x[k] * (double)x[k];
        EXPECT(fabs(sum / 2000) < 0.15 * 4 / sqrt(2000) &&
               fabs(sqrt(squares / 2000) - 0.15) < 0.01);
        free(x);
        free(y);
        free(z);
    }
    float *a = copy_of(few.s, "a"), *b = copy_of(few.s, "b");
    EXPECT(memcmp(a, b, 2000 * sizeof(float)) != 0);
    store_init(few.s, 10);
    EXPECT(memcmp(a, store_find(few.s, "a")->at, 2000 * sizeof(float)) != 0);
    free(a);
    free(b);
    bench_close(&few);
    bench_close(&more);
    bench_close(&ref);
}

/* ---- memory and cost ------------------------------------------------------------------------- */

static double anonymous_bytes(void)
{
    char line[256];
    double kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "RssAnon: %lf", &kb) == 1) break;
    if (f) fclose(f);
    return 1024 * kb;
}

/* Where kernels are plain (arm64 in an emulator) products of this size would take an hour, and a
 * small plan is lost in what the process takes anyway: there the step runs and is not weighed. */
enum { UNWEIGHED = SANITIZED || !HAVE_X86_LEVELS };
enum { ROWS = UNWEIGHED ? 60 : 3000, WIDTH = 384, LAYERS = 5 };

static Tensor *wide_loss(Graph *g, Tensor **target, Tensor **weight)
{
    ptrdiff_t n = ROWS, one = 1;
    Tensor *x =
        t_embed(g, *target = t_input(g, "target", I32, 1, &n), tiny_weight(g, "e", 50, WIDTH));
    for (int l = 0; l < LAYERS; l++) {
        graph_push(g, "layer.%d", l);
        Tensor *h = t_rmsnorm(g, x, NULL, 1e-5F);
        h = t_gelu(g, t_linear(g, h, tiny_weight(g, "w", 2 * WIDTH, WIDTH), NULL));
        x = t_add(g, x, t_linear(g, h, tiny_weight(g, "u", WIDTH, 2 * WIDTH), NULL));
        graph_pop(g);
    }
    *weight = t_input(g, "weight", F32, 1, &one);
    return t_head_loss(g, x, tiny_weight(g, "head", 50, WIDTH), *target, *weight, 0).loss;
}

TEST(a_step_takes_the_memory_that_was_planned_and_no_more)
{
    Bench b;
    bench_open(&b, cpu_level());
    Graph *g = graph_new(&b.home);
    Tensor *target, *weight, *loss = wide_loss(g, &target, &weight);
    graph_grad(g, loss);
    double before = anonymous_bytes();
    Plan *p = tiny_plan(g, &loss, 1, &b.d, (PlanOpt){ .level = b.level }, &b.home, b.s);
    double planned = (double)store_bytes(b.s);
    store_init(b.s, 1);
    memset(plan_at(p, target), 0, ROWS * sizeof(int32_t));
    *(float *)plan_at(p, weight) = 1;
    plan_run(p, &(StepIn){ .step = 1, .train = true });
    double taken = anonymous_bytes() - before;
    EXPECT_MSG(UNWEIGHED || fabs(taken / planned - 1) < 0.05, "planned %.1f MB, taken %.1f",
               planned / 1e6, taken / 1e6);
    for (int i = 2; i < 4; i++) plan_run(p, &(StepIn){ .step = i, .train = true });
    EXPECT(UNWEIGHED || anonymous_bytes() - before - taken < 1e5);
    bench_close(&b);
}

TEST(cost_counts_products_forward_and_backward)
{
    Bench b;
    bench_open(&b, cpu_level());
    Graph *g = graph_new(&b.home);
    Tensor *target, *weight, *loss = wide_loss(g, &target, &weight);
    graph_grad(g, loss);
    Plan *p = tiny_plan(g, &loss, 1, &b.d, (PlanOpt){ .level = b.level }, &b.home, b.s);
    PlanCost c = plan_cost(p);
    double weights = LAYERS * 4.0 * WIDTH * WIDTH + 50 * WIDTH;
    EXPECT_MSG(fabs((double)c.matmul_flops / (6.0 * ROWS * weights) - 1) < 0.01, "%lld",
               (long long)c.matmul_flops);
    EXPECT(c.params == c.grads && c.states == 0);
    Err err = { 0 };
    PlanOpt all = { .level = b.level, .recompute = RECOMPUTE_NONE };
    PlanCost kept = plan_cost(plan_new(g, &loss, 1, &b.d, all, &b.home, &err));
    EXPECT(UNWEIGHED || (kept.step > 64 << 20 && c.step < kept.step && c.nodes > kept.nodes));
    EXPECT(fabs((double)c.params - 4 * (weights + 50.0 * WIDTH)) < 64);
    bench_close(&b);
}

TEST(profiles_name_ops_and_directions)
{
    Bench b;
    bench_open(&b, cpu_level());
    Tiny t = tiny_record(&b.home, true);
    Plan *p = tiny_plan(t.g, &t.loss, 1, &b.d, (PlanOpt){ .level = b.level }, &b.home, b.s);
    store_init(b.s, 1);
    tiny_fill(p, &t, b.level, 1);
    plan_profile(p, true);
    plan_run(p, &(StepIn){ .step = 1, .train = true });
    PlanTime times[64];
    int n = plan_times(p, times, 64), linear = 0;
    for (int i = 0; i < n; i++) {
        EXPECT(times[i].seconds > 0 && (i == 0 || times[i].seconds <= times[i - 1].seconds));
        linear += !strcmp(times[i].op, "linear");
    }
    EXPECT(linear == 2);
    EXPECT(plan_times(p, times, 3) == 3);
    bench_close(&b);
}

TEST(nodes_that_no_root_needs_do_not_run)
{
    Bench b;
    bench_open(&b, LEVEL_REF);
    Graph *g = graph_new(&b.home);
    Tensor *x = tiny_weight(g, "x", 3, 3), *y = t_gelu(g, x);
    t_silu(g, t_scale(g, y, 2));
    Plan *p = tiny_plan(g, &y, 1, &b.d, (PlanOpt){ 0 }, &b.home, b.s);
    EXPECT(plan_cost(p).nodes == 1);
    bench_close(&b);
}

/* newton_schulz is its definition alone, so this plan is an expansion. */
TEST(an_expanded_update_is_planned_like_any_other)
{
    double first[12] = { 0 };
    for (int apart = 0; apart < 2; apart++) {
        Bench b;
        bench_open(&b, LEVEL_REF);
        Graph *g = graph_new(&b.home);
        Tensor *x = t_view(g, tiny_weight(g, "x", 3, 4), 3, (ptrdiff_t[]){ 1, 3, 4 });
        Tensor *y = t_newton_schulz(g, x, (NewtonOpt){ .steps = 5 });
        Plan *p = tiny_plan(g, &y, 1, &b.d, (PlanOpt){ .apart = apart }, &b.home, b.s);
        store_init(b.s, 3);
        plan_run(p, &(StepIn){ .step = 1 });
        const double *at = plan_at(p, y);
        for (int i = 0; i < 3; i++)
            for (int k = 0; k < 3; k++) { /* singular values end between 0.7 and 1.2 */
                double dot = 0;
                for (int j = 0; j < 4; j++) dot += at[4 * i + j] * at[4 * k + j];
                EXPECT_MSG(fabs(dot - (i == k)) < 0.55, "row %d by row %d is %g", i, k, dot);
            }
        if (!apart) memcpy(first, at, sizeof(first));
        EXPECT(!memcmp(first, at, sizeof(first)));
        bench_close(&b);
    }
}
