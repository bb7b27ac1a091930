/* researcher_aa.c - tests the judge: proposals that change nothing that matters.
 *
 * An A/A session: each proposal moves Adam's epsilon by 0.1 %, which changes the
 * arithmetic and not the recipe, and runs on fresh seeds, so that every
 * difference is noise and none is zero.  "aa:N:F" plants one real improvement
 * as proposal N: the budget of FLOPs times F.  The rule should keep that one
 * and nothing else.  (docs/honest.md, section 4.) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/researcher.h"

static bool propose(const Asking *a, Proposal *out, bool *none, Err *err)
{
    (void)err;
    *none = false;
    *out = (Proposal){ .refute = "any verdict but drop", .fresh_seeds = true, .worth = 1 };
    char *behind = NULL;
    long planted_at = strtol(a->spec, &behind, 10);
    double factor = *behind == ':' ? strtod(behind + 1, NULL) : 0;
    if (planted_at > 0 && factor > 1 && a->asked + 1 == planted_at) {
        double flops = knobs_number(&a->champion->knobs, "budget.flops");
        out->title = "planted: a larger budget";
        out->why = "a gain that is known to be real";
        out->confidence = 1;
        return proposal_add(out, a->champion, "budget.flops", flops * factor);
    }
    double eps = knobs_number(&a->baseline->knobs, "optim.eps");
    out->title = arena_printf(a->arena, "nothing, for the %d. time", a->asked + 1);
    out->why = "epsilon is moved by a thousandth: other bits, the same recipe";
    return proposal_add(out, a->champion, "optim.eps", eps * (1 + 0.01 * (a->asked + 1)));
}

const ResearcherDef researcher_aa = {
    .name = "aa",
    .doc = "proposes changes without effect, to test the judge; aa:N:F plants F times the budget "
           "as the N-th",
    .propose = propose,
};
