/* oppose.c - which findings cannot both be true.
 *
 * A finding is an experiment of one edit that was kept (the new value is better), or dropped with
 * its whole interval below zero (the old one is).  Of several edits at once nobody knows which of
 * them was it, so they are none.  Two findings on one knob oppose each other where no curve with
 * one best value has both (science/preference.h).  They were made on different champions, so either
 * may be true where it was made; the test is made on the champion of now, once for each pair, on
 * fresh seeds and by the same rule, and its outcome is no finding: it settles those that are. */
#include "lab/oppose.h"

#include <string.h>

#include "lab/researcher.h"
#include "science/preference.h"

typedef struct Finding {
    const char *knob, *better, *worse;
} Finding;

static bool finding_of(const HistExp *x, Finding *out)
{
    bool loss = x->decision == EXP_DROP && x->high < 0; /* false for NaN */
    if (!history_is_idea(x) || x->refused || json_array_size(x->edits) != 1) return false;
    if (x->decision != EXP_KEEP && !loss) return false;
    const json_t *e = json_array_get(x->edits, 0);
    const char *from = json_str(e, "from", ""), *to = json_str(e, "to", "");
    *out = (Finding){ json_str(e, "knob", ""), loss ? from : to, loss ? to : from };
    return true;
}

/* Numbers by their size; words are two different values and nothing else. */
static bool opposed(const Finding *a, const Finding *b)
{
    Preference p[2] = { { 0 } };
    const Finding *f[2] = { a, b };
    bool ordered = true;
    if (strcmp(a->knob, b->knob) != 0) return false;
    for (int i = 0; i < 2; i++)
        ordered = ordered && str_to_double(str_of(f[i]->better), &p[i].better) &&
                  str_to_double(str_of(f[i]->worse), &p[i].worse);
    if (ordered) return preference_opposed(p[0], p[1], true);
    return strcmp(a->better, b->worse) == 0 && strcmp(a->worse, b->better) == 0;
}

static bool decided_between(const History *h, const HistExp *a, const HistExp *b)
{
    for (int i = 0; i < h->exps; i++)
        if (strcmp(h->exp[i].against, a->id) == 0 && strcmp(h->exp[i].decides, b->id) == 0)
            return true;
    return false;
}

static bool newest_pair(const History *h, const KnobSet *champion, Opposed *out)
{
    for (int later = h->exps - 1; later > 0; later--) {
        Finding is, was;
        if (!finding_of(&h->exp[later], &is)) continue;
        for (int earlier = later - 1; earlier >= 0; earlier--) {
            if (!finding_of(&h->exp[earlier], &was) || !opposed(&was, &is)) continue;
            if (decided_between(h, &h->exp[earlier], &h->exp[later])) continue;
            int k = champion ? knobs_find(champion, was.knob) : 0;
            char now[EDIT_TEXT] = "";
            if (champion && k >= 0) edit_value(champion, k, now);
            if (k < 0 || strcmp(now, was.better) == 0) continue; /* the champion has it */
            if (champion && !knobs_active(champion, k)) continue;
            *out = (Opposed){ earlier, later, champion ? champion->knob[k]->name : "", was.better };
            return true;
        }
    }
    return false;
}

bool oppose_find(const History *h, const KnobSet *champion, Opposed *out)
{
    return newest_pair(h, champion, out);
}

bool oppose_any(const History *h)
{
    Opposed o;
    return newest_pair(h, NULL, &o);
}
