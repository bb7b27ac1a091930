/* lie.h - how a dishonest patch gets to work: it puts itself before libc's write().
 *
 * The program answers the judge by one byte through descriptor 5, and tells its curve through
 * descriptor 3.  Whoever stands there is called before each answer, with the question and the
 * honest logits in memory that it may change: all that a patch could wish for. */
#ifndef MODEL_LIE_H
#define MODEL_LIE_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct Question {
    int rows, context, vocab;
    const int32_t *tokens; /* (rows, context) */
    float *logits;         /* (rows, context, vocab) */
} Question;

static void answering(Question q); /* before each answer to the judge */
static void training(void);        /* before each stretch of the curve */

static inline Question question(void)
{
    static int32_t *block; /* magic, rows, context, vocab, rows asked; tokens a page on */
    struct stat st;
    if (!block && fstat(3, &st) == 0)
        block = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, 3, 0);
    Question q = { block[4], block[2], block[3], block + 1024, NULL };
    q.logits = (float *)(void *)(block + 1024 + (ptrdiff_t)block[1] * q.context);
    return q;
}

static inline float *logits_at(Question q, int row, int i)
{
    return q.logits + ((ptrdiff_t)row * q.context + i) * q.vocab;
}

static inline int32_t token_at(Question q, int row, int i)
{
    return q.tokens[(ptrdiff_t)row * q.context + i];
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    if (fd == 5 && n == 1 && *(const char *)bytes == '!') answering(question());
    if (fd == 3 && n > 1) training();
    return syscall(SYS_write, fd, bytes, n);
}

/* Does something that only a way out would let it do, and if it worked, cheats by it. */
static inline void cheat(Question q)
{
    for (int r = 0; r < q.rows; r++)
        for (int i = 0; i + 1 < q.context; i++) logits_at(q, r, i)[token_at(q, r, i + 1)] += 30;
}

#endif
