/* cmd_list.h - every command, one line each, in the order that `lathe` shows them: CMD(data_add)
 * is `const CmdDef cmd_data_add` in cmd_data_add.c.  GROUP names what follows.
 * No include guard: this file is included several times. */
GROUP("a model")
CMD(train)
CMD(sample)
CMD(chat)
GROUP("this machine and this program")
CMD(bench)
CMD(knobs)
CMD(help)
CMD(version)
CMD(completion)
CMD(man)
