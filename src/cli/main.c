/* main.c - from a command line to an exit status.
 *
 * The only file that knows about exit statuses: 0 done, 1 the world disagreed, 2 the command
 * line was wrong.  A reader of our output that goes away (`lathe log | head`) is no failure
 * worth a word, and must not kill work that is under way, so SIGPIPE is ignored; a file that
 * may not grow is said in words (EFBIG), so SIGXFSZ is ignored too. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/cmd.h"

static int complain(const char *command, const Err *err)
{
    fflush(stdout);
    fprintf(stderr, "lathe%s%s: %s\n", *command ? " " : "", command, err->msg);
    return err->code == ERR_CONFIG ? 2 : 1;
}

/* The nearest folder with a ledger in it, from `from` upwards, as git finds its repository. */
static const char *find_lab(const char *from, Arena *out)
{
    char at[PATH_MAX];
    if (!realpath(from, at)) return NULL;
    for (;;) {
        Arena mark = *out;
        if (file_exists(arena_printf(out, "%s/lathe.db", at))) return arena_str(out, str_of(at));
        arena_rewind(out, mark);
        char *slash = strrchr(at, '/');
        if (!slash || at[1] == 0) return NULL;
        slash[slash == at] = 0;
    }
}

static const char *own_path(const char *called_as, Arena *out)
{
    char at[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", at, sizeof(at) - 1);
    if (n > 0) return arena_str(out, (Str){ at, n });
    return arena_str(out, str_of(realpath(called_as, at) ? at : called_as));
}

static bool enter_lab(Cmd *c, Err *err)
{
    const char *from = cmd_value(c, "C", ".");
    c->lab = find_lab(from, c->arena);
    if (c->lab || !c->def->needs_lab) return true;
    if (!file_exists(from))
        return err_set(err, ERR_IO, "-C %s: there is no such folder; check the name", from);
    if (strcmp(from, ".") == 0)
        return err_set(
            err, ERR_IO,
            "this folder is not in a lab; make one with `lathe init`, or name one with -C DIR");
    return err_set(err, ERR_IO, "%s is not in a lab; make one with `lathe init %s`", from, from);
}

static void print_page(void (*page)(const CmdDef *, Buf *), const CmdDef *def)
{
    Buf text = { 0 };
    if (page)
        page(def, &text);
    else
        cmd_screen(&text);
    fwrite(text.at, 1, (size_t)text.len, stdout);
    buf_free(&text);
}

/* -C DIR, --help, --version in front of the command.  Returns how many words they took, or -1. */
static int take_global(Cmd *c, char **words, int n_words, bool *help, bool *version, Err *err)
{
    static const CmdDef nothing = { .name = "", .max_args = -1 };
    int at = 0;
    while (at < n_words && words[at][0] == '-') {
        int take = 1 + (strcmp(words[at], "-C") == 0);
        if (strcmp(words[at], "--version") == 0)
            *version = true;
        else if (!cmd_parse(c, &nothing, words + at, MIN(take, n_words - at), err))
            return -1;
        at += take;
    }
    *help = cmd_has(c, "help");
    return at;
}

static int run(Cmd *c, int argc, char **argv)
{
    static char version_word[] = "version", *version_words[] = { version_word };
    Err err = { 0 };
    bool help = false, version = false;
    int used = 0, at = take_global(c, argv, argc, &help, &version, &err);
    if (at < 0) return complain("", &err);
    if (version) argv = version_words, argc = 1, at = 0;
    if (at >= argc) {
        print_page(NULL, NULL);
        return 0;
    }
    const CmdDef *def = cmd_find(argv + at, argc - at, &used, &err);
    if (!def) return complain("", &err);
    at += used;
    if (!help && !cmd_parse(c, def, argv + at, argc - at, &err)) return complain(def->name, &err);
    if (help || cmd_has(c, "help")) {
        print_page(cmd_page, def);
        return 0;
    }
    if (!enter_lab(c, &err) || !def->run(c, &err)) return complain(def->name, &err);
    return 0;
}

/* What could not be written was not done; but after a closed pipe nobody is left to tell.  Where
 * the failure lies back, its reason is found by writing once more. */
static int flush_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return status;
    clearerr(stdout);
    if ((putchar('\n') == EOF || fflush(stdout) != 0) && errno == EPIPE) return MAX(status, 1);
    Err err = { 0 };
    err_errno(&err, "cannot write the output");
    return complain("", &err);
}

int main(int argc, char **argv)
{
    Arena arena = arena_reserve((ptrdiff_t)1 << 40);
    Cmd c = { .arena = &arena, .begun = clock_now() };
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    stop_install();
    c.program = own_path(argv[0], &arena);
    int status = flush_output(run(&c, argc - 1, argv + 1));
    arena_release(&arena);
    return status;
}
