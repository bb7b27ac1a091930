/* cmd_inside.c - what this program does inside a sandbox: it is the candidate.
 *
 *     inside train LAB RECIPE OUT SEED THREADS   trains; rows of the curve through descriptor 3
 *     inside answer MODEL THREADS                answers the judge through descriptors 3, 4, 5
 *
 * A code experiment runs the same two with its own engine.  Nobody believes what they say: the
 * curve is shown as the candidate's own words, and the judge makes the score. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "sandbox/wire.h"
#include "train/train.h"
#include "train/trained.h"

static bool tell_rows(void *self, const StepRow *rows, int n, Err *err)
{
    (void)self;
    size_t bytes = (size_t)n * sizeof(*rows);
    return write(3, rows, bytes) == (ssize_t)bytes || err_errno(err, "tell the curve");
}

static void tell_planned(void *self, const PlanCost *cost, int64_t steps, int64_t tokens,
                         int64_t flops)
{
    (void)self;
    (void)tokens;
    printf("planned %lld steps, %lld FLOPs, %lld bytes\n", (long long)steps, (long long)flops,
           (long long)train_bytes(cost));
    fflush(stdout);
}

static bool whole(const char *word, int64_t *out, Err *err)
{
    return str_to_i64(str_of(word), out) || err_set(err, ERR_CONFIG, "%s is no number", word);
}

static bool train(Cmd *c, Err *err)
{
    Recipe recipe;
    TrainResult result;
    int64_t seed, threads;
    if (!recipe_read(&recipe, c->arg[2], c->arena, err) || !whole(c->arg[4], &seed, err) ||
        !whole(c->arg[5], &threads, err))
        return false;
    TrainJob job = { .lab = c->arg[1],
                     .dir = c->arg[3],
                     .recipe = &recipe,
                     .seed = (uint64_t)seed,
                     .threads = (int)threads,
                     .sink = { .rows = tell_rows, .planned = tell_planned } };
    if (!train_run(&job, &result, err)) return false;
    printf("trained %lld steps, %lld tokens, %lld FLOPs, train_loss %.9g, finite %d, weights %s\n",
           (long long)result.steps, (long long)result.tokens, (long long)result.flops,
           result.train_loss, result.finite, result.weights_sha256);
    return true;
}

static bool answer(Cmd *c, Err *err)
{
    Wire w;
    int64_t threads;
    if (!whole(c->arg[2], &threads, err)) return false;
    Trained *t = trained_open_inside(c->arg[1], (int)threads, c->arena, err);
    if (!t || !wire_join(&w, err)) return false;
    int vocab = tokenizer_vocab(trained_tokenizer(t));
    if (w.shape.context != trained_context(t) || w.shape.vocab != vocab)
        return err_set(err, ERR_FORMAT,
                       "the model has a context of %d and %d tokens, not %d and %d",
                       trained_context(t), vocab, w.shape.context, w.shape.vocab);
    if (!trained_plan_logits(t, w.shape.rows, c->arena, err)) return false;
    for (int rows; (rows = wire_next(&w)) > 0;) {
        trained_logits(t, wire_tokens(&w), MIN(rows, w.shape.rows), wire_logits(&w));
        if (!wire_done(&w)) break;
    }
    wire_close(&w);
    trained_close(t);
    return true;
}

static bool run(Cmd *c, Err *err)
{
    if (strcmp(c->arg[0], "train") == 0 && c->n_args == 6) return train(c, err);
    if (strcmp(c->arg[0], "answer") == 0 && c->n_args == 3) return answer(c, err);
    return err_set(err, ERR_CONFIG, "inside a sandbox one can train or answer");
}

const CmdDef cmd_inside = {
    .name = "inside",
    .args = "WHAT...",
    .doc = "the candidate's part, inside a sandbox",
    .min_args = 1,
    .max_args = 6,
    .hidden = true,
    .run = run,
};
