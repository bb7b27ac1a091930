/* run_dir.c - which run a command means.
 *
 * A person in a lab mostly means "the model that I have": the one the night's research
 * trained in full, or the one trained by hand last.  The many short runs of experiments come
 * after those. */
#include "cli/run_dir.h"

#include <string.h>

#include "base/file.h"
#include "lab/run.h"

typedef struct Newest {
    Lab *lab;
    Arena *arena;
    bool champion; /* only a champion trained in full will do */
    const char *meant, *any;
    Err *err;
    bool ok;
} Newest;

static bool look(void *self, const Entry *e)
{
    Newest *n = self;
    RunResult result;
    bool found = false;
    n->ok = lab_result(n->lab, e->id, &result, &found, n->err);
    if (!n->ok) return false;
    if (!found || result.failed || !file_is_dir(lab_run_dir(n->lab, e->id))) return true;
    const char *purpose = json_str(e->body, "purpose", "");
    n->any = arena_str(n->arena, str_of(e->id));
    bool champion = strcmp(purpose, "champion") == 0;
    if (champion || (!n->champion && strcmp(purpose, "train") == 0)) n->meant = n->any;
    return true;
}

static bool newest(Cmd *c, Lab *lab, bool champion, const char **run, Err *err)
{
    Newest n = { .lab = lab, .arena = c->arena, .champion = champion, .err = err, .ok = true };
    if (!ledger_each(lab->ledger, "run", 0, look, &n, err) || !n.ok) return false;
    *run = n.meant || champion ? n.meant : n.any;
    if (!*run && champion)
        return err_set(
            err, ERR_CONFIG,
            "no champion of this lab was trained in full yet: `lathe research --hours H` does");
    return *run ||
           err_set(err, ERR_CONFIG, "no run of this lab is finished yet: `lathe train` makes one");
}

static bool in_lab(Cmd *c, Lab *lab, const char *name, const char **run, const char **dir, Err *err)
{
    bool champion = name && strcmp(name, "champion") == 0;
    *run = name;
    if ((!name || champion) && !newest(c, lab, champion, run, err)) return false;
    *dir = arena_str(c->arena, str_of(lab_run_dir(lab, *run)));
    return file_is_dir(*dir) ||
           err_set(err, ERR_CONFIG, "there is no run %s here; `lathe log --kind run` lists them",
                   *run);
}

bool run_dir(Cmd *c, const char *name, const char **run, const char **dir, Err *err)
{
    if (name && strchr(name, '/') && file_is_dir(name)) {
        *run = *dir = name;
        return true;
    }
    if (!c->lab)
        return err_set(
            err, ERR_CONFIG,
            "this folder is not in a lab; name one with -C DIR, or give the folder of a run "
            "with a '/' in its name");
    Lab lab;
    if (!lab_open(&lab, c->lab, LEDGER_READ, c->arena, err)) return false;
    bool ok = in_lab(c, &lab, name, run, dir, err);
    lab_close(&lab);
    return ok;
}
