/* audit_order.c - words in an order that nobody writes: shuffled text, word salad.
 *
 * Two words that are common and stand side by side are either a pair that others write too ("of
 * the", "had been") or one that nobody does ("the of").  So each pair is weighed by how often the
 * other documents have it against how often chance would bring its words together, as a logarithm:
 * the ratio of likelihoods of an order that is written and one that is drawn.  Where neither word
 * is common it is near nothing, so rare words, names and numbers have no say.  Sums of sixteen
 * pairs are above zero in nearly all of what people write, and below it in what is shuffled; the
 * measure is the share that lies below, so a document of which half is shuffled shows as half,
 * which a mean over all of it hides.
 *
 * Before, the measure was the mean of pairs met elsewhere less those of words that are no
 * neighbours, held against the median of the data set: verse and tables then looked like
 * half-shuffled prose. */
#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "data/audit_inside.h"

enum { FEWEST = 60, STRETCH = 16 }; /* words to judge a document by; of a stretch */
static const double EASE = 0.5;

/* Of clean documents: books, verse, tables, code and an old play among new prose, the worst of
 * them. */
static const AuditStep steps[] = {
    { 0.2, 0.006 }, { 0.3, 0.0018 }, { 0.4, 0.0007 }, { 0.6, 0.0002 }, { 0, 0 }
};

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

/* Roughly the binary logarithm: a straight line from each power of two to the next.  The same on
 * every machine, which log() is not. */
static double log_of(double x)
{
    int power;
    double part = frexp(x, &power);
    return power - 2 + 2 * part;
}

/* How much likelier it is that the second word follows the first in the other documents than chance
 * would have it, in bits; near 0 where neither is common enough to say. */
static double evidence(const Audit *a, const Order *o, int64_t pairs, uint64_t x, uint64_t y,
                       bool in)
{
    const AuditType *first = audit_type(&a->lexicon, x), *second = audit_type(&a->lexicon, y);
    uint32_t place = audit_pair(x, y);
    double count = a->pairs.count[place];
    if (in) count = MAX(count - (double)own_count(o, pairs, place), 0.0);
    double share = (double)a->pairs.pairs / (double)MAX(a->lexicon.words, (int64_t)1);
    double chance = share * (double)first->count * (double)second->count /
                    (double)MAX(a->lexicon.words, (int64_t)1);
    return log_of((count + EASE) / (chance + EASE));
}

/* The share of stretches whose pairs speak for chance. */
static double measure_order(const Audit *a, Order *o, int64_t doc)
{
    int64_t n = gather(o, audit_doc(a, doc)), odd = 0, all = 0;
    if (n < FEWEST) return 0;
    gather_pairs(o, n);
    const uint64_t *word = (const uint64_t *)(const void *)o->words.at;
    bool in = a->pairs.in[doc];
    for (int64_t at = 0; at + STRETCH < n; at += STRETCH, all++) {
        double sum = 0;
        for (int64_t i = at; i < at + STRETCH; i++)
            sum += evidence(a, o, n - 1, word[i], word[i + 1], in);
        odd += sum < 0;
    }
    return (double)odd / (double)all;
}

static bool look(Audit *a, Err *err)
{
    AuditFind f = { .steps = steps, .remedy = "the documents go" };
    double *measure = audit_measure(a);
    Order o = { 0 };
    for (int64_t i = 0; i < a->docs.count; i++) {
        measure[i] = measure_order(a, &o, i);
        ptrdiff_t len = audit_doc(a, i).len;
        if (measure[i] > steps[0].score)
            audit_hit(&f, (AuditHit){ i, measure[i], len / 2, 200, len });
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
