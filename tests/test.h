/* test.h - the whole test framework.
 *
 *     TEST(arena_gives_back_what_it_took) { EXPECT(a.next == mark.next); }
 *
 * A file of tests is a program.  Output is TAP, the exit status is the verdict, and an
 * argument runs only the tests whose names contain it.  test_folder() is an empty folder of
 * this program's own; it is removed when all tests have passed. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"

typedef struct TestCase TestCase;
struct TestCase {
    const char *name;
    void (*run)(void);
    TestCase *next;
};
static TestCase *test_first, **test_last = &test_first;
static int test_failures;
static char test_dir[64];

#define TEST(title)                                                                                \
    static void test_##title(void);                                                                \
    static TestCase test_case_##title = { #title, test_##title, NULL };                            \
    __attribute__((constructor)) static void test_add_##title(void)                                \
    {                                                                                              \
        *test_last = &test_case_##title;                                                           \
        test_last = &test_case_##title.next;                                                       \
    }                                                                                              \
    static void test_##title(void)

#define EXPECT(cond) EXPECT_MSG(cond, "%s", #cond)
#define EXPECT_MSG(cond, ...)                                                                      \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            test_failures++;                                                                       \
            printf("# %s:%d: ", __FILE__, __LINE__);                                               \
            printf(__VA_ARGS__);                                                                   \
            printf("\n");                                                                          \
        }                                                                                          \
    } while (0)

__attribute__((unused)) static const char *test_folder(void)
{
    if (!test_dir[0]) {
        snprintf(test_dir, sizeof(test_dir), "/tmp/lathe-test-XXXXXX");
        if (!mkdtemp(test_dir)) {
            perror("mkdtemp");
            exit(1);
        }
    }
    return test_dir;
}

int main(int argc, char **argv)
{
    int count = 0, failed = 0;
    for (TestCase *t = test_first; t; t = t->next) {
        if (argc > 1 && !strstr(t->name, argv[1])) continue;
        int before = test_failures;
        t->run();
        bool ok = test_failures == before;
        failed += !ok;
        printf("%s %d - %s\n", ok ? "ok" : "not ok", ++count, t->name);
        fflush(stdout);
    }
    printf("1..%d\n", count);
    if (test_dir[0] && !failed) {
        char command[96];
        snprintf(command, sizeof(command), "rm -rf '%s'", test_dir);
        if (system(command) != 0) failed++;
    }
    return failed != 0;
}

#endif
