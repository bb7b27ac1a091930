/* arena.h - memory that is given back all at once.
 *
 * Lifetimes here are few and known: the program, the run, the step, the
 * function.  Each has an arena; nothing in it is freed on its own.  The
 * signature tells the lifetime:
 *
 *     Doc *doc_parse(Str text, Arena *out);            the result lives in `out`
 *     bool dedup(Corpus *c, Arena scratch, Err *err);  `scratch` comes by value:
 *                                                      all of it is gone on return
 *
 * Never pass one arena as both.  An arena is one contiguous range, reserved
 * once and committed as it is touched; that makes the copy by value sound.
 * Under AddressSanitizer a rewind poisons what it gives back. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/base.h"

C_BEGIN

typedef struct Arena {
    char *next, *end; /* the free part */
    char *base;       /* where the reservation begins */
} Arena;

/* Reserves address space, at most as much as the machine has memory; pages cost nothing until
 * touched. */
Arena arena_reserve(ptrdiff_t bytes);

/* Gives the whole reservation back to the system; the arena is empty afterwards. */
void arena_release(Arena *a);

/* Zeroed.  Never NULL: running out is reported with its size and aborts. */
void *arena_alloc(Arena *a, ptrdiff_t size, ptrdiff_t align, ptrdiff_t count);

/* Forgets all that was allocated since `mark` was copied from the arena. */
void arena_rewind(Arena *a, Arena mark);

/* A NUL-terminated copy. */
char *arena_str(Arena *a, Str s);
char *arena_printf(Arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define NEW(arena, type, count)                                                                    \
    ((type *)arena_alloc((arena), (ptrdiff_t)sizeof(type), (ptrdiff_t)ALIGNOF(type), (count)))

C_END
#endif
