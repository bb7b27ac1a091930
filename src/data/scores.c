/* scores.c - a file of losses: written as the model goes, mapped to be read.
 *
 * Float32 for each token and nothing for each document but its end: a document's loss is a sum, and
 * the excess of one model over another (Mindermann et al. 2022; Lin et al. 2024, per token) is a
 * difference of two files.  The header stands first and is known last, so the room for it and for
 * the ends is written at once and filled in at the end. */
#include "data/scores.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER = 256, VERSION = 1, AT_SHA = 64, AT_RUN = 128 };
static const char magic[8] = "LATHESCO";

static void put_le(unsigned char *to, uint64_t x, int bytes)
{
    for (int i = 0; i < bytes; i++) to[i] = (unsigned char)(x >> (8 * i));
}

static uint64_t get_le(const unsigned char *from, int bytes)
{
    uint64_t x = 0;
    for (int i = 0; i < bytes; i++) x |= (uint64_t)from[i] << (8 * i);
    return x;
}

/* ---- writing ---- */

bool scoresout_open(ScoresOut *o, const char *path, int64_t documents, Err *err)
{
    static const unsigned char room[4096];
    *o = (ScoresOut){ .expected = documents };
    if (!fileout_open(&o->file, path, err)) return false;
    for (int64_t left = HEADER + 8 * documents; left > 0; left -= (int64_t)sizeof(room))
        if (!fileout_write(&o->file, room, (ptrdiff_t)MIN(left, (int64_t)sizeof(room)), err))
            return false;
    return true;
}

bool scoresout_add(ScoresOut *o, const float *nll, int64_t tokens, Err *err)
{
    unsigned char end[8];
    CHECK(o->documents < o->expected, "more documents than %td", (ptrdiff_t)o->expected);
    for (int64_t i = 0; i < tokens; i++) {
        unsigned char bytes[4];
        uint32_t bits;
        memcpy(&bits, &nll[i], sizeof(bits));
        put_le(bytes, bits, 4);
        if (!fileout_write(&o->file, bytes, 4, err)) return false;
    }
    o->tokens += tokens;
    o->documents++;
    put_le(end, (uint64_t)o->tokens, 8);
    buf_put(&o->ends, end, 8);
    return true;
}

bool scoresout_commit(ScoresOut *o, const char *train_sha256, const char *run, Err *err)
{
    unsigned char h[HEADER] = { 0 };
    CHECK(o->documents == o->expected, "%td documents of %td", (ptrdiff_t)o->documents,
          (ptrdiff_t)o->expected);
    memcpy(h, magic, sizeof(magic));
    put_le(h + 8, VERSION, 4);
    put_le(h + 16, (uint64_t)o->documents, 8);
    put_le(h + 24, (uint64_t)o->tokens, 8);
    memcpy(h + AT_SHA, train_sha256, MIN(strlen(train_sha256), (size_t)64));
    memcpy(h + AT_RUN, run, MIN(strlen(run), (size_t)63));
    return fileout_patch(&o->file, 0, h, HEADER, err) &&
           fileout_patch(&o->file, HEADER, o->ends.at, o->ends.len, err) &&
           fileout_commit(&o->file, err);
}

void scoresout_drop(ScoresOut *o)
{
    fileout_drop(&o->file);
    buf_free(&o->ends);
}

/* ---- reading ---- */

static bool map_file(Scores *s, const char *path, Err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return err_errno(err, "open %s", path);
    bool ok = fstat(fd, &st) == 0;
    if (ok && st.st_size >= HEADER) {
        s->map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        ok = s->map != MAP_FAILED;
        s->map_len = st.st_size;
        if (!ok) s->map = NULL;
    }
    if (!ok) err_errno(err, "map %s", path);
    close(fd);
    return ok;
}

static bool check_ends(const Scores *s)
{
    uint64_t before = 0;
    for (int64_t i = 0; i < s->documents; i++) {
        uint64_t end = get_le(s->ends + 8 * i, 8);
        if (end < before || end > (uint64_t)s->tokens) return false;
        before = end;
    }
    return before == (uint64_t)s->tokens;
}

static bool check_scores(Scores *s, const char *path, const char *train_sha256, Err *err)
{
    const unsigned char *h = s->map;
    bool good = h && memcmp(h, magic, sizeof(magic)) == 0 && get_le(h + 8, 4) == VERSION;
    uint64_t documents = good ? get_le(h + 16, 8) : 0, tokens = good ? get_le(h + 24, 8) : 0;
    uint64_t length = (uint64_t)s->map_len;
    good = good && documents < length && tokens < length &&
           length == HEADER + 8 * documents + 4 * tokens;
    if (good) {
        s->documents = (int64_t)documents;
        s->tokens = (int64_t)tokens;
        s->ends = h + HEADER;
        s->nll = s->ends + 8 * documents;
        memcpy(s->run, h + AT_RUN, sizeof(s->run) - 1);
        good = check_ends(s);
    }
    if (!good)
        return err_set(err, ERR_FORMAT, "%s is no file of scores, or is cut short; delete it",
                       path);
    if (strncmp((const char *)h + AT_SHA, train_sha256, 64) != 0)
        return err_set(err, ERR_CONFIG,
                       "%s is of a text that has changed since: `lathe data score` again", path);
    return true;
}

bool scores_open(Scores *s, const char *path, const char *train_sha256, Err *err)
{
    *s = (Scores){ 0 };
    if (map_file(s, path, err) && check_scores(s, path, train_sha256, err)) return true;
    scores_close(s);
    return false;
}

void scores_close(Scores *s)
{
    if (s->map) munmap(s->map, (size_t)s->map_len);
    *s = (Scores){ 0 };
}

static int64_t begin_of(const Scores *s, int64_t document)
{
    CHECK(document >= 0 && document < s->documents, "document %td of %td", (ptrdiff_t)document,
          (ptrdiff_t)s->documents);
    return document > 0 ? (int64_t)get_le(s->ends + 8 * (document - 1), 8) : 0;
}

int64_t scores_tokens(const Scores *s, int64_t document)
{
    int64_t begin = begin_of(s, document);
    return (int64_t)get_le(s->ends + 8 * document, 8) - begin;
}

float scores_token(const Scores *s, int64_t document, int64_t token)
{
    uint32_t bits = (uint32_t)get_le(s->nll + 4 * (begin_of(s, document) + token), 4);
    float x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

double scores_nats(const Scores *s, int64_t document)
{
    double sum = 0;
    for (int64_t i = 0, n = scores_tokens(s, document); i < n; i++)
        sum += (double)scores_token(s, document, i);
    return sum;
}
