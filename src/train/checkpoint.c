/* checkpoint.c - writing and finding a run's state on disk.
 *
 *     "LATHECKP"  u32 version  u32 0  u64 length of the header
 *     header: one JSON object, padded with spaces so that what follows is 64-byte aligned
 *     tensors: fp32, each 64-byte aligned, at the offsets that the header gives
 *     32 bytes: SHA-256 of everything before
 *
 * Little-endian.  The checksum stands at the end so that one pass writes the file, and a
 * file cut anywhere fails it.  A separate index file was rejected: two files can disagree,
 * one cannot.  Reading goes through the file twice, first for the checksum and then for the
 * tensors, so that nothing unchecked ever reaches a weight and no second copy of the weights
 * is held in memory. */
#include "train/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "checkpoints are little-endian");

enum { PREAMBLE = 24, ALIGN = 64, KEPT = 2, CHUNK = 1 << 20 };
static const char magic[8] = { 'L', 'A', 'T', 'H', 'E', 'C', 'K', 'P' };

static bool is_kept(const StoreItem *item)
{
    return item->life == LIFE_PARAM || item->life == LIFE_STATE;
}

static int64_t aligned(int64_t n)
{
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static int item_order(const void *a, const void *b)
{
    const StoreItem *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

void checkpoint_weights_sha256(const Store *s, char out[65])
{
    int count = store_count(s), n = 0;
    const StoreItem **item = calloc((size_t)MAX(count, 1), sizeof(*item));
    CHECK(item, "a list of %d weights", count);
    for (int i = 0; i < count; i++) {
        if (store_item(s, i)->life == LIFE_PARAM) item[n++] = store_item(s, i);
    }
    qsort(item, (size_t)n, sizeof(*item), item_order);
    Sha256 sha;
    sha256_begin(&sha);
    for (int i = 0; i < n; i++) {
        sha256_add(&sha, item[i]->name, (ptrdiff_t)strlen(item[i]->name) + 1);
        sha256_add(&sha, item[i]->at, item[i]->count * (ptrdiff_t)sizeof(float));
    }
    sha256_end_hex(&sha, out);
    free(item);
}

/* ---- writing */

static json_t *tensor_list(const Store *s)
{
    json_t *list = json_array();
    int64_t offset = 0;
    for (int i = 0; i < store_count(s); i++) {
        const StoreItem *item = store_item(s, i);
        if (!is_kept(item)) continue;
        json_t *dim = json_array();
        for (int d = 0; d < item->rank; d++) json_array_append_new(dim, json_integer(item->dim[d]));
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:I}", "name", item->name, "life",
                                              item->life == LIFE_PARAM ? "param" : "state", "dim",
                                              dim, "offset", (json_int_t)offset));
        offset = aligned(offset + item->count * (int64_t)sizeof(float));
    }
    return list;
}

static void put_header(const Checkpoint *c, const Store *s, Buf *out)
{
    char seed[24];
    snprintf(seed, sizeof(seed), "%llu", (unsigned long long)c->seed);
    json_t *h = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:s}",
                          "recipe_sha256", c->recipe_sha256, "data_sha256", c->data_sha256, "seed",
                          seed, "step", (json_int_t)c->step, "steps", (json_int_t)c->steps,
                          "tokens", (json_int_t)c->tokens, "flops", (json_int_t)c->flops,
                          "tail_count", (json_int_t)c->tail_count, "done", c->done, "finite",
                          c->finite, "weights_sha256", c->weights_sha256);
    CHECK(h, "a header that JSON cannot hold");
    json_object_set_new(h, "seconds", json_num_of(c->seconds));
    json_object_set_new(h, "tail_sum", json_num_of(c->tail_sum));
    json_object_set_new(h, "recipe", json_text(c->recipe));
    json_object_set_new(h, "tokenizer", json_text(c->tokenizer));
    json_object_set_new(h, "tensors", tensor_list(s));
    json_write(h, false, out);
    json_decref(h);
    while ((PREAMBLE + out->len) % ALIGN != 0) buf_char(out, ' ');
}

typedef struct Writer {
    FileOut file;
    Sha256 sha;
    int64_t len;
} Writer;

static bool put(Writer *w, const void *bytes, ptrdiff_t len, Err *err)
{
    sha256_add(&w->sha, bytes, len);
    w->len += len;
    return fileout_write(&w->file, bytes, len, err);
}

static bool put_preamble(Writer *w, int64_t header, Err *err)
{
    unsigned char b[PREAMBLE] = { 0 };
    uint32_t version = CHECKPOINT_VERSION;
    memcpy(b, magic, sizeof(magic));
    memcpy(b + 8, &version, sizeof(version));
    memcpy(b + 16, &header, sizeof(header));
    return put(w, b, PREAMBLE, err);
}

static bool put_tensors(Writer *w, const Store *s, Err *err)
{
    static const char zeros[ALIGN];
    for (int i = 0; i < store_count(s); i++) {
        const StoreItem *item = store_item(s, i);
        if (!is_kept(item)) continue;
        CHECK(item->at, "%s is not fp32: only such stores have checkpoints", item->name);
        if (!put(w, zeros, aligned(w->len) - w->len, err) ||
            !put(w, item->at, item->count * (ptrdiff_t)sizeof(float), err))
            return false;
    }
    return true;
}

static bool put_all(Writer *w, const Buf *header, const Store *s, Err *err)
{
    unsigned char sum[32];
    sha256_begin(&w->sha);
    if (!put_preamble(w, header->len, err) || !put(w, header->at, header->len, err) ||
        !put_tensors(w, s, err))
        return false;
    sha256_end(&w->sha, sum);
    return fileout_write(&w->file, sum, sizeof(sum), err) && fileout_commit(&w->file, err);
}

static bool is_checkpoint(const char *name)
{
    Str s = str_of(name);
    return str_starts(s, STR("step-")) && str_ends(s, STR(".ckpt"));
}

/* Names of checkpoints in order of their steps: the number has leading zeros. */
static bool list_checkpoints(const char *dir, Arena *out, char ***names, int *count, Err *err)
{
    if (!file_list(dir, false, out, names, count, err)) return false;
    int n = 0;
    for (int i = 0; i < *count; i++) {
        if (is_checkpoint((*names)[i])) (*names)[n++] = (*names)[i];
    }
    *count = n;
    return true;
}

static bool prune(const char *dir, Err *err)
{
    Arena scratch = arena_reserve(1 << 24);
    char **names;
    int count;
    bool ok = list_checkpoints(dir, &scratch, &names, &count, err);
    for (int i = 0; ok && i < count - KEPT; i++) {
        char *path = arena_printf(&scratch, "%s/%s", dir, names[i]);
        if (unlink(path) != 0) ok = err_errno(err, "cannot remove %s", path);
    }
    arena_release(&scratch);
    return ok;
}

bool checkpoint_save(const char *dir, Checkpoint *c, const Store *s, Err *err)
{
    char path[1024];
    Buf header = { 0 };
    Writer w = { 0 };
    checkpoint_weights_sha256(s, c->weights_sha256);
    snprintf(path, sizeof(path), "%s/step-%012lld.ckpt", dir, (long long)c->step);
    put_header(c, s, &header);
    bool ok = fileout_open(&w.file, path, err);
    if (ok) {
        ok = put_all(&w, &header, s, err);
        fileout_drop(&w.file);
    }
    buf_free(&header);
    return ok && prune(dir, err);
}

/* ---- reading */

/* Is the file as long as it says, of this version, and does its checksum hold? */
static bool checksum_holds(FILE *f, int64_t size, char *chunk)
{
    Sha256 sha;
    unsigned char sum[32], stored[32];
    sha256_begin(&sha);
    for (int64_t left = size - 32; left > 0;) {
        ptrdiff_t n = (ptrdiff_t)MIN(left, (int64_t)CHUNK);
        if (fread(chunk, 1, (size_t)n, f) != (size_t)n) return false;
        sha256_add(&sha, chunk, n);
        left -= n;
    }
    sha256_end(&sha, sum);
    return fread(stored, 1, 32, f) == 32 && memcmp(sum, stored, 32) == 0;
}

/* The header of an open file as JSON; *data is where the tensors begin. */
static json_t *read_header(FILE *f, const char *path, int64_t size, int64_t *data, Err *err)
{
    unsigned char b[PREAMBLE];
    uint32_t version;
    int64_t len;
    json_t *header = NULL;
    rewind(f);
    if (fread(b, 1, PREAMBLE, f) != PREAMBLE || memcmp(b, magic, sizeof(magic)) != 0) {
        err_set(err, ERR_FORMAT, "%s is not a checkpoint", path);
        return NULL;
    }
    memcpy(&version, b + 8, sizeof(version));
    memcpy(&len, b + 16, sizeof(len));
    if (version != CHECKPOINT_VERSION || len < 2 || len > size - PREAMBLE) {
        err_set(err, ERR_FORMAT, "%s has version %u, and this program reads %d", path, version,
                CHECKPOINT_VERSION);
        return NULL;
    }
    char *text = malloc((size_t)len);
    CHECK(text, "a header of %lld bytes", (long long)len);
    if (fread(text, 1, (size_t)len, f) == (size_t)len)
        header = json_read((Str){ text, len }, path, err);
    else
        err_errno(err, "cannot read %s", path);
    free(text);
    *data = PREAMBLE + len;
    return header;
}

static json_t *open_whole(const char *path, Err *err)
{
    int64_t size = file_size(path), data;
    FILE *f = fopen(path, "rb");
    if (!f) {
        err_errno(err, "cannot open %s", path);
        return NULL;
    }
    char *chunk = malloc(CHUNK);
    CHECK(chunk, "a buffer of %d bytes", CHUNK);
    json_t *header = NULL;
    if (size < PREAMBLE + 32 || !checksum_holds(f, size, chunk))
        err_set(err, ERR_FORMAT, "%s is cut short or damaged: its checksum does not hold", path);
    else
        header = read_header(f, path, size, &data, err);
    free(chunk);
    fclose(f);
    return header;
}

static Str text_member(const json_t *h, const char *key, Arena *out)
{
    const json_t *s = json_object_get(h, key);
    Str text = { json_string_value(s), (ptrdiff_t)json_string_length(s) };
    if (!text.at) return STR("");
    return (Str){ arena_str(out, text), text.len };
}

static void fill(Checkpoint *c, const json_t *h, Arena *out)
{
    *c = (Checkpoint){ .recipe = text_member(h, "recipe", out),
                       .tokenizer = text_member(h, "tokenizer", out),
                       .recipe_sha256 = text_member(h, "recipe_sha256", out).at,
                       .data_sha256 = text_member(h, "data_sha256", out).at,
                       .seed = strtoull(json_str(h, "seed", "0"), NULL, 10),
                       .step = json_int(h, "step", 0),
                       .steps = json_int(h, "steps", 0),
                       .tokens = json_int(h, "tokens", 0),
                       .flops = json_int(h, "flops", 0),
                       .seconds = json_num(h, "seconds", 0),
                       .tail_sum = json_num(h, "tail_sum", 0),
                       .tail_count = json_int(h, "tail_count", 0),
                       .done = json_is_true(json_object_get(h, "done")),
                       .finite = json_is_true(json_object_get(h, "finite")) };
    snprintf(c->weights_sha256, sizeof(c->weights_sha256), "%s", json_str(h, "weights_sha256", ""));
}

bool checkpoint_find(const char *dir, Arena *out, Checkpoint *c, const char **path, Buf *note,
                     Err *err)
{
    char **names;
    int count;
    *path = NULL;
    if (!list_checkpoints(dir, out, &names, &count, err)) return false;
    for (int i = count - 1; i >= 0; i--) {
        char *candidate = arena_printf(out, "%s/%s", dir, names[i]);
        Err why = { 0 };
        json_t *header = open_whole(candidate, &why);
        if (!header) {
            buf_printf(note, "%s\n", why.msg);
            continue;
        }
        fill(c, header, out);
        json_decref(header);
        *path = candidate;
        return true;
    }
    return true;
}

static const json_t *tensor_named(const json_t *tensors, const char *name)
{
    for (size_t i = 0; i < json_array_size(tensors); i++) {
        const json_t *t = json_array_get(tensors, i);
        if (strcmp(json_str(t, "name", ""), name) == 0) return t;
    }
    return NULL;
}

static int64_t count_of(const json_t *t)
{
    const json_t *dim = json_object_get(t, "dim");
    int64_t n = 1;
    for (size_t i = 0; i < json_array_size(dim); i++)
        n *= json_integer_value(json_array_get(dim, i));
    return n;
}

/* To go on training, the weight itself; to judge, its average where the run keeps one. */
static const json_t *tensor_for(const json_t *tensors, const char *name, bool to_train)
{
    char average[300];
    snprintf(average, sizeof(average), "%s.average", name);
    const json_t *t = to_train ? NULL : tensor_named(tensors, average);
    return t ? t : tensor_named(tensors, name);
}

/* Fills item from tensor t of an open file; t NULL: the file has none. */
static bool load_one(FILE *f, const char *path, int64_t data, const json_t *t,
                     const StoreItem *item, Err *err)
{
    if (!t || count_of(t) != item->count)
        return err_set(err, ERR_FORMAT, "%s %s %s: it belongs to another model", path,
                       t ? "has another size of" : "lacks", item->name);
    CHECK(item->at, "%s is not fp32: only such stores have checkpoints", item->name);
    if (fseeko(f, (off_t)(data + json_int(t, "offset", 0)), SEEK_SET) == 0 &&
        fread(item->at, sizeof(float), (size_t)item->count, f) == (size_t)item->count)
        return true;
    return err_set(err, ERR_IO, "cannot read %s from %s", item->name, path);
}

bool checkpoint_load(const char *path, const Store *s, bool states, Err *err)
{
    FILE *f = fopen(path, "rb");
    if (!f) return err_errno(err, "cannot open %s", path);
    int64_t data = 0;
    json_t *header = read_header(f, path, file_size(path), &data, err);
    bool ok = header != NULL;
    for (int i = 0; ok && i < store_count(s); i++) {
        const StoreItem *item = store_item(s, i);
        bool wanted = item->life == LIFE_PARAM || (states && item->life == LIFE_STATE);
        const json_t *t = tensor_for(json_object_get(header, "tensors"), item->name, states);
        if (wanted) ok = load_one(f, path, data, t, item, err);
    }
    json_decref(header);
    fclose(f);
    return ok;
}
