/* Filters: each rule against text whose measure is known, and what a recipe makes of them. */
#include "data/filter.h"

#include "base/progress.h"
#include "data/docs.h"
#include "data/mixture.h"
#include "tests/test.h"

static void judge(const FilterDef *def, const double *knob, Str text, Buf *out, FilterVerdict *v)
{
    FilterRoom room[2] = { 0 };
    FilterDoc d;
    filter_read(text, &room[0], &d);
    filter_judge(def, knob, NULL, &d, &room[1], out, v);
    filterroom_free(&room[0]);
    filterroom_free(&room[1]);
}

/* The value that a rule measures. */
static double value_of(const char *filter, const char *rule, Str text)
{
    const FilterDef *def = filter_find(str_of(filter));
    Buf out = { 0 };
    FilterVerdict v;
    double knob[FILTER_RULES] = { 0 }, found = -1;
    EXPECT_MSG(def, "%s", filter);
    for (int k = 0; k < filter_knobs(def); k++) knob[k] = def->knobs[k].fallback;
    judge(def, knob, text, &out, &v);
    for (int r = 0; r < def->n_rules; r++)
        if (strcmp(def->rules[r].name, rule) == 0) found = v.value[r];
    buf_free(&out);
    return found;
}

/* What `filters` make of a text; "" if nothing is left. */
static void expect_left(const char *filters, const char *text, const char *want)
{
    FilterPlan plan;
    Err err = { 0 };
    Str left;
    EXPECT_MSG(filterplan_make(&plan, "/nowhere", filters, "books", false, &err), "%s", err.msg);
    bool some = filterplan_apply(&plan, str_of(text), &left);
    if (!some) left = STR("");
    EXPECT_MSG(str_eq(left, str_of(want)), "%s\nof \"%s\"\nleft \"%.*s\"\nnot  \"%s\"", filters,
               text, (int)left.len, left.at, want);
    filterplan_free(&plan);
}

static bool near_to(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

TEST(gophers_measures_of_quality_are_those_counted_by_hand)
{
    const char *q = "gopher_quality";
    Str text =
        STR("The cat and # the dog... 12 3\n- have a \xc3\xa9t\xc3\xa9\n* seen\xe2\x80\xa6\n");
    /* words: The cat and # the dog... 12 3 - have a été * seen…: 14 */
    EXPECT(near_to(value_of(q, "words_min", text), 14));
    EXPECT(near_to(value_of(q, "hashes", text), 1.0 / 14));
    EXPECT(near_to(value_of(q, "ellipses", text), 2.0 / 14));
    EXPECT(near_to(value_of(q, "bullets", text), 2.0 / 3));
    EXPECT(near_to(value_of(q, "ellipsis_lines", text), 1.0 / 3));
    EXPECT(near_to(value_of(q, "letters", text), 9.0 / 14));
    EXPECT(near_to(value_of(q, "stop_words", text), 3)); /* and, the, have */
    EXPECT(near_to(value_of(q, "length_min", text),
                   (3 + 3 + 3 + 1 + 3 + 6 + 2 + 1 + 1 + 4 + 1 + 3 + 1 + 5) / 14.0));
}

/* The same in plain quadratic code. */
static double plain_repetition(const char *const *word, int words, int n, bool top, double all)
{
    double bytes = 0;
    int most = 1;
    for (int i = 0, step = 1; i + n <= words; i += step) {
        int count = 0, before = 0, length = 0;
        for (int k = 0; k < n; k++) length += (int)strlen(word[i + k]);
        for (int j = 0; j + n <= words; j++) {
            bool same = true;
            for (int k = 0; k < n; k++) same = same && strcmp(word[i + k], word[j + k]) == 0;
            count += same;
            before += same && j < i;
        }
        if (top && count >= 2 && count >= most) {
            bytes = count > most ? count * length : fmax(bytes, count * length);
            most = count;
        }
        (void)before;
    }
    return bytes / all;
}

TEST(the_most_frequent_run_is_the_one_of_a_quadratic_search)
{
    static const char *const vocabulary[] = { "a", "bb", "ccc", "dddd", "e" };
    const char *word[300];
    Buf text = { 0 };
    uint64_t x = 5;
    for (int i = 0; i < COUNT(word); i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        word[i] = vocabulary[(x >> 33) % 5];
        buf_printf(&text, "%s ", word[i]);
    }
    static const char *const rules[] = { "top_2", "top_3", "top_4" };
    for (int n = 2; n <= 4; n++) {
        double want = plain_repetition(word, COUNT(word), n, true, (double)text.len);
        double got = value_of("gopher_repetition", rules[n - 2], buf_view(&text));
        EXPECT_MSG(near_to(got, want), "%d: %g, and %g by hand", n, got, want);
    }
    buf_free(&text);
}

TEST(repeated_lines_paragraphs_and_runs_are_counted_once_each)
{
    const char *r = "gopher_repetition";
    Str text = STR("one two\nthree\n\none two\nthree\n\nfour\n");
    EXPECT(near_to(value_of(r, "lines", text), 2.0 / 5));
    EXPECT(near_to(value_of(r, "line_bytes", text), 12.0 / 35));
    EXPECT(near_to(value_of(r, "paragraphs", text), 1.0 / 3));
    EXPECT(near_to(value_of(r, "paragraph_bytes", text), 12.0 / 35));
    /* Ten different words, the same ten again, the first five again: 15 of 25 are repeated. */
    Buf ten = { 0 };
    for (int i = 0; i < 25; i++) buf_printf(&ten, "w%d ", i % 10);
    EXPECT(near_to(value_of(r, "repeated_5", buf_view(&ten)), 30.0 / 75));
    EXPECT(near_to(value_of(r, "repeated_10", buf_view(&ten)), 20.0 / 75));
    buf_free(&ten);
}

TEST(finewebs_measures_are_those_counted_by_hand)
{
    Str text = STR("A sentence that is longer than thirty characters.\nshort\nshort\n");
    EXPECT(near_to(value_of("fineweb", "punctuation", text), 1.0 / 3));
    EXPECT(near_to(value_of("fineweb", "short_lines", text), 2.0 / 3));
    EXPECT(near_to(value_of("fineweb", "repeated", text), 5.0 / 59));
    EXPECT(near_to(value_of("fineweb", "newlines", text), 3.0 / 10));
}

TEST(c4_takes_lines_that_are_no_sentences_and_short_pages)
{
    const char *page =
        "Home About Us Contact\nThis is a whole sentence. And another one here.\n"
        "Enable javascript to see this page.\nA third follows[12] as it should.\n"
        "We use cookies on this site.\nTwo words.\nIs that a fourth? It is a fifth!\n"
        "It trails off...\n";
    expect_left("c4", page,
                "This is a whole sentence. And another one here.\nA third follows as it should.\n"
                "Is that a fourth? It is a fifth!");
    expect_left("c4(sentences=6)", page, "");
    expect_left("c4(braces=0 sentences=0)", "A line with { in it here.", "");
    expect_left("c4(sentences=0)", "Say Lorem Ipsum here now.", "");
}

TEST(refinedweb_takes_buttons_counters_and_shouting)
{
    const char *page = "SIGN UP NOW FOR FREE\n12 345\n3 likes\n1.2K Views\nword\nSign in to reply\n"
                       "A line of prose that stays as it is.\n  And another one, indented.\n";
    expect_left("refinedweb(removed=1)", page,
                "A line of prose that stays as it is.\n  And another one, indented.\n");
    expect_left("refinedweb", page, "");
}

TEST(personal_data_is_replaced_and_nothing_else)
{
    static const char *const cases[][2] = {
        { "Write to jane.doe+x@mail.example.org, or call.",
          "Write to email@example.com, or call." },
        { "(a@b.co)", "(email@example.com)" },
        { "not@ an @address a@b a@b.c user@host", "not@ an @address a@b a@b.c user@host" },
        { "from 8.8.8.8 to 10.0.0.1 and 192.168.1.1",
          "from 192.0.2.1 to 10.0.0.1 and 192.168.1.1" },
        { "version 1.2.3.4.5 and 300.1.1.1 and 8.8.8",
          "version 1.2.3.4.5 and 300.1.1.1 and 8.8.8" },
        { "call (415) 555-2671 or 415-555-2671.", "call +1-202-555-0100 or +1-202-555-0100." },
        { "+49 30 901820 and +442071838750", "+1-202-555-0100 and +1-202-555-0100" },
        { "in 1999-2004 and 123-45-6789 and 10 000 000",
          "in 1999-2004 and 123-45-6789 and 10 000 000" },
        { "a table 123 456 7890 of numbers", "a table 123 456 7890 of numbers" },
        { "2+2 = 4, +5 degrees", "2+2 = 4, +5 degrees" },
    };
    for (int i = 0; i < COUNT(cases); i++) expect_left("personal", cases[i][0], cases[i][1]);
}

TEST(wrong_decoding_is_undone_and_right_text_is_let_be)
{
    static const char *const cases[][2] = {
        { "caf\xc3\x83\xc2\xa9", "caf\xc3\xa9" },
        { "it\xc3\xa2\xe2\x82\xac\xe2\x84\xa2s", "it\xe2\x80\x99s" },
        { "twice: \xc3\x83\xc6\x92\xc3\x82\xc2\xa9", "twice: \xc3\xa9" },
        { "caf\xe9 \x93q\x94", "caf\xc3\xa9 \xe2\x80\x9cq\xe2\x80\x9d" },
        { "\xef\xbb\xbfmark and\x01 bell\a", "mark and bell" },
        { "\xc3\x84rger, S\xc3\x83O PAULO, \xc3\xa9t\xc3\xa9, \xce\xb1\xce\xb2, "
          "\xe4\xb8\xad\xe6\x96\x87, \xf0\x9f\x98\x80",
          "\xc3\x84rger, S\xc3\x83O PAULO, \xc3\xa9t\xc3\xa9, \xce\xb1\xce\xb2, "
          "\xe4\xb8\xad\xe6\x96\x87, \xf0\x9f\x98\x80" },
        { "tabs\tand\nlines\r\nstay", "tabs\tand\nlines\r\nstay" },
    };
    for (int i = 0; i < COUNT(cases); i++) expect_left("encoding", cases[i][0], cases[i][1]);
}

TEST(a_list_of_words_is_a_file)
{
    char path[200], filters[300];
    snprintf(path, sizeof(path), "%s/words.txt", test_folder());
    FILE *f = fopen(path, "w");
    EXPECT(f && fputs("badword\n\nWorse \n", f) >= 0 && fclose(f) == 0);
    snprintf(filters, sizeof(filters), "blocklist(list=%s hits=1)", path);
    expect_left(filters, "one BADWORD only", "one BADWORD only");
    expect_left(filters, "a badword and worse", "");
}

TEST(what_a_source_says_of_its_own_comes_on_top)
{
    expect_left("gopher_quality(words_min=2 stop_words=0)", "one word", "one word");
    expect_left("gopher_quality(words_min=2 stop_words=0)", "one", "");
    expect_left("gopher_quality; books: gopher_quality(words_min=1, stop_words=0)", "word", "word");
    expect_left("gopher_quality; books: -gopher_quality", "x", "x");
    expect_left("gopher_quality; gov: -gopher_quality", "x", "");
    expect_left("", "x", "x");
    expect_left("personal, encoding", "\xe9 a@b.co", "\xc3\xa9 email@example.com");
}

static void expect_refused(const char *filters, const char *words)
{
    FilterPlan plan;
    Err err = { 0 };
    EXPECT_MSG(!filterplan_make(&plan, "/nowhere", filters, "books", false, &err), "%s", filters);
    EXPECT_MSG(err.code == ERR_CONFIG && strstr(err.msg, words), "%s: %s", filters, err.msg);
}

TEST(a_wrong_filter_knob_or_value_gets_the_nearest_name_or_the_range)
{
    expect_refused("gopher_qualty", "gopher_quality");
    expect_refused("gopher_quality(word_min=3)", "words_min");
    expect_refused("gopher_quality(letters=7)", "letters");
    expect_refused("gopher_quality(letters)", "KNOB=VALUE");
    expect_refused("gopher_quality(letters=1", "without )");
    expect_refused("blocklist(list=absent.txt)", "absent.txt");
    const char *names[] = { "books" };
    Err err = { 0 };
    EXPECT(filterplan_check("c4; books: -c4", names, 1, &err));
    EXPECT(!filterplan_check("c4; gov: -c4", names, 1, &err) && strstr(err.msg, "gov"));
}

TEST(a_plans_key_changes_with_every_threshold)
{
    FilterPlan a, b, c;
    Err err = { 0 };
    EXPECT(filterplan_make(&a, "", "c4", "books", false, &err));
    EXPECT(filterplan_make(&b, "", "c4(sentences=5)", "books", false, &err));
    EXPECT(filterplan_make(&c, "", "c4(sentences=4)", "books", false, &err));
    EXPECT(str_eq(buf_view(&a.key), buf_view(&b.key)) &&
           !str_eq(buf_view(&a.key), buf_view(&c.key)));
    filterplan_free(&a);
    filterplan_free(&b);
    filterplan_free(&c);
}

/* Ugly documents for every filter: no crash, and an edit that finds nothing more to do. */
TEST(every_filter_meets_the_ugly_documents)
{
    static const Str ugly[] = {
        { "", 0 },
        { "\n\n\n", 3 },
        { " ", 1 },
        { "\0\0\0", 3 },
        { "\xff\xfe\xfd", 3 },
        { "@@@@((((++++", 12 },
        { "{}[]1.1.1.1", 11 },
        { "\xe2\x80", 2 },
        { "a\n\na\n\na\n\na", 10 },
    };
    int count;
    const FilterDef *const *all = filter_all(&count);
    for (int i = 0; i < count; i++) {
        const FilterDef *def = all[i];
        double knob[FILTER_RULES] = { 0 };
        EXPECT(def->doc && def->source && def->version > 0 && def->n_rules <= FILTER_RULES);
        EXPECT(filter_knobs(def) <= FILTER_RULES && (def->edit || def->measure));
        for (int k = 0; k < filter_knobs(def); k++) {
            char prefix[100];
            snprintf(prefix, sizeof(prefix), "filter.%s.", def->name);
            EXPECT_MSG(str_starts(str_of(def->knobs[k].name), str_of(prefix)), "%s",
                       def->knobs[k].name);
            knob[k] = def->knobs[k].fallback;
        }
        for (int u = 0; u < COUNT(ugly); u++) {
            Buf once = { 0 }, twice = { 0 };
            FilterVerdict v;
            judge(def, knob, ugly[u], &once, &v);
            if (v.edited && !v.failed) {
                FilterVerdict again;
                judge(def, knob, buf_view(&once), &twice, &again);
                EXPECT_MSG(!again.edited || str_eq(buf_view(&once), buf_view(&twice)), "%s, %d",
                           def->name, u);
            }
            buf_free(&once);
            buf_free(&twice);
        }
    }
}

/* ---- in a recipe ---- */

static const char *const books[] = {
    "Write to jane@mail.example.org for the second edition.\n",
    "short\n",
    "caf\xc3\x83\xc2\xa9 and tea are served in the garden until five.\n",
};

/* What a run with these filters reads, | before each document; the name of its data in `sha256`. */
static void expect_reads(const char *filters, const char *want, char sha256[65])
{
    static const Knob *const tables[] = { data_knobs, NULL };
    Arena arena = arena_reserve((ptrdiff_t)1 << 28);
    const char *lab = arena_printf(&arena, "%s/lab", test_folder());
    KnobSet k = knobs_new(&arena, tables);
    Err err = { 0 };
    Mixture m = { 0 };
    Buf text = { 0 };
    bool ok = knobs_set(&k, "tokenizer.kind", STR("bytes"), "test", &err) &&
              knobs_set(&k, "data.filters", str_of(filters), "test", &err) &&
              mixture_open(&m, lab, &k, &arena, &err);
    EXPECT_MSG(ok, "%s: %s", filters, err.msg);
    int64_t n = ok ? m.source[0].shard.tokens : 0;
    int32_t *ids = NEW(&arena, int32_t, n + 1);
    EXPECT(ok && shard_read(&m.source[0].shard, 0, n, ids, &err));
    for (int64_t i = 0; i < n; i++) buf_char(&text, (char)(ids[i] == 256 ? '|' : ids[i]));
    EXPECT_MSG(str_eq(buf_view(&text), str_of(want)), "%s: %.*s", filters, (int)text.len, text.at);
    memcpy(sha256, m.sha256, 65);
    buf_free(&text);
    mixture_close(&m);
    arena_release(&arena);
}

TEST(a_run_reads_what_its_recipe_leaves_and_is_named_by_it)
{
    char folder[200], stem[220], manifest[220], plain[65], edited[65];
    Err err = { 0 };
    DocsOut out = { 0 };
    progress_quiet(true);
    snprintf(folder, sizeof(folder), "%s/lab/data/books", test_folder());
    snprintf(stem, sizeof(stem), "%s/train", folder);
    snprintf(manifest, sizeof(manifest), "%s/manifest.json", folder);
    bool ok = file_make_dirs(folder, &err) && docsout_open(&out, stem, &err);
    for (int i = 0; ok && i < COUNT(books); i++) ok = docsout_add(&out, str_of(books[i]), &err);
    ok = ok && docsout_commit(&out, &err) && file_write_whole(manifest, STR("{}"), &err);
    docsout_drop(&out);
    EXPECT_MSG(ok, "%s", err.msg);
    char all[400];
    snprintf(all, sizeof(all), "|%s|%s|%s", books[0], books[1], books[2]);
    expect_reads("", all, plain);
    expect_reads("encoding personal; books: gopher_quality(words_min=3 stop_words=0)",
                 "|Write to email@example.com for the second edition.\n"
                 "|caf\xc3\xa9 and tea are served in the garden until five.\n",
                 edited);
    EXPECT(strcmp(plain, edited) != 0);
}
