/* The loader against counting: every row's place is recorded and looked at from outside. */
#include <pthread.h>

#include "base/file.h"
#include "base/progress.h"
#include "data/mixture.h"
#include "tests/test.h"

/* Sources whose every token is its own place, so that a row tells where it came from. */
static void make_source(MixtureSource *s, const char *name, int tokens, double weight)
{
    static char path[MIXTURE_MAX][160];
    static int made;
    Err err = { 0 };
    Buf file = { 0 };
    buf_put(&file, (char[1024]){ 0 }, 1024); /* the header is read on opening only */
    for (int i = 0; i < tokens; i++) {
        uint16_t id = (uint16_t)i;
        buf_put(&file, &id, 2);
    }
    snprintf(path[made], sizeof(path[made]), "%s/%s-%d.bin", test_folder(), name, made);
    *s = (MixtureSource){ .name = name, .weight = weight, .stream = (uint64_t)made + 77 };
    s->shard = (Shard){ .path = path[made++], .tokens = tokens, .width = 2, .vocab = 65536 };
    EXPECT_MSG(file_write_whole(s->shard.path, buf_view(&file), &err), "%s", err.msg);
    s->shard.fd = dup(fileno(fopen(s->shard.path, "rb")));
    buf_free(&file);
}

static Arena arena;

static Mixture mixture_of(int count, const int *tokens, const double *weights)
{
    static const char *const names[] = { "one", "two", "three" };
    if (!arena.base) arena = arena_reserve(1 << 24);
    Mixture m = { .count = count, .tokenizer = tokenizer_bytes(&arena) };
    for (int i = 0; i < count; i++) make_source(&m.source[i], names[i], tokens[i], weights[i]);
    return m;
}

static Loader open_loader(const Mixture *m, int batch, int context, uint64_t seed)
{
    Loader l;
    Err err = { 0 };
    EXPECT_MSG(loader_open(&l, m, batch, context, seed, &err), "%s", err.msg);
    return l;
}

enum { MOST = 4096 };
static int32_t x[MOST], y[MOST], pos[MOST], doc[MOST];

static void fill(const Loader *l, int64_t index)
{
    Err err = { 0 };
    EXPECT_MSG(loader_fill(l, index, x, y, pos, doc, NULL, &err), "%s", err.msg);
}

TEST(every_token_is_the_target_of_one_place_in_each_epoch)
{
    for (int tokens = 960; tokens < 970; tokens++) {
        Mixture m = mixture_of(1, &tokens, &(double){ 1 });
        Loader l = open_loader(&m, 1, 32, 5);
        int rows = tokens / 32;
        for (int epoch = 0; epoch < 3; epoch++) {
            int seen[1000] = { 0 }, missing = 0;
            for (int r = 0; r < rows; r++) {
                fill(&l, (int64_t)epoch * rows + r);
                for (int t = 0; t < 32; t++) seen[y[t]]++;
            }
            for (int i = 0; i < tokens; i++) {
                EXPECT_MSG(seen[i] <= 1, "token %d of %d %d times", i, tokens, seen[i]);
                missing += seen[i] == 0;
            }
            EXPECT_MSG(missing == tokens % 32, "%d of %d tokens missing", missing, tokens);
        }
        EXPECT(loader_epochs(&l, 0, 3 * rows) == 3);
        mixture_close(&m);
    }
}

TEST(targets_follow_their_tokens_and_places_count_from_zero)
{
    Mixture m = mixture_of(1, &(int){ 1000 }, &(double){ 1 });
    Loader l = open_loader(&m, 4, 50, 1);
    for (int step = 0; step < 20; step++) {
        fill(&l, step);
        for (int i = 0; i < 200; i++) {
            EXPECT(y[i] == (x[i] + 1) % 1000 && pos[i] == i % 50);
            if (i % 50) EXPECT(x[i] == y[i - 1]);
        }
    }
    mixture_close(&m);
}

TEST(documents_are_numbered_inside_a_row_at_each_end_of_text)
{
    Mixture m = mixture_of(1, &(int){ 1000 }, &(double){ 1 });
    Loader l = open_loader(&m, 1, 900, 1);
    for (int step = 0; step < 8; step++) { /* token 256 is the end of text */
        fill(&l, step);
        for (int i = 0, number = 0; i < 900; i++) {
            if (i > 0 && x[i] == 256) number++;
            EXPECT(doc[i] == number);
        }
        EXPECT(doc[899] <= 1);
    }
    mixture_close(&m);
}

TEST(epochs_differ_in_order_and_in_offset_and_seeds_differ)
{
    Mixture m = mixture_of(1, &(int){ 3200 }, &(double){ 1 });
    Loader l = open_loader(&m, 1, 32, 1), other = open_loader(&m, 1, 32, 2);
    int same = 0, same_seed = 0, first[100];
    for (int r = 0; r < 100; r++) fill(&l, r), first[r] = x[0];
    for (int r = 0; r < 100; r++) {
        fill(&l, 100 + r);
        same += x[0] == first[r];
        EXPECT((x[0] - first[0]) % 32 != 0);
        fill(&other, r);
        same_seed += x[0] == first[r];
    }
    EXPECT(same < 5 && same_seed < 5);
    mixture_close(&m);
}

TEST(any_row_can_be_asked_for_first_and_batches_only_group_rows)
{
    const int tokens[] = { 5000, 700, 2000 };
    const double weights[] = { 0.5, 0.2, 0.3 };
    Mixture m = mixture_of(3, tokens, weights);
    Loader one = open_loader(&m, 1, 40, 9), six = open_loader(&m, 6, 40, 9);
    static int32_t want[600][40];
    for (int r = 0; r < 600; r++) fill(&one, r), memcpy(want[r], x, sizeof(want[r]));
    for (int i = 99; i >= 0; i -= 7) {
        fill(&six, i);
        EXPECT(memcmp(x, want[6 * i], sizeof(want[0]) * 6) == 0);
    }
    fill(&one, (int64_t)1 << 40); /* far away costs no more */
    mixture_close(&m);
}

/* Which source a row is from, told by the length of its shard: places wrap at it. */
static int source_by_epochs(const Loader *l, int64_t row)
{
    for (int i = 0; i < l->mixture->count; i++)
        if (loader_epochs(l, i, row + 1) > loader_epochs(l, i, row)) return i;
    return -1;
}

TEST(every_source_keeps_to_its_weight_at_every_row)
{
    const int tokens[] = { 4000, 4000, 4000 };
    const double weights[] = { 0.6, 0.37, 0.03 };
    Mixture m = mixture_of(3, tokens, weights);
    Loader l = open_loader(&m, 1, 40, 3);
    int64_t count[3] = { 0 };
    double worst = 0;
    for (int64_t row = 0; row < 3000; row++) {
        int source = source_by_epochs(&l, row);
        EXPECT(source >= 0);
        if (source >= 0) count[source]++;
        for (int i = 0; i < 3; i++)
            worst = fmax(worst, fabs((double)count[i] - weights[i] * (double)(row + 1)));
        EXPECT(fabs(loader_epochs(&l, 0, row + 1) - (double)count[0] / 100) < 1e-12);
    }
    EXPECT_MSG(worst < 3, "a source was %g rows away from its share", worst);
    double far = loader_epochs(&l, 1, (int64_t)1 << 36) * 100 / (double)((int64_t)1 << 36);
    EXPECT_MSG(fabs(far - 0.37) < 1e-8, "share %.12f", far);
    mixture_close(&m);
}

TEST(each_source_of_a_mixture_keeps_its_own_epochs)
{
    const int tokens[] = { 3200, 1600 };
    const double weights[] = { 0.5, 0.5 };
    Mixture m = mixture_of(2, tokens, weights);
    Loader l = open_loader(&m, 1, 32, 3);
    static int seen[2][3200];
    int64_t row = 0;
    for (; loader_epochs(&l, 1, row) < 2; row++) {
        int source = source_by_epochs(&l, row);
        fill(&l, row);
        for (int t = 0; t < 32; t++) seen[source][y[t]]++;
    }
    for (int i = 0; i < 1600; i++) EXPECT(seen[1][i] == 2);
    for (int i = 0; i < 3200; i++) EXPECT(seen[0][i] <= 1 || row > 200);
    mixture_close(&m);
}

/* Which source a row is from: the sources' tokens are places, so only the counts can tell; rows are
 * asked for one by one. */
static int source_by_counting(const Loader *l, int64_t row)
{
    int found = -1, sum = 0;
    for (int i = 0; i < l->mixture->count; i++) {
        int64_t more = loader_rows(l, i, row + 1) - loader_rows(l, i, row);
        EXPECT(more == 0 || more == 1);
        sum += (int)more;
        if (more) found = i;
    }
    EXPECT(sum == 1);
    return found;
}

TEST(a_curriculum_holds_its_weights_from_its_steps_on_and_sources_go_on_where_they_rested)
{
    Mixture m = mixture_of(3, (int[]){ 600, 500, 400 }, (double[]){ 0.5, 0.5, 0 });
    m.later[0] = (MixturePhase){ 30, { 0, 0.25, 0.75 } };
    m.later[1] = (MixturePhase){ 60, { 1, 0, 0 } };
    m.n_later = 2;
    Loader l = open_loader(&m, 2, 10, 5);
    l.rows_per_step = 4;
    int64_t rows[3][3] = { { 0 } };
    for (int64_t r = 0; r < 400; r++) {
        int phase = r < 120 ? 0 : r < 240 ? 1 : 2;
        rows[phase][source_by_counting(&l, r)]++;
    }
    EXPECT(llabs(rows[0][0] - 60) <= 1 && llabs(rows[0][1] - 60) <= 1 && rows[0][2] == 0);
    EXPECT(rows[1][0] == 0 && llabs(rows[1][1] - 30) <= 1 && llabs(rows[1][2] - 90) <= 1);
    EXPECT(rows[2][0] == 160 && rows[2][1] == 0);
    EXPECT(fabs(loader_epochs(&l, 0, 400) - (double)(rows[0][0] + 160) / 60) < 1e-12);
    Err err = { 0 };
    for (int64_t at = 0; at < 200; at++) EXPECT(loader_fill(&l, at, x, y, NULL, NULL, NULL, &err));
    for (int i = 0; i < 3; i++) shard_close(&m.source[i].shard);
}

TEST(a_context_longer_than_the_data_is_refused_with_both_lengths)
{
    Mixture m = mixture_of(1, &(int){ 64 }, &(double){ 1 });
    Loader l;
    Err err = { 0 };
    EXPECT(loader_open(&l, &m, 1, 63, 1, &err));
    EXPECT(!loader_open(&l, &m, 1, 64, 1, &err) && err.code == ERR_CONFIG);
    EXPECT_MSG(strstr(err.msg, "64") && strstr(err.msg, "one"), "%s", err.msg);
    mixture_close(&m);
}

TEST(the_hash_of_a_batch_changes_with_any_token)
{
    Mixture m = mixture_of(1, &(int){ 3000 }, &(double){ 1 });
    Loader l = open_loader(&m, 2, 16, 1);
    uint64_t hash[50];
    Err err = { 0 };
    for (int i = 0; i < 50; i++) {
        EXPECT(loader_fill(&l, i, x, y, NULL, NULL, &hash[i], &err));
        for (int k = 0; k < i; k++) EXPECT(hash[k] != hash[i]);
    }
    uint64_t again;
    EXPECT(loader_fill(&l, 7, x, y, NULL, NULL, &again, &err) && again == hash[7]);
    mixture_close(&m);
}

typedef struct Reader {
    const Loader *l;
    uint64_t hash[300];
    pthread_t thread;
} Reader;

static void *read_all(void *arg)
{
    Reader *r = arg;
    int32_t a[64], b[64];
    Err err = { 0 };
    for (int i = 0; i < 300; i++)
        if (!loader_fill(r->l, i, a, b, NULL, NULL, &r->hash[i], &err)) r->hash[i] = 0;
    return NULL;
}

TEST(threads_that_read_at_once_read_the_same)
{
    const int tokens[] = { 5000, 700 };
    const double weights[] = { 0.7, 0.3 };
    Mixture m = mixture_of(2, tokens, weights);
    Loader l = open_loader(&m, 2, 32, 9);
    static Reader r[4];
    for (int i = 0; i < 4; i++) r[i].l = &l, pthread_create(&r[i].thread, NULL, read_all, &r[i]);
    for (int i = 0; i < 4; i++) pthread_join(r[i].thread, NULL);
    for (int i = 1; i < 4; i++) EXPECT(memcmp(r[i].hash, r[0].hash, sizeof(r[0].hash)) == 0);
    EXPECT(r[0].hash[299] != 0);
    mixture_close(&m);
}
