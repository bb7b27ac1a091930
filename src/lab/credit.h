/* credit.h - who is worth what: each author of proposals by what came of them. */
#ifndef LAB_CREDIT_H
#define LAB_CREDIT_H

#include "lab/lab.h"

/* Over all questions of the lab, an object for each author, and another for its questions with
 * self-reported scores: {author, scores (judged or self-reported), proposals, decided, kept,
 * gain (sum of the effects of what was kept, bpb), runs, seconds, brier (mean square of confidence
 * against kept; 0.25 is a coin), bias (mean of predicted less found), usd, tokens (null: unknown),
 * seconds_per_gain, usd_per_gain (per kept claim; null where nothing was kept or is known)}.  New
 * reference. */
bool credit(Lab *lab, json_t **out, Err *err) MUST_CHECK;

#endif
