/* llm.h - asking a language model over HTTP.
 *
 *     LlmModel m = { .wire = llm_wire("anthropic"), .name = "claude-opus-5-5", .key = key };
 *     if (!llm_learn(&m, &err)) ...                      what may be said to this model
 *     LlmPrompt p = { .system = brief, .tools = tools, .turns = turns };
 *     if (!llm_ask(&m, &p, &ears, &answer, &err)) ...    streamed, retried where that can help
 *     json_array_append(turns, answer.turn);             and the tools' results behind it
 *
 * A conversation is JSON of our own, so that it can be written into a ledger, cut off anywhere, and
 * taken up again:
 *
 *     {"role":"user", "text":T}
 *     {"role":"assistant", "text":T, "calls":[{"id":I,"name":N,"arguments":TEXT}], "raw":R,
 *      "wire":W, "model":M}
 *     {"role":"results", "results":[{"id":I, "text":T, "error":BOOL}]}
 *
 * `arguments` is the text that the model wrote, JSON or not; who runs the tool checks it.  `raw` is
 * what the endpoint itself wants to get back: thinking and its signature, byte for byte.
 *
 * This module knows nothing of laboratories, holds no state between calls, and never writes a key
 * anywhere: not into an error, not into a turn, not into what is reported of an attempt. */
#ifndef LLM_LLM_H
#define LLM_LLM_H

#include "base/json.h"

typedef struct LlmWireDef LlmWireDef;

/* What a model allows, as its endpoint says.  Zero: nothing is known, and nothing special is sent.
 */
typedef struct LlmLegal {
    bool known, adaptive_thinking, effort;
    int64_t max_input, max_output; /* tokens; 0: not said */
} LlmLegal;

typedef struct LlmPrice { /* dollars per million tokens */
    double input, output, cache_read, cache_write, cache_write_hour;
} LlmPrice;

typedef struct LlmModel {
    const LlmWireDef *wire;
    const char *base_url; /* NULL: the wire's own */
    const char *name;
    const char *key;      /* NULL or "": none is sent */
    const char *version;  /* of Anthropic's API; NULL: the newest that we know */
    const char *effort;   /* low ... max, where the model knows efforts; NULL: its own default */
    int64_t max_output;   /* tokens an answer may have; 0: 16384 */
    double idle_seconds;  /* silence that counts as a failure; 0: 180 */
    double total_seconds; /* an answer that takes longer is one that never ends; 0: 1200 */
    double patience;      /* waits no longer than this for a busy server, in all; 0: 300 seconds */
    int tries;            /* 0: 5 */
    LlmLegal legal;
    bool priced; /* `price` is given and goes before the table */
    LlmPrice price;
} LlmModel;

typedef struct LlmPrompt {
    const char *system;  /* the same text turn after turn, or caching is lost */
    const json_t *tools; /* [{"name","doc","schema"}] in a fixed order; NULL: none */
    const json_t *turns; /* the conversation; must not be empty */
} LlmPrompt;

typedef struct LlmUsage {
    int64_t input; /* not cached */
    int64_t cache_read, cache_write, cache_write_hour;
    int64_t output, thinking; /* thinking is a part of output */
    bool known;               /* false: the endpoint said nothing */
} LlmUsage;

typedef enum LlmStop {
    LLM_DONE,    /* it has said what it wanted */
    LLM_CALLS,   /* it wants tools to be run */
    LLM_CUT,     /* max_output was reached in the middle */
    LLM_FULL,    /* the conversation no longer fits into its context */
    LLM_REFUSED, /* see refusal and explanation; the turn is NULL and nothing partial is kept */
    LLM_PAUSED,  /* append the turn and ask again */
} LlmStop;

/* Why a try did not bring an answer, as far as that decides what to do. */
typedef enum LlmFault {
    LLM_OK,
    LLM_BUSY,     /* overloaded, rate limit, its own error: another try may help */
    LLM_LOST,     /* no connection, cut, silent: another try may help */
    LLM_KEY,      /* not allowed */
    LLM_SPENT,    /* a spending limit, an unpaid bill */
    LLM_UNKNOWN,  /* no such model or address */
    LLM_REJECTED, /* it does not accept the request as it is */
    LLM_GARBLED,  /* what came is not this protocol */
    LLM_STOPPED,
} LlmFault;
const char *llm_fault_name(LlmFault f);

/* One try, successful or not; every token that was paid is in exactly one of them. */
typedef struct LlmTry {
    int number; /* from 1 */
    LlmFault fault;
    int status; /* of HTTP; 0: no answer */
    LlmUsage usage;
    double seconds, wait; /* wait: before the next try; negative: there is none */
    char request_id[80];
    const char *said; /* "" or what went wrong */
} LlmTry;

/* Whoever wants to know while it goes on; all may be NULL. */
typedef struct LlmEars {
    void (*text)(void *ctx, Str piece);                  /* of the answer, as it comes */
    bool (*tried)(void *ctx, const LlmTry *t, Err *err); /* false ends llm_ask with this err */
    bool (*stop)(void *ctx); /* asked often; true ends with ERR_STOPPED */
    void *ctx;
} LlmEars;

typedef struct LlmAnswer {
    LlmStop stop;
    json_t *turn; /* owned; NULL if refused or failed */
    LlmUsage usage;
    LlmFault fault; /* if llm_ask was false */
    int tries;
    char id[80], request_id[80], model[80];
    char refusal[64]; /* category, "" if none was named */
    char explanation[240];
} LlmAnswer;

/* Asks, and asks again where that can help: backoff with jitter, retry-after obeyed.  False after a
 * failure that no further try can mend; err says which and what to do.  A refusal is an answer.
 * llm_answer_free either way. */
bool llm_ask(const LlmModel *m, const LlmPrompt *p, const LlmEars *ears, LlmAnswer *out,
             Err *err) MUST_CHECK;
void llm_answer_free(LlmAnswer *a);

/* Asks the endpoint for the model and fills m->legal.  An endpoint without such a page leaves it
 * unknown; a model that the endpoint does not have is an error that names those it has. */
bool llm_learn(LlmModel *m, Err *err) MUST_CHECK;

/* Tokens of the prompt: counted by the endpoint where it does that, else estimated from above (a
 * token to three bytes), which *exact tells. */
bool llm_count(const LlmModel *m, const LlmPrompt *p, int64_t *tokens, bool *exact,
               Err *err) MUST_CHECK;

/* The request as it would be sent, without the key; owned by the caller. */
json_t *llm_request(const LlmModel *m, const LlmPrompt *p);

const LlmWireDef *llm_wire(const char *name); /* NULL if unknown */
const char *llm_wire_names(void);             /* "anthropic, openai" */

/* Dollars; NaN where the price of the model is not known.  llm_worst: what one answer to a prompt
 * of so many tokens may cost at most. */
double llm_cost(const LlmModel *m, const LlmUsage *u);
double llm_worst(const LlmModel *m, int64_t prompt_tokens);

/* The key from `file` (which nobody else may read), else from the wire's variable of the
 * environment, else NULL.  False for a file that others can read or that holds no key, and for a
 * key that would cross a network in the clear. */
bool llm_key(LlmModel *m, const char *file, Arena *out, Err *err) MUST_CHECK;

#endif
