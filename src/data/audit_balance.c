/* audit_balance.c - a data set that is mostly one thing.
 *
 * A file that makes up most of a set of several, and documents of which a few are half of the
 * text, decide what a model learns without anybody having chosen it.  No edit follows: weights
 * belong to data sets, so the advice is to add what should be weighed apart under a name of its
 * own. */
#include <stdlib.h>

#include "data/audit_inside.h"

static const double most = 0.8;  /* of the text in one file of several */
enum { FEW = 50 };               /* half of the text in fewer than a FEWth of the documents... */
static const int64_t MANY = 500; /* ... of a set of so many */

typedef struct Sized {
    int64_t bytes, number;
} Sized;

static int by_bytes(const void *a, const void *b)
{
    const Sized *x = a, *y = b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return (x->number > y->number) - (x->number < y->number);
}

static void hit_document(const Audit *a, AuditFind *f, int64_t doc)
{
    Str text = audit_doc(a, doc);
    audit_hit(f, (AuditHit){ doc, (double)text.len, 0, 160, text.len });
}

static bool look_at_parts(Audit *a, Err *err)
{
    Sized *part = NEW(a->arena, Sized, MAX(a->parts, 1));
    for (int64_t i = 0; i < a->docs.count; i++)
        if (a->part[i] >= 0) part[a->part[i]].bytes += audit_doc(a, i).len;
    for (int i = 0; i < a->parts; i++) part[i].number = i;
    if (a->parts > 0) qsort(part, (size_t)a->parts, sizeof(*part), by_bytes);
    if (a->parts < 2 || (double)part[0].bytes < most * (double)a->docs.bytes) return true;
    AuditFind f = { .advice = true,
                    .source = a->part_name[part[0].number],
                    .remedy = "add it as a data set of its own and give it a weight: "
                              "data.sources = \"NAME:1,OTHER:1\"" };
    for (int64_t i = 0; i < a->docs.count; i++)
        if (a->part[i] == part[0].number) hit_document(a, &f, i);
    f.what =
        arena_printf(a->arena, "%.0f %% of the text is from %s, one of %d files",
                     100.0 * (double)part[0].bytes / (double)a->docs.bytes, f.source, a->parts);
    return audit_find(a, &f, err);
}

static bool look_at_documents(Audit *a, Err *err)
{
    int64_t n = a->docs.count, few = 0, bytes = 0;
    Sized *doc = NEW(a->arena, Sized, n);
    for (int64_t i = 0; i < n; i++) doc[i] = (Sized){ audit_doc(a, i).len, i };
    if (n < MANY) return true;
    qsort(doc, (size_t)n, sizeof(*doc), by_bytes);
    while (few < n && 2 * bytes < a->docs.bytes) bytes += doc[few++].bytes;
    if (few * FEW >= n) return true;
    AuditFind f = { .advice = true,
                    .remedy = "read them: if they are not what the data set is for, add the others "
                              "as a data set of their own" };
    for (int64_t i = 0; i < few; i++) hit_document(a, &f, doc[i].number);
    f.what = arena_printf(a->arena, "%lld of %lld documents are half of the text", (long long)few,
                          (long long)n);
    return audit_find(a, &f, err);
}

static bool look(Audit *a, Err *err)
{
    return look_at_parts(a, err) && look_at_documents(a, err);
}

const AuditDef audit_balance = {
    .kind = "balance",
    .doc = "a file or a few documents that are most of the text",
    .look = look,
};
