/* The loop of research against truths that are known: sessions whose runs are drawn, not trained.
 */
#include "base/file.h"
#include "base/rand.h"
#include "dev/dev.h"
#include "lab/history.h"
#include "lab/known_noise.h"
#include "lab/research.h"
#include "science/preference.h"
#include "tests/test.h"

static Arena arena;
static Lab lab;
static Err err;
static const double sigma = 0.006;

/* Sigmas that a recipe gains. */
static double (*truth)(const KnobSet *k);

static bool draw_run(Lab *l, const RunJob *job, RunResult *out, Err *e)
{
    const KnobSet *k = &job->recipe->knobs;
    char luck[120]; /* of what the tests edit: knobs that others add do not change what is drawn */
    snprintf(luck, sizeof(luck), "%.9g %.9g %.9g %.9g", knobs_number(k, "optim.beta1"),
             knobs_number(k, "optim.decay"), knobs_number(k, "optim.lr"),
             1e8 * knobs_number(k, "optim.eps"));
    Rand r = rand_stream(job->seed, luck);
    *out = (RunResult){ .bpb = 2 - sigma * (truth(k) - rand_normal(&r)) };
    bool ok = ledger_begin(l->ledger, e) && lab_recipe_keep(l, job->recipe, e) &&
              ledger_next_id(l->ledger, 'r', out->id, e);
    json_t *run = json_pack("{s:s, s:s, s:I, s:s, s:s, s:s?, s:s?}", "id", out->id, "recipe",
                            job->recipe->sha256, "seed", (json_int_t)job->seed, "purpose",
                            job->purpose, "question", job->question, "experiment", job->experiment,
                            "session", job->session);
    json_t *result = json_pack("{s:s, s:b, s:f, s:f, s:i, s:s}", "run", out->id, "failed", 0, "bpb",
                               out->bpb, "seconds", 1.0, "flops", 7, "machine", cpu_model());
    return ok && ledger_append(l->ledger, "run", out->id, run, e) &&
           ledger_append(l->ledger, "result", out->id, result, e) && ledger_commit(l->ledger, e);
}

static bool draw_score(Lab *l, const char *run, int tier, JudgeScore *out, Err *e)
{
    RunResult r;
    bool found = false;
    (void)tier;
    if (!lab_result(l, run, &r, &found, e)) return false;
    out->bpb = r.bpb;
    return found;
}

/* A whole session; the history that it leaves behind. */
static void play(const char *name, const char *researcher, int experiments, int race, History *h)
{
    char dir[160], text[65];
    Recipe first;
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 32);
    snprintf(dir, sizeof(dir), "%s/%s", test_folder(), name);
    recipe_default(&first, &arena);
    recipe_seal(&first);
    EXPECT_MSG(lab_init(dir, &err) && lab_open(&lab, dir, LEDGER_WRITE, &arena, &err), "%s",
               err.msg);
    EXPECT_MSG(lab_recipe_keep(&lab, &first, &err) &&
                   session_data_sha256(&lab, NULL, 0, &first, text, &err),
               "%s", err.msg);
    EXPECT(ledger_append(lab.ledger, "question", "q1",
                         json_pack("{s:s, s:[], s:s, s:f, s:s}", "recipe", first.sha256, "sources",
                                   "data_sha256", text, "target_params", 1000.0, "frame", "flops"),
                         &err));
    EXPECT(ledger_append(lab.ledger, "session", "s1", json_pack("{s:s}", "id", "s1"), &err));
    SessionPlan plan = { .id = "s1",
                         .question = "q1",
                         .researcher = researcher,
                         .experiments = experiments,
                         .race = race,
                         .bank = 8,
                         .champion_flops = 1e12,
                         .floor = 0.001 };
    SessionWatch watch = { .run = draw_run, .score = draw_score };
    EXPECT_MSG(session_work(&lab, &plan, &watch, &err), "%s", err.msg);
    EXPECT_MSG(history_open(h, &lab, &err), "%s", err.msg);
}

static void leave(History *h)
{
    history_close(h);
    lab_close(&lab);
}

static const char *script(const char *name, const char *lines)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s.jsonl", test_folder(), name);
    EXPECT_MSG(file_write_whole(path, str_of(lines), &err), "%s", err.msg);
    static char who[200];
    snprintf(who, sizeof(who), "scripted:%s", path);
    return who;
}

#define LINE(title, knob, to)                                                                      \
    "{\"title\": \"" title "\", \"edits\": [{\"knob\": \"" knob "\", \"to\": \"" to "\"}]}\n"

/* ---- races ---- */

static double two_gains(const KnobSet *k)
{
    return 5.0 * (knobs_number(k, "optim.beta1") < 0.88) +
           5.0 * (knobs_number(k, "optim.decay") > 0.15);
}

static double champion_knob(const History *h, const char *knob)
{
    Recipe r;
    EXPECT_MSG(lab_recipe(&lab, h->champion, &r, &err), "%s", err.msg);
    return knobs_number(&r.knobs, knob);
}

TEST(what_passes_after_the_champion_has_moved_is_confirmed_anew_on_fresh_seeds)
{
    const char *who =
        script("race", LINE("null", "optim.eps", "2e-8") LINE("one gain", "optim.beta1", "0.85")
                           LINE("another gain", "optim.decay", "0.2")
                               LINE("null again", "optim.eps", "3e-8"));
    History h;
    truth = two_gains;
    play("race", who, 12, 3, &h);
    int moved = -1;
    for (int i = 0; i < h.exps; i++) {
        if (h.exp[i].moved) moved = i;
        EXPECT_MSG(h.exp[i].decision != EXP_OPEN, "%s is still open", h.exp[i].id);
        if (strncmp(h.exp[i].title, "null", 4) == 0) EXPECT(h.exp[i].decision != EXP_KEEP);
    }
    EXPECT_MSG(champion_knob(&h, "optim.beta1") < 0.88 && champion_knob(&h, "optim.decay") > 0.15,
               "both gains are not in the champion");
    EXPECT_MSG(moved >= 0, "nothing passed on the champion before");
    const HistExp *anew = NULL;
    for (int i = 0; i < h.exps; i++)
        if (h.exp[i].anew == moved) anew = &h.exp[i];
    EXPECT_MSG(anew && anew->decision == EXP_KEEP && strcmp(anew->base, h.exp[moved].base) != 0,
               "it was not confirmed anew");
    int index[32], n = history_candidate(&h, anew, index, 32);
    EXPECT_MSG(n >= 3, "%d runs", n);
    for (int i = 0; i < n; i++) {
        const HistRun *r = &h.run[index[i]];
        EXPECT(strcmp(r->purpose, "confirm") == 0);
        for (int k = 0; k < index[i]; k++)
            EXPECT_MSG(h.run[k].seed != r->seed, "seed %d is not fresh", (int)r->seed);
    }
    EXPECT_MSG(h.kept == 2, "%d kept", h.kept);
    leave(&h);
}

static double nothing(const KnobSet *k)
{
    (void)k;
    return 0;
}

TEST(a_race_of_nulls_keeps_none_and_costs_what_it_costs_one_after_another)
{
    History one, four;
    truth = nothing;
    play("single", "aa", 40, 1, &one);
    int runs = one.runs, exps = one.exps;
    EXPECT_MSG(one.kept == 0, "%d kept", one.kept);
    leave(&one);
    play("quad", "aa", 40, 4, &four);
    printf("# %d runs for %d proposals, in a race of four %d for %d\n", runs, exps, four.runs,
           four.exps);
    EXPECT_MSG(four.kept == 0, "%d kept", four.kept);
    EXPECT(four.runs < 1.3 * runs * four.exps / exps);
    leave(&four);
}

/* ---- what is known of the noise ---- */

TEST(a_lab_knows_its_noise_before_the_next_session)
{
    History h;
    NoiseEstimate here, other, frame;
    truth = nothing;
    play("known", "aa", 40, 1, &h);
    EXPECT_MSG(known_noise(&lab, 1000, "flops", &here, &err), "%s", err.msg);
    EXPECT_MSG(!here.borrowed && here.low < sigma / 2 && sigma / 2 < here.high, "%g (%g to %g)",
               here.s, here.low, here.high);
    EXPECT(known_noise(&lab, 4000, "flops", &other, &err) && other.borrowed);
    EXPECT(fabs(other.s / here.s - 1) < 0.01 && other.high > here.high);
    EXPECT(known_noise(&lab, 1000, "tokens", &frame, &err) && !(frame.s > 0));
    leave(&h);
}

/* ---- what is left ---- */

TEST(a_session_that_finds_nothing_says_what_may_be_left)
{
    History h;
    json_t *closing = NULL;
    truth = nothing;
    play("left", "aa", 60, 1, &h);
    EXPECT(ledger_last(lab.ledger, "closing", "s1", &closing, &err) && closing);
    const json_t *left = json_object_get(closing, "left");
    int tried = (int)json_int(left, "tried", 0);
    printf("# ended after %d of 60: %s; at most %.1f %% gain %.4f bpb, %.4f in all, floor %.4f\n",
           h.exps, json_str(closing, "reason", ""), 100 * json_num(left, "share", 0),
           json_num(left, "effect", 0), json_num(left, "gain", 0), json_num(left, "floor", 0));
    EXPECT_MSG(strcmp(json_str(closing, "reason", ""), "no proposal left is worth its cost") == 0,
               "it ended because %s", json_str(closing, "reason", ""));
    EXPECT(h.exps < 60 && tried == h.exps);
    EXPECT(fabs(json_num(left, "share", 0) - (1 - pow(0.1, 1.0 / tried)) / 0.8) < 1e-9);
    EXPECT(fabs(json_num(left, "gain", 0) -
                json_num(left, "share", 0) * 0.8 * json_num(left, "effect", 0) * (60 - h.exps)) <
           1e-12);
    EXPECT(json_num(left, "gain", 1) < json_num(left, "floor", 0));
    json_decref(closing);
    leave(&h);
}

/* ---- findings that oppose each other ---- */

TEST(two_findings_oppose_each_other_where_no_curve_has_both)
{
    EXPECT(preference_opposed((Preference){ 1, 2 }, (Preference){ 2, 1 }, true));
    EXPECT(!preference_opposed((Preference){ 2, 1 }, (Preference){ 2, 4 }, true)); /* best at 2 */
    EXPECT(!preference_opposed((Preference){ 2, 1 }, (Preference){ 4, 2 }, true));
    EXPECT(!preference_opposed((Preference){ 4, 1 }, (Preference){ 2, 8 }, true));
    EXPECT(preference_opposed((Preference){ 2, 1 }, (Preference){ 0.5, 2 }, true));
    EXPECT(preference_opposed((Preference){ 8, 4 }, (Preference){ 1, 2 }, true)); /* two valleys */
    EXPECT(!preference_opposed((Preference){ 8, 4 }, (Preference){ 1, 2 }, false));
    EXPECT(preference_opposed((Preference){ 0, 1 }, (Preference){ 1, 0 }, false));
}

/* A larger rate hurts, until the momentum is lower; then it helps. */
static double turns_around(const KnobSet *k)
{
    bool low = knobs_number(k, "optim.beta1")<0.88, fast = knobs_number(k, "optim.lr")> 0.003;
    return 5.0 * low + (fast ? (low ? 6.0 : -6.0) : 0);
}

static const HistExp *deciding(const History *h)
{
    for (int i = 0; i < h->exps; i++)
        if (h->exp[i].decides[0]) return &h->exp[i];
    return NULL;
}

TEST(a_finding_that_opposes_an_earlier_one_schedules_the_test_that_decides)
{
    const char *who = script("oppose", LINE("twice the rate", "optim.lr", "0.004")
                                           LINE("less momentum", "optim.beta1", "0.85"));
    History h;
    truth = turns_around;
    play("oppose", who, 12, 1, &h);
    const HistExp *d = deciding(&h);
    EXPECT_MSG(d != NULL, "nothing was decided between");
    EXPECT_MSG(strcmp(d->against, "e1") == 0 && strcmp(d->decides, "e3") == 0, "%s against %s",
               d->against, d->decides);
    EXPECT(d->fresh_seeds && strcmp(d->author, "lathe") == 0);
    EXPECT_MSG(d->decision == EXP_DROP, "the later finding did not hold: %s", d->why);
    EXPECT(champion_knob(&h, "optim.lr") > 0.003);
    int tests = 0;
    for (int i = 0; i < h.exps; i++) tests += h.exp[i].decides[0] != 0;
    EXPECT_MSG(tests == 1 && h.decided == 3 && h.kept == 2, "%d tests, %d of %d kept", tests,
               h.kept, h.decided);
    leave(&h);
}
