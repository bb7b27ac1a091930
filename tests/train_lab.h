/* train_lab.h - a small lab with a small text, for tests of training. */
#ifndef TESTS_TRAIN_LAB_H
#define TESTS_TRAIN_LAB_H

#include "base/rand.h"
#include "data/corpus.h"
#include "data/docs.h"
#include "tests/test.h"
#include "train/train.h"

/* Sentences of a tiny language, so that a model has something to learn. */
static void train_lab_text(Rand *r, Buf *out)
{
    static const char *const who[] = { "the cat", "a dog", "the old king", "my friend", "nobody" };
    static const char *const does[] = { "sees", "eats", "likes", "forgets" };
    static const char *const what[] = { "the moon", "an apple", "seven stones", "his hat" };
    buf_clear(out);
    for (int i = 0; i < 12; i++)
        buf_printf(out, "%s %s %s. ", who[rand_below(r, 5)], does[rand_below(r, 4)],
                   what[rand_below(r, 4)]);
}

/* LAB/data/words: 60 documents. */
__attribute__((unused)) static void train_lab_make(const char *lab)
{
    Arena a = arena_reserve(1 << 20);
    Err err = { 0 };
    Buf text = { 0 };
    DocsOut o;
    Rand r = rand_stream(1, "words");
    char *stem = corpus_train_stem(lab, "words", &a);
    EXPECT_MSG(file_make_dirs(arena_printf(&a, "%s/data/words", lab), &err), "%s", err.msg);
    EXPECT_MSG(docsout_open(&o, stem, &err), "%s", err.msg);
    for (int i = 0; i < 60; i++) {
        train_lab_text(&r, &text);
        EXPECT(docsout_add(&o, buf_view(&text), &err));
    }
    EXPECT_MSG(docsout_commit(&o, &err), "%s", err.msg);
    docsout_drop(&o);
    buf_free(&text);
    arena_release(&a);
}

/* Two small blocks on bytes; `more` are overrides, ending with NULL. */
__attribute__((unused)) static void train_lab_recipe(Recipe *r, Arena *a, const char *const *more)
{
    static const char *const base[] = {
        "data.sources=words", "tokenizer.kind=bytes", "model.depth=2",  "model.width=32",
        "model.heads=2",      "model.context=24",     "train.batch=4",  "train.steps=40",
        "optim.lr=0.003",     "schedule.warmup=0.1",  "optim.decay=0.1"
    };
    Err err = { 0 };
    recipe_default(r, a);
    for (int i = 0; i < (int)COUNT(base); i++)
        EXPECT_MSG(recipe_override(r, base[i], "test", &err), "%s", err.msg);
    for (; more && *more; more++)
        EXPECT_MSG(recipe_override(r, *more, "test", &err), "%s", err.msg);
}

#endif
