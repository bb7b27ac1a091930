/* tokenizer_count.c - how often each word stands in the text that a tokenizer is learned from.
 *
 * All of the text is counted, none of it sampled, and each distinct word is kept once: a hundred
 * megabytes of prose are some four hundred thousand words.  Threads count in tables of their own.
 * Text can have more distinct words than memory: a table that grows over its limit is
 * poured out, by hash, into temporary files that nobody else can see, and begins anew.  At the end
 * each file is summed by itself; so the counts are exact, and what they are does not
 * depend on threads or on when a table was full.
 *
 * What is learned from must fit into memory at last.  If the distinct words do not, the rarest
 * are left out, all words of one count together, until they do.
 *
 * Rejected: lossy counting (Manku and Motwani 2002), which is smaller and not exact, and sorting
 * runs of words on disk, which costs a comparison sort for what two passes of addition do. */
#include "data/tokenizer_count.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/progress.h"
#include "dev/dev.h"

enum {
    LONGEST_COUNTED = 4096, /* a longer word is cut: one line must not dominate */
    PIECE = 1 << 20,        /* of text, that a thread takes at a time */
    FILES = 64,             /* that words are poured into, by hash */
    CLASSES = 1 << 16,      /* counts told apart when words must be left out */
};

/* ---- a table of words ---- */

typedef struct Table {
    TokenizerCounts *words;
    struct Slot {
        uint64_t hash; /* 0: free */
        int32_t word;
    } * slot;
    uint64_t mask;
} Table;

static CountedWord *word_at(const Table *t, int64_t i)
{
    return (CountedWord *)(void *)t->words->word.at + i;
}

static int64_t words_in(const Table *t)
{
    return tokenizer_counted(t->words);
}

static void table_open(Table *t, TokenizerCounts *words, uint64_t slots)
{
    *t = (Table){ .words = words, .mask = slots - 1 };
    t->slot = calloc(slots, sizeof(*t->slot));
    CHECK(t->slot, "no memory for %llu words", (unsigned long long)slots);
}

static void table_grow(Table *t)
{
    struct Slot *old = t->slot;
    uint64_t n = t->mask + 1;
    table_open(t, t->words, 2 * n);
    for (uint64_t i = 0; i < n; i++) {
        if (old[i].hash == 0) continue;
        uint64_t at = old[i].hash & t->mask;
        while (t->slot[at].hash) at = (at + 1) & t->mask;
        t->slot[at] = old[i];
    }
    free(old);
}

static uint64_t hash_of(Str word)
{
    uint64_t a = 0, b = 0;
    if (word.len > 16) return hash64(word.at, word.len, 0) | 1;
    memcpy(&a, word.at, (size_t)MIN(word.len, (ptrdiff_t)8));
    if (word.len > 8) memcpy(&b, word.at + 8, (size_t)word.len - 8);
    return hash64_mix(a ^ hash64_mix(b + (uint64_t)word.len)) | 1;
}

static void table_add(Table *t, Str word, int64_t count)
{
    uint64_t hash = hash_of(word), at = hash & t->mask;
    for (; t->slot[at].hash; at = (at + 1) & t->mask) {
        if (t->slot[at].hash != hash) continue;
        CountedWord *w = word_at(t, t->slot[at].word);
        if (w->len != word.len || memcmp(t->words->bytes.at + w->start, word.at, (size_t)w->len))
            continue;
        w->count += count;
        return;
    }
    CountedWord w = { t->words->bytes.len, count, (int32_t)word.len };
    t->slot[at] = (struct Slot){ hash, (int32_t)words_in(t) };
    buf_put(&t->words->word, &w, sizeof(w));
    buf_str(&t->words->bytes, word);
    if ((uint64_t)words_in(t) * 2 > t->mask) table_grow(t);
}

static int64_t table_bytes(const Table *t)
{
    return t->words->bytes.cap + t->words->word.cap +
           (int64_t)(t->mask + 1) * (int64_t)sizeof(*t->slot);
}

/* ---- on disk ---- */

typedef struct Spill {
    FILE *file[FILES];
    pthread_mutex_t lock;
    bool used, failed;
    int error;
} Spill;

static bool spill_open(Spill *s)
{
    for (int i = 0; i < FILES && !s->failed; i++) {
        if (!s->file[i]) s->file[i] = tmpfile();
        if (!s->file[i]) s->failed = true, s->error = errno;
    }
    s->used = true;
    return !s->failed;
}

static void spill_word(Spill *s, const CountedWord *w, Str word)
{
    FILE *f = s->file[hash_of(word) >> 58];
    bool ok = fwrite(&w->count, sizeof(w->count), 1, f) == 1 &&
              fwrite(&w->len, sizeof(w->len), 1, f) == 1 &&
              fwrite(word.at, 1, (size_t)word.len, f) == (size_t)word.len;
    if (!ok) s->failed = true, s->error = errno;
}

/* Pours the table out; it is empty afterwards. */
static void spill_table(Spill *s, Table *t)
{
    pthread_mutex_lock(&s->lock);
    bool ok = !s->failed && spill_open(s);
    for (int64_t i = 0; ok && i < words_in(t) && !s->failed; i++) {
        const CountedWord *w = word_at(t, i);
        spill_word(s, w, (Str){ t->words->bytes.at + w->start, w->len });
    }
    pthread_mutex_unlock(&s->lock);
    tokenizer_counts_free(t->words);
    free(t->slot);
    table_open(t, t->words, 1 << 16);
}

/* The sums of one file, as an empty table takes them in. */
static bool spill_sum(Spill *s, int file, Table *t)
{
    char word[LONGEST_COUNTED];
    FILE *f = s->file[file];
    int64_t count;
    int32_t len;
    if (fseeko(f, 0, SEEK_SET) != 0) return false;
    while (fread(&count, sizeof(count), 1, f) == 1) {
        if (fread(&len, sizeof(len), 1, f) != 1 || len <= 0 || len > LONGEST_COUNTED ||
            fread(word, 1, (size_t)len, f) != (size_t)len)
            return false;
        table_add(t, (Str){ word, len }, count);
    }
    return !ferror(f);
}

/* ---- counting ---- */

typedef struct Counting {
    const TokenizerCounting *what;
    Spill spill;
    Str *piece; /* of the text */
    int64_t pieces, next, bytes, done;
    int64_t limit; /* bytes of one table */
    Progress progress;
    pthread_mutex_t lock; /* of next and done */
} Counting;

typedef struct Counter {
    Counting *c;
    TokenizerCounts words;
    Table table;
    pthread_t thread;
    bool first;
} Counter;

static void count_piece(Counter *own, Str text)
{
    TokenizerWords words = own->c->what->words;
    while (text.len > 0) {
        Str word = { text.at, tokenizer_piece(words, text) };
        text.at += word.len;
        text.len -= word.len;
        for (; word.len > LONGEST_COUNTED; word.at += LONGEST_COUNTED, word.len -= LONGEST_COUNTED)
            table_add(&own->table, (Str){ word.at, LONGEST_COUNTED }, 1);
        table_add(&own->table, word, 1);
        if (table_bytes(&own->table) > own->c->limit) spill_table(&own->c->spill, &own->table);
    }
}

static void *count_pieces(void *self)
{
    Counter *own = self;
    Counting *c = own->c;
    while (!stop_asked()) {
        pthread_mutex_lock(&c->lock);
        int64_t i = c->next++;
        double done = (double)c->done;
        pthread_mutex_unlock(&c->lock);
        if (i >= c->pieces) break;
        if (own->first) progress_tick(&c->progress, done, "");
        count_piece(own, c->piece[i]);
        pthread_mutex_lock(&c->lock);
        c->done += c->piece[i].len;
        pthread_mutex_unlock(&c->lock);
    }
    return NULL;
}

/* Documents in pieces that end where words end; a document is never joined to the next. */
static void cut_pieces(Counting *c, const Docs *const *docs, int n_docs, Buf *pieces)
{
    for (int d = 0; d < n_docs; d++)
        for (int64_t i = 0; i < docs[d]->count; i++) {
            Str text = docs_get(docs[d], i);
            c->bytes += text.len;
            while (text.len > 0) {
                Str piece = { text.at, tokenizer_cut(text, PIECE) };
                buf_put(pieces, &piece, sizeof(piece));
                text.at += piece.len;
                text.len -= piece.len;
            }
        }
    c->piece = (Str *)(void *)pieces->at;
    c->pieces = pieces->len / (ptrdiff_t)sizeof(Str);
}

static void run_counters(Counting *c, Counter *own, int threads)
{
    bool running[64] = { 0 };
    c->progress = progress_begin("counting words", "bytes", (double)c->bytes);
    for (int k = 0; k < threads; k++) {
        own[k] = (Counter){ .c = c, .first = k == 0 };
        table_open(&own[k].table, &own[k].words, 1 << 16);
        running[k] = k > 0 && pthread_create(&own[k].thread, NULL, count_pieces, &own[k]) == 0;
    }
    count_pieces(&own[0]);
    for (int k = 1; k < threads; k++)
        if (running[k]) pthread_join(own[k].thread, NULL);
    progress_end(&c->progress);
}

/* ---- the sum ---- */

static void add_table(Table *to, const Table *from, int64_t least)
{
    for (int64_t i = 0; i < words_in(from); i++) {
        const CountedWord *w = word_at(from, i);
        if (w->count >= least)
            table_add(to, (Str){ from->words->bytes.at + w->start, w->len }, w->count);
    }
}

typedef void SumVisit(void *self, const Table *sums);

/* Visits the sums of all files, one file at a time. */
static bool visit_sums(Spill *s, SumVisit *visit, void *self)
{
    bool ok = true;
    for (int i = 0; ok && i < FILES; i++) {
        TokenizerCounts words = { 0 };
        Table t;
        table_open(&t, &words, 1 << 16);
        ok = spill_sum(s, i, &t);
        if (ok) visit(self, &t);
        free(t.slot);
        tokenizer_counts_free(&words);
    }
    return ok;
}

typedef struct Choice {
    int64_t cost[CLASSES]; /* bytes of memory of the words by their count, the last: and more */
    int64_t least;         /* words that are rarer are left out */
    Table *to;
} Choice;

/* What learning needs for a word: itself, its symbols, its places in lists of pairs. */
static int64_t cost_of(const CountedWord *w)
{
    return (int64_t)sizeof(*w) + 13 * (int64_t)w->len + 16;
}

static void visit_cost(void *self, const Table *sums)
{
    Choice *c = self;
    for (int64_t i = 0; i < words_in(sums); i++) {
        const CountedWord *w = word_at(sums, i);
        c->cost[MIN(w->count, (int64_t)CLASSES - 1)] += cost_of(w);
    }
}

static void visit_keep(void *self, const Table *sums)
{
    Choice *c = self;
    add_table(c->to, sums, c->least);
}

static void choose_least(Choice *c, int64_t room)
{
    int64_t sum = 0;
    for (int i = CLASSES - 1; i > 0; i--) {
        sum += c->cost[i];
        if (sum > room) {
            c->least = i + 1;
            return;
        }
    }
}

static bool sum_spilled(Counting *c, Counter *own, int threads, Choice *choice)
{
    for (int k = 0; k < threads; k++) spill_table(&c->spill, &own[k].table);
    bool ok = !c->spill.failed && visit_sums(&c->spill, visit_cost, choice);
    choose_least(choice, c->what->keep);
    return ok && visit_sums(&c->spill, visit_keep, choice);
}

static void sum_in_memory(Counting *c, Counter *own, int threads, Choice *choice)
{
    for (int k = 1; k < threads; k++) {
        add_table(&own[0].table, &own[k].table, 1);
        tokenizer_counts_free(&own[k].words);
    }
    visit_cost(choice, &own[0].table);
    choose_least(choice, c->what->keep);
    visit_keep(choice, &own[0].table);
}

/* What is left out depends on the counts alone, not on whether they were in memory. */
static bool sum_up(Counting *c, Counter *own, int threads, TokenizerCounts *out, Err *err)
{
    if (stop_asked()) return err_set(err, ERR_STOPPED, "stopped while counting words");
    Choice *choice = calloc(1, sizeof(*choice));
    CHECK(choice, "no memory");
    Table to;
    bool ok = true;
    table_open(&to, out, 1 << 16);
    choice->to = &to;
    if (c->spill.used || c->spill.failed)
        ok = sum_spilled(c, own, threads, choice);
    else
        sum_in_memory(c, own, threads, choice);
    out->least = choice->least;
    errno = c->spill.error;
    if (!ok) err_errno(err, "cannot keep counted words in temporary files (TMPDIR)");
    free(to.slot);
    free(choice);
    return ok;
}

bool tokenizer_count(const Docs *const *docs, int n_docs, const TokenizerCounting *what,
                     TokenizerCounts *out, Err *err)
{
    Counter own[64];
    int threads = MIN(what->threads > 0 ? what->threads : dev_cores(), (int)COUNT(own));
    Counting *c = calloc(1, sizeof(*c));
    Buf pieces = { 0 };
    CHECK(c, "no memory");
    c->what = what;
    c->limit = what->spill / threads;
    pthread_mutex_init(&c->lock, NULL);
    pthread_mutex_init(&c->spill.lock, NULL);
    *out = (TokenizerCounts){ 0 };
    cut_pieces(c, docs, n_docs, &pieces);
    run_counters(c, own, threads);
    bool ok = sum_up(c, own, threads, out, err);
    if (!ok) tokenizer_counts_free(out);
    for (int k = 0; k < threads; k++) {
        free(own[k].table.slot);
        tokenizer_counts_free(&own[k].words);
    }
    for (int i = 0; i < FILES; i++)
        if (c->spill.file[i]) fclose(c->spill.file[i]);
    buf_free(&pieces);
    free(c);
    return ok;
}

int64_t tokenizer_counted(const TokenizerCounts *c)
{
    return c->word.len / (ptrdiff_t)sizeof(CountedWord);
}

void tokenizer_counts_free(TokenizerCounts *c)
{
    buf_free(&c->bytes);
    buf_free(&c->word);
}
