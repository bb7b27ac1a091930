/* find_attention_logits.c - attention logits that grow until softmax is a choice of one.  */
#include <stdio.h>

#include "doctor/doctor.h"
#include "doctor/parts.h"

static Answer find(const Chart *c, Finding *out)
{
    Parts p;
    parts_of(c, SIG_LOGIT, 0.5, &p);
    if (p.n == 0) return FIND_UNKNOWN;
    if (!(p.most > 50)) return FIND_CLEAR;
    out->first = p.first, out->last = p.last;
    out->harm = p.most > 100 ? HARM_ILL : HARM_WARN;
    out->confidence = 0.9;
    snprintf(out->said, sizeof out->said,
             "the largest attention logit of %s is %.0f in the median look; of the median head "
             "%.1f",
             p.most_at, p.most, p.middle);
    return FIND_FOUND;
}

const FindDef find_attention_logits = {
    .name = "attention_logits",
    .doc = "attention logits grow beyond what softmax resolves",
    .source = "Wortsman et al. 2023 (arXiv:2309.14322); 100 is where QK-clip acts",
    .signal = SIG_LOGIT,
    .needs = (uint64_t)1 << SIG_LOGIT,
    .causes = { "no norm on queries and keys, and a high rate",
                "a scale of attention that is wrong" },
    .remedy = "norm queries and keys",
    .edit = "model.qk_norm=true",
    .settle = "paired runs with queries and keys normed",
    .find = find,
};
