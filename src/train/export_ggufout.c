/* export_ggufout.c - the bytes of a GGUF file.
 *
 * The format is described in ggml's docs/gguf.md: magic, version 3, number of tensors and of
 * values; each value a key, a type, the value; each tensor's name, dimensions (the innermost
 * first), type and offset; then the tensors, each begun at a multiple of 32 bytes. */
#include "train/export_ggufout.h"

#include <string.h>

#include "base/file.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "floats are written as they lie");

enum {
    ALIGN = 32,
    TYPE_U32 = 4,
    TYPE_I32 = 5,
    TYPE_F32 = 6,
    TYPE_FLAG = 7,
    TYPE_TEXT = 8,
    TYPE_ARRAY = 9
};

static void put_le(Buf *b, uint64_t x, int bytes)
{
    for (int i = 0; i < bytes; i++) buf_char(b, (char)(x >> (8 * i)));
}

static void put_text(Buf *b, Str s)
{
    put_le(b, (uint64_t)s.len, 8);
    buf_str(b, s);
}

static void put_key(GgufOut *g, const char *key, uint32_t type)
{
    put_text(&g->values, str_of(key));
    put_le(&g->values, type, 4);
    g->n_values++;
}

void ggufout_text(GgufOut *g, const char *key, Str value)
{
    put_key(g, key, TYPE_TEXT);
    put_text(&g->values, value);
}

void ggufout_u32(GgufOut *g, const char *key, uint32_t value)
{
    put_key(g, key, TYPE_U32);
    put_le(&g->values, value, 4);
}

void ggufout_f32(GgufOut *g, const char *key, float value)
{
    put_key(g, key, TYPE_F32);
    buf_put(&g->values, &value, 4);
}

void ggufout_flag(GgufOut *g, const char *key, bool value)
{
    put_key(g, key, TYPE_FLAG);
    buf_char(&g->values, value);
}

static void put_array(GgufOut *g, const char *key, uint32_t type, uint64_t count)
{
    put_key(g, key, TYPE_ARRAY);
    put_le(&g->values, type, 4);
    put_le(&g->values, count, 8);
}

void ggufout_texts(GgufOut *g, const char *key, uint64_t count)
{
    put_array(g, key, TYPE_TEXT, count);
}

void ggufout_text_item(GgufOut *g, Str item)
{
    put_text(&g->values, item);
}

void ggufout_i32s(GgufOut *g, const char *key, uint64_t count)
{
    put_array(g, key, TYPE_I32, count);
}

void ggufout_i32_item(GgufOut *g, int32_t item)
{
    put_le(&g->values, (uint32_t)item, 4);
}

void ggufout_tensor(GgufOut *g, const char *name, GgufTensor t)
{
    enum { GGML_F32 = 0 };
    uint64_t bytes = (uint64_t)(t.rows * t.cols) * 4;
    put_text(&g->infos, str_of(name));
    put_le(&g->infos, t.vector ? 1 : 2, 4);
    if (!t.vector) put_le(&g->infos, (uint64_t)t.cols, 8);
    put_le(&g->infos, (uint64_t)t.rows, 8);
    put_le(&g->infos, GGML_F32, 4);
    put_le(&g->infos, g->data, 8);
    g->data += (bytes + ALIGN - 1) / ALIGN * ALIGN;
    g->n_tensors++;
    buf_put(&g->tensors, &t, sizeof(t));
}

/* Zeros up to the next multiple of ALIGN. */
static bool pad(FileOut *f, uint64_t at, Err *err)
{
    static const char zeros[ALIGN];
    return fileout_write(f, zeros, (ptrdiff_t)(-at & (ALIGN - 1)), err);
}

/* Which row stands at place i: ours pair i with i + D/2, ggml's rotation pairs neighbours. */
static ptrdiff_t source_row(const GgufTensor *t, ptrdiff_t i)
{
    if (!t->head_size) return i;
    ptrdiff_t head = i / t->head_size, in = i % t->head_size;
    return head * t->head_size + in / 2 + (in % 2) * (t->head_size / 2);
}

static bool write_tensor(FileOut *f, const GgufTensor *t, Err *err)
{
    float some[256];
    bool ok = true;
    for (ptrdiff_t i = 0; ok && i < t->rows; i++) {
        float scale = t->scale != 0 && i < t->scaled ? t->scale : 1;
        const float *row = t->at ? t->at + source_row(t, i) * t->cols : NULL; // (cols)
        for (ptrdiff_t from = 0; ok && from < t->cols; from += COUNT(some)) {
            ptrdiff_t n = MIN(t->cols - from, COUNT(some));
            for (ptrdiff_t k = 0; k < n; k++) some[k] = scale * (row ? row[from + k] : t->fill);
            ok = fileout_write(f, some, n * 4, err);
        }
    }
    return ok && pad(f, (uint64_t)(t->rows * t->cols) * 4, err);
}

static bool write_all(FileOut *f, const GgufOut *g, Err *err)
{
    Buf head = { 0 };
    buf_str(&head, STR("GGUF"));
    put_le(&head, 3, 4);
    put_le(&head, g->n_tensors, 8);
    put_le(&head, g->n_values, 8);
    uint64_t before = (uint64_t)(head.len + g->values.len + g->infos.len);
    bool ok = fileout_write(f, head.at, head.len, err) &&
              fileout_write(f, g->values.at, g->values.len, err) &&
              fileout_write(f, g->infos.at, g->infos.len, err) && pad(f, before, err);
    buf_free(&head);
    const GgufTensor *t = (const GgufTensor *)(const void *)g->tensors.at;
    for (uint64_t i = 0; ok && i < g->n_tensors; i++) ok = write_tensor(f, &t[i], err);
    return ok;
}

bool ggufout_write(const GgufOut *g, const char *path, Err *err)
{
    FileOut f;
    if (!fileout_open(&f, path, err)) return false;
    bool ok = write_all(&f, g, err) && fileout_commit(&f, err);
    fileout_drop(&f);
    return ok;
}

void ggufout_free(GgufOut *g)
{
    buf_free(&g->values);
    buf_free(&g->infos);
    buf_free(&g->tensors);
}
