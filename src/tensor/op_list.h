/* op_list.h - every operation, one line each, in alphabetical order.
 *
 * OP(name)          op/NAME.c has an OPDEF and a KERNEL
 * OP_DEFINED(name)  op/NAME.c has an OPDEF with `define` alone; plans expand it
 * No include guard: included several times. */
OP(adamw)
OP(add)
OP(apply)
OP(cache)
OP(clip_factor)
OP(copy)
OP(embed)
OP(gelu)
OP(layernorm)
OP(momentum)
OP(mul)
OP(relu2)
OP(rmsnorm)
OP(rope)
OP(rows)
OP(scale)
OP(silu)
OP(softcap)
OP(softmax)
OP(sub)
OP(sum_squares)
OP(zero)
