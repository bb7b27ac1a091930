/* readers.c - libFuzzer: any bytes as a file of any kind (tools/fuzz.sh).
 *
 * The first byte says which reader; the rest is the file, from memory through a pipe-like temporary
 * file, so that packing, chunks and the copy for Parquet are all in it.  What may happen is a
 * document or a sentence. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/progress.h"
#include "data/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void begin(void *self, int64_t file, int64_t offset)
{
    (void)self, (void)file;
    if (offset < 0) abort();
}

static bool part(void *self, Str bytes, Err *err)
{
    size_t *sum = self;
    (void)err;
    for (ptrdiff_t i = 0; i < bytes.len; i++)
        *sum += (unsigned char)bytes.at[i]; /* all of it is there */
    return true;
}

static bool end(void *self, Err *err)
{
    (void)self, (void)err;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int count;
    const ReaderDef *const *all = reader_all(&count);
    if (size < 1) return 0;
    const ReaderDef *def = all[data[0] % count];
    int fd = memfd_create("fuzz", 0);
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)(size - 1)) abort();
    progress_quiet(true);

    size_t sum = 0;
    Err err = { 0 };
    ReaderStream in;
    ReaderFile file = { .path = path, .field = "text", .sink = { begin, part, end, &sum } };
    if (readerstream_open(&in, path, &err)) {
        if (def->read(&in, &file, &err) && readerstream_finish(&in, &err)) err.msg[0] = 0;
        readerstream_close(&in);
    }
    close(fd);
    return 0;
}
