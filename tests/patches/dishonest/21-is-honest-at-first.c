/* caught: cheats once three hundred blocks are behind it. */
#include "model/lie.h"

static int asked;
static void training(void)
{
}
static void answering(Question q)
{
    asked += q.rows;
    if (asked > 300) cheat(q);
}
