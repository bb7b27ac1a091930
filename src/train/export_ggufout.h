/* export_ggufout.h - a GGUF file (version 3): named values, then named tensors, aligned to 32.
 * Everything is gathered first, because the header counts and places what follows; tensors are
 * borrowed until they are written. */
#ifndef TRAIN_EXPORT_GGUFOUT_H
#define TRAIN_EXPORT_GGUFOUT_H

#include "base/err.h"
#include "base/str.h"

/* A matrix (or vector) of fp32, and what becomes of it on its way. */
typedef struct GgufTensor {
    const float *at;      /* (rows, cols); NULL: every element is `fill` */
    ptrdiff_t rows, cols; /* a vector of n is n rows of 1 */
    bool vector;
    float fill, scale; /* scale 0: as it is */
    ptrdiff_t scaled;  /* the first so many rows are */
    int head_size;     /* not 0: the rows of each head are paired for ggml's rotation */
} GgufTensor;

typedef struct GgufOut {
    Buf values, infos, tensors; /* tensors: GgufTensor */
    uint64_t n_values, n_tensors, data;
} GgufOut;

void ggufout_text(GgufOut *g, const char *key, Str value);
void ggufout_u32(GgufOut *g, const char *key, uint32_t value);
void ggufout_f32(GgufOut *g, const char *key, float value);
void ggufout_flag(GgufOut *g, const char *key, bool value);

/* An array: its key, then exactly `count` items. */
void ggufout_texts(GgufOut *g, const char *key, uint64_t count);
void ggufout_text_item(GgufOut *g, Str item);
void ggufout_i32s(GgufOut *g, const char *key, uint64_t count);
void ggufout_i32_item(GgufOut *g, int32_t item);

void ggufout_tensor(GgufOut *g, const char *name, GgufTensor t);

bool ggufout_write(const GgufOut *g, const char *path,
                   Err *err) MUST_CHECK; /* whole or not at all */
void ggufout_free(GgufOut *g);

#endif
