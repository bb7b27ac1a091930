/* find_attention_collapse.c - heads that look at one position only.
 *
 * The entropy of attention over that of an even spread, from eight queries of a sequence: some
 * heads of a healthy model are that sharp (they copy the token before), most are not.  */
#include <stdio.h>

#include "doctor/doctor.h"
#include "doctor/parts.h"

static Answer find(const Chart *c, Finding *out)
{
    Parts p;
    int sharp = 0;
    parts_of(c, SIG_ENTROPY, 0.5, &p);
    if (p.n == 0) return FIND_UNKNOWN;
    for (int i = 0; i < p.n; i++) sharp += p.middle_of[i] < 0.05;
    if (2 * sharp <= p.n) return FIND_CLEAR;
    out->first = p.first, out->last = p.last;
    out->harm = HARM_WARN;
    out->confidence = 0.85;
    snprintf(out->said, sizeof out->said,
             "%d of %d heads have less than a twentieth of the entropy of an even spread", sharp,
             p.n);
    return FIND_FOUND;
}

const FindDef find_attention_collapse = {
    .name = "attention_collapse",
    .doc = "attention has collapsed to single positions",
    .source = "entropy collapse, Zhai et al. 2023 (arXiv:2303.06296); threshold ours",
    .signal = SIG_ENTROPY,
    .needs = (uint64_t)1 << SIG_ENTROPY,
    .causes = { "attention logits that grew", "a scale of attention that is wrong" },
    .remedy = "norm queries and keys, lower the rate",
    .edit = "model.qk_norm=true",
    .settle = "paired runs with queries and keys normed",
    .find = find,
};
