/* test_science_verdict.c - the evidence against brute force, the rule step by step. */
#include "science/verdict.h"

#include "base/rand.h"
#include "science/gain.h"
#include "science/stats.h"
#include "tests/test.h"

/* The page's integral by Simpson's rule on a fine even grid. */
static void brute(double d, double v, double nu, double *B, double *mean, double *cut, double p)
{
    const int n = 400000;
    const double h = 100.0 / n;
    double mass = 0, first = 0, half = 0;
    for (int pass = 0; pass < 2; pass++) {
        double sum = 0;
        for (int i = 0; i <= n; i++) {
            double g = i * h, q = nu * v;
            double log_l = -(nu + 1) / 2 * (log1p((d - g) * (d - g) / q) - log1p(d * d / q));
            double w = (i == 0 || i == n ? 1 : i % 2 ? 4 : 2) * h / 3;
            double f = w * exp(log_l - g / 2) / 2;
            sum += f;
            if (pass == 0) {
                mass += f;
                first += f * g;
            } else if (half == 0 && sum >= p * mass) {
                half = g;
            }
        }
    }
    *B = mass;
    *mean = first / mass;
    *cut = half;
}

TEST(the_evidence_is_the_integral_of_the_page)
{
    static const double cases[][3] = {
        /* d, v, nu */
        { 0, 1.125, 7 }, { 2, 1.125, 7 },   { -1.5, 1.125, 7 }, { 4, 0.3, 7 },  { 4, 0.3, 300 },
        { 1, 0.1, 40 },  { -3, 0.25, 500 }, { 10, 0.5, 30 },    { 6, 1.25, 3 }, { 0.01, 0.05, 12 }
    };
    for (int i = 0; i < COUNT(cases); i++) {
        double d = cases[i][0], v = cases[i][1], nu = cases[i][2], B, mean, cut;
        GainFit fit = gain_fit(d, v, nu);
        brute(d, v, nu, &B, &mean, &cut, 0.95);
        EXPECT_MSG(fabs(fit.B / B - 1) < 1e-9, "case %d: B %.12g, %.12g", i, fit.B, B);
        EXPECT_MSG(fabs(fit.mean / mean - 1) < 1e-9, "case %d: mean %.12g, %.12g", i, fit.mean,
                   mean);
        double quantile = gain_quantile(&fit, 0.95);
        EXPECT_MSG(fabs(quantile - cut) < 1e-3, "case %d: 95 %% %.6g, %.6g", i, quantile, cut);
    }
}

TEST(a_better_result_is_never_weaker_evidence)
{
    static const double nus[] = { 1, 3, 7, 50, 1000 }, vs[] = { 0.1, 0.5, 1.25 };
    for (int i = 0; i < COUNT(nus); i++) {
        for (int j = 0; j < COUNT(vs); j++) {
            double before = 0, mean = 0;
            for (double d = -60; d <= 120; d += 0.5) {
                GainFit fit = gain_fit(d, vs[j], nus[i]);
                EXPECT_MSG(fit.B >= before * (1 - 1e-9), "nu %g v %g d %g: B fell to %g from %g",
                           nus[i], vs[j], d, fit.B, before);
                EXPECT_MSG(d <= 0 || fit.mean >= mean - 1e-6, "nu %g v %g d %g: mean %g", nus[i],
                           vs[j], d, fit.mean);
                before = fit.B;
                mean = fit.mean;
            }
        }
    }
}

/* A bank of m runs with mean 10 and s close to .1, a noise of nu degrees. */
static VerdictCase a_case(int m, double nu)
{
    VerdictCase c = { .m = m, .noise = { 0.01 * nu, nu } };
    for (int i = 0; i < m; i++) c.bank[i] = 10 + (i % 2 ? 0.05 : -0.05);
    return c;
}

static VerdictStep after(VerdictCase *c, double bpb, bool fresh, Evidence *ev)
{
    c->run[c->n++] = bpb;
    c->fresh += fresh;
    VerdictStep step = verdict_next(c, ev);
    c->confirming = ev->confirming;
    return step;
}

TEST(a_null_is_dropped_after_one_run)
{
    VerdictCase c = a_case(8, 7);
    Evidence ev;
    EXPECT(verdict_next(&c, &ev) == VERDICT_SEARCH && isnan(ev.B));
    EXPECT(after(&c, 10.1, false, &ev) == VERDICT_DROP);
    EXPECT(ev.B < 0.5 && strcmp(verdict_word(VERDICT_DROP), "drop") == 0);
    EXPECT(ev.low < ev.D && ev.D < ev.high && fabs(ev.D + 0.1) < 1e-12);
}

TEST(a_large_gain_is_confirmed_on_fresh_seeds_and_asked_of_the_audit)
{
    VerdictCase c = a_case(8, 7);
    Evidence ev;
    EXPECT(after(&c, 9.5, false, &ev) == VERDICT_CONFIRM && c.confirming);
    EXPECT(after(&c, 9.52, true, &ev) == VERDICT_CONFIRM);
    EXPECT(after(&c, 9.48, true, &ev) == VERDICT_CONFIRM);
    EXPECT(after(&c, 9.5, true, &ev) == VERDICT_AUDIT);
    EXPECT(ev.P > 0.8 && fabs(ev.gain_fresh - 0.5) < 1e-9);
    c.audit = 1;
    EXPECT(verdict_next(&c, &ev) == VERDICT_KEEP);
    EXPECT(ev.effect > 0.35 && ev.effect < 0.5);
    EXPECT(ev.low > 0 && ev.low < ev.effect && ev.effect < ev.high);
    c.audit = -1;
    EXPECT(verdict_next(&c, &ev) == VERDICT_DROP);
}

TEST(a_gain_of_thirty_sigma_is_kept_with_a_bank_of_four)
{
    VerdictCase c = a_case(4, 3);
    Evidence ev;
    VerdictStep step = after(&c, 7, false, &ev);
    for (int i = 0; i < 30 && step < VERDICT_AUDIT; i++) {
        if (step == VERDICT_CHAMPION) {
            c.bank[c.m++] = i % 2 ? 9.9 : 10.1;
            step = verdict_next(&c, &ev);
        } else {
            step = after(&c, i % 2 ? 7.05 : 6.95, true, &ev);
        }
    }
    EXPECT_MSG(step == VERDICT_AUDIT && c.n <= 7, "step %d after %d runs, P %g", (int)step, c.n,
               ev.P);
    EXPECT_MSG(ev.effect > 2.0 && ev.effect < 3.0, "effect %g", ev.effect);
}

TEST(the_bank_grows_with_the_claim)
{
    VerdictCase c = a_case(4, 3);
    Evidence ev;
    EXPECT(after(&c, 9.7, false, &ev) == VERDICT_CONFIRM); /* 4 >= 1.25 * 2 */
    EXPECT(after(&c, 9.7, true, &ev) == VERDICT_CONFIRM);  /* 4 >= 1.25 * 3 */
    EXPECT(after(&c, 9.7, true, &ev) == VERDICT_CHAMPION); /* 4 <  1.25 * 4 */
    c.bank[c.m++] = 10;
    EXPECT(verdict_next(&c, &ev) == VERDICT_CONFIRM);
}

TEST(runs_that_lead_nowhere_end_undecided)
{
    VerdictCase c = a_case(8, 40);
    Evidence ev;
    VerdictStep step = VERDICT_SEARCH;
    int n = 0;
    while (step == VERDICT_SEARCH && n++ < 20) step = after(&c, 9.905, false, &ev);
    EXPECT_MSG(step == VERDICT_UNDECIDED && c.n == 6, "%d after %d, B %g", (int)step, c.n, ev.B);
    c = a_case(8, 40);
    step = after(&c, 9.75, false, &ev);
    EXPECT(step == VERDICT_CONFIRM);
    c.kept = 0, c.decided = 5000;
    for (n = 0; step < VERDICT_AUDIT && n < 60; n++) {
        if (step == VERDICT_CHAMPION) {
            c.bank[c.m++] = 10;
            step = verdict_next(&c, &ev);
        } else {
            step = after(&c, 9.92, true, &ev);
        }
    }
    EXPECT_MSG(step == VERDICT_UNDECIDED && c.n == 16, "%d after %d, B %g", (int)step, c.n, ev.B);
}

TEST(failures_are_counted_apart)
{
    VerdictCase c = a_case(8, 7);
    Evidence ev;
    c.failed = 1;
    EXPECT(verdict_next(&c, &ev) == VERDICT_DROP);
    c.failed = 0;
    EXPECT(after(&c, 9.85, false, &ev) == VERDICT_SEARCH);
    double B = ev.B;
    c.failed = 1;
    EXPECT(verdict_next(&c, &ev) == VERDICT_SEARCH && ev.B == B);
    c.failed = 2;
    EXPECT(verdict_next(&c, &ev) == VERDICT_DROP);
    double bank[] = { 1, 1.1, 0.9 };
    EXPECT(verdict_failed((double)NAN, bank, 3, 0.1) && verdict_failed(1.81, bank, 3, 0.1));
    EXPECT(!verdict_failed(1.79, bank, 3, 0.1));
}

TEST(a_bank_without_spread_decides_nothing)
{
    VerdictCase c = { .m = 3, .bank = { 1, 1, 1 }, .noise = { 0, 2 } };
    Evidence ev;
    EXPECT(after(&c, 0.5, false, &ev) == VERDICT_UNDECIDED);
    verdict_weigh(&c, &ev);
    EXPECT(isnan(ev.B));
}

TEST(the_prior_counts_what_was_kept)
{
    VerdictCase c = a_case(8, 7);
    Evidence ev;
    after(&c, 9.85, false, &ev);
    EXPECT(fabs(ev.pi - 0.1) < 1e-15);
    EXPECT(fabs(ev.P - ev.B * 0.1 / (ev.B * 0.1 + 0.9)) < 1e-12);
    c.kept = 3, c.decided = 30;
    verdict_next(&c, &ev);
    EXPECT(fabs(ev.pi - 0.1) < 1e-15);
    c.kept = 0;
    verdict_next(&c, &ev);
    EXPECT(fabs(ev.pi - 0.04) < 1e-15);
}

TEST(noise_pools_residuals_within_recipes)
{
    Noise n = { 0 };
    EXPECT(isnan(noise_s(&n)));
    noise_add(&n, (double[]){ 5 }, 1);
    EXPECT(n.nu == 0);
    noise_add(&n, (double[]){ 1, 2, 3 }, 3);
    noise_add(&n, (double[]){ 11, 13 }, 2);
    EXPECT(n.nu == 3 && fabs(n.ss - 4) < 1e-12);
    EXPECT(fabs(noise_s_used(&n) - sqrt(4.0 / 3) * (1 + 0.5 / 3)) < 1e-12);
}

TEST(held_out_error_widens_every_verdict)
{
    VerdictCase c = a_case(8, 7);
    Evidence ev;
    after(&c, 9.8, false, &ev);
    double v = ev.v, P = ev.P;
    EXPECT(fabs(v - 1.125) < 1e-12);
    c.e = ev.s / 4;
    verdict_next(&c, &ev);
    EXPECT(fabs(ev.v - v - 0.0625) < 1e-12 && ev.P < P);
}

/* v is the variance of D / sigma, whether none, some or all runs have twins. */
TEST(known_luck_of_seeds_is_taken_off_with_the_right_variance)
{
    enum { TRIALS = 40000, M = 5, N = 4 };
    for (int twins = 0; twins <= N; twins += 2) {
        Rand r = rand_stream(9, "luck");
        double sum = 0, square = 0;
        Evidence ev;
        VerdictCase c = {
            .m = M, .n = N, .noise = { 1e4, 100 }, .rho = 0.6
        }; /* s = 10: no run is cut */
        for (int t = 0; t < TRIALS; t++) {
            for (int i = 0; i < M; i++) c.bank[i] = rand_normal(&r);
            for (int i = 0; i < N; i++) {
                c.twin[i] = i < twins ? i + 1 : 0;
                c.run[i] = rand_normal(&r);
                if (i < twins) c.run[i] = 0.6 * c.bank[i] + 0.8 * c.run[i];
            }
            if (t == 0) verdict_weigh(&c, &ev);
            /* D alone, as the page writes it for runs that all have twins: */
            double all = stat_mean(c.bank, M), same = stat_mean(c.bank, twins),
                   y = stat_mean(c.run, N);
            double D = all - (twins ? y - 0.6 * twins / N * (same - all) : y);
            if (t < 20) {
                Evidence check;
                verdict_weigh(&c, &check);
                EXPECT_MSG(fabs(check.D - D) < 1e-9, "%d twins: D %g, %g", twins, check.D, D);
            }
            sum += D;
            square += D * D;
        }
        double variance = square / TRIALS - sum / TRIALS * (sum / TRIALS);
        EXPECT_MSG(fabs(variance / ev.v - 1) < 0.03, "%d twins: %g, v %g", twins, variance, ev.v);
        if (twins == N) EXPECT(fabs(ev.v - (0.64 / N + 0.16 / M)) < 1e-12);
    }
}

TEST(correlation_is_used_only_where_twenty_pairs_show_it)
{
    Pairs few = { 0 }, none = { 0 }, many = { 0 };
    Rand r = rand_stream(11, "pairs");
    double estimate, low;
    for (int group = 0; group < 40; group++) {
        double a[3], b[3], c[3];
        for (int i = 0; i < 3; i++) {
            a[i] = rand_normal(&r);
            b[i] = group + 0.8 * a[i] + 0.6 * rand_normal(&r); /* each candidate has its own mean */
            c[i] = rand_normal(&r);
        }
        if (group < 6) pairs_add(&few, a, b, 3);
        pairs_add(&many, a, b, 3);
        pairs_add(&none, a, c, 3);
    }
    EXPECT(pairs_rho(&few, NULL, NULL) == 0); /* 18 pairs */
    EXPECT(pairs_rho(&none, NULL, NULL) == 0);
    double rho = pairs_rho(&many, &estimate, &low);
    EXPECT_MSG(rho > 0.65 && rho < 0.9, "rho %g", rho);
    EXPECT(rho == estimate && low < rho && low > 0.2);
    Pairs empty = { 0 };
    EXPECT(pairs_rho(&empty, &estimate, NULL) == 0 && isnan(estimate));
}

/* The lower limit is exceeded by the truth nine times in ten. */
TEST(the_lower_limit_of_the_correlation_holds)
{
    int above = 0;
    Rand r = rand_stream(12, "limit");
    for (int t = 0; t < 2000; t++) {
        Pairs p = { 0 };
        for (int group = 0; group < 12; group++) {
            double a[2], b[2];
            for (int i = 0; i < 2; i++) {
                a[i] = rand_normal(&r);
                b[i] = 0.5 * a[i] + sqrt(0.75) * rand_normal(&r);
            }
            pairs_add(&p, a, b, 2);
        }
        double low;
        pairs_rho(&p, NULL, &low);
        above += low <= 0.5;
    }
    EXPECT_MSG(fabs(above / 2000.0 - 0.9) < 0.03, "%g", above / 2000.0);
}

TEST(after_n_drops_the_share_is_below_two_point_three_over_n)
{
    for (int n = 5; n <= 80; n *= 2) {
        double share = verdict_share_limit(0, n);
        EXPECT_MSG(share < 2.303 / n && share > 1.8 / n, "%d: %g", n, share);
    }
    EXPECT(verdict_share_limit(0, 0) == 1 && verdict_share_limit(3, 3) == 1);
    EXPECT(verdict_share_limit(2, 10) > 0.2);
}

TEST(champion_runs_fall_due_every_four_proposals_below_eight)
{
    EXPECT(!verdict_champion_due(4, 3) && verdict_champion_due(4, 4) &&
           !verdict_champion_due(8, 9));
    EXPECT(verdict_first_bank(11) == 4 && verdict_first_bank(12) == 8);
}

TEST(a_claim_without_which_runs_fail_stays)
{
    double gain;
    VerdictCase c = { .m = 4, .bank = { 1, 2, 3, 4 }, .noise = { 3, 3 }, .failed = 1 };
    EXPECT(verdict_reablate(&c, &gain) == VERDICT_KEEP);
    c.run[c.n++] = 2.5;
    EXPECT(verdict_reablate(&c, &gain) == VERDICT_SEARCH); /* one failure beside a run: left out */
    c.failed = 2;
    EXPECT(verdict_reablate(&c, &gain) == VERDICT_KEEP);
}

TEST(what_a_session_can_resolve_falls_with_its_bank)
{
    EXPECT(fabs(verdict_detectable(8, 100) - 2) < 0.1);
    EXPECT(verdict_detectable(4, 8) > verdict_detectable(8, 8));
    EXPECT(verdict_detectable(2, 4) > verdict_detectable(4, 4));
    EXPECT(verdict_detectable(30, 1000) > 1.5 && verdict_detectable(1, 1) < 8);
}
