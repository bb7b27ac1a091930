/* cmd_tokenizer.h - what the commands about tokenizers share. */
#ifndef CLI_CMD_TOKENIZER_H
#define CLI_CMD_TOKENIZER_H

#include "cli/cmd.h"
#include "data/tokenizer.h"

/* The one that --tokenizer names, or that of the lab's next run. */
const Tokenizer *cmd_tokenizer_find(Cmd *c, Err *err);
extern const char cmd_tokenizer_path_doc[]; /* of the option */

#endif
