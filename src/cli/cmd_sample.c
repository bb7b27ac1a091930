/* cmd_sample.c - lets a trained model write. */
#include <stdio.h>

#include "base/clock.h"
#include "cli/cmd.h"
#include "cli/run_dir.h"
#include "train/trained.h"

static const CmdOpt opts[] = {
    { "prompt", 'p', "TEXT", "what it continues (nothing: it begins a text of its own)" },
    { "tokens", 'n', "N", "at most so many new tokens (200)" },
    { "temperature", 't', "T", "0: always the most likely token (0.8)" },
    { "top-k", 0, "K", "draw among the K most likely (0: all)" },
    { "top-p", 0, "P", "draw among the likeliest that together have probability P (0.95)" },
    { "seed", 0, "N", "another number, another text (1)" },
    { "threads", 0, "N", "0: all cores (0)" },
    { 0 },
};

typedef struct Out {
    bool json;
    Buf text;
    int tokens;
} Out;

static bool emit(void *self, Str bytes)
{
    Out *o = self;
    o->tokens++;
    buf_str(&o->text, bytes);
    if (o->json) return !stop_asked();
    fwrite(bytes.at, 1, (size_t)bytes.len, stdout);
    fflush(stdout);
    return !stop_asked();
}

static bool read_options(const Cmd *c, SampleOpt *o, double *threads, Err *err)
{
    double tokens, top_k, seed;
    if (!cmd_number(c, "tokens", 200, 1, 1e9, &tokens, err) ||
        !cmd_number(c, "temperature", 0.8, 0, 100, &o->temperature, err) ||
        !cmd_number(c, "top-k", 0, 0, 1e7, &top_k, err) ||
        !cmd_number(c, "top-p", 0.95, 0, 1, &o->top_p, err) ||
        !cmd_number(c, "seed", 1, 0, 1e15, &seed, err) ||
        !cmd_number(c, "threads", 0, 0, 4096, threads, err))
        return false;
    o->tokens = (int)tokens;
    o->top_k = (int)top_k;
    o->seed = (uint64_t)seed;
    return true;
}

static void print_end(const Out *o, const char *run, Str prompt)
{
    if (o->json)
        cmd_print_json(json_pack("{s:s, s:o, s:o, s:i}", "run", run, "prompt", json_text(prompt),
                                 "text", json_text(buf_view(&o->text)), "tokens", o->tokens));
    else
        printf("\n");
}

static bool run(Cmd *c, Err *err)
{
    SampleOpt o = { 0 };
    double threads;
    const char *name, *dir;
    if (!read_options(c, &o, &threads, err) ||
        !run_dir(c, c->n_args ? c->arg[0] : NULL, &name, &dir, err))
        return false;
    Trained *t = trained_open(dir, (int)threads, c->arena, err);
    if (!t) return false;
    Out out = { .json = c->json };
    Str prompt = str_of(cmd_value(c, "prompt", ""));
    if (!c->json) printf("%.*s", (int)prompt.len, prompt.at);
    bool ok = trained_sample(t, prompt, o, emit, &out, err);
    if (ok) print_end(&out, name, prompt);
    buf_free(&out.text);
    trained_close(t);
    return ok;
}

const CmdDef cmd_sample = {
    .name = "sample",
    .args = "[RUN]",
    .doc = "let a trained model write",
    .more =
        "RUN is an id such as r12, champion (the newest one trained in full), or a folder with "
        "checkpoints, written with a '/'; without it the newest model is taken: of those trained "
        "in full or by hand first, then of any. The same seed writes the same text.",
    .opts = opts,
    .max_args = 1,
    .json = true,
    .run = run,
};
