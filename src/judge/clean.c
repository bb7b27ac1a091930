/* clean.c - has the model read what it is judged on?
 *
 * A data set's manifest says of each addition which data sets' held-out text it was searched
 * for (`decontaminated.against`; its own tiers always).  A set that was made later than an
 * addition cannot stand there; then it is the later set's first addition that names the earlier
 * one, because its tiers were cut so as to leave out what the earlier one already trains on.
 * An addition and a tier of which neither knew the other, as when a folder was copied into the
 * lab by hand, make the score worthless, and it is refused.
 *
 * The manifests of today are asked, not those of the day the model was trained: additions are
 * only ever added, so what was said of an older one still stands. */
#include <string.h>

#include "judge/judge.h"

static bool names(const json_t *list, const char *name)
{
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one)
    {
        if (json_is_string(one) && strcmp(json_string_value(one), name) == 0) return true;
    }
    return false;
}

static const json_t *against(const json_t *addition)
{
    return json_object_get(json_object_get(addition, "decontaminated"), "against");
}

static bool addition_clean(const json_t *addition, const char *train, const json_t *held_manifest,
                           const char *held)
{
    const json_t *first = json_array_get(json_object_get(held_manifest, "additions"), 0);
    const json_t *known = against(addition);
    if (!json_is_array(known)) return false; /* it was searched for nothing */
    return strcmp(train, held) == 0 || names(known, held) || names(against(first), train);
}

static bool pair_clean(const json_t *manifest, const char *train, const json_t *held_manifest,
                       const char *held, Err *err)
{
    const json_t *additions = json_object_get(manifest, "additions");
    size_t i, n = json_array_size(additions);
    json_t *one;
    bool ok = n > 0;
    json_array_foreach(additions, i, one) ok =
        ok && addition_clean(one, train, held_manifest, held);
    return ok ||
           err_set(err, ERR_CONFIG,
                   "the training text of %s was not searched for the held-out text of %s, so its "
                   "score would say nothing: add %s again with `lathe data add` under a new name",
                   train, held, train);
}

static bool held_clean(const JudgeText *text, const char *held, const char *const *train, int n,
                       Err *err)
{
    json_t *held_manifest = NULL;
    if (!corpus_manifest(text->lab, held, &held_manifest, err)) return false;
    bool ok = true;
    for (int i = 0; ok && i < n; i++) {
        json_t *manifest = NULL;
        ok = corpus_manifest(text->lab, train[i], &manifest, err) &&
             pair_clean(manifest, train[i], held_manifest, held, err);
        json_decref(manifest);
    }
    json_decref(held_manifest);
    return ok;
}

bool judge_may_score(const JudgeText *text, const KnobSet *recipe, Arena scratch, Err *err)
{
    const char *train[MIXTURE_MAX];
    int n = 0;
    bool ok = mixture_sources(text->lab, recipe, &scratch, train, &n, err);
    for (int i = 0; ok && i < text->n_sources; i++)
        ok = held_clean(text, text->sources[i], train, n, err);
    return ok;
}
