/* spend.c - sums over entries of the kinds llm_request, llm_try and llm_turn. */
#include "lab/spend.h"

#include <math.h>
#include <string.h>

typedef struct Walk {
    const char *session;
    Spend *s;
    double worst; /* of the request that waits for its try; NaN: none does */
} Walk;

static void see_try(Walk *w, const json_t *b)
{
    Spend *s = w->s;
    const json_t *usage = json_object_get(b, "usage");
    double usd = json_num(b, "usd", (double)NAN);
    s->tries++;
    w->worst = (double)NAN;
    if (!json_is_object(usage)) {
        s->unknown += json_int(b, "status", 0) == 200;
        return;
    }
    s->input += json_int(usage, "input", 0);
    s->cache_read += json_int(usage, "cache_read", 0);
    s->cache_write += json_int(usage, "cache_write", 0) + json_int(usage, "cache_write_hour", 0);
    s->output += json_int(usage, "output", 0);
    s->thinking += json_int(usage, "thinking", 0);
    if (isfinite(usd))
        s->usd += usd;
    else
        s->usd_known = false;
}

static void unanswered(Walk *w)
{
    if (isnan(w->worst)) return;
    w->s->unanswered++;
    w->s->worst += isfinite(w->worst) ? w->worst : 0;
    w->worst = (double)NAN;
}

static bool see(void *self, const Entry *e)
{
    Walk *w = self;
    bool ours = strcmp(json_str(e->body, "session", ""), w->session) == 0;
    if (!ours) return true;
    if (strcmp(e->kind, "llm_request") == 0) {
        unanswered(w);
        w->s->requests++;
        w->worst = json_num(e->body, "worst_usd", HUGE_VAL);
    }
    if (strcmp(e->kind, "llm_try") == 0) see_try(w, e->body);
    if (strcmp(e->kind, "llm_turn") == 0)
        w->s->refusals += strcmp(json_str(e->body, "stop", ""), "refused") == 0;
    return true;
}

bool spend_of(Lab *lab, const char *session, Spend *out, Err *err)
{
    *out = (Spend){ .usd_known = true };
    Walk w = { session, out, (double)NAN };
    if (!ledger_each(lab->ledger, NULL, 0, see, &w, err)) return false;
    unanswered(&w);
    return true;
}

int64_t spend_tokens(const Spend *s)
{
    return s->input + s->cache_read + s->cache_write + s->output;
}

json_t *spend_json(const Spend *s)
{
    return json_pack("{s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:o, s:i, s:f, s:i}", "requests",
                     s->requests, "tries", s->tries, "refusals", s->refusals, "input_tokens",
                     (json_int_t)s->input, "cache_read_tokens", (json_int_t)s->cache_read,
                     "cache_write_tokens", (json_int_t)s->cache_write, "output_tokens",
                     (json_int_t)s->output, "thinking_tokens", (json_int_t)s->thinking, "usd",
                     s->usd_known ? json_real(s->usd) : json_null(), "unanswered_requests",
                     s->unanswered, "unanswered_worst_usd", s->worst, "tries_of_unknown_usage",
                     s->unknown);
}
