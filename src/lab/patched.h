/* patched.h - proposals that change the engine.
 *
 * A patch is applied to the champion's source, built and checked in the sandbox at once; one that
 * builds becomes an idea like any other, whose one edit is the knob `code`.  What does not apply,
 * build or pass is answered in the compiler's words and is no experiment: a repair is no research.
 */
#ifndef LAB_PATCHED_H
#define LAB_PATCHED_H

#include "code/source.h"
#include "lab/idea.h"

typedef struct PatchedIdea {
    Str diff;
    const char *author, *title, *why, *refute;
    double predicted, confidence; /* NaN: none */
    const char *source;           /* repository to clone where the lab has no source; or NULL */
    bool counted;                 /* PATCHED_REPAIRS in a row that fail are the last */
} PatchedIdea;

enum { PATCHED_REPAIRS = 8 };

typedef struct PatchedAnswer {
    char idea[24]; /* "": it was not taken */
    char tree[41];
    const char *says; /* then: why, in the words of the compiler or the check */
    double seconds;   /* from the patch to the engine */
    Patch patch;
} PatchedAnswer;

/* False where the patch is no patch, leaves the open part or does not fit (ERR_CONFIG), or the
 * world disagreed. */
bool patched_propose(Lab *lab, const PatchedIdea *idea, PatchedAnswer *out, Err *err) MUST_CHECK;

/* The tree to try against the champion: the one asked for where it stands on the champion's source,
 * else the same patch applied to that. */
bool patched_place(Lab *lab, const Recipe *champion, const char *asked, char tree[41],
                   Err *err) MUST_CHECK;

/* The champion's source is the head of the lab's branch `lab`: a commit with the evidence of the
 * experiment that made it.  Nothing where it is already, or where no patch was kept. */
bool patched_keep(Lab *lab, const Recipe *champion, const char *experiment, Err *err) MUST_CHECK;

#endif
