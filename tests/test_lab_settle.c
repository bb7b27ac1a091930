/* Remedies whose worth is known: a lab in which half of one data set is noise. */
#include "base/file.h"
#include "base/progress.h"
#include "base/rand.h"
#include "data/corpus.h"
#include "data/docs.h"
#include "data/drop.h"
#include "lab/settle.h"
#include "tests/test.h"

static Arena arena;
static Err err;

static void write_words(Buf *doc, Rand *r, bool noise)
{
    static const char *const words[] = { "the", "sea", "and", "a", "ship", "under", "sail" };
    for (int i = 0; i < 90; i++) {
        if (noise)
            for (int k = 0; k < 4; k++) buf_char(doc, (char)('!' + rand_below(r, 90)));
        else
            buf_str(doc, str_of(words[rand_below(r, COUNT(words))]));
        buf_char(doc, i % 10 == 9 ? '\n' : ' ');
    }
}

/* Documents of a line of JSON each; every second one is noise where `noise` says so. */
static void add_set(const char *lab, const char *name, int docs, bool noise, uint64_t seed)
{
    Buf all = { 0 }, doc = { 0 };
    Rand r = rand_stream(seed, "words");
    for (int i = 0; i < docs; i++) {
        buf_clear(&doc);
        write_words(&doc, &r, noise && i % 2);
        json_t *line = json_pack("{s:o}", "text", json_text(buf_view(&doc)));
        json_write(line, false, &all);
        if (all.at[all.len - 1] != '\n') buf_char(&all, '\n');
        json_decref(line);
    }
    const char *path = arena_printf(&arena, "%s/%s.jsonl", test_folder(), name);
    EXPECT_MSG(file_write_whole(path, buf_view(&all), &err), "%s", err.msg);
    buf_free(&all);
    buf_free(&doc);
    CorpusAdd add = { .lab = lab, .name = name, .paths = &path, .n_paths = 1 };
    json_t *manifest = NULL;
    EXPECT_MSG(corpus_add(&add, &manifest, &err), "%s", err.msg);
    json_decref(manifest);
}

static bool is_noise(Str doc)
{
    for (ptrdiff_t i = 0; i < doc.len; i++)
        if (doc.at[i] >= '0' && doc.at[i] <= '9') return true;
    return false;
}

/* A finding like those of the audit, whose edit removes some of the noise or some of the words. */
static json_t *finding_of(const char *lab, bool noise, int64_t limit)
{
    Docs docs;
    DropList list = { 0 };
    char id[17];
    EXPECT_MSG(docs_open(&docs, corpus_train_stem(lab, "mixed", &arena), &err), "%s", err.msg);
    for (int64_t i = 0, n = 0; i < docs.count && n < limit; i++) {
        if (is_noise(docs_get(&docs, i)) != noise) continue;
        droplist_document(&list, dedup_key(docs_get(&docs, i)), false);
        n++;
    }
    EXPECT_MSG(droplist_write(&list, lab, "mixed", id, &err), "%s", err.msg);
    droplist_free(&list);
    docs_close(&docs);
    return json_pack("{s:s,s:s,s:{s:{s:o}}}", "kind", noise ? "noise" : "words", "what", "planted",
                     "remedy", "edit", "data.drop", json_sprintf("mixed:%s", id));
}

static const char *make_lab(Lab *lab)
{
    static bool made;
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 34);
    progress_quiet(true);
    const char *dir = arena_printf(&arena, "%s/lab", test_folder());
    if (!made) {
        EXPECT_MSG(lab_init(dir, &err), "%s", err.msg);
        add_set(dir, "clean", 260, false, 1);
        add_set(dir, "mixed", 520, true, 2);
    }
    made = true;
    EXPECT_MSG(lab_open(lab, dir, LEDGER_WRITE, &arena, &err), "%s", err.msg);
    return dir;
}

static Recipe small_recipe(void)
{
    static const char *const sets[] = {
        "model.depth=1",        "model.width=16",      "model.heads=2", "model.context=32",
        "tokenizer.kind=bytes", "budget.frame=tokens", "train.batch=8", "budget.tokens=16000",
        "data.sources=mixed",   "optim.lr=0.02",
    };
    Recipe r;
    recipe_default(&r, &arena);
    for (int i = 0; i < COUNT(sets); i++)
        EXPECT_MSG(recipe_override(&r, sets[i], "test", &err), "%s", err.msg);
    return r;
}

static json_t *settle(Lab *lab, const json_t *finding)
{
    Recipe r = small_recipe();
    const char *domain[MIXTURE_MAX];
    json_t *verdict = NULL;
    SettleOpt opt = { .name = "mixed",
                      .finding = finding,
                      .recipe = &r,
                      .domains = domain,
                      .planned = 1,
                      .threads = 1 };
    EXPECT(settle_domains(lab, "mixed", domain, &opt.n_domains, &err));
    EXPECT(opt.n_domains == 1 && strcmp(domain[0], "clean") == 0);
    EXPECT_MSG(settle_finding(lab, &opt, &verdict, &err), "%s", err.msg);
    return verdict;
}

TEST(removing_noise_is_kept_and_its_control_lost_as_many_tokens)
{
    Lab lab;
    const char *dir = make_lab(&lab);
    json_t *finding = finding_of(dir, true, 1000), *v = settle(&lab, finding);
    Buf text = { 0 };
    json_write(v, true, &text);
    EXPECT_MSG(strcmp(json_str(v, "decision", ""), "keep") == 0, "%s", text.at);
    EXPECT_MSG(json_num(v, "low", -1) > 0, "%s", text.at);
    double remedy = json_num(v, "remedy_tokens", 0), control = json_num(v, "control_tokens", 0);
    EXPECT_MSG(remedy > 50000 && fabs(remedy - control) < 500, "%g against %g", remedy, control);
    const json_t *domain = json_array_get(json_object_get(v, "domains"), 0);
    EXPECT(strcmp(json_str(domain, "name", ""), "clean") == 0 && json_num(domain, "low", -1) > 0);
    EXPECT(json_int(v, "audit", 0) == 1);
    buf_free(&text);
    json_decref(v);
    json_decref(finding);
    lab_close(&lab);
}

TEST(asked_again_it_answers_without_a_run)
{
    Lab lab;
    const char *dir = make_lab(&lab);
    int64_t before = ledger_count(lab.ledger, "run"), seq = ledger_seq(lab.ledger);
    json_t *finding = finding_of(dir, true, 1000), *v = settle(&lab, finding);
    EXPECT(strcmp(json_str(v, "decision", ""), "keep") == 0);
    EXPECT(before > 0 && ledger_count(lab.ledger, "run") == before);
    EXPECT(ledger_seq(lab.ledger) == seq);
    json_decref(v);
    json_decref(finding);
    lab_close(&lab);
}

/* Without numbers where its first run is so much worse that it counts as failed. */
TEST(removing_good_text_is_dropped)
{
    Lab lab;
    const char *dir = make_lab(&lab);
    json_t *finding = finding_of(dir, false, 120), *v = settle(&lab, finding);
    EXPECT_MSG(strcmp(json_str(v, "decision", ""), "drop") == 0, "%s", json_str(v, "decision", ""));
    EXPECT_MSG(json_num(v, "D", -1) < 0, "D %g", json_num(v, "D", -1));
    json_decref(v);
    json_decref(finding);
    lab_close(&lab);
}

TEST(a_run_of_an_arm_can_be_replayed_to_the_last_bit)
{
    Lab lab;
    make_lab(&lab);
    json_t *rows = NULL;
    RunResult was, is;
    EXPECT(ledger_query(lab.ledger, "SELECT run FROM runs WHERE purpose='remedy'", 1, &rows, &err));
    const char *run = json_str(json_array_get(rows, 0), "run", "");
    EXPECT_MSG(lab_replay(&lab, run, (RunWatch){ 0 }, 1, &was, &is, &err), "%s", err.msg);
    EXPECT(strcmp(was.curve_sha256, is.curve_sha256) == 0 && was.bpb == is.bpb);
    json_decref(rows);
    lab_close(&lab);
}

TEST(the_held_out_text_is_what_it_was)
{
    Lab lab;
    const char *dir = make_lab(&lab);
    for (int tier = 0; tier < TIER_COUNT; tier++) {
        Docs d;
        json_t *m = NULL;
        const char *stem = corpus_tier_stem(dir, "mixed", tier, &arena);
        EXPECT(corpus_manifest(dir, "mixed", &m, &err) && docs_open(&d, stem, &err));
        EXPECT(docs_check(&d, stem, &err));
        const json_t *said = json_object_get(json_object_get(m, "tiers"), tier_name[tier]);
        EXPECT(strcmp(d.sha256, json_str(said, "sha256", "")) == 0);
        docs_close(&d);
        json_decref(m);
    }
    lab_close(&lab);
}
