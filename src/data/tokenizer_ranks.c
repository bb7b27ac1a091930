/* tokenizer_ranks.c - the files of others: tiktoken's ranks, and Hugging Face's tokenizer.json.
 *
 * A line of ranks is a token in base64 and its number.  There are no merges: two neighbours merge
 * if their bytes together have a rank, lowest rank first.  We keep for each token the two that
 * byte-pair encoding itself would join last, so that the list is a list of merges like any other,
 * and RULE_RANKS beside it, which makes the ids those of tiktoken in every case.
 *
 * tokenizer.json has merges as pairs of words in GPT-2's printable alphabet.  Of ranks it gets
 * every way to make each token, in order of the ranks, and `ignore_merges`, which is their
 * whole-word rule; the pattern stands in it as a pattern. */
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "data/tokenizer_parts.h"

static const char gpt4_pattern[] =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
    "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

enum { GPT4_TOKENS = 100256, MOST_TOKENS = 1 << 24 };

static TokenizerSpecial *gpt4_special(Arena *out, int *n)
{
    static const struct {
        const char *text;
        int32_t id;
    } known[] = { { "<|endoftext|>", 100257 },
                  { "<|fim_prefix|>", 100258 },
                  { "<|fim_middle|>", 100259 },
                  { "<|fim_suffix|>", 100260 },
                  { "<|endofprompt|>", 100276 } };
    TokenizerSpecial *all = NEW(out, TokenizerSpecial, COUNT(known));
    for (int i = 0; i < COUNT(known); i++)
        all[i] = (TokenizerSpecial){ str_of(known[i].text), known[i].id };
    *n = COUNT(known);
    return all;
}

/* ---- base64 ---- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Appends the bytes; false if `text` is no base64. */
static bool from_base64(Str text, Buf *out)
{
    while (text.len > 0 && text.at[text.len - 1] == '=') text.len--;
    unsigned bits = 0;
    for (ptrdiff_t i = 0; i < text.len; i++) {
        const char *digit = text.at[i] ? strchr(digits, text.at[i]) : NULL;
        if (!digit) return false;
        bits = bits << 6 | (unsigned)(digit - digits);
        if (i % 4 > 0) buf_char(out, (char)(bits >> (6 - 2 * (i % 4))));
    }
    return text.len % 4 != 1;
}

static void put_base64(Buf *out, Str bytes)
{
    for (ptrdiff_t i = 0; i < bytes.len; i += 3) {
        unsigned bits = 0;
        for (int k = 0; k < 3; k++)
            bits = bits << 8 | (i + k < bytes.len ? (unsigned char)bytes.at[i + k] : 0);
        for (int k = 0; k < 4; k++)
            buf_char(out, i + k <= bytes.len ? digits[bits >> (18 - 6 * k) & 63] : '=');
    }
}

/* ---- reading ranks ---- */

typedef struct Ranks {
    Buf bytes; /* of all tokens */
    Str *token;
    int n;
    PairMap whole, pairs; /* of the tokens so far */
    TokenizerForm form;
    int32_t *left, *right;
} Ranks;

static bool read_line(Ranks *r, Str line, Err *err)
{
    Str rest = line, word;
    int64_t rank = -1;
    ptrdiff_t begin = r->bytes.len;
    if (!str_cut(&rest, ' ', &word) || !str_to_i64(str_trim(rest), &rank) || rank != r->n ||
        !from_base64(word, &r->bytes) || r->bytes.len == begin)
        return err_set(err, ERR_FORMAT,
                       "line %d is not a token in base64 and its rank %d, as in tiktoken's files",
                       r->n + 1, r->n);
    r->token[r->n++] = (Str){ NULL, r->bytes.len - begin }; /* its place when all are there */
    return true;
}

static bool read_lines(Ranks *r, Str text, Arena *out, Err *err)
{
    int lines = 1;
    for (ptrdiff_t i = 0; i < text.len; i++) lines += text.at[i] == '\n';
    if (lines > MOST_TOKENS) return err_set(err, ERR_FORMAT, "%d lines are too many", lines);
    r->token = NEW(out, Str, lines);
    for (Str line; str_cut(&text, '\n', &line);) {
        line = str_trim(line);
        if (line.len > 0 && !read_line(r, line, err)) return false;
    }
    ptrdiff_t at = 0;
    for (int i = 0; i < r->n; at += r->token[i++].len) r->token[i].at = r->bytes.at + at;
    return r->n >= 256 || err_set(err, ERR_FORMAT, "only %d tokens; the bytes alone are 256", r->n);
}

static int32_t rank_of(const Ranks *r, Str bytes)
{
    int32_t id = pairmap_get(&r->whole, tokenizer_name(hash64(bytes.at, bytes.len, 0)));
    return id >= 0 && str_eq(r->token[id], bytes) ? id : -1;
}

static void add_rank(Ranks *r, int32_t id)
{
    Str all = r->token[id];
    for (ptrdiff_t k = 1; k < all.len; k++) {
        int32_t left = rank_of(r, (Str){ all.at, k });
        int32_t right = left < 0 ? -1 : rank_of(r, (Str){ all.at + k, all.len - k });
        if (right >= 0) pairmap_put(&r->pairs, pairmap_key(left, right), id);
    }
    pairmap_put(&r->whole, tokenizer_name(hash64(all.at, all.len, 0)), id);
}

static bool read_bytes(Ranks *r, Err *err)
{
    bool taken[256] = { 0 };
    for (int i = 0; i < 256; i++) {
        unsigned char byte = (unsigned char)r->token[i].at[0];
        if (r->token[i].len != 1 || taken[byte])
            return err_set(err, ERR_FORMAT, "the first 256 tokens are not the bytes");
        taken[byte] = true;
        r->form.byte_id[byte] = i;
        add_rank(r, i);
    }
    return true;
}

/* What the tokens before it make of token `id`: two of them, if it is a merge. */
static bool find_merge(Ranks *r, int32_t id, Buf *ids, Err *err)
{
    Str all = r->token[id];
    if (all.len > LONGEST_TOKEN)
        return err_set(err, ERR_FORMAT, "token %d is longer than a megabyte", id);
    buf_clear(ids);
    for (ptrdiff_t i = 0; i < all.len; i++)
        buf_put(ids, &r->form.byte_id[(unsigned char)all.at[i]], 4);
    int32_t *at = (int32_t *)(void *)ids->at;
    if (tokenizer_merge_word(&r->pairs, at, (int)all.len) != 2)
        return err_set(err, ERR_FORMAT,
                       "token %d is no merge of two tokens before it, so byte-pair encoding "
                       "cannot reach it",
                       id);
    r->left[id - 256] = at[0];
    r->right[id - 256] = at[1];
    add_rank(r, id);
    return true;
}

static bool find_merges(Ranks *r, Arena *out, Err *err)
{
    Buf ids = { 0 };
    r->form.merges = r->n - 256;
    r->form.left = r->left = NEW(out, int32_t, r->form.merges);
    r->form.right = r->right = NEW(out, int32_t, r->form.merges);
    r->whole = pairmap_new(out, r->n);
    r->pairs = pairmap_new(out, 2 * (int64_t)r->n);
    bool ok = read_bytes(r, err);
    for (int32_t id = 256; ok && id < r->n; id++) ok = find_merge(r, id, &ids, err);
    buf_free(&ids);
    return ok;
}

Tokenizer *tokenizer_load_ranks(Str text, Arena *out, Err *err)
{
    Ranks r = { .form = { .rule = RULE_RANKS } };
    Arena scratch = arena_reserve((ptrdiff_t)1 << 32);
    Tokenizer *t = NULL;
    if (read_lines(&r, text, &scratch, err) && find_merges(&r, &scratch, err)) {
        if (r.n == GPT4_TOKENS) {
            r.form.words = WORDS_GPT4;
            r.form.special = gpt4_special(&scratch, &r.form.n_special);
        }
        t = tokenizer_build(&r.form, out, err);
    }
    buf_free(&r.bytes);
    arena_release(&scratch);
    return t;
}

/* ---- writing ---- */

static bool refuse_bytes(const Tokenizer *t, Err *err)
{
    return t->bpe || err_set(err, ERR_CONFIG,
                             "a tokenizer of bytes has no merges that other programs could read");
}

bool tokenizer_print_ranks(const Tokenizer *t, Buf *out, Err *err)
{
    if (!refuse_bytes(t, err)) return false;
    for (int id = 0; id < 256 + t->merges; id++) {
        put_base64(out, t->token[id]);
        buf_printf(out, " %d\n", id);
    }
    return true;
}

static json_t *letters(const Tokenizer *t, int32_t id)
{
    Buf word = { 0 };
    tokenizer_put_letters(&word, t->token[id]);
    json_t *text = json_text(buf_view(&word));
    buf_free(&word);
    return text;
}

static json_t *json_vocab(const Tokenizer *t)
{
    json_t *vocab = json_object();
    for (int32_t id = 0; id < 256 + t->merges; id++) {
        json_t *word = letters(t, id);
        json_object_set_new(vocab, json_string_value(word), json_integer(id));
        json_decref(word);
    }
    return vocab;
}

static void put_pair(const Tokenizer *t, int32_t left, int32_t right, json_t *all)
{
    json_array_append_new(all, json_pack("[o,o]", letters(t, left), letters(t, right)));
}

static json_t *json_merges(const Tokenizer *t)
{
    json_t *all = json_array();
    for (int i = 0; i < t->merges; i++) {
        Str whole = t->token[256 + i];
        if (t->rule == RULE_MERGES) put_pair(t, t->left[i], t->right[i], all);
        for (ptrdiff_t k = 1; t->rule == RULE_RANKS && k < whole.len; k++) {
            int32_t left = tokenizer_find(t, &t->whole, (Str){ whole.at, k });
            int32_t right = tokenizer_find(t, &t->whole, (Str){ whole.at + k, whole.len - k });
            if (left >= 0 && right >= 0) put_pair(t, left, right, all);
        }
    }
    return all;
}

static json_t *json_specials(const Tokenizer *t)
{
    json_t *all = json_array();
    for (int i = 0; i < t->n_special; i++)
        json_array_append_new(all,
                              json_pack("{s:i,s:o,s:b,s:b,s:b,s:b,s:b}", "id", t->special[i].id,
                                        "content", json_text(t->special[i].text), "single_word", 0,
                                        "lstrip", 0, "rstrip", 0, "normalized", 0, "special", 1));
    return all;
}

static json_t *json_byte_level(bool use_regex)
{
    return json_pack("{s:s,s:b,s:b,s:b}", "type", "ByteLevel", "add_prefix_space", 0,
                     "trim_offsets", 1, "use_regex", use_regex);
}

static json_t *json_words(const Tokenizer *t)
{
    if (t->words == WORDS_GPT2) return json_byte_level(true);
    return json_pack("{s:s,s:[{s:s,s:{s:s},s:s,s:b},o]}", "type", "Sequence", "pretokenizers",
                     "type", "Split", "pattern", "Regex", gpt4_pattern, "behavior", "Isolated",
                     "invert", 0, json_byte_level(false));
}

bool tokenizer_print_json(const Tokenizer *t, Buf *out, Err *err)
{
    if (!refuse_bytes(t, err)) return false;
    json_t *model = json_pack(
        "{s:s,s:n,s:n,s:n,s:n,s:b,s:b,s:b,s:o,s:o}", "type", "BPE", "dropout", "unk_token",
        "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", 0, "byte_fallback", 0,
        "ignore_merges", t->rule == RULE_RANKS, "vocab", json_vocab(t), "merges", json_merges(t));
    json_t *doc = json_pack("{s:s,s:n,s:n,s:o,s:n,s:o,s:n,s:o,s:o}", "version", "1.0", "truncation",
                            "padding", "added_tokens", json_specials(t), "normalizer",
                            "pre_tokenizer", json_words(t), "post_processor", "decoder",
                            json_byte_level(true), "model", model);
    CHECK(doc, "a tokenizer as JSON");
    json_write(doc, false, out);
    buf_char(out, '\n');
    json_decref(doc);
    return true;
}
