/* cmd_list.h - every command, one line each, in the order that `lathe` shows them.
 * No include guard: this file is included several times. */
