/* tokenizer_file.c - tokenizers on disk: our file, and GPT-2's two; others in tokenizer_ranks.c.
 *
 * Ours is one line of JSON (docs/formats/tokenizer.md): merges as pairs of ids, because a token
 * may be bytes that are no text, and because the n-th pair makes token 256 + n, nothing else
 * has to be said.  The bytes of the file are the canonical form that is hashed.
 *
 * GPT-2's vocab.bpe lists merges as two words of a 256-letter alphabet, in which every byte has
 * a printable character; encoder.json gives the ids.  What is read has GPT-2's form: the bytes in
 * any order before 256, merge n at 256 + n, <|endoftext|> last. */
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "data/tokenizer_parts.h"

enum { LARGEST_VOCAB = 1 << 24 };

static bool plain_bytes(const Tokenizer *t)
{
    for (int b = 0; b < 256; b++)
        if (t->byte_id[b] != b) return false;
    return true;
}

/* Only the end of text, and right behind the merges. */
static bool plain_special(const Tokenizer *t)
{
    return t->n_special == 1 && t->special[0].id == 256 + t->merges &&
           str_eq(t->special[0].text, STR("<|endoftext|>"));
}

static void print_special(const Tokenizer *t, Buf *out)
{
    json_t *all = json_array();
    for (int i = 0; i < t->n_special; i++)
        json_array_append_new(all, json_pack("{s:i, s:o}", "id", t->special[i].id, "text",
                                             json_text(t->special[i].text)));
    buf_printf(out, ",\"special\":");
    json_write(all, false, out);
    json_decref(all);
}

void tokenizer_print(const Tokenizer *t, Buf *out)
{
    buf_printf(out, "{");
    if (!plain_bytes(t)) {
        buf_printf(out, "\"bytes\":[%d", t->byte_id[0]);
        for (int b = 1; b < 256; b++) buf_printf(out, ",%d", t->byte_id[b]);
        buf_printf(out, "],");
    }
    buf_printf(out, "\"format\":\"lathe tokenizer\",\"kind\":\"%s\"", t->bpe ? "bpe" : "bytes");
    if (t->bpe) {
        buf_printf(out, ",\"merges\":[");
        for (int i = 0; i < t->merges; i++)
            buf_printf(out, "%s[%d,%d]", i ? "," : "", t->left[i], t->right[i]);
        buf_printf(out, "]");
    }
    if (t->rule == RULE_RANKS) buf_printf(out, ",\"rule\":\"ranks\"");
    if (!plain_special(t)) print_special(t, out);
    buf_printf(out, ",\"version\":1,\"vocab\":%d", tokenizer_vocab(t));
    if (t->words == WORDS_GPT4) buf_printf(out, ",\"words\":\"gpt4\"");
    buf_printf(out, "}\n");
}

bool tokenizer_save(const Tokenizer *t, const char *path, Err *err)
{
    Buf text = { 0 };
    tokenizer_print(t, &text);
    bool ok = file_write_whole(path, buf_view(&text), err);
    buf_free(&text);
    return ok;
}

/* A whole number in [0, limit), or -1. */
static int32_t id_of(const json_t *x, int64_t limit)
{
    if (!json_is_integer(x)) return -1;
    int64_t id = json_integer_value(x);
    return id >= 0 && id < limit ? (int32_t)id : -1;
}

static bool read_byte_ids(const json_t *doc, int32_t byte_id[256], Err *err)
{
    const json_t *list = json_object_get(doc, "bytes");
    bool taken[256] = { 0 };
    for (int b = 0; b < 256; b++) {
        int32_t id = list ? id_of(json_array_get(list, (size_t)b), 256) : b;
        if (id < 0 || taken[id])
            return err_set(err, ERR_FORMAT, "\"bytes\" does not give each byte an id of its own");
        taken[id] = true;
        byte_id[b] = id;
    }
    return true;
}

static bool read_merges(const json_t *list, int32_t *left, int32_t *right, Err *err)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *pair = json_array_get(list, i);
        left[i] = id_of(json_array_get(pair, 0), LARGEST_VOCAB);
        right[i] = id_of(json_array_get(pair, 1), LARGEST_VOCAB);
        if (json_array_size(pair) != 2 || left[i] < 0 || right[i] < 0)
            return err_set(err, ERR_FORMAT, "merge %zu is not a pair of ids", i);
    }
    return true;
}

/* special: (TOKENIZER_SPECIAL_MAX) */
static bool read_special(const json_t *doc, TokenizerForm *form, TokenizerSpecial *special,
                         Err *err)
{
    const json_t *list = json_object_get(doc, "special");
    size_t n = json_array_size(list);
    if (n > TOKENIZER_SPECIAL_MAX)
        return err_set(err, ERR_FORMAT, "more than %d special tokens", TOKENIZER_SPECIAL_MAX);
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(list, i);
        special[i] = (TokenizerSpecial){ str_of(json_str(one, "text", "")),
                                         id_of(json_object_get(one, "id"), LARGEST_VOCAB) };
        if (special[i].id < 0) return err_set(err, ERR_FORMAT, "special token %zu has no id", i);
    }
    form->special = special;
    form->n_special = (int)n;
    return true;
}

static bool read_choices(const json_t *doc, TokenizerForm *form, Err *err)
{
    const char *rule = json_str(doc, "rule", "merges"), *words = json_str(doc, "words", "gpt2");
    form->rule = strcmp(rule, "ranks") == 0 ? RULE_RANKS : RULE_MERGES;
    form->words = strcmp(words, "gpt4") == 0 ? WORDS_GPT4 : WORDS_GPT2;
    if (form->rule == RULE_MERGES && strcmp(rule, "merges") != 0)
        return err_set(err, ERR_FORMAT, "the rule \"%s\" is of a newer version of this program",
                       rule);
    if (form->words == WORDS_GPT2 && strcmp(words, "gpt2") != 0)
        return err_set(err, ERR_FORMAT, "the words \"%s\" are of a newer version of this program",
                       words);
    return true;
}

static Tokenizer *bpe_from_json(const json_t *doc, Arena *out, Err *err)
{
    const json_t *merges = json_object_get(doc, "merges");
    TokenizerForm form = { .merges = (int)json_array_size(merges) };
    int32_t *left = NEW(out, int32_t, form.merges), *right = NEW(out, int32_t, form.merges);
    TokenizerSpecial *special = NEW(out, TokenizerSpecial, TOKENIZER_SPECIAL_MAX);
    form.left = left;
    form.right = right;
    if (!read_byte_ids(doc, form.byte_id, err) || !read_merges(merges, left, right, err) ||
        !read_special(doc, &form, special, err) || !read_choices(doc, &form, err))
        return NULL;
    Tokenizer *t = tokenizer_build(&form, out, err);
    if (t && json_int(doc, "vocab", 0) != t->vocab) {
        err_set(err, ERR_FORMAT, "\"vocab\" and \"merges\" do not belong together");
        return NULL;
    }
    return t;
}

static Tokenizer *from_json(const json_t *doc, Arena *out, Err *err)
{
    if (strcmp(json_str(doc, "format", ""), "lathe tokenizer") != 0) {
        err_set(err, ERR_FORMAT, "not a tokenizer (\"format\" is not \"lathe tokenizer\")");
        return NULL;
    }
    if (json_int(doc, "version", 0) != 1) {
        err_set(err, ERR_FORMAT, "written by a newer version of this program");
        return NULL;
    }
    if (strcmp(json_str(doc, "kind", ""), "bytes") == 0) return tokenizer_bytes(out);
    if (!json_is_array(json_object_get(doc, "merges")) ||
        json_array_size(json_object_get(doc, "merges")) > LARGEST_VOCAB) {
        err_set(err, ERR_FORMAT, "\"merges\" is not a list of pairs");
        return NULL;
    }
    return bpe_from_json(doc, out, err);
}

/* ---- GPT-2's two files ---- */

/* GPT-2's alphabet: printable bytes stand for themselves, the others, in order, for U+0100
 * and on.  Gives the character of each byte. */
static void gpt2_alphabet(unsigned letter[256])
{
    unsigned next = 256;
    for (unsigned b = 0; b < 256; b++) {
        bool printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
        letter[b] = printable ? b : next++;
    }
}

static void put_letter(Buf *out, unsigned c)
{
    if (c >= 0x80) buf_char(out, (char)(0xC0 | c >> 6));
    buf_char(out, (char)(c < 0x80 ? c : 0x80 | (c & 0x3F)));
}

void tokenizer_put_letters(Buf *out, Str bytes)
{
    unsigned letter[256];
    gpt2_alphabet(letter);
    for (ptrdiff_t i = 0; i < bytes.len; i++) put_letter(out, letter[(unsigned char)bytes.at[i]]);
}

/* Id of a word in encoder.json, -1 if it has none. */
static int32_t gpt2_id(const json_t *encoder, Str word)
{
    return id_of(json_object_getn(encoder, word.at, (size_t)word.len), LARGEST_VOCAB);
}

static bool gpt2_byte_ids(const json_t *encoder, const unsigned letter[256], int32_t byte_id[256],
                          Err *err)
{
    for (int b = 0; b < 256; b++) {
        unsigned c = letter[b];
        char utf8[2] = { (char)(c < 0x80 ? c : 0xC0 | c >> 6), (char)(0x80 | (c & 0x3F)) };
        byte_id[b] = gpt2_id(encoder, (Str){ utf8, c < 0x80 ? 1 : 2 });
        if (byte_id[b] < 0 || byte_id[b] > 255)
            return err_set(err, ERR_FORMAT, "encoder.json: byte %d has no id below 256", b);
    }
    return true;
}

typedef struct Gpt2 {
    unsigned letter[256];
    int32_t byte_id[256], *left, *right;
    int merges;
} Gpt2;

/* One line "left right" of vocab.bpe. */
static bool gpt2_merge(Gpt2 *g, const json_t *encoder, Str line, Err *err)
{
    Str rest = line, left, right, joint;
    Buf both = { 0 };
    bool ok = str_cut(&rest, ' ', &left) && str_cut(&rest, ' ', &right) && !rest.at;
    if (ok) buf_str(&both, left), buf_str(&both, right);
    joint = buf_view(&both);
    int32_t id = ok ? gpt2_id(encoder, joint) : -1;
    if (ok)
        g->left[g->merges] = gpt2_id(encoder, left), g->right[g->merges] = gpt2_id(encoder, right);
    buf_free(&both);
    if (id != 256 + g->merges)
        return err_set(err, ERR_FORMAT,
                       "vocab.bpe: merge %d (\"%.*s\") is not token %d of encoder.json", g->merges,
                       (int)MIN(line.len, (ptrdiff_t)60), line.at, 256 + g->merges);
    g->merges++;
    return true;
}

static Tokenizer *gpt2_read(Str merges, const json_t *encoder, Arena *out, Err *err)
{
    Gpt2 *g = NEW(out, Gpt2, 1);
    ptrdiff_t most = (ptrdiff_t)json_object_size(encoder);
    g->left = NEW(out, int32_t, most + 1);
    g->right = NEW(out, int32_t, most + 1);
    gpt2_alphabet(g->letter);
    if (!gpt2_byte_ids(encoder, g->letter, g->byte_id, err)) return NULL;
    for (Str line; str_cut(&merges, '\n', &line);) {
        if (line.len == 0 || str_starts(line, STR("#version"))) continue;
        if (g->merges >= most || !gpt2_merge(g, encoder, line, err)) return NULL;
    }
    if (most != g->merges + 257 || gpt2_id(encoder, STR("<|endoftext|>")) != g->merges + 256) {
        err_set(err, ERR_FORMAT, "encoder.json has other tokens than vocab.bpe and <|endoftext|>");
        return NULL;
    }
    TokenizerForm form = { .left = g->left, .right = g->right, .merges = g->merges };
    memcpy(form.byte_id, g->byte_id, sizeof(form.byte_id));
    return tokenizer_build(&form, out, err);
}

static Tokenizer *gpt2_load(const char *folder, Arena *out, Err *err)
{
    Str merges;
    if (!file_read_arena(arena_printf(out, "%s/vocab.bpe", folder), out, &merges, err)) return NULL;
    json_t *encoder = json_read_file(arena_printf(out, "%s/encoder.json", folder), err);
    if (!encoder) return NULL;
    Tokenizer *t = gpt2_read(merges, encoder, out, err);
    json_decref(encoder);
    if (!t) err_wrap(err, "%s", folder);
    return t;
}

/* Takes over `doc`, which may be NULL. */
static Tokenizer *build_from(json_t *doc, const char *what, Arena *out, Err *err)
{
    if (!doc) return NULL;
    Tokenizer *t = from_json(doc, out, err);
    json_decref(doc);
    if (!t) err_wrap(err, "%s", what);
    return t;
}

Tokenizer *tokenizer_parse(Str text, const char *what, Arena *out, Err *err)
{
    return build_from(json_read(text, what, err), what, out, err);
}

Tokenizer *tokenizer_load(const char *path, Arena *out, Err *err)
{
    Str text;
    if (file_is_dir(path)) return gpt2_load(path, out, err);
    if (!file_read_arena(path, out, &text, err)) return NULL;
    Str front = str_trim((Str){ text.at, MIN(text.len, (ptrdiff_t)64) });
    if (front.len == 0 || front.at[0] == '{') return tokenizer_parse(text, path, out, err);
    Tokenizer *t = tokenizer_load_ranks(text, out, err);
    if (!t) err_wrap(err, "%s", path);
    return t;
}
