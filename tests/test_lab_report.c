/* test_lab_report.c - a ledger with a made-up session in it becomes a page that is whole, escaped
 * and self-contained.  The numbers come from simulated runs that verdict_next itself judges.  With
 * LATHE_REPORT_OUT=FILE the page is also written there, to be looked at. */
#include "lab/report.h"

#include "base/file.h"
#include "base/rand.h"
#include "data/corpus.h"
#include "lab/report_private.h"
#include "science/verdict.h"
#include "tests/test.h"

typedef struct Made {
    Ledger *l;
    Rand rand;
    int runs;
    double mu; /* the champion's true bpb */
    char champion[65];
    double bank[VERDICT_RUNS];
    int m, kept, decided;
    Noise noise;
} Made;

static const double sigma = 0.004;

static void put(Made *t, const char *kind, const char *id, json_t *body)
{
    Err err = { 0 };
    bool ok = ledger_append(t->l, kind, id, body, &err);
    EXPECT_MSG(ok, "%s %s: %s", kind, id ? id : "", err.msg);
}

static void put_steps(Made *t, const char *run, double end, double rate)
{
    enum { STEPS = 300 };
    StepRow row[STEPS];
    for (int i = 0; i < STEPS; i++) {
        double x = (i + 1.0) / STEPS, lr = rate * fmin(1, x * 20) * (x < 0.6 ? 1 : (1 - x) / 0.4);
        row[i] = (StepRow){ .step = i + 1,
                            .tokens = 4096.0 * (i + 1),
                            .flops = 1e7 * (i + 1),
                            .seconds = 0.01 * i,
                            .loss = end + 2.4 * pow(i + 3, -0.55) + 0.05 * rand_normal(&t->rand),
                            .grad_norm = 0.4 + 2 / (1 + 0.1 * i) * exp(0.2 * rand_normal(&t->rand)),
                            .clipped = 1,
                            .lr = lr,
                            .update_ratio = { lr * 0.4 + 1e-5, lr, lr, lr },
                            .tokens_per_s = 4e5 };
    }
    Err err = { 0 };
    EXPECT_MSG(ledger_steps_add(t->l, run, row, STEPS, &err), "%s", err.msg);
}

typedef struct Wish {
    const char *recipe, *purpose, *experiment;
    double mean;
    bool failed;
    int seed;
} Wish;

static double put_run(Made *t, const Wish *w)
{
    char id[24];
    snprintf(id, sizeof(id), "r%d", ++t->runs);
    double bpb = w->mean + sigma * rand_normal(&t->rand), nan = (double)NAN;
    put(t, "run", id,
        json_pack("{s:s,s:s,s:i,s:s,s:s,s:s?,s:s,s:s}", "id", id, "recipe", w->recipe, "seed",
                  w->seed, "purpose", w->purpose, "question", "q1", "experiment", w->experiment,
                  "session", "s1", "data_sha256", "d"));
    if (!w->failed) put_steps(t, id, w->mean, w->experiment ? 0.006 : 0.003);
    put(t, "result", id,
        json_pack("{s:s,s:b,s:o,s:f,s:i,s:i,s:f,s:s,s:s,s:s}", "run", id, "failed", w->failed,
                  "bpb", json_num_of(w->failed ? nan : bpb), "error", 0.01, "steps", 300, "tokens",
                  1228800, "seconds", 3.2, "machine", "AMD EPYC <7763>", "level", "avx2", "version",
                  "0.1"));
    return bpb;
}

static void put_recipe(Made *t, const char *sha256, double lr, int depth)
{
    char text[400];
    snprintf(text, sizeof(text),
             "[model]\ndepth = %d\nwidth = 128\n\n[optim]\nname = \"%s\"\nlr = %g\n", depth,
             depth > 2 ? "muon" : "adamw", lr);
    put(t, "recipe", sha256, json_pack("{s:s}", "text", text));
}

static void crown(Made *t, const char *recipe, const VerdictCase *c, double gain)
{
    snprintf(t->champion, sizeof(t->champion), "%s", recipe);
    t->mu -= gain;
    t->m = 0;
    for (int i = c->n - c->fresh; i < c->n; i++) t->bank[t->m++] = c->run[i];
    while (t->m < VERDICT_NEW_BANK)
        t->bank[t->m++] = put_run(t, &(Wish){ recipe, "bank", NULL, t->mu, .seed = 200 + t->runs });
    t->kept++;
}

/* One proposal, judged by the rule itself; gain in bpb, a failing one if not finite. */
static void put_experiment(Made *t, const char *id, const char *title, double gain,
                           double predicted)
{
    char recipe[65];
    snprintf(recipe, sizeof(recipe), "recipe-%s", id);
    put_recipe(t, recipe, 0.001 * (t->decided + 1), 2 + t->kept);
    put(t, "proposal", id,
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:[{s:s,s:s,s:s}],s:s,s:s,s:f,s:f,s:s,s:s}", "id", id,
                  "question", "q1", "session", "s1", "author",
                  t->decided % 5 == 4 ? "person" : "builtin", "title", title, "edits", "knob",
                  "optim.lr", "from", "0.001", "to", "0.003", "recipe", recipe, "base_recipe",
                  t->champion, "predicted", predicted, "confidence", predicted > 0.01 ? 0.6 : 0.2,
                  "why", "Short runs want larger <steps> & fewer of them.", "refute",
                  "A gain below half a sigma."));
    VerdictCase c = { .noise = t->noise, .kept = t->kept, .decided = t->decided };
    Evidence ev;
    VerdictStep step;
    int tried = 0;
    for (;;) {
        memcpy(c.bank, t->bank, sizeof(c.bank));
        c.m = t->m;
        step = verdict_next(&c, &ev);
        c.confirming = ev.confirming;
        if (step >= VERDICT_KEEP) break;
        if (step == VERDICT_AUDIT) {
            put(t, "judge_read", NULL,
                json_pack("{s:s,s:s,s:s}", "tier", "audit", "question", "q1", "experiment", id));
            put(t, "audit", id, json_pack("{s:s,s:b}", "experiment", id, "agrees", 1));
            c.audit = 1;
        } else if (step == VERDICT_CHAMPION) {
            t->bank[t->m++] =
                put_run(t, &(Wish){ t->champion, "bank", NULL, t->mu, .seed = 100 + t->runs });
        } else {
            Wish w = { .recipe = recipe,
                       .purpose = step == VERDICT_CONFIRM ? "confirm" : "search",
                       .experiment = id,
                       .mean = t->mu - gain };
            w.failed = !isfinite(gain);
            w.seed = step == VERDICT_CONFIRM ? 300 + t->runs : c.n + 1;
            double bpb = put_run(t, &w);
            tried++;
            if (w.failed || verdict_failed(bpb, t->bank, t->m, noise_s(&t->noise))) {
                c.failed++;
                continue;
            }
            c.fresh += step == VERDICT_CONFIRM;
            c.run[c.n++] = bpb;
        }
    }
    json_t *body = json_pack("{s:s,s:s,s:s,s:s,s:i,s:f,s:i,s:i}", "experiment", id, "question",
                             "q1", "decision", verdict_word(step), "why", ev.why, "runs", tried,
                             "seconds", 3.2 * tried, "n", c.n, "fresh", c.fresh);
    const double number[] = { ev.effect, ev.low, ev.high, ev.P, ev.D, ev.s };
    static const char *const name[] = { "effect", "low", "high", "P", "D", "s" };
    for (int i = 0; i < 6; i++) json_object_set_new(body, name[i], json_num_of(number[i]));
    put(t, "verdict", id, body);
    noise_add(&t->noise, c.run, c.n);
    if (step == VERDICT_KEEP) {
        put(t, "champion", NULL,
            json_pack("{s:s,s:s,s:s}", "recipe", recipe, "question", "q1", "experiment", id));
        crown(t, recipe, &c, gain);
    }
    t->decided++;
}

static void put_question(Made *t)
{
    t->mu = 2.104;
    snprintf(t->champion, sizeof(t->champion), "recipe-baseline");
    put_recipe(t, t->champion, 0.001, 2);
    put(t, "question", "q1",
        json_pack("{s:s,s:[s],s:s,s:s,s:s}", "id", "q1", "sources", "shakespeare", "data_sha256",
                  "d", "frame", "flops", "recipe", t->champion));
    put(t, "session", "s1",
        json_pack("{s:s,s:s,s:s,s:i,s:{s:f,s:f}}", "id", "s1", "question", "q1", "researcher",
                  "builtin", "experiments", 18, "planned", "detectable_sigma", 1.95,
                  "seconds_per_run", 3.2));
}

static void put_end(Made *t, double gain)
{
    put(t, "closing", "s1",
        json_pack("{s:s,s:s}", "session", "s1", "reason", "all its experiments are decided"));
    if (t->kept == 0) return;
    put(t, "headline", "s1",
        json_pack("{s:s,s:s,s:f,s:f,s:f,s:f,s:[f,f],s:i}", "session", "s1", "tier", "audit", "gain",
                  gain, "low", gain - 0.005, "high", gain + 0.005, "gain_search", gain + 0.002,
                  "bpb_first", 2.09, 2.1, "seeds", 4));
    put_run(t, &(Wish){ t->champion, "champion", NULL, t->mu - 0.4, .seed = 1 });
}

static const struct {
    const char *title;
    double gain, predicted; /* in sigma */
} plan[] = {
    { "Twice the learning rate", 9, 6 },
    { "Half the batch, twice the steps", 3.5, 4 },
    { "<script>alert(1)</script> & \"quotes\" 'here'", 0, 3 },
    { "Muon on the hidden matrices", 12, 10 },
    { "Warmup over a tenth of the run", -0.5, 1 },
    { "A rate of 1, which cannot go well", (double)NAN, 2 },
    { "GELU instead of ReLU squared", -3, 1 },
    { "Softcap at 15", 0.3, 1 },
    { "Wider, less deep", -40, 3 },
    { "QK-norm \xCE\xB1\xCE\xB2 \x01", 2.5, 2 },
    { "Decay over the last 70 %", 2, 2 },
    { "Tied head", -6, 1 },
    { "Weight decay 0.2", 0.2, 1 },
    { "RoPE base 100,000", 0, 0.5 },
    { "beta2 .95", 0.5, 1 },
    { "Embedding rate times three", 4, 3 },
    { "Final rate of a twentieth", 1, 1 },
    { "Initial scale times .7", 0, 1 },
};

static void put_manifest(const char *dir)
{
    char path[160];
    Err err = { 0 };
    snprintf(path, sizeof(path), "%s/data/shakespeare", dir);
    EXPECT(file_make_dirs(path, &err));
    snprintf(path, sizeof(path), "%s/data/shakespeare/manifest.json", dir);
    json_t *m = json_pack("{s:{s:{s:i,s:i,s:f},s:{s:i,s:i,s:f},s:{s:i,s:i,s:n}}}", "tiers",
                          "search", "documents", 31, "bytes", 398000, "sampling_error", 0.0123,
                          "audit", "documents", 29, "bytes", 401000, "sampling_error", 0.0131,
                          "locked", "documents", 1, "bytes", 40, "sampling_error");
    EXPECT(json_write_file(path, m, &err));
    json_decref(m);
}

static void make_ledger(Made *t, const char *dir, int experiments, double scale)
{
    char path[128];
    Err err = { 0 };
    EXPECT(file_make_dirs(dir, &err));
    snprintf(path, sizeof(path), "%s/lathe.db", dir);
    EXPECT_MSG(ledger_open(&t->l, path, LEDGER_CREATE, &err), "%s", err.msg);
    t->rand = rand_stream(4, "report");
    put_manifest(dir);
    put_question(t);
    for (int i = 0; i < 8; i++)
        t->bank[t->m++] = put_run(t, &(Wish){ t->champion, "bank", NULL, t->mu, .seed = i + 1 });
    noise_add(&t->noise, t->bank, t->m);
    for (int i = 0; i < experiments; i++) {
        char id[16];
        snprintf(id, sizeof(id), "e%d", i + 1);
        put_experiment(t, id, plan[i].title, plan[i].gain * sigma * scale,
                       plan[i].predicted * sigma);
    }
    put_end(t, 2.104 - t->mu);
}

static char *page_of(Made *t, const char *dir, Arena *arena)
{
    char path[160];
    Str text = { 0 };
    Err err = { 0 };
    snprintf(path, sizeof(path), "%s/report.html", dir);
    EXPECT_MSG(report_write(t->l, dir, path, &err), "%s", err.msg);
    EXPECT_MSG(file_read_arena(path, arena, &text, &err), "%s", err.msg);
    return text.at ? arena_str(arena, text) : arena_str(arena, STR(""));
}

/* Are tags balanced, and is every < a tag? */
static bool balanced(const char *page)
{
    char stack[64][16];
    int depth = 0;
    for (const char *s = strchr(page, '<'); s; s = strchr(s + 1, '<')) {
        char name[16] = "";
        bool end = s[1] == '/';
        int n = 0;
        for (const char *c = s + 1 + end;
             n < 15 && (*c == '!' || (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9')); c++)
            name[n++] = *c;
        name[n] = 0;
        const char *close = strchr(s, '>');
        if (!n || !close) return false;
        if (name[0] == '!' || close[-1] == '/' || !strcmp(name, "meta") || !strcmp(name, "br"))
            continue;
        if (!end && depth < 64) memcpy(stack[depth++], name, sizeof(name));
        if (end && (depth == 0 || strcmp(stack[--depth], name) != 0)) {
            printf("# </%s> closes <%s>: %.60s\n", name, stack[depth], s);
            return false;
        }
    }
    return depth == 0;
}

TEST(a_session_becomes_one_whole_page)
{
    char dir[80];
    snprintf(dir, sizeof(dir), "%s/lab", test_folder());
    Arena arena = arena_reserve(1 << 28);
    Made t = { 0 };
    make_ledger(&t, dir, COUNT(plan), 1);
    char *page = page_of(&t, dir, &arena);
    EXPECT(balanced(page));
    EXPECT(strstr(page, "Muon on the hidden matrices") && strstr(page, "of 18 proposals held"));
    EXPECT(strstr(page, "all its experiments are decided") && strstr(page, "How they learned"));
    EXPECT(strstr(page, "398 kB") && strstr(page, "1.23&nbsp;%"));
    EXPECT(strstr(page, "id=\"e18\"") && strstr(page, "lathe chat r"));
    const char *save = getenv("LATHE_REPORT_OUT");
    Err err = { 0 };
    if (save) EXPECT(file_write_whole(save, str_of(page), &err));
    ledger_close(t.l);
    arena_release(&arena);
}

TEST(what_others_wrote_cannot_act_on_the_page)
{
    char dir[80];
    snprintf(dir, sizeof(dir), "%s/escaped", test_folder());
    Arena arena = arena_reserve(1 << 28);
    Made t = { 0 };
    make_ledger(&t, dir, 3, 1);
    char *page = page_of(&t, dir, &arena);
    EXPECT(!strstr(page, "<script") &&
           strstr(page, "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quotes&quot;"));
    EXPECT(!strstr(page, "<steps>") && !strstr(page, "EPYC <"));
    EXPECT(!strstr(page, "http:") && !strstr(page, "https:") && !strstr(page, "src="));
    EXPECT(!strstr(page, "nan") && !strstr(page, "inf%"));
    ledger_close(t.l);
    arena_release(&arena);
}

TEST(a_session_without_a_keep_or_even_a_proposal_is_told_too)
{
    Arena arena = arena_reserve(1 << 28);
    for (int n = 0; n <= 3; n += 3) {
        char dir[80];
        snprintf(dir, sizeof(dir), "%s/none%d", test_folder(), n);
        Made t = { 0 };
        make_ledger(&t, dir, n, -1);
        char *page = page_of(&t, dir, &arena);
        EXPECT(balanced(page) && !strstr(page, "nan"));
        EXPECT(strstr(page, n ? "None of 3 proposals beat the baseline"
                              : "Nothing has been decided yet"));
        ledger_close(t.l);
    }
    arena_release(&arena);
}

TEST(an_empty_lab_has_nothing_to_report)
{
    char path[80];
    snprintf(path, sizeof(path), "%s/empty.db", test_folder());
    Err err = { 0 };
    Ledger *l;
    EXPECT(ledger_open(&l, path, LEDGER_CREATE, &err));
    EXPECT(!report_write(l, test_folder(), "/nonexistent/report.html", &err) &&
           err.code == ERR_CONFIG);
    ledger_close(l);
}

TEST(ticks_are_round_and_within_the_axis)
{
    double at[24];
    Axis a = { .low = 0.13, .high = 0.97, .ticks = 5 };
    int n = svg_ticks(&a, at, 24);
    EXPECT(n == 4 && fabs(at[0] - 0.2) < 1e-12 && fabs(at[3] - 0.8) < 1e-12);
    Axis b = { .low = 1e-5, .high = 0.5, .log = true, .ticks = 5 };
    n = svg_ticks(&b, at, 24);
    EXPECT(n >= 4 && fabs(at[0] - 1e-5) < 1e-12);
    for (int i = 0; i < n; i++) EXPECT(at[i] >= b.low * 0.999 && at[i] <= b.high);
    Axis c = svg_axis((double[]){ 3, (double)NAN, 3 }, 3, 0.1);
    EXPECT(c.low < 3 && c.high > 3);
}

TEST(broken_text_and_control_characters_become_a_mark)
{
    Buf out = { 0 };
    svg_escape(&out, "a<\xFF\x01\xCE\xB1&'");
    EXPECT_MSG(strcmp(out.at, "a&lt;\xEF\xBF\xBD\xEF\xBF\xBD\xCE\xB1&amp;&#39;") == 0, "%s",
               out.at);
    buf_free(&out);
}
