/* chart_read.c - other trainers' logs.
 *
 * Trainers print the same few things under a handful of names, each in its own punctuation:
 *
 *     step  120/19560 | loss 6.92 (+0.3z)| norm 1.20 | lr 1.2e-04 | 3043 ms      llm.c
 *     s:120 trl:6.9214 lr:0.000120 norm:1.20                                     llm.c's main.log
 *     step 00120/21400 (0.56%) | loss: 6.921 | dt: 512.11ms | tok/sec: 1,024     nanochat
 *     step:125/6200 val_loss:5.6402 train_time:31000ms                           modded-nanogpt
 *     iteration 200/ 148693 | ... | lm loss: 8.8E+00 | grad norm: 4.036 | ...    Megatron
 *     valid loss at iteration 100 | lm loss value: 8.79E+00 |                    Megatron
 *
 * So there is no parser for each: a line is searched for names that we know, each followed by
 * punctuation and a number.  The longest name wins, so that "lm loss value" is not a "loss".  A
 * line without a step is passed over.  A new trainer is a line in the table. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "doctor/chart.h"

enum { STEP = SIGNALS, LINE_MAX_BYTES = 4096 };

static const struct {
    const char *name; /* lower case */
    int signal;       /* or STEP */
} known[] = {
    { "lm loss value", SIG_VAL },
    { "validation loss", SIG_VAL },
    { "val_loss", SIG_VAL },
    { "val loss", SIG_VAL },
    { "eval_loss", SIG_VAL },
    { "tel", SIG_VAL },
    { "lm loss", SIG_LOSS },
    { "train_loss", SIG_LOSS },
    { "train loss", SIG_LOSS },
    { "training loss", SIG_LOSS },
    { "loss scale", SIG_SCALE },
    { "loss_scale", SIG_SCALE },
    { "loss", SIG_LOSS },
    { "trl", SIG_LOSS },
    { "grad norm", SIG_NORM },
    { "grad_norm", SIG_NORM },
    { "gradient_norm", SIG_NORM },
    { "gnorm", SIG_NORM },
    { "norm", SIG_NORM },
    { "learning rate", SIG_RATE },
    { "learning_rate", SIG_RATE },
    { "lr", SIG_RATE },
    { "number of skipped iterations", SIG_SKIPPED },
    { "number of nan iterations", SIG_NAN },
    { "elapsed time per iteration (s)", SIG_SECONDS },
    { "dt", SIG_SECONDS },
    { "iteration", STEP },
    { "iter", STEP },
    { "step", STEP },
    { "s", STEP },
};

/* One row: what a line said. */
typedef struct Row {
    double value[SIGNALS + 1];
    bool has[SIGNALS + 1];
    double planned;
} Row;

/* The known name that begins at `at`, as a word of its own; its length in *len. */
static int name_at(const char *line, size_t at, size_t *len)
{
    int best = -1;
    *len = 0;
    if (at > 0 && (isalnum((unsigned char)line[at - 1]) || line[at - 1] == '_')) return -1;
    for (int i = 0; i < COUNT(known); i++) {
        size_t n = strlen(known[i].name);
        if (n <= *len || strncasecmp(line + at, known[i].name, n) != 0) continue;
        unsigned char next = (unsigned char)line[at + n];
        if (isalpha(next) || next == '_') continue;
        best = known[i].signal;
        *len = n;
    }
    return best;
}

/* The number behind a name and its punctuation.  NULL if something else stands there. */
static const char *number_at(const char *at, double *x)
{
    char *end;
    while (*at == ' ' || *at == '\t' || *at == ':' || *at == '=' || *at == '"') at++;
    if (!isdigit((unsigned char)*at) && *at != '-' && *at != '+' && *at != '.' &&
        strncasecmp(at, "nan", 3) != 0 && strncasecmp(at, "inf", 3) != 0)
        return NULL;
    *x = strtod(at, &end);
    return end > at ? end : NULL;
}

static void take_name(Row *row, int signal, const char *behind)
{
    double x;
    const char *end = number_at(behind, &x);
    if (!end || row->has[signal]) return;
    if (signal == SIG_SECONDS && strncmp(end, "ms", 2) == 0) x /= 1000;
    row->value[signal] = x;
    row->has[signal] = true;
    if (signal != STEP) return;
    while (*end == ' ') end++;
    if (*end == '/') (void)number_at(end + 1, &row->planned);
}

static void read_text_line(const char *line, Row *row)
{
    for (size_t at = 0, len; line[at]; at += len > 0 ? len : 1) {
        int signal = name_at(line, at, &len);
        if (signal >= 0) take_name(row, signal, line + at + len);
    }
}

/* ---- tables ---- */

typedef struct Table {
    char separator; /* 0: no table */
    int column[64]; /* what each column is; -1: nothing that we know */
    int columns;
} Table;

/* A table's first line names a step and a loss and holds no number. */
static void table_open(Table *t, const char *line)
{
    char separator = strchr(line, '\t') ? '\t' : ',';
    Str rest = str_of(line), cell;
    bool step = false, loss = false;
    *t = (Table){ 0 };
    while (t->columns < COUNT(t->column) && str_cut(&rest, separator, &cell)) {
        char name[64];
        size_t len;
        cell = str_trim(cell);
        snprintf(name, sizeof name, "%.*s", (int)cell.len, cell.at);
        int signal = name_at(name, 0, &len);
        if (signal >= 0 && name[len] != '\0') signal = -1;
        step = step || signal == STEP;
        loss = loss || signal == SIG_LOSS || signal == SIG_VAL;
        t->column[t->columns++] = signal;
    }
    if (step && loss) t->separator = separator;
}

static void read_table_line(const Table *t, const char *line, Row *row)
{
    Str rest = str_of(line), cell;
    for (int i = 0; i < t->columns && str_cut(&rest, t->separator, &cell); i++) {
        double x;
        if (t->column[i] < 0 || !str_to_double(str_trim(cell), &x)) continue;
        row->value[t->column[i]] = x;
        row->has[t->column[i]] = true;
    }
}

static void read_json_line(const char *line, Row *row)
{
    Err ignored = { 0 };
    json_t *object = json_read(str_of(line), "line", &ignored), *value;
    const char *key;
    json_object_foreach(object, key, value)
    {
        size_t len;
        int signal = name_at(key, 0, &len);
        if (signal < 0 || key[len] != '\0' || !json_is_number(value)) continue;
        row->value[signal] = json_number_value(value);
        row->has[signal] = true;
    }
    json_decref(object);
}

/* ---- the file ---- */

static void take_row(Chart *c, const Row *row)
{
    if (!row->has[STEP]) return;
    for (int s = 0; s < SIGNALS; s++)
        if (row->has[s]) (void)chart_add(c, (Signal)s, row->value[STEP], row->value[s]);
    if (row->planned > c->planned_steps) c->planned_steps = row->planned;
}

bool chart_read(Chart *c, const char *path, Err *err)
{
    Buf text = { 0 };
    if (!file_read(path, &text, err)) return false;
    Str rest = buf_view(&text), piece;
    Table table = { 0 };
    bool first = true;
    while (str_cut(&rest, '\n', &piece)) {
        char line[LINE_MAX_BYTES];
        Row row = { .planned = 0 };
        snprintf(line, sizeof line, "%.*s", (int)MIN(piece.len, (ptrdiff_t)sizeof line - 1),
                 piece.at);
        if (first && line[0] != '{') table_open(&table, line);
        first = false;
        if (line[0] == '{')
            read_json_line(line, &row);
        else if (table.separator)
            read_table_line(&table, line, &row);
        else
            read_text_line(line, &row);
        take_row(c, &row);
    }
    buf_free(&text);
    if (c->of[SIG_LOSS].n + c->of[SIG_VAL].n > 0) return true;
    return err_set(err, ERR_FORMAT,
                   "no steps with a loss were found in %s: a table needs the columns step and "
                   "loss, a text log lines "
                   "such as `step 12 loss 3.4`",
                   path);
}
