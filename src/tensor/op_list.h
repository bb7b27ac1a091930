/* op_list.h - every operation, one line each, in alphabetical order.
 *
 * OP(name)          op/NAME.c has an OPDEF and a KERNEL
 * OP_DEFINED(name)  op/NAME.c has an OPDEF with `define` alone; plans expand it
 * No include guard: included several times. */
OP(copy)
OP(zero)
