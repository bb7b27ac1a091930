/* cmd_export.c - a model in another program's file format. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/cmd.h"
#include "cli/run_dir.h"
#include "train/export.h"

static const CmdOpt opts[] = {
    { "format", 'f', "NAME", "gguf: one file for llama.cpp, in GPT-2's or Llama's form (gguf)" },
    { "output", 'o', "FILE", "where to (RUN.gguf in this folder)" },
    { 0 },
};

/* "runs/r12" is called r12. */
static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static bool run(Cmd *c, Err *err)
{
    const char *id, *dir, *form = "", *format = cmd_value(c, "format", "gguf");
    const ExportDef *def = export_find(format, err);
    if (!def || !run_dir(c, c->n_args ? c->arg[0] : NULL, &id, &dir, err)) return false;
    const char *name = last_part(id);
    const char *path = cmd_value(c, "output", arena_printf(c->arena, "%s.%s", name, format));
    Trained *t = trained_open(dir, 0, c->arena, err);
    if (!t) return false;
    bool ok = export_write(def, t, name, path, &form, err);
    int64_t step = trained_step(t), bytes = ok ? file_size(path) : 0;
    trained_close(t);
    char size[32];
    if (ok && c->json)
        cmd_print_json(json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "run", id, "format", format,
                                 "form", form, "path", path, "bytes", (json_int_t)bytes, "step",
                                 (json_int_t)step));
    else if (ok)
        printf("%s: %s after %lld steps, as %s, %s\n", path, id, (long long)step, form,
               str_bytes(size, (double)bytes));
    return ok;
}

const CmdDef cmd_export = {
    .name = "export",
    .args = "[RUN]",
    .doc = "write a model in another program's format",
    .more =
        "RUN is r12, champion or a folder of checkpoints; without it, the newest model trained in "
        "full or by hand. GGUF knows two forms that Lathe trains: GPT-2's (layernorm, learned "
        "positions, gelu) and Llama's (rmsnorm, rope, swiglu, grouped heads). A model of "
        "another form is refused, naming the knobs.",
    .opts = opts,
    .max_args = 1,
    .json = true,
    .run = run,
};
