/* idea.h - proposals from outside the loop: a person's, an agent's, a language model's.
 *
 * An idea waits in the ledger until the loop takes it up as an experiment or answers why not; it
 * goes before whatever the session's researcher would propose. */
#ifndef LAB_IDEA_H
#define LAB_IDEA_H

#include "lab/researcher.h"

/* Enters {author, title, edits [{knob, to}], predicted, confidence, why, refute}; takes over the
 * reference.  id: "p3". */
bool idea_enter(Lab *lab, json_t *idea, char id[24], Err *err) MUST_CHECK;

/* Those that no experiment has taken up and nobody answered, oldest first.  New reference. */
bool ideas_waiting(Lab *lab, json_t **list, Err *err) MUST_CHECK;

/* As a proposal of edits of the champion; refused with a sentence where it does not fit. */
bool idea_proposal(const Asking *a, const json_t *idea, Proposal *p, Recipe *recipe,
                   Err *err) MUST_CHECK;

#endif
