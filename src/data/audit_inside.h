/* audit_inside.h - what a detector works with. */
#ifndef DATA_AUDIT_INSIDE_H
#define DATA_AUDIT_INSIDE_H

#include "data/audit.h"
#include "data/docs.h"
#include "data/drop.h"
#include "data/origin.h"

/* ---- words ---- */

/* Letters in a row, ASCII and beyond; marks, digits and curly quotes part them. */
typedef struct AuditWord {
    Str at;
    uint64_t hash; /* of its small letters */
    bool small;    /* it has no capital (of ASCII) */
} AuditWord;
typedef struct AuditWords {
    const char *next, *end;
} AuditWords;
AuditWords audit_words(Str text);
bool audit_next(AuditWords *w, AuditWord *word);

/* Every word of the data set. */
typedef struct AuditType {
    uint64_t hash;
    Str at; /* where it was met first, in small letters if it ever was */
    int32_t count, documents;
    int32_t last;  /* the document counted last, plus one */
    bool small;    /* it was met in small letters */
    bool misspelt; /* rare, and one letter away from a common one (audit_ocr.c) */
} AuditType;
typedef struct AuditLexicon {
    AuditType *slot; /* on the heap; hash 0: free */
    int64_t count, cap, words;
} AuditLexicon;
AuditType *audit_type(const AuditLexicon *l, uint64_t hash); /* NULL: never met */
void audit_lexicon_add(AuditLexicon *l, Str text, int64_t doc);
void audit_lexicon_free(AuditLexicon *l);

/* Pairs of neighbouring words, counted by hash in a table of fixed size; where the text is larger
 * than the table serves, those of some documents, chosen by their number. */
typedef struct AuditPairs {
    uint16_t *count; /* (AUDIT_PAIRS) saturating, on the heap */
    int64_t pairs;
    bool *in; /* (documents): its pairs are in the table */
} AuditPairs;
uint32_t audit_pair(uint64_t first, uint64_t second); /* its place in the table */
bool audit_pairs_open(AuditPairs *p, const Docs *docs, Err *err) MUST_CHECK;
void audit_pairs_free(AuditPairs *p);

enum { AUDIT_PAIRS = 1 << 25 }; /* of the table */

typedef struct Audit {
    const AuditJob *job;
    Docs docs;
    DedupKey *key; /* (documents) */
    Buf origins;   /* origin.h, one each */
    int *part;     /* (documents) the file it came from, or its folder where files are many; -1 */
    const char **part_name;
    int parts;
    AuditLexicon lexicon;
    AuditPairs pairs;
    json_t *manifest, *findings, *quiet, *not_asked;
    uint32_t *flags;  /* (documents): bit k: named by the k-th detector */
    double **measure; /* [detector] of it (documents): how bad, for tuning; NULL: it has none */
    int detector;     /* the one at work */
    Arena *arena;
} Audit;

typedef struct AuditDef {
    const char *kind, *doc;
    bool (*look)(Audit *a, Err *err);
} AuditDef;

Str audit_doc(const Audit *a, int64_t i);
/* Room for the detector's measure of every document, zeroed. */
double *audit_measure(Audit *a);
/* For a detector that lacks what it needs: the report says why it was silent.  Returns true. */
bool audit_not_asked(Audit *a, const char *why);

/* Puts findings among those of a report, each in its place. */
void audit_report_add(json_t *report, const json_t *findings, Arena *arena);
const char *audit_report_path(const char *lab, const char *name, Arena *arena);

/* ---- a finding in the making ---- */

typedef struct AuditHit {
    int64_t doc;
    double score;      /* how bad: the worst are the examples */
    ptrdiff_t at, len; /* what to show of it */
    int64_t bytes;     /* affected in it */
} AuditHit;
/* A threshold, and the share of clean documents that score higher, as measured on clean text.  From
 * mild to strict: that is taken at which most documents are rightly named. */
typedef struct AuditStep {
    double score, mistakes;
} AuditStep;

typedef struct AuditFind {
    const char *kind;       /* NULL: that of the detector */
    const char *source;     /* part of the data set that it is about; NULL: all */
    const char *what;       /* one sentence with the numbers: what was found */
    const char *remedy;     /* one sentence: what the edit does */
    const AuditStep *steps; /* ends with a zero; NULL: what is hit is so by its definition */
    int64_t looked;         /* documents that could have been named; 0: all */
    const char *filter;     /* the remedy is this filter (filter.h); NULL: a list */
    bool advice;            /* there is no edit: the remedy is a sentence */
    Buf hits;               /* AuditHit */
    DropList drop;          /* empty: the documents that were hit */
    json_t *detail;         /* numbers of the kind's own; may be NULL */
} AuditFind;
void audit_hit(AuditFind *f, AuditHit hit);
/* Writes the remedy, adds the finding to the report or lets it be, and frees it. */
bool audit_find(Audit *a, AuditFind *f, Err *err) MUST_CHECK;
void audit_free(AuditFind *f); /* one that is not to be */
/* Sorts documents into parts (audit_parts.c). */
void audit_parts(Audit *a);
const char *audit_file(const Audit *a, int64_t number); /* its path; NULL: not known */

#endif
