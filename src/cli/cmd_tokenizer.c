/* cmd_tokenizer.c - train, encode, decode and look at tokenizers.
 *
 * All but training work outside a lab too, with --tokenizer: a file of ours, a folder with GPT-2's
 * vocab.bpe and encoder.json, or the word bytes.  Inside a lab and without it, the tokenizer is
 * the one that the next run would use. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/cmd.h"
#include "cli/cmd_tokenizer.h"
#include "data/corpus.h"
#include "data/mixture.h"
#include "train/recipe.h"

const char cmd_tokenizer_path_doc[] =
    "file of ours, tiktoken's ranks, folder with GPT-2's vocab.bpe and encoder.json, or bytes";

/* ---- which tokenizer, which text ---- */

/* Of the champion's recipe, or of the plain one in a new lab. */
static const Tokenizer *lab_tokenizer(Cmd *c, Err *err)
{
    Recipe recipe;
    Mixture m = { 0 };
    const char *champion = arena_printf(c->arena, "%s/recipes/champion.toml", c->lab);
    recipe_default(&recipe, c->arena);
    if (file_exists(champion) && !recipe_read(&recipe, champion, c->arena, err)) return NULL;
    if (!recipe_ours(&recipe, "the champion's tokenizer", err)) return NULL;
    if (!mixture_open(&m, c->lab, &recipe.knobs, c->arena, err)) return NULL;
    const Tokenizer *t = m.tokenizer;
    mixture_close(&m);
    return t;
}

const Tokenizer *cmd_tokenizer_find(Cmd *c, Err *err)
{
    const char *path = cmd_value(c, "tokenizer", NULL);
    if (path && strcmp(path, "bytes") == 0) return tokenizer_bytes(c->arena);
    if (path) return tokenizer_load(path, c->arena, err);
    if (c->lab) return lab_tokenizer(c, err);
    err_set(err, ERR_CONFIG,
            "which tokenizer? name one with --tokenizer PATH, or call this inside a lab");
    return NULL;
}

/* The whole of a file; standard input for "-" or nothing (by its stream: it may be a socket, which
 * has no name that could be opened). */
static bool read_input(const char *path, Buf *text, Err *err)
{
    char some[1 << 16];
    if (path && strcmp(path, "-") != 0) return file_read(path, text, err);
    for (size_t n; (n = fread(some, 1, sizeof(some), stdin)) > 0;)
        buf_put(text, some, (ptrdiff_t)n);
    return !ferror(stdin) || err_errno(err, "cannot read standard input");
}

static const int32_t *ids_of(const Buf *ids)
{
    return (const int32_t *)(const void *)ids->at;
}

/* ---- train ---- */

static const CmdOpt train_opts[] = {
    { "vocab", 0, "N", "tokens in all: 256 bytes, merges, special tokens (1024)" },
    { "words", 0, "NAME", "where words are cut: gpt2 or gpt4 (gpt2)" },
    { "special", 0, "LIST", "special tokens beside the end of text: \"<|user|>,<|bot|>\"" },
    { "threads", 0, "N", "that count words (one per core); the result is the same" },
    { "output", 'o', "FILE", "where to (tokenizers/DATA-N.json in the lab)" },
    { 0 },
};

static bool open_sets(Cmd *c, Docs *docs, int *opened, Err *err)
{
    for (; *opened < c->n_args; ++*opened) {
        const char *name = c->arg[*opened], *stem = corpus_train_stem(c->lab, name, c->arena);
        if (!file_exists(arena_printf(c->arena, "%s.idx", stem)))
            return err_set(err, ERR_CONFIG,
                           "the lab has no data set %s; `lathe data list` shows what it has", name);
        if (!docs_open(&docs[*opened], stem, err)) return err_wrap(err, "data set %s", name);
    }
    return true;
}

static Tokenizer *train_on(Cmd *c, const TokenizerWant *want, int64_t *bytes, Err *err)
{
    Docs *docs = NEW(c->arena, Docs, c->n_args);
    const Docs **list = NEW(c->arena, const Docs *, c->n_args);
    int opened = 0;
    bool ok = open_sets(c, docs, &opened, err);
    for (int i = 0; i < opened; i++) list[i] = &docs[i], *bytes += docs[i].bytes;
    Tokenizer *t = ok ? tokenizer_train(list, opened, want, c->arena, err) : NULL;
    for (int i = 0; i < opened; i++) docs_close(&docs[i]);
    return t;
}

static bool read_words(const Cmd *c, TokenizerWords *words, Err *err)
{
    const char *name = cmd_value(c, "words", "gpt2");
    for (int i = 0; tokenizer_words_names[i]; i++) {
        *words = (TokenizerWords)i;
        if (strcmp(name, tokenizer_words_names[i]) == 0) return true;
    }
    return err_set(err, ERR_CONFIG, "--words %s: it is gpt2 or gpt4", name);
}

static bool read_want(Cmd *c, TokenizerWant *want, Err *err)
{
    double vocab, threads;
    if (!cmd_number(c, "vocab", 1024, 257, 1 << 20, &vocab, err) ||
        !cmd_number(c, "threads", 0, 0, 64, &threads, err) || !read_words(c, &want->words, err))
        return false;
    want->vocab = (int)vocab;
    want->threads = (int)threads;
    Str rest = str_of(cmd_value(c, "special", "")), item;
    Str *list = NEW(c->arena, Str, rest.len + 1);
    while (rest.len > 0 && str_cut(&rest, ',', &item)) {
        if (item.len == 0)
            return err_set(err, ERR_CONFIG, "--special has an empty name between commas");
        list[want->n_special++] = item;
    }
    want->special = list;
    return true;
}

static bool run_train(Cmd *c, Err *err)
{
    TokenizerWant want = { 0 };
    int64_t bytes = 0;
    if (!read_want(c, &want, err)) return false;
    Tokenizer *t = train_on(c, &want, &bytes, err);
    if (!t) return false;
    const char *path = cmd_value(c, "output", NULL);
    if (!path) {
        if (!file_make_dirs(arena_printf(c->arena, "%s/tokenizers", c->lab), err)) return false;
        path = arena_printf(c->arena, "%s/tokenizers/%s-%d.json", c->lab, c->arg[0], want.vocab);
    }
    if (!tokenizer_save(t, path, err)) return false;
    char size[32];
    if (c->json)
        cmd_print_json(json_pack("{s:s, s:i, s:I, s:s}", "path", path, "vocab", tokenizer_vocab(t),
                                 "bytes", (json_int_t)bytes, "sha256", tokenizer_sha256(t)));
    else
        printf("%s: %d tokens, learned from %s\n", path, tokenizer_vocab(t),
               str_bytes(size, (double)bytes));
    return true;
}

const CmdDef cmd_tokenizer_train = {
    .name = "tokenizer train",
    .args = "DATA...",
    .doc = "learn a byte-pair encoding from data sets",
    .more =
        "The training text is cut into words as GPT-2 or GPT-4 does it, all of them are counted, "
        "and the most frequent pair of neighbours is merged again and again. "
        "Runs train the tokenizer that their recipe asks for by themselves; this is for one "
        "that is to be shared: set tokenizer.path to its file.",
    .opts = train_opts,
    .min_args = 1,
    .max_args = MIXTURE_MAX,
    .needs_lab = true,
    .json = true,
    .run = run_train,
};

/* ---- encode ---- */

static const CmdOpt encode_opts[] = {
    { "tokenizer", 't', "PATH", cmd_tokenizer_path_doc },
    { "count", 0, NULL, "only how many" },
    { "special", 0, NULL, "take \"<|endoftext|>\" and its like for the tokens, not for text" },
    { 0 },
};

static json_t *count_json(int64_t bytes, const Buf *ids, bool all)
{
    json_t *doc =
        json_pack("{s:I, s:I}", "bytes", (json_int_t)bytes, "tokens", (json_int_t)(ids->len / 4));
    if (!all) return doc;
    json_t *list = json_array();
    for (ptrdiff_t i = 0; i < ids->len / 4; i++)
        json_array_append_new(list, json_integer(ids_of(ids)[i]));
    json_object_set_new(doc, "ids", list);
    return doc;
}

static void print_ids(const Buf *ids)
{
    for (ptrdiff_t i = 0; i < ids->len / 4; i++) printf(i ? " %d" : "%d", ids_of(ids)[i]);
    printf("\n");
}

static bool run_encode(Cmd *c, Err *err)
{
    Buf text = { 0 }, ids = { 0 };
    const Tokenizer *t = cmd_tokenizer_find(c, err);
    bool ok = t && read_input(c->n_args ? c->arg[0] : NULL, &text, err);
    if (ok && cmd_has(c, "special"))
        tokenizer_encode_special(t, buf_view(&text), &ids);
    else if (ok)
        tokenizer_encode(t, buf_view(&text), &ids);
    if (ok && c->json)
        cmd_print_json(count_json(text.len, &ids, !cmd_has(c, "count")));
    else if (ok && cmd_has(c, "count"))
        printf("%td bytes, %td tokens\n", text.len, ids.len / 4);
    else if (ok)
        print_ids(&ids);
    buf_free(&text);
    buf_free(&ids);
    return ok;
}

const CmdDef cmd_tokenizer_encode = {
    .name = "tokenizer encode",
    .args = "[FILE]",
    .doc = "text to token ids; - or nothing is standard input",
    .more =
        "Works anywhere with --tokenizer; without it, inside a lab, the tokenizer is the one that "
        "the next run would use. Without --special, special tokens are never among the ids.",
    .opts = encode_opts,
    .max_args = 1,
    .json = true,
    .run = run_encode,
};

/* ---- decode ---- */

static const CmdOpt decode_opts[] = { { "tokenizer", 't', "PATH", cmd_tokenizer_path_doc }, { 0 } };

/* Whole numbers with anything like " ,\n[]" between them. */
static bool parse_ids(Str text, int vocab, Buf *ids, Err *err)
{
    const char *s = text.at, *end = s + text.len;
    while (s < end) {
        const char *from = s;
        int64_t id;
        if (memchr(" \t\r\n,[]", *s, 8)) {
            s++;
            continue;
        }
        while (s < end && !memchr(" \t\r\n,[]", *s, 8)) s++;
        Str word = { from, s - from };
        if (!str_to_i64(word, &id) || id < 0 || id >= vocab)
            return err_set(err, ERR_FORMAT, "%.*s is no token of this tokenizer: ids are 0 to %d",
                           (int)MIN(word.len, (ptrdiff_t)40), word.at, vocab - 1);
        int32_t narrow = (int32_t)id;
        buf_put(ids, &narrow, 4);
    }
    return true;
}

static bool run_decode(Cmd *c, Err *err)
{
    Buf text = { 0 }, ids = { 0 };
    const Tokenizer *t = cmd_tokenizer_find(c, err);
    bool ok = t && read_input(c->n_args ? c->arg[0] : NULL, &text, err) &&
              parse_ids(buf_view(&text), tokenizer_vocab(t), &ids, err);
    buf_clear(&text);
    if (ok) tokenizer_decode(t, ids_of(&ids), ids.len / 4, &text);
    if (ok) fwrite(text.at, 1, (size_t)text.len, stdout);
    buf_free(&text);
    buf_free(&ids);
    return ok;
}

const CmdDef cmd_tokenizer_decode = {
    .name = "tokenizer decode",
    .args = "[FILE]",
    .doc = "token ids to the bytes they stand for",
    .more = "The ids are decimal, with spaces, commas or lines between them, as `tokenizer encode` "
            "prints them. The end of text stands for no bytes.",
    .opts = decode_opts,
    .max_args = 1,
    .run = run_decode,
};

/* ---- stats ---- */

static const CmdOpt stats_opts[] = { { "tokenizer", 't', "PATH", cmd_tokenizer_path_doc }, { 0 } };

enum { SHOWN = 12 };

typedef struct Stats {
    const Tokenizer *t;
    int64_t bytes, tokens;
    int64_t *count;                  /* (vocab) */
    int used, *by_count, *by_length; /* used: tokens that occur at all; ids in order */
} Stats;

static void count_text(Stats *s, Str text)
{
    Buf ids = { 0 };
    tokenizer_encode(s->t, text, &ids);
    for (ptrdiff_t i = 0; i < ids.len / 4; i++) s->count[ids_of(&ids)[i]]++;
    s->tokens += ids.len / 4;
    s->bytes += text.len;
    buf_free(&ids);
}

/* A file if there is one, else a data set of the lab. */
static bool count_input(Cmd *c, Stats *s, Err *err)
{
    Buf text = { 0 };
    Docs docs;
    if (c->n_args == 0) return true;
    const char *stem = c->lab ? corpus_train_stem(c->lab, c->arg[0], c->arena) : NULL;
    if (stem && !file_exists(c->arg[0]) && file_exists(arena_printf(c->arena, "%s.idx", stem))) {
        if (!docs_open(&docs, stem, err)) return false;
        for (int64_t i = 0; i < docs.count; i++) count_text(s, docs_get(&docs, i));
        docs_close(&docs);
        return true;
    }
    bool ok = read_input(c->arg[0], &text, err);
    if (ok) count_text(s, buf_view(&text));
    buf_free(&text);
    return ok;
}

static int by_count(const void *a, const void *b, void *stats)
{
    const Stats *s = stats;
    int x = *(const int *)a, y = *(const int *)b;
    if (s->count[x] != s->count[y]) return s->count[x] < s->count[y] ? 1 : -1;
    return x - y;
}

static int by_length(const void *a, const void *b, void *stats)
{
    const Stats *s = stats;
    int x = *(const int *)a, y = *(const int *)b;
    ptrdiff_t p = tokenizer_bytes_of(s->t, x).len, q = tokenizer_bytes_of(s->t, y).len;
    return p != q ? (p < q ? 1 : -1) : x - y;
}

static void rank_tokens(Cmd *c, Stats *s)
{
    int V = tokenizer_vocab(s->t);
    s->by_count = NEW(c->arena, int, V);
    s->by_length = NEW(c->arena, int, V);
    for (int i = 0; i < V; i++) s->by_count[i] = s->by_length[i] = i, s->used += s->count[i] > 0;
    qsort_r(s->by_count, (size_t)V, sizeof(int), by_count, s);
    qsort_r(s->by_length, (size_t)V, sizeof(int), by_length, s);
}

static double per_token(const Stats *s)
{
    return s->tokens ? (double)s->bytes / (double)s->tokens : 0;
}

static json_t *texts_json(const Stats *s, const int *order, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(list, json_text(tokenizer_bytes_of(s->t, order[i])));
    return list;
}

static json_t *stats_json(const Stats *s)
{
    int V = tokenizer_vocab(s->t);
    json_t *doc = json_pack(
        "{s:s, s:i, s:s, s:o}", "kind", tokenizer_is_bpe(s->t) ? "bpe" : "bytes", "vocab", V,
        "sha256", tokenizer_sha256(s->t), "longest", texts_json(s, s->by_length, MIN(V, SHOWN)));
    if (s->tokens)
        json_object_update_new(
            doc, json_pack("{s:I, s:I, s:f, s:i, s:o}", "bytes", (json_int_t)s->bytes, "tokens",
                           (json_int_t)s->tokens, "bytes_per_token", per_token(s), "used", s->used,
                           "frequent", texts_json(s, s->by_count, MIN(s->used, SHOWN))));
    return doc;
}

/* In quotes, with what a terminal should not get written as \xNN. */
static void print_token(Str token)
{
    Buf b = { 0 };
    for (const char *s = token.at, *end = s + token.len; s < end;) {
        int n = utf8_len(s, end);
        if (n == 0 || (unsigned char)*s < ' ' || *s == 0x7F)
            buf_printf(&b, "\\x%02X", (unsigned char)*s), n = 1;
        else
            buf_put(&b, s, n);
        s += n;
    }
    printf(" \"%.*s\"%s", (int)MIN(b.len, (ptrdiff_t)60), b.at ? b.at : "",
           b.len > 60 ? "..." : "");
    buf_free(&b);
}

static void print_stats(const Stats *s)
{
    int V = tokenizer_vocab(s->t);
    char bytes[32], tokens[32];
    printf("%s, %d tokens, %.12s\nlongest:",
           tokenizer_is_bpe(s->t) ? "byte-pair encoding" : "bytes", V, tokenizer_sha256(s->t));
    for (int i = 0; i < MIN(V, SHOWN); i++) print_token(tokenizer_bytes_of(s->t, s->by_length[i]));
    if (s->tokens) {
        printf("\n%s, %s tokens: %.3f bytes per token; %d of %d tokens (%.0f %%) occur\nfrequent:",
               str_bytes(bytes, (double)s->bytes), str_count(tokens, (double)s->tokens),
               per_token(s), s->used, V, 100.0 * s->used / V);
        for (int i = 0; i < MIN(s->used, SHOWN); i++)
            print_token(tokenizer_bytes_of(s->t, s->by_count[i]));
    }
    printf("\n");
}

static bool run_stats(Cmd *c, Err *err)
{
    Stats s = { .t = cmd_tokenizer_find(c, err) };
    if (!s.t) return false;
    s.count = NEW(c->arena, int64_t, tokenizer_vocab(s.t));
    if (!count_input(c, &s, err)) return false;
    rank_tokens(c, &s);
    if (c->json)
        cmd_print_json(stats_json(&s));
    else
        print_stats(&s);
    return true;
}

const CmdDef cmd_tokenizer_stats = {
    .name = "tokenizer stats",
    .args = "[FILE|DATA]",
    .doc = "bytes per token on a text, tokens that occur, the longest ones",
    .opts = stats_opts,
    .max_args = 1,
    .json = true,
    .run = run_stats,
};
