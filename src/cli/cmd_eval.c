/* cmd_eval.c - scores a run on a held-out tier.
 *
 * A read of the audit or the locked tier is in the ledger before the text is opened: it counts
 * also when the scoring fails or is killed.  The search tier, which every experiment reads, is
 * not counted, so it can be scored in a read-only lab too. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/run_dir.h"
#include "judge/judge.h"
#include "lab/apart.h"
#include "lab/run.h"

static const CmdOpt opts[] = {
    { "tier", 0, "TIER", "search (as given), audit or locked; reads of the last two are counted" },
    { "apart", 0, NULL, "at arm's length: the model in a sandbox, the judge in another process" },
    { 0 },
};

typedef struct Eval {
    const char *run, *dir;
    int tier;
    bool apart;
    const char *source[MIXTURE_MAX];
    int n_sources;
} Eval;

static bool find_tier(const char *word, int *tier, Err *err)
{
    for (*tier = 0; *tier < TIER_COUNT; ++*tier)
        if (strcmp(tier_name[*tier], word) == 0) return true;
    return err_set(err, ERR_CONFIG, "--tier %s: there are search, audit and locked", word);
}

/* The text that judges a run is that of its question, or what the run says itself, whatever it was
 * trained on. */
static bool sources_of_question(Lab *lab, Eval *e, Err *err)
{
    json_t *run = NULL, *question = NULL;
    if (!ledger_last(lab->ledger, "run", e->run, &run, err)) return false;
    const char *id = json_str(run, "question", "");
    bool ok = !id[0] || ledger_last(lab->ledger, "question", id, &question, err);
    const json_t *names =
        json_object_get(question ? question : run, question ? "sources" : "judged_on");
    for (size_t i = 0; i < json_array_size(names) && e->n_sources < MIXTURE_MAX; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        e->source[e->n_sources++] = arena_str(lab->arena, str_of(name));
    }
    json_decref(run);
    json_decref(question);
    return ok;
}

static bool sources_of_recipe(Lab *lab, const Recipe *r, Eval *e, Err *err)
{
    Mixture m = { 0 };
    if (!mixture_open(&m, lab->dir, &r->knobs, lab->arena, err)) return false;
    for (e->n_sources = 0; e->n_sources < m.count; e->n_sources++)
        e->source[e->n_sources] = arena_str(lab->arena, str_of(m.source[e->n_sources].name));
    mixture_close(&m);
    return true;
}

static bool count_read(Lab *lab, const Eval *e, Err *err)
{
    if (e->tier == TIER_SEARCH) return true;
    json_t *names = json_array();
    for (int i = 0; i < e->n_sources; i++) json_array_append_new(names, json_string(e->source[i]));
    json_t *body = json_pack("{s:s, s:s, s:o, s:s}", "run", e->run, "tier", tier_name[e->tier],
                             "sources", names, "reason", "eval");
    return ledger_append(lab->ledger, "judge_read", e->run, body, err);
}

static json_t *score_json(const Eval *e, const JudgeScore *s)
{
    json_t *by_source = json_object();
    for (int i = 0; i < s->n_sources; i++)
        json_object_set_new(by_source, e->source[i], json_num_of(s->source_bpb[i]));
    return json_pack("{s:s, s:s, s:o, s:I, s:I, s:I, s:o, s:o, s:s}", "run", e->run, "tier",
                     tier_name[e->tier], "bpb", json_num_of(s->bpb), "bytes", (json_int_t)s->bytes,
                     "tokens", (json_int_t)s->tokens, "documents", (json_int_t)s->documents,
                     "error", json_num_of(s->error), "bpb_by_source", by_source, "text_sha256",
                     s->text_sha256);
}

static void print_score(const Eval *e, const JudgeScore *s)
{
    char bytes[32], tokens[32], documents[32];
    printf("%s on the %s tier: %.4f bits per byte", e->run, tier_name[e->tier], s->bpb);
    if (isfinite(s->error)) printf(", give or take %.4f for the choice of text", s->error);
    printf("\n%s of text in %s documents, %s tokens\n", str_bytes(bytes, (double)s->bytes),
           str_count(documents, (double)s->documents), str_count(tokens, (double)s->tokens));
    for (int i = 0; s->n_sources > 1 && i < s->n_sources; i++)
        printf("  %-20s %.4f\n", e->source[i], s->source_bpb[i]);
}

/* What a model of this very program is asked as if it were a stranger's. */
static bool score_apart(Lab *lab, const Eval *e, const Trained *t, JudgeScore *score, Err *err)
{
    ApartScore s;
    JudgeText text = { lab->dir, e->source, e->n_sources, e->tier };
    ApartWho who = { trained_recipe(t), e->dir, apart_self(lab->arena), 0 };
    if (!apart_ask(lab, &who, &text, lab->arena, &s, err)) return false;
    *score = s.score;
    fprintf(stderr, "%d probes, the candidate took %.1f s of processor time\n", s.probes, s.cpu);
    return !s.rejected || err_set(err, ERR_FORMAT, "%s is rejected: %s", e->run, s.why);
}

/* A run whose engine a patch made can be asked in no other way. */
static bool evaluate_patched(Lab *lab, Eval *e, const Recipe *r, JudgeScore *score, Err *err)
{
    return (e->n_sources > 0 || sources_of_recipe(lab, r, e, err)) && count_read(lab, e, err) &&
           lab_run_score(lab, e->run, e->tier, e->source, e->n_sources, score, err);
}

/* By the ledger; a folder of checkpoints that no run of it wrote is as our own. */
static bool patched(Lab *lab, const Eval *e, Recipe *r, bool *is, Err *err)
{
    json_t *run = NULL;
    *is = false;
    if (!ledger_last(lab->ledger, "run", e->run, &run, err)) return false;
    bool ok = !run || lab_recipe(lab, json_str(run, "recipe", ""), r, err);
    *is = run && ok && apart_code(r);
    json_decref(run);
    return ok;
}

static bool evaluate(Lab *lab, Eval *e, JudgeScore *score, Err *err)
{
    Recipe recipe;
    bool other = false;
    if (!sources_of_question(lab, e, err) || !patched(lab, e, &recipe, &other, err)) return false;
    if (other) return evaluate_patched(lab, e, &recipe, score, err);
    Trained *t = trained_open(e->dir, 0, lab->arena, err);
    if (!t) return false;
    bool ok = (e->n_sources > 0 || sources_of_recipe(lab, trained_recipe(t), e, err)) &&
              count_read(lab, e, err) &&
              (e->apart ? score_apart(lab, e, t, score, err)
                        : judge_score(lab->dir, e->source, e->n_sources, e->tier, t, lab->arena,
                                      score, err));
    trained_close(t);
    return ok;
}

static bool run(Cmd *c, Err *err)
{
    Eval e = { .apart = cmd_has(c, "apart") };
    Lab lab;
    JudgeScore score;
    if (!find_tier(cmd_value(c, "tier", "search"), &e.tier, err) ||
        !run_dir(c, c->n_args ? c->arg[0] : NULL, &e.run, &e.dir, err) ||
        !lab_open(&lab, c->lab, e.tier == TIER_SEARCH ? LEDGER_READ : LEDGER_WRITE, c->arena, err))
        return false;
    bool ok = evaluate(&lab, &e, &score, err);
    lab_close(&lab);
    if (ok && c->json) cmd_print_json(score_json(&e, &score));
    if (ok && !c->json) print_score(&e, &score);
    return ok;
}

const CmdDef cmd_eval = {
    .name = "eval",
    .args = "[RUN]",
    .doc = "bits per byte of a run on held-out text",
    .more =
        "RUN is r12, champion or a folder of checkpoints; without it, the newest model trained in "
        "full or by hand. Bytes are counted from the text, so models with different tokenizers can "
        "be "
        "compared. The locked tier is for the end: every read makes it a little less honest.",
    .opts = opts,
    .max_args = 1,
    .needs_lab = true,
    .json = true,
    .run = run,
};
