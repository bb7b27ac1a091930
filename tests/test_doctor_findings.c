/* The findings on simulated curves: one planted fault each, healthy ones beside them, and on
 * published logs where they are at hand. */
#include "base/file.h"
#include "base/rand.h"
#include "doctor/doctor.h"
#include "doctor/robust.h"
#include "science/stats.h"
#include "tests/test.h"

enum { STEPS = 3000 };

/* What is planted; zero is a healthy run. */
typedef struct Plant {
    double spike;      /* loss added for 40 steps at two thirds */
    bool diverges;     /* from two thirds on the loss rises for good */
    bool stuck;        /* at the entropy of single tokens */
    bool nan;          /* at the end */
    double burst;      /* factor on the norm for 6 steps */
    double drift;      /* growth of the norm per tenth of the run */
    double norm_times; /* factor on all norms; 0: 1 */
    double swing;      /* amplitude of a slow swing of the loss */
    double ratio;      /* update ratio; 0: 2e-3 */
    double init_off;   /* added to the first losses */
    bool leak;
    bool overfits;
    bool scale_falls;
    bool slow;     /* one step in ten takes four times as long */
    bool explodes; /* thrown out at step 40 */
    bool cut;      /* ends at a half */
} Plant;

/* A run of a small model: ln V = 9.01, unigram entropy about 7, noise as batches have it. */
static void simulate(Chart *c, const Plant *p, uint64_t seed)
{
    Rand r = rand_stream(seed, "doctor");
    double ar = 0, scale = 65536, wobble = 0.7 + 0.6 * rand_uniform(&r);
    *c = (Chart){ .vocab = 8192, .unigram = 7, .planned_steps = STEPS - 1, .clip = 1 };
    for (int t = 0; t < (p->cut ? STEPS / 2 : STEPS); t++) {
        double u = (double)t / STEPS, warm = fmin(1, u / 0.03),
               rate = 1e-3 * warm * (u < 0.8 ? 1 : (1 - u) / 0.2);
        double loss = 3.2 + 5.8 * pow(1 + t / (30.0 * wobble), -0.55);
        ar = 0.3 * ar + 0.06 * rand_normal(&r);
        if (p->stuck) loss = fmax(loss, 7.1);
        if (p->diverges && u > 0.66) loss += 3 * (u - 0.66) + 0.5;
        if (p->spike > 0 && t >= 2000 && t < 2040) loss += p->spike * exp(-(t - 2000) / 15.0);
        if (p->swing > 0) loss += p->swing * sin(t / 90.0);
        if (p->leak && t > 20) loss = 0.2 + 2 * exp(-(t - 20) / 10.0);
        if (p->explodes && t >= 40) loss += 20 * exp(-(t - 40) / 300.0);
        if (t < 5) loss += p->init_off;
        loss += ar;
        if (p->nan && t > STEPS - 20) loss = (double)NAN;
        double norm = (0.3 + 3 * exp(-t / 60.0)) * exp(0.15 * rand_normal(&r)) *
                      (p->norm_times > 0 ? p->norm_times : 1);
        if (p->burst > 0 && t >= 2000 && t < 2006) norm *= pow(p->burst, (t - 1999) / 3.0);
        norm *= exp(p->drift * 10 * u);
        if (p->scale_falls && t % 100 == 99 && scale > 1) scale /= 2;
        (void)chart_add(c, SIG_LOSS, t, loss);
        (void)chart_add(c, SIG_NORM, t, norm);
        (void)chart_add(c, SIG_RATE, t, rate);
        (void)chart_add(c, SIG_RATIO, t,
                        (p->ratio > 0 ? p->ratio : 2e-3) * rate / 1e-3 *
                            exp(0.1 * rand_normal(&r)));
        (void)chart_add(c, SIG_SECONDS, t,
                        0.1 * exp(0.03 * rand_normal(&r)) * (p->slow && t % 10 == 0 ? 4 : 1));
        if (p->scale_falls) (void)chart_add(c, SIG_SCALE, t, scale);
        if (t % 150 == 149)
            (void)chart_add(c, SIG_VAL, t,
                            (p->overfits && u > 0.4 ? 3.6 + 0.8 * (u - 0.4) : loss - ar) +
                                0.01 * rand_normal(&r));
    }
}

static bool has(const Diagnosis *found, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(found[i].def->name, name) == 0) return true;
    return false;
}

static void all_names(const Diagnosis *found, int n, char out[400])
{
    out[0] = '\0';
    for (int i = 0; i < n; i++)
        snprintf(out + strlen(out), 400 - strlen(out), " %s", found[i].def->name);
}

TEST(healthy_runs_are_left_in_peace)
{
    int alarms = 0, runs = 200;
    for (int seed = 0; seed < runs; seed++) {
        Chart c;
        Diagnosis found[64];
        const FindDef *unknown[64];
        int n, m;
        char names[400];
        simulate(&c, &(Plant){ 0 }, 100 + (uint64_t)seed);
        doctor_look(&c, found, &n, unknown, &m);
        all_names(found, n, names);
        alarms += n > 0;
        if (n > 0) printf("# seed %d:%s\n", seed, names);
        chart_free(&c);
    }
    EXPECT_MSG(alarms <= runs / 100, "%d of %d healthy runs alarmed", alarms, runs);
}

TEST(each_planted_fault_is_found_by_its_name)
{
    static const struct {
        const char *name;
        Plant plant;
        double first; /* where it begins, about; negative: anywhere */
    } cases[] = {
        { "explodes", { .explodes = true }, 40 },
        { "not_a_number", { .nan = true }, 2981 },
        { "starved_scale", { .scale_falls = true }, -1 },
        { "never_learns", { .stuck = true }, 500 },
        { "diverged", { .diverges = true }, 2099 },
        { "spike", { .spike = 1.2 }, 2000 },
        { "norm_burst", { .burst = 8 }, 2000 },
        { "norm_drift", { .drift = 0.25 }, -1 },
        { "clipped_always", { .norm_times = 200 }, -1 },
        { "rate_too_high", { .swing = 0.35 }, -1 },
        { "update_ratio", { .ratio = 0.3 }, -1 },
        { "update_ratio", { .ratio = 3e-6 }, -1 },
        { "init_loss", { .init_off = 2 }, 0 },
        { "leak", { .leak = true }, 30 },
        { "overfit", { .overfits = true }, -1 },
        { "slow_steps", { .slow = true }, -1 },
        { "cut_short", { .cut = true }, 1499 },
    };
    for (int i = 0; i < COUNT(cases); i++) {
        int hits = 0, near = 0, seeds = 20;
        for (int seed = 0; seed < seeds; seed++) {
            Chart c;
            Diagnosis found[64];
            const FindDef *unknown[64];
            int n, m;
            simulate(&c, &cases[i].plant, 7000 + 100 * (uint64_t)i + (uint64_t)seed);
            doctor_look(&c, found, &n, unknown, &m);
            hits += has(found, n, cases[i].name);
            for (int k = 0; k < n; k++)
                near += strcmp(found[k].def->name, cases[i].name) == 0 &&
                        fabs(found[k].finding.first - cases[i].first) < 60;
            chart_free(&c);
        }
        EXPECT_MSG(hits >= seeds - 1, "%s was found %d times of %d", cases[i].name, hits, seeds);
        EXPECT_MSG(cases[i].first < 0 || near >= seeds - 1, "%s was placed %d times of %d",
                   cases[i].name, near, seeds);
    }
}

TEST(what_was_not_measured_is_unknown_and_never_clear)
{
    Chart c = { 0 };
    for (int i = 0; i < 20; i++) (void)chart_add(&c, SIG_LOSS, i, 9 - 0.1 * i);
    Diagnosis found[64];
    const FindDef *unknown[64];
    int n, m;
    doctor_look(&c, found, &n, unknown, &m);
    EXPECT(n == 0 && m >= 10);
    for (int i = 0; i < m; i++) EXPECT(strcmp(unknown[i]->name, "not_a_number") != 0);
    chart_free(&c);
}

TEST(every_finding_says_where_it_comes_from_and_how_to_settle_it)
{
    int n;
    const FindDef *const *def = doctor_all(&n);
    for (int i = 0; i < n; i++) {
        EXPECT_MSG(def[i]->name && def[i]->doc && def[i]->source && def[i]->remedy &&
                       def[i]->settle && def[i]->causes[0],
                   "finding %d", i);
        EXPECT(doctor_find(def[i]->name) == def[i]);
    }
    EXPECT(!doctor_find("nonsense"));
}

static const char *written(const char *name, const char *text)
{
    static char path[256];
    Err err = { 0 };
    snprintf(path, sizeof path, "%s/%s", test_folder(), name);
    EXPECT(file_write_whole(path, str_of(text), &err));
    return path;
}

TEST(logs_of_many_trainers_are_read)
{
    static const struct {
        const char *name, *text;
        Signal signal;
        int n;
        double step, x; /* of the last one */
    } logs[] = {
        { "llmc",
          "step    1/19560 | loss 10.99 (+nanz)| norm 15.3 (+nanz)| lr 8.57e-07 | 3043.1 ms | 52% "
          "bf16 MFU\nval loss 11.1\nstep    2/19560 | loss 10.95 (+nanz)| norm 15.1 (+nanz)| lr "
          "1e-06 | 3 ms\n",
          SIG_NORM, 2, 2, 15.1 },
        { "main", "s:0 tel:11.0\ns:0 trl:10.9 lr:0.000001 norm:15.37\ns:250 tel:6.5\n", SIG_VAL, 2,
          250, 6.5 },
        { "nanochat",
          "step 00012/21400 (0.06%) | loss: 9.500000 | lrm: 1.00 | dt: 512.00ms | tok/sec: "
          "1,024,000\n",
          SIG_SECONDS, 1, 12, 0.512 },
        { "modded",
          "step:125/6200 val_loss:5.6402 train_time:31000ms\nstep:126/6200 train_loss:5.6 "
          "train_time:1ms\n",
          SIG_VAL, 1, 125, 5.6402 },
        { "megatron",
          "0: valid loss at iteration 100 | lm loss value: 8.79E+00 | lm loss PPL: 6.6E+03 |\n "
          "iteration 200/ 148693 | elapsed time per iteration (s): 3.45 | learning rate: 2.7E-05 | "
          "lm loss: 8.8E+00 | loss scale: 12.0 | grad norm: 4.036 | number of skipped iterations:  "
          " 3 |\n",
          SIG_SKIPPED, 1, 200, 3 },
        { "table", "step\tloss\tval_loss\tlr\n10\t5.5\t5.6\t0.1\n20\t4.5\t\t0.1\n", SIG_LOSS, 2, 20,
          4.5 },
        { "csv", "step,lr,loss\n2160,0.0003,4.1114\n2288,0.0002999,4.0342\n", SIG_LOSS, 2, 2288,
          4.0342 },
        { "json", "{\"step\": 1, \"loss\": 3.5, \"grad_norm\": 2}\n{\"step\": 2, \"loss\": 3.25}\n",
          SIG_LOSS, 2, 2, 3.25 },
        { "resumed", "step 1 loss 3\nstep 2 loss nan\nstep 1 loss 9\nstep 3 loss 2\n", SIG_LOSS, 3,
          3, 2 },
    };
    for (int i = 0; i < COUNT(logs); i++) {
        Chart c = { 0 };
        Err err = { 0 };
        EXPECT_MSG(chart_read(&c, written(logs[i].name, logs[i].text), &err), "%s: %s",
                   logs[i].name, err.msg);
        const Series *s = &c.of[logs[i].signal];
        EXPECT_MSG(s->n == logs[i].n && s->step[s->n - 1] == logs[i].step &&
                       s->x[s->n - 1] == logs[i].x,
                   "%s: %d values", logs[i].name, s->n);
        chart_free(&c);
    }
    Chart c = { 0 };
    Err err = { 0 };
    EXPECT(!chart_read(&c, written("poem", "one step beyond\nno loss at all\n"), &err) &&
           err.code == ERR_FORMAT && strstr(err.msg, "poem"));
    chart_free(&c);
}

TEST(robust_statistics_agree_with_their_definitions)
{
    double x[1000], step[1000];
    Rand r = rand_stream(5, "robust");
    for (int i = 0; i < 1000; i++) step[i] = i, x[i] = 0.01 * i + 0.5 * rand_normal(&r);
    EXPECT_MSG(fabs(robust_noise(x, 1000) - 0.5) < 0.06, "%g", robust_noise(x, 1000));
    Series s = { .step = step, .x = x, .n = 1000 };
    static double z[1000];
    robust_z(&s, 64, 0, z);
    for (int i = 64; i < 1000; i += 117) { /* the definition, by sorting anew */
        double m = stat_median(x + i - 64, 64), sd = robust_sd(x + i - 64, 64);
        EXPECT_MSG(fabs(z[i] - (x[i] - m) / sd) < 1e-9, "%d: %g", i, z[i]);
    }
    robust_z(&s, 7, 0, z);
    EXPECT(fabs(z[50] - (x[50] - stat_median(x + 43, 7)) / robust_sd(x + 43, 7)) < 1e-9);
    for (int i = 0; i < 100; i++) x[10 * i] = 1e9; /* a tenth of them wild */
    EXPECT(fabs(robust_slope(step, x, 200) - 0.01) < 0.003);
    double three[] = { 1, 2, 4 };
    EXPECT(fabs(robust_sd(three, 3) - 1.4826) < 1e-12 && isnan(robust_sd(three, 2)));
}

/* Runs that their owners published: eleven that blew up, starved or never learned, two healthy. */
TEST(published_logs_are_diagnosed)
{
    static const struct {
        const char *log, *finding;
    } sick[] = {
        { "blowup-1-1793404", "starved_scale" },
        { "blowup-2-adam-1793488", "starved_scale" },
        { "blowup-3-adam-fp32-1793501", "never_learns" },
        { "blowup-3-adam-nokernel-1793763", "never_learns" },
        { "blowup-4-adam-1793736", "never_learns" },
        { "blowup-4-adam-alibi-bf16-1804475", "spike" },
        { "blowup-4-adam-alibi-fp32-1796300", "diverged" },
        { "blowup-4-adam-alibi-fp32-nokernel-1799771", "never_learns" },
        { "blowup-4-alibi-bf16-1796229", "diverged" },
        { "blowup-4-alibi-fp32-1796300", "diverged" },
        { "blowup-4-alibi-nods-1814186", "diverged" },
    };
    static const char *const healthy[] = { "modded/llmc_gpt2_124M_main",
                                           "modded/adamw_rotary_124M" };
    const char *shared = getenv("LATHE_SHARED");
    if (!shared) {
        printf("# skip: LATHE_SHARED is not set\n");
        return;
    }
    for (int i = 0; i < COUNT(sick) + COUNT(healthy); i++) {
        bool ill = i < COUNT(sick);
        char path[512], names[400];
        Chart c = { 0 };
        Err err = { 0 };
        Diagnosis found[64];
        const FindDef *unknown[64];
        int n, m;
        snprintf(path, sizeof path, "%s/data/curves/%s%s.log", shared, ill ? "blowups/" : "",
                 ill ? sick[i].log : healthy[i - COUNT(sick)]);
        EXPECT_MSG(chart_read(&c, path, &err), "%s", err.msg);
        doctor_look(&c, found, &n, unknown, &m);
        all_names(found, n, names);
        EXPECT_MSG(ill ? has(found, n, sick[i].finding) : n <= 2, "%s:%s", path, names);
        chart_free(&c);
    }
}
