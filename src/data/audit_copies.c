/* audit_copies.c - documents that say again what another one says.
 *
 * `data add` leaves out exact copies of whole documents; what is left here are near-copies (five
 * words in a row shared by .7 of all, dedup.h) and copies that cutting made exact.  The first of a
 * group stays.  A near-copy is one by its definition, so nothing is named by mistake; whether
 * reading it twice does harm is for the experiment. */
#include "data/audit_inside.h"

static Str first_difference(Str doc, Str other)
{
    ptrdiff_t at = 0, n = MIN(doc.len, other.len);
    while (at < n && doc.at[at] == other.at[at]) at++;
    return (Str){ doc.at + MIN(at, doc.len), doc.len - MIN(at, doc.len) };
}

/* The example shows where a copy leaves what it was copied from. */
static void name_copy(Audit *a, AuditFind *f, int64_t doc, int64_t first)
{
    Str text = audit_doc(a, doc), rest = first_difference(text, audit_doc(a, first));
    bool exact = rest.len == 0 && text.len == audit_doc(a, first).len;
    ptrdiff_t at = exact ? 0 : MAX(rest.at - text.at - 60, (ptrdiff_t)0);
    audit_hit(f, (AuditHit){ doc, (double)text.len, at, 160, text.len });
    droplist_document(&f->drop, a->key[doc], exact);
    a->measure[a->detector][doc] = 1;
}

static bool look(Audit *a, Err *err)
{
    int64_t n = a->docs.count, copies = 0, groups = 0;
    Str *text = NEW(a->arena, Str, n);
    int64_t *group = NEW(a->arena, int64_t, n), *size = NEW(a->arena, int64_t, n);
    AuditFind f = { .remedy = "the first document of each group stays, the others go" };
    audit_measure(a);
    for (int64_t i = 0; i < n; i++) text[i] = audit_doc(a, i);
    if (!dedup_near(text, n, group, err)) return false;
    for (int64_t i = 0; i < n; i++) {
        if (group[i] == i) continue;
        copies++;
        groups += size[group[i]]++ == 0;
        name_copy(a, &f, i, group[i]);
    }
    f.what = arena_printf(a->arena,
                          "%lld documents repeat another one of the data set, nearly or exactly "
                          "(5-word shingles, Jaccard .7 and more), in %lld groups",
                          (long long)copies, (long long)groups);
    f.detail = json_pack("{s:I}", "groups", (json_int_t)groups);
    return audit_find(a, &f, err);
}

const AuditDef audit_copies = {
    .kind = "copies",
    .doc = "documents that repeat another one, nearly or exactly",
    .look = look,
};
