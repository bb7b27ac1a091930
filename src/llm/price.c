/* price.c - what tokens cost, in dollars per million.
 *
 * The figures are those of the provider's public price list in November 2026; a provider may
 * change them, so a caller can give its own, and a model that is not here has no price: its cost
 * is unknown, never zero.  Where only a range is published (reading a cache costs 5 to 10 percent
 * of the input's price) the upper end is taken: a limit in dollars must hold.
 *
 * Writing to a cache costs 1.25 times the input for five minutes, twice for an hour. */
#include <math.h>
#include <string.h>

#include "llm/wire.h"

static const struct {
    const char *prefix;         /* of the model's name */
    double input, output, read; /* read: 0 for a tenth of input */
    int64_t above; /* a prompt longer than this is charged as in the next line; 0: never */
} prices[] = {
    { "claude-fable-5-1", 10, 50, 0, 0 },     { "claude-opus-5-5", 4, 20, 0.20, 0 },
    { "claude-sonnet-5-5", 2, 10, 0, 0 },     { "claude-haiku-5-5", 0.10, 0.50, 0, 100000 },
    { "claude-haiku-5-5", 0.50, 2.50, 0, 0 },
};

static bool price_of(const LlmModel *m, int64_t prompt, LlmPrice *out)
{
    if (m->priced) {
        *out = m->price;
        return true;
    }
    for (int i = 0; i < COUNT(prices); i++) {
        if (strncmp(m->name, prices[i].prefix, strlen(prices[i].prefix)) != 0) continue;
        if (prices[i].above > 0 && prompt > prices[i].above) continue;
        double input = prices[i].input;
        *out = (LlmPrice){ .input = input,
                           .output = prices[i].output,
                           .cache_read = prices[i].read > 0 ? prices[i].read : input / 10,
                           .cache_write = input * 1.25,
                           .cache_write_hour = input * 2 };
        return true;
    }
    return false;
}

double llm_cost(const LlmModel *m, const LlmUsage *u)
{
    LlmPrice p;
    int64_t prompt = u->input + u->cache_read + u->cache_write + u->cache_write_hour;
    if (!u->known || !price_of(m, prompt, &p)) return (double)NAN;
    return ((double)u->input * p.input + (double)u->cache_read * p.cache_read +
            (double)u->cache_write * p.cache_write +
            (double)u->cache_write_hour * p.cache_write_hour + (double)u->output * p.output) /
           1e6;
}

double llm_worst(const LlmModel *m, int64_t prompt_tokens)
{
    LlmUsage u = { .cache_write = prompt_tokens, .output = m->max_output, .known = true };
    return llm_cost(m, &u);
}
