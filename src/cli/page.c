/* page.c - what `lathe` and `lathe CMD --help` print, made from the declarations. */
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"

void cmd_usage(const CmdDef *def, Buf *out)
{
    buf_printf(out, "lathe %s", def->name);
    if (def->args && *def->args) buf_printf(out, " %s", def->args);
}

static void put_option(const CmdOpt *o, Buf *out)
{
    char left[64] = "";
    int n = 0;
    if (o->letter) n = snprintf(left, sizeof(left), "-%c", o->letter);
    if (o->name[1])
        n += snprintf(left + n, sizeof(left) - (size_t)n, "%s--%s", n ? ", " : "    ", o->name);
    if (o->arg) snprintf(left + n, sizeof(left) - (size_t)n, " %s", o->arg);
    buf_printf(out, "  %-26s %s\n", left, o->doc);
}

void cmd_page(const CmdDef *def, Buf *out)
{
    CmdOpt common[3];
    int n = cmd_common_opts(def, common);
    cmd_usage(def, out);
    buf_printf(out, "\n\n%s\n", def->doc);
    if (def->more)
        buf_printf(out, "\n%s%s", def->more, str_ends(str_of(def->more), STR("\n")) ? "" : "\n");
    buf_str(out, STR("\noptions:\n"));
    for (const CmdOpt *o = def->opts; o && o->name; o++) put_option(o, out);
    for (int i = 0; i < n; i++) put_option(&common[i], out);
}

/* The loop that the laboratory runs, for somebody who has it in front of them for the first time.
 */
static const char loop[] =
    "Lathe finds a better way to train a language model, and shows its evidence.\n"
    "\n"
    "  lathe init my-lab && cd my-lab       a lab is a folder\n"
    "  lathe data add notes ~/notes         your text, cleaned; some held out for the judge\n"
    "  lathe research --hours 8             propose, train, judge, keep or drop; overnight\n"
    "  lathe report                         in the morning: what was tried and what it showed\n"
    "  lathe chat champion                  talk to the model that came of it\n";

/* The first word of a name of two, 0 for a name of one. */
static size_t family(const char *name)
{
    const char *space = strchr(name, ' ');
    return space ? (size_t)(space - name) : 0;
}

/* Further members of the family of command `i`, by their second words on one line: a screen is no
 * place for nine sentences about data.  Returns the last of them, `i` if there are none. */
static int put_family(const CmdDef *const *all, int n, int i, Buf *out)
{
    size_t len = family(all[i]->name);
    int last = i;
    for (int k = i + 1; len > 0 && k < n && strncmp(all[k]->name, all[i]->name, len + 1) == 0;
         k++) {
        buf_printf(out, "%s%s", last == i ? "                     also " : ", ",
                   all[k]->name + len + 1);
        last = k;
    }
    if (last > i) buf_char(out, '\n');
    return last;
}

void cmd_screen(Buf *out)
{
    int n;
    const CmdDef *const *all = cmd_all(&n);
    const char *group = "";
    buf_str(out, str_of(loop));
    for (int i = 0; i < n; i++) {
        if (all[i]->hidden) continue;
        if (strcmp(group, cmd_group(i)) != 0) {
            group = cmd_group(i);
            buf_printf(out, "\n%s\n", group);
        }
        buf_printf(out, "  %-18s %s\n", all[i]->name, all[i]->doc);
        i = put_family(all, n, i, out);
    }
    buf_str(out, STR("\n`lathe CMD --help` says more; `-C DIR` names the lab from anywhere.\n"));
}
