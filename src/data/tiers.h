/* tiers.h - which text is held out, decided once from the raw documents.
 *
 * Three tiers of about a twentieth each, at most 400 kB, so that scoring stays cheap.  The
 * unit is a document, or a piece of one that is too long: over 64 kB, in a small data set
 * over a sixtieth of it.  Near-duplicate units go to one place; where a document's pieces
 * go to different places, a gap between them is discarded. */
#ifndef DATA_TIERS_H
#define DATA_TIERS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "data/corpus.h"
#include "data/docs.h"

/* Where a stretch of text goes: a tier (TIER_SEARCH...), or */
enum { TIER_TRAIN = TIER_COUNT, TIER_GAP };

typedef struct TierSpan {
    int64_t doc, begin, end; /* bytes [begin, end) of document doc */
    int where;
} TierSpan;

/* Held-out text of other data sets: its near-duplicates go to the same tier. */
typedef struct TierHeld {
    const Str *text;
    const int *tier;
    int64_t count;
} TierHeld;

typedef struct TierPlan {
    TierSpan *span; /* in the order of the text; together all of every live document */
    int64_t count;
    int64_t cut_over, piece, gap; /* bytes: longer documents are cut, into about so much */
    int64_t near_groups,
        near_documents; /* groups of near-duplicates; units in them but the first */
} TierPlan;

/* `live[i]`: document i is there (not an exact duplicate, not blank).  Depends on the text
 * alone: not on names, order of folders or a clock.  Too little text: ERR_CONFIG. */
bool tiers_plan(const Docs *raw, const bool *live, const TierHeld *held, Arena *out, TierPlan *plan,
                Err *err) MUST_CHECK;

/* The ends of the pieces of a long document, each about `piece` bytes (half to twice that),
 * cut at blank lines where there are any, else at lines, spaces, characters.  int64 each. */
void tiers_cut(Str text, int64_t piece, Buf *ends);

/* How far the bits per byte of this tier may be off from those of all such text, as a share
 * (0.013: 1.3 %): jackknife over documents of the bits under a byte-pair model of `train`. */
double tiers_error(const Docs *tier, const Docs *train);

#endif
