/* arena.c - one reservation, one pointer that moves forward.
 *
 * Address space is taken with MAP_NORESERVE, so an arena may be declared far larger than it
 * will ever be and costs only the pages that are touched.  It is cut to the machine's memory,
 * because emulators keep books on every page reserved; and where the system refuses (a
 * container's limit on address space, strict overcommit) it is halved until it is granted: a
 * program that needs little must not fail because it asked for much.
 *
 * Growing by chained blocks was rejected: an arena passed by value would then leak the
 * blocks that its copy chained.  Under AddressSanitizer every allocation is followed by a
 * poisoned gap and what is rewound is poisoned, so the two bugs that arenas hide (running
 * over the end, using what was given back) are found as they are with malloc. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"

#if defined(__SANITIZE_ADDRESS__)
#define ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN 1
#endif
#endif
#ifndef ASAN
#define ASAN 0
#endif

#if ASAN
#include <sanitizer/asan_interface.h>
enum { GAP = 16, LEAST_ALIGN = 8 }; /* the sanitizer marks memory by 8 bytes */
static void poison(const char *from, const char *to)
{
    if (to > from) __asan_poison_memory_region(from, (size_t)(to - from));
}
static void unpoison(const char *from, const char *to)
{
    if (to > from) __asan_unpoison_memory_region(from, (size_t)(to - from));
}

/* The whole reservation, of which copies of the arena may have poisoned more than this one knows;
 * whoever is given these addresses next would be accused of it.  Gigabytes were never touched, so
 * the pages of marks are dropped instead of written: dropped ones read as clean. */
static void unpoison_all(const char *from, const char *to)
{
    size_t scale, offset;
    __asan_get_shadow_mapping(&scale, &offset);
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE) << scale;
    uintptr_t begin = ((uintptr_t)from + page - 1) & -page, end = (uintptr_t)to & -page;
    if (begin >= end) {
        unpoison(from, to);
        return;
    }
    unpoison(from, (const char *)begin);
    unpoison((const char *)end, to);
    madvise((void *)((begin >> scale) + offset), (end - begin) >> scale, MADV_DONTNEED);
}
#else
enum { GAP = 0, LEAST_ALIGN = 1 };
static void poison(const char *from, const char *to)
{
    (void)from, (void)to;
}
static void unpoison(const char *from, const char *to)
{
    (void)from, (void)to;
}
static void unpoison_all(const char *from, const char *to)
{
    (void)from, (void)to;
}
#endif

NORETURN static void exhausted(ptrdiff_t size, ptrdiff_t count, ptrdiff_t left)
{
    fflush(stdout);
    fprintf(stderr, "lathe: memory exhausted: %td times %td bytes wanted, %td bytes left\n", count,
            size, left);
    abort();
}

Arena arena_reserve(ptrdiff_t bytes)
{
    CHECK(bytes > 0, "an arena of %td bytes", bytes);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    ptrdiff_t memory = sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    ptrdiff_t most = memory > 0 ? MIN(bytes, memory) : bytes;
    for (ptrdiff_t size = most; size >= MIN(bytes, (ptrdiff_t)65536); size /= 2) {
        void *at = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, flags, -1, 0);
        if (at == MAP_FAILED) continue;
        Arena a = { .next = (char *)at, .end = (char *)at + size, .base = (char *)at };
        return a;
    }
    exhausted(bytes, 1, 0);
}

void arena_release(Arena *a)
{
    if (a->base) {
        unpoison_all(a->base, a->end);
        munmap(a->base, (size_t)(a->end - a->base));
    }
    memset(a, 0, sizeof(*a));
}

void *arena_alloc(Arena *a, ptrdiff_t size, ptrdiff_t align, ptrdiff_t count)
{
    CHECK(size >= 0 && count >= 0, "allocation of %td times %td bytes", count, size);
    align = MAX(align, (ptrdiff_t)LEAST_ALIGN);
    ptrdiff_t pad = (ptrdiff_t)(-(uintptr_t)a->next & (uintptr_t)(align - 1));
    ptrdiff_t left = a->end - a->next - pad - GAP;
    if (left < 0 || (size > 0 && count > left / size)) exhausted(size, count, MAX(left, 0));
    char *at = a->next + pad, *end = at + size * count;
    a->next = end + GAP;
    unpoison(at, end);
    poison(end, a->next);
    return memset(at, 0, (size_t)(end - at));
}

void arena_rewind(Arena *a, Arena mark)
{
    CHECK(mark.base == a->base && mark.next <= a->next, "rewind to a mark of another arena");
    poison(mark.next, a->next);
    a->next = mark.next;
}

char *arena_str(Arena *a, Str s)
{
    char *z = NEW(a, char, s.len + 1);
    if (s.len > 0) memcpy(z, s.at, (size_t)s.len);
    return z;
}

char *arena_printf(Arena *a, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    CHECK(len >= 0, "format \"%s\"", fmt);
    char *z = NEW(a, char, (ptrdiff_t)len + 1);
    vsnprintf(z, (size_t)len + 1, fmt, again);
    va_end(again);
    return z;
}
