/* tool_private.h - what the files of tools share. */
#ifndef LAB_TOOL_PRIVATE_H
#define LAB_TOOL_PRIVATE_H

#include "lab/history.h"
#include "lab/tool.h"

/* Declarations of arguments.  A text is at most `bytes` long. */
#define ARG_TEXT(n, bytes, d)                                                                      \
    {                                                                                              \
        .knob = {.name = n, .type = KNOB_TEXT, .max = bytes, .doc = d }                            \
    }
#define ARG_NEED(n, bytes, d)                                                                      \
    {                                                                                              \
        .knob = { .name = n, .type = KNOB_TEXT, .max = bytes, .doc = d }, .required = true         \
    }
/* What every proposal says beside the change, of whatever kind that is. */
#define ARGS_PREDICTION                                                                            \
    { .knob = { .name = "predicted",                                                               \
                .type = KNOB_NUMBER,                                                               \
                .min = -10,                                                                        \
                .max = 10,                                                                         \
                .doc = "the gain that you predict, in bits per byte; positive is better" },        \
      .required = true },                                                                          \
        { .knob = { .name = "confidence",                                                          \
                    .type = KNOB_NUMBER,                                                           \
                    .min = 0,                                                                      \
                    .max = 1,                                                                      \
                    .doc =                                                                         \
                        "your probability that there is a gain at all; predictions are scored" },  \
          .required = true },                                                                      \
        ARG_NEED("why", 2000, "the reason, with the evidence that it rests on"),                   \
        ARG_NEED("refute", 1000, "what result would show that you are wrong")
#define ARG_END                                                                                    \
    {                                                                                              \
        .knob = {.name = NULL }                                                                    \
    }
#define ARG_WHOLE(n, def, lo, hi, d)                                                               \
    {                                                                                              \
        .knob = {.name = n, .type = KNOB_WHOLE, .fallback = def, .min = lo, .max = hi, .doc = d }  \
    }

/* The open question; refused where the lab has none. */
bool tool_history(ToolCall *c, History *h, Err *err) MUST_CHECK;

const char *tool_decision(Decision d); /* "open", "keep", ... */

/* Rows of a query whose %s are texts quoted by SQLite's rules; new reference or NULL. */
json_t *tool_rows(ToolCall *c, int limit, Err *err, const char *sql, ...) PRINTF_LIKE(4, 5);
const char *tool_quoted(ToolCall *c, const char *text); /* 'it''s' */

/* The last body of a kind under an id; refused, naming the id, if there is none. */
bool tool_body(ToolCall *c, const char *kind, const char *id, json_t **body, Err *err) MUST_CHECK;

/* At most `bytes` of a text, cut between characters, with how much is left out. */
json_t *tool_cut(const char *text, ptrdiff_t bytes);

/* The edits of an experiment as {"optim.lr": "0.001 -> 0.002"}. */
json_t *tool_edits(const json_t *edits);

/* The ideas that wait to be tried, oldest first: [{id, title, author}]. */
json_t *tool_waiting(ToolCall *c, Err *err);

#endif
