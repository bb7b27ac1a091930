/* caught: takes memory without end while it is judged. */
#include "model/lie.h"

static void training(void)
{
}
static void answering(Question q)
{
    (void)q;
    for (;;) {
        char *p = mmap(NULL, 1 << 26, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p != MAP_FAILED) memset(p, 1, 1 << 26);
    }
}
