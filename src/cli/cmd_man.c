/* cmd_man.c - the manual page, lathe(1), made from the list of commands.
 *
 * `make install` runs it, so the page cannot differ from what the program takes. */
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"

/* Text as roff reads it: '\' and '-' escaped, no line that begins with a request. */
static void put_text(const char *text, Buf *out)
{
    bool line_start = true;
    for (const char *s = text; *s; s++) {
        if (line_start && (*s == '.' || *s == '\'')) buf_str(out, STR("\\&"));
        if (*s == '\\')
            buf_str(out, STR("\\e"));
        else if (*s == '-')
            buf_str(out, STR("\\-"));
        else
            buf_char(out, *s);
        line_start = *s == '\n';
    }
}

/* Paragraphs: lines with an indent are shown as they are, others are filled. */
static void put_paragraphs(const char *text, Buf *out)
{
    Str rest = str_of(text), line;
    bool shown = false;
    buf_str(out, STR(".PP\n"));
    while (str_cut(&rest, '\n', &line)) {
        char copy[512];
        bool indented = line.len > 0 && line.at[0] == ' ';
        snprintf(copy, sizeof(copy), "%.*s", (int)line.len, line.at);
        if (indented != shown && line.len > 0) buf_str(out, indented ? STR(".nf\n") : STR(".fi\n"));
        if (line.len > 0) shown = indented;
        if (line.len == 0)
            buf_str(out, STR(".PP"));
        else
            put_text(copy, out);
        buf_char(out, '\n');
    }
    if (shown) buf_str(out, STR(".fi\n"));
}

static void put_option(const CmdOpt *o, Buf *out)
{
    buf_str(out, STR(".TP\n.B "));
    if (o->letter) buf_printf(out, "\\-%c", o->letter);
    if (o->letter && o->name[1]) buf_str(out, STR(", "));
    if (o->name[1]) buf_str(out, STR("\\-\\-")), put_text(o->name, out);
    if (o->arg) buf_printf(out, " \\fI%s\\fR", o->arg);
    buf_char(out, '\n');
    put_text(o->doc, out);
    buf_char(out, '\n');
}

static void put_command(const CmdDef *def, Buf *out)
{
    buf_printf(out, ".SS lathe %s", def->name);
    if (def->args) buf_char(out, ' '), put_text(def->args, out);
    buf_char(out, '\n');
    put_text(def->doc, out);
    buf_char(out, '\n');
    if (def->more) put_paragraphs(def->more, out);
    for (const CmdOpt *o = def->opts; o && o->name; o++) put_option(o, out);
    if (def->json) buf_str(out, STR(".TP\n.B \\-\\-json\none JSON document on stdout\n"));
}

static bool run(Cmd *c, Err *err)
{
    (void)c, (void)err;
    Buf out = { 0 };
    int n;
    const CmdDef *const *all = cmd_all(&n);
    buf_printf(&out, ".TH LATHE 1 \"\" \"lathe %s\" \"User commands\"\n", LATHE_VERSION);
    buf_str(&out, STR(".SH NAME\nlathe \\- a laboratory for pretraining language models\n"
                      ".SH SYNOPSIS\n.B lathe\n[\\fB\\-C\\fR \\fIDIR\\fR] \\fICOMMAND\\fR "
                      "[\\fIARGUMENT\\fR...]\n.SH COMMANDS\n"));
    for (int i = 0; i < n; i++)
        if (!all[i]->hidden) put_command(all[i], &out);
    buf_str(&out, STR(".SH OPTIONS OF EVERY COMMAND\n"));
    CmdOpt common[3];
    int n_common = cmd_common_opts(&(CmdDef){ .name = "" }, common);
    for (int i = 0; i < n_common; i++) put_option(&common[i], &out);
    buf_str(&out,
            STR(".SH EXIT STATUS\n0 when it was done, 1 when it could not be (the message says "
                "why), 2 when the command line, a recipe or a knob was wrong.\n"
                ".SH FILES\n.TP\n.I LAB/lathe.db\nthe ledger; it makes a folder a lab\n"
                ".TP\n.I LAB/recipes/champion.toml\nthe best recipe so far\n"));
    fwrite(out.at, 1, (size_t)out.len, stdout);
    buf_free(&out);
    return true;
}

const CmdDef cmd_man = {
    .name = "man",
    .doc = "the manual page of all commands, as roff",
    .hidden = true,
    .run = run,
};
