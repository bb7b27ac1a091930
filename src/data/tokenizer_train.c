/* tokenizer_train.c - learning merges from text.
 *
 * Each distinct word is kept once with its count (tokenizer_count.c).  For each pair of neighbours
 * there is its count and a list of the words it was seen in; a heap gives the most frequent pair.
 * A merge visits only the words in that pair's list, so all merges together cost about as many
 * word visits as there are symbols to join.  A pair's count only falls once it exists (a merge
 * makes only pairs with the new symbol), so an entry of the heap that promises too much is put
 * back with what is left, and no entry ever promises too little.
 *
 * Equal counts are decided by the bytes of the pair, so the result is a function of the counts
 * alone: not of the order of words, nor of how many threads counted.
 *
 * Rejected: counting all pairs anew for each merge (minutes), and pairs that occur once: they
 * would fill a vocabulary with the accidents of one document. */
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/progress.h"
#include "data/tokenizer_count.h"

enum {
    LEAST_COUNT = 2,
    LARGEST_VOCAB = 1 << 20,
    SPILL = 256 << 20, /* bytes of words being counted */
    KEEP = 320 << 20,  /* bytes of what is learned from */
};

typedef struct Pair {
    int32_t left, right;
    int64_t count;
    Buf words; /* int32: words it was seen in; some may have lost it since */
} Pair;

typedef struct Entry { /* of the heap */
    int64_t count;
    int32_t pair;
} Entry;

typedef struct Trainer {
    TokenizerCounts words; /* start and len in symbols: bytes while there are no merges */
    int32_t *symbol;       /* all words, end to end */
    PairMap by_key;        /* pair -> its index in pairs */
    Buf pairs, heap;       /* Pair; Entry */
    Str *token;            /* (vocab) */
    int32_t *left, *right;
    PairMap made; /* hash of a token's bytes: no two tokens are the same */
    Arena scratch;
} Trainer;

static CountedWord *word_at(const Trainer *t, int32_t i)
{
    return (CountedWord *)(void *)t->words.word.at + i;
}

static Pair *pair_at(const Trainer *t, int32_t i)
{
    return (Pair *)(void *)t->pairs.at + i;
}

static Entry *entry_at(const Trainer *t, ptrdiff_t i)
{
    return (Entry *)(void *)t->heap.at + i;
}

/* More frequent first; then the smaller bytes of the left token, then of the right one. */
static bool comes_before(const Trainer *t, Entry a, Entry b)
{
    if (a.count != b.count) return a.count > b.count;
    const Pair *x = pair_at(t, a.pair), *y = pair_at(t, b.pair);
    int order = str_cmp(t->token[x->left], t->token[y->left]);
    if (order == 0) order = str_cmp(t->token[x->right], t->token[y->right]);
    return order < 0;
}

static void heap_push(Trainer *t, Entry e)
{
    buf_put(&t->heap, &e, sizeof(e));
    ptrdiff_t at = t->heap.len / (ptrdiff_t)sizeof(e) - 1;
    for (; at > 0 && comes_before(t, e, *entry_at(t, (at - 1) / 2)); at = (at - 1) / 2)
        *entry_at(t, at) = *entry_at(t, (at - 1) / 2);
    *entry_at(t, at) = e;
}

static Entry heap_pop(Trainer *t)
{
    Entry top = *entry_at(t, 0);
    t->heap.len -= (ptrdiff_t)sizeof(top);
    ptrdiff_t n = t->heap.len / (ptrdiff_t)sizeof(top), at = 0;
    Entry e = *entry_at(t, n);
    for (ptrdiff_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && comes_before(t, *entry_at(t, child + 1), *entry_at(t, child))) child++;
        if (!comes_before(t, *entry_at(t, child), e)) break;
        *entry_at(t, at) = *entry_at(t, child);
    }
    *entry_at(t, at) = e;
    return top;
}

/* The pair with its count changed by `more`; it is noted that `word` has it, if `seen`. */
static void count_pair(Trainer *t, int32_t left, int32_t right, int64_t more, int32_t word,
                       bool seen)
{
    uint64_t key = pairmap_key(left, right);
    int32_t i = pairmap_get(&t->by_key, key);
    if (i < 0) {
        Pair fresh = { .left = left, .right = right };
        i = (int32_t)(t->pairs.len / (ptrdiff_t)sizeof(fresh));
        buf_put(&t->pairs, &fresh, sizeof(fresh));
        pairmap_put(&t->by_key, key, i);
    }
    Pair *p = pair_at(t, i);
    p->count += more;
    if (!seen) return;
    const int32_t *list = (const int32_t *)(const void *)p->words.at;
    ptrdiff_t n = p->words.len / 4;
    if (n == 0 || list[n - 1] != word) buf_put(&p->words, &word, 4);
}

static void begin_pairs(Trainer *t)
{
    int32_t words = (int32_t)tokenizer_counted(&t->words);
    const Buf *bytes = &t->words.bytes;
    t->symbol = NEW(&t->scratch, int32_t, bytes->len);
    for (ptrdiff_t i = 0; i < bytes->len; i++) t->symbol[i] = (unsigned char)bytes->at[i];
    buf_free(&t->words.bytes);
    t->by_key = pairmap_new(&t->scratch, 1 << 16);
    for (int32_t i = 0; i < words; i++) {
        const CountedWord *w = word_at(t, i);
        const int32_t *s = t->symbol + w->start;
        for (int k = 0; k + 1 < w->len; k++) count_pair(t, s[k], s[k + 1], w->count, i, true);
    }
    int32_t pairs = (int32_t)(t->pairs.len / (ptrdiff_t)sizeof(Pair));
    for (int32_t i = 0; i < pairs; i++) heap_push(t, (Entry){ pair_at(t, i)->count, i });
}

/* Joins left and right to `made` throughout one word. */
static void merge_word(Trainer *t, int32_t word, int32_t left, int32_t right, int32_t made)
{
    CountedWord *w = word_at(t, word);
    int32_t *s = t->symbol + w->start;
    int kept = 0;
    for (int k = 0; k < w->len; k++) {
        bool hit = k + 1 < w->len && s[k] == left && s[k + 1] == right;
        if (hit && kept > 0) { /* the pair with the symbol before goes, another comes */
            count_pair(t, s[kept - 1], left, -w->count, word, false);
            count_pair(t, s[kept - 1], made, w->count, word, true);
        }
        if (hit && k + 2 < w->len) {
            count_pair(t, right, s[k + 2], -w->count, word, false);
            count_pair(t, made, s[k + 2], w->count, word, true);
        }
        s[kept++] = hit ? made : s[k];
        k += hit;
    }
    w->len = kept;
}

/* The next pair worth a token, removed from the heap; -1 when there is none. */
static int32_t best_pair(Trainer *t)
{
    while (t->heap.len > 0) {
        Entry e = heap_pop(t);
        Pair *p = pair_at(t, e.pair);
        if (p->count < LEAST_COUNT) continue;
        if (p->count == e.count) return e.pair;
        heap_push(t, (Entry){ p->count, e.pair });
    }
    return -1;
}

/* Makes the token's bytes; false if another token has them already. */
static bool new_token(Trainer *t, const Pair *p, int32_t id)
{
    Str a = t->token[p->left], b = t->token[p->right];
    char *both = NEW(&t->scratch, char, a.len + b.len);
    memcpy(both, a.at, (size_t)a.len);
    memcpy(both + a.len, b.at, (size_t)b.len);
    uint64_t name = hash64(both, a.len + b.len, 0) >> 1;
    if (pairmap_get(&t->made, name) >= 0) return false;
    pairmap_put(&t->made, name, id);
    t->token[id] = (Str){ both, a.len + b.len };
    return true;
}

static void merge_pair(Trainer *t, int32_t pair, int32_t made)
{
    Pair p = *pair_at(t, pair); /* by value: the table grows meanwhile */
    int32_t first_new = (int32_t)(t->pairs.len / (ptrdiff_t)sizeof(Pair));
    const int32_t *list = (const int32_t *)(const void *)p.words.at;
    pair_at(t, pair)->words = (Buf){ 0 };
    for (ptrdiff_t i = 0; i < p.words.len / 4; i++) merge_word(t, list[i], p.left, p.right, made);
    buf_free(&p.words);
    pair_at(t, pair)->count = 0; /* none is left; overlaps ("aaa") were counted twice */
    int32_t pairs = (int32_t)(t->pairs.len / (ptrdiff_t)sizeof(Pair));
    for (int32_t i = first_new; i < pairs; i++) heap_push(t, (Entry){ pair_at(t, i)->count, i });
}

static void begin_tokens(Trainer *t, int vocab)
{
    t->token = NEW(&t->scratch, Str, vocab);
    t->left = NEW(&t->scratch, int32_t, vocab);
    t->right = NEW(&t->scratch, int32_t, vocab);
    t->made = pairmap_new(&t->scratch, vocab);
    for (int b = 0; b < 256; b++) {
        char *single = NEW(&t->scratch, char, 1);
        *single = (char)b;
        t->token[b] = (Str){ single, 1 };
        pairmap_put(&t->made, hash64(single, 1, 0) >> 1, b);
    }
}

/* Gives the number of merges made, at most `wanted`; -1 if asked to stop. */
static int learn(Trainer *t, int wanted)
{
    Progress p = progress_begin("learning merges", "merges", wanted);
    int merges = 0;
    for (int32_t pair; merges < wanted && !stop_asked() && (pair = best_pair(t)) >= 0;) {
        const Pair *best = pair_at(t, pair);
        if (!new_token(t, best, 256 + merges)) continue;
        t->left[merges] = best->left;
        t->right[merges] = best->right;
        merge_pair(t, pair, 256 + merges);
        progress_tick(&p, ++merges, "");
    }
    progress_end(&p);
    return stop_asked() ? -1 : merges;
}

static bool lay_out_special(const TokenizerWant *want, TokenizerForm *form,
                            TokenizerSpecial *special, Err *err)
{
    if (want->n_special >= TOKENIZER_SPECIAL_MAX)
        return err_set(err, ERR_CONFIG, "%d special tokens are more than %d", want->n_special,
                       TOKENIZER_SPECIAL_MAX - 1);
    int32_t id = want->vocab - want->n_special - 1;
    special[0] = (TokenizerSpecial){ STR("<|endoftext|>"), id };
    for (int i = 0; i < want->n_special; i++)
        special[1 + i] = (TokenizerSpecial){ want->special[i], ++id };
    form->special = special;
    form->n_special = want->n_special + 1;
    return true;
}

static Tokenizer *train(Trainer *t, const Docs *const *docs, int n_docs, const TokenizerWant *want,
                        Arena *out, Err *err)
{
    TokenizerForm form = { .words = want->words };
    TokenizerCounting counting = { want->words, want->threads, SPILL, KEEP };
    TokenizerSpecial *special = NEW(&t->scratch, TokenizerSpecial, TOKENIZER_SPECIAL_MAX);
    int wanted = want->vocab - 257 - want->n_special;
    for (int b = 0; b < 256; b++) form.byte_id[b] = b;
    if (!lay_out_special(want, &form, special, err) ||
        !tokenizer_count(docs, n_docs, &counting, &t->words, err))
        return NULL;
    begin_tokens(t, want->vocab);
    begin_pairs(t);
    form.merges = learn(t, wanted);
    form.left = t->left;
    form.right = t->right;
    if (form.merges < 0) {
        err_set(err, ERR_STOPPED, "stopped while learning a tokenizer");
        return NULL;
    }
    if (form.merges < wanted) {
        err_set(err, ERR_CONFIG,
                "a vocabulary of %d is more than this text supports; the largest is %d",
                want->vocab, form.merges + 257 + want->n_special);
        return NULL;
    }
    return tokenizer_build(&form, out, err);
}

Tokenizer *tokenizer_train(const Docs *const *docs, int n_docs, const TokenizerWant *want,
                           Arena *out, Err *err)
{
    if (want->vocab < 257 + want->n_special || want->vocab > LARGEST_VOCAB) {
        err_set(err, ERR_CONFIG,
                "a vocabulary of %d cannot be: it holds the 256 bytes and %d special tokens, %d "
                "to %d",
                want->vocab, 1 + want->n_special, 257 + want->n_special, LARGEST_VOCAB);
        return NULL;
    }
    Trainer t = { .scratch = arena_reserve((ptrdiff_t)1 << 34) };
    Tokenizer *made = train(&t, docs, n_docs, want, out, err);
    for (int32_t i = 0; i < t.pairs.len / (ptrdiff_t)sizeof(Pair); i++)
        buf_free(&pair_at(&t, i)->words);
    tokenizer_counts_free(&t.words);
    buf_free(&t.pairs);
    buf_free(&t.heap);
    arena_release(&t.scratch);
    return made;
}
