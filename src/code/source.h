/* source.h - the source that a lab's engine is made from, and the engines that patches make.
 *
 *     LAB/code/repo         the lab's own clone of Lathe's source; branch `lab` holds what was kept
 *     LAB/code/warm         one worktree, whose objects stay: a patch rebuilds what it changes
 *     LAB/code/engine/TREE  the program built from a tree of git, which names its source wholly
 *
 * The repository that the clone was made from is only read.  Building and testing happen in the
 * sandbox, with the source read-only. */
#ifndef CODE_SOURCE_H
#define CODE_SOURCE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "code/patch.h"

typedef struct Source {
    const char *repo, *warm, *engines;
    char head[41]; /* tree of the branch `lab` */
    Arena *arena;
} Source;

/* `from`: the repository to clone where the lab has no source yet; NULL: the one in which
 * `program` was built.  Refused with what to do where there is none. */
bool source_open(Source *s, const char *lab, const char *from, const char *program, Arena *arena,
                 Err *err) MUST_CHECK;

/* The tree that the patch makes of `base` (a tree; "": the head). */
bool source_apply(Source *s, const char *base, Str diff, char tree[41], Err *err) MUST_CHECK;

typedef struct SourceBuilt {
    const char *program; /* NULL: it does not build, or fails a check */
    const char *says;    /* then: the compiler's or the check's own words, shortened */
    double seconds;
    bool known; /* it was built before */
} SourceBuilt;

/* The tree's engine; with `op`, only if all operations pass their tests.  False: the world. */
bool source_build(Source *s, const char *tree, bool op, SourceBuilt *out, Err *err) MUST_CHECK;

/* The engine of a tree that was built, or is built now. */
bool source_engine(Source *s, const char *tree, const char **program, Err *err) MUST_CHECK;

/* Branch `lab` goes on to the tree with this message; nothing where it is there already. */
bool source_keep(Source *s, const char *tree, const char *message, Err *err) MUST_CHECK;

/* A file of a tree ("": the head); the open files, one to a line, where `file` is NULL. */
bool source_read(Source *s, const char *tree, const char *file, Buf *out, Err *err) MUST_CHECK;

#endif
