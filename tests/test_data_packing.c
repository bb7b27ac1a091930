/* Packed rows, looked at token by token: each tells which document it is of and where in it. */
#include "base/file.h"
#include "base/rand.h"
#include "data/mixture.h"
#include "tests/test.h"

enum { END = 0, MOST_DOCS = 400 };

/* Document d, of size[d] tokens with its end-of-text token: END, then d * 100 + 1, + 2, ... */
typedef struct Text {
    Shard shard;
    int docs, size[MOST_DOCS];
    int64_t tokens;
} Text;

static void text_make(Text *t, const char *name)
{
    static char path[8][160];
    static int made;
    Buf file = { 0 };
    Err err = { 0 };
    buf_put(&file, (char[1024]){ 0 }, 1024);
    t->tokens = 0;
    for (int d = 0; d < t->docs; d++)
        for (int i = 0; i < t->size[d]; i++, t->tokens++) {
            uint16_t id = (uint16_t)(i ? d * 100 + i : END);
            buf_put(&file, &id, 2);
        }
    snprintf(path[made], sizeof(path[made]), "%s/%s.bin", test_folder(), name);
    t->shard = (Shard){ .path = path[made], .tokens = t->tokens, .width = 2, .vocab = 65536 };
    EXPECT_MSG(file_write_whole(path[made++], buf_view(&file), &err), "%s", err.msg);
    t->shard.fd = dup(fileno(fopen(t->shard.path, "rb")));
    buf_free(&file);
}

static Packing packed(const Text *t, int length, uint64_t key, Arena *a)
{
    Packing p;
    Err err = { 0 };
    *a = arena_reserve(1 << 26);
    EXPECT_MSG(packing_make(&p, &t->shard, length, END, key, a, &err), "%s", err.msg);
    return p;
}

/* Row r whole, (length). */
static void row_of(const Packing *p, const Text *t, int64_t r, int32_t *row)
{
    int32_t x[256], y[256];
    Err err = { 0 };
    int T = p->length - 1;
    EXPECT_MSG(packing_read(p, &t->shard, r, x, y, &err), "%s", err.msg);
    for (int i = 0; i + 1 < T; i++) EXPECT(y[i] == x[i + 1]);
    memcpy(row, x, (size_t)T * sizeof(*row));
    row[T] = y[T - 1];
}

static void text_of_all_sizes(Text *t)
{
    Rand r = rand_stream(3, "sizes");
    t->docs = MOST_DOCS;
    for (int d = 0; d < t->docs; d++)
        t->size[d] = 2 + (int)rand_below(&r, d % 10 ? 40 : 97); /* some longer than a row */
    text_make(t, "all");
}

TEST(rows_begin_with_a_document_and_no_token_is_lost_or_read_twice)
{
    enum { L = 33 };
    Text t;
    Arena a;
    int32_t row[L];
    static int seen[MOST_DOCS][100];
    text_of_all_sizes(&t);
    Packing p = packed(&t, L, 9, &a);
    int64_t lost = 0, again = 0, jumps = 0;
    memset(seen, 0, sizeof(seen));
    for (int64_t r = 0; r < p.rows; r++) {
        row_of(&p, &t, r, row);
        EXPECT_MSG(row[0] == END, "row %lld begins with %d", (long long)r, row[0]);
        for (int i = 0; i < L; i++) {
            if (row[i] != END) seen[row[i] / 100][row[i] % 100]++;
            if (i > 0 && row[i] != END && row[i - 1] != END) jumps += row[i] != row[i - 1] + 1;
        }
    }
    for (int d = 0; d < t.docs; d++)
        for (int i = 1; i < t.size[d]; i++) lost += seen[d][i] == 0, again += seen[d][i] > 1;
    EXPECT_MSG(again == 0 && jumps == 0, "%lld twice, %lld jumps", (long long)again,
               (long long)jumps);
    EXPECT_MSG(lost < L, "%lld tokens are in no row", (long long)lost);
    EXPECT(p.rows >= (t.tokens - L) / L);
    arena_release(&a);
}

/* How many documents that would fit a row stand in one whole, laid end to end in the same order. */
static int whole_in_stream(const Text *t, int length)
{
    int64_t at = 0;
    int whole = 0;
    for (int d = 0; d < t->docs; at += t->size[d++])
        whole += t->size[d] <= length && at / length == (at + t->size[d] - 1) / length;
    return whole;
}

TEST(nearly_every_document_that_fits_a_row_stands_in_one_whole)
{
    enum { L = 64 };
    Text t;
    Arena a;
    text_of_all_sizes(&t);
    Packing p = packed(&t, L, 9, &a);
    int fit = 0;
    for (int d = 0; d < t.docs; d++) fit += t.size[d] <= L;
    int64_t whole = t.docs - p.cut, stream = whole_in_stream(&t, L);
    EXPECT_MSG((double)whole > 0.95 * fit, "%lld of %d are whole", (long long)whole, fit);
    EXPECT_MSG((double)stream < 0.8 * fit, "laid end to end %lld of %d are whole",
               (long long)stream, fit);
    arena_release(&a);
}

TEST(the_longest_that_fits_comes_next)
{
    /* Of 3, 4, 5, 6 and 14 in rows of 10: 6 + 4; then 5 + 3, and 2 off the front of 14; then all
     * of its rest fills a row and part of another, which is not full. */
    Text t = { .docs = 5, .size = { 3, 4, 5, 6, 14 } };
    Arena a;
    int32_t row[10];
    text_make(&t, "five");
    Packing p = packed(&t, 10, 4, &a);
    EXPECT_MSG(p.rows == 3 && p.cut == 1, "%lld rows, %lld cut", (long long)p.rows,
               (long long)p.cut);
    const int32_t want[3][10] = { { END, 301, 302, 303, 304, 305, END, 101, 102, 103 },
                                  { END, 201, 202, 203, 204, END, 1, 2, END, 401 },
                                  { END, 402, 403, 404, 405, 406, 407, 408, 409, 410 } };
    for (int64_t r = 0; r < p.rows; r++) {
        row_of(&p, &t, r, row);
        for (int i = 0; i < 10; i++)
            EXPECT_MSG(row[i] == want[r][i], "row %lld, place %d: %d, not %d", (long long)r, i,
                       row[i], want[r][i]);
    }
    arena_release(&a);
}

TEST(another_key_packs_otherwise_and_the_same_key_the_same)
{
    enum { L = 33 };
    Text t;
    Arena a, b, c;
    int32_t x[L], y[L], z[L];
    int64_t same = 0, n = 100;
    text_of_all_sizes(&t);
    Packing p = packed(&t, L, 9, &a), q = packed(&t, L, 9, &b), o = packed(&t, L, 10, &c);
    for (int64_t r = 0; r < n; r++) {
        row_of(&p, &t, r, x), row_of(&q, &t, r, y), row_of(&o, &t, r, z);
        EXPECT(memcmp(x, y, sizeof(x)) == 0);
        same += memcmp(x, z, sizeof(x)) == 0;
    }
    EXPECT_MSG(same < 5, "%lld of %lld rows are the same", (long long)same, (long long)n);
    arena_release(&a), arena_release(&b), arena_release(&c);
}

TEST(a_packed_loader_reads_every_row_once_an_epoch_in_another_order)
{
    enum { T = 32, B = 2 };
    Text t;
    Arena a = arena_reserve(1 << 26);
    Loader l;
    Err err = { 0 };
    int32_t x[B * T], y[B * T], doc[B * T];
    text_of_all_sizes(&t);
    Mixture m = { .count = 1, .tokenizer = tokenizer_bytes(&a), .bestfit = true };
    /* The byte tokenizer ends texts with 256, which stands nowhere here: there are no documents. */
    m.source[0] = (MixtureSource){ .name = "all", .weight = 1, .stream = 5, .shard = t.shard };
    EXPECT(loader_open(&l, &m, B, T, 1, &err));
    EXPECT_MSG(!loader_pack(&l, &a, &err), "a text without documents was packed");
    EXPECT(err.code == ERR_CONFIG && strstr(err.msg, "all"));
    Packing p;
    EXPECT(packing_make(&p, &t.shard, T + 1, END, 3, &a, &err));
    l.packing = &p;
    int64_t rows = p.rows / B * B, sum[2] = { 0 };
    int32_t first[2] = { 0 };
    for (int epoch = 0; epoch < 2; epoch++)
        for (int64_t i = 0; i < rows / B; i++) {
            int64_t index = epoch * (rows / B) + i;
            EXPECT(loader_fill(&l, index, x, y, NULL, doc, NULL, &err));
            if (i == 0) first[epoch] = x[1];
            EXPECT(x[0] == END && x[T] == END && doc[0] == 0);
            for (int k = 0; k < B * T; k++) sum[epoch] += x[k];
        }
    if (p.rows == rows) EXPECT(sum[0] == sum[1]);
    EXPECT(first[0] != first[1]);
    EXPECT(fabs(loader_epochs(&l, 0, p.rows) - 1) < 1e-12);
    arena_release(&a);
}
