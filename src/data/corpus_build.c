/* corpus_build.c - from documents to a data set: the order of the steps.
 *
 * Held-out tiers are cut first, from the raw documents as they came, when the data set is
 * made and never again; everything else (today the search for held-out passages, tomorrow
 * filters) only decides about training text.  A later addition therefore cannot move a score
 * by moving the text that it is measured on.
 *
 * A text can reach a second data set of the same lab.  Its near-duplicates are then held out
 * in the same tier there, and what the first set already trains on is not held out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/progress.h"
#include "data/corpus_private.h"

const char *const tier_name[TIER_COUNT] = { "search", "audit", "locked" };

static bool *live_of(const CorpusBuild *b)
{
    return (bool *)(void *)b->intake.live.at;
}

static Str span_text(const CorpusBuild *b, const TierSpan *s)
{
    Str doc = docs_get(&b->raw, s->doc);
    return (Str){ doc.at + s->begin, (ptrdiff_t)(s->end - s->begin) };
}

/* ---- what goes where ---- */

/* The 13-word runs of this set's tiers that other data sets train on. */
static bool find_elsewhere(CorpusBuild *b, const DedupGrams *ours, DedupGrams *met, Err *err)
{
    char **names;
    int count;
    if (!corpus_list(b->store.lab, &b->arena, &names, &count, err)) return false;
    for (int i = 0; i < count; i++) {
        Docs train;
        if (!docs_open(&train, corpus_train_stem(b->store.lab, names[i], &b->arena), err))
            return false;
        for (int64_t d = 0; d < train.count; d++) dedup_grams_meet(ours, docs_get(&train, d), met);
        docs_close(&train);
    }
    return true;
}

/* A span of which another set trains on a hundredth cannot be held out here. */
static bool give_back(CorpusBuild *b, Err *err)
{
    DedupGrams ours = { 0 }, met = { 0 };
    for (int64_t i = 0; i < b->plan.count; i++)
        if (b->plan.span[i].where < TIER_COUNT)
            dedup_grams_add(&ours, span_text(b, &b->plan.span[i]));
    bool ok = find_elsewhere(b, &ours, &met, err);
    int64_t left[TIER_COUNT] = { 0 };
    for (int64_t i = 0; ok && i < b->plan.count; i++) {
        TierSpan *s = &b->plan.span[i];
        if (s->where >= TIER_COUNT) continue;
        if (dedup_grams_share(&met, span_text(b, s)) >= 0.01)
            s->where = TIER_TRAIN, b->elsewhere++;
        else
            left[s->where]++;
    }
    dedup_grams_free(&ours);
    dedup_grams_free(&met);
    for (int tier = 0; ok && tier < TIER_COUNT; tier++)
        if (left[tier] == 0)
            return err_set(err, ERR_CONFIG,
                           "nearly all of this text is in the training text of other data sets "
                           "of this lab, so none can be held out; use those, or a new lab");
    return ok;
}

static bool plan_new(CorpusBuild *b, Err *err)
{
    TierHeld held = { b->held.text, b->held.tier, b->held.count };
    return tiers_plan(&b->raw, live_of(b), &held, &b->arena, &b->plan, err) && give_back(b, err);
}

/* Everything to training, but near-duplicates of held-out documents. */
static bool plan_later(CorpusBuild *b, Err *err)
{
    int64_t held = b->held.count, count = held;
    Str *text = NEW(&b->arena, Str, held + b->raw.count);
    int64_t *group = NEW(&b->arena, int64_t, held + b->raw.count);
    b->plan.span = NEW(&b->arena, TierSpan, b->raw.count);
    for (int64_t i = 0; i < held; i++) text[i] = b->held.text[i];
    for (int64_t i = 0; i < b->raw.count; i++) {
        Str doc = docs_get(&b->raw, i);
        if (!live_of(b)[i]) continue;
        text[count++] = doc;
        b->plan.span[b->plan.count++] = (TierSpan){ i, 0, doc.len, TIER_TRAIN };
    }
    if (!dedup_near(text, count, group, err)) return false;
    int64_t kept = 0;
    for (int64_t i = 0; i < b->plan.count; i++) {
        if (group[held + i] >= held)
            b->plan.span[kept++] = b->plan.span[i];
        else
            b->near_held++;
    }
    b->plan.count = kept;
    return true;
}

/* ---- writing ---- */

static bool write_tier(CorpusBuild *b, int tier, Err *err)
{
    char stem[900];
    DocsOut out;
    snprintf(stem, sizeof(stem), "%s/judge/%s", b->store.temp, tier_name[tier]);
    bool ok = docsout_open(&out, stem, err);
    for (int64_t i = 0; ok && i < b->plan.count; i++)
        if (b->plan.span[i].where == tier)
            ok = docsout_add(&out, span_text(b, &b->plan.span[i]), err);
    ok = ok && docsout_commit(&out, err) && docs_open(&b->tier[tier], stem, err);
    docsout_drop(&out);
    return ok;
}

/* The training text so far, as it stands: a later addition only appends, so an older state
 * is the first so many documents of a newer one. */
static bool copy_old(CorpusBuild *b, DocsOut *out, Err *err)
{
    if (!b->store.exists) return true;
    Docs old;
    char *stem = corpus_train_stem(b->store.lab, b->store.name, &b->arena);
    if (!docs_open(&old, stem, err)) return false;
    bool ok = docs_check(&old, stem, err) && origin_read(stem, old.count, &b->scrub.origins, err);
    for (int64_t i = 0; ok && i < old.count; i++) {
        int64_t before = -1;
        buf_put(&b->scrub.source, &before, sizeof(before));
        ok = docsout_add(out, docs_get(&old, i), err);
    }
    docs_close(&old);
    return ok;
}

static bool write_train(CorpusBuild *b, Err *err)
{
    char stem[900];
    DocsOut out;
    snprintf(stem, sizeof(stem), "%s/train", b->store.temp);
    if (!docsout_open(&out, stem, err)) return false;
    b->scrub.raw = &b->raw;
    b->scrub.raw_origins = buf_view(&b->intake.origins);
    Progress p = progress_begin("writing", "bytes", (double)b->raw.bytes);
    bool ok = copy_old(b, &out, err);
    for (int64_t i = 0; ok && i < b->plan.count; i++) {
        const TierSpan *s = &b->plan.span[i];
        if (stop_asked()) ok = err_set(err, ERR_STOPPED, "stopped while writing documents");
        progress_tick(&p, (double)out.bytes, "");
        if (ok && s->where == TIER_TRAIN)
            ok = corpusscrub_write(&b->scrub, span_text(b, s), s->doc, &out, err);
    }
    progress_end(&p);
    ok = ok && docsout_commit(&out, err) && docs_open(&b->train, stem, err) &&
         origin_write(stem, buf_view(&b->scrub.origins), err);
    docsout_drop(&out);
    return ok;
}

/* Which runs of held-out words are common in training text, old and new. */
static bool count_common(CorpusBuild *b, Err *err)
{
    for (int64_t i = 0; i < b->plan.count; i++)
        if (b->plan.span[i].where == TIER_TRAIN)
            dedup_grams_count(&b->scrub.grams, span_text(b, &b->plan.span[i]), b->plan.span[i].doc);
    if (!b->store.exists) return true;
    Docs old;
    if (!docs_open(&old, corpus_train_stem(b->store.lab, b->store.name, &b->arena), err))
        return false;
    for (int64_t i = 0; i < old.count; i++)
        dedup_grams_count(&b->scrub.grams, docs_get(&old, i), b->raw.count + i);
    docs_close(&old);
    return true;
}

static void hold_all(CorpusBuild *b)
{
    for (int64_t i = 0; i < b->held.count; i++) corpusscrub_hold(&b->scrub, b->held.text[i]);
    for (int64_t i = 0; i < b->plan.count; i++)
        if (b->plan.span[i].where < TIER_COUNT)
            corpusscrub_hold(&b->scrub, span_text(b, &b->plan.span[i]));
}

/* ---- the steps ---- */

/* What is fed, to which state of the set; NULL if it cannot be fed again. */
static const char *identity_of(CorpusBuild *b, const CorpusFeed *feed)
{
    json_t *before = NULL;
    Err none = { 0 };
    if (!feed->identity) return NULL;
    if (b->store.exists && !corpus_manifest(b->store.lab, b->store.name, &before, &none))
        return NULL;
    const char *all = arena_printf(&b->arena, "1\n%s\n%s", feed->identity,
                                   before ? json_str(before, "sha256", "") : "");
    json_decref(before);
    return all;
}

static bool take_in(CorpusBuild *b, CorpusFeed *feed, Err *err)
{
    ReaderSink sink = corpusintake_sink(&b->intake);
    if (!corpusintake_open(&b->intake, &b->store, identity_of(b, feed), err)) return false;
    feed->resumed = corpusjournal_known(&b->intake.journal);
    if (!feed->feed(feed->self, &sink, &b->report, err) ||
        !corpusintake_finish(&b->intake, &b->store, &b->raw, err))
        return false;
    if (b->intake.kept == 0 && !b->store.exists)
        return err_set(err, ERR_CONFIG,
                       "there is no text in what was read (%td documents, all "
                       "blank); name other files",
                       (ptrdiff_t)b->raw.count);
    return true;
}

static bool make_state(CorpusBuild *b, Err *err)
{
    bool later = b->store.exists;
    b->scrub.last = -1;
    if (!corpusheld_open(&b->held, &b->store, later, &b->arena, err)) return false;
    if (later ? !plan_later(b, err) : !plan_new(b, err)) return false;
    hold_all(b);
    if (!count_common(b, err)) return false;
    for (int tier = 0; tier < TIER_COUNT && !later; tier++)
        if (!write_tier(b, tier, err)) return false;
    return write_train(b, err);
}

static bool keep_state(CorpusBuild *b, const CorpusFeed *feed, json_t **manifest, Err *err)
{
    json_t *before = NULL;
    if (b->store.exists && !corpus_manifest(b->store.lab, b->store.name, &before, err))
        return false;
    *manifest = corpus_manifest_make(b, before);
    json_decref(before);
    const int64_t *source = (const int64_t *)(const void *)b->scrub.source.at;
    char path[900];
    snprintf(path, sizeof(path), "%s/manifest.json", b->store.temp);
    docsout_drop(&b->intake.raw); /* its file must not come along */
    return (!feed->finish || feed->finish(feed->self, b->store.temp, source, *manifest, err)) &&
           json_write_file(path, *manifest, err) && corpusstore_commit(&b->store, err);
}

/* What was read stays if the same command may go on with it: it was stopped. */
static void close_all(CorpusBuild *b, bool stopped)
{
    Err none = { 0 };
    bool leave = stopped && b->intake.journal.on && b->intake.raw.count > 0;
    docs_close(&b->raw);
    corpusintake_close(&b->intake, leave);
    if (!leave && !file_remove_tree(b->store.part, &none)) { /* the next addition tries again */
    }
    corpusheld_close(&b->held);
    corpusscrub_free(&b->scrub);
    docs_close(&b->train);
    for (int tier = 0; tier < TIER_COUNT; tier++) docs_close(&b->tier[tier]);
    json_decref(b->report);
    corpusstore_close(&b->store);
    arena_release(&b->arena);
}

bool corpus_build(const char *lab, const char *name, CorpusFeed *feed, json_t **manifest, Err *err)
{
    *manifest = NULL;
    CorpusBuild *b = calloc(1, sizeof(*b));
    CHECK(b, "no memory");
    bool ok = corpusstore_open(&b->store, lab, name, err);
    if (ok) {
        b->arena = arena_reserve((ptrdiff_t)1 << 36);
        ok = take_in(b, feed, err);
        bool nothing_new = ok && b->intake.kept == 0;
        if (nothing_new)
            ok = corpus_manifest(lab, name, manifest, err);
        else
            ok = ok && make_state(b, err) && keep_state(b, feed, manifest, err);
        close_all(b, !ok && err->code == ERR_STOPPED);
    }
    free(b);
    if (ok) return true;
    json_decref(*manifest);
    *manifest = NULL;
    return false;
}
