/* corpus_intake.c - documents as they come: written down, hashed, and told from those seen.
 *
 * Every document goes to a temporary file first, also one that turns out to be there already:
 * whether it is known only at its last byte, and a document may be larger than memory.  The
 * keys of all documents that ever came in stand in LAB/data/NAME/seen.bin (16 bytes each, the
 * first half of the SHA-256), so that adding the same files again adds nothing, even where a
 * document went to a tier or was cut up.
 *
 * Documents that an addition had read before it was killed are there already (corpus_journal.c);
 * the reader sends them again, and they are only compared. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "data/corpus_private.h"

static bool load_keys(CorpusIntake *in, const CorpusStore *store, Err *err)
{
    char path[900];
    snprintf(path, sizeof(path), "%s/seen.bin", store->data);
    if (!store->exists) return true;
    if (!file_read(path, &in->keys, err)) return false;
    ptrdiff_t size = (ptrdiff_t)sizeof(DedupKey);
    if (in->keys.len % size != 0)
        return err_set(err, ERR_FORMAT, "%s is corrupted; add the data under a new name", path);
    for (ptrdiff_t at = 0; at < in->keys.len; at += size) {
        DedupKey key;
        memcpy(&key, in->keys.at + at, sizeof(key));
        dedup_set_add(&in->seen, key);
    }
    return true;
}

/* Files are numbered over all additions, as the manifest lists them. */
static bool count_files(CorpusIntake *in, const CorpusStore *store, Err *err)
{
    size_t i;
    json_t *manifest, *addition;
    if (!store->exists) return true;
    if (!corpus_manifest(store->lab, store->name, &manifest, err)) return false;
    json_array_foreach(json_object_get(manifest, "additions"), i, addition) in->files_before +=
        (int64_t)json_array_size(json_object_get(addition, "files"));
    json_decref(manifest);
    return true;
}

/* Takes note of a document that is in `raw`. */
static void note_document(CorpusIntake *in, const CorpusRecord *r)
{
    DedupKey key = dedup_key_of(r->sha256);
    Origin origin = { .file = r->file, .offset = r->offset };
    memcpy(origin.sha256, r->sha256, sizeof(r->sha256));
    origin_put(&in->origins, &origin);
    bool live = r->has_text && dedup_set_add(&in->seen, key);
    in->blank += !r->has_text;
    in->exact += r->has_text && !live;
    in->kept += live;
    in->bytes += live ? r->end - in->begun : 0;
    if (live) buf_put(&in->keys, &key, sizeof(key));
    buf_put(&in->live, &live, sizeof(live));
    in->begun = r->end;
}

bool corpusintake_open(CorpusIntake *in, const CorpusStore *store, const char *identity, Err *err)
{
    *in = (CorpusIntake){ .file = -1 };
    sha256_begin(&in->sha);
    if (!load_keys(in, store, err) || !count_files(in, store, err) ||
        !corpusjournal_open(&in->journal, store, identity, &in->raw, err))
        return false;
    for (int64_t i = 0; i < corpusjournal_known(&in->journal); i++) {
        CorpusRecord r = corpusjournal_get(&in->journal, i);
        note_document(in, &r);
    }
    return true;
}

/* ---- what the reader sends ---- */

static void take_begin(void *self, int64_t file, int64_t offset)
{
    CorpusIntake *in = self;
    in->file = file < 0 ? -1 : in->files_before + file;
    in->offset = offset;
}

/* Is it a document that was there before a kill? */
static bool is_known(const CorpusIntake *in)
{
    return in->journal.taken < corpusjournal_known(&in->journal);
}

static bool take_part(void *self, Str bytes, Err *err)
{
    CorpusIntake *in = self;
    if (is_known(in)) {
        in->again += bytes.len;
        return true;
    }
    sha256_add(&in->sha, bytes.at, bytes.len);
    if (!in->has_text) in->has_text = str_trim(bytes).len > 0;
    return docsout_part(&in->raw, bytes, err);
}

static bool compare_known(CorpusIntake *in, Err *err)
{
    CorpusJournal *j = &in->journal;
    CorpusRecord r = corpusjournal_get(j, j->taken);
    int64_t begin = j->taken > 0 ? corpusjournal_get(j, j->taken - 1).end : 0;
    bool same = r.file == in->file && r.offset == in->offset && r.end - begin == in->again;
    in->again = 0;
    j->taken++;
    if (same) return true;
    j->on = false;
    return err_set(err, ERR_CONFIG,
                   "the files changed since this addition was interrupted; run the same command "
                   "once more and it begins anew");
}

static bool take_end(void *self, Err *err)
{
    CorpusIntake *in = self;
    if (is_known(in)) return compare_known(in, err);
    CorpusRecord r = { in->raw.bytes, in->file, in->offset, in->has_text, { 0 } };
    sha256_end(&in->sha, r.sha256);
    docsout_end(&in->raw);
    note_document(in, &r);
    in->has_text = false;
    sha256_begin(&in->sha);
    return corpusjournal_add(&in->journal, &r, &in->raw, err);
}

ReaderSink corpusintake_sink(CorpusIntake *in)
{
    return (ReaderSink){ .begin = take_begin, .part = take_part, .end = take_end, .self = in };
}

bool corpusintake_finish(CorpusIntake *in, const CorpusStore *store, Docs *raw, Err *err)
{
    char path[900];
    snprintf(path, sizeof(path), "%s/seen.bin", store->temp);
    if (is_known(in)) {
        in->journal.on = false;
        return err_set(err, ERR_CONFIG,
                       "there is less to read than when this addition was interrupted; run the "
                       "same command once more and it begins anew");
    }
    return corpusjournal_flush(&in->journal, &in->raw, true, err) &&
           docsout_view(&in->raw, raw, err) && file_write_whole(path, buf_view(&in->keys), err);
}

void corpusintake_close(CorpusIntake *in, bool leave)
{
    Err none = { 0 };
    if (leave && corpusjournal_flush(&in->journal, &in->raw, true, &none))
        docsout_leave(&in->raw);
    else
        docsout_drop(&in->raw);
    corpusjournal_close(&in->journal);
    dedup_set_free(&in->seen);
    buf_free(&in->keys);
    buf_free(&in->live);
    buf_free(&in->origins);
}
