/* share.c - grants, from the ledger. */
#include "lab/share.h"

#include <string.h>

#include "data/corpus.h"

bool share_set(Lab *lab, const char *source, bool samples, const char *author, Err *err)
{
    json_t *manifest = NULL;
    if (!corpus_manifest(lab->dir, source, &manifest, err)) return false;
    json_decref(manifest);
    return ledger_append(lab->ledger, "share", source,
                         json_pack("{s:s, s:s, s:o}", "source", source, "what",
                                   samples ? "samples" : "stats", "author",
                                   json_text(str_of(author))),
                         err);
}

bool share_of(Lab *lab, const char *source, bool *samples, Err *err)
{
    json_t *body = NULL;
    if (!ledger_last(lab->ledger, "share", source, &body, err)) return false;
    *samples = strcmp(json_str(body, "what", "stats"), "samples") == 0;
    json_decref(body);
    return true;
}

bool share_words(Lab *lab, Buf *out, Err *err)
{
    char **names = NULL;
    int n = 0, granted = 0;
    if (!corpus_list(lab->dir, lab->arena, &names, &n, err)) return false;
    buf_str(out, STR("numbers, recipes and findings"));
    for (int i = 0; i < n; i++) {
        bool samples = false;
        if (!share_of(lab, names[i], &samples, err)) return false;
        if (samples) buf_printf(out, "%s%s", granted++ ? ", " : "; text of ", names[i]);
    }
    if (!granted) buf_str(out, STR("; no text"));
    return true;
}
