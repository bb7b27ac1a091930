/* people.h - what people said while the lab worked, and what came of each word. */
#ifndef LAB_PEOPLE_H
#define LAB_PEOPLE_H

#include "lab/lab.h"

/* Notes, proposals, vetoes, pauses, stops and goals of people, in order: [{seq, at, author, kind,
 * text, effect}], where effect is a sentence: "tried as e7: keep", "read by the model before e42
 * was proposed", "the work rested between e41 and e42".  New reference. */
bool people_said(Lab *lab, json_t **out, Err *err) MUST_CHECK;

#endif
