/* corpus.h - from files to a data set of the lab: read, clean, deduplicate, cut into tiers.
 *
 *     LAB/data/NAME/train.txt .idx     what training may see
 *     LAB/data/NAME/manifest.json      what it is made of, counts, hashes, what was left out and
 * why LAB/judge/NAME/search.txt .idx   held-out tiers, cut once from the raw text before any
 *     LAB/judge/NAME/audit.txt .idx    filter, never altered afterwards: a later `add` of more
 *     LAB/judge/NAME/locked.txt .idx   files only adds training text
 *
 * Near-duplicates (MinHash, 5-word shingles) share a tier; documents over 64 kB are cut at
 * blank lines, with a discarded gap between pieces that go to different tiers. */
#ifndef DATA_CORPUS_H
#define DATA_CORPUS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

enum { TIER_SEARCH, TIER_AUDIT, TIER_LOCKED, TIER_COUNT };
extern const char *const tier_name[TIER_COUNT]; /* "search", "audit", "locked" */

typedef struct CorpusAdd {
    const char *lab, *name;
    const char *const *paths; /* files and folders; "-" is standard input */
    int n_paths;
    const char *field; /* of .jsonl; NULL: "text" */
    int64_t *resumed;  /* out, if given: documents that were read before a kill or a stop */
} CorpusAdd;

/* After a kill or a stop in the middle the same call goes on, and the manifest is the one that it
 * would have been.  The manifest, as stored.  New reference; json_decref it. */
bool corpus_add(const CorpusAdd *what, json_t **manifest, Err *err) MUST_CHECK;

/* The built-in corpus (synth.c): source NAME clean, and NAME-dirty with planted faults whose
 * truth is LAB/data/NAME-dirty/truth.json. */
bool corpus_synth(const char *lab, const char *name, int64_t docs, uint64_t seed, json_t **manifest,
                  Err *err) MUST_CHECK;

bool corpus_manifest(const char *lab, const char *name, json_t **manifest, Err *err) MUST_CHECK;
bool corpus_list(const char *lab, Arena *out, char ***names, int *count, Err *err) MUST_CHECK;

/* Stems for docs_open().  The tiers are for judge/ alone. */
char *corpus_train_stem(const char *lab, const char *name, Arena *out);
char *corpus_tier_stem(const char *lab, const char *name, int tier, Arena *out);

#endif
