/* researcher_aa.c - tests the judge: proposals that change nothing that matters.
 *
 * An A/A session: the n-th proposal moves Adam's epsilon by n hundredths, which
 * changes the arithmetic and not the recipe, and runs on fresh seeds, so that
 * every difference is noise and none is zero.  "aa:N:F,N:F" plants real
 * improvements as proposals N: the champion's budget times F.  The rule should
 * keep those and nothing else.  (docs/honest.md, section 4.) */
#include "lab/researcher.h"
#include "train/command.h"

/* The factor that is planted as proposal `number`; 0: none. */
static double planted(const char *spec, int number)
{
    Str rest = str_of(spec), plant, at;
    while (str_cut(&rest, ',', &plant)) {
        double n, factor;
        if (str_cut(&plant, ':', &at) && str_to_double(at, &n) && str_to_double(plant, &factor) &&
            n == number)
            return factor;
    }
    return 0;
}

static bool propose(const Asking *a, Proposal *out, bool *none, Err *err)
{
    *none = false;
    *out = (Proposal){ .refute = "any verdict but drop", .fresh_seeds = true, .worth = 1 };
    double factor = planted(a->spec, a->asked + 1);
    if (factor > 1) {
        const char *budget = recipe_budget(a->champion);
        out->planted = true;
        out->title = "planted: a larger budget";
        out->why = "a gain that is known to be real";
        out->confidence = 1;
        double spent = knobs_number(&a->champion->knobs, budget);
        return proposal_add(out, a->champion, budget, spent * factor) ||
               err_set(err, ERR_CONFIG, "a budget cannot be planted %g times as large", factor);
    }
    if (command_is(a->champion))
        return err_set(err, ERR_CONFIG,
                       "another trainer has no knob that is known to change nothing; `lathe "
                       "verdict` judges runs of one recipe by two names");
    double eps = knobs_number(&a->baseline->knobs, "optim.eps");
    out->title = arena_printf(a->arena, "nothing, for the %d. time", a->asked + 1);
    out->why = "epsilon is moved by hundredths: other bits, the same recipe";
    *none = !proposal_add(out, a->champion, "optim.eps", eps * (1 + 0.01 * (a->asked + 1)));
    return true;
}

const ResearcherDef researcher_aa = {
    .name = "aa",
    .doc = "proposes changes without effect, to test the judge; aa:N:F,N:F plants F times the "
           "budget as the N-th",
    .propose = propose,
};
