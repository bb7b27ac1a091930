/* What the ledger says about a question, as the rule sees it. */
#include "base/clock.h"
#include "lab/history.h"
#include "lab/playbook.h"
#include "lab/researcher.h"
#include "tests/test.h"

extern const ResearcherDef researcher_builtin;
static Arena arena;
static Lab lab;
static Err err;

static void put(const char *kind, const char *id, json_t *body)
{
    bool ok = ledger_append(lab.ledger, kind, id, body, &err);
    EXPECT_MSG(ok, "%s", err.msg);
}

static void put_run(const char *id, const char *recipe, int seed, const char *purpose,
                    const char *experiment, double bpb)
{
    put("run", id,
        json_pack("{s:s, s:s, s:i, s:s, s:s, s:s?, s:s}", "id", id, "recipe", recipe, "seed", seed,
                  "purpose", purpose, "question", "q1", "experiment", experiment, "data_sha256",
                  "d"));
    if (bpb > 0)
        put("result", id,
            json_pack("{s:s, s:b, s:f, s:f}", "run", id, "failed", 0, "bpb", bpb, "seconds", 1.0));
}

static void put_proposal(const char *id, const char *recipe)
{
    put("proposal", id,
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:[{s:s, s:s, s:s}]}", "question", "q1", "recipe",
                  recipe, "base_recipe", "A", "title", "t", "author", "a", "edits", "knob",
                  "optim.lr", "from", "1", "to", "2"));
}

/* A question with a bank of three and one open experiment with two search runs. */
static void open_lab(const char *name)
{
    char dir[128];
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 30);
    snprintf(dir, sizeof(dir), "%s/%s", test_folder(), name);
    EXPECT_MSG(lab_init(dir, &err), "%s", err.msg);
    EXPECT_MSG(lab_open(&lab, dir, LEDGER_WRITE, &arena, &err), "%s", err.msg);
    put("question", "q1", json_pack("{s:s}", "recipe", "A"));
    put_run("r1", "A", 1, "bank", NULL, 2.00);
    put_run("r2", "A", 2, "bank", NULL, 2.02);
    put_run("r3", "A", 3, "bank", NULL, 1.98);
    put_proposal("e1", "B");
    put_run("r4", "B", 1, "search", "e1", 1.90);
    put_run("r5", "B", 2, "search", "e1", 1.92);
}

TEST(a_case_holds_bank_and_candidate_and_leaves_the_candidate_out_of_the_noise)
{
    open_lab("case");
    History h;
    VerdictCase c;
    EXPECT_MSG(history_open(&h, &lab, &err), "%s", err.msg);
    history_case(&h, &h.exp[0], &c);
    EXPECT_MSG(c.m == 3 && c.n == 2 && c.fresh == 0, "m %d n %d fresh %d", c.m, c.n, c.fresh);
    EXPECT(c.bank[1] == 2.02 && c.run[0] == 1.90);
    EXPECT_MSG(c.noise.nu == 2 && fabs(c.noise.ss - 0.0008) < 1e-12, "nu %g ss %g", c.noise.nu,
               c.noise.ss);
    history_close(&h);
    lab_close(&lab);
}

TEST(seeds_follow_the_bank_and_then_nobody)
{
    open_lab("seeds");
    History h;
    uint64_t seed = 0;
    EXPECT(history_open(&h, &lab, &err));
    EXPECT(history_bank_seed(&h, &h.exp[0], &seed) && seed == 3);
    EXPECT(history_free_seed(&h) == 4);
    put("question", "q2", json_pack("{s:s, s:i}", "recipe", "A", "first_seed", 1001));
    EXPECT(history_update(&h, &err) && history_free_seed(&h) == 1001);
    history_close(&h);
    lab_close(&lab);
}

TEST(a_run_that_was_begun_is_gone_on_with)
{
    open_lab("begun");
    History h;
    uint64_t seed = 0;
    EXPECT(history_open(&h, &lab, &err));
    put_run("r6", "B", 3, "search", "e1", 0); /* begun, not finished: it must be gone on with */
    EXPECT(history_update(&h, &err));
    EXPECT(history_bank_seed(&h, &h.exp[0], &seed) && seed == 3);
    EXPECT(!h.run[5].done);
    history_close(&h);
    lab_close(&lab);
}

TEST(a_keep_moves_the_champion_and_its_search_runs_do_not_enter_the_bank)
{
    open_lab("keep");
    History h;
    int index[8];
    put_run("r6", "B", 7, "confirm", "e1", 1.91);
    put("verdict", "e1", json_pack("{s:s, s:f}", "decision", "keep", "effect", 0.08));
    put("champion", "q1",
        json_pack("{s:s, s:s, s:s}", "recipe", "B", "question", "q1", "experiment", "e1"));
    EXPECT(history_open(&h, &lab, &err));
    EXPECT(strcmp(h.champion, "B") == 0 && h.champion_exp == 0 && h.kept == 1 && h.decided == 1);
    int m = history_bank(&h, h.champion, index, 8);
    EXPECT_MSG(m == 1 && strcmp(h.run[index[0]].id, "r6") == 0, "%d runs in the bank", m);
    EXPECT(history_bank_mean(&h, h.champion, &m) == 1.91 && m == 1);
    EXPECT(fabs(history_mean(&h, h.champion, &m) - 1.91) < 1e-12 && m == 3);
    history_close(&h);
    lab_close(&lab);
}

TEST(a_failed_run_is_counted_and_not_averaged)
{
    open_lab("failed");
    History h;
    VerdictCase c;
    put_run("r6", "B", 3, "search", "e1", 9.0); /* hundreds of sigma away */
    EXPECT(history_open(&h, &lab, &err));
    history_case(&h, &h.exp[0], &c);
    EXPECT_MSG(c.n == 2 && c.failed == 1, "n %d failed %d", c.n, c.failed);
    history_close(&h);
    lab_close(&lab);
}

TEST(another_question_starts_from_nothing)
{
    open_lab("question");
    History h;
    put("question", "q2", json_pack("{s:s}", "recipe", "B"));
    EXPECT(history_open(&h, &lab, &err));
    EXPECT(h.runs == 0 && h.exps == 0 && strcmp(h.champion, "B") == 0);
    history_close(&h);
    lab_close(&lab);
}

static double now(void)
{
    usleep(20000); /* entries are dated: let there be a while between them */
    return clock_date();
}

TEST(only_time_at_work_counts)
{
    open_lab("worked");
    History h;
    double begun = now();
    put("session", "s1", json_pack("{s:s}", "id", "s1"));
    put("work", NULL, json_pack("{s:s}", "session", "s1"));
    now();
    put_run("r6", "A", 8, "bank", NULL, 2); /* and then it is killed */
    double killed = now();
    put("note", NULL, json_pack("{s:s}", "text", "what a pity"));
    double again = now();
    put("work", NULL, json_pack("{s:s, s:f}", "session", "s1", "away", 0.005));
    now();
    put("control", NULL, json_pack("{s:s}", "action", "pause"));
    double paused = now();
    EXPECT(history_open(&h, &lab, &err));
    double least = 0.02 - 0.005 + 0.02, most = killed - begun + paused - again;
    EXPECT_MSG(history_worked(&h, now()) >= least && h.worked < most, "%g, not %g to %g", h.worked,
               least, most);
    EXPECT(h.stretch == 0 && history_worked(&h, now()) == h.worked);
    put("control", NULL, json_pack("{s:s}", "action", "resume"));
    now();
    EXPECT(history_update(&h, &err) && history_worked(&h, now()) > h.worked + 0.02);
    history_close(&h);
    lab_close(&lab);
}

/* ---- researchers ---- */

static Asking asking(History *h, Recipe *recipe)
{
    recipe_default(recipe, &arena);
    recipe_seal(recipe);
    return (Asking){ .history = h,
                     .champion = recipe,
                     .baseline = recipe,
                     .bpb = 2,
                     .s = 0.006,
                     .left = 10,
                     .spec = "",
                     .arena = &arena };
}

TEST(every_researcher_proposes_what_holds_together_and_says_the_same_twice)
{
    open_lab("researchers");
    History h;
    Recipe recipe, made;
    int count = 0;
    EXPECT(history_open(&h, &lab, &err));
    history_close(&h); /* its experiments are of other recipes */
    Asking a = asking(&h, &recipe);
    EXPECT(lab_recipe_keep(&lab, &recipe, &err));
    const ResearcherDef *const *all = researcher_all(&count);
    for (int i = 0; i < count; i++) {
        Proposal p = { 0 }, again;
        bool none = true, none_again = true;
        if (all[i]->model || strcmp(all[i]->name, "scripted") == 0 ||
            strcmp(all[i]->name, "agent") == 0) { /* what they say comes from outside */
            bool said = all[i]->propose(&a, &p, &none, &err);
            EXPECT_MSG(said ? none || p.edits == 0 : err.msg[0], "%s speaks out of nothing",
                       all[i]->name);
            continue;
        }
        EXPECT_MSG(all[i]->propose(&a, &p, &none, &err), "%s: %s", all[i]->name, err.msg);
        EXPECT(all[i]->propose(&a, &again, &none_again, &err) && none == none_again);
        EXPECT_MSG(!none && p.edits > 0 && p.title[0], "%s has nothing to say", all[i]->name);
        EXPECT_MSG(proposal_recipe(&a, &p, &made, &err), "%s: %s", all[i]->name, err.msg);
        EXPECT_MSG(!proposal_known(&a, &made), "%s proposes the champion", all[i]->name);
        EXPECT_MSG(p.edits == again.edits && strcmp(p.edit[0].to, again.edit[0].to) == 0,
                   "%s is of two minds", all[i]->name);
    }
    history_close(&h);
    lab_close(&lab);
}

TEST(an_aa_session_plants_its_gain_in_the_frame_that_counts)
{
    open_lab("planted");
    History h;
    Recipe recipe, made;
    Proposal p;
    bool none = true;
    EXPECT(history_open(&h, &lab, &err));
    Asking a = asking(&h, &recipe);
    EXPECT(knobs_set(&recipe.knobs, "budget.frame", STR("tokens"), "test", &err));
    EXPECT(knobs_set_number(&recipe.knobs, "budget.tokens", 5000, &err));
    recipe_seal(&recipe);
    const ResearcherDef *aa = researcher_find("aa:1:4,3:2", &a.spec);
    EXPECT(aa && aa->propose(&a, &p, &none, &err) && !none && proposal_recipe(&a, &p, &made, &err));
    EXPECT(knobs_number(&made.knobs, "budget.tokens") == 20000);
    p.planted = false; /* nobody else may buy a gain */
    EXPECT(!proposal_recipe(&a, &p, &made, &err) && strstr(err.msg, "budget.tokens"));
    a.asked = 1;
    EXPECT(aa->propose(&a, &p, &none, &err) && !none && proposal_recipe(&a, &p, &made, &err));
    EXPECT_MSG(p.edits == 1 && strcmp(p.edit[0].knob, "optim.eps") == 0 && p.fresh_seeds,
               "more than a null");
    a.asked = 2;
    EXPECT(aa->propose(&a, &p, &none, &err) && p.planted && strcmp(p.edit[0].to, "10000") == 0);
    history_close(&h);
    lab_close(&lab);
}

/* ---- the builtin researcher against planted truths ---- */

/* The truth: sigmas that a recipe gains over the first. */
typedef double Truth(const KnobSet *first, const KnobSet *k);

static double rate_wants_to_fall(const KnobSet *first, const KnobSet *k)
{
    double off = log2(knobs_number(k, "optim.lr") / knobs_number(first, "optim.lr")) + 2;
    return 3 * (4 - off * off); /* best a quarter of the first rate: 12 sigma */
}

static double nothing_helps(const KnobSet *first, const KnobSet *k)
{
    (void)first, (void)k;
    return -2;
}

/* An experiment of two runs that end where the truth says, and its verdict. */
static void put_played(int number, const Proposal *p, const Recipe *made, const char *base,
                       double gain, bool keep)
{
    char id[3][16];
    for (int k = 0; k < 3; k++)
        snprintf(id[k], sizeof(id[k]), "%c%d", k ? 'r' : 'e', 100 + 2 * number + k);
    EXPECT(ledger_begin(lab.ledger, &err) && lab_recipe_keep(&lab, made, &err));
    put("proposal", id[0],
        json_pack("{s:s, s:s, s:s, s:s, s:[{s:s}]}", "question", "q2", "recipe", made->sha256,
                  "base_recipe", base, "title", p->title, "edits", "knob", p->edit[0].knob));
    for (int k = 1; k < 3; k++) {
        put("run", id[k],
            json_pack("{s:s, s:i, s:s, s:s, s:s}", "recipe", made->sha256, "seed", k, "purpose",
                      "search", "question", "q2", "experiment", id[0]));
        put("result", id[k], json_pack("{s:f}", "bpb", 2 - 0.006 * gain));
    }
    put("verdict", id[0], json_pack("{s:s, s:i}", "decision", keep ? "keep" : "drop", "runs", 2));
    EXPECT(ledger_commit(lab.ledger, &err));
}

/* Plays a question without training: what is proposed gets two runs of its true score, and is kept
 * where that beats the champion by two sigma.  The best gain found within so many proposals. */
static double play_question(const char *name, const char *who, Truth *truth, int proposals,
                            double *last_worth)
{
    open_lab(name);
    History h;
    Recipe first, champion;
    double best = 0;
    EXPECT(history_open(&h, &lab, &err));
    Asking a = asking(&h, &first);
    champion = first;
    put("question", "q2", json_pack("{s:s}", "recipe", first.sha256));
    EXPECT(lab_recipe_keep(&lab, &first, &err));
    put("run", "r99",
        json_pack("{s:s, s:i, s:s, s:s}", "recipe", first.sha256, "seed", 1, "purpose", "bank",
                  "question", "q2"));
    put("result", "r99", json_pack("{s:f}", "bpb", 2.0));
    for (int i = 0; i < proposals; i++) {
        Proposal p;
        Recipe made;
        bool none = false;
        EXPECT(history_update(&h, &err));
        a = (Asking){ .history = &h,
                      .champion = &champion,
                      .baseline = &first,
                      .bpb = 2 - 0.006 * best,
                      .s = 0.006,
                      .asked = i,
                      .spec = "",
                      .arena = &arena };
        EXPECT_MSG(researcher_find(who, &a.spec)->propose(&a, &p, &none, &err), "%s", err.msg);
        *last_worth = none ? 0 : p.worth;
        if (none || p.worth <= 0) break;
        EXPECT_MSG(proposal_recipe(&a, &p, &made, &err), "%s", err.msg);
        double gain = truth(&first.knobs, &made.knobs);
        bool keep = gain > best + 2;
        put_played(i, &p, &made, champion.sha256, gain, keep);
        if (!keep) continue;
        best = gain;
        champion = made;
    }
    history_close(&h);
    lab_close(&lab);
    return best;
}

TEST(the_builtin_researcher_finds_a_planted_optimum_and_sooner_than_chance)
{
    double worth, builtin = play_question("plant1", "builtin", rate_wants_to_fall, 30, &worth);
    double random = play_question("plant2", "random", rate_wants_to_fall, 30, &worth);
    printf("# builtin %.2f, random %.2f of 12 sigma\n", builtin, random);
    EXPECT_MSG(builtin > 9 && builtin >= random, "%g sigma, by chance %g", builtin, random);
}

TEST(where_nothing_helps_the_builtin_researcher_expects_less_and_less)
{
    double early, late;
    EXPECT(play_question("null1", "builtin", nothing_helps, 2, &early) == 0);
    EXPECT(play_question("null2", "builtin", nothing_helps, 40, &late) == 0);
    printf("# expected %.2f sigma, then %.2f\n", early, late);
    EXPECT_MSG(late < early / 2, "%g after %g", late, early);
}

TEST(every_value_can_be_put_back_in_the_words_of_an_edit)
{
    Recipe r, back;
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 30);
    recipe_default(&r, &arena);
    EXPECT(knobs_set(&r.knobs, "data.sources", STR("a \"b\",c"), "test", &err));
    recipe_seal(&r);
    for (int i = 0; i < r.knobs.count; i++) {
        char value[EDIT_TEXT];
        edit_value(&r.knobs, i, value);
        recipe_copy(&back, &r, &arena);
        EXPECT_MSG(knobs_set(&back.knobs, r.knobs.knob[i]->name, str_of(value), "test", &err), "%s",
                   err.msg);
        recipe_seal(&back);
        EXPECT_MSG(strcmp(back.sha256, r.sha256) == 0, "%s = %s", r.knobs.knob[i]->name, value);
    }
}

TEST(the_playbook_names_knobs_and_choices_that_exist)
{
    Recipe r;
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 30);
    recipe_default(&r, &arena);
    for (const Play *play = playbook; play->name; play++) {
        EXPECT_MSG(play->sd > 0 && play->why && play->refute && play->source, "%s is not complete",
                   play->name);
        for (int i = 0; i < 4 && play->edit[i].how != PLAY_END; i++) {
            const PlayEdit *e = &play->edit[i];
            EXPECT_MSG(knobs_find(&r.knobs, e->knob) >= 0, "%s: no knob %s", play->name, e->knob);
            if (e->how == PLAY_WORD)
                EXPECT_MSG(knobs_set(&r.knobs, e->knob, str_of(e->word), play->name, &err), "%s",
                           err.msg);
        }
    }
}

TEST(a_disaster_does_not_make_the_noise_look_larger)
{
    open_lab("disaster");
    History h;
    EXPECT(history_open(&h, &lab, &err));
    Noise before = history_noise(&h, NULL);
    put_run("r6", "B", 3, "search", "e1", 9.0);
    EXPECT(history_update(&h, &err));
    Noise after = history_noise(&h, NULL);
    EXPECT_MSG(before.ss == after.ss && before.nu == after.nu, "%g of %g, was %g of %g", after.ss,
               after.nu, before.ss, before.nu);
    history_close(&h);
    lab_close(&lab);
}

TEST(an_experiment_once_opened_stays_open)
{
    open_lab("opened");
    History h;
    VerdictCase c;
    put("confirming", "e1", json_pack("{s:s}", "experiment", "e1"));
    EXPECT(history_open(&h, &lab, &err));
    history_case(&h, &h.exp[0], &c);
    EXPECT(c.confirming && c.fresh == 0);
    history_close(&h);
    lab_close(&lab);
}

TEST(what_was_refused_is_not_proposed_again_on_another_champion)
{
    open_lab("refused");
    History h;
    Recipe recipe;
    Proposal p;
    bool none = true;
    EXPECT(history_open(&h, &lab, &err));
    history_close(&h); /* its experiments are of other recipes */
    Asking a = asking(&h, &recipe);
    EXPECT(lab_recipe_keep(&lab, &recipe, &err));
    EXPECT(researcher_builtin.propose(&a, &p, &none, &err) && !none && p.edits > 0);
    json_t *edits = json_array();
    for (int i = 0; i < p.edits; i++)
        json_array_append_new(edits,
                              json_pack("{s:s, s:s}", "knob", p.edit[i].knob, "to", p.edit[i].to));
    put("proposal", "e2",
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "question", "q1", "recipe", recipe.sha256,
                  "base_recipe", "another champion", "title", p.title, "author", "builtin", "edits",
                  edits));
    put("verdict", "e2",
        json_pack("{s:s, s:b, s:s}", "decision", "drop", "refused", 1, "why", "too large"));
    EXPECT(history_update(&h, &err) && h.decided == 0);
    Proposal again;
    EXPECT(researcher_builtin.propose(&a, &again, &none, &err));
    EXPECT_MSG(none || strcmp(again.title, p.title) != 0, "'%s' again", again.title);
    history_close(&h);
    lab_close(&lab);
}
