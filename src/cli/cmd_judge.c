/* cmd_judge.c - the judge's process.
 *
 * It is given a job on standard input and gives one document back; the held-out text is in no other
 * process.  The candidate that it judges runs in sandboxes of this process. */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "cli/cmd.h"
#include "judge/apart.h"

static bool read_job(Cmd *c, json_t **job, Err *err)
{
    Buf text = { 0 };
    char bytes[4096];
    for (size_t n; (n = fread(bytes, 1, sizeof(bytes), stdin)) > 0;)
        buf_put(&text, bytes, (ptrdiff_t)n);
    (void)c;
    *job = json_read(buf_view(&text), "the job", err);
    buf_free(&text);
    return *job != NULL;
}

static json_t *numbers(const double *x, int n)
{
    json_t *a = json_array();
    for (int i = 0; i < n; i++) json_array_append_new(a, json_num_of(x[i]));
    return a;
}

static json_t *result_json(const ApartResult *r)
{
    const JudgeScore *s = &r->arm.score;
    json_t *probes = json_array(), *failed = json_array();
    for (int k = 0; k < ARM_KINDS; k++) {
        json_array_append_new(probes, json_integer(r->arm.probes[k]));
        json_array_append_new(failed, json_integer(r->arm.failed[k]));
    }
    return json_pack("{s:b, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o, s:o, s:s, s:I, s:o, s:o, s:f, "
                     "s:f}",
                     "rejected", r->arm.rejected, "why", json_text(str_of(r->arm.why)), "bpb",
                     json_num_of(s->bpb), "error", json_num_of(s->error), "bytes",
                     (json_int_t)s->bytes, "tokens", (json_int_t)s->tokens, "documents",
                     (json_int_t)s->documents, "bits", numbers(s->bits, s->blocks), "block_bytes",
                     numbers(s->block_bytes, s->blocks), "bpb_by_source",
                     numbers(s->source_bpb, s->n_sources), "text_sha256", s->text_sha256, "rows",
                     (json_int_t)r->arm.rows, "probes", probes, "failed", failed, "wall", r->wall,
                     "cpu", r->cpu);
}

static bool score(Cmd *c, const json_t *job, Err *err)
{
    const char *source[MIXTURE_MAX];
    const json_t *names = json_object_get(job, "sources");
    int n = (int)MIN(json_array_size(names), (size_t)MIXTURE_MAX);
    for (int i = 0; i < n; i++) source[i] = json_string_value(json_array_get(names, (size_t)i));
    Recipe recipe;
    Mixture m = { 0 };
    if (!recipe_parse(&recipe, str_of(json_str(job, "recipe", "")), "the recipe", c->arena, err) ||
        !mixture_open(&m, c->lab, &recipe.knobs, c->arena, err))
        return false;
    ApartJob apart = { .text = { c->lab, source, n, (int)json_int(job, "tier", TIER_SEARCH) },
                       .tokenizer = m.tokenizer,
                       .context = (int)knobs_whole(&recipe.knobs, "model.context"),
                       .program = json_str(job, "program", c->program),
                       .model = json_str(job, "model", ""),
                       .threads = (int)json_int(job, "threads", 1),
                       .limit = { .memory = json_int(job, "memory", 0),
                                  .wall = json_num(job, "wall", 0),
                                  .cpu = json_num(job, "cpu", 0),
                                  .cpus = (int)json_int(job, "threads", 1),
                                  .tasks = (int)json_int(job, "threads", 1) + 4 } };
    ApartResult result;
    bool ok = getrandom(&apart.secret, sizeof(apart.secret), 0) == sizeof(apart.secret)
                  ? judge_may_score(&apart.text, &recipe.knobs, *c->arena, err) &&
                        apart_score(&apart, c->arena, &result, err)
                  : err_errno(err, "draw a secret");
    mixture_close(&m);
    if (ok) cmd_print_json(result_json(&result));
    return ok;
}

static bool run(Cmd *c, Err *err)
{
    json_t *job = NULL;
    if (!read_job(c, &job, err)) return false;
    bool ok = score(c, job, err);
    json_decref(job);
    return ok;
}

const CmdDef cmd_judge = {
    .name = "judge",
    .doc = "the judge's process: a job on standard input, a score on standard output",
    .max_args = 0,
    .needs_lab = true,
    .json = true,
    .hidden = true,
    .run = run,
};
