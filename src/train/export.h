/* export.h - a trained model for other programs. */
#ifndef TRAIN_EXPORT_H
#define TRAIN_EXPORT_H

#include "base/arena.h"
#include "base/err.h"
#include "model/model.h"
#include "train/trained.h"

/* What is exported, and what to call it there. */
typedef struct ExportIn {
    const Trained *trained;
    const Model *model;
    const char *name;
} ExportIn;

typedef struct ExportDef {
    const char *name; /* "gguf": what --format says, and the file's ending */
    const char *doc;  /* one line */
    /* Whole or not at all.  *form gets what the format calls a model of this form.  One that the
     * format cannot express is ERR_CONFIG, naming the knobs. */
    bool (*write)(const ExportIn *in, const char *path, const char **form, Err *err);
} ExportDef;

const ExportDef *const *export_all(int *count);

/* By name; NULL and err (ERR_CONFIG, with those there are). */
const ExportDef *export_find(const char *name, Err *err) MUST_CHECK;

/* Writes the model of a checkpoint folder. */
bool export_write(const ExportDef *def, const Trained *t, const char *name, const char *path,
                  const char **form, Err *err) MUST_CHECK;

#endif
