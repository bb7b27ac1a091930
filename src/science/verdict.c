/* verdict.c - the rule as a pure function of the numbers (docs/honest.md, sections 3 and 4).
 *
 * Why a function that is asked again and again rather than a loop that runs the experiment: the
 * lab may be killed between any two runs and must go on from the ledger alone; several proposals
 * may be in flight; and the simulator that measures how often the rule errs (science/sim.h) has
 * to ask the very same code that the lab asks.
 *
 * One reading of the rule is decided here.  It says "after each run"; the function weighs again
 * also after a champion run, because it cannot and should not know which arm ran last: all
 * evidence there is decides.  What is known far outside the rule's design range is treated in
 * gain.c. */
#include "science/verdict.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "science/gain.h"
#include "science/stats.h"

enum {
    RUNS_SEARCHING = 6, /* then undecided */
    RUNS_ALL = 16,
    RUNS_FRESH = 3, /* confirmation runs before a keep */
};
static const double keep_probability = 0.8, open_evidence = 3;

void noise_add(Noise *n, const double *x, int count)
{
    if (count < 2) return;
    n->ss += stat_ss(x, count);
    n->nu += count - 1;
}

double noise_s(const Noise *n)
{
    return n->nu > 0 ? sqrt(n->ss / n->nu) : (double)NAN;
}

double noise_s_used(const Noise *n)
{
    return noise_s(n) * (1 + 0.5 / n->nu);
}

/* Mean of candidate runs first..n-1, the known luck of their seeds taken off; how many had a
 * twin in the bank goes into *twins. */
static double candidate_mean(const VerdictCase *c, int first, double mean_bank, double s,
                             int *twins)
{
    double y[VERDICT_RUNS];
    *twins = 0;
    for (int i = first; i < c->n; i++) {
        y[i - first] = c->run[i];
        if (c->rho <= 0 || c->twin[i] <= 0) continue;
        y[i - first] -= c->rho * (c->bank[c->twin[i] - 1] - mean_bank);
        ++*twins;
    }
    return stat_huber_mean(y, c->n - first, s);
}

static void check_case(const VerdictCase *c)
{
    CHECK(c->m >= 1 && c->m <= VERDICT_RUNS, "a bank of %d runs", c->m);
    CHECK(c->n >= 0 && c->n <= VERDICT_RUNS, "%d candidate runs", c->n);
    CHECK(c->fresh >= 0 && c->fresh <= c->n, "%d of %d runs are fresh", c->fresh, c->n);
    CHECK(c->noise.nu >= 1, "no noise has been measured");
    CHECK(c->rho >= 0 && c->rho < 1, "a correlation of %g", c->rho);
    for (int i = 0; i < c->n; i++)
        CHECK(c->twin[i] >= 0 && c->twin[i] <= c->m, "run %d has twin %d of %d", i, c->twin[i],
              c->m);
}

/* D, v, s, B, P, effect; and the plain interval. */
static GainFit weigh(const VerdictCase *c, Evidence *out)
{
    double s = noise_s_used(&c->noise), m = c->m, n = c->n, rho = c->rho;
    double mean_bank = stat_huber_mean(c->bank, c->m, s);
    int twins = 0, fresh_twins = 0;
    out->s = s;
    out->D = mean_bank - candidate_mean(c, 0, mean_bank, s, &twins);
    if (c->fresh > 0)
        out->gain_fresh =
            mean_bank - candidate_mean(c, c->n - c->fresh, mean_bank, s, &fresh_twins);
    double shared = 1 - rho * twins / n;
    out->v = shared * shared / m + (n - twins * rho * rho) / (n * n) + c->e * c->e / (s * s);
    out->pi = (2.0 + c->kept) / (20.0 + c->decided);
    GainFit fit = gain_fit(out->D / s, out->v, c->noise.nu);
    out->B = fit.B;
    out->P = out->pi * fit.B / (out->pi * fit.B + 1 - out->pi);
    out->effect = out->P * s * fit.mean;
    double half = stat_t_quantile(0.95, c->noise.nu) * s * sqrt(out->v);
    out->low = out->D - half;
    out->high = out->D + half;
    return fit;
}

static Evidence nothing_yet(const VerdictCase *c)
{
    double nan = (double)NAN;
    return (Evidence){ nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, c->confirming, "" };
}

void verdict_weigh(const VerdictCase *c, Evidence *out)
{
    check_case(c);
    CHECK(c->n >= 1, "nothing to weigh");
    *out = nothing_yet(c);
    if (noise_s(&c->noise) > 0) weigh(c, out);
}

static VerdictStep say(Evidence *out, VerdictStep step, const char *why)
{
    out->why = why;
    return step;
}

/* The next confirmation run; the bank grows with the claim. */
static VerdictStep confirm_next(const VerdictCase *c, Evidence *out)
{
    if (c->m < 1.25 * (c->n + 1) && c->m < VERDICT_RUNS)
        return say(out, VERDICT_CHAMPION, "the bank grows with the claim");
    return say(out, VERDICT_CONFIRM, "a gain is being confirmed on fresh seeds");
}

static VerdictStep searching(const VerdictCase *c, Evidence *out)
{
    if (out->B < (c->n == 1 ? 0.5 : 1))
        return say(out, VERDICT_DROP, "the evidence is against a gain");
    if (out->B >= open_evidence) {
        out->confirming = true;
        return confirm_next(c, out);
    }
    if (c->n >= RUNS_SEARCHING)
        return say(out, VERDICT_UNDECIDED, "six runs neither showed nor ruled out a gain");
    return say(out, VERDICT_SEARCH, "the evidence is not clear yet");
}

static VerdictStep confirming(const VerdictCase *c, Evidence *out)
{
    if (c->fresh >= RUNS_FRESH && out->P >= keep_probability && out->gain_fresh >= out->s / 2) {
        if (c->audit > 0)
            return say(out, VERDICT_KEEP, "fresh seeds and the audit tier confirm the gain");
        if (c->audit == 0) return say(out, VERDICT_AUDIT, "the audit tier is asked");
        return say(out, VERDICT_DROP, "the audit tier does not show the gain");
    }
    if (out->B < 1) return say(out, VERDICT_DROP, "the gain did not last on fresh seeds");
    if (c->n >= RUNS_ALL) return say(out, VERDICT_UNDECIDED, "sixteen runs did not settle it");
    return confirm_next(c, out);
}

VerdictStep verdict_next(const VerdictCase *c, Evidence *out)
{
    check_case(c);
    *out = nothing_yet(c);
    if (c->n == 0 && c->failed > 0) return say(out, VERDICT_DROP, "its first run failed");
    if (c->n == 0) return say(out, VERDICT_SEARCH, "it has not run yet");
    if (!(noise_s(&c->noise) > 0))
        return say(out, VERDICT_UNDECIDED, "the champion's runs do not differ between seeds");
    GainFit fit = weigh(c, out);
    if (c->failed > 1) return say(out, VERDICT_DROP, "two of its runs failed");
    VerdictStep step = c->confirming ? confirming(c, out) : searching(c, out);
    if (step == VERDICT_KEEP) {
        out->low = out->s * gain_quantile(&fit, 0.05);
        out->high = out->s * gain_quantile(&fit, 0.95);
    }
    return step;
}

const char *verdict_word(VerdictStep s)
{
    return s == VERDICT_KEEP        ? "keep"
           : s == VERDICT_DROP      ? "drop"
           : s == VERDICT_UNDECIDED ? "undecided"
                                    : "running";
}

bool verdict_failed(double bpb, const double *bank, int m, double s)
{
    return !isfinite(bpb) || (m > 0 && bpb > stat_median(bank, m) + 8 * s);
}

bool verdict_champion_due(int m, int proposals_since_last)
{
    return m < 8 && proposals_since_last >= 4;
}

int verdict_first_bank(int planned_proposals)
{
    return planned_proposals < 12 ? 4 : 8;
}

bool verdict_audit_agrees(const VerdictCase *c)
{
    Evidence audit;
    verdict_weigh(c, &audit);
    return audit.D >= audit.s / 2;
}

VerdictStep verdict_reablate(const VerdictCase *c, double *gain)
{
    check_case(c);
    double s = noise_s_used(&c->noise);
    *gain = stat_huber_mean(c->run, c->n, s) - stat_huber_mean(c->bank, c->m, s);
    if (c->failed > 1 || (c->failed > 0 && c->n == 0)) return VERDICT_KEEP;
    if (c->n < 2) return VERDICT_SEARCH;
    if (c->n < 4) return c->n == 2 && *gain >= s ? VERDICT_KEEP : VERDICT_SEARCH;
    return *gain >= s / 2 ? VERDICT_KEEP : VERDICT_DROP;
}

double verdict_share_limit(int kept, int decided)
{
    CHECK(kept >= 0 && kept <= decided, "%d kept of %d", kept, decided);
    return kept == decided ? 1 : stat_beta_quantile(0.9, kept + 1, decided - kept);
}
