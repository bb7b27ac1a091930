/* judge.c - a trained model before the judge. */
#include "judge/judge.h"

static bool ask_model(void *self, const int32_t *tokens, const int32_t *targets, int rows,
                      int length, double *nll, Err *err)
{
    return trained_nll(self, tokens, targets, rows, length, nll, err);
}

bool judge_score(const char *lab, const char *const *sources, int n_sources, int tier, Trained *t,
                 Arena *out, JudgeScore *score, Err *err)
{
    JudgeText text = { lab, sources, n_sources, tier };
    Predictor p = { .self = t,
                    .tokenizer = trained_tokenizer(t),
                    .context = trained_context(t),
                    .nll = ask_model };
    return judge_may_score(&text, &trained_recipe(t)->knobs, *out, err) &&
           judge_score_with(&text, &p, out, score, err);
}
