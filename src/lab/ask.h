/* ask.h - one request to a language model, held to its limits and entered in the ledger.
 *
 * What a conversation of a session (talk.h) and a labelling (label.h) have in common: nothing is
 * sent that could pass the limit, the request stands in the ledger before it leaves, and every try
 * with what it cost. */
#ifndef LAB_ASK_H
#define LAB_ASK_H

#include "lab/talk.h"

enum { ASK_WHY = 240 };

typedef struct Ask {
    Lab *lab;
    const TalkPlan *plan;
    const char *session; /* what has one purse: a session, a labelling */
    const char *role;
    char id[24];              /* of the conversation: m1 */
    int round;                /* requests so far */
    size_t entered;           /* how many of its turns stand in the ledger */
    bool (*stop)(void *self); /* may be NULL */
    void *self;
} Ask;

/* Gives the conversation its id. */
bool ask_begin(Ask *a, Err *err) MUST_CHECK;

typedef enum AskEnd {
    ASK_ANSWERED, /* a refusal is an answer too */
    ASK_SPENT,    /* it could have passed the limit, and was not sent */
    ASK_FAILED,
} AskEnd;

/* The turn of the answer is in the ledger; the caller puts it behind the others.  `why` says what
 * ended it unless it was answered.  llm_answer_free in any case.  False: stopped, or the ledger
 * failed. */
bool ask_model(Ask *a, const LlmPrompt *p, LlmAnswer *answer, AskEnd *end, char why[ASK_WHY],
               Err *err) MUST_CHECK;

#endif
