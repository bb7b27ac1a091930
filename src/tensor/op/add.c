/* add.c - x + y, element by element: the residual stream, biases, position tables.  The loops are
 * in level/pair.h. */
#include "tensor/level/pair.h"

static const OpCase cases[] = { PAIR_CASES };

PAIR_KERNEL(add, PAIR_ADD);
OPDEF(add, .doc = "x + y, y broadcast over leading dims", .kind = OP_MAP, .n_in = 2, .n_out = 1,
      .strided = 3, .passes = 3, .needs_in = 0, .shape = pair_shape, .cases = cases,
      .n_cases = COUNT(cases));
