/* cmd_diff.c - two recipes knob by knob, and what came of each.
 *
 * A side is anything that has a recipe: a file, a run, an experiment, a claim, a question (its
 * champion), the word champion, or the beginning of a recipe's hash.  The scores beside it are
 * all finished runs of that recipe in the lab; the difference of two means of few runs is stated
 * with both spreads and without a verdict, which is what experiments are for. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/cmd.h"
#include "cli/show.h"
#include "science/stats.h"

enum { RUNS = 200, KNOBS = 400 };

typedef struct Side {
    const char *name;
    Recipe recipe;
    double bpb[RUNS];
    int n;
} Side;

/* ---- which recipe ---- */

static bool recipe_named_by(Lab *lab, const char *kind, const char *id, const char *member, Side *s,
                            Err *err)
{
    json_t *body = NULL;
    if (!show_body(lab, kind, id, &body, err)) return false;
    bool ok = lab_recipe(lab, json_str(body, member, ""), &s->recipe, err);
    json_decref(body);
    return ok;
}

static bool recipe_of_claim(Lab *lab, const char *id, Side *s, Err *err)
{
    json_t *body = NULL;
    if (!show_body(lab, "claim", id, &body, err)) return false;
    bool ok = recipe_named_by(lab, "proposal", json_str(body, "experiment", ""), "recipe", s, err);
    json_decref(body);
    return ok;
}

static bool recipe_of_query(Lab *lab, Side *s, const char *sql, Err *err)
{
    json_t *rows = NULL;
    if (!ledger_query(lab->ledger, sql, 2, &rows, err)) return false;
    bool ok = json_array_size(rows) == 1 &&
              lab_recipe(lab, json_str(json_array_get(rows, 0), "recipe", ""), &s->recipe, err);
    if (json_array_size(rows) != 1)
        err_set(err, ERR_CONFIG,
                "%s names no recipe, or more than one; `lathe log --kind recipe` "
                "lists them",
                s->name);
    json_decref(rows);
    return ok;
}

static bool recipe_by_id(Lab *lab, Side *s, Err *err)
{
    char sql[200];
    const char *id = s->name;
    bool number =
        id[0] && id[1] && strlen(id) < 16 && strspn(id + 1, "0123456789") == strlen(id + 1);
    if (number && id[0] == 'r') return recipe_named_by(lab, "run", id, "recipe", s, err);
    if (number && id[0] == 'e') return recipe_named_by(lab, "proposal", id, "recipe", s, err);
    if (number && id[0] == 'c') return recipe_of_claim(lab, id, s, err);
    if (strlen(id) >= 6 && strlen(id) <= 64 && strspn(id, "0123456789abcdef") == strlen(id)) {
        snprintf(sql, sizeof(sql), "SELECT recipe FROM recipes WHERE recipe GLOB '%s*'", id);
        return recipe_of_query(lab, s, sql, err);
    }
    if (!number || id[0] != 'q')
        return err_set(
            err, ERR_CONFIG,
            "\"%.60s\" is no file and names no recipe: give a recipe file, a run (r12), an "
            "experiment (e7), a claim (c3), a question (q1), champion, or digits of a hash",
            id);
    snprintf(sql, sizeof(sql),
             "SELECT recipe FROM champions WHERE question='%s' ORDER BY seq DESC LIMIT 1", id);
    return recipe_of_query(lab, s, sql, err);
}

static bool side_recipe(Cmd *c, Lab *lab, Side *s, Err *err)
{
    const char *from;
    if (lab && strcmp(s->name, "champion") == 0) return lab_champion(lab, &s->recipe, &from, err);
    if (file_exists(s->name) && !file_is_dir(s->name))
        return recipe_read(&s->recipe, s->name, c->arena, err);
    if (lab) return recipe_by_id(lab, s, err);
    return err_set(err, ERR_CONFIG, "there is no file %s; ids are known inside a lab only",
                   s->name);
}

/* ---- what came of it ---- */

static bool side_results(Lab *lab, Side *s, Err *err)
{
    char sql[300];
    json_t *rows = NULL;
    snprintf(sql, sizeof(sql),
             "SELECT x.bpb FROM runs r JOIN results x ON x.run = r.run WHERE r.recipe='%s' AND "
             "r.replay_of IS NULL AND x.bpb IS NOT NULL AND NOT x.failed ORDER BY r.seq",
             s->recipe.sha256);
    if (!ledger_query(lab->ledger, sql, RUNS, &rows, err)) return false;
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) s->bpb[s->n++] = json_num(row, "bpb", (double)NAN);
    json_decref(rows);
    return true;
}

static double spread(const Side *s)
{
    return s->n > 1 ? sqrt(stat_ss(s->bpb, s->n) / (s->n - 1)) : (double)NAN;
}

/* ---- saying it ---- */

static void value_of(const Side *s, const char *knob, char out[256])
{
    knobs_print_value(&s->recipe.knobs, knobs_find(&s->recipe.knobs, knob), out, 256);
}

static json_t *side_json(const Side *s)
{
    return json_pack("{s:s, s:s, s:i, s:o, s:o}", "name", s->name, "recipe", s->recipe.sha256,
                     "runs", s->n, "bpb", json_num_of(stat_mean(s->bpb, s->n)), "sd",
                     json_num_of(spread(s)));
}

static void print_json(const Side side[2], const char **knobs, int n)
{
    json_t *edits = json_array();
    char a[256], b[256];
    for (int i = 0; i < n; i++) {
        value_of(&side[0], knobs[i], a);
        value_of(&side[1], knobs[i], b);
        json_array_append_new(edits, json_pack("{s:s, s:o, s:o}", "knob", knobs[i], "from",
                                               json_text(str_of(a)), "to", json_text(str_of(b))));
    }
    cmd_print_json(json_pack("{s:o, s:o, s:o}", "a", side_json(&side[0]), "b", side_json(&side[1]),
                             "edits", edits));
}

static void print_side(const char *letter, const Side *s)
{
    printf("%s  %s, recipe %.12s", letter, s->name, s->recipe.sha256);
    if (s->n)
        printf(": %.4f bpb, mean of %d run%s", stat_mean(s->bpb, s->n), s->n, s->n > 1 ? "s" : "");
    if (s->n > 1) printf(", sd %.4f", spread(s));
    printf("%s\n", s->n ? "" : ": no finished run");
}

static void print_text(const Side side[2], const char **knobs, int n)
{
    char a[256], b[256];
    print_side("A", &side[0]);
    print_side("B", &side[1]);
    if (side[0].n && side[1].n && n)
        printf("B gains %+.4f bpb\n",
               stat_mean(side[0].bpb, side[0].n) - stat_mean(side[1].bpb, side[1].n));
    for (int i = 0; i < n; i++) {
        value_of(&side[0], knobs[i], a);
        value_of(&side[1], knobs[i], b);
        printf("  %-24s %16s -> %s\n", knobs[i], a, b);
    }
    if (n == 0) printf("the recipes are the same\n");
}

static bool compare(Cmd *c, Lab *lab, Err *err)
{
    Side *side = NEW(c->arena, Side, 2);
    const char *knobs[KNOBS];
    for (int i = 0; i < 2; i++) {
        side[i].name = c->arg[i];
        if (!side_recipe(c, lab, &side[i], err)) return false;
        recipe_seal(&side[i].recipe);
        if (lab && !side_results(lab, &side[i], err)) return false;
    }
    int n = recipe_diff(&side[0].recipe, &side[1].recipe, knobs, KNOBS);
    if (c->json)
        print_json(side, knobs, n);
    else
        print_text(side, knobs, n);
    return true;
}

static bool run(Cmd *c, Err *err)
{
    Lab lab;
    if (!c->lab) return compare(c, NULL, err);
    if (!lab_open(&lab, c->lab, LEDGER_READ, c->arena, err)) return false;
    bool ok = compare(c, &lab, err);
    lab_close(&lab);
    return ok;
}

const CmdDef cmd_diff = {
    .name = "diff",
    .args = "A B",
    .doc = "two recipes knob by knob, and the scores of their runs",
    .more =
        "A and B are recipe files, runs (r12), experiments (e7), claims (c3), questions (q1: their "
        "champion), champion, or six and more digits of a recipe's hash.",
    .min_args = 2,
    .max_args = 2,
    .json = true,
    .run = run,
};
