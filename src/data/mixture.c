/* mixture.c - from the knobs of a recipe to open shards.
 *
 * Tokenizers and shards are made when a run first needs them and kept under the hash of what they
 * were made from, so a recipe that changes the data, or the data that changes under a recipe,
 * finds other files and never stale ones.  The tokenizer is trained on the sources in order of
 * their names and without their weights: a proposal that shifts weights keeps its tokens.
 *
 * Without weights every source is read in proportion to its bytes, which is what reading all the
 * text once would do.  What data.drop and data.filters leave out changes neither the tokenizer nor
 * the weights: a remedy is compared with its absence, and nothing else may move with it. */
#include "data/mixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/rand.h"
#include "data/corpus.h"
#include "data/mixture_weights.h"

static const char *const kinds[] = { "bytes", "bpe", NULL };
static const char *const packings[] = { "stream", "bestfit", NULL };

const Knob data_knobs[] = {
    { .name = "data.sources",
      .type = KNOB_TEXT,
      .text = "",
      .doc = "data sets to read, with weights if wanted: \"books:2,gov:1\"; empty: all of the lab "
             "but those named *-dirty, by their size",
      .fixed = true },
    { .name = "data.temperature",
      .type = KNOB_NUMBER,
      .fallback = 1,
      .min = 0.1,
      .max = 100,
      .scale = SCALE_LOG,
      .doc = "weights of data.sources to the power 1 / temperature: above 1 small sources are read "
             "more, below 1 less",
      .fixed = true },
    { .name = "data.curriculum",
      .type = KNOB_TEXT,
      .text = "",
      .doc = "other weights from some step on: \"400 books:1,gov:3; 800 gov:1\"; a source that is "
             "not named rests",
      .fixed = true },
    { .name = "data.drop",
      .type = KNOB_TEXT,
      .text = "",
      .doc = "what is left out of the training text: \"books:LIST,gov:LIST\", lists of documents "
             "and lines that `lathe data audit` wrote; weights and tokenizer stay those of the "
             "whole text",
      .fixed = true },
    { .name = "data.filters",
      .type = KNOB_TEXT,
      .text = "",
      .doc = "rules for the training text: \"encoding gopher_quality(letters=0.6); books: "
             "-gopher_quality\", for all sources and by source (`lathe data filters` lists them, "
             "`lathe data show NAME` what each would leave out); weights and tokenizer stay those "
             "of the whole text",
      .fixed = true },
    { .name = "data.packing",
      .type = KNOB_CHOICE,
      .choices = packings,
      .max = (double)(COUNT(packings) - 2),
      .doc = "stream: rows are cut from the text laid end to end; bestfit: rows begin with a "
             "document and are filled with whole ones where they fit (Ding et al. 2024)" },
    { .name = "tokenizer.kind",
      .type = KNOB_CHOICE,
      .choices = kinds,
      .fallback = 1,
      .doc = "bytes: 257 tokens; bpe: byte-pair encoding trained on the sources",
      .fixed = true },
    { .name = "tokenizer.vocab",
      .type = KNOB_WHOLE,
      .fallback = 1024,
      .min = 257,
      .max = 1 << 20,
      .scale = SCALE_LOG,
      .unit = "tokens",
      .doc = "size of the vocabulary: 256 bytes, merges, end of text",
      .only = "tokenizer.kind=bpe",
      .fixed = true },
    { .name = "tokenizer.words",
      .type = KNOB_CHOICE,
      .choices = tokenizer_words_names,
      .fallback = WORDS_GPT2,
      .doc = "where text is cut into words before pairs are merged: as GPT-2 does it, or as GPT-4 "
             "does (numbers in threes, line ends on their own)",
      .only = "tokenizer.kind=bpe",
      .fixed = true },
    { .name = "tokenizer.path",
      .type = KNOB_TEXT,
      .text = "",
      .doc = "a tokenizer to take instead of training one: our file, tiktoken's ranks, or a folder "
             "with GPT-2's vocab.bpe and encoder.json; relative to the lab",
      .fixed = true },
    { 0 },
};

/* What mixture_open works on. */
typedef struct Opening {
    Mixture *m;
    const char *lab;
    const KnobSet *knobs;
    Docs docs[MIXTURE_MAX];
    int opened;
    Drop drop[MIXTURE_MAX]; /* of each source; no ids: nothing is left out */
    FilterPlan filters[MIXTURE_MAX];
    Arena *out;
} Opening;

static bool add_source(Opening *o, const char *name, double weight, Err *err)
{
    Mixture *m = o->m;
    for (int i = 0; i < m->count; i++) {
        if (strcmp(m->source[i].name, name) == 0)
            return err_set(err, ERR_CONFIG, "data.sources names %s twice", name);
    }
    if (m->count == MIXTURE_MAX)
        return err_set(err, ERR_CONFIG, "data.sources names more than %d data sets", MIXTURE_MAX);
    m->source[m->count++] =
        (MixtureSource){ .name = name,
                         .weight = weight,
                         .stream = rand_name(arena_printf(o->out, "data/%s", name)),
                         .shard = { .fd = -1 } };
    return true;
}

/* "NAME" or "NAME:WEIGHT"; a weight of 0 means that none was given. */
static bool parse_source(Opening *o, Str item, Err *err)
{
    Str name = item, rest = item;
    double weight = 0;
    if (!str_cut(&rest, ':', &name)) return false;
    bool weighted = rest.at != NULL;
    name = str_trim(name);
    if (name.len == 0) return err_set(err, ERR_CONFIG, "data.sources has an empty name");
    if (weighted && (!str_to_double(str_trim(rest), &weight) || weight <= 0))
        return err_set(err, ERR_CONFIG, "data.sources: the weight of %.*s must be a number above 0",
                       (int)name.len, name.at);
    return add_source(o, arena_str(o->out, name), weight, err);
}

static bool list_sources(Opening *o, Err *err)
{
    char **names;
    int count;
    if (!corpus_list(o->lab, o->out, &names, &count, err)) return false;
    for (int i = 0; i < count; i++) {
        if (str_ends(str_of(names[i]), STR("-dirty"))) continue;
        if (!add_source(o, names[i], 0, err)) return false;
    }
    return o->m->count > 0 ||
           err_set(err, ERR_CONFIG, "the lab has no data; `lathe data add NAME PATH` adds some");
}

static bool find_sources(Opening *o, Err *err)
{
    Str rest = str_trim(str_of(knobs_text(o->knobs, "data.sources"))), item;
    if (rest.len == 0) return list_sources(o, err);
    int weighted = 0;
    while (str_cut(&rest, ',', &item)) {
        if (!parse_source(o, item, err)) return false;
    }
    for (int i = 0; i < o->m->count; i++) weighted += o->m->source[i].weight > 0;
    return weighted == 0 || weighted == o->m->count ||
           err_set(err, ERR_CONFIG, "data.sources: give every data set a weight, or none");
}

/* The data set of the lab that was probably meant. */
static bool no_such_source(Opening *o, const char *name, Err *err)
{
    char **names;
    int count, best = -1, nearest = 4;
    Err unread = { 0 };
    if (!corpus_list(o->lab, o->out, &names, &count, &unread)) count = 0;
    for (int i = 0; i < count; i++) {
        int distance = str_distance(name, names[i]);
        if (distance < nearest) best = i, nearest = distance;
    }
    return err_set(err, ERR_CONFIG, "data.sources: the lab has no data set %s%s%s%s", name,
                   best >= 0 ? "; did you mean " : "", best >= 0 ? names[best] : "",
                   best >= 0 ? "?" : "; `lathe data list` shows what it has");
}

static bool open_docs(Opening *o, Err *err)
{
    for (int i = 0; i < o->m->count; i++) {
        const char *name = o->m->source[i].name;
        char *stem = corpus_train_stem(o->lab, name, o->out);
        if (!file_exists(arena_printf(o->out, "%s.idx", stem))) return no_such_source(o, name, err);
        if (!docs_open(&o->docs[i], stem, err)) return err_wrap(err, "data set %s", name);
        o->opened++;
        if (o->docs[i].bytes == 0)
            return err_set(err, ERR_CONFIG, "the data set %s has no text to train on", name);
    }
    return true;
}

/* "NAME:LIST" */
static bool read_drop(Opening *o, Str item, Err *err)
{
    Str name, rest = str_trim(item);
    if (!str_cut(&rest, ':', &name) || rest.len == 0)
        return err_set(err, ERR_CONFIG, "data.drop: \"%.*s\" is not of the form NAME:LIST",
                       (int)MIN(item.len, (ptrdiff_t)80), item.at);
    for (int i = 0; i < o->m->count; i++) {
        const char *source = o->m->source[i].name;
        if (str_eq(name, str_of(source))) return drop_add(&o->drop[i], o->lab, source, rest, err);
    }
    return err_set(err, ERR_CONFIG, "data.drop names %.*s, which data.sources does not",
                   (int)MIN(name.len, (ptrdiff_t)80), name.at);
}

static bool read_drops(Opening *o, Err *err)
{
    Str rest = str_trim(str_of(knobs_text(o->knobs, "data.drop"))), item;
    while (rest.len > 0 && str_cut(&rest, ',', &item)) {
        if (!read_drop(o, item, err)) return false;
    }
    return true;
}

static bool read_filters(Opening *o, Err *err)
{
    const char *names[MIXTURE_MAX], *text = knobs_text(o->knobs, "data.filters");
    for (int i = 0; i < o->m->count; i++) names[i] = o->m->source[i].name;
    if (!filterplan_check(text, names, o->m->count, err)) return false;
    for (int i = 0; i < o->m->count; i++)
        if (!filterplan_make(&o->filters[i], o->lab, text, names[i], false, err)) return false;
    return true;
}

static const char *drop_ids(const Opening *o, int i)
{
    return o->drop[i].ids.len > 0 ? o->drop[i].ids.at : "";
}

/* Sixteen digits of the SHA-256 of `text` name a file. */
static void key_of(const Buf *text, char key[17])
{
    char full[65];
    sha256_hex(text->at, text->len, full);
    snprintf(key, 17, "%.16s", full);
}

static int by_name(const void *a, const void *b, void *mixture)
{
    const Mixture *m = mixture;
    return strcmp(m->source[*(const int *)a].name, m->source[*(const int *)b].name);
}

static void sort_by_name(const Mixture *m, int order[MIXTURE_MAX])
{
    for (int i = 0; i < m->count; i++) order[i] = i;
    qsort_r(order, (size_t)m->count, sizeof(*order), by_name, (void *)m);
}

static Tokenizer *train_tokenizer(Opening *o, const char *path, const TokenizerWant *want, Err *err)
{
    const Docs *list[MIXTURE_MAX];
    int order[MIXTURE_MAX];
    sort_by_name(o->m, order);
    for (int i = 0; i < o->m->count; i++) list[i] = &o->docs[order[i]];
    if (!file_make_dirs(arena_printf(o->out, "%s/tokenizers", o->lab), err)) return NULL;
    Tokenizer *t = tokenizer_train(list, o->m->count, want, o->out, err);
    if (!t && err->code == ERR_CONFIG) err_wrap(err, "tokenizer.vocab");
    return t && tokenizer_save(t, path, err) ? t : NULL;
}

/* Two processes may train the same tokenizer at once: both write the same bytes, whole. */
static Tokenizer *cached_tokenizer(Opening *o, const TokenizerWant *want, Err *err)
{
    Buf what = { 0 };
    char key[17];
    int order[MIXTURE_MAX];
    sort_by_name(o->m, order);
    buf_printf(&what, "bpe 2 %s %d", tokenizer_words_names[want->words], want->vocab);
    for (int i = 0; i < o->m->count; i++) buf_printf(&what, " %s", o->docs[order[i]].sha256);
    key_of(&what, key);
    buf_free(&what);
    const char *path = arena_printf(o->out, "%s/tokenizers/%s.json", o->lab, key);
    if (!file_exists(path)) return train_tokenizer(o, path, want, err);
    Tokenizer *t = tokenizer_load(path, o->out, err);
    if (!t) {
        err_set(err, ERR_FORMAT, "%s is corrupted; delete it and run the same command again", path);
        return NULL;
    }
    return t;
}

static const char *tokenizer_place(const Opening *o, const char *path)
{
    const char *inside = arena_printf(o->out, "%s/%s", o->lab, path);
    return path[0] != '/' && file_exists(inside) ? inside : path;
}

static bool open_tokenizer(Opening *o, Err *err)
{
    const char *path = knobs_text(o->knobs, "tokenizer.path");
    if (path[0]) {
        o->m->tokenizer = tokenizer_load(tokenizer_place(o, path), o->out, err);
        if (o->m->tokenizer) return true;
        err->code = ERR_CONFIG; /* whatever is wrong with the file, the recipe named it */
        return err_wrap(err, "tokenizer.path");
    }
    if (strcmp(knobs_choice(o->knobs, "tokenizer.kind"), "bytes") == 0) {
        o->m->tokenizer = tokenizer_bytes(o->out);
        return true;
    }
    bool gpt4 = strcmp(knobs_choice(o->knobs, "tokenizer.words"), "gpt4") == 0;
    TokenizerWant want = { .vocab = (int)knobs_whole(o->knobs, "tokenizer.vocab"),
                           .words = gpt4 ? WORDS_GPT4 : WORDS_GPT2 };
    o->m->tokenizer = cached_tokenizer(o, &want, err);
    return o->m->tokenizer != NULL;
}

/* What stands in a key for what is left out of source i. */
static void put_edits(const Opening *o, int i, Buf *what)
{
    if (drop_ids(o, i)[0]) buf_printf(what, " without%s", drop_ids(o, i));
    if (o->filters[i].count > 0) buf_printf(what, " through%s", o->filters[i].key.at);
}

static bool open_shard(Opening *o, int i, Err *err)
{
    ShardEdit edit = { .drop = drop_ids(o, i)[0] ? &o->drop[i] : NULL,
                       .filters = o->filters[i].count > 0 ? &o->filters[i] : NULL };
    Buf what = { 0 };
    char key[17];
    MixtureSource *s = &o->m->source[i];
    buf_printf(&what, "shard 1 %s %s", tokenizer_sha256(o->m->tokenizer), o->docs[i].sha256);
    put_edits(o, i, &what);
    key_of(&what, key);
    buf_free(&what);
    const char *folder = arena_printf(o->out, "%s/data/%s/shards", o->lab, s->name);
    const char *path = arena_printf(o->out, "%s/%s.bin", folder, key);
    if (!file_exists(path) && (!file_make_dirs(folder, err) ||
                               !shard_make_without(path, &o->docs[i], o->m->tokenizer, edit, err)))
        return err_wrap(err, "data set %s", s->name);
    return shard_open_unread(&s->shard, path, tokenizer_vocab(o->m->tokenizer), err);
}

static bool settle_weights(Opening *o, Err *err)
{
    Mixture *m = o->m;
    double weight[MIXTURE_MAX];
    for (int i = 0; i < m->count; i++) {
        weight[i] = m->source[i].weight > 0 ? m->source[i].weight : (double)o->docs[i].bytes;
        m->tokens += m->source[i].shard.tokens;
        m->bytes += m->source[i].shard.bytes;
    }
    mixture_heat(weight, m->count, knobs_number(o->knobs, "data.temperature"));
    for (int i = 0; i < m->count; i++) m->source[i].weight = weight[i];
    return mixture_read_curriculum(m, str_of(knobs_text(o->knobs, "data.curriculum")), err);
}

static void name_mixture(Opening *o)
{
    Buf what = { 0 };
    buf_printf(&what, "mixture 1 %s", tokenizer_sha256(o->m->tokenizer));
    for (int i = 0; i < o->m->count; i++) {
        buf_printf(&what, " %s %.17g %s", o->m->source[i].name, o->m->source[i].weight,
                   o->docs[i].sha256);
        put_edits(o, i, &what);
    }
    for (int k = 0; k < o->m->n_later; k++) {
        buf_printf(&what, " from %lld", (long long)o->m->later[k].from_step);
        for (int i = 0; i < o->m->count; i++) buf_printf(&what, " %.17g", o->m->later[k].weight[i]);
    }
    sha256_hex(what.at, what.len, o->m->sha256);
    buf_free(&what);
}

static bool open_all(Opening *o, Err *err)
{
    if (!find_sources(o, err) || !read_drops(o, err) || !read_filters(o, err) ||
        !open_docs(o, err) || !open_tokenizer(o, err))
        return false;
    for (int i = 0; i < o->m->count; i++) {
        if (!open_shard(o, i, err)) return false;
    }
    if (!settle_weights(o, err)) return false;
    name_mixture(o);
    return true;
}

bool mixture_open_unread(Mixture *m, const char *lab, const KnobSet *knobs, Arena *out, Err *err)
{
    *m = (Mixture){ .bestfit = knobs->value[knobs_find(knobs, "data.packing")] > 0 };
    Opening *o = NEW(out, Opening, 1);
    *o = (Opening){ .m = m, .lab = lab, .knobs = knobs, .out = out };
    bool ok = open_all(o, err);
    for (int i = 0; i < o->opened; i++) docs_close(&o->docs[i]);
    for (int i = 0; i < MIXTURE_MAX; i++) {
        drop_free(&o->drop[i]);
        filterplan_free(&o->filters[i]);
    }
    if (!ok) mixture_close(m);
    return ok;
}

bool mixture_check(const Mixture *m, Err *err)
{
    for (int i = 0; i < m->count; i++) {
        if (!shard_check(&m->source[i].shard, err)) return false;
    }
    return true;
}

bool mixture_open(Mixture *m, const char *lab, const KnobSet *knobs, Arena *out, Err *err)
{
    if (!mixture_open_unread(m, lab, knobs, out, err)) return false;
    if (mixture_check(m, err)) return true;
    mixture_close(m);
    return false;
}

void mixture_close(Mixture *m)
{
    for (int i = 0; i < m->count; i++) shard_close(&m->source[i].shard);
    m->count = 0;
}

bool mixture_sources(const char *lab, const KnobSet *knobs, Arena *out, const char **names,
                     int *count, Err *err)
{
    Mixture m = { 0 };
    Opening *o = NEW(out, Opening, 1);
    *o = (Opening){ .m = &m, .lab = lab, .knobs = knobs, .out = out };
    if (!find_sources(o, err)) return false;
    for (*count = 0; *count < m.count; ++*count) names[*count] = m.source[*count].name;
    return true;
}
