/* sim.c - sessions of proposals whose truth is known, judged by the rule that the lab uses.
 *
 * A verdict rule has no error rate that can be derived: it looks at the data after each run, its
 * prior moves with its own decisions, the winner's runs become the next bank, and the bank's
 * luck is shared by all verdicts until then.  So its errors are counted, over whole sessions.
 *
 * The world is as kind or unkind as its fields say: heavy tails, a first bank that shows half or
 * twice the true sigma, recipes that differ in sigma, a held-out set with an error of its own,
 * failing runs, seeds that correlate.  The rules in use elsewhere play the same sessions.
 *
 * Runs have seeds: the bank's run i sits on seed i; candidates search on the bank's seeds first and
 * confirm on seeds that neither arm has used. */
#include "science/sim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/rand.h"
#include "science/stats.h"
#include "science/verdict.h"

enum { RUNS = VERDICT_RUNS };

typedef struct Session {
    const SimWorld *w;
    SimRule rule;
    SimTally *tally;
    Rand rand;
    double mu, sigma; /* the champion's true mean on the search tier, and its spread */
    double bank[RUNS], luck[RUNS];
    int m;
    double older[RUNS]; /* the champion's runs of its own search: noise, but not bank */
    int older_n;
    Noise closed; /* of recipes other than the champion */
    bool first;   /* the bank is the first one */
    int kept, decided, since;
    int kept_at[256]; /* for LORD++: the proposals kept, counted from 1 */
} Session;

typedef struct Candidate {
    double gain, sigma, deviation; /* deviation: luck with the held-out set, gain on it too */
    int kind;                      /* index of the gain; -1 null, -2 harmful */
} Candidate;

static double normal(Session *s)
{
    return rand_normal(&s->rand);
}

static double noise(Session *s)
{
    const SimWorld *w = s->w;
    if (w->pool_n > 0) {
        double mean = stat_mean(w->pool, w->pool_n);
        double sd = sqrt(stat_ss(w->pool, w->pool_n) / (w->pool_n - 1));
        return (w->pool[rand_below(&s->rand, (uint64_t)w->pool_n)] - mean) / sd;
    }
    if (!w->heavy) return normal(s);
    double square = 0;
    for (int i = 0; i < 4; i++) {
        double z = normal(s);
        square += z * z;
    }
    return normal(s) / sqrt(square / 4) / sqrt(2.0);
}

static double fail(Session *s)
{
    return s->w->fails > 0 && rand_uniform(&s->rand) < s->w->fails ? 50 : 0;
}

static void add_champion_run(Session *s)
{
    CHECK(s->m < RUNS, "a bank of more than %d runs", RUNS);
    for (;;) {
        double z = noise(s), failed = fail(s);
        s->tally->runs++;
        if (failed > 0) continue; /* a failed champion run is run again on another seed */
        s->luck[s->m] = z;
        s->bank[s->m++] = s->mu + s->sigma * z;
        return;
    }
}

static Noise noise_now(const Session *s)
{
    Noise n = s->closed;
    double runs[2 * RUNS];
    memcpy(runs, s->bank, (size_t)s->m * sizeof(double));
    memcpy(runs + s->m, s->older, (size_t)s->older_n * sizeof(double));
    noise_add(&n, runs, s->m + s->older_n);
    if (s->first && s->w->first_sigma > 0) {
        int m0 = s->w->first_bank ? s->w->first_bank : 8;
        n.ss += (m0 - 1) * s->w->first_sigma * s->w->first_sigma - stat_ss(s->bank, m0);
    }
    return n;
}

static double draw_gain(Session *s, int kind)
{
    const SimWorld *w = s->w;
    double scale = w->gain[kind];
    return w->shape == SIM_HALF_NORMAL   ? scale * fabs(normal(s))
           : w->shape == SIM_EXPONENTIAL ? -scale * log(rand_uniform(&s->rand))
                                         : scale;
}

static Candidate draw_candidate(Session *s)
{
    const SimWorld *w = s->w;
    Candidate c = { .sigma = 1, .kind = -1 };
    double which = rand_uniform(&s->rand);
    if (which >= w->null_share + w->harm_share) {
        c.kind = (int)rand_below(&s->rand, (uint64_t)w->gains);
        c.gain = draw_gain(s, c.kind);
        s->tally->gains[c.kind]++;
    } else if (which < w->null_share) {
        s->tally->nulls++;
    } else {
        c.kind = -2;
        c.gain = 3 * log(rand_uniform(&s->rand));
        s->tally->harms++;
    }
    if (w->varies > 0) c.sigma = exp(w->varies * normal(s));
    if (c.kind == -1 && w->null_noise > 0) c.sigma *= w->null_noise;
    if (w->held_out > 0) c.deviation = w->held_out * normal(s);
    s->tally->proposals++;
    return c;
}

/* One run of the candidate; `twin` as in VerdictCase. */
static double candidate_run(Session *s, const Candidate *c, int twin)
{
    double z = noise(s), rho = s->w->rho;
    if (rho > 0 && twin > 0) z = rho * s->luck[twin - 1] + sqrt(1 - rho * rho) * z;
    return s->mu - c->gain - c->deviation + c->sigma * z + fail(s);
}

static double lord_gamma(int t)
{
    double x = MAX(t, 2);
    return t < 1 ? 0 : 0.0722 * log(x) / (t * exp(sqrt(log((double)t))));
}

/* LORD++ (Ramdas et al. 2017) at .05 with a first wealth of .025.  The level is told to the rule as
 * the history that has P = .8 at B = 1 / alpha. */
static void tell_history(const Session *s, VerdictCase *c)
{
    c->kept = s->kept;
    c->decided = s->decided;
    if (s->rule != SIM_LORD) return;
    int now = s->decided + 1;
    double alpha = 0.025 * lord_gamma(now);
    for (int i = 0; i < s->kept; i++) alpha += (i ? 0.05 : 0.025) * lord_gamma(now - s->kept_at[i]);
    c->kept = 0;
    c->decided = (int)lround(1 / (2 * alpha)) - 18;
}

static bool audit_agrees(Session *s, const VerdictCase *c, const Candidate *truth)
{
    if (!(s->w->held_out > 0)) return verdict_audit_agrees(c);
    VerdictCase audit = *c;
    double other = s->w->held_out * normal(s);
    for (int i = 0; i < c->n; i++) audit.run[i] += truth->deviation - other;
    return verdict_audit_agrees(&audit);
}

/* One run of the candidate into the case, in either phase. */
static void run_candidate(Session *s, VerdictCase *c, const Candidate *truth, bool fresh)
{
    int twin = !fresh && c->n + c->failed < c->m ? c->n + c->failed + 1 : 0;
    double value = candidate_run(s, truth, twin);
    s->tally->runs++;
    if (verdict_failed(value, s->bank, s->m, noise_s(&c->noise))) {
        c->failed++;
        return;
    }
    c->twin[c->n] = twin;
    c->run[c->n++] = value;
    c->fresh += fresh;
}

static VerdictStep judge(Session *s, const Candidate *truth, VerdictCase *c, Evidence *ev)
{
    const SimWorld *w = s->w;
    c->noise = noise_now(s);
    c->e = w->held_out_told ? w->held_out : 0;
    c->rho = w->rho_used ? w->rho_told : 0;
    tell_history(s, c);
    for (;;) {
        memcpy(c->bank, s->bank, sizeof(c->bank));
        c->m = s->m;
        c->noise = noise_now(s);
        VerdictStep step = verdict_next(c, ev);
        c->confirming = ev->confirming;
        if (step >= VERDICT_KEEP) return step;
        if (step == VERDICT_CHAMPION)
            add_champion_run(s);
        else if (step == VERDICT_AUDIT)
            c->audit = audit_agrees(s, c, truth) ? 1 : -1;
        else
            run_candidate(s, c, truth, step == VERDICT_CONFIRM);
    }
}

static void tally_kept(SimTally *t, const Candidate *c, double reported, bool covered)
{
    t->kept++;
    t->true_gain += c->gain;
    t->reported += reported;
    if (c->kind == -1)
        t->nulls_kept++;
    else if (c->kind < 0)
        t->harms_kept++;
    else
        t->found[c->kind]++;
    t->covered += c->kind >= 0 && covered;
}

/* The winner's confirmation runs are the new bank, topped up with fresh ones. */
static void crown(Session *s, const Candidate *truth, const VerdictCase *c)
{
    s->closed = noise_now(s);
    s->first = false;
    s->mu -= truth->gain + truth->deviation;
    s->sigma = truth->sigma;
    s->older_n = c->n - c->fresh;
    memcpy(s->older, c->run, (size_t)s->older_n * sizeof(double));
    s->m = 0;
    for (int i = s->older_n; i < c->n; i++) {
        s->luck[s->m] = (c->run[i] - s->mu) / s->sigma;
        s->bank[s->m++] = c->run[i];
    }
    while (s->m < VERDICT_NEW_BANK) add_champion_run(s);
    s->since = 0;
    s->kept_at[s->kept++ % COUNT(s->kept_at)] = s->decided + 1;
}

static bool play_verdict(Session *s, int proposals)
{
    bool null_kept = false;
    s->first = true;
    for (int i = 0; i < (s->w->first_bank ? s->w->first_bank : 8); i++) add_champion_run(s);
    for (int p = 0; p < proposals; p++) {
        Candidate truth = draw_candidate(s);
        if (verdict_champion_due(s->m, s->since)) {
            add_champion_run(s);
            s->since = 0;
        }
        s->since++;
        VerdictCase c = { 0 };
        Evidence ev;
        if (judge(s, &truth, &c, &ev) == VERDICT_KEEP) {
            bool covered = ev.low <= truth.gain && truth.gain <= ev.high;
            tally_kept(s->tally, &truth, ev.effect, covered);
            null_kept = null_kept || truth.kind < 0;
            crown(s, &truth, &c);
        } else {
            noise_add(&s->closed, c.run, c.n);
        }
        s->decided++;
    }
    return null_kept;
}

/* Do n runs each, and sd2 of the first two baselines, satisfy the rule? */
static bool naive_keeps(SimRule rule, const double *champion, const double *run, int n, double sd2)
{
    double gain = stat_mean(champion, n) - stat_mean(run, n);
    if (rule == SIM_LOWER) return gain > 0;
    if (rule == SIM_TWO_SD) return gain > 2 * sd2;
    if (rule == SIM_FIXED_SIX) return gain / sqrt(2.0 / 6) > -stat_normal_quantile(0.0047);
    double pair[3] = { champion[0] - run[0], champion[1] - run[1], champion[2] - run[2] };
    return gain / sqrt(stat_ss(pair, 3) / 2 / 3) > 2.919985580355516; /* t, 2 degrees, .95 */
}

static bool play_naive(Session *s, int proposals)
{
    int n = s->rule == SIM_PAIRED_T ? 3 : s->rule == SIM_FIXED_SIX ? 6 : 1;
    double run[6];
    bool null_kept = false;
    for (int i = 0; i < n; i++) add_champion_run(s);
    if (s->rule == SIM_TWO_SD) add_champion_run(s);
    double sd2 = s->m > 1 ? sqrt(stat_ss(s->bank, 2)) : 0;
    for (int p = 0; p < proposals; p++) {
        Candidate truth = draw_candidate(s);
        for (int i = 0; i < n; i++) run[i] = candidate_run(s, &truth, 0);
        s->tally->runs += n;
        double champion[6];
        memcpy(champion, s->bank, (size_t)n * sizeof(double));
        if (s->rule == SIM_TWO_SD && s->m > 1) champion[0] = stat_mean(s->bank, 2);
        if (!naive_keeps(s->rule, champion, run, n, sd2)) continue;
        tally_kept(s->tally, &truth, stat_mean(champion, n) - stat_mean(run, n), false);
        null_kept = null_kept || truth.kind < 0;
        s->mu -= truth.gain + truth.deviation;
        memcpy(s->bank, run, (size_t)n * sizeof(double));
        s->m = n;
    }
    return null_kept;
}

SimTally sim_play(const SimWorld *world, SimRule rule, int sessions, int proposals, uint64_t seed)
{
    CHECK(proposals < 256 && world->gains <= 3, "a session of %d proposals", proposals);
    SimTally tally = { 0 };
    for (int i = 0; i < sessions; i++) {
        SimTally before = tally;
        Session s = { .w = world, .rule = rule, .tally = &tally, .sigma = 1 };
        s.rand = rand_stream(seed + (uint64_t)i, "session");
        bool ours = rule == SIM_VERDICT || rule == SIM_LORD;
        bool null_kept = ours ? play_verdict(&s, proposals) : play_naive(&s, proposals);
        double runs = tally.runs - before.runs, reported = tally.reported - before.reported;
        double gain = tally.true_gain - before.true_gain;
        tally.runs_2 += runs * runs;
        tally.reported_2 += reported * reported;
        tally.true_2 += gain * gain;
        tally.reported_true += reported * gain;
        tally.sessions_with_null += null_kept;
        tally.sessions++;
    }
    return tally;
}

double sim_null_kept(const SimTally *t)
{
    return t->nulls_kept / t->nulls;
}

double sim_null_among_kept(const SimTally *t)
{
    return (t->nulls_kept + t->harms_kept) / t->kept;
}

double sim_found(const SimTally *t, int gain)
{
    return t->found[gain] / t->gains[gain];
}

double sim_runs(const SimTally *t)
{
    return t->runs / t->proposals;
}

double sim_error(const SimTally *t)
{
    return t->reported / t->true_gain;
}

double sim_share_se(double share, double of)
{
    return sqrt(share * (1 - share) / of);
}

double sim_runs_se(const SimTally *t)
{
    double mean = t->runs / t->sessions, variance = t->runs_2 / t->sessions - mean * mean;
    return sqrt(fmax(variance, 0) / t->sessions) * t->sessions / t->proposals;
}

/* Of a ratio of sums over sessions: the residuals reported - ratio true add up to zero. */
double sim_error_se(const SimTally *t)
{
    double r = sim_error(t), sum = t->reported_2 - 2 * r * t->reported_true + r * r * t->true_2;
    return sqrt(fmax(sum, 0)) / t->true_gain;
}

double sim_reablate(double g, int trials, uint64_t seed, double *runs)
{
    Rand r = rand_stream(seed, "reablate");
    double stays = 0;
    *runs = 0;
    for (int i = 0; i < trials; i++) {
        VerdictCase c = { .m = 8, .noise = { 1000, 1000 } };
        for (int k = 0; k < c.m; k++) c.bank[k] = rand_normal(&r);
        double gain;
        VerdictStep step;
        while ((step = verdict_reablate(&c, &gain)) == VERDICT_SEARCH)
            c.run[c.n++] = g + rand_normal(&r);
        stays += step == VERDICT_KEEP;
        *runs += c.n;
    }
    *runs /= trials;
    return stays / trials;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

SimAgreement sim_agreement(const double *pool, int pool_n, int draws, uint64_t seed)
{
    enum { BANK = 8, ALL = 12 };
    CHECK(pool_n >= ALL && draws > 0, "%d runs, %d draws", pool_n, draws);
    double *place = malloc((size_t)draws * sizeof(double));
    CHECK(place, "no memory for %d draws", draws);
    SimAgreement out = { .draws = draws };
    for (int i = 0; i < draws; i++) {
        double x[ALL];
        for (int k = 0; k < ALL; k++)
            x[k] = pool[rand_permute((uint64_t)k, (uint64_t)pool_n, seed + (uint64_t)i)];
        double s = sqrt(stat_ss(x, BANK) / (BANK - 1));
        double D = stat_mean(x, BANK) - stat_mean(x + BANK, ALL - BANK);
        place[i] = stat_t_cdf(D / (s * sqrt(1.0 / BANK + 1.0 / (ALL - BANK))), BANK - 1);
        out.low += (place[i] < 0.05) / (double)draws;
        out.high += (place[i] > 0.95) / (double)draws;
    }
    qsort(place, (size_t)draws, sizeof(double), by_value);
    for (int i = 0; i < draws; i++) {
        double is = (i + 0.5) / draws;
        out.distance = fmax(out.distance, fabs(place[i] - is));
    }
    free(place);
    return out;
}

#define MIXED_OF(nulls) .null_share = (nulls), .gain = { 1, 2, 4 }, .gains = 3
#define MIXED MIXED_OF(0.9)
#define ALL(g) .null_share = 0.9, .gain = { (g) }, .gains = 1
static const SimRow rows[] = {
    { "reference", SIM_VERDICT, { MIXED }, 0.8, 1.1, true },
    { "noise t(4)", SIM_VERDICT, { MIXED, .heavy = true }, 0.8, 1.1, true },
    { "first bank says half of sigma", SIM_VERDICT, { MIXED, .first_sigma = 0.5 }, 0.8, 1.1, true },
    { "half of sigma, t(4)",
      SIM_VERDICT,
      { MIXED, .first_sigma = 0.5, .heavy = true },
      0.8,
      1.1,
      true },
    { "first bank says twice sigma", SIM_VERDICT, { MIXED, .first_sigma = 2 }, 0.6, 1.1, true },
    { "sigma varies 20 % by recipe", SIM_VERDICT, { MIXED, .varies = 0.2 }, 0.75, 1.1, true },
    { "null candidates 1.5 times noisier",
      SIM_VERDICT,
      { MIXED, .null_noise = 1.5 },
      0.6,
      1.1,
      true },
    { "e = sigma/4, in v",
      SIM_VERDICT,
      { MIXED, .held_out = 0.25, .held_out_told = true },
      0.65,
      1.1,
      true },
    { "e = sigma/2, left out of v", SIM_VERDICT, { MIXED, .held_out = 0.5 }, 0, 0, false },
    { "2 of 100 runs fail", SIM_VERDICT, { MIXED, .fails = 0.02 }, 0.75, 1.1, true },
    { "all gains 1", SIM_VERDICT, { ALL(1) }, 0, 1.4, true },
    { "all gains 2", SIM_VERDICT, { ALL(2) }, 0.8, 1.1, true },
    { "all gains 4", SIM_VERDICT, { ALL(4) }, 0, 1.1, true },
    { "gains half-normal of scale 2",
      SIM_VERDICT,
      { ALL(2), .shape = SIM_HALF_NORMAL },
      0,
      1.1,
      true },
    { "gains exponential of mean 1",
      SIM_VERDICT,
      { ALL(1), .shape = SIM_EXPONENTIAL },
      0,
      1.1,
      true },
    { "half of the nulls harmful",
      SIM_VERDICT,
      { MIXED_OF(0.45), .harm_share = 0.45 },
      0.8,
      1.1,
      true },
    { "98 null", SIM_VERDICT, { MIXED_OF(0.98) }, 0.75, 1.1, true },
    { "all null", SIM_VERDICT, { MIXED_OF(1) }, 0, 0, true },
    { "first bank of 4 runs", SIM_VERDICT, { MIXED, .first_bank = 4 }, 0, 0, false },
    { "rho .5 used",
      SIM_VERDICT,
      { MIXED, .rho = 0.5, .rho_used = true, .rho_told = 0.5 },
      0.8,
      0,
      false },
    { "rho 0 taken as .5", SIM_VERDICT, { MIXED, .rho_used = true, .rho_told = 0.5 }, 0, 0, false },
    { "keep if lower", SIM_LOWER, { MIXED }, 0, 0, false },
    { "keep if lower, half harmful",
      SIM_LOWER,
      { MIXED_OF(0.45), .harm_share = 0.45 },
      0,
      0,
      false },
    { "2 sd of two baselines", SIM_TWO_SD, { MIXED }, 0, 0, false },
    { "paired t-test, 3 seeds, p < .05", SIM_PAIRED_T, { MIXED }, 0, 0, false },
    { "fixed 6 seeds per arm, sigma known", SIM_FIXED_SIX, { MIXED }, 0, 0, false },
    { "the same evidence under LORD++", SIM_LORD, { MIXED }, 0, 0, false },
};

const SimRow *sim_rows(int *count)
{
    *count = (int)COUNT(rows);
    return rows;
}
