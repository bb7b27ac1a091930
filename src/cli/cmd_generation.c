/* cmd_generation.c - the family of models: a finished run joins it, and children take from it.
 *
 * A child is an ordinary run whose recipe names its parent (`lathe train --parent`); so it is
 * proposed, judged, replayed and paid for like any other. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#include "cli/cmd.h"
#include "cli/show.h"
#include "lab/generation.h"

static bool on_stop(void *self)
{
    (void)self;
    return stop_asked();
}

static void on_note(void *self, const char *text)
{
    (void)self;
    fprintf(stderr, "%s\n", text);
}

static json_t *json_of(const Generation *g)
{
    json_t *bpb = json_object();
    for (int i = 0; i < TIER_COUNT; i++)
        json_object_set_new(bpb, tier_name[i], json_num_of(g->bpb[i]));
    return json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:I, s:I, s:I, s:f, s:f, s:o}", "id", g->id,
                     "run", g->run, "parent", g->parent[0] ? json_string(g->parent) : json_null(),
                     "took", g->took, "weights_sha256", g->weights, "recipe", g->recipe, "params",
                     (json_int_t)g->params, "tokens", (json_int_t)g->tokens, "flops",
                     (json_int_t)g->flops, "flops_with_parents", g->flops_with_parents, "seconds",
                     g->seconds, "bpb", bpb);
}

static bool list(Cmd *c, Lab *lab, Err *err)
{
    Generation *g;
    int n;
    if (!generation_all(lab, &g, &n, err)) return false;
    if (c->json) {
        json_t *all = json_array();
        for (int i = 0; i < n; i++) json_array_append_new(all, json_of(&g[i]));
        cmd_print_json(all);
        return true;
    }
    if (n == 0) {
        printf("no generation yet: `lathe generation new` makes one of the champion that a session "
               "ended with, `lathe generation new RUN` of any finished run\n");
        return true;
    }
    printf("%-5s %-6s %-7s %9s %9s %10s %10s  %8s %8s %8s  %s\n", "", "run", "parent", "params",
           "tokens", "FLOPs", "in all", "search", "audit", "locked", "took");
    for (int i = 0; i < n; i++) {
        char a[32], b[32];
        printf("%-5s %-6s %-7s %9s %9s %10.3g %10.3g  %8.4f %8.4f %8.4f  %s\n", g[i].id, g[i].run,
               g[i].parent[0] ? g[i].parent : "-", str_count(a, (double)g[i].params),
               str_count(b, (double)g[i].tokens), (double)g[i].flops, g[i].flops_with_parents,
               g[i].bpb[TIER_SEARCH], g[i].bpb[TIER_AUDIT], g[i].bpb[TIER_LOCKED], g[i].took);
    }
    return true;
}

static bool show(const Cmd *c, Lab *lab, const char *id, Err *err)
{
    json_t *doc = NULL;
    if (!show_generation.gather(lab, id, &doc, err)) return false;
    if (c->json) {
        cmd_print_json(doc);
        return true;
    }
    show_generation.print(doc, *c->arena);
    json_decref(doc);
    return true;
}

static bool make(const Cmd *c, Lab *lab, const char *run, Err *err)
{
    Generation g;
    RunWatch watch = { .stop = on_stop, .note = on_note };
    if (!generation_new(lab, run, watch, &g, err) || !show(c, lab, g.id, err)) return false;
    if (!c->json)
        printf("next: lathe train --parent %s -s parent.start=grow -s model.depth=..., or -s "
               "parent.teach=0.5\n",
               g.id);
    return true;
}

static bool run(Cmd *c, Err *err)
{
    Lab lab;
    const char *what = c->n_args > 0 ? c->arg[0] : "list", *id = c->n_args > 1 ? c->arg[1] : NULL;
    bool new = strcmp(what, "new") == 0, one = strcmp(what, "show") == 0;
    if (!new && !one && strcmp(what, "list") != 0)
        return err_set(err, ERR_CONFIG, "generation %s: there are new, list and show", what);
    if (one && !id) return err_set(err, ERR_CONFIG, "generation show wants an id, such as g1");
    if (!lab_open(&lab, c->lab, new ? LEDGER_WRITE : LEDGER_READ, c->arena, err)) return false;
    bool ok = new ? make(c, &lab, id, err) : one ? show(c, &lab, id, err) : list(c, &lab, err);
    lab_close(&lab);
    return ok;
}

const CmdDef cmd_generation = {
    .name = "generation",
    .args = "[new|list|show] [ID]",
    .doc = "models that are put to work on the next one",
    .more =
        "new takes a finished run (r12), or the newest champion that was trained in full, scores "
        "it on every tier, the locked one among them, and keeps its weights. A child is a run "
        "whose recipe names it (`lathe train --parent g1`): it may begin as the same function in "
        "a larger model (parent.start = \"grow\"), learn from its predictions (parent.teach), or "
        "only from tokens that it finds learnable (parent.select). What the parent computes is "
        "charged to the child. list shows the family with its costs, show one of it.",
    .max_args = 2,
    .needs_lab = true,
    .json = true,
    .run = run,
};
