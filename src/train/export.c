/* export.c - the list of forms in which a model leaves the lab. */
#include "train/export.h"

#include <string.h>

#define EXPORT(name) extern const ExportDef export_##name;
#include "train/export_list.h"
#undef EXPORT
static const ExportDef *const all[] = {
#define EXPORT(name) &export_##name,
#include "train/export_list.h"
#undef EXPORT
};

const ExportDef *const *export_all(int *count)
{
    *count = (int)COUNT(all);
    return all;
}

const ExportDef *export_find(const char *name, Err *err)
{
    Buf names = { 0 };
    for (int i = 0; i < COUNT(all); i++) {
        if (strcmp(all[i]->name, name) == 0) {
            buf_free(&names);
            return all[i];
        }
        buf_printf(&names, "%s%s", i ? ", " : "", all[i]->name);
    }
    err_set(err, ERR_CONFIG, "there is no export format %s; there are: %s", name, names.at);
    buf_free(&names);
    return NULL;
}

bool export_write(const ExportDef *def, const Trained *t, const char *name, const char *path,
                  const char **form, Err *err)
{
    Model m;
    int vocab = tokenizer_vocab(trained_tokenizer(t));
    ExportIn in = { .trained = t, .model = &m, .name = name };
    return model_of(&trained_recipe(t)->knobs, vocab, &m, err) && def->write(&in, path, form, err);
}
