/* researcher_random.c - random search, the yardstick of every other researcher.
 *
 * One to three knobs of the champion, drawn uniformly (log-uniformly where the
 * knob is searched so) from a range around the champion's value. */
#include <math.h>

#include "base/rand.h"
#include "lab/researcher.h"
#include "lab/space.h"

enum { TRIES = 200 };

static bool propose(const Asking *a, Proposal *out, bool *none, Err *err)
{
    Space space;
    space_of(&space, a->champion);
    Rand r = rand_stream((uint64_t)a->asked + 1, "researcher.random");
    for (int attempt = 0; attempt < TRIES; attempt++) {
        *out = (Proposal){ .title = "",
                           .why = "a random draw",
                           .refute = "nothing: it claims nothing",
                           .confidence = 0.1,
                           .worth = 1 };
        int n = 1 + (int)rand_below(&r, 3);
        for (int i = 0; i < n; i++) {
            int k = (int)rand_below(&r, (uint64_t)space.dims);
            double x;
            search_random(&space.dim[k], 1, rand_u64(&r), &x);
            if (!space_add(&space, k, x, a->champion, out)) break;
        }
        Recipe recipe;
        Err refused = { 0 };
        if (out->edits == 0 || !proposal_recipe(a, out, &recipe, &refused) ||
            proposal_known(a, &recipe))
            continue;
        out->title = space_title(out, a->arena);
        *none = false;
        return true;
    }
    *none = true;
    (void)err;
    return true;
}

const ResearcherDef researcher_random = {
    .name = "random",
    .doc = "random search over the knobs: the yardstick",
    .propose = propose,
};
