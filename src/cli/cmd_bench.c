/* cmd_bench.c - measures this machine, one question after another. */
#include <stdio.h>
#include <string.h>

#include "cli/bench.h"

#define BENCH(title) extern const BenchDef bench_##title;
#include "cli/bench_list.h"
#undef BENCH

static const BenchDef *const benches[] = {
#define BENCH(title) &bench_##title,
#include "cli/bench_list.h"
#undef BENCH
};

static const CmdOpt opts[] = {
    { "set", 's', "KNOB=VALUE", "a knob of the model that is timed; may be repeated" },
    { "model", 0, "NAME",
      "time a fixed model, as other programs are timed: 6x384, gpt2, gpt2-t64 or toy; may be "
      "repeated" },
    { "recipe", 0, "FILE", "time this recipe instead of the default one" },
    { "seconds", 0, "S", "about how long to measure each (5)" },
    { "threads", 0, "N", "0: all cores (0)" },
    { "runs", 0, "FILE", "verdict: draw the noise from these runs of one recipe, a bpb to a line" },
    { 0 },
};

static bool wanted(const Cmd *c, const BenchDef *b)
{
    return c->n_args == 0 || strcmp(c->arg[0], b->name) == 0;
}

static bool unknown(const char *what, Err *err)
{
    Buf names = { 0 };
    for (int i = 0; i < COUNT(benches); i++)
        buf_printf(&names, "%s%s", i ? ", " : "", benches[i]->name);
    err_set(err, ERR_CONFIG, "nothing is called %s here; there are %s", what, names.at);
    buf_free(&names);
    return false;
}

static bool run(Cmd *c, Err *err)
{
    BenchIn in = { .cmd = c };
    double threads;
    if (!cmd_number(c, "seconds", 5, 0.1, 3600, &in.seconds, err) ||
        !cmd_number(c, "threads", 0, 0, 4096, &threads, err))
        return false;
    in.threads = (int)threads;
    json_t *rows = json_array();
    bool ok = true, any = false;
    for (int i = 0; ok && i < COUNT(benches); i++) {
        if (!wanted(c, benches[i])) continue;
        any = true;
        ok = benches[i]->run(&in, rows, err);
    }
    if (ok && !any) ok = unknown(c->arg[0], err);
    if (ok && c->json) {
        cmd_print_json(rows);
        return true;
    }
    json_decref(rows);
    return ok;
}

const CmdDef cmd_bench = {
    .name = "bench",
    .args = "[WHAT]",
    .doc = "measure this machine, one line per question",
    .more = "WHAT is peak, train, filters, data or verdict; without it all. The model that `bench "
            "train` times is "
            "a fixed one (--model), or given as for `lathe train`: -s model.depth=6 "
            "-s model.width=384 -s train.batch=16.",
    .opts = opts,
    .max_args = 1,
    .json = true,
    .run = run,
};
