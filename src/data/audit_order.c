/* audit_order.c - words in an order that nobody writes: shuffled text, word salad.
 *
 * Neighbouring words of real text stand beside each other elsewhere too ("of the", "had been");
 * words some places apart mostly do not.  The measure is how much likelier a document's neighbours
 * are to be met in other documents than pairs of its own words that are not neighbours: the
 * document is its own control, so it does not matter whether its words are rare.  Of real prose it
 * is .3 to .6, of shuffled text 0, of verse and tables in between; a document with less than half
 * of the data set's median is named, which shuffling half of its sentences brings about. */
#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "data/audit_inside.h"

enum { FEWEST = 60 }; /* pairs to judge a document by */

/* Of what is missing to the data set's own median, measured on books, verse, tables, code and an
 * old play among new prose. */
static const AuditStep steps[] = { { 0.5, 0.0015 }, { 0.6, 0.0008 }, { 0.7, 0.0004 }, { 0, 0 } };

typedef struct Order {
    Buf words; /* uint64 hashes */
    Buf own;   /* uint32: the document's pairs in the table, sorted */
} Order;

static int by_place(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int64_t gather(Order *o, Str doc)
{
    AuditWord word;
    buf_clear(&o->words);
    for (AuditWords w = audit_words(doc); audit_next(&w, &word);)
        buf_put(&o->words, &word.hash, sizeof(word.hash));
    return o->words.len / (int64_t)sizeof(uint64_t);
}

static void gather_pairs(Order *o, int64_t n)
{
    const uint64_t *word = (const uint64_t *)(const void *)o->words.at;
    buf_clear(&o->own);
    for (int64_t i = 0; i + 1 < n; i++) {
        uint32_t place = audit_pair(word[i], word[i + 1]);
        buf_put(&o->own, &place, sizeof(place));
    }
    qsort(o->own.at, (size_t)(n - 1), sizeof(uint32_t), by_place);
}

/* How often a pair stands in the document itself. */
static int64_t own_count(const Order *o, int64_t pairs, uint32_t place)
{
    const uint32_t *own = (const uint32_t *)(const void *)o->own.at;
    int64_t low = 0, high = pairs, n = 0;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (own[middle] < place)
            low = middle + 1;
        else
            high = middle;
    }
    while (low + n < pairs && own[low + n] == place) n++;
    return n;
}

static bool met_elsewhere(const Audit *a, const Order *o, int64_t pairs, uint64_t x, uint64_t y,
                          bool in)
{
    uint32_t place = audit_pair(x, y);
    int64_t count = a->pairs.count[place];
    if (!in || count == 255) return count > 0;
    return count > own_count(o, pairs, place);
}

/* NaN of a document that is too short. */
static double measure_order(const Audit *a, Order *o, int64_t doc)
{
    int64_t n = gather(o, audit_doc(a, doc));
    if (n < FEWEST) return (double)NAN;
    gather_pairs(o, n);
    const uint64_t *word = (const uint64_t *)(const void *)o->words.at;
    int64_t near = 0, far = 0;
    bool in = a->pairs.in[doc];
    for (int64_t i = 0; i + 1 < n; i++) {
        int64_t other = (i + 5 + (i * 7) % 13) % n;
        near += met_elsewhere(a, o, n - 1, word[i], word[i + 1], in);
        far += met_elsewhere(a, o, n - 1, word[i], word[other], in);
    }
    double p = (double)near / (double)(n - 1), q = (double)far / (double)(n - 1);
    return (p - q) / (1.02 - q);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of the documents that could be measured; in a small data set fewer pairs are met elsewhere, so
 * what is usual must be asked of the data set. */
static double median_of(Audit *a, const double *order)
{
    double *sorted = NEW(a->arena, double, a->docs.count);
    int64_t n = 0;
    for (int64_t i = 0; i < a->docs.count; i++)
        if (!isnan(order[i])) sorted[n++] = order[i];
    if (n > 0) qsort(sorted, (size_t)n, sizeof(*sorted), by_value);
    return n > 0 ? sorted[n / 2] : (double)NAN;
}

static bool look(Audit *a, Err *err)
{
    AuditFind f = { .steps = steps, .remedy = "the documents go" };
    double *order = NEW(a->arena, double, a->docs.count), *measure = audit_measure(a);
    Order o = { 0 };
    for (int64_t i = 0; i < a->docs.count; i++) order[i] = measure_order(a, &o, i);
    double median = median_of(a, order);
    for (int64_t i = 0; i < a->docs.count; i++) {
        Str doc = audit_doc(a, i);
        measure[i] = median > 0.1 && !isnan(order[i]) ? 1 - order[i] / median : 0;
        if (measure[i] <= steps[0].score) continue;
        audit_hit(&f, (AuditHit){ i, measure[i], doc.len / 2, 200, doc.len });
    }
    buf_free(&o.words);
    buf_free(&o.own);
    f.what = "words in an order that is met nowhere else: shuffled or made by a machine";
    return audit_find(a, &f, err);
}

const AuditDef audit_order = {
    .kind = "order",
    .doc = "words in an order that nobody writes: shuffled, word salad",
    .look = look,
};
