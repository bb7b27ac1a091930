/* Arenas and errors: what they promise to every other file. */
#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "tests/test.h"

#include <sys/mman.h>

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

TEST(arena_memory_is_zero_even_where_it_was_used_before)
{
    Arena a = arena_reserve(1 << 20), mark = a;
    memset(NEW(&a, char, 5000), 0x55, 5000);
    arena_rewind(&a, mark);
    const char *again = NEW(&a, char, 5000);
    int dirty = 0;
    for (int i = 0; i < 5000; i++) dirty += again[i] != 0;
    EXPECT(dirty == 0);
    arena_release(&a);
    EXPECT(a.base == NULL && a.next == NULL);
}

TEST(arena_places_are_aligned_and_do_not_overlap)
{
    Arena a = arena_reserve(1 << 20);
    char *last_end = a.next;
    for (int i = 0; i < 100; i++) {
        ptrdiff_t align = (ptrdiff_t)1 << (i % 8), size = 1 + i % 13;
        char *at = arena_alloc(&a, size, align, 3);
        EXPECT((uintptr_t)at % (uintptr_t)align == 0);
        EXPECT(at >= last_end);
        last_end = at + size * 3;
    }
    arena_release(&a);
}

static void use_scratch(Arena scratch)
{
    memset(NEW(&scratch, char, 1000), 1, 1000);
}

/* Under the sanitizer what was rewound is marked; the mark must not outlive the reservation. */
TEST(released_addresses_are_clean_for_whoever_gets_them_next)
{
    enum { BYTES = 64 << 20 };
    Arena a = arena_reserve(BYTES), mark = a;
    (void)NEW(&a, char, BYTES / 2);
    arena_rewind(&a, mark);
    char *base = a.base;
    ptrdiff_t bytes = a.end - a.base;
    arena_release(&a);
    char *at = mmap(base, (size_t)bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    EXPECT(at == base);
    if (at == base) memset(at, 1, BYTES / 2);
    munmap(at, (size_t)bytes);
}

TEST(an_arena_passed_by_value_gets_its_memory_back)
{
    Arena a = arena_reserve(1 << 20);
    char *before = a.next;
    use_scratch(a);
    EXPECT(a.next == before);
    arena_release(&a);
}

TEST(a_huge_reservation_costs_nothing_and_is_granted_in_part_if_it_must_be)
{
    Arena a = arena_reserve((ptrdiff_t)1 << 46); /* 64 TiB */
    EXPECT(a.end - a.base >= 1 << 20);
    EXPECT(NEW(&a, int, 10)[9] == 0);
    arena_release(&a);
}

/* Runs `bad` in a child with its stderr closed; says how the child ended. */
static int signal_of(void (*bad)(void))
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stderr)) _exit(9);
        bad();
        _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void take_too_much(void)
{
    Arena a = arena_reserve(1 << 20);
    volatile char *p = arena_alloc(&a, 8, 8, (ptrdiff_t)1 << 61); /* overflows if multiplied */
    p[0] = 1;
}

static void check_nonsense(void)
{
    CHECK(1 + 1 == 3, "arithmetic");
}

TEST(running_out_and_bugs_end_the_process)
{
    EXPECT(signal_of(take_too_much) == SIGABRT);
    EXPECT(signal_of(check_nonsense) == SIGABRT);
}

TEST(an_error_collects_context_in_front)
{
    Err err = { 0 };
    EXPECT(!err_set(&err, ERR_FORMAT, "byte %d is wrong", 7));
    EXPECT(!err_wrap(&err, "shard %s", "a.bin"));
    EXPECT(err.code == ERR_FORMAT);
    EXPECT_MSG(strcmp(err.msg, "shard a.bin: byte 7 is wrong") == 0, "%s", err.msg);
    EXPECT(!err_set(&err, ERR_BUSY, "quoting: %s", err.msg));
    EXPECT_MSG(strcmp(err.msg, "quoting: shard a.bin: byte 7 is wrong") == 0, "%s", err.msg);
}

TEST(an_error_of_the_system_says_what_to_do)
{
    Err err = { 0 };
    errno = ENOSPC;
    EXPECT(!err_errno(&err, "cannot write %s", "x"));
    EXPECT(err.code == ERR_IO);
    EXPECT_MSG(strstr(err.msg, "cannot write x: ") && strstr(err.msg, "free some space"), "%s",
               err.msg);
    errno = EROFS;
    EXPECT(!err_errno(&err, "cannot write x") && strstr(err.msg, "read-only"));
}

TEST(a_long_error_is_cut_at_a_whole_character)
{
    Err err = { 0 };
    for (int pad = 0; pad < 4; pad++) {
        Buf b = { 0 };
        buf_put(&b, "xxxx", pad);
        for (int i = 0; i < 400; i++) buf_put(&b, "\xE2\x82\xAC", 3);
        EXPECT(!err_set(&err, ERR_IO, "%s", b.at));
        const char *end = err.msg + strlen(err.msg), *s = err.msg;
        EXPECT(end - s > 400);
        for (int n; s < end && (n = utf8_len(s, end)) > 0;) s += n;
        EXPECT(s == end);
        buf_free(&b);
    }
}
