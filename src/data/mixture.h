/* mixture.h - what a run reads: sources with weights, one tokenizer, shards of tokens, and a
 * loader that can be put to any step exactly.
 *
 * Tokenizers are trained on first use and kept as LAB/tokenizers/KEY.json, shards made on first
 * use from LAB/data/NAME/train and kept as LAB/data/NAME/shards/KEY.bin; a KEY is the hash of all
 * that the file depends on.  Any of them may be deleted: the next run makes it again. */
#ifndef DATA_MIXTURE_H
#define DATA_MIXTURE_H

#include <pthread.h>

#include "base/knob.h"
#include "data/packing.h"
#include "data/shard.h"
#include "data/tokenizer.h"

extern const Knob data_knobs[]; /* data.* and tokenizer.* */

enum { MIXTURE_MAX = 32, MIXTURE_PHASES = 32 };

typedef struct MixtureSource {
    const char *name;
    double weight;   /* share of the rows read, to begin with; all sum to 1 */
    uint64_t stream; /* of this source's draws: other sources leave its order alone */
    Shard shard;
} MixtureSource;

/* A stretch of a curriculum: from this step on (the first is step 0) other weights hold. */
typedef struct MixturePhase {
    int64_t from_step;
    double weight[MIXTURE_MAX]; /* of each source; they sum to 1 */
} MixturePhase;

typedef struct Mixture {
    MixtureSource source[MIXTURE_MAX];
    int count;
    MixturePhase
        later[MIXTURE_PHASES]; /* in order; before the first the sources' own weights hold */
    int n_later;
    const Tokenizer *tokenizer;
    int64_t tokens, bytes; /* of all sources */
    bool bestfit;          /* data.packing: rows are packed with documents */
    char sha256[65];       /* of source hashes, weights and tokenizer: the data manifest of a run */
} Mixture;

/* Reads the knobs, trains the tokenizer and makes the shards where they are missing (whole or
 * not at all, progress on stderr), opens them.  A source that does not exist, a corrupted
 * shard, a vocabulary the data does not support: ERR_CONFIG or ERR_FORMAT by name. */
bool mixture_open(Mixture *m, const char *lab, const KnobSet *knobs, Arena *out,
                  Err *err) MUST_CHECK;
void mixture_close(Mixture *m);

/* The same in two steps, for who cannot wait: all but the checksums of the shards, then those. */
bool mixture_open_unread(Mixture *m, const char *lab, const KnobSet *knobs, Arena *out,
                         Err *err) MUST_CHECK;
bool mixture_check(const Mixture *m, Err *err) MUST_CHECK;

/* mixture_check() on a thread of its own.  The mixture must stay open until it is closed.  The end
 * waits and says what was found, each time it is called; of a check that never began, nothing. */
typedef struct MixtureCheck {
    const Mixture *mixture;
    pthread_t thread;
    bool running, ok;
    Err err;
} MixtureCheck;
void mixturecheck_begin(MixtureCheck *c, const Mixture *m);
bool mixturecheck_end(MixtureCheck *c, Err *err) MUST_CHECK;
void mixturecheck_close(MixtureCheck *c);

/* The names of the data sets that a recipe reads; nothing is opened.  names: (MIXTURE_MAX). */
bool mixture_sources(const char *lab, const KnobSet *knobs, Arena *out, const char **names,
                     int *count, Err *err) MUST_CHECK;

/* Rows of T+1 tokens.  Row r of the run is a pure function of (seed, r): the source by a
 * low-discrepancy order of the weights, the place by a permutation per epoch of that source,
 * with an offset per epoch.  So any step can be asked for, in any order.  Packed rows are laid out
 * once, for the seed, and permuted anew each epoch. */
typedef struct Loader {
    const Mixture *mixture;
    const Packing *packing; /* of each source; NULL: rows are cut from the text laid end to end */
    int batch, context;
    int64_t rows_per_step; /* where the steps of a curriculum are; loader_open says `batch` */
    uint64_t seed;
} Loader;

bool loader_open(Loader *l, const Mixture *m, int batch, int context, uint64_t seed,
                 Err *err) MUST_CHECK; /* a context longer than the data is refused */

/* Where the mixture is to be packed: reads all sources once and lays out their rows. */
bool loader_pack(Loader *l, Arena *out, Err *err) MUST_CHECK;

/* Fills micro-batch `index` (counted over the whole run): tokens, targets, pos (place in the
 * row) and doc (number of the document inside the row), each (batch, context) int32.
 * Any of pos, doc may be NULL.  *hash, if given, names the batch for the ledger. */
bool loader_fill(const Loader *l, int64_t index, int32_t *tokens, int32_t *targets, int32_t *pos,
                 int32_t *doc, uint64_t *hash, Err *err) MUST_CHECK;

/* How many of the first `rows` rows are source i's, and how often it has been read through then. */
int64_t loader_rows(const Loader *l, int source, int64_t rows);
double loader_epochs(const Loader *l, int source, int64_t rows);

#endif
