/* cmd.h - one command of `lathe`.
 *
 * A command is one const CmdDef in cmd_NAME.c, named on one line of cmd_list.h.
 * From the declaration come parsing, --help, the manual page and the shell's
 * completion.  Results go to stdout, progress and chatter to stderr; --json (if
 * `json` is set) gives one document on stdout.  Exit status: 0 done, 1 the world
 * disagreed, 2 the command line was wrong (ERR_CONFIG). */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

typedef struct CmdOpt {
    const char *name; /* "hours": --hours H */
    char letter;      /* 's': -s; 0 for none */
    const char *arg;  /* "H": takes a value; NULL: a flag */
    const char *doc;
} CmdOpt;

typedef struct Cmd Cmd;

typedef struct CmdDef {
    const char *name; /* "train", "data add" */
    const char *args; /* "[RECIPE]", "NAME PATH..."; may be NULL */
    const char *doc;  /* one line */
    const char *more; /* paragraphs for --help and the manual; may be NULL */
    const CmdOpt
        *opts; /* ends with a NULL name; may be NULL; --help, --json and -C are everybody's */
    int min_args, max_args; /* max -1: any number */
    bool needs_lab;         /* runs inside a lab: Cmd.lab is its absolute path */
    bool json;              /* understands --json */
    bool hidden;            /* not for people (the detached worker) */
    bool (*run)(Cmd *c, Err *err);
} CmdDef;

struct Cmd {
    const CmdDef *def;
    const char *lab;     /* absolute path of the lab we are in, or NULL */
    const char *program; /* absolute path of this executable */
    char **arg;
    int n_args;
    bool json;
    double begun;                       /* clock_now() when the program began */
    Arena *arena;                       /* lives as long as the command */
    const char **opt_name, **opt_value; /* in the order given; -C's name is "C" */
    int n_opts;
};

bool cmd_has(const Cmd *c, const char *opt);
const char *cmd_value(const Cmd *c, const char *opt, const char *fallback); /* the last one given */
const char *cmd_nth(const Cmd *c, const char *opt, int nth);                /* NULL past the last */
bool cmd_number(const Cmd *c, const char *opt, double fallback, double min, double max, double *out,
                Err *err) MUST_CHECK;

/* Prints the document to stdout, indented, and drops the reference. */
void cmd_print_json(json_t *value);

/* Every command in the order of cmd_list.h; hidden ones too. */
const CmdDef *const *cmd_all(int *count);

/* The group of command `index` of cmd_all. */
const char *cmd_group(int index);

/* The command that `words` begin with, the two-word name first; *used says how many words it
 * took.  NULL and err (ERR_CONFIG, with the nearest name) if there is none. */
const CmdDef *cmd_find(char *const *words, int n_words, int *used, Err *err) MUST_CHECK;

/* Fills c->arg, options and json from what follows the command's name.  --help is an option
 * like any other here.  ERR_CONFIG names the nearest option. */
bool cmd_parse(Cmd *c, const CmdDef *def, char **words, int n_words, Err *err) MUST_CHECK;

/* "lathe data add NAME PATH... [options]" */
void cmd_usage(const CmdDef *def, Buf *out);

/* What --help prints; what `lathe` alone prints. */
void cmd_page(const CmdDef *def, Buf *out);
void cmd_screen(Buf *out);

/* The options that every command has: -C, --help, and --json where it is understood. */
int cmd_common_opts(const CmdDef *def, CmdOpt out[3]);

#endif
