/* patch.c - what may be edited is a question of names.
 *
 * Safety does not hang on this: whatever a patch edits is built and run in a sandbox, and judged by
 * a program that it is no part of.  It keeps experiments readable: a claim about the model is a
 * change of the model.  git applies the patch; here its headers are read more strictly than git
 * does, so that what we take for the list of files is the list of files. */
#include "code/patch.h"

#include <stdio.h>
#include <string.h>

static bool within(const char *file, const char *folder)
{
    size_t n = strlen(folder), m = strlen(file);
    return strncmp(file, folder, n) == 0 && m > n + 2 && !strchr(file + n, '/') &&
           (strcmp(file + m - 2, ".c") == 0 || strcmp(file + m - 2, ".h") == 0);
}

bool patch_open(const char *file, bool made)
{
    static const char *const lists[] = { "src/tensor/op_list.h", "src/tensor/ops.h",
                                         "src/tensor/ops.c" };
    for (ptrdiff_t i = 0; i < COUNT(lists); i++)
        if (strcmp(file, lists[i]) == 0) return !made;
    return within(file, "src/model/") || within(file, "src/optim/") ||
           (made && within(file, "src/tensor/op/"));
}

static bool refuse(int line, const char *what, Str text, Err *err)
{
    return err_set(err, ERR_CONFIG, "line %d of the patch %s: %.*s", line, what,
                   (int)MIN(text.len, 100), text.at);
}

/* The name behind "--- a/" or "+++ b/"; "" for /dev/null. */
static bool take_name(Str line, const char *prefix, char out[128])
{
    Str rest = { line.at + 4, line.len - 4 };
    ptrdiff_t tab = 0;
    while (tab < rest.len && rest.at[tab] != '\t') tab++;
    rest.len = tab;
    out[0] = 0;
    if (str_eq(rest, STR("/dev/null"))) return true;
    if (!str_starts(rest, str_of(prefix)) || rest.len - 2 >= 128) return false;
    snprintf(out, 128, "%.*s", (int)rest.len - 2, rest.at + 2);
    return true;
}

/* Lines between files.  What git would understand and we do not look at is refused. */
static bool header(Str line, int number, Err *err)
{
    static const char *const known[] = { "diff --git a/", "index ", "new file mode 100644",
                                         "deleted file mode 100644", "\\ No newline" };
    if (str_trim(line).len == 0) return true;
    for (ptrdiff_t i = 0; i < COUNT(known); i++)
        if (str_starts(line, str_of(known[i]))) return true;
    return refuse(number, "is no part of a plain unified diff", line, err);
}

static bool add_file(Patch *p, Str from, Str to, int number, Err *err)
{
    char old[128], new[128];
    if (!str_starts(to, STR("+++ ")) || !take_name(from, "a/", old) || !take_name(to, "b/", new))
        return refuse(number, "names no file as `git diff` does (a/FILE, b/FILE)", to, err);
    const char *name = new[0] ? new : old;
    if (old[0] && new[0] && strcmp(old, new) != 0) return refuse(number, "renames a file", to, err);
    if (strstr(name, "..") || !patch_open(name, !old[0]))
        return refuse(number,
                      "leaves the open part, which is src/model/, src/optim/, new files in "
                      "src/tensor/op/, src/tensor/op_list.h, ops.h and ops.c",
                      to, err);
    if (p->files == PATCH_FILES)
        return err_set(err, ERR_CONFIG, "the patch edits more than %d files", PATCH_FILES);
    p->made[p->files] = !old[0];
    p->op |= str_starts(str_of(name), STR("src/tensor/"));
    snprintf(p->file[p->files++], 128, "%s", name);
    return true;
}

/* Lines that a hunk still has to come: "@@ -12,3 +12,4 @@". */
static bool take_hunk(Str line, int left[2])
{
    char text[128];
    int a, b;
    snprintf(text, sizeof(text), "%.*s", (int)MIN(line.len, 120), line.at);
    left[0] = left[1] = 1;
    return sscanf(text, "@@ -%d,%d +%d,%d @@", &a, &left[0], &b, &left[1]) == 4 ||
           sscanf(text, "@@ -%d +%d,%d @@", &a, &b, &left[1]) == 3 ||
           sscanf(text, "@@ -%d,%d +%d @@", &a, &left[0], &b) == 3 ||
           sscanf(text, "@@ -%d +%d @@", &a, &b) == 2;
}

static bool body(Patch *p, Str line, int number, int left[2], Err *err)
{
    char first = line.len > 0 ? line.at[0] : ' ';
    if (first == '\\') return true;
    if (first != ' ' && first != '+' && first != '-')
        return refuse(number, "stands in a hunk that is longer than it says", line, err);
    if (first != '+') left[0]--;
    if (first != '-') left[1]--;
    p->added += first == '+';
    p->deleted += first == '-';
    return true;
}

bool patch_read(Str diff, Patch *out, Err *err)
{
    Str line, from = { 0 };
    int number = 0, left[2] = { 0, 0 };
    *out = (Patch){ 0 };
    if (memchr(diff.at ? diff.at : "", 0, (size_t)diff.len))
        return err_set(err, ERR_CONFIG, "the patch is no text");
    while (str_cut(&diff, '\n', &line)) {
        bool ok = true;
        number++;
        if (left[0] > 0 || left[1] > 0)
            ok = body(out, line, number, left, err);
        else if (str_starts(line, STR("--- ")))
            from = line;
        else if (from.at)
            ok = add_file(out, from, line, number, err), from = (Str){ 0 };
        else if (str_starts(line, STR("@@ ")))
            ok = (out->files > 0 && take_hunk(line, left)) ||
                 refuse(number, "is no hunk of a unified diff", line, err);
        else
            ok = header(line, number, err);
        if (!ok) return false;
    }
    if (out->files > 0 && left[0] == 0 && left[1] == 0) return true;
    return err_set(err, ERR_CONFIG, "the patch is %s",
                   out->files ? "cut off" : "no unified diff: `git diff` makes one");
}
