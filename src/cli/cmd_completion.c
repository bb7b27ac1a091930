/* cmd_completion.c - what the shell needs to complete our command lines, made from the list.
 *
 * One table of words is generated: for every command its second words and its options.  Knob
 * names behind -s are asked of the program itself, files are the shell's own business. */
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"

/* First words without repeats; or the second words of those that begin with `first`. */
static void put_words(const char *first, Buf *out)
{
    int n;
    const CmdDef *const *all = cmd_all(&n);
    const char *last = "";
    size_t last_len = 0;
    for (int i = 0; i < n; i++) {
        const char *name = all[i]->name, *word = name;
        if (all[i]->hidden) continue;
        size_t len = strcspn(name, " ");
        if (first) {
            if (!name[len] || strlen(first) != len || strncmp(name, first, len) != 0) continue;
            word = name + len + 1;
            len = strlen(word);
        } else if (len == last_len && strncmp(last, name, len) == 0) {
            continue;
        }
        last = name;
        last_len = len;
        buf_printf(out, "%s%.*s", out->len && out->at[out->len - 1] != '"' ? " " : "", (int)len,
                   word);
    }
}

static void put_options(const CmdDef *def, Buf *out)
{
    CmdOpt common[3];
    int n = cmd_common_opts(def, common);
    for (const CmdOpt *o = def->opts; o && o->name; o++) {
        if (o->letter) buf_printf(out, " -%c", o->letter);
        if (o->name[1]) buf_printf(out, " --%s", o->name);
    }
    for (int i = 0; i < n; i++)
        buf_printf(out, common[i].name[1] ? " --%s" : " -%s", common[i].name);
}

/* `case "$cmd" in "data add") choices="..." ;; ... esac`, the same in both shells. */
static void put_table(Buf *out)
{
    int n;
    const CmdDef *const *all = cmd_all(&n);
    buf_str(out, STR("    case \"$cmd\" in\n    \"\") choices=\""));
    put_words(NULL, out);
    buf_str(out, STR("\" ;;\n"));
    const char *last = "";
    for (int i = 0; i < n; i++) {
        size_t len = strcspn(all[i]->name, " ");
        if (all[i]->hidden) continue;
        if (all[i]->name[len] && (strncmp(last, all[i]->name, len) != 0 || last[len] != ' ')) {
            char first[64];
            snprintf(first, sizeof(first), "%.*s", (int)len, all[i]->name);
            buf_printf(out, "    \"%s\") choices=\"", first);
            put_words(first, out);
            buf_str(out, STR("\" ;;\n"));
            last = all[i]->name;
        }
        buf_printf(out, "    \"%s\") choices=\"", all[i]->name);
        put_options(all[i], out);
        buf_str(out, STR("\" ;;\n"));
    }
    buf_str(out, STR("    esac\n"));
}

/* The command so far: the first word, and the second where the list knows the pair. */
static void put_command_so_far(Buf *out)
{
    int n;
    const CmdDef *const *all = cmd_all(&n);
    buf_str(out, STR("    case \"$one $two\" in\n    "));
    bool some = false;
    for (int i = 0; i < n; i++) {
        if (all[i]->hidden || !strchr(all[i]->name, ' ')) continue;
        buf_printf(out, "%s\"%s\"", some ? " | " : "", all[i]->name);
        some = true;
    }
    buf_str(out, some ? STR(") cmd=\"$one $two\" ;;\n    ") : STR(""));
    buf_str(out, STR("*) cmd=\"$one\" ;;\n    esac\n"));
}

static void put_bash(Buf *out)
{
    buf_str(out, STR("# bash completion for lathe; made by `lathe completion bash`\n"
                     "_lathe()\n{\n"
                     "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
                     "    local one=\"\" two=\"\" cmd choices=\"\"\n"
                     "    (( COMP_CWORD > 1 )) && one=${COMP_WORDS[1]}\n"
                     "    (( COMP_CWORD > 2 )) && two=${COMP_WORDS[2]}\n"));
    put_command_so_far(out);
    put_table(out);
    buf_str(out, STR("    case \"$prev\" in\n"
                     "    -s) COMPREPLY=( $(compgen -S = -W \"$(lathe knobs --names 2>/dev/null)\" "
                     "-- \"$cur\") )\n"
                     "        compopt -o nospace; return ;;\n"
                     "    -C) COMPREPLY=( $(compgen -d -- \"$cur\") ); return ;;\n"
                     "    esac\n"
                     "    COMPREPLY=( $(compgen -W \"$choices\" -- \"$cur\") )\n"
                     "}\n"
                     "complete -o default -F _lathe lathe\n"));
}

static void put_zsh(Buf *out)
{
    buf_str(out, STR("#compdef lathe\n# zsh completion for lathe; made by `lathe completion zsh`\n"
                     "_lathe()\n{\n"
                     "    local one=\"\" two=\"\" cmd choices=\"\"\n"
                     "    (( CURRENT > 2 )) && one=${words[2]}\n"
                     "    (( CURRENT > 3 )) && two=${words[3]}\n"));
    put_command_so_far(out);
    put_table(out);
    buf_str(out, STR("    case ${words[CURRENT-1]} in\n"
                     "    -s) compadd -S = -- $(lathe knobs --names 2>/dev/null); return ;;\n"
                     "    -C) _files -/; return ;;\n"
                     "    esac\n"
                     "    compadd -- ${=choices}\n"
                     "    _files\n"
                     "}\n"
                     "_lathe \"$@\"\n"));
}

static bool run(Cmd *c, Err *err)
{
    Buf out = { 0 };
    bool bash = strcmp(c->arg[0], "bash") == 0, zsh = strcmp(c->arg[0], "zsh") == 0;
    if (!bash && !zsh)
        return err_set(err, ERR_CONFIG, "no completion is made for %s; there are bash and zsh",
                       c->arg[0]);
    if (bash)
        put_bash(&out);
    else
        put_zsh(&out);
    fwrite(out.at, 1, (size_t)out.len, stdout);
    buf_free(&out);
    return true;
}

const CmdDef cmd_completion = {
    .name = "completion",
    .args = "bash|zsh",
    .doc = "prints the completion for a shell",
    .more =
        "For this shell only: source <(lathe completion bash).  `make install` puts both where\n"
        "the shells look for them.",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
