/* Labels from a language model, in batches, with their cost; and what is learned from them.  The
 * model is a program that reads the documents it is sent and labels them truly, swaps numbers, or
 * says nothing. */
#include "base/file.h"
#include "base/progress.h"
#include "base/rand.h"
#include "data/audit.h"
#include "data/corpus.h"
#include "data/labels.h"
#include "lab/label.h"
#include "lab/share.h"
#include "tests/fake_llm.h"
#include "tests/test.h"

enum { DOCUMENTS = 400 };
static Arena arena;
static Err err;

/* Documents of two kinds by turns; what is said of the sea has SEA in it, once, at the end. */
static const char *two_kinds(const char *name)
{
    static const char *const words[2][6] = {
        { "ship", "sail", "wave", "storm", "harbour", "captain" },
        { "court", "judge", "clause", "party", "appeal", "statute" },
    };
    static char dir[200];
    char path[240];
    Buf text = { 0 };
    Rand r = rand_stream(3, "kinds");
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 34);
    progress_quiet(true);
    snprintf(dir, sizeof(dir), "%s/%s", test_folder(), name);
    snprintf(path, sizeof(path), "%s/kinds.jsonl", test_folder());
    for (int i = 0; i < DOCUMENTS; i++) {
        buf_printf(&text, "{\"text\":\"Number %d.", i);
        for (int k = 0; k < 60; k++)
            buf_printf(&text, " the %s was %d", words[i % 2][rand_below(&r, 6)],
                       (int)rand_below(&r, 1000));
        buf_printf(&text, " %s\"}\n", i % 2 ? "LAW" : "SEA");
    }
    EXPECT_MSG(file_write_whole(path, buf_view(&text), &err), "%s", err.msg);
    buf_free(&text);
    EXPECT_MSG(lab_init(dir, &err), "%s", err.msg);
    const char *paths[] = { path };
    CorpusAdd add = { .lab = dir, .name = "kinds", .paths = paths, .n_paths = 1 };
    json_t *manifest = NULL;
    EXPECT_MSG(corpus_add(&add, &manifest, &err), "%s", err.msg);
    json_decref(manifest);
    return dir;
}

/* ---- the model ---- */

/* The string in which the documents stand. */
static const char *documents_in(const json_t *value)
{
    const char *text = json_string_value(value), *found = NULL, *key;
    json_t *one;
    size_t i;
    if (text && strstr(text, "[data from document 1;")) return text;
    json_array_foreach(value, i, one) if (!found) found = documents_in(one);
    json_object_foreach((json_t *)value, key, one) if (!found) found = documents_in(one);
    return found;
}

static json_t *label_documents(const char *text, const char *model)
{
    json_t *labels = json_array();
    const char *at = text;
    for (int n = 1; (at = strstr(at, "[data from document ")) != NULL; n++) {
        const char *end = strstr(at, "[end of data]"), *sea = strstr(at, "SEA");
        bool is_sea = end && sea && sea < end;
        json_array_append_new(
            labels, json_pack("{s:i, s:s}", "document", n, "label", is_sea ? "sea" : "law"));
        at = end;
    }
    if (strcmp(model, "sloppy") == 0) { /* one twice, one that is not there, one of its own words */
        json_array_append_new(labels, json_pack("{s:i, s:s}", "document", 1, "label", "law"));
        json_array_append_new(labels, json_pack("{s:i, s:s}", "document", 77, "label", "sea"));
        json_object_set_new(json_array_get(labels, 1), "label", json_string("river"));
    }
    return json_pack("{s:s, s:[{s:s, s:{s:o}}]}", "text", "Labelled.", "calls", "name", "label",
                     "arguments", "labels", labels);
}

static void labeller(Loopback *server, const char *request, int fd)
{
    FakeLlm *f = server->ctx;
    Err ignored = { 0 };
    json_t *body = json_read(str_of(strstr(request, "\r\n\r\n") + 4), "request", &ignored);
    const char *text = documents_in(body), *model = json_str(body, "model", "");
    if (text && (strcmp(model, "reader") == 0 || strcmp(model, "sloppy") == 0)) {
        json_t *step = label_documents(text, model);
        if (f->heard) json_array_append(f->heard, body);
        fake_say(f, fd, model, step, true);
        json_decref(step);
    } else {
        fake_llm(server, request, fd);
    }
    json_decref(body);
}

typedef struct Rig {
    FakeLlm fake;
    Loopback server;
    TalkPlan plan;
    Lab lab;
    json_t *config;
} Rig;

static void rig_open(Rig *r, const char *dir, const char *model, double max_usd)
{
    char url[64];
    *r = (Rig){ .fake = { .heard = json_array() } };
    r->server = (Loopback){ .answer = labeller, .ctx = &r->fake };
    loopback_start(&r->server);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/v1", r->server.port);
    r->config = json_pack("{s:s, s:s, s:s, s:[f, f], s:f}", "wire", "openai", "name", model,
                          "base_url", url, "price", 1.0, 10.0, "max_usd", max_usd);
    EXPECT_MSG(talk_plan(r->config, &r->plan, &arena, &err), "%s", err.msg);
    r->plan.model.max_output = 4000;
    EXPECT_MSG(lab_open(&r->lab, dir, LEDGER_WRITE, &arena, &err), "%s", err.msg);
}

static void rig_close(Rig *r)
{
    lab_close(&r->lab);
    loopback_end(&r->server);
    json_decref(r->fake.heard);
    json_decref(r->config);
}

static LabelJob job_of(const Rig *r, int64_t documents)
{
    static const char *const labels[] = { "sea", "law" };
    return (LabelJob){ .name = "kinds",
                       .question = "What is it about?",
                       .labels = labels,
                       .n_labels = 2,
                       .documents = documents,
                       .batch = 8,
                       .bytes = 4000,
                       .seed = 1,
                       .plan = &r->plan };
}

/* ---- tests ---- */

TEST(text_that_is_not_shared_is_not_sent)
{
    Rig r;
    json_t *report = NULL;
    rig_open(&r, two_kinds("closed"), "reader", 0);
    LabelJob job = job_of(&r, 40);
    EXPECT(!label_run(&r.lab, &job, &report, &err) && strstr(err.msg, "not shared"));
    EXPECT(json_array_size(r.fake.heard) == 0);
    rig_close(&r);
}

TEST(labels_come_in_batches_with_their_cost_and_more_goes_on_behind_them)
{
    Rig r;
    json_t *report = NULL;
    rig_open(&r, two_kinds("open"), "reader", 0);
    EXPECT(share_set(&r.lab, "kinds", true, "person", &err));
    LabelJob job = job_of(&r, 20);
    EXPECT_MSG(label_run(&r.lab, &job, &report, &err), "%s", err.msg);
    EXPECT(json_int(report, "labelled", 0) == 20 && json_array_size(r.fake.heard) == 3);
    const json_t *spend = json_object_get(report, "spend");
    EXPECT(json_int(spend, "requests", 0) == 3);
    EXPECT(fabs(json_num(spend, "usd", 0) - 3 * (1042 * 1.0 + 17 * 10.0) / 1e6) < 1e-9);
    json_decref(report);
    job.documents = 120;
    EXPECT_MSG(label_run(&r.lab, &job, &report, &err), "%s", err.msg);
    EXPECT(json_int(report, "labelled", 0) == 120 && json_array_size(r.fake.heard) == 3 + 13);
    json_decref(report);
    EXPECT_MSG(label_run(&r.lab, &job, &report, &err), "%s", err.msg);
    EXPECT(json_array_size(r.fake.heard) == 16); /* all are there */
    json_decref(report);
    rig_close(&r);
}

TEST(what_is_learned_from_labels_finds_the_rest_and_becomes_a_finding)
{
    char dir[200], file[260];
    snprintf(dir, sizeof(dir), "%s/open", test_folder());
    snprintf(file, sizeof(file), "%s/data/kinds/labels/l1.jsonl", dir);
    json_t *report = NULL;
    AuditJob audit = { .lab = dir, .name = "kinds" };
    EXPECT_MSG(audit_run(&audit, &report, &err), "%s", err.msg);
    size_t before = json_array_size(json_object_get(report, "findings"));
    json_decref(report);
    LabelsJob job = { .lab = dir, .name = "kinds", .labels = file, .drop = "sea", .seed = 1 };
    EXPECT_MSG(labels_spread(&job, &report, &err), "%s", err.msg);
    EXPECT_MSG(json_num(report, "right", 0) > 0.99, "%g right", json_num(report, "right", 0));
    const json_t *rows = json_object_get(report, "labels");
    int64_t both = json_int(json_array_get(rows, 0), "documents", 0) +
                   json_int(json_array_get(rows, 1), "documents", 0);
    double sea = json_num(json_object_get(report, "finding"), "confidence", 0);
    EXPECT(both > 300 && sea > 0.9);
    EXPECT(strcmp(json_str(report, "author", ""), "openai:reader") == 0);
    json_decref(report);
    EXPECT_MSG(audit_read(dir, "kinds", &report, &err), "%s", err.msg);
    const json_t *findings = json_object_get(report, "findings"), *f, *ours = NULL;
    size_t i;
    json_array_foreach(findings, i, f)
    {
        if (strcmp(json_str(f, "kind", ""), "label sea") == 0) ours = f;
    }
    EXPECT(json_array_size(findings) == before + 1 && ours);
    double half = json_num(ours, "share", 0);
    EXPECT_MSG(half > 0.4 && half < 0.6, "%g of the text", half);
    EXPECT(json_str(json_object_get(json_object_get(ours, "remedy"), "edit"), "data.drop", "")[0]);
    json_decref(report);
}

TEST(only_labels_that_were_asked_for_count)
{
    Rig r;
    json_t *report = NULL;
    rig_open(&r, two_kinds("sloppy"), "sloppy", 0);
    EXPECT(share_set(&r.lab, "kinds", true, "person", &err));
    LabelJob job = job_of(&r, 8);
    EXPECT_MSG(label_run(&r.lab, &job, &report, &err), "%s", err.msg);
    EXPECT(json_int(report, "labelled", 0) == 7 && json_int(report, "asked", 0) == 8);
    json_decref(report);
    rig_close(&r);
}

TEST(a_refusal_a_limit_and_silence_end_it_with_what_there_is)
{
    static const struct {
        const char *model, *why;
        double max_usd;
        int requests;
    } cases[] = { { "refuse", "refused", 0, 1 },
                  { "mute", "no label in them", 0, 3 },
                  { "reader", "next request may cost", 0.066, 1 } };
    for (int i = 0; i < COUNT(cases); i++) {
        Rig r;
        json_t *report = NULL;
        char name[16];
        snprintf(name, sizeof(name), "ends%d", i);
        rig_open(&r, two_kinds(name), cases[i].model, cases[i].max_usd);
        EXPECT(share_set(&r.lab, "kinds", true, "person", &err));
        LabelJob job = job_of(&r, 800);
        job.bytes = 100000;
        job.batch = 50;
        EXPECT_MSG(label_run(&r.lab, &job, &report, &err), "%s", err.msg);
        const json_t *spend = json_object_get(report, "spend");
        EXPECT_MSG(strstr(json_str(report, "ended", ""), cases[i].why), "%s: %s", cases[i].model,
                   json_str(report, "ended", ""));
        EXPECT(json_int(spend, "requests", 0) >= cases[i].requests);
        EXPECT(cases[i].max_usd <= 0 || json_num(spend, "usd", 1) <= cases[i].max_usd);
        json_decref(report);
        rig_close(&r);
    }
}
