/* read_dump.c - prints what the readers make of files: `read_dump FIELD PATH...`, one line of JSON
 * for each document, {"offset", "text"}; the report on stderr.  For tests that hold the readers
 * against other programs' writers. */
#include <stdio.h>

#include "base/progress.h"
#include "data/reader.h"

typedef struct Dump {
    Buf text;
    int64_t offset;
} Dump;

static void begin(void *self, int64_t file, int64_t offset)
{
    Dump *d = self;
    (void)file;
    d->offset = offset;
    buf_clear(&d->text);
}

static bool part(void *self, Str bytes, Err *err)
{
    Dump *d = self;
    (void)err;
    buf_str(&d->text, bytes);
    return true;
}

static bool end(void *self, Err *err)
{
    Dump *d = self;
    (void)err;
    json_t *line = json_pack("{s:I,s:o}", "offset", (json_int_t)d->offset, "text",
                             json_text(buf_view(&d->text)));
    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(line);
    return true;
}

int main(int argc, char **argv)
{
    Dump dump = { 0 };
    Err err = { 0 };
    json_t *report;
    if (argc < 3) return fprintf(stderr, "usage: read_dump FIELD PATH...\n"), 2;
    progress_quiet(true);
    ReaderJob job = { .paths = (const char *const *)argv + 2,
                      .n_paths = argc - 2,
                      .field = argv[1],
                      .sink = { begin, part, end, &dump } };
    bool ok = reader_run(&job, &report, &err);
    buf_free(&dump.text);
    if (!ok) return fprintf(stderr, "%s\n", err.msg), 1;
    json_dumpf(report, stderr, JSON_COMPACT);
    json_decref(report);
    return 0;
}
