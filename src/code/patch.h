/* patch.h - a unified diff, and whether it stays within the open part of the source. */
#ifndef CODE_PATCH_H
#define CODE_PATCH_H

#include "base/err.h"
#include "base/str.h"

enum { PATCH_FILES = 16 };

typedef struct Patch {
    char file[PATCH_FILES][128]; /* "src/model/mlp.c" */
    bool made[PATCH_FILES];      /* by the patch */
    int files, added, deleted;   /* lines */
    bool op;                     /* it brings a new operation, which must pass the tests of those */
} Patch;

/* The open part: files in src/model/ and src/optim/, new ones in src/tensor/op/, and the lists and
 * constructors of operations (src/tensor/op_list.h, ops.h, ops.c).  Text only: no links, modes,
 * renames or binary files.  ERR_CONFIG names the line. */
bool patch_read(Str diff, Patch *out, Err *err) MUST_CHECK;

/* May the file be read and edited by whoever proposes? */
bool patch_open(const char *file, bool made);

#endif
