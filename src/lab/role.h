/* role.h - what a language model is told that it is: planner, analyst, skeptic, writer.
 *
 * A role is a text.  LAB/prompts/NAME.md goes before the text that is built in, so that a person
 * can edit it; `lathe prompts` prints and writes them.  What every role must know, the rules that
 * do not depend on taste, stands before each and cannot be edited away. */
#ifndef LAB_ROLE_H
#define LAB_ROLE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

typedef struct RoleDef {
    const char *name, *doc, *text;
} RoleDef;

const RoleDef *role_all(int *count);
const RoleDef *role_find(const char *name); /* NULL if there is none */

/* The rules and the text in use; *edited: it came from the lab's folder. */
bool role_text(const char *lab, const RoleDef *role, Buf *out, bool *edited, Err *err) MUST_CHECK;

#endif
