/* entry_text.h - a ledger entry as one line for people; used by log and show. */
#ifndef LAB_ENTRY_TEXT_H
#define LAB_ENTRY_TEXT_H

#include "base/json.h"

/* Appends what happened, without kind, id and date: "keep, gain 0.0123 (0.0051 to 0.0190)". */
void entry_text(const char *kind, const json_t *body, Buf *out);

/* Line breaks and other control characters become spaces: notes and titles are written by others,
 * and a terminal obeys what it is shown. */
void entry_text_plain(Buf *text);

/* "keep" with its numbers, from the body of a verdict. */
void entry_text_verdict(const json_t *body, Buf *out);

/* A curve for the eye: "loss  5.54 <sparkline> 2.13", one line, or nothing without a number. */
void entry_text_curve(const char *label, const double *values, int n, Buf *out);

#endif
