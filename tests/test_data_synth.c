/* The built-in corpus: the same for everybody, true to its own world, faulty where it says so. */
#include <ctype.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/progress.h"
#include "data/corpus.h"
#include "data/dedup.h"
#include "data/docs.h"
#include "data/synth.h"
#include "tests/test.h"

enum { DOCS = 3000 };

static const SynthWorld *world(void)
{
    static Arena arena;
    static const SynthWorld *w;
    if (!w) arena = arena_reserve(1 << 26), w = synth_world(1, &arena);
    return w;
}

/* All documents of one kind, one after the other. */
static Buf all_of(int kind, int docs)
{
    Buf out = { 0 }, one = { 0 };
    for (int i = 0; i < docs; i++) {
        buf_clear(&one);
        SynthKind is = synth_document(world(), i, &one);
        if (kind < 0 || is == (SynthKind)kind) buf_str(&out, buf_view(&one));
    }
    buf_free(&one);
    return out;
}

/* The hash stands for "on every machine and with every compiler". */
TEST(a_seed_gives_the_same_text_everywhere)
{
    Buf text = all_of(-1, 200);
    char sha[65];
    sha256_hex(text.at, text.len, sha);
    EXPECT_MSG(strcmp(sha, "0c16760191775d6834a1c738e7f5540a722718c8cc8ab86e12db72a9f5369c31") == 0,
               "%s", sha);
    buf_free(&text);
}

TEST(another_seed_is_another_world)
{
    Arena arena = arena_reserve(1 << 26);
    const SynthWorld *other = synth_world(2, &arena);
    int same = 0;
    for (int i = 0; i < other->people; i++)
        same += strcmp(other->person[i].full, world()->person[i].full) == 0;
    EXPECT(same < 5);
    arena_release(&arena);
}

TEST(documents_are_of_a_useful_size_and_are_not_alike)
{
    Buf text = all_of(-1, DOCS);
    EXPECT_MSG(text.len > DOCS * 500 && text.len < DOCS * 900, "%td bytes", text.len);
    buf_free(&text);
    static Buf doc[DOCS];
    static Str view[DOCS];
    static int64_t group[DOCS];
    Err err = { 0 };
    int alike = 0;
    progress_quiet(true);
    for (int i = 0; i < DOCS; i++) synth_document(world(), i, &doc[i]), view[i] = buf_view(&doc[i]);
    EXPECT(dedup_near(view, DOCS, group, &err));
    for (int i = 0; i < DOCS; i++) alike += group[i] != i, buf_free(&doc[i]);
    EXPECT_MSG(alike < DOCS / 500, "%d alike", alike);
}

/* "12 + 5 = 17": how many there are in the text, and how many of them are right. */
static int count_sums(Str text, int *right)
{
    Str line;
    int sums = 0;
    *right = 0;
    while (str_cut(&text, '\n', &line)) {
        int a, b, c;
        char sign, whole[64];
        snprintf(whole, sizeof(whole), "%.*s", (int)MIN(line.len, (ptrdiff_t)60), line.at);
        if (sscanf(whole, "%d %c %d = %d", &a, &sign, &b, &c) != 4) continue;
        sums++;
        *right += c == (sign == '+' ? a + b : sign == '-' ? a - b : a * b);
    }
    return sums;
}

TEST(sums_are_right)
{
    Buf text = all_of(SYNTH_SUMS, DOCS);
    int right, sums = count_sums(buf_view(&text), &right);
    EXPECT_MSG(sums > 1000 && right == sums, "%d of %d", right, sums);
    buf_free(&text);
}

/* Every "NAME was born in YEAR" says what the world says. */
TEST(facts_are_the_same_in_every_document)
{
    Buf text = all_of(-1, DOCS);
    int told = 0;
    for (int i = 0; i < world()->people; i++) {
        const SynthPerson *p = &world()->person[i];
        char claim[96];
        snprintf(claim, sizeof(claim), "%s was born in ", p->full);
        for (const char *at = text.at; (at = strstr(at, claim)); told++) {
            at += strlen(claim);
            int same_name = 0;
            for (int k = 0; k < world()->people; k++)
                same_name += strcmp(world()->person[k].full, p->full) == 0;
            EXPECT(same_name > 1 || strncmp(at, p->born, 4) == 0);
        }
    }
    EXPECT_MSG(told > 50, "%d", told);
    buf_free(&text);
}

TEST(sentences_begin_with_capitals_and_articles_agree)
{
    Buf text = all_of(-1, 1000);
    for (const char *c = text.at; *c; c++) {
        if (c > text.at && c[-1] == '\n' && *c != '\n') EXPECT(!islower((unsigned char)*c));
        if (c[0] == '.' && c[1] == ' ') EXPECT_MSG(!islower((unsigned char)c[2]), "%.40s", c);
        if (strncmp(c, " a ", 3) == 0) EXPECT_MSG(!strchr("aeiou", c[3]), "%.20s", c);
        if (strncmp(c, " an ", 4) == 0) EXPECT_MSG(strchr("aeiouAEIOU", c[4]), "%.20s", c);
        EXPECT(*c != '@' && (unsigned char)*c < 128);
    }
    buf_free(&text);
}

static int count_word(Str text, const char *word)
{
    int n = 0;
    for (DedupWords w = dedup_words(text); dedup_next(&w);) n += str_eq(w.word, str_of(word));
    return n;
}

TEST(frequent_words_are_frequent_and_rare_ones_occur)
{
    Buf text = all_of(-1, DOCS);
    const SynthWords *w = &world()->things;
    int first = count_word(buf_view(&text), w->base[0]);
    int middle = count_word(buf_view(&text), w->base[30]);
    int last = 0;
    for (int i = w->count - 20; i < w->count; i++) last += count_word(buf_view(&text), w->base[i]);
    EXPECT_MSG(first > 2 * middle && middle > 20 && last > 100, "%d %d %d", first, middle, last);
    buf_free(&text);
}

/* ---- the dirty source ---- */

TEST(faults_are_what_they_say)
{
    int count[SYNTH_FAULTS] = { 0 }, near = 0, right = 0, sums = 0;
    for (int i = 0; i < DOCS; i++) {
        Buf text = { 0 }, copied = { 0 };
        int64_t of, none;
        SynthFault fault = synth_dirty(world(), i, &text, &of);
        count[fault]++;
        bool copy = fault == SYNTH_EXACT_COPY || fault == SYNTH_NEAR_COPY;
        EXPECT(copy == (of >= 0) && of < i);
        if (copy) synth_dirty(world(), of, &copied, &none);
        if (fault == SYNTH_EXACT_COPY) EXPECT(str_eq(buf_view(&text), buf_view(&copied)));
        if (fault == SYNTH_NEAR_COPY)
            near += dedup_jaccard(buf_view(&text), buf_view(&copied)) > 0.7;
        if (fault == SYNTH_BOILERPLATE)
            EXPECT(strstr(text.at, "cookies") || strchr(text.at, '|') ||
                   strstr(text.at, "reserved") || strchr(text.at, '!') ||
                   strstr(text.at, "scripts") || strstr(text.at, "Mail") ||
                   strstr(text.at, "soup"));
        if (fault == SYNTH_BROKEN_ENCODING) {
            int broken = 0;
            for (ptrdiff_t k = 0; k < text.len; k++) broken += (unsigned char)text.at[k] > 127;
            EXPECT_MSG(broken > 3, "%d broken bytes", broken);
        }
        if (fault == SYNTH_WRONG_SUMS) {
            int good;
            sums += count_sums(buf_view(&text), &good);
            right += good;
        }
        buf_free(&text);
        buf_free(&copied);
    }
    for (int f = 0; f < SYNTH_FAULTS; f++)
        EXPECT_MSG(count[f] > DOCS / 25, "%s: %d", synth_fault_name[f], count[f]);
    EXPECT(count[SYNTH_CLEAN] > DOCS * 45 / 100 && count[SYNTH_CLEAN] < DOCS * 60 / 100);
    EXPECT_MSG(near > count[SYNTH_NEAR_COPY] * 3 / 4, "%d of %d", near, count[SYNTH_NEAR_COPY]);
    EXPECT_MSG(fabs(right - 0.5 * sums) < 0.05 * sums, "%d of %d", right, sums);
}

/* ---- in a lab ---- */

static const char *lab(void)
{
    static char path[128];
    Err err = { 0 };
    progress_quiet(true);
    snprintf(path, sizeof(path), "%s/lab", test_folder());
    EXPECT(file_make_dirs(path, &err));
    return path;
}

/* Every training document is, or is cut from, the document that truth.json says. */
static void check_truth(const json_t *truth, const Docs *train)
{
    size_t i, k;
    json_t *entry, *place;
    int64_t placed = 0;
    json_array_foreach(json_object_get(truth, "documents"), i, entry)
    {
        Buf text = { 0 };
        int64_t of;
        SynthFault fault = synth_dirty(world(), (int64_t)i, &text, &of);
        EXPECT(strcmp(json_str(entry, "fault", ""), synth_fault_name[fault]) == 0);
        EXPECT(json_int(entry, "of", -1) == of);
        json_array_foreach(json_object_get(entry, "train"), k, place)
        {
            Str doc = docs_get(train, json_integer_value(place));
            EXPECT(memmem(text.at, (size_t)text.len, doc.at, (size_t)doc.len));
            placed++;
        }
        buf_free(&text);
    }
    EXPECT(placed == train->count);
}

TEST(the_dirty_source_comes_with_its_truth)
{
    Err err = { 0 };
    json_t *m;
    EXPECT_MSG(corpus_synth(lab(), "demo", 1500, 1, &m, &err), "%s", err.msg);
    json_decref(m);
    char path[256];
    snprintf(path, sizeof(path), "%s/data/demo-dirty/truth.json", lab());
    json_t *truth = json_read_file(path, &err);
    EXPECT_MSG(truth, "%s", err.msg);
    EXPECT(corpus_manifest(lab(), "demo-dirty", &m, &err));
    const json_t *faults = json_object_get(truth, "faults");
    const json_t *found =
        json_object_get(json_array_get(json_object_get(m, "additions"), 0), "duplicates");
    EXPECT(json_int(found, "exact", -1) == json_int(faults, "exact_copy", 0));
    int64_t near = json_int(found, "near", 0), planted = json_int(faults, "near_copy", 0);
    EXPECT_MSG(near > planted * 3 / 4 && near <= planted, "%d of %d", (int)near, (int)planted);
    Arena arena = arena_reserve(1 << 20);
    Docs train;
    EXPECT(docs_open(&train, corpus_train_stem(lab(), "demo-dirty", &arena), &err));
    check_truth(truth, &train);
    docs_close(&train);
    arena_release(&arena);
    json_decref(truth);
    json_decref(m);
}

TEST(the_same_command_again_finds_it_done_and_another_seed_is_refused)
{
    Err err = { 0 };
    json_t *first, *again;
    EXPECT(corpus_synth(lab(), "two", 300, 1, &first, &err));
    EXPECT(corpus_synth(lab(), "two", 300, 1, &again, &err) && json_equal(first, again));
    json_decref(first);
    json_decref(again);
    EXPECT(!corpus_synth(lab(), "two", 300, 2, &again, &err) && err.code == ERR_CONFIG);
    EXPECT_MSG(strstr(err.msg, "another data set two"), "%s", err.msg);
    EXPECT(!corpus_synth(lab(), "three", 10, 1, &again, &err) && strstr(err.msg, "too few"));
}

TEST(little_is_lost_to_passages_that_come_twice)
{
    Err err = { 0 };
    json_t *m;
    EXPECT(corpus_synth(lab(), "demo", 1500, 1, &m, &err));
    const json_t *cut =
        json_object_get(json_array_get(json_object_get(m, "additions"), 0), "decontaminated");
    EXPECT_MSG(json_int(cut, "bytes", 0) < json_int(m, "bytes", 0) * 4 / 100, "%d bytes",
               (int)json_int(cut, "bytes", 0));
    json_decref(m);
}
