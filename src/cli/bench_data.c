/* bench_data.c - how fast text becomes tokens, and tokens rows of a run.
 *
 * The text is the built-in corpus, so that no file is needed and every machine is asked the same;
 * with LATHE_BENCH_TEXT naming a file that `data add` would read, that; and LATHE_BENCH_TOKENIZER
 * names a tokenizer to encode by (GPT-2's folder, tiktoken's ranks) instead of the one that is
 * learned here.  bench/tokenizers.sh asks other programs the same.  Beside the clock stands
 * processor time: on a machine with neighbours it is the steadier of the two. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/progress.h"
#include "cli/bench.h"
#include "data/dedup.h"
#include "data/mixture.h"
#include "data/reader.h"
#include "data/synth.h"
#include "dev/dev.h"

enum { DOCUMENTS = 24000, VOCAB = 4096, BATCH = 16, CONTEXT = 1024 };

typedef struct Bench {
    const BenchIn *in;
    json_t *rows;
    Arena arena;
    DocsOut out;
    Docs docs;
    char folder[64];
    const Tokenizer *learned, *t;
} Bench;

/* ---- the text ---- */

static bool take_part(void *self, Str bytes, Err *err)
{
    return docsout_part(&((Bench *)self)->out, bytes, err);
}

static bool take_end(void *self, Err *err)
{
    (void)err;
    docsout_end(&((Bench *)self)->out);
    return true;
}

static bool read_text(Bench *b, const char *path, Err *err)
{
    json_t *report = NULL;
    ReaderJob job = { .paths = &path,
                      .n_paths = 1,
                      .sink = { .part = take_part, .end = take_end, .self = b } };
    bool ok = reader_run(&job, &report, err);
    json_decref(report);
    return ok;
}

static bool tell_text(Bench *b, Err *err)
{
    SynthWorld *world = synth_world(1, &b->arena);
    Buf doc = { 0 };
    bool ok = true;
    for (int64_t i = 0; ok && i < DOCUMENTS; i++) {
        buf_clear(&doc);
        synth_document(world, i, &doc);
        ok = docsout_add(&b->out, buf_view(&doc), err);
    }
    buf_free(&doc);
    return ok;
}

static bool open_text(Bench *b, Err *err)
{
    char stem[80];
    const char *path = getenv("LATHE_BENCH_TEXT");
    snprintf(b->folder, sizeof(b->folder), "/tmp/lathe-bench-XXXXXX");
    if (!mkdtemp(b->folder)) return err_errno(err, "cannot make a folder in /tmp");
    snprintf(stem, sizeof(stem), "%s/text", b->folder);
    return docsout_reopen(&b->out, stem, 0, err) &&
           (path ? read_text(b, path, err) : tell_text(b, err)) &&
           docsout_view(&b->out, &b->docs, err);
}

/* ---- measuring ---- */

static void say(Bench *b, const char *what, int threads, const char *unit, double amount,
                double seconds, double cpu)
{
    char rate[32], cpu_rate[32];
    json_array_append_new(b->rows, json_pack("{s:s, s:i, s:s, s:f, s:f, s:f}", "what", what,
                                             "threads", threads, "unit", unit, "amount", amount,
                                             "per_s", amount / seconds, "per_cpu_s", amount / cpu));
    if (b->in->cmd->json) return;
    bool bytes = unit[0] == 'b';
    printf("data   %-8s %d thread%s %s%s/s, %s a second of one processor\n", what, threads,
           threads == 1 ? ": " : "s:",
           bytes ? str_bytes(rate, amount / seconds) : str_count(rate, amount / seconds),
           bytes ? "" : " tokens",
           bytes ? str_bytes(cpu_rate, amount / cpu) : str_count(cpu_rate, amount / cpu));
}

typedef struct Watch {
    double clock, cpu;
} Watch;

static Watch watch_start(void)
{
    return (Watch){ clock_now(), clock_cpu() };
}

static void bench_encode(Bench *b, int threads)
{
    Buf parts = { 0 }, ids = { 0 };
    double bytes = 0;
    for (int64_t i = 0; i < b->docs.count; i++)
        for (Str rest = docs_get(&b->docs, i); rest.len > 0;) {
            TokenizerPart part = { { rest.at, tokenizer_cut(rest, 1 << 18) }, false };
            buf_put(&parts, &part, sizeof(part));
            rest.at += part.text.len;
            rest.len -= part.text.len;
        }
    TokenizerPool *pool = tokenizerpool_new(b->t, threads);
    Watch w = watch_start();
    do {
        buf_clear(&ids);
        tokenizerpool_encode(pool, (const TokenizerPart *)(const void *)parts.at,
                             parts.len / (ptrdiff_t)sizeof(TokenizerPart), &ids);
        bytes += (double)b->docs.bytes;
    } while (clock_now() - w.clock < b->in->seconds / 4);
    say(b, "encode", threads, "bytes", bytes, clock_now() - w.clock, clock_cpu() - w.cpu);
    tokenizerpool_free(pool);
    buf_free(&parts);
    buf_free(&ids);
}

static bool bench_learn(Bench *b, int threads, Err *err)
{
    const Docs *list = &b->docs;
    const char *path = getenv("LATHE_BENCH_TOKENIZER");
    TokenizerWant want = { .vocab = VOCAB, .threads = threads };
    Watch w = watch_start();
    b->learned = tokenizer_train(&list, 1, &want, &b->arena, err);
    if (!b->learned) return false;
    say(b, "learn", threads, "bytes", (double)b->docs.bytes, clock_now() - w.clock,
        clock_cpu() - w.cpu);
    b->t = path ? tokenizer_load(path, &b->arena, err) : b->learned;
    return b->t != NULL;
}

static bool bench_near(Bench *b, Err *err)
{
    Str *text = NEW(&b->arena, Str, b->docs.count);
    int64_t *group = NEW(&b->arena, int64_t, b->docs.count);
    for (int64_t i = 0; i < b->docs.count; i++) text[i] = docs_get(&b->docs, i);
    Watch w = watch_start();
    if (!dedup_near(text, b->docs.count, group, err)) return false;
    say(b, "near", 1, "bytes", (double)b->docs.bytes, clock_now() - w.clock, clock_cpu() - w.cpu);
    return true;
}

/* The rows of a run as a step asks for them. */
static bool fill_rows(Bench *b, const Mixture *m, Err *err)
{
    Loader l;
    ptrdiff_t n = BATCH * CONTEXT;
    int32_t *x = NEW(&b->arena, int32_t, 4 * n);
    if (!loader_open(&l, m, BATCH, CONTEXT, 1, err)) return false;
    Watch w = watch_start();
    int64_t i = 0;
    for (; clock_now() - w.clock < b->in->seconds / 4; i++)
        if (!loader_fill(&l, i, x, x + n, x + 2 * n, x + 3 * n, NULL, err)) return false;
    say(b, "load", 1, "tokens", (double)i * (double)n, clock_now() - w.clock, clock_cpu() - w.cpu);
    return true;
}

static bool bench_load(Bench *b, Err *err)
{
    char path[80];
    snprintf(path, sizeof(path), "%s/tokens.bin", b->folder);
    Mixture m = { .count = 1, .tokenizer = b->t };
    MixtureSource *s = &m.source[0];
    *s = (MixtureSource){ .name = "bench", .weight = 1, .shard = { .fd = -1 } };
    bool ok = shard_make(path, &b->docs, b->t, err) &&
              shard_open(&s->shard, path, tokenizer_vocab(b->t), err) && fill_rows(b, &m, err);
    shard_close(&s->shard);
    return ok;
}

static bool run(const BenchIn *in, json_t *rows, Err *err)
{
    Err ignored = { 0 };
    int threads = in->threads > 0 ? in->threads : dev_cores();
    Bench b = { .in = in, .rows = rows, .arena = arena_reserve((ptrdiff_t)1 << 34) };
    progress_quiet(true);
    bool ok = open_text(&b, err) && bench_learn(&b, 1, err) &&
              (threads == 1 || bench_learn(&b, threads, err));
    if (ok) bench_encode(&b, 1);
    if (ok && threads > 1) bench_encode(&b, threads);
    ok = ok && bench_near(&b, err) && bench_load(&b, err);
    progress_quiet(false);
    docs_close(&b.docs);
    docsout_drop(&b.out);
    if (b.folder[0] && !file_remove_tree(b.folder, &ignored)) { /* it lies in /tmp */
    }
    arena_release(&b.arena);
    return ok;
}

extern const BenchDef bench_data;
const BenchDef bench_data = {
    .name = "data",
    .doc = "learning a tokenizer, encoding, near-duplicates, rows for a run",
    .run = run,
};
