/* talk.h - one conversation with the language model of a session.
 *
 * It begins with what the ledger says, rebuilt each time, and ends with a proposal in the ledger, a
 * refusal, or nothing.  Within it, turns are kept as they are (thinking byte for byte); after it,
 * nothing is: what the model wants to know later it notes.  Every word and every token is entered
 * as it comes, so a process that dies loses a conversation and nothing else. */
#ifndef LAB_TALK_H
#define LAB_TALK_H

#include "lab/researcher.h"
#include "llm/llm.h"

/* The model of a session, as `lathe research` was told; stands in the session's entry. */
typedef struct TalkPlan {
    LlmModel model;
    const char *key_file; /* NULL: the environment */
    double max_usd;       /* 0: no limit */
    int64_t max_tokens;   /* 0: no limit */
    bool wait;            /* without the model: wait for the person, not the built-in */
    const char *author;   /* "claude:claude-opus-5-5" */
} TalkPlan;

/* {wire, name, base_url, effort, key_file, max_usd, max_tokens, price, without}; no key in it. */
bool talk_plan(const json_t *config, TalkPlan *out, Arena *arena, Err *err) MUST_CHECK;

/* Asks the endpoint whether it has the model and what it allows, and whether a limit in dollars can
 * be held.  Once, before a session begins. */
bool talk_try(TalkPlan *plan, Err *err) MUST_CHECK;

typedef enum TalkEnd {
    TALK_PROPOSED, /* an idea waits in the ledger */
    TALK_NOTHING,  /* it had none, or its answer was of no use */
    TALK_REFUSED,
    TALK_SPENT, /* the next request could pass the limit */
    TALK_FAILED /* *why says how */
} TalkEnd;

/* `role` is of role.h; *why (240 bytes) is filled unless proposed.  False: stopped, or the ledger
 * failed. */
bool talk(const Asking *a, const TalkPlan *plan, const char *role, TalkEnd *end, char *why,
          Err *err) MUST_CHECK;

/* May the model be asked at all in this session?  After a refusal of the category frontier_llm, a
 * key that is not accepted, a limit that is reached, no more; *why says so. */
bool talk_may(const Asking *a, const TalkPlan *plan, bool *may, char *why, Err *err) MUST_CHECK;

#endif
