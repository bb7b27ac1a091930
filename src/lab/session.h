/* session.h - a stretch of research that was planned: how many proposals, how long, how large.
 *
 * A session belongs to a question.  Its entry in the ledger fixes the size of its runs, so
 * that nothing decided later depends on how fast the machine happens to be. */
#ifndef LAB_SESSION_H
#define LAB_SESSION_H

#include "lab/history.h"
#include "science/noisebook.h"

typedef struct SessionOpt {
    const char *researcher; /* "builtin"; NULL: that */
    int experiments;        /* 0: as many as the hours allow */
    double hours;           /* 0: one hour, or no limit where overrides give the budget */
    const char *goal;       /* words for the record; NULL: none */
    const char *recipe;     /* a file to begin from; NULL: the champion, or the plain default */
    const char *const *overrides; /* knob=value on the first recipe; a new question if any */
    int n_overrides;
    const json_t *model; /* the language model that is asked (talk.h); NULL: none.  Borrowed */
    bool fresh;          /* a new question even where one is open */
    int race;            /* proposals at once; 0: one after another */
    double first_seed;   /* of a new question; 0: 1.  The same recipe with others is a replicate */
    int threads;
} SessionOpt;

/* What the session is going to do, as its ledger entry holds it. */
typedef struct SessionPlan {
    const char *id, *question, *researcher;
    int experiments, bank, threads, race;
    double hours, research_seconds;   /* of the hours, without the champion's fifth; 0: no limit */
    double run_flops, champion_flops; /* in the frame of the budget: FLOPs or tokens */
    double params, run_tokens, tokens_per_s;
    double run_seconds, epochs, detectable; /* detectable: in sigmas */
    NoiseEstimate sigma; /* what the lab knows of it before, as a share of bpb; s 0: nothing */
    double floor;        /* smallest gain worth looking for, share of bpb */
    bool resumed;        /* it was there already */
    const char *note;    /* what changed since the last question; "" */
} SessionPlan;

enum { HEADLINE_RUNS = 8 }; /* at the end: four seeds of champion and first recipe */

/* The unfinished session if there is one (then opt is not looked at), else a new one: opens a
 * question where there is none or something it stands on has changed, measures this machine's
 * speed, sizes the runs, and writes all of it down. */
bool session_begin(Lab *lab, const SessionOpt *opt, SessionPlan *plan, Err *err) MUST_CHECK;

/* Is somebody planning a session in this lab now: measuring speed, making shards? */
bool session_planning(const char *lab);

/* The unfinished session, from the ledger; *found false if there is none. */
bool session_unfinished(Lab *lab, SessionPlan *plan, bool *found, Err *err) MUST_CHECK;

/* What a question notes of what it is asked on: its sources' manifests and, where the recipe drives
 * another trainer, that program's files. */
bool session_data_sha256(Lab *lab, const char *const *source, int n, const Recipe *recipe,
                         char out[65], Err *err) MUST_CHECK;

/* What may be left above the noise, in a sentence, of a `closing` entry; nothing if it has no such
 * numbers. */
void session_left_words(const json_t *closing, Buf *out);

/* The JSON of `lathe research`: {lab, baseline, champion, sigma, stopped_because, report,
 * experiments}.  New reference. */
bool session_json(Lab *lab, const char *session, json_t **out, Err *err) MUST_CHECK;

#endif
