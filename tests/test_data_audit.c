/* Audits of a set of stories in which faults were planted by this file. */
#include "base/file.h"
#include "base/progress.h"
#include "base/rand.h"
#include "data/audit.h"
#include "data/corpus.h"
#include "data/docs.h"
#include "data/drop.h"
#include "data/scores.h"
#include "data/synth.h"
#include "tests/test.h"

enum { DOCS = 600 };
static Arena arena;
static const char *lab;

/* What was done to document i of the set; NULL: nothing. */
typedef void Plant(Buf *doc, int64_t i, Rand *r);
typedef struct Planted {
    const char *name;
    Plant *plant;
    int every; /* of so many documents one, beginning with the third */
} Planted;

static bool is_planted(const Planted *p, int64_t i)
{
    return p->plant && i % p->every == 3;
}

/* Each document several of the built-in corpus, so that there is something to judge by. */
static void write_story(const SynthWorld *w, int64_t i, Buf *doc)
{
    Buf one = { 0 };
    for (int64_t k = 0; k < 4; k++) {
        buf_clear(&one);
        synth_document(w, 4 * i + k, &one);
        buf_str(doc, buf_view(&one));
        buf_str(doc, STR("\n\n"));
    }
    buf_free(&one);
}

static void make_set(const Planted *p)
{
    Err err = { 0 };
    DocsOut out = { 0 };
    Buf doc = { 0 };
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 34);
    progress_quiet(true);
    lab = arena_printf(&arena, "%s/lab", test_folder());
    const char *folder = arena_printf(&arena, "%s/data/%s", lab, p->name);
    SynthWorld *w = synth_world(5, &arena);
    bool ok = file_make_dirs(folder, &err) &&
              docsout_open(&out, corpus_train_stem(lab, p->name, &arena), &err);
    for (int64_t i = 0; ok && i < DOCS; i++) {
        Rand r = rand_stream((uint64_t)i, p->name);
        buf_clear(&doc);
        write_story(w, i, &doc);
        if (is_planted(p, i)) p->plant(&doc, i, &r);
        ok = docsout_add(&out, buf_view(&doc), &err);
    }
    ok = ok && docsout_commit(&out, &err);
    const char *manifest = arena_printf(&arena, "{\"train\":{\"sha256\":\"%s\"}}", out.sha256);
    ok = ok &&
         file_write_whole(arena_printf(&arena, "%s/manifest.json", folder), str_of(manifest), &err);
    docsout_drop(&out);
    buf_free(&doc);
    EXPECT_MSG(ok, "%s", err.msg);
}

static json_t *audit(const char *name)
{
    Err err = { 0 };
    json_t *report = NULL;
    AuditJob job = { .lab = lab,
                     .name = name,
                     .documents = arena_printf(&arena, "%s/%s.jsonl", lab, name) };
    EXPECT_MSG(audit_run(&job, &report, &err), "%s: %s", name, err.msg);
    return report;
}

static const json_t *finding_of(const json_t *report, const char *kind)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(report, "findings"), i, one)
    {
        if (strcmp(json_str(one, "kind", ""), kind) == 0) return one;
    }
    return NULL;
}

/* Is the kind among what is said of document i? */
static bool is_named(const json_t *line, const char *kind)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(line, "kinds"), i, one)
    {
        if (strcmp(json_string_value(one), kind) == 0) return true;
    }
    return false;
}

/* At least `recall` of the planted are named, and `precision` of the named are planted. */
static void expect_found(const Planted *p, const char *kind, double recall, double precision)
{
    Err err = { 0 };
    Str all, line;
    make_set(p);
    json_t *report = audit(p->name);
    int planted = 0, named = 0, both = 0;
    int64_t i = 0;
    EXPECT(file_read_arena(arena_printf(&arena, "%s/%s.jsonl", lab, p->name), &arena, &all, &err));
    for (; all.len > 0 && str_cut(&all, '\n', &line); i++) {
        json_t *doc = json_read(line, "a document", &err);
        bool yes = is_named(doc, kind), truth = is_planted(p, i);
        planted += truth, named += yes, both += yes && truth;
        json_decref(doc);
    }
    EXPECT(i == DOCS);
    EXPECT_MSG(both >= recall * planted && both >= precision * named && planted > 0,
               "%s: %d planted, %d named, %d of them planted", kind, planted, named, both);
    EXPECT_MSG(finding_of(report, kind), "no finding of %s", kind);
    json_decref(report);
}

TEST(clean_stories_have_no_findings_and_every_kind_says_that_it_was_quiet_or_not_asked)
{
    const Planted clean = { "clean", NULL, 1 };
    make_set(&clean);
    json_t *report = audit("clean");
    int kinds;
    audit_kinds(&kinds);
    Buf text = { 0 };
    json_write(json_object_get(report, "findings"), true, &text);
    EXPECT_MSG(json_array_size(json_object_get(report, "findings")) == 0, "%s", text.at);
    EXPECT((int)json_array_size(json_object_get(report, "quiet")) +
               (int)json_object_size(json_object_get(report, "not_asked")) ==
           kinds);
    buf_free(&text);
    json_decref(report);
}

static void plant_notice(Buf *doc, int64_t i, Rand *r)
{
    (void)i;
    (void)r;
    buf_str(doc, STR("Subscribe to our newsletter and accept all cookies today.\n"));
}

TEST(a_line_of_many_documents_is_cut_and_the_documents_stay)
{
    const Planted p = { "notice", plant_notice, 20 };
    expect_found(&p, "boilerplate", 1, 1);
    Err err = { 0 };
    json_t *report = NULL;
    if (!audit_read(lab, "notice", &report, &err)) return;
    const json_t *f = finding_of(report, "boilerplate"), *remedy = json_object_get(f, "remedy");
    const char *line = "Subscribe to our newsletter and accept all cookies today.\n";
    EXPECT(json_int(remedy, "bytes", 0) == 30 * (int64_t)strlen(line));
    EXPECT(json_int(remedy, "documents", 0) == 30);
    json_decref(report);
}

static void plant_misread(Buf *doc, int64_t i, Rand *r)
{
    (void)i;
    (void)r;
    buf_str(doc, STR("It was na\xC3\x83\xC2\xAFve, she said\xC3\xA2\xE2\x82\xAC\xC2\x9D.\n"));
}

TEST(utf8_that_was_read_as_windows_1252_is_found)
{
    const Planted p = { "misread", plant_misread, 50 };
    expect_found(&p, "encoding", 1, 1);
}

static void plant_shuffle(Buf *doc, int64_t i, Rand *r)
{
    Str word[4000], rest = buf_view(doc);
    Buf out = { 0 };
    int n = 0;
    (void)i;
    while (n < 4000 && rest.len > 0 && str_cut(&rest, ' ', &word[n])) n++;
    for (int k = n - 1; k > 0; k--) {
        int other = (int)rand_below(r, (uint64_t)k + 1);
        Str swap = word[k];
        word[k] = word[other];
        word[other] = swap;
    }
    for (int k = 0; k < n; k++) {
        buf_str(&out, word[k]);
        buf_char(&out, ' ');
    }
    buf_clear(doc);
    buf_str(doc, buf_view(&out));
    buf_free(&out);
}

TEST(shuffled_words_are_found)
{
    const Planted p = { "shuffled", plant_shuffle, 40 };
    expect_found(&p, "order", 0.9, 0.9);
}

static void plant_loop(Buf *doc, int64_t i, Rand *r)
{
    (void)r;
    for (int k = 0; k < 60; k++)
        buf_printf(doc, "And then number %lld said that it was the same as it ever was. ",
                   (long long)i);
}

TEST(a_text_that_repeats_itself_is_found)
{
    const Planted p = { "loop", plant_loop, 60 };
    expect_found(&p, "repeats", 1, 0.9);
}

/* One letter in thirty becomes another that looks like it. */
static void plant_ocr(Buf *doc, int64_t i, Rand *r)
{
    static const char from[] = "ecoaunhbltirs", to[] = "ceceunbhfilts";
    (void)i;
    for (ptrdiff_t k = 0; k < doc->len; k++) {
        const char *hit = strchr(from, doc->at[k]);
        if (doc->at[k] && hit && rand_below(r, 30) == 0) doc->at[k] = to[hit - from];
    }
}

TEST(misread_letters_are_found)
{
    const Planted p = { "ocr", plant_ocr, 30 };
    expect_found(&p, "ocr", 0.9, 0.9);
}

static void plant_spanish(Buf *doc, int64_t i, Rand *r)
{
    (void)r;
    buf_clear(doc);
    for (int k = 0; k < 6; k++)
        buf_printf(doc,
                   "El tren que sale de la estaci\xC3\xB3n por la ma\xC3\xB1"
                   "ana no se para en los "
                   "pueblos, pero el n\xC3\xBAmero %lld es una de las excepciones y lo toman todos "
                   "cuando llueve, como siempre. ",
                   (long long)i + k);
}

TEST(another_language_is_found)
{
    const Planted p = { "spanish", plant_spanish, 80 };
    expect_found(&p, "language", 1, 1);
}

static Buf earlier;

static void plant_copy(Buf *doc, int64_t i, Rand *r)
{
    (void)r;
    SynthWorld *w = synth_world(5, &arena);
    buf_clear(&earlier);
    write_story(w, i - 2, &earlier);
    buf_clear(doc);
    buf_str(doc, STR("Once more, as it was told before. "));
    buf_str(doc, buf_view(&earlier));
}

TEST(near_copies_are_found_and_the_first_of_each_stays)
{
    const Planted p = { "copies", plant_copy, 50 };
    expect_found(&p, "copies", 1, 1);
    buf_free(&earlier);
}

TEST(every_example_is_where_it_is_said_to_be)
{
    const Planted p = { "placed", plant_misread, 50 };
    make_set(&p);
    Err err = { 0 };
    Docs docs;
    json_t *report = audit("placed"), *e;
    size_t i;
    const json_t *examples = json_object_get(finding_of(report, "encoding"), "examples");
    EXPECT(docs_open(&docs, corpus_train_stem(lab, "placed", &arena), &err));
    EXPECT(json_array_size(examples) == 5);
    json_array_foreach(examples, i, e)
    {
        const char *text = json_str(e, "text", "");
        EXPECT(strcmp(json_str(e, "file", ""), "data/placed/train.txt") == 0);
        EXPECT(memcmp(docs.text + json_int(e, "offset", 0), text, strlen(text)) == 0);
        EXPECT((int64_t)strlen(text) == json_int(e, "bytes", 0));
        Str doc = docs_get(&docs, json_int(e, "document", 0));
        EXPECT(doc.at <= docs.text + json_int(e, "offset", 0));
        EXPECT(docs.text + json_int(e, "offset", 0) < doc.at + doc.len);
    }
    docs_close(&docs);
    json_decref(report);
}

static void plant_address(Buf *doc, int64_t i, Rand *r)
{
    (void)r;
    buf_printf(doc, "Write to someone%lld@mail.org before noon.\n", (long long)i);
}

TEST(addresses_of_people_are_found_and_a_filter_is_the_remedy)
{
    const Planted p = { "personal", plant_address, 60 };
    expect_found(&p, "personal", 1, 1);
    Err err = { 0 };
    json_t *report = NULL;
    if (!audit_read(lab, "personal", &report, &err)) return;
    const json_t *remedy = json_object_get(finding_of(report, "personal"), "remedy");
    const char *edit = json_str(json_object_get(remedy, "edit"), "data.filters", "");
    EXPECT_MSG(strcmp(edit, "; personal: personal") == 0, "%s", edit);
    json_decref(report);
}

/* What a reader of samples might send; `offset` and `document` may be wrong. */
static bool add_finding(const char *name, int64_t document, int64_t offset, const char *text,
                        Err *err)
{
    int added = 0;
    json_t *list = json_pack("[{s:s,s:s,s:f,s:[I],s:[{s:I,s:I,s:s}]}]", "kind", "dull", "what",
                             "it says nothing", "confidence", 0.6, "documents",
                             (json_int_t)document, "examples", "document", (json_int_t)document,
                             "offset", (json_int_t)offset, "text", text);
    bool ok = audit_add(lab, name, list, "reader", &added, err);
    json_decref(list);
    return ok && added == 1;
}

TEST(findings_of_others_are_taken_only_if_what_they_point_to_is_there)
{
    const Planted p = { "read", plant_misread, 50 };
    make_set(&p);
    json_decref(audit("read"));
    Docs docs;
    Err err = { 0 };
    EXPECT(docs_open(&docs, corpus_train_stem(lab, "read", &arena), &err));
    Str doc = docs_get(&docs, 7);
    const char *text = arena_str(&arena, (Str){ doc.at + 40, 60 });
    int64_t at = doc.at + 40 - docs.text;
    EXPECT(!add_finding("read", 7, at + 1, text, &err) && err.code == ERR_CONFIG);
    EXPECT(!add_finding("read", 6, at, text, &err) && err.code == ERR_CONFIG);
    EXPECT(!add_finding("read", DOCS, at, text, &err) && strstr(err.msg, "does not exist"));
    EXPECT_MSG(add_finding("read", 7, at, text, &err), "%s", err.msg);
    json_t *report = audit("read"); /* asked again, it keeps what others said */
    const json_t *f = finding_of(report, "dull");
    EXPECT(f && strcmp(json_str(f, "author", ""), "reader") == 0);
    EXPECT(json_int(f, "bytes", 0) == doc.len && json_int(f, "documents", 0) == 1);
    docs_close(&docs);
    json_decref(report);
}

static void plant_noise(Buf *doc, int64_t i, Rand *r)
{
    (void)i;
    buf_clear(doc);
    for (int k = 0; k < 2000; k++) buf_char(doc, (char)('!' + rand_below(r, 90)));
}

TEST(text_that_its_tokenizer_does_not_fit_and_text_that_is_hard_for_a_model_are_found)
{
    const Planted p = { "noise", plant_noise, 100 };
    make_set(&p);
    Err err = { 0 };
    Docs docs;
    ScoresOut out;
    float nll[64];
    EXPECT(docs_open(&docs, corpus_train_stem(lab, "noise", &arena), &err));
    const Docs *list[] = { &docs };
    const char *scores = arena_printf(&arena, "%s/scores.bin", lab);
    EXPECT(scoresout_open(&out, scores, docs.count, &err));
    for (int64_t i = 0; i < docs.count; i++) { /* the planted ones cost ten times as much */
        double mean = (double)docs_get(&docs, i).len / 64 * (1 + 0.1 * (double)(i % 7));
        for (int k = 0; k < 64; k++) nll[k] = (float)(is_planted(&p, i) ? 10 * mean : mean);
        EXPECT(scoresout_add(&out, nll, 64, &err));
    }
    EXPECT(scoresout_commit(&out, docs.sha256, "r1", &err));
    scoresout_drop(&out);
    json_t *report = NULL;
    TokenizerWant want = { .vocab = 600 };
    AuditJob job = { .lab = lab,
                     .name = "noise",
                     .scores = scores,
                     .tokenizer = tokenizer_train(list, 1, &want, &arena, &err) };
    EXPECT_MSG(job.tokenizer && audit_run(&job, &report, &err), "%s", err.msg);
    EXPECT(json_int(finding_of(report, "tokens"), "documents", 0) == 6);
    EXPECT(json_int(finding_of(report, "loss"), "documents", 0) == 6);
    docs_close(&docs);
    json_decref(report);
}
