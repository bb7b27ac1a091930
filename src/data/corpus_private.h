/* corpus_private.h - the parts of corpus_*.c: intake, scrub, store. */
#ifndef DATA_CORPUS_PRIVATE_H
#define DATA_CORPUS_PRIVATE_H

#include <stdio.h>

#include "base/str.h"
#include "data/corpus.h"
#include "data/dedup.h"
#include "data/docs.h"
#include "data/origin.h"
#include "data/reader.h"
#include "data/tiers.h"

/* ---- store: folders of the lab, and how a data set takes its place (corpus_store.c) ---- */

typedef struct CorpusStore {
    const char *lab, *name;
    char data[800], judge[800]; /* LAB/data/NAME, LAB/judge/NAME */
    char temp[820];             /* LAB/data/NAME.tmp: where the new state is built; its folder
                                   judge/ becomes LAB/judge/NAME */
    char part[820];             /* LAB/data/NAME.part: what was read of an addition in progress */
    bool exists;                /* there is a data set of that name already */
    int lock;
} CorpusStore;

/* Checks the name, takes the lock, finishes or clears away what a killed process left, makes
 * an empty temp (with judge/ if the set is new).  ERR_BUSY while another process adds. */
bool corpusstore_open(CorpusStore *s, const char *lab, const char *name, Err *err) MUST_CHECK;
/* From here on the new state is the state, whatever happens. */
bool corpusstore_commit(CorpusStore *s, Err *err) MUST_CHECK;
/* Gives the lock back; what was not committed is gone. */
void corpusstore_close(CorpusStore *s);
/* Finishes what a killed process had committed, if nobody holds the lock.  Called by readers. */
bool corpusstore_settle(const char *lab, Err *err) MUST_CHECK;

/* For tests: the process kills itself at the n-th change of a folder or flush of what was read; 0
 * never. */
extern int corpusstore_kill_at;
void corpusstore_step(void); /* such a change is about to be made */

/* ---- journal: an addition that was killed goes on (corpus_journal.c) ---- */

typedef struct CorpusRecord {
    int64_t end;          /* of the document in the raw text */
    int64_t file, offset; /* as the reader said them */
    bool has_text;
    unsigned char sha256[32];
} CorpusRecord;

typedef struct CorpusJournal {
    bool on;                 /* off: nothing is kept */
    FILE *log;               /* LAB/data/NAME.part/raw.log */
    Buf known, fresh;        /* records: of before the kill; not yet flushed */
    int64_t taken;           /* of the known ones, that the reader has sent again */
    int64_t flushed, synced; /* bytes of raw text */
    char path[900];
} CorpusJournal;

/* `identity` says what is being added to what; NULL: it cannot be read twice, so nothing is kept.
 * Opens `raw` with the documents of an earlier try under the same identity, if there was one.
 * Their records are j->known. */
bool corpusjournal_open(CorpusJournal *j, const CorpusStore *store, const char *identity,
                        DocsOut *raw, Err *err) MUST_CHECK;
int64_t corpusjournal_known(const CorpusJournal *j);
CorpusRecord corpusjournal_get(const CorpusJournal *j, int64_t i);
/* A document more is in `raw`. */
bool corpusjournal_add(CorpusJournal *j, const CorpusRecord *r, DocsOut *raw, Err *err) MUST_CHECK;
bool corpusjournal_flush(CorpusJournal *j, DocsOut *raw, bool sync, Err *err) MUST_CHECK;
void corpusjournal_close(CorpusJournal *j);
extern int64_t corpusjournal_every; /* bytes of raw text between flushes; tests lower it */

/* ---- intake: documents as they come (corpus_intake.c) ---- */

typedef struct CorpusIntake {
    DocsOut raw; /* every document, also those that are left out */
    CorpusJournal journal;
    int64_t again;                     /* bytes of the document that is sent again */
    Sha256 sha;                        /* of the document in progress */
    int64_t begun;                     /* where it began in raw */
    bool has_text;                     /* it holds something other than white space */
    DedupSet seen;                     /* of this and all earlier additions */
    Buf keys;                          /* DedupKey of the documents that were kept */
    Buf live;                          /* a bool for each raw document */
    Buf origins;                       /* an Origin (origin.h) for each raw document */
    int64_t file, offset;              /* of the document in progress */
    int64_t files_before;              /* of earlier additions */
    int64_t kept, bytes, exact, blank; /* documents; bytes of those kept */
} CorpusIntake;

bool corpusintake_open(CorpusIntake *in, const CorpusStore *store, const char *identity,
                       Err *err) MUST_CHECK;
ReaderSink corpusintake_sink(CorpusIntake *in);
/* The raw documents, and the keys of all additions written to the new state. */
bool corpusintake_finish(CorpusIntake *in, const CorpusStore *store, Docs *raw,
                         Err *err) MUST_CHECK;
/* `leave`: what was read stays for another try. */
void corpusintake_close(CorpusIntake *in, bool leave);

/* ---- scrub: no held-out text in training text (corpus_scrub.c) ---- */

typedef struct CorpusHeld {
    Docs *docs; /* all tiers of all data sets of the lab */
    int n_docs;
    Str *text; /* their documents */
    int *tier;
    int64_t count;
    json_t *names; /* of the data sets */
} CorpusHeld;
/* `own`: with the tiers of the data set itself, for a later addition. */
bool corpusheld_open(CorpusHeld *h, const CorpusStore *store, bool own, Arena *out,
                     Err *err) MUST_CHECK;
void corpusheld_close(CorpusHeld *h);

typedef struct CorpusScrub {
    DedupGrams grams;                   /* of all held-out text */
    DedupSet exact;                     /* its documents */
    int64_t documents, passages, bytes; /* cut; bytes with what was dropped */
    int64_t common;                     /* passages let be: forms */
    int64_t last;                       /* the raw document cut last, or -1 */
    int64_t dropped;                    /* documents of which too little was left */
    int64_t named[READER_NAMED];        /* raw documents touched, the first ones */
    Buf source;                         /* int64: the raw document of each training document */
    Buf origins;                        /* an Origin for each training document */
    Str raw_origins;                    /* and for each raw document */
    const Docs *raw;
} CorpusScrub;
void corpusscrub_hold(CorpusScrub *s, Str held);
/* Writes what may be trained on; `number` is the raw document's. */
bool corpusscrub_write(CorpusScrub *s, Str doc, int64_t number, DocsOut *out, Err *err) MUST_CHECK;
void corpusscrub_free(CorpusScrub *s);

/* ---- build: all of it (corpus_build.c, corpus_manifest.c) ---- */

typedef struct CorpusFeed {
    const char *identity; /* what is fed; the same again feeds the same.  NULL: who knows */
    int64_t resumed;      /* out: documents that an earlier, killed try had read already */
    /* Sends every document; *report as reader_run's. */
    bool (*feed)(void *self, const ReaderSink *sink, json_t **report, Err *err);
    /* If set, adds to the manifest and to the new folder `dir` before it is committed;
     * source[i] is the raw document that training document i came from. */
    bool (*finish)(void *self, const char *dir, const int64_t *source, json_t *manifest, Err *err);
    void *self;
} CorpusFeed;

bool corpus_build(const char *lab, const char *name, CorpusFeed *feed, json_t **manifest,
                  Err *err) MUST_CHECK;

typedef struct CorpusBuild {
    CorpusStore store;
    CorpusIntake intake;
    CorpusHeld held;
    CorpusScrub scrub;
    TierPlan plan;                     /* of a new set; of a later addition its spans alone */
    Docs raw, train, tier[TIER_COUNT]; /* as written in the new state */
    int64_t near_held;                 /* documents left out: near-duplicates of held-out ones */
    int64_t elsewhere;                 /* held-out spans given back: another set trains on them */
    json_t *report;
    Arena arena;
} CorpusBuild;

/* The manifest of the new state; `before` is the old one or NULL.  A new reference. */
json_t *corpus_manifest_make(const CorpusBuild *b, const json_t *before);

#endif
