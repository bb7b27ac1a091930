/* audit_personal.c - e-mail addresses, public IP addresses and telephone numbers of people.
 *
 * What counts as one is what the filter `personal` would replace (filter_personal.c), and that
 * filter is the remedy: the text stays, the addresses become nobody's.  Whether training is the
 * better for it is one question, and what a published model may repeat is another; the finding is
 * ranked low by its bytes and should be read all the same. */
#include "data/audit_inside.h"
#include "data/filter.h"

static ptrdiff_t first_difference(Str doc, Str other)
{
    ptrdiff_t at = 0, n = MIN(doc.len, other.len);
    while (at < n && doc.at[at] == other.at[at]) at++;
    return at;
}

static bool look(Audit *a, Err *err)
{
    const FilterDef *def = filter_find(STR("personal"));
    AuditFind f = { .remedy = "the addresses are replaced by ones of nobody",
                    .filter = "personal" };
    double knob[FILTER_RULES] = { 0 }, *measure = audit_measure(a), all = 0;
    FilterRoom room = { 0 }, own = { 0 };
    Buf text = { 0 };
    for (int k = 0; k < filter_knobs(def); k++) knob[k] = def->knobs[k].fallback;
    for (int64_t i = 0; i < a->docs.count; i++) {
        FilterVerdict v;
        FilterDoc parts;
        Str doc = audit_doc(a, i);
        double n = 0;
        buf_clear(&text);
        filter_read(doc, &own, &parts);
        filter_judge(def, knob, NULL, &parts, &room, &text, &v);
        for (int r = 0; r < def->n_rules; r++) n += v.value[r];
        measure[i] = n;
        if (n <= 0) continue;
        ptrdiff_t at = first_difference(doc, buf_view(&text));
        audit_hit(&f, (AuditHit){ i, n, MAX(at - 60, (ptrdiff_t)0), 160, (int64_t)(20 * n) });
        all += n;
    }
    filterroom_free(&room);
    filterroom_free(&own);
    buf_free(&text);
    f.what = arena_printf(a->arena,
                          "%.0f e-mail addresses, public IP addresses and telephone numbers", all);
    return audit_find(a, &f, err);
}

const AuditDef audit_personal = {
    .kind = "personal",
    .doc = "addresses and telephone numbers of people",
    .look = look,
};
