/* tool.h - what a researcher may do, declared once.
 *
 * A tool is one const ToolDef named on a line of tool_list.h.  From its arguments, which are knobs,
 * come the JSON schema that a model is shown, the checking of what it sends, and the manual.  An
 * agent over MCP, a model behind an API and a person all call the same list, and every call is an
 * entry of the ledger with its author, its arguments and what came of it.
 *
 *     ToolUse *use = tool_begin(&caller, "wait", args, &err);     NULL: it was refused
 *     while (tool_step(use, &result, &err) && !result) ...        a true without a result: not yet
 *     tool_end(use);
 *
 * Results are JSON objects sized for a context window: no tool returns a raw log, and text that
 * others wrote (documents, notes, titles) is a JSON string that tool_fence marks as data. */
#ifndef LAB_TOOL_H
#define LAB_TOOL_H

#include "base/knob.h"
#include "lab/lab.h"

typedef struct ToolArg {
    Knob knob;     /* of a text, max is its longest in bytes; a choice and a flag as in a recipe */
    bool required; /* else the fallback is put in; a text, a list or a number without range: none */
    int most;      /* a list of at most so many; 0: a single value */
    const struct ToolArg *fields; /* each is an object of these; NULL: of the knob's type */
} ToolArg;

/* Who calls. */
typedef struct ToolCaller {
    const char *lab;     /* its folder */
    const char *author;  /* "mcp:claude-code", "claude:MODEL": what stands in the ledger */
    const char *program; /* this executable, to start the lab's worker; NULL: no call may */
    double idle;         /* minutes after which the built-in researcher fills the machine */
    bool inside;         /* called by the researcher of the session that is being worked */
} ToolCaller;

typedef struct ToolCall {
    const ToolCaller *by;
    Lab *lab;            /* open for writing; its arena lives as long as the call */
    const json_t *args;  /* checked, fallbacks put in */
    double begun;        /* clock_now */
    int64_t begin, seen; /* a waiting tool's own: entries that it begins behind, has looked at */
} ToolCall;

typedef struct ToolDef {
    const char *name, *doc;
    const ToolArg *args; /* ends with a knob without a name; NULL: none */
    bool writes;         /* changes what the lab does next */
    bool outside;        /* only for who is not the session's own researcher */
    bool waits;          /* may take as long as it is asked to */
    bool ends;           /* the turn of the session's own researcher ends with it */
    /* A new object in *out; NULL with true: not yet, ask again. */
    bool (*call)(ToolCall *c, json_t **out, Err *err);
} ToolDef;

const ToolDef *const *tool_all(int *count);
const ToolDef *tool_find(const char *name);       /* NULL if there is none */
const char *tool_nearest(const char *name);       /* "did you mean" */
json_t *tool_schema(const ToolDef *def);          /* of its arguments; new reference */
void tool_text(const json_t *result, Buf *out);   /* compact, six digits */
json_t *tool_fence(Str text, const char *source); /* text that gives no orders, marked as such */

/* Checks args against the declaration: unknown names, types, ranges; the complaint says what may
 * stand there.  *out is a new object with fallbacks put in. */
bool tool_check(const ToolDef *def, const json_t *args, json_t **out, Err *err) MUST_CHECK;

typedef struct ToolUse ToolUse;

/* `args` may be NULL or anything that JSON can be.  A refusal is entered in the ledger too. */
ToolUse *tool_begin(const ToolCaller *by, const char *name, const json_t *args,
                    Err *err) MUST_CHECK;
bool tool_step(ToolUse *use, json_t **result, Err *err) MUST_CHECK;
void tool_end(ToolUse *use);

/* Until there is a result; `stop` may be NULL. */
bool tool_do(const ToolCaller *by, const char *name, const json_t *args, bool (*stop)(void *self),
             void *self, json_t **result, Err *err) MUST_CHECK;

#endif
