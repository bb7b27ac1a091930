/* cmd_sandbox.c - what protects this machine from code that nobody vouches for.
 *
 * With --test every way out of sandbox_escape.c is tried from inside, by this very program, and the
 * table says what became of it.  --attempt is what it calls itself with inside. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cmd.h"
#include "sandbox/sandbox.h"

static json_t *tried_json(const SandboxEscape *e, const SandboxTried *t)
{
    return json_pack("{s:s, s:s, s:b, s:o, s:f}", "name", e->name, "tries", e->what, "held",
                     t->held, "how", json_text(str_of(t->how)), "seconds", t->seconds);
}

static bool try_all(Cmd *c, const char *folder, json_t *list, int *out, Err *err)
{
    static const char *const words[] = { "sandbox", "--attempt", NULL };
    int n = 0;
    const SandboxEscape *e = sandbox_escapes(&n);
    for (int i = 0; i < n; i++) {
        SandboxTried t;
        if (!sandbox_try(&e[i], c->program, words, folder, c->arena, &t, err)) return false;
        *out += !t.held;
        if (!c->json)
            printf("%-18s %-52s %-5s %s\n", e[i].name, e[i].what, t.held ? "held" : "OUT", t.how);
        fflush(stdout);
        json_array_append_new(list, tried_json(&e[i], &t));
    }
    return true;
}

static bool test(Cmd *c, Err *err)
{
    char folder[] = "/tmp/lathe-sandbox-XXXXXX";
    int out = 0;
    if (!mkdtemp(folder)) return err_errno(err, "make a folder in /tmp");
    json_t *list = json_array();
    bool ok = try_all(c, folder, list, &out, err);
    rmdir(folder);
    if (ok && c->json)
        cmd_print_json(json_pack("{s:s, s:s, s:O}", "walls", "bubblewrap", "limits",
                                 sandbox_holder(), "escapes", list));
    json_decref(list);
    if (ok && out > 0)
        return err_set(err, ERR_DEVICE, "%d of the escapes got out: run no code experiment here",
                       out);
    return ok;
}

static bool run(Cmd *c, Err *err)
{
    if (cmd_has(c, "attempt")) {
        int status = sandbox_attempt(cmd_value(c, "attempt", ""));
        return status == 0 || err_set(err, ERR_DEVICE, "out");
    }
    if (!sandbox_available(*c->arena, err)) return false;
    if (cmd_has(c, "test")) return test(c, err);
    if (c->json)
        cmd_print_json(json_pack("{s:s, s:s}", "walls", "bubblewrap", "limits", sandbox_holder()));
    else
        printf("walls   bubblewrap, namespaces, a filter of system calls\nlimits  %s\n",
               sandbox_holder());
    return true;
}

static const CmdOpt opts[] = {
    { "test", 0, NULL, "try every known way out from inside, and say what became of it" },
    { "attempt", 0, "NAME", "inside: try this one" },
    { 0 },
};

const CmdDef cmd_sandbox = {
    .name = "sandbox",
    .doc = "what protects this machine from code that is tried",
    .more = "Code experiments are built and run behind these walls, or not at all: no network, no "
            "environment, no file but the system's programs and what the experiment is given, no "
            "capability, limits on memory, tasks, time, disk and output. Where the kernel forbids "
            "namespaces the reason is printed, and code experiments are refused.",
    .opts = opts,
    .json = true,
    .run = run,
};
