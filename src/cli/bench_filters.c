/* bench_filters.c - how fast text is read, judged and told from its copies on one thread.
 *
 * The last row is a whole pass over raw text: read, exact copies by SHA-256, near ones by MinHash,
 * and a usual stack of filters over every document, with what no filter may spare the next step.
 *
 * The text is the built-in corpus, so that no file is needed and every machine is asked the same;
 * with LATHE_BENCH_TEXT naming a .jsonl file or a folder, that.  Reading is from a file that the
 * system has in memory: the disk is not what is asked about. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/progress.h"
#include "cli/bench.h"
#include "data/filter.h"
#include "data/reader.h"
#include "data/synth.h"

enum { DOCUMENTS = 12000 };

typedef struct Texts {
    Buf text, ends; /* documents end to end; int64 ends */
} Texts;

static bool take_part(void *self, Str bytes, Err *err)
{
    (void)err;
    buf_str(&((Texts *)self)->text, bytes);
    return true;
}

static bool take_end(void *self, Err *err)
{
    Texts *t = self;
    (void)err;
    int64_t end = t->text.len;
    buf_put(&t->ends, &end, sizeof(end));
    return true;
}

/* The built-in corpus as a file of lines. */
static bool write_file(const char *path, Err *err)
{
    Arena arena = arena_reserve((ptrdiff_t)1 << 26);
    const SynthWorld *world = synth_world(1, &arena);
    Buf lines = { 0 }, text = { 0 };
    for (int64_t i = 0; i < DOCUMENTS; i++) {
        buf_clear(&text);
        synth_document(world, i, &text);
        json_t *line = json_pack("{s:o}", "text", json_text(buf_view(&text)));
        json_write(line, false, &lines);
        buf_char(&lines, '\n');
        json_decref(line);
    }
    bool ok = file_write_whole(path, buf_view(&lines), err);
    buf_free(&lines);
    buf_free(&text);
    arena_release(&arena);
    return ok;
}

static bool read_all(const char *path, Texts *t, Err *err)
{
    json_t *report = NULL;
    buf_clear(&t->text);
    buf_clear(&t->ends);
    ReaderJob job = { .paths = &path,
                      .n_paths = 1,
                      .sink = { .part = take_part, .end = take_end, .self = t } };
    bool ok = reader_run(&job, &report, err);
    json_decref(report);
    return ok;
}

static void judge_all(const Texts *t, FilterPlan *plan)
{
    const int64_t *ends = (const int64_t *)(const void *)t->ends.at;
    int64_t begin = 0, n = t->ends.len / (ptrdiff_t)sizeof(int64_t);
    for (int64_t i = 0; i < n; begin = ends[i++]) {
        Str doc = { t->text.at + begin, (ptrdiff_t)(ends[i] - begin) }, left;
        FilterDoc d;
        FilterVerdict v;
        if (plan->count > 1) {
            if (filterplan_apply(plan, doc, &left)) continue;
        } else {
            filter_read(doc, &plan->room[0], &d);
            filter_judge(plan->def[0], plan->knob[0], &plan->words[0], &d, &plan->room[1],
                         &plan->text[0], &v);
        }
    }
}

static void put_row(const BenchIn *in, json_t *rows, const char *what, double rate)
{
    json_array_append_new(rows, json_pack("{s:s,s:f}", "filter", what, "bytes_per_s", rate));
    if (!in->cmd->json) printf("filters  %-18s %7.1f MB/s on one thread\n", what, rate / 1e6);
}

static bool time_reading(const BenchIn *in, const char *path, Texts *t, json_t *rows, Err *err)
{
    double best = 0, began = clock_now();
    do {
        double at = clock_cpu();
        if (!read_all(path, t, err)) return false;
        best = MAX(best, (double)t->text.len / (clock_cpu() - at));
    } while (clock_now() - began < in->seconds / 6);
    put_row(in, rows, "reading (.jsonl)", best);
    return true;
}

static bool time_filter(const BenchIn *in, const char *filters, const Texts *t, json_t *rows,
                        Err *err)
{
    FilterPlan plan;
    if (!filterplan_make(&plan, ".", filters, "", false, err)) return false;
    double best = 0, began = clock_now();
    do {
        double at = clock_cpu();
        judge_all(t, &plan);
        best = MAX(best, (double)t->text.len / (clock_cpu() - at));
    } while (clock_now() - began < in->seconds / 12);
    put_row(in, rows, plan.count > 1 ? "a usual stack" : filters, best);
    filterplan_free(&plan);
    return true;
}

static const char stack[] = "gopher_quality gopher_repetition c4 fineweb personal";

/* Every document through every step. */
static bool pass(const char *path, Texts *t, FilterPlan *plan, Err *err)
{
    if (!read_all(path, t, err)) return false;
    const int64_t *ends = (const int64_t *)(const void *)t->ends.at;
    int64_t n = t->ends.len / (ptrdiff_t)sizeof(int64_t), begin = 0;
    Arena arena = arena_reserve((ptrdiff_t)1 << 36);
    Str *text = NEW(&arena, Str, n);
    int64_t *group = NEW(&arena, int64_t, n);
    DedupSet seen = { 0 };
    for (int64_t i = 0; i < n; begin = ends[i++]) {
        text[i] = (Str){ t->text.at + begin, (ptrdiff_t)(ends[i] - begin) };
        dedup_set_add(&seen, dedup_key(text[i]));
    }
    bool ok = dedup_near(text, n, group, err);
    if (ok) judge_all(t, plan);
    dedup_set_free(&seen);
    arena_release(&arena);
    return ok;
}

static bool time_pass(const BenchIn *in, const char *path, Texts *t, json_t *rows, Err *err)
{
    FilterPlan plan;
    if (!filterplan_make(&plan, ".", stack, "", false, err)) return false;
    double best = 0, began = clock_now();
    bool ok = true;
    do {
        double at = clock_cpu();
        ok = pass(path, t, &plan, err);
        best = MAX(best, (double)t->text.len / (clock_cpu() - at));
    } while (ok && clock_now() - began < in->seconds / 6);
    if (ok) put_row(in, rows, "all of it", best);
    filterplan_free(&plan);
    return ok;
}

static bool time_all(const BenchIn *in, const char *path, json_t *rows, Err *err)
{
    Texts t = { 0 };
    int count;
    const FilterDef *const *all = filter_all(&count);
    progress_quiet(true);
    bool ok = time_reading(in, path, &t, rows, err);
    for (int i = 0; ok && i < count; i++) ok = time_filter(in, all[i]->name, &t, rows, err);
    ok = ok && time_filter(in, stack, &t, rows, err) && time_pass(in, path, &t, rows, err);
    progress_quiet(false);
    buf_free(&t.text);
    buf_free(&t.ends);
    return ok;
}

static bool run(const BenchIn *in, json_t *rows, Err *err)
{
    const char *given = getenv("LATHE_BENCH_TEXT");
    char path[64] = "/tmp/lathe-bench-XXXXXX.jsonl";
    if (given) return time_all(in, given, rows, err);
    int fd = mkstemps(path, 6);
    if (fd < 0) return err_errno(err, "make a file in /tmp");
    close(fd);
    bool ok = write_file(path, err) && time_all(in, path, rows, err);
    unlink(path);
    return ok;
}

extern const BenchDef bench_filters;
const BenchDef bench_filters = {
    .name = "filters",
    .doc = "bytes a second that are read, judged by each filter, and cleared of copies",
    .run = run,
};
