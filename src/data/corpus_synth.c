/* corpus_synth.c - the built-in corpus as two data sets of the lab, and the truth beside the
 * dirty one.
 *
 * Both go the way of any other documents, so what `data add` does to planted duplicates can be
 * held against the truth: LAB/data/NAME-dirty/truth.json says for each document that was told
 * what is wrong with it and which training documents it became. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/progress.h"
#include "data/corpus_private.h"
#include "data/synth.h"

typedef struct Synth {
    const SynthWorld *world;
    int64_t docs;
    uint64_t seed;
    bool dirty;
    json_t *truth; /* entries of the documents, in order */
} Synth;

static json_t *truth_entry(SynthFault fault, int64_t of, Str text)
{
    char sha[65];
    sha256_hex(text.at, text.len, sha);
    json_t *entry =
        json_pack("{s:s,s:s,s:[]}", "fault", synth_fault_name[fault], "sha256", sha, "train");
    if (of >= 0) json_object_set_new(entry, "of", json_integer(of));
    return entry;
}

static bool tell_all(void *self, const ReaderSink *sink, json_t **report, Err *err)
{
    Synth *s = self;
    Buf text = { 0 };
    bool ok = true;
    Progress p = progress_begin("telling", "documents", (double)s->docs);
    for (int64_t i = 0; ok && i < s->docs; i++) {
        int64_t of = -1;
        SynthFault fault = SYNTH_CLEAN;
        buf_clear(&text);
        if (s->dirty)
            fault = synth_dirty(s->world, i, &text, &of);
        else
            synth_document(s->world, i, &text);
        if (s->dirty) json_array_append_new(s->truth, truth_entry(fault, of, buf_view(&text)));
        sink->begin(sink->self, -1, i);
        ok = sink->part(sink->self, buf_view(&text), err) && sink->end(sink->self, err);
        if (ok && stop_asked()) ok = err_set(err, ERR_STOPPED, "stopped while telling documents");
        progress_tick(&p, (double)i, "");
    }
    progress_end(&p);
    buf_free(&text);
    *report = ok ? json_pack("{s:[],s:{}}", "files", "skipped") : NULL;
    return ok;
}

static bool write_truth(Synth *s, const char *dir, const int64_t *source, const json_t *manifest,
                        Err *err)
{
    int64_t trained = json_int(json_object_get(manifest, "train"), "documents", 0);
    for (int64_t i = 0; i < trained; i++)
        json_array_append_new(json_object_get(json_array_get(s->truth, (size_t)source[i]), "train"),
                              json_integer(i));
    json_t *faults = json_object(), *entry;
    size_t i;
    json_array_foreach(s->truth, i, entry)
    {
        const char *fault = json_str(entry, "fault", "");
        json_object_set_new(faults, fault, json_integer(json_int(faults, fault, 0) + 1));
    }
    char path[900];
    snprintf(path, sizeof(path), "%s/truth.json", dir);
    json_t *truth =
        json_pack("{s:i,s:o,s:O}", "format", 1, "faults", faults, "documents", s->truth);
    bool ok = json_write_file(path, truth, err);
    json_decref(truth);
    return ok;
}

static bool finish(void *self, const char *dir, const int64_t *source, json_t *manifest, Err *err)
{
    Synth *s = self;
    json_t *synth = json_pack("{s:I,s:I,s:b}", "documents", (json_int_t)s->docs, "seed",
                              (json_int_t)s->seed, "dirty", s->dirty);
    json_object_set_new(manifest, "synth", synth);
    return !s->dirty || write_truth(s, dir, source, manifest, err);
}

/* *there: the very same set stands there already.  Another one under the name is refused. */
static bool look(const char *lab, const char *name, const Synth *s, json_t **there, Err *err)
{
    Err none = { 0 };
    *there = NULL;
    if (!corpus_manifest(lab, name, there, &none)) return true;
    const json_t *synth = json_object_get(*there, "synth");
    if (json_array_size(json_object_get(*there, "additions")) == 1 &&
        json_int(synth, "documents", -1) == s->docs &&
        json_int(synth, "seed", -1) == (int64_t)s->seed)
        return true;
    json_decref(*there);
    *there = NULL;
    return err_set(err, ERR_CONFIG, "there is another data set %s already; take another name",
                   name);
}

static bool build(const char *lab, const char *name, Synth *s, json_t **manifest, Err *err)
{
    if (!look(lab, name, s, manifest, err)) return false;
    if (*manifest) return true;
    CorpusFeed feed = { .feed = tell_all, .finish = finish, .self = s };
    s->truth = json_array();
    bool ok = corpus_build(lab, name, &feed, manifest, err);
    json_decref(s->truth);
    return ok;
}

bool corpus_synth(const char *lab, const char *name, int64_t docs, uint64_t seed, json_t **manifest,
                  Err *err)
{
    *manifest = NULL;
    if (docs < 100)
        return err_set(err, ERR_CONFIG, "%" PRId64 " documents are too few; 100 is the least",
                       docs);
    Arena arena = arena_reserve((ptrdiff_t)1 << 26);
    char *dirty_name = arena_printf(&arena, "%s-dirty", name);
    Synth s = { .world = synth_world(seed, &arena), .docs = docs, .seed = seed };
    Synth dirty = s;
    dirty.dirty = true;
    json_t *beside = NULL;
    bool ok = build(lab, name, &s, manifest, err) && build(lab, dirty_name, &dirty, &beside, err);
    json_decref(beside);
    if (!ok) json_decref(*manifest);
    if (!ok) *manifest = NULL;
    arena_release(&arena);
    return ok;
}
