/* corpus_journal.c - what was read of an addition outlives a kill.
 *
 * Every document goes through LAB/data/NAME.part/raw.txt.tmp; beside it raw.log says, 64 bytes a
 * document, where it ends, where it came from and what its hash is.  The text is flushed before
 * the log that speaks of it, so whatever the log says is there, and a record cut short is not one.
 * An addition that is begun again under the same identity (the same paths into the same state of
 * the set) takes these documents as they are: the reader sends them again, which is the cheap
 * part, and each is only compared with its record: place, length.  The rest is read as ever.  So
 * the result is what one undisturbed run gives, and no file needs to be begun twice by a reader
 * that could be put to a byte: decompressors cannot.
 *
 * Rejected: a mark per finished file (datatrove's), which begins a file of many gigabytes anew, and
 * a database, which would sync more often than it is worth. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "data/corpus_private.h"

enum { RECORD = 64, HEADER = 72, SYNC_EVERY = 16 };
static const char magic[8] = "LATHERAW";
int64_t corpusjournal_every = 4 << 20;

static void put_le(unsigned char *to, uint64_t x)
{
    for (int i = 0; i < 8; i++) to[i] = (unsigned char)(x >> (8 * i));
}

static int64_t get_le(const unsigned char *from)
{
    uint64_t x = 0;
    for (int i = 0; i < 8; i++) x |= (uint64_t)from[i] << (8 * i);
    return (int64_t)x;
}

int64_t corpusjournal_known(const CorpusJournal *j)
{
    return j->known.len / RECORD;
}

CorpusRecord corpusjournal_get(const CorpusJournal *j, int64_t i)
{
    const unsigned char *at = (const unsigned char *)j->known.at + i * RECORD;
    CorpusRecord r = { get_le(at), get_le(at + 8), get_le(at + 16), get_le(at + 24) == 1, { 0 } };
    memcpy(r.sha256, at + 32, sizeof(r.sha256));
    return r;
}

/* ---- opening ---- */

static void name_job(const char *identity, char name[65])
{
    sha256_hex(identity, (ptrdiff_t)strlen(identity), name);
}

/* The records that an earlier try left, as far as they are whole and in order. */
static void take_known(CorpusJournal *j, const char *name, int64_t text_bytes)
{
    Err none = { 0 };
    Buf log = { 0 };
    int64_t before = 0;
    bool ok = file_exists(j->path) && file_read(j->path, &log, &none) && log.len >= HEADER &&
              memcmp(log.at, magic, sizeof(magic)) == 0 &&
              memcmp(log.at + sizeof(magic), name, 64) == 0;
    for (ptrdiff_t at = HEADER; ok && at + RECORD <= log.len; at += RECORD) {
        int64_t end = get_le((const unsigned char *)log.at + at);
        if (end < before || end > text_bytes) break;
        buf_put(&j->known, log.at + at, RECORD);
        before = end;
    }
    buf_free(&log);
}

static bool write_failed(const CorpusJournal *j, Err *err)
{
    return err_errno(err, "cannot write %s", j->path);
}

/* The log anew: the header and what is known. */
static bool open_log(CorpusJournal *j, const char *name, Err *err)
{
    Buf all = { 0 };
    buf_put(&all, magic, sizeof(magic));
    buf_put(&all, name, 64);
    buf_put(&all, j->known.at, j->known.len);
    bool ok = file_write_whole(j->path, buf_view(&all), err);
    buf_free(&all);
    if (!ok) return false;
    j->log = fopen(j->path, "ab");
    return j->log || write_failed(j, err);
}

bool corpusjournal_open(CorpusJournal *j, const CorpusStore *store, const char *identity,
                        DocsOut *raw, Err *err)
{
    char stem[900], text[1000], name[65];
    *j = (CorpusJournal){ .on = identity != NULL };
    snprintf(stem, sizeof(stem), "%s/raw", j->on ? store->part : store->temp);
    if (!j->on) return docsout_reopen(raw, stem, 0, err);
    snprintf(j->path, sizeof(j->path), "%s/raw.log", store->part);
    snprintf(text, sizeof(text), "%s.txt.tmp", stem);
    name_job(identity, name);
    take_known(j, name, file_size(text));
    int64_t n = corpusjournal_known(j);
    if (n == 0 && !file_remove_tree(store->part, err)) return false;
    int64_t keep = n > 0 ? corpusjournal_get(j, n - 1).end : 0;
    if (!file_make_dirs(store->part, err) || !docsout_reopen(raw, stem, keep, err)) return false;
    for (int64_t i = 0; i < n; i++) docsout_end_at(raw, corpusjournal_get(j, i).end);
    j->flushed = j->synced = keep;
    return open_log(j, name, err);
}

/* ---- going on ---- */

bool corpusjournal_flush(CorpusJournal *j, DocsOut *raw, bool sync, Err *err)
{
    if (!j->on || j->fresh.len == 0) return true;
    corpusstore_step();
    if (!fileout_flush(&raw->text, sync, err)) return false;
    corpusstore_step();
    bool ok = fwrite(j->fresh.at, 1, (size_t)j->fresh.len, j->log) == (size_t)j->fresh.len &&
              fflush(j->log) == 0 && (!sync || fsync(fileno(j->log)) == 0);
    buf_clear(&j->fresh);
    j->flushed = raw->bytes;
    if (sync) j->synced = raw->bytes;
    return ok || write_failed(j, err);
}

bool corpusjournal_add(CorpusJournal *j, const CorpusRecord *r, DocsOut *raw, Err *err)
{
    unsigned char record[RECORD];
    if (!j->on) return true;
    put_le(record, (uint64_t)r->end);
    put_le(record + 8, (uint64_t)r->file);
    put_le(record + 16, (uint64_t)r->offset);
    put_le(record + 24, r->has_text);
    memcpy(record + 32, r->sha256, 32);
    buf_put(&j->fresh, record, RECORD);
    if (raw->bytes - j->flushed < corpusjournal_every) return true;
    return corpusjournal_flush(j, raw, raw->bytes - j->synced > SYNC_EVERY * corpusjournal_every,
                               err);
}

void corpusjournal_close(CorpusJournal *j)
{
    if (j->log) fclose(j->log);
    j->log = NULL;
    buf_free(&j->known);
    buf_free(&j->fresh);
}
