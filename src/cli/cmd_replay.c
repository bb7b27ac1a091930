/* cmd_replay.c - `lathe replay ID`: does the past repeat itself to the last bit? */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/progress.h"
#include "cli/cmd.h"
#include "lab/run.h"

static bool on_stop(void *self)
{
    (void)self;
    return stop_asked();
}

static void on_live(void *self, const char *run, const StepRow *last, int64_t steps)
{
    Progress *p = self;
    (void)run;
    p->total = (double)steps;
    progress_tick(p, (double)last->step, "");
}

static const CmdOpt opts[] = {
    { "threads", 0, "N", "processor threads; the bits must not depend on it" },
    { 0 },
};

static bool differ(const json_t *was, const json_t *is, const char *member)
{
    return strcmp(json_str(was, member, ""), json_str(is, member, "")) != 0;
}

/* The results say what they were made of.  A processor level is no excuse: bits do not depend on
 * it. */
static bool say_why(Lab *lab, const char *was, const char *is, Err *err)
{
    json_t *a = NULL, *b = NULL;
    bool ok = ledger_last(lab->ledger, "result", was, &a, err) &&
              ledger_last(lab->ledger, "result", is, &b, err);
    if (ok)
        err_set(err, ERR_FORMAT, "%s does not repeat: %s", was,
                differ(a, b, "data_sha256") ? "text was added to its data since; runs made after "
                                              "that repeat"
                : differ(a, b, "version")   ? "it was made by another version of Lathe"
                                            : "its data and the version are the same, so this is a "
                                              "fault of Lathe or of the machine; please report it");
    json_decref(a);
    json_decref(b);
    return false;
}

static bool run(Cmd *c, Err *err)
{
    Lab lab;
    RunResult was, is;
    double threads;
    if (!cmd_number(c, "threads", 0, 1, 1024, &threads, err) ||
        !lab_open(&lab, c->lab, LEDGER_WRITE, c->arena, err))
        return false;
    Progress progress = progress_begin("replaying", "steps", 0);
    RunWatch watch = { .self = &progress, .stop = on_stop, .live = on_live };
    bool ok = lab_replay(&lab, c->arg[0], watch, (int)threads, &was, &is, err);
    progress_end(&progress);
    if (!ok) return false;
    bool same = strcmp(was.weights_sha256, is.weights_sha256) == 0 &&
                strcmp(was.curve_sha256, is.curve_sha256) == 0 &&
                memcmp(&was.bpb, &is.bpb, sizeof(was.bpb)) == 0;
    if (c->json)
        cmd_print_json(json_pack("{s:s, s:s, s:b, s:o, s:o, s:s, s:s}", "run", was.id, "replay",
                                 is.id, "identical", same, "bpb_was", json_num_of(was.bpb),
                                 "bpb_is", json_num_of(is.bpb), "weights_sha256", is.weights_sha256,
                                 "curve_sha256", is.curve_sha256));
    else
        printf("%s again as %s: %s\n  bpb     %.17g\n          %.17g\n  weights %.16s %.16s\n  "
               "losses  %.16s %.16s\n",
               was.id, is.id, same ? "identical to the last bit" : "NOT THE SAME", was.bpb, is.bpb,
               was.weights_sha256, is.weights_sha256, was.curve_sha256, is.curve_sha256);
    if (is.self_reported && !same)
        fprintf(stderr, "another trainer made both: that it repeats is its own affair, and noise "
                        "is measured\n");
    same = same || (is.self_reported && !is.failed) || say_why(&lab, was.id, is.id, err);
    lab_close(&lab);
    return same;
}

const CmdDef cmd_replay = {
    .name = "replay",
    .args = "RUN",
    .doc = "run it again from nothing and compare every loss to the last bit",
    .opts = opts,
    .min_args = 1,
    .max_args = 1,
    .needs_lab = true,
    .json = true,
    .run = run,
};
