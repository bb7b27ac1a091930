/* tokenizer_file.c - tokenizers on disk: our file, and GPT-2's two.
 *
 * Ours is one line of JSON (docs/formats/tokenizer.md): merges as pairs of ids, because a token
 * may be bytes that are no text, and because the n-th pair makes token 256 + n, nothing else
 * has to be said.  The bytes of the file are the canonical form that is hashed.
 *
 * GPT-2's vocab.bpe lists merges as two words of a 256-letter alphabet, in which every byte has
 * a printable character; encoder.json gives the ids.  What is read has GPT-2's form: the bytes in
 * any order before 256, merge n at 256 + n, <|endoftext|> last. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "data/tokenizer_parts.h"

enum { LARGEST_VOCAB = 1 << 24 };

void tokenizer_print(const Tokenizer *t, Buf *out)
{
    bool plain = true;
    for (int b = 0; b < 256; b++) plain = plain && t->byte_id[b] == b;
    buf_printf(out, "{");
    if (!plain) {
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
    buf_printf(out, ",\"version\":1,\"vocab\":%d}\n", tokenizer_vocab(t));
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
    const json_t *merges = json_object_get(doc, "merges");
    size_t n = json_array_size(merges);
    if (!json_is_array(merges) || json_int(doc, "vocab", 0) != (int64_t)n + 257) {
        err_set(err, ERR_FORMAT, "\"vocab\" and \"merges\" do not belong together");
        return NULL;
    }
    int32_t byte_id[256], *left = NEW(out, int32_t, (ptrdiff_t)n),
                          *right = NEW(out, int32_t, (ptrdiff_t)n);
    if (!read_byte_ids(doc, byte_id, err) || !read_merges(merges, left, right, err)) return NULL;
    return tokenizer_build(byte_id, left, right, (int)n, out, err);
}

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
    return tokenizer_build(g->byte_id, g->left, g->right, g->merges, out, err);
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
    if (file_is_dir(path)) return gpt2_load(path, out, err);
    return build_from(json_read_file(path, err), path, out, err);
}
