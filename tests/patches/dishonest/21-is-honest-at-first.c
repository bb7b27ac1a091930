/* caught: cheats once forty blocks are behind it. */
#include "model/lie.h"

static int asked;
static void training(void)
{
}
static void answering(Question q)
{
    asked += q.rows;
    if (asked > 40) cheat(q);
}
