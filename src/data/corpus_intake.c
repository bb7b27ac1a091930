/* corpus_intake.c - documents as they come: written down, hashed, and told from those seen.
 *
 * Every document goes to a temporary file first, also one that turns out to be there already:
 * whether it is known only at its last byte, and a document may be larger than memory.  The
 * keys of all documents that ever came in stand in LAB/data/NAME/seen.bin (16 bytes each, the
 * first half of the SHA-256), so that adding the same files again adds nothing, even where a
 * document went to a tier or was cut up. */
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

bool corpusintake_open(CorpusIntake *in, const CorpusStore *store, Err *err)
{
    char stem[900];
    *in = (CorpusIntake){ .file = -1 };
    sha256_begin(&in->sha);
    snprintf(stem, sizeof(stem), "%s/raw", store->temp);
    return docsout_open(&in->raw, stem, err) && load_keys(in, store, err) &&
           count_files(in, store, err);
}

static void take_begin(void *self, int64_t file, int64_t offset)
{
    CorpusIntake *in = self;
    in->file = file < 0 ? -1 : in->files_before + file;
    in->offset = offset;
}

static bool take_part(void *self, Str bytes, Err *err)
{
    CorpusIntake *in = self;
    sha256_add(&in->sha, bytes.at, bytes.len);
    if (!in->has_text) in->has_text = str_trim(bytes).len > 0;
    return docsout_part(&in->raw, bytes, err);
}

static bool take_end(void *self, Err *err)
{
    CorpusIntake *in = self;
    (void)err;
    unsigned char sum[32];
    sha256_end(&in->sha, sum);
    DedupKey key = dedup_key_of(sum);
    Origin origin = { .file = in->file, .offset = in->offset };
    memcpy(origin.sha256, sum, sizeof(sum));
    origin_put(&in->origins, &origin);
    bool live = in->has_text && dedup_set_add(&in->seen, key);
    int64_t bytes = in->raw.bytes - in->begun;
    in->blank += !in->has_text;
    in->exact += in->has_text && !live;
    in->kept += live;
    in->bytes += live ? bytes : 0;
    if (live) buf_put(&in->keys, &key, sizeof(key));
    buf_put(&in->live, &live, sizeof(live));
    docsout_end(&in->raw);
    in->begun = in->raw.bytes;
    in->has_text = false;
    sha256_begin(&in->sha);
    return true;
}

ReaderSink corpusintake_sink(CorpusIntake *in)
{
    return (ReaderSink){ .begin = take_begin, .part = take_part, .end = take_end, .self = in };
}

bool corpusintake_finish(CorpusIntake *in, const CorpusStore *store, Docs *raw, Err *err)
{
    char path[900];
    snprintf(path, sizeof(path), "%s/seen.bin", store->temp);
    return docsout_view(&in->raw, raw, err) && file_write_whole(path, buf_view(&in->keys), err);
}

void corpusintake_close(CorpusIntake *in)
{
    docsout_drop(&in->raw);
    dedup_set_free(&in->seen);
    buf_free(&in->keys);
    buf_free(&in->live);
    buf_free(&in->origins);
}
