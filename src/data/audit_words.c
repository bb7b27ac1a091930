/* audit_words.c - the words of a data set, and which stand beside each other.
 *
 * What is wrong with a document mostly shows against the others: a word that nobody else writes
 * but that is one letter from one that all write, words in an order that never occurs.  So the
 * audit counts the data set's own words and pairs of words first, and needs no dictionary of any
 * language.  Pairs are counted in 64 MB whatever the size of the text: by hash, and of as many
 * documents as leave the table two thirds empty, chosen by a permutation of their numbers. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/progress.h"
#include "base/rand.h"
#include "data/audit_inside.h"

AuditWords audit_words(Str text)
{
    return (AuditWords){ text.at, text.at + text.len };
}

/* Bytes of the letter at `at`, 0 if there is none: of ASCII, or any character but U+0080 to U+00BF
 * and U+2000 to U+2FFF, where marks and signs stand. */
static int letter_at(const char *at, const char *end)
{
    unsigned byte = (unsigned char)*at;
    if (byte < 0x80) return (byte | 32) - 'a' < 26;
    int n = utf8_len(at, end);
    if (n < 2 || byte == 0xC2 || byte == 0xE2) return 0;
    return n;
}

bool audit_next(AuditWords *w, AuditWord *word)
{
    const char *at = w->next;
    int n;
    while (at < w->end && letter_at(at, w->end) == 0) at++;
    if (at == w->end) return false;
    *word = (AuditWord){ .at = { at, 0 }, .small = true };
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a, then mixed */
    for (; at < w->end && (n = letter_at(at, w->end)) > 0; at += n)
        for (int i = 0; i < n; i++) {
            unsigned byte = (unsigned char)at[i];
            bool capital = byte - 'A' < 26;
            word->small = word->small && !capital;
            h = (h ^ (capital ? byte | 32 : byte)) * 0x100000001b3u;
        }
    word->at.len = at - word->at.at;
    word->hash = hash64_mix(h) | 1;
    w->next = at;
    return true;
}

/* ---- every word ---- */

static AuditType *slot_of(const AuditLexicon *l, uint64_t hash)
{
    int64_t at = (int64_t)(hash >> 1 & (uint64_t)(l->cap - 1));
    while (l->slot[at].hash && l->slot[at].hash != hash) at = (at + 1) & (l->cap - 1);
    return &l->slot[at];
}

static void grow(AuditLexicon *l)
{
    AuditLexicon bigger = *l;
    bigger.cap = l->cap ? 2 * l->cap : 1 << 16;
    bigger.slot = calloc((size_t)bigger.cap, sizeof(*bigger.slot));
    CHECK(bigger.slot, "no memory for %td words", (ptrdiff_t)bigger.cap);
    for (int64_t i = 0; i < l->cap; i++)
        if (l->slot[i].hash) *slot_of(&bigger, l->slot[i].hash) = l->slot[i];
    free(l->slot);
    *l = bigger;
}

AuditType *audit_type(const AuditLexicon *l, uint64_t hash)
{
    AuditType *t = l->cap > 0 ? slot_of(l, hash) : NULL;
    return t && t->hash ? t : NULL;
}

void audit_lexicon_add(AuditLexicon *l, Str text, int64_t doc)
{
    AuditWord word;
    for (AuditWords w = audit_words(text); audit_next(&w, &word);) {
        if (2 * (l->count + 1) > l->cap) grow(l);
        AuditType *t = slot_of(l, word.hash);
        if (!t->hash) *t = (AuditType){ .hash = word.hash, .at = word.at }, l->count++;
        if (word.small && !t->small) t->at = word.at, t->small = true;
        t->count += t->count < INT32_MAX;
        t->documents += t->last != (int32_t)doc + 1;
        t->last = (int32_t)doc + 1;
        l->words++;
    }
}

void audit_lexicon_free(AuditLexicon *l)
{
    free(l->slot);
    *l = (AuditLexicon){ 0 };
}

/* ---- neighbours ---- */

uint32_t audit_pair(uint64_t first, uint64_t second)
{
    return (uint32_t)(hash64_mix(first * 3 + second) % AUDIT_PAIRS);
}

static int64_t add_pairs(AuditPairs *p, Str text)
{
    AuditWord word;
    uint64_t before = 0;
    int64_t n = 0;
    for (AuditWords w = audit_words(text); audit_next(&w, &word); before = word.hash, n++) {
        uint16_t *count = &p->count[audit_pair(before, word.hash)];
        if (before && *count < UINT16_MAX) ++*count;
    }
    return n;
}

bool audit_pairs_open(AuditPairs *p, const Docs *docs, Err *err)
{
    p->count = calloc(AUDIT_PAIRS, sizeof(*p->count));
    p->in = calloc((size_t)MAX(docs->count, (int64_t)1), sizeof(*p->in));
    CHECK(p->count && p->in, "no memory for pairs of words");
    Progress bar = progress_begin("pairing", "documents", (double)docs->count);
    bool ok = true;
    for (int64_t i = 0; ok && i < docs->count && p->pairs < AUDIT_PAIRS / 3; i++) {
        int64_t at = (int64_t)rand_permute((uint64_t)i, (uint64_t)docs->count, 1);
        if (stop_asked()) ok = err_set(err, ERR_STOPPED, "stopped while reading documents");
        p->in[at] = true;
        p->pairs += add_pairs(p, docs_get(docs, at));
        progress_tick(&bar, (double)i, "");
    }
    progress_end(&bar);
    return ok;
}

void audit_pairs_free(AuditPairs *p)
{
    free(p->count);
    free(p->in);
    *p = (AuditPairs){ 0 };
}
