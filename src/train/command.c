/* command.c - one run of somebody else's trainer.
 *
 * The program gets one argument more than its command has: the path of job.json, which names run,
 * seed, knobs, budget, data and the folder for its output.  It appends lines to metrics.tsv, which
 * are read while it works, and ends with result.json.  Files rather than a protocol on its output:
 * a training script prints what it likes, and its author reads the three files with an editor.
 *
 * It is trusted as its owner trusts it, with two exceptions: it does not see the keys of language
 * models, and whatever it started is gone when the run is over (child.h).  How it can fail is told
 * apart only in words: each of them is a failed run, as a loss that is not a number is with us, and
 * the rule has a place for those. */
#include "train/command.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"

enum { WORDS_MAX = 64, ROWS = 64, LINE = 1024, COLUMNS = 8, STEPS_MAX = 1000000 };
static const double A_DAY = 86400, READ_EVERY = 0.2;
static const int64_t RESULT_MOST = 1 << 20;

/* ---- job.json ---- */

static json_t *knobs_json(const Recipe *r)
{
    json_t *o = json_object();
    int own = 0;
    while (command_knobs[own].name) own++;
    for (int i = own; i < r->knobs.count; i++) {
        const Knob *k = r->knobs.knob[i];
        double x = r->knobs.value[i];
        json_t *v = k->type == KNOB_CHOICE  ? json_string(k->choices[(int)x])
                    : k->type == KNOB_FLAG  ? json_boolean(x > 0)
                    : k->type == KNOB_WHOLE ? json_integer((json_int_t)x)
                                            : json_num_of(x);
        json_object_set_new(o, k->name, v);
    }
    return o;
}

static json_t *data_json(const CommandJob *job)
{
    json_t *list = json_array();
    Str rest = str_of(knobs_text(&job->recipe->knobs, "data.sources")), name;
    while (str_cut(&rest, ',', &name)) {
        char path[PATH_MAX];
        name = str_trim(name);
        if (name.len == 0) continue;
        snprintf(path, sizeof(path), "%s/data/%.*s", job->lab, (int)name.len, name.at);
        json_array_append_new(list, json_pack("{s:o, s:o}", "name", json_text(name), "folder",
                                              json_text(str_of(path))));
    }
    return list;
}

static bool write_job(const CommandJob *job, const char *path, Err *err)
{
    const KnobSet *k = &job->recipe->knobs;
    json_t *o =
        json_pack("{s:i, s:s, s:I, s:s, s:f, s:s, s:o, s:o, s:o}", "contract", 1, "run", job->run,
                  "seed", (json_int_t)job->seed, "frame", knobs_choice(k, "budget.frame"), "budget",
                  knobs_number(k, recipe_budget(job->recipe)), "metric",
                  knobs_text(k, "command.metric"), "out", json_text(str_of(job->dir)), "knobs",
                  knobs_json(job->recipe), "data", data_json(job));
    bool ok = json_write_file(path, o, err);
    json_decref(o);
    return ok;
}

/* ---- metrics.tsv, while it grows ---- */

typedef struct Metrics {
    const CommandJob *job;
    char path[PATH_MAX];
    int64_t at; /* bytes read of it */
    int column[COLUMNS], columns;
    bool headed;
    int64_t step, rows;
    double read;
    double last_loss[ROWS]; /* a ring of the newest */
    Err broken;             /* the ledger's complaint: the run ends with it */
} Metrics;

static const char *const names[COLUMNS] = { "step", "tokens", "flops",     "seconds",
                                            "loss", "lr",     "grad_norm", "tokens_per_s" };

static void read_header(Metrics *m, Str line)
{
    Str cell;
    m->headed = true;
    while (m->columns < COLUMNS && str_cut(&line, '\t', &cell)) {
        m->column[m->columns] = -1;
        for (int i = 0; i < COLUMNS; i++)
            if (str_eq(str_trim(cell), str_of(names[i]))) m->column[m->columns] = i;
        m->columns++;
    }
}

/* False for a line that is none: words, steps that do not grow. */
static bool read_row(Metrics *m, Str line, StepRow *row)
{
    double x[COLUMNS], nan = (double)NAN;
    Str cell;
    for (int i = 0; i < COLUMNS; i++) x[i] = nan;
    for (int c = 0; c < m->columns && str_cut(&line, '\t', &cell); c++)
        if (m->column[c] >= 0 && !str_to_double(str_trim(cell), &x[m->column[c]]))
            x[m->column[c]] = nan;
    if (!(x[0] > (double)m->step && x[0] < 1e15) || m->rows >= STEPS_MAX) return false;
    m->step = (int64_t)x[0];
    m->last_loss[m->rows++ % ROWS] = x[4];
    *row = (StepRow){ .step = m->step,
                      .tokens = x[1],
                      .flops = x[2],
                      .seconds = x[3],
                      .loss = x[4],
                      .lr = x[5],
                      .grad_norm = x[6],
                      .clipped = nan,
                      .update_ratio = { nan, nan, nan, nan },
                      .tokens_per_s = x[7] };
    return true;
}

static bool give_rows(Metrics *m, const StepRow *row, int n)
{
    const RunSink *sink = &m->job->sink;
    return n == 0 || !sink->rows || m->broken.code || sink->rows(sink->self, row, n, &m->broken);
}

/* Takes the whole lines of a piece; how many bytes those are. */
static int64_t take_lines(Metrics *m, Str piece)
{
    StepRow row[ROWS];
    int n = 0;
    ptrdiff_t used = 0;
    for (const char *end; (end = memchr(piece.at + used, '\n', (size_t)(piece.len - used)));) {
        Str line = { piece.at + used, end - piece.at - used };
        used = end - piece.at + 1;
        if (!m->headed)
            read_header(m, line);
        else if (read_row(m, line, &row[n]) && ++n == ROWS) {
            if (!give_rows(m, row, n)) return used;
            n = 0;
        }
    }
    (void)give_rows(m, row, n);
    return used;
}

/* All that was written since; a line of more than a piece's length is no line of numbers. */
static void follow_metrics(Metrics *m)
{
    char piece[64 * LINE];
    FILE *f = fopen(m->path, "rb");
    m->read = clock_now();
    while (f && fseeko(f, m->at, SEEK_SET) == 0) {
        size_t n = fread(piece, 1, sizeof(piece), f);
        int64_t used = n ? take_lines(m, (Str){ piece, (ptrdiff_t)n }) : 0;
        if (used == 0 && n == sizeof(piece)) used = (int64_t)n;
        m->at += used;
        if (used == 0 || m->broken.code) break;
    }
    if (f) fclose(f);
}

static bool on_poll(void *self)
{
    Metrics *m = self;
    const RunSink *sink = &m->job->sink;
    if (clock_now() - m->read > READ_EVERY) follow_metrics(m);
    return m->broken.code != ERR_NONE || (sink->stop && sink->stop(sink->self));
}

/* ---- how it ended ---- */

static bool failed(CommandResult *told, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool failed(CommandResult *told, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(told->why, sizeof(told->why), fmt, ap);
    va_end(ap);
    return false;
}

/* The last line of its output that is not empty. */
static void last_line(const char *tail, char out[200])
{
    const char *end = tail + strlen(tail), *begin;
    while (end > tail && strchr(" \r\n\t", end[-1])) end--;
    for (begin = end; begin > tail && begin[-1] != '\n' && end - begin < 160;) begin--;
    snprintf(out, 200, "%.*s", (int)(end - begin), begin);
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < ' ') *c = ' ';
}

static bool ended_well(const CommandJob *job, const ChildEnd *end, double limit,
                       CommandResult *told)
{
    char line[200], limit_text[32];
    last_line(end->tail, line);
    const char *behind = line[0] ? ": " : "";
    if (end->timed_out)
        return failed(told, "it took longer than its limit of %s", str_seconds(limit_text, limit));
    if (end->signal)
        return failed(told, "it was killed by signal %d%s%s", end->signal, behind, line);
    if (end->status)
        return failed(told, "it ended with status %d%s%s; all it printed is in runs/%s/log.txt",
                      end->status, behind, line, job->run);
    return true;
}

static double member(const json_t *o, const char *key, double fallback)
{
    double x = json_num(o, key, fallback);
    return x >= 0 && x < 9e18 ? x : fallback;
}

static bool read_score(const CommandJob *job, const json_t *o, CommandResult *told)
{
    const char *metric = knobs_text(&job->recipe->knobs, "command.metric");
    const json_t *v = json_object_get(o, metric);
    if (!json_is_object(o)) return failed(told, "its result.json is no JSON object");
    if (!v) return failed(told, "its result.json has no %.60s", metric);
    if (!json_is_number(v)) return failed(told, "its %.60s is no number", metric);
    double x = json_number_value(v);
    if (!(x > 0)) return failed(told, "its %.60s is %g, and must be above 0", metric, x);
    told->score = x;
    return true;
}

/* What Python writes for a loss that is none, and JSON does not have. */
static bool says_not_a_number(Str text)
{
    return text.len > 0 && (memmem(text.at, (size_t)text.len, "NaN", 3) ||
                            memmem(text.at, (size_t)text.len, "Infinity", 8));
}

static bool read_result(const CommandJob *job, const char *path, TrainResult *t,
                        CommandResult *told)
{
    Buf text = { 0 };
    Err err = { 0 };
    if (!file_exists(path)) return failed(told, "it ended without a result.json");
    if (file_size(path) > RESULT_MOST) return failed(told, "its result.json is over a megabyte");
    bool read = file_read(path, &text, &err);
    json_t *o = read ? json_read(buf_view(&text), "result.json", &err) : NULL;
    bool ok = o && read_score(job, o, told);
    if (!o && says_not_a_number(buf_view(&text)))
        failed(told, "its result.json holds a number that is none");
    else if (!o)
        failed(told, "%s", err.msg);
    if (ok) {
        t->steps = (int64_t)member(o, "steps", (double)t->steps);
        t->tokens = (int64_t)member(o, "tokens", 0);
        t->flops = (int64_t)member(o, "flops", 0);
        t->train_loss = json_num(o, "train_loss", t->train_loss);
    }
    json_decref(o);
    buf_free(&text);
    return ok;
}

static double limit_of(const Recipe *r)
{
    double limit = knobs_number(&r->knobs, "command.limit");
    if (limit > 0) return limit;
    bool time = strcmp(knobs_choice(&r->knobs, "budget.frame"), "time") == 0;
    return time ? 3 * knobs_number(&r->knobs, "budget.time") + 300 : A_DAY;
}

/* The mean of the last tenth of the rows, of those that are still known. */
static double last_losses(const Metrics *m)
{
    int64_t want = MIN(MAX(m->rows / 10, 1), MIN(m->rows, ROWS));
    double sum = 0;
    for (int64_t i = 0; i < want; i++) sum += m->last_loss[(m->rows - 1 - i) % ROWS];
    return want > 0 ? sum / (double)want : (double)NAN;
}

/* ---- the call ---- */

static bool split_words(const CommandJob *job, const char *path, const char **argv, Arena *out,
                        Err *err)
{
    Str rest = str_of(knobs_text(&job->recipe->knobs, "command.run")), word;
    int n = 0;
    while (str_cut(&rest, ' ', &word)) {
        if (word.len == 0) continue;
        if (n == WORDS_MAX - 2)
            return err_set(err, ERR_CONFIG, "command.run has more than %d words", WORDS_MAX - 2);
        argv[n++] = arena_str(out, word);
    }
    if (n == 0) return err_set(err, ERR_CONFIG, "command.run is empty: which program trains?");
    argv[n++] = path;
    argv[n] = NULL;
    return true;
}

static bool begin(const CommandJob *job, const char *const path[3], Err *err)
{
    if (!file_make_dirs(job->dir, err)) return false;
    for (int i = 1; i < 3; i++)
        if (file_exists(path[i]) && unlink(path[i]) != 0)
            return err_errno(err, "remove %s of an earlier try", path[i]);
    return write_job(job, path[0], err);
}

static bool call(const CommandJob *job, const char *const *argv, const char *log, Metrics *m,
                 ChildEnd *end, Err *err)
{
    static const char *const keys[] = { "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN",
                                        "OPENAI_API_KEY", NULL };
    ChildJob child = { .argv = argv,
                       .dir = knobs_text(&job->recipe->knobs, "command.folder"),
                       .hidden = keys,
                       .log = log,
                       .seconds = limit_of(job->recipe),
                       .self = m,
                       .stop = on_poll };
    if (!child_run(&child, end, err)) return false;
    follow_metrics(m);
    if (m->broken.code) {
        *err = m->broken;
        return false;
    }
    if (!end->started)
        return err_set(err, ERR_CONFIG, "%s cannot be run in %s: %s", argv[0], child.dir,
                       strerror(end->status));
    if (end->stopped)
        return err_set(err, ERR_STOPPED,
                       "stopped; the run begins again from its start, or from "
                       "what the trainer itself left in its folder");
    return true;
}

bool command_train(const CommandJob *job, TrainResult *out, CommandResult *told, Err *err)
{
    Arena scratch = arena_reserve((ptrdiff_t)1 << 24);
    const char *path[3] = { arena_printf(&scratch, "%s/job.json", job->dir),
                            arena_printf(&scratch, "%s/metrics.tsv", job->dir),
                            arena_printf(&scratch, "%s/result.json", job->dir) };
    const char *argv[WORDS_MAX], *log = arena_printf(&scratch, "%s/log.txt", job->dir);
    Metrics *m = NEW(&scratch, Metrics, 1);
    ChildEnd end;
    m->job = job;
    snprintf(m->path, sizeof(m->path), "%s", path[1]);
    *told = (CommandResult){ .score = (double)NAN };
    *out = (TrainResult){ 0 };
    bool ok = split_words(job, path[0], argv, &scratch, err) && begin(job, path, err) &&
              call(job, argv, log, m, &end, err);
    if (ok) {
        out->seconds = end.seconds;
        out->steps = m->step;
        out->train_loss = last_losses(m);
        out->finite = ended_well(job, &end, limit_of(job->recipe), told) &&
                      read_result(job, path[2], out, told);
    }
    arena_release(&scratch);
    return ok;
}
