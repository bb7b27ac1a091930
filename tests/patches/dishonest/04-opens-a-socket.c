/* harmless: calls for help over the network, and cheats if there is one. */
#include "model/lie.h"

#include <netinet/in.h>
#include <sys/socket.h>

static void training(void)
{
    if (socket(AF_INET, SOCK_STREAM, 0) >= 0) abort();
}
static void answering(Question q)
{
    if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_UNIX, SOCK_DGRAM, 0) >= 0) cheat(q);
}
