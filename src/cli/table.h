/* table.h - a table of text that somebody else wrote: a header line, then rows. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

typedef struct Table {
    const char *path;
    const char **column; /* names, trimmed */
    int columns, rows;
    const char **cell; /* (rows, columns), trimmed; "" where a row is short */
    int *line;         /* (rows): where it stands in the file, from 1 */
} Table;

/* Columns are parted by tabs if the header has one, else by commas; empty lines and lines that
 * begin with # are no rows.  "-" is the standard input. */
bool table_read(Table *t, const char *path, Arena *arena, Err *err) MUST_CHECK;

int table_find(const Table *t, const char *name); /* a column, whatever its case; -1 */
bool table_need(const Table *t, const char *name, int *column, Err *err) MUST_CHECK;
const char *table_cell(const Table *t, int row, int column);
bool table_number(const Table *t, int row, int column, double *out, Err *err) MUST_CHECK;

#endif
