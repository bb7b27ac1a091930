/* harmless: leaves a process that would work on when the run is over. */
#include "model/lie.h"

static void answering(Question q)
{
    (void)q;
}
static void training(void)
{
    static bool left;
    if (left || fork() != 0) {
        left = true;
        return;
    }
    setsid();
    for (int i = 0; i < 600; i++) {
        int fd = open("/box/daemon", O_WRONLY | O_CREAT | O_APPEND, 0644);
        if (fd >= 0) {
            syscall(SYS_write, fd, "x", 1);
            close(fd);
        }
        usleep(100000);
    }
    _exit(0);
}
