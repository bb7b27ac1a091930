/* The classifier on texts whose labels are known. */
#include "base/file.h"
#include "base/rand.h"
#include "data/classify.h"
#include "tests/test.h"

enum { TEXTS = 240 };
static Arena arena;
static const char *const names[] = { "sea", "law", "farm" };
static const char *const words[3][8] = {
    { "ship", "sail", "wave", "storm", "harbour", "captain", "the", "was" },
    { "court", "judge", "clause", "party", "appeal", "statute", "the", "was" },
    { "field", "plough", "barley", "cattle", "meadow", "harvest", "the", "was" },
};
static Str features[TEXTS];
static int label[TEXTS];
static Buf room;

/* Half of each text's words are common to all labels; `wrong` of a hundred labels are another's. */
static void make_texts(uint64_t wrong)
{
    ptrdiff_t begin[TEXTS + 1];
    if (!arena.base) arena = arena_reserve((ptrdiff_t)1 << 32);
    Rand r = rand_stream(3, "texts");
    buf_clear(&room);
    for (int i = 0; i < TEXTS; i++) {
        Buf text = { 0 };
        int topic = i % 3;
        for (int k = 0; k < 30; k++)
            buf_printf(&text, "%s ",
                       words[topic][k % 2 ? 6 + rand_below(&r, 2) : rand_below(&r, 6)]);
        label[i] = rand_below(&r, 100) < wrong ? (topic + 1) % 3 : topic;
        begin[i] = room.len;
        classifier_features(buf_view(&text), &room);
        buf_free(&text);
    }
    begin[TEXTS] = room.len;
    for (int i = 0; i < TEXTS; i++)
        features[i] = (Str){ room.at + begin[i], begin[i + 1] - begin[i] };
}

TEST(texts_that_it_never_saw_get_their_label_with_a_lead)
{
    int guess[TEXTS], right = 0;
    double lead[TEXTS], sum = 0;
    make_texts(0);
    classifier_cross(names, 3, features, label, TEXTS, 5, 1, arena, guess, lead);
    for (int i = 0; i < TEXTS; i++) right += guess[i] == label[i], sum += lead[i];
    EXPECT_MSG(right == TEXTS && sum / TEXTS > 0.5, "%d of %d, mean lead %g", right, TEXTS,
               sum / TEXTS);
}

TEST(wrong_labels_are_the_ones_that_it_does_not_believe)
{
    int guess[TEXTS], wrong = 0, caught = 0, doubted = 0;
    double lead[TEXTS];
    make_texts(8);
    classifier_cross(names, 3, features, label, TEXTS, 5, 1, arena, guess, lead);
    for (int i = 0; i < TEXTS; i++) {
        bool is_wrong = label[i] != i % 3, doubt = guess[i] != label[i] && lead[i] > 0.2;
        wrong += is_wrong, doubted += doubt, caught += is_wrong && doubt;
    }
    EXPECT_MSG(wrong > 8 && 10 * caught >= 9 * wrong && 10 * caught >= 9 * doubted,
               "%d wrong, %d doubted, %d of them wrong", wrong, doubted, caught);
}

TEST(the_same_texts_give_the_same_weights_and_a_file_brings_them_back)
{
    Classifier a, b, c;
    Err err = { 0 };
    make_texts(5);
    classifier_train(&a, names, 3, features, label, TEXTS, 7, &arena);
    classifier_train(&b, names, 3, features, label, TEXTS, 7, &arena);
    const char *path = arena_printf(&arena, "%s/topics.cls", test_folder());
    EXPECT_MSG(classifier_save(&a, path, &err), "%s", err.msg);
    EXPECT_MSG(classifier_load(&c, path, &arena, &err), "%s", err.msg);
    EXPECT(c.labels == 3 && strcmp(c.label[1], "law") == 0);
    for (int i = 0; i < TEXTS; i++) {
        double x, y, z;
        int k = classifier_ask(&a, features[i], &x);
        EXPECT(classifier_ask(&b, features[i], &y) == k && x == y);
        EXPECT(classifier_ask(&c, features[i], &z) == k && x == z);
    }
    Str whole;
    EXPECT(file_read_arena(path, &arena, &whole, &err));
    EXPECT(file_write_whole(path, (Str){ whole.at, whole.len - 3 }, &err));
    EXPECT(!classifier_load(&c, path, &arena, &err) && strstr(err.msg, "topics.cls"));
    buf_free(&room);
}
