/* table.c - reads tables that came from elsewhere, and says which line is wrong.
 *
 * No quoting: the tables that trainers write have none, and a rule that is half kept is worse than
 * one that is not there.  A tab in the header decides, so that commas in a description hurt only
 * files whose own header is parted by commas. */
#include "cli/table.h"

#include <string.h>
#include <strings.h>

#include "base/file.h"

static Str next_cell(Str *rest, char sep)
{
    Str cell = { "", 0 };
    if (!str_cut(rest, sep, &cell)) return cell;
    return str_trim(cell);
}

static int count_of(Str s, char c)
{
    int n = 0;
    for (ptrdiff_t i = 0; i < s.len; i++) n += s.at[i] == c;
    return n;
}

static bool is_row(Str line)
{
    line = str_trim(line);
    return line.len > 0 && line.at[0] != '#';
}

/* Without the end of a line that has come from elsewhere; tabs at its end stay. */
static Str bare(Str line)
{
    if (line.len > 0 && line.at[line.len - 1] == '\r') line.len--;
    return line;
}

static bool read_header(Table *t, Str *text, char *sep, int *at, Arena *arena, Err *err)
{
    Str line;
    do {
        if (!str_cut(text, '\n', &line))
            return err_set(err, ERR_FORMAT, "%s is empty: a header line and rows are wanted",
                           t->path);
        ++*at;
    } while (!is_row(line));
    line = bare(line);
    if (str_starts(line, STR("\xEF\xBB\xBF"))) line = (Str){ line.at + 3, line.len - 3 };
    *sep = count_of(line, '\t') > 0 ? '\t' : ',';
    t->columns = count_of(line, *sep) + 1;
    t->column = NEW(arena, const char *, t->columns);
    for (int i = 0; i < t->columns; i++) t->column[i] = arena_str(arena, next_cell(&line, *sep));
    return true;
}

bool table_read(Table *t, const char *path, Arena *arena, Err *err)
{
    Str text, line;
    char sep = '\t';
    int at = 0;
    *t = (Table){ .path = path };
    if (!file_read_arena(strcmp(path, "-") == 0 ? "/dev/stdin" : path, arena, &text, err))
        return false;
    if (memchr(text.at, 0, (size_t)text.len))
        return err_set(err, ERR_FORMAT, "%s is no table of text", path);
    if (!read_header(t, &text, &sep, &at, arena, err)) return false;
    int lines = count_of(text, '\n') + 1;
    t->cell = NEW(arena, const char *, (ptrdiff_t)lines * t->columns);
    t->line = NEW(arena, int, lines);
    while (str_cut(&text, '\n', &line)) {
        at++;
        if (!is_row(line)) continue;
        line = bare(line);
        int cells = count_of(line, sep) + 1;
        if (cells > t->columns)
            return err_set(err, ERR_FORMAT, "%s:%d: %d cells under %d names", path, at, cells,
                           t->columns);
        for (int i = 0; i < t->columns; i++)
            t->cell[t->rows * t->columns + i] = arena_str(arena, next_cell(&line, sep));
        t->line[t->rows++] = at;
    }
    return true;
}

int table_find(const Table *t, const char *name)
{
    for (int i = 0; i < t->columns; i++)
        if (strcasecmp(t->column[i], name) == 0) return i;
    return -1;
}

bool table_need(const Table *t, const char *name, int *column, Err *err)
{
    *column = table_find(t, name);
    if (*column >= 0) return true;
    Buf names = { 0 };
    for (int i = 0; i < t->columns; i++) buf_printf(&names, "%s%s", i ? ", " : "", t->column[i]);
    err_set(err, ERR_FORMAT, "%s has no column \"%s\"; it has %.200s", t->path, name, names.at);
    buf_free(&names);
    return false;
}

const char *table_cell(const Table *t, int row, int column)
{
    return t->cell[row * t->columns + column];
}

bool table_number(const Table *t, int row, int column, double *out, Err *err)
{
    const char *cell = table_cell(t, row, column);
    if (str_to_double(str_of(cell), out)) return true;
    return err_set(err, ERR_FORMAT, "%s:%d: %s is \"%.40s\", and a number is wanted", t->path,
                   t->line[row], t->column[column], cell);
}
