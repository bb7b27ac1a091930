/* wire.h - a protocol of language models: what goes out, and what comes back event by event.
 *
 * Adding one is one file, wire_NAME.c, and one line in wire_list.h. */
#ifndef LLM_WIRE_H
#define LLM_WIRE_H

#include "llm/llm.h"

/* The answer that is being heard. */
typedef struct Hearing {
    const LlmModel *model;
    const LlmEars *ears;
    LlmAnswer *answer;
    json_t *raw;   /* what the endpoint will want back */
    json_t *calls; /* [{id, name, arguments}] */
    Buf text;
    json_t *part;    /* the block that is growing; borrowed */
    Buf piece, seal; /* its text or arguments so far, its signature */
    bool stopped;    /* it has said why it stops */
    bool ended;      /* the last event has come */
    LlmFault fault;  /* an error in the middle of the stream */
    char said[240];
} Hearing;

/* Appends to text and tells the ears. */
void hearing_text(Hearing *h, const char *words);

struct LlmWireDef {
    const char *name, *doc;
    const char *base_url, *key_variable;
    const char *ask_path, *models_path;
    const char *count_path; /* NULL: it does not count */
    /* Headers beside content-type, a line each, the key's among them. */
    void (*headers)(const LlmModel *m, Buf *lines);
    json_t *(*request)(const LlmModel *m, const LlmPrompt *p);
    /* One event of the stream; and a whole answer, from an endpoint that does not stream.  False:
     * this is not the protocol (h->said). */
    bool (*event)(Hearing *h, const json_t *data);
    bool (*whole)(Hearing *h, const json_t *body);
    /* The body of an answer that is no 200; `body` may be NULL. */
    LlmFault (*fault)(int status, const json_t *body, char said[240]);
    void (*learn)(LlmModel *m, const json_t *page);
    const char *last; /* a data line that is not JSON and ends the stream; NULL: none */
};

/* Copies text and puts something harmless where control characters are. */
void wire_words(char *out, size_t size, const char *words);

#endif
