/* tokenizer.c - what a tokenizer is: tokens made by merges, special ones behind them.
 *
 * Two rules say which pairs merge.  Under the one (ours, GPT-2's file) it is those in the list.
 * Under the other (tiktoken's ranks) it is any two tokens whose bytes together are a token, and a
 * word that is a token is not even cut; the list then has one way to make each token, and the
 * map of pairs all of them.  For what byte-pair training gives, the two agree nearly everywhere;
 * "nearly" is why both are here. */
#include <string.h>

#include "base/hash.h"
#include "data/tokenizer_parts.h"

const char *const tokenizer_words_names[] = { "gpt2", "gpt4", NULL };

enum { LARGEST_ID = 1 << 24 };

/* The bytes of all tokens, in id order; false if a merge is wrong. */
static bool lay_out(Tokenizer *t, Arena *out, Err *err)
{
    char *single = NEW(out, char, 256);
    t->longest = 1;
    for (int b = 0; b < 256; b++) {
        single[b] = (char)b;
        t->token[t->byte_id[b]] = (Str){ single + b, 1 };
    }
    for (int i = 0; i < t->merges; i++) {
        int32_t l = t->left[i], r = t->right[i];
        if (l < 0 || r < 0 || l >= 256 + i || r >= 256 + i)
            return err_set(err, ERR_FORMAT, "merge %d joins tokens that come after it", i);
        Str a = t->token[l], b = t->token[r];
        if (a.len + b.len > LONGEST_TOKEN)
            return err_set(err, ERR_FORMAT, "token %d is longer than a megabyte", 256 + i);
        char *both = NEW(out, char, a.len + b.len);
        memcpy(both, a.at, (size_t)a.len);
        memcpy(both + a.len, b.at, (size_t)b.len);
        t->token[256 + i] = (Str){ both, a.len + b.len };
        t->longest = MAX(t->longest, a.len + b.len);
    }
    return true;
}

int32_t tokenizer_find(const Tokenizer *t, const PairMap *whole, Str bytes)
{
    if (bytes.len > t->longest) return -1;
    int32_t id = pairmap_get(whole, tokenizer_name(hash64(bytes.at, bytes.len, 0)));
    return id >= 0 && str_eq(t->token[id], bytes) ? id : -1;
}

/* All the ways to cut token `id` in two tokens. */
static void index_ways(Tokenizer *t, const PairMap *whole, int32_t id)
{
    Str all = t->token[id];
    for (ptrdiff_t k = 1; k < all.len; k++) {
        int32_t left = tokenizer_find(t, whole, (Str){ all.at, k });
        if (left < 0) continue;
        int32_t right = tokenizer_find(t, whole, (Str){ all.at + k, all.len - k });
        if (right >= 0) pairmap_put(&t->pairs, pairmap_key(left, right), id);
    }
}

static bool index_pairs(Tokenizer *t, Arena *out, Err *err)
{
    int n = 256 + t->merges;
    t->pairs = pairmap_new(out, t->merges);
    if (t->rule == RULE_RANKS) t->whole = pairmap_new(out, n);
    Arena mark = *out;
    PairMap local = { 0 }, *whole = t->rule == RULE_RANKS ? &t->whole : &local;
    if (whole == &local) local = pairmap_new(out, n);
    for (int i = 0; i < n; i++) {
        uint64_t name = tokenizer_name(hash64(t->token[i].at, t->token[i].len, 0));
        if (pairmap_get(whole, name) >= 0)
            return err_set(err, ERR_FORMAT, "tokens %d and %d are the same bytes",
                           pairmap_get(whole, name), i);
        pairmap_put(whole, name, i);
    }
    if (whole == &local) arena_rewind(out, mark);
    for (int i = 256; i < n; i++) {
        if (t->rule == RULE_RANKS)
            index_ways(t, whole, i);
        else
            pairmap_put(&t->pairs, pairmap_key(t->left[i - 256], t->right[i - 256]), i);
    }
    return true;
}

/* ---- special tokens ---- */

static bool check_special(const Tokenizer *t, int i, Err *err)
{
    const TokenizerSpecial *s = &t->special[i];
    if (s->text.len == 0) return err_set(err, ERR_FORMAT, "special token %d has no text", i);
    if (s->id < 256 + t->merges || s->id >= LARGEST_ID)
        return err_set(err, ERR_FORMAT, "special token %.*s has the id of another token",
                       (int)MIN(s->text.len, (ptrdiff_t)60), s->text.at);
    for (int k = 0; k < i; k++)
        if (t->special[k].id == s->id || str_eq(t->special[k].text, s->text))
            return err_set(err, ERR_FORMAT, "special tokens %d and %d have the same id or text", k,
                           i);
    return true;
}

static bool take_special(Tokenizer *t, const TokenizerForm *form, Arena *out, Err *err)
{
    const TokenizerSpecial end = { STR("<|endoftext|>"), 256 + t->merges };
    t->n_special = MAX(form->n_special, 1);
    if (t->n_special > TOKENIZER_SPECIAL_MAX)
        return err_set(err, ERR_FORMAT, "%d special tokens are more than %d", t->n_special,
                       TOKENIZER_SPECIAL_MAX);
    t->special = NEW(out, TokenizerSpecial, t->n_special);
    t->vocab = 256 + t->merges;
    for (int i = 0; i < t->n_special; i++) {
        TokenizerSpecial s = form->n_special > 0 ? form->special[i] : end;
        t->special[i] = (TokenizerSpecial){ { arena_str(out, s.text), s.text.len }, s.id };
        if (!check_special(t, i, err)) return false;
        t->vocab = MAX(t->vocab, s.id + 1);
    }
    return true;
}

static void name_tokenizer(Tokenizer *t)
{
    Buf text = { 0 };
    tokenizer_print(t, &text);
    sha256_hex(text.at, text.len, t->sha256);
    buf_free(&text);
}

static Tokenizer *new_tokenizer(const TokenizerForm *form, Arena *out, Err *err)
{
    Tokenizer *t = NEW(out, Tokenizer, 1);
    t->merges = form->merges;
    t->words = form->words;
    t->rule = form->rule;
    memcpy(t->byte_id, form->byte_id, sizeof(t->byte_id));
    pthread_mutex_init(&t->lock, NULL);
    if (!take_special(t, form, out, err)) return NULL;
    t->token = NEW(out, Str, t->vocab);
    return t;
}

Tokenizer *tokenizer_build(const TokenizerForm *form, Arena *out, Err *err)
{
    int merges = form->merges;
    Tokenizer *t = new_tokenizer(form, out, err);
    if (!t) return NULL;
    t->bpe = true;
    t->left = NEW(out, int32_t, merges);
    t->right = NEW(out, int32_t, merges);
    if (merges) memcpy(t->left, form->left, (size_t)merges * sizeof(*t->left));
    if (merges) memcpy(t->right, form->right, (size_t)merges * sizeof(*t->right));
    t->cache = NEW(out, CacheEntry, CACHE_SLOTS);
    if (!lay_out(t, out, err) || !index_pairs(t, out, err)) return NULL;
    name_tokenizer(t);
    return t;
}

Tokenizer *tokenizer_bytes(Arena *out)
{
    TokenizerForm form = { 0 };
    Err never = { 0 };
    for (int b = 0; b < 256; b++) form.byte_id[b] = b;
    Tokenizer *t = new_tokenizer(&form, out, &never);
    CHECK(t && lay_out(t, out, &never), "%s", never.msg);
    name_tokenizer(t);
    return t;
}

/* ---- what others ask ---- */

int tokenizer_vocab(const Tokenizer *t)
{
    return t->vocab;
}

int tokenizer_end(const Tokenizer *t)
{
    return t->special[0].id;
}

bool tokenizer_is_bpe(const Tokenizer *t)
{
    return t->bpe;
}

TokenizerWords tokenizer_words(const Tokenizer *t)
{
    return t->words;
}

const char *tokenizer_sha256(const Tokenizer *t)
{
    return t->sha256;
}

Str tokenizer_bytes_of(const Tokenizer *t, int id)
{
    CHECK(id >= 0 && id < t->vocab, "token %d of %d", id, t->vocab);
    return t->token[id];
}

int tokenizer_merges(const Tokenizer *t)
{
    return t->merges;
}

bool tokenizer_merge(const Tokenizer *t, int i, int *left, int *right)
{
    if (i < 0 || i >= t->merges) return false;
    *left = t->left[i];
    *right = t->right[i];
    return true;
}

const TokenizerSpecial *tokenizer_special(const Tokenizer *t, int *count)
{
    *count = t->n_special;
    return t->special;
}
