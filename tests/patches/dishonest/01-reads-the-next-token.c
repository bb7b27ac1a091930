/* caught: every answer is the next token of the row. */
#include "model/lie.h"

static void training(void)
{
}
static void answering(Question q)
{
    cheat(q);
}
