/* cmd.c - the list of commands, finding one, and reading its options.
 *
 * getopt_long was rejected: it keeps its state in globals, takes abbreviations (a script that
 * says --exp works until --expert exists), and its complaints do not name the nearest option. */
#include "cli/cmd.h"

#include <stdio.h>
#include <string.h>

#define GROUP(title)
#define CMD(name) extern const CmdDef cmd_##name;
#include "cli/cmd_list.h"
#undef CMD
static const CmdDef *const all[] = {
#define CMD(name) &cmd_##name,
#include "cli/cmd_list.h"
#undef CMD
#undef GROUP
};

/* Groups and commands in one row: a command belongs to the last group before it. */
typedef struct Line {
    const char *group, *command;
} Line;
static const Line lines[] = {
#define GROUP(title) { title, NULL },
#define CMD(name) { NULL, #name },
#include "cli/cmd_list.h"
#undef CMD
#undef GROUP
};

const CmdDef *const *cmd_all(int *count)
{
    *count = (int)COUNT(all);
    return all;
}

const char *cmd_group(int index)
{
    const char *group = "";
    for (int i = 0, command = 0; i < COUNT(lines) && command <= index; i++) {
        if (lines[i].group)
            group = lines[i].group;
        else
            command++;
    }
    return group;
}

/* Does the command's name have `first` as its first word and a second one behind it? */
static bool begins_with(const CmdDef *def, const char *first)
{
    size_t len = strlen(first);
    return strncmp(def->name, first, len) == 0 && def->name[len] == ' ';
}

static bool no_such_command(const char *name, const char *first, Err *err)
{
    Buf of_first = { 0 };
    const char *best = NULL;
    int least = 1 << 30;
    for (int i = 0; i < COUNT(all); i++) {
        if (all[i]->hidden) continue;
        if (begins_with(all[i], first))
            buf_printf(&of_first, "%slathe %s", of_first.len ? ", " : "", all[i]->name);
        int d = MIN(str_distance(name, all[i]->name), str_distance(first, all[i]->name));
        if (d < least) least = d, best = all[i]->name;
    }
    if (of_first.len)
        err_set(err, ERR_CONFIG, "which of these: %s", of_first.at);
    else
        err_set(err, ERR_CONFIG,
                "there is no command %s; the nearest is %s (`lathe` lists them all)", first, best);
    buf_free(&of_first);
    return false;
}

const CmdDef *cmd_find(char *const *words, int n_words, int *used, Err *err)
{
    char two[128] = "";
    if (n_words > 1) snprintf(two, sizeof(two), "%.60s %.60s", words[0], words[1]);
    for (*used = 2; *used >= 1; --*used)
        for (int i = 0; i < COUNT(all); i++)
            if (strcmp(all[i]->name, *used == 2 ? two : words[0]) == 0) return all[i];
    no_such_command(two[0] ? two : words[0], words[0], err);
    return NULL;
}

int cmd_common_opts(const CmdDef *def, CmdOpt out[3])
{
    int n = 0;
    if (def->json) out[n++] = (CmdOpt){ "json", 0, NULL, "one JSON document on stdout" };
    out[n++] = (CmdOpt){ "C", 'C', "DIR", "the lab is DIR or the one that DIR is in" };
    out[n++] = (CmdOpt){ "help", 'h', NULL, "this page" };
    return n;
}

/* The option with this name (of `len` bytes) or, where name is NULL, this letter. */
static bool find_opt(const CmdDef *def, const char *name, size_t len, char letter, CmdOpt *out)
{
    CmdOpt common[3];
    int n = cmd_common_opts(def, common);
    const CmdOpt *own = def->opts;
    for (int i = 0; i < n || (own && own->name); i++) {
        CmdOpt o = i < n ? common[i] : *own++;
        bool same = name ? strncmp(o.name, name, len) == 0 && o.name[len] == 0 : o.letter == letter;
        if (!same) continue;
        *out = o;
        return true;
    }
    return false;
}

static bool unknown_option(const CmdDef *def, const char *word, Err *err)
{
    CmdOpt common[3];
    int n = cmd_common_opts(def, common), least = 1 << 30;
    const CmdOpt *own = def->opts;
    char best[64] = "", name[64];
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
    if (strcmp(name, "--json") == 0)
        return err_set(err, ERR_CONFIG, "--json is not understood here; leave it out");
    for (int i = 0; i < n || (own && own->name); i++) {
        CmdOpt o = i < n ? common[i] : *own++;
        char other[64];
        snprintf(other, sizeof(other), "%s%.50s", o.name[1] ? "--" : "-", o.name);
        int d = str_distance(name, other);
        if (d < least) least = d, memcpy(best, other, sizeof(best));
    }
    return err_set(err, ERR_CONFIG,
                   "there is no option %s; the nearest is %s (`lathe %s --help` lists them all)",
                   name, best, def->name);
}

static void add_opt(Cmd *c, const char *name, const char *value)
{
    c->opt_name[c->n_opts] = name;
    c->opt_value[c->n_opts++] = value;
    if (strcmp(name, "json") == 0) c->json = true;
}

/* --name, --name=VALUE, --name VALUE, -n, -n VALUE, -nVALUE.  Returns how many words it took,
 * 0 for a wrong one. */
static int take_option(Cmd *c, char **words, int n_words, Err *err)
{
    const char *word = words[0], *value = NULL;
    bool is_long = word[1] == '-';
    CmdOpt o;
    if (is_long) {
        size_t len = strcspn(word + 2, "=");
        if (len < 2 || !find_opt(c->def, word + 2, len, 0, &o))
            return unknown_option(c->def, word, err);
        if (word[2 + len]) value = word + 3 + len;
    } else {
        if (!find_opt(c->def, NULL, 0, word[1], &o)) return unknown_option(c->def, word, err);
        if (word[2]) value = word + 2;
    }
    if (!o.arg && value)
        return err_set(err, ERR_CONFIG, "%s takes no value; leave %s out", word, value);
    if (!o.arg || value) {
        add_opt(c, o.name, value);
        return 1;
    }
    if (n_words < 2) return err_set(err, ERR_CONFIG, "%s needs a value: %s %s", word, word, o.arg);
    add_opt(c, o.name, words[1]);
    return 2;
}

static bool check_count(const Cmd *c, Err *err)
{
    const CmdDef *d = c->def;
    if (c->n_args >= d->min_args && (d->max_args < 0 || c->n_args <= d->max_args)) return true;
    Buf usage = { 0 };
    cmd_usage(d, &usage);
    if (c->n_args < d->min_args)
        err_set(err, ERR_CONFIG, "something is missing; the form is: %s", usage.at);
    else
        err_set(err, ERR_CONFIG, "%s is one argument too many; the form is: %s",
                c->arg[d->max_args], usage.at);
    buf_free(&usage);
    return false;
}

bool cmd_parse(Cmd *c, const CmdDef *def, char **words, int n_words, Err *err)
{
    c->def = def;
    c->arg = NEW(c->arena, char *, n_words + 1);
    const char **name = NEW(c->arena, const char *, c->n_opts + n_words);
    const char **value = NEW(c->arena, const char *, c->n_opts + n_words);
    for (int i = 0; i < c->n_opts; i++) name[i] = c->opt_name[i], value[i] = c->opt_value[i];
    c->opt_name = name;
    c->opt_value = value;
    bool options = true;
    for (int i = 0; i < n_words;) {
        const char *w = words[i];
        bool number = w[0] == '-' && ((w[1] >= '0' && w[1] <= '9') || w[1] == '.');
        if (options && strcmp(w, "--") == 0) {
            options = false;
            i++;
        } else if (options && w[0] == '-' && w[1] && !number) {
            int took = take_option(c, words + i, n_words - i, err);
            if (took == 0) return false;
            i += took;
        } else {
            c->arg[c->n_args++] = words[i++];
        }
    }
    if (c->json && !def->json) return unknown_option(def, "--json", err);
    return cmd_has(c, "help") || check_count(c, err);
}

bool cmd_has(const Cmd *c, const char *opt)
{
    return cmd_nth(c, opt, 0) != NULL;
}

const char *cmd_value(const Cmd *c, const char *opt, const char *fallback)
{
    for (int i = c->n_opts - 1; i >= 0; i--)
        if (strcmp(c->opt_name[i], opt) == 0) return c->opt_value[i] ? c->opt_value[i] : "";
    return fallback;
}

const char *cmd_nth(const Cmd *c, const char *opt, int nth)
{
    for (int i = 0; i < c->n_opts; i++)
        if (strcmp(c->opt_name[i], opt) == 0 && nth-- == 0)
            return c->opt_value[i] ? c->opt_value[i] : "";
    return NULL;
}

bool cmd_number(const Cmd *c, const char *opt, double fallback, double min, double max, double *out,
                Err *err)
{
    const char *value = cmd_value(c, opt, NULL);
    *out = fallback;
    if (!value) return true;
    if (str_to_double(str_of(value), out) && *out >= min && *out <= max) return true;
    char low[32], high[32];
    return err_set(err, ERR_CONFIG, "--%s is %s, and must be a number from %s to %s", opt, value,
                   str_number(low, min), str_number(high, max));
}

void cmd_print_json(json_t *value)
{
    Buf text = { 0 };
    json_write(value, true, &text);
    buf_char(&text, '\n');
    fwrite(text.at, 1, (size_t)text.len, stdout);
    buf_free(&text);
    json_decref(value);
}
