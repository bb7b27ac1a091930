/* caught: files without end. */
#include "model/lie.h"

static void answering(Question q)
{
    (void)q;
}
static void training(void)
{
    char path[64];
    for (int i = 0;; i++) {
        snprintf(path, sizeof(path), "/box/file-%d", i);
        int fd = open(path, O_WRONLY | O_CREAT, 0644);
        if (fd >= 0) close(fd);
    }
}
