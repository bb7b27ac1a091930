/* researcher.h - whoever proposes.
 *
 * A researcher sees the question's history and answers with one proposal: edits
 * of the champion's recipe, the effect it predicts, and why.  It knows nothing
 * of how proposals are judged, and the rule does not know who proposed.
 *
 * Adding one is one file, researcher_NAME.c, and one line in
 * researcher_list.h.  "name:rest" on the command line opens NAME with "rest".
 * A researcher must be a function of what it sees: asked twice with the same
 * history it proposes the same, or a session could not be killed and go on. */
#ifndef LAB_RESEARCHER_H
#define LAB_RESEARCHER_H

#include "lab/history.h"

enum { EDITS_MAX = 8, EDIT_TEXT = 512 };

typedef struct Edit {
    const char *knob;
    char to[EDIT_TEXT]; /* as edit_value writes it */
} Edit;

typedef struct Proposal {
    const char *title, *why, *refute; /* what, why, what would speak against it */
    Edit edit[EDITS_MAX];
    int edits;
    double predicted;   /* gain in bpb, positive is better */
    double confidence;  /* that there is a gain at all, 0..1 */
    double worth;       /* expected findable gain in sigma; 0 or less: nothing worth trying */
    bool fresh_seeds;   /* run on seeds the bank has not used */
    bool planted;       /* a gain known beforehand, to test the judge: it may edit the budget */
    const char *author; /* who had the idea, if not the researcher that was asked; NULL: that */
    double wait;        /* nothing yet: seconds after which to ask again, or when an idea comes */
} Proposal;

typedef struct Asking {
    const History *history;
    const Recipe *champion, *baseline;
    double bpb;       /* mean of the champion's bank */
    double s;         /* noise in use, bpb */
    int asked;        /* proposals made in this question so far */
    int left;         /* proposals left in this session */
    const char *spec; /* what stood behind "name:" */
    const char *session;
    bool (*stop)(
        void *self); /* polled by who takes long: true ends with ERR_STOPPED; may be NULL */
    void *self;
    Arena *arena;
} Asking;

typedef struct ResearcherDef {
    const char *name, *doc;
    const char *model; /* the wire of the language model that it asks (llm.h), "" for any; NULL:
                          it asks none */
    const char *says;  /* what the session shows while it is asked; NULL: that it is thinking */
    /* False: err says what went wrong.  *none: it has nothing left to propose. */
    bool (*propose)(const Asking *a, Proposal *out, bool *none, Err *err);
} ResearcherDef;

const ResearcherDef *researcher_find(const char *spec, const char **rest); /* NULL if unknown */
const ResearcherDef *const *researcher_all(int *count);

/* The champion with the proposal's edits; false if the recipe does not hold together or would
 * spend other than the champion, unless that is planted. */
bool proposal_recipe(const Asking *a, const Proposal *p, Recipe *out, Err *err) MUST_CHECK;

/* Was this very recipe proposed (or the champion) before? */
bool proposal_known(const Asking *a, const Recipe *recipe);

/* Adds the edit that puts a number, flag or choice (by its index) at `value`, brought into the
 * knob's range and, of a number, to three digits.  False, and no edit, if the champion has it. */
bool proposal_add(Proposal *p, const Recipe *champion, const char *knob, double value);

/* Of a gain g ~ N(mean, sd) in sigmas, E[max(g - 1/2, 0)]: less than half a sigma no verdict tells
 * from nothing. */
double proposal_findable(double mean, double sd);

/* A knob's value in the words of an edit, which knobs_set reads: those of the recipe file, but
 * choices and texts without quotes. */
void edit_value(const KnobSet *knobs, int index, char out[EDIT_TEXT]);

#endif
