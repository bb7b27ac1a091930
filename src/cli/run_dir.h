/* run_dir.h - the RUN of a command line: an id, a folder with checkpoints, or nothing. */
#ifndef CLI_RUN_DIR_H
#define CLI_RUN_DIR_H

#include "cli/cmd.h"

/* `name` is r12, "champion" (the newest trained in full), or a folder; NULL: the newest finished
 * run that was trained in full or by hand, else the newest finished one.  *run gets what to call
 * it, *dir where its checkpoints are; both live in the command's arena. */
bool run_dir(Cmd *c, const char *name, const char **run, const char **dir, Err *err) MUST_CHECK;

#endif
