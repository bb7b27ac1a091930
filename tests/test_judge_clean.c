/* The judge refuses a model whose training text was not searched for the held-out text. */
#include "base/hash.h"
#include "base/progress.h"
#include "judge/judge.h"
#include "tests/test.h"

static Arena arena;

/* A manifest with one addition for each list of names; NULL ends both.  "-": not searched. */
static void write_manifest(const char *lab, const char *name, const char *const *additions)
{
    Err err = { 0 };
    json_t *list = json_array();
    for (; *additions; additions++) {
        json_t *names = json_array(), *one = json_object();
        Str rest = str_of(*additions), piece;
        while (str_cut(&rest, ' ', &piece)) json_array_append_new(names, json_text(piece));
        if ((*additions)[0] == '-')
            json_decref(names);
        else
            json_object_set_new(one, "decontaminated", json_pack("{s:o}", "against", names));
        json_array_append_new(list, one);
    }
    json_t *m = json_pack("{s:o}", "additions", list);
    char *dir = arena_printf(&arena, "%s/data/%s", lab, name);
    EXPECT(file_make_dirs(dir, &err) &&
           json_write_file(arena_printf(&arena, "%s/manifest.json", dir), m, &err));
    json_decref(m);
}

#define MANIFEST(lab, name, ...)                                                                   \
    write_manifest(lab, name, (const char *const[]){ __VA_ARGS__, NULL })

static const char *new_lab(const char *name)
{
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 34);
    progress_quiet(true);
    return arena_printf(&arena, "%s/%s", test_folder(), name);
}

static bool may(const char *lab, const char *train, const char *held, Err *err)
{
    const Knob *tables[] = { data_knobs, NULL };
    KnobSet knobs = knobs_new(&arena, tables);
    JudgeText text = { lab, &held, 1, TIER_SEARCH };
    *err = (Err){ 0 };
    return knobs_set(&knobs, "data.sources", str_of(train), "test", err) &&
           judge_may_score(&text, &knobs, arena, err);
}

TEST(a_set_is_clean_of_its_own_tiers_and_of_those_it_was_searched_for)
{
    const char *lab = new_lab("clean");
    Err err;
    MANIFEST(lab, "old", "");
    MANIFEST(lab, "new", "old");
    EXPECT_MSG(may(lab, "old", "old", &err), "%s", err.msg);
    EXPECT_MSG(may(lab, "new", "old", &err), "%s", err.msg);
    EXPECT_MSG(may(lab, "old", "new", &err), "cut knowing the older set: %s", err.msg);
    EXPECT_MSG(may(lab, "old:2,new:1", "new", &err), "%s", err.msg);
}

TEST(a_set_that_was_not_searched_is_refused_by_name)
{
    const char *lab = new_lab("dirty");
    Err err;
    MANIFEST(lab, "a", "");
    MANIFEST(lab, "b", "");
    EXPECT(!may(lab, "a", "b", &err) && err.code == ERR_CONFIG);
    EXPECT_MSG(strstr(err.msg, "training text of a") && strstr(err.msg, "held-out text of b"), "%s",
               err.msg);
    EXPECT(!may(lab, "b:1,a:1", "b", &err));
    MANIFEST(lab, "none", "-");
    EXPECT(!may(lab, "none", "none", &err));
}

TEST(every_addition_must_have_been_searched)
{
    const char *lab = new_lab("additions");
    Err err;
    MANIFEST(lab, "b", "");
    MANIFEST(lab, "a", "b", "a b", "a");
    EXPECT(!may(lab, "a", "b", &err));
    MANIFEST(lab, "a", "b", "a b", "b a");
    EXPECT_MSG(may(lab, "a", "b", &err), "%s", err.msg);
}

/* The real manifests, so that a change of their form is noticed here. */
TEST(sets_made_by_the_lab_itself_may_judge_each_other)
{
    const char *lab = new_lab("real");
    const char *const names[] = { "first", "second", "first" };
    Err err = { 0 };
    for (int i = 0; i < 3; i++) {
        Buf text = { 0 };
        for (int doc = 0; doc < 60; doc++) {
            buf_str(&text, STR("{\"text\":\""));
            for (int w = 0; w < 80; w++)
                buf_printf(&text, "w%llu ",
                           (unsigned long long)(hash64_mix((uint64_t)(i * 100000 + doc * 100 + w)) %
                                                5000));
            buf_str(&text, STR("\"}\n"));
        }
        const char *path = arena_printf(&arena, "%s/in%d.jsonl", test_folder(), i);
        json_t *manifest = NULL;
        CorpusAdd add = { .lab = lab, .name = names[i], .paths = &path, .n_paths = 1 };
        EXPECT_MSG(file_write_whole(path, buf_view(&text), &err) &&
                       corpus_add(&add, &manifest, &err),
                   "%s", err.msg);
        json_decref(manifest);
        buf_free(&text);
    }
    EXPECT_MSG(may(lab, "first", "second", &err), "%s", err.msg);
    EXPECT_MSG(may(lab, "second", "first", &err), "%s", err.msg);
    EXPECT_MSG(may(lab, "first,second", "first", &err), "%s", err.msg);
}
