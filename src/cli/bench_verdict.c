/* bench_verdict.c - how often the rule of verdicts errs, and the rules in use elsewhere beside it.
 *
 * Whole sessions of research are simulated with the program's own verdict_next() (science/sim.h);
 * docs/honest.md, section 4, shows the table and its limits.  Each row plays sessions of 100
 * proposals for its share of the time, at least 50; 2,000 a row take about two minutes in all. With
 * --runs FILE the noise is drawn from real runs of one recipe, one bpb to a line. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/bench.h"
#include "science/sim.h"

enum { BATCH = 25, LEAST = 50, MOST = 2000, PROPOSALS = 100 };

static void add_tally(SimTally *sum, const SimTally *more)
{
    double *a = (double *)sum;
    const double *b = (const double *)more;
    for (size_t i = 0; i < sizeof(*sum) / sizeof(double); i++) a[i] += b[i];
}

static SimTally play(const SimRow *row, const double *pool, int pool_n, double seconds)
{
    SimWorld world = row->world;
    SimTally sum = { 0 };
    double begun = clock_now();
    world.pool = pool;
    world.pool_n = pool_n;
    while (sum.sessions < LEAST || (sum.sessions < MOST && clock_now() - begun < seconds)) {
        SimTally t = sim_play(&world, row->rule, BATCH, PROPOSALS, 1 + (uint64_t)sum.sessions);
        add_tally(&sum, &t);
    }
    return sum;
}

/* All real gains of any size. */
static double found_any(const SimRow *row, const SimTally *t)
{
    double kept = 0, all = 0;
    for (int i = 0; i < row->world.gains; i++) {
        kept += t->found[i];
        all += t->gains[i];
    }
    return all > 0 ? kept / all : (double)NAN;
}

static bool listed(const SimRow *row, double gain)
{
    for (int i = 0; i < row->world.gains; i++)
        if (row->world.shape == SIM_LISTED && row->world.gain[i] == gain) return true;
    return false;
}

/* Share found of gains of so many sigma; NaN where the world has none. */
static double found(const SimRow *row, const SimTally *t, double gain)
{
    double kept = 0, all = 0;
    for (int i = 0; i < row->world.gains; i++) {
        if (!listed(row, gain) || row->world.gain[i] != gain) continue;
        kept += t->found[i];
        all += t->gains[i];
    }
    return all > 0 ? kept / all : (double)NAN;
}

/* Two standard errors of a share counted over so many trials. */
static double slack(double share, double trials)
{
    return 2 * sim_share_se(share, fmax(trials, 1));
}

/* The first limit that a row breaks beyond chance; NULL if it holds to all. */
static const char *broken(const SimRow *row, const SimTally *t)
{
    if (!row->held) return NULL;
    bool gains = row->world.null_share < 1;
    double real = (t->proposals - t->nulls - t->harms) / row->world.gains;
    double runs = 2.6 + 2 * sim_runs_se(t);
    if (sim_null_kept(t) > 0.005 + slack(0.005, t->nulls)) return "too many nulls kept";
    if (gains && sim_null_among_kept(t) > 0.05 + slack(0.05, t->kept))
        return "too many nulls among the kept";
    if (row->found2 > 0 && found(row, t, 2) < row->found2 - slack(row->found2, real))
        return "2 sigma found too rarely";
    if (found(row, t, 4) < 0.95 - slack(0.95, real)) return "4 sigma found too rarely";
    if (sim_runs(t) > runs) return "too many runs";
    double off = 2 * sim_error_se(t);
    if (row->error > 0 && (sim_error(t) > row->error + off || sim_error(t) < 0.9 - off))
        return "reported gains are off";
    return NULL;
}

/* ".82(1)": the error of the last digit in brackets; "-" where there is nothing to count. */
static void put_share(double share, double of, char out[24])
{
    if (isfinite(share))
        snprintf(out, 24, "%.2f(%.0f)", share, 100 * fmax(sim_share_se(share, of), 0));
    else
        snprintf(out, 24, "-");
}

static double gains_of(const SimRow *row, const SimTally *t, double gain)
{
    for (int i = 0; i < row->world.gains; i++)
        if (row->world.gain[i] == gain) return t->gains[i];
    return 0;
}

static void print_row(const SimRow *row, const SimTally *t)
{
    char one[24], two[24], four[24], error[24] = "-";
    const char *over = broken(row, t);
    double null_kept = sim_null_kept(t), among = sim_null_among_kept(t);
    put_share(found(row, t, 1), gains_of(row, t, 1), one);
    put_share(found(row, t, 2), gains_of(row, t, 2), two);
    put_share(found(row, t, 4), gains_of(row, t, 4), four);
    if (row->world.shape != SIM_LISTED) snprintf(two, sizeof(two), "all %.2f", found_any(row, t));
    if (t->true_gain > 0)
        snprintf(error, sizeof(error), "%.3f(%.0f)", sim_error(t), 1000 * sim_error_se(t));
    printf("  %-34s %6.3f(%3.0f) %% %5.1f(%.1f) %%  %7s %8s %7s  %5.2f(%.0f)  %9s %6.0f%s%s\n",
           row->name, 100 * null_kept, 1e5 * sim_share_se(null_kept, t->nulls), 100 * among,
           100 * sim_share_se(among, t->kept), one, two, four, sim_runs(t), 100 * sim_runs_se(t),
           error, t->sessions, over ? "  OVER ITS LIMIT: " : "", over ? over : "");
    fflush(stdout);
}

static json_t *row_json(const SimRow *row, const SimTally *t)
{
    const char *over = broken(row, t);
    json_t *o = json_pack(
        "{s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s?}", "bench", "verdict",
        "setting", row->name, "sessions", (json_int_t)t->sessions, "null_kept",
        json_num_of(sim_null_kept(t)), "null_among_kept", json_num_of(sim_null_among_kept(t)),
        "found_1_sigma", json_num_of(found(row, t, 1)), "found_2_sigma",
        json_num_of(found(row, t, 2)), "found_4_sigma", json_num_of(found(row, t, 4)),
        "runs_per_proposal", json_num_of(sim_runs(t)), "reported_over_true",
        json_num_of(sim_error(t)), "sessions_with_null_kept",
        json_num_of(t->sessions_with_null / t->sessions), "over_limit", over);
    double among = sim_null_among_kept(t);
    json_object_set_new(o, "null_kept_se", json_num_of(sim_share_se(sim_null_kept(t), t->nulls)));
    json_object_set_new(o, "null_among_kept_se", json_num_of(sim_share_se(among, t->kept)));
    json_object_set_new(o, "found_any", json_num_of(found_any(row, t)));
    json_object_set_new(o, "found_2_sigma_se",
                        json_num_of(sim_share_se(found(row, t, 2), gains_of(row, t, 2))));
    json_object_set_new(o, "runs_per_proposal_se", json_num_of(sim_runs_se(t)));
    json_object_set_new(o, "reported_over_true_se", json_num_of(sim_error_se(t)));
    json_object_set_new(o, "harmful_kept", json_num_of(t->harms_kept / t->harms));
    json_object_set_new(o, "covered_90",
                        json_num_of(t->covered / (t->kept - t->nulls_kept - t->harms_kept)));
    return o;
}

/* One number to a line; what is no number is named. */
static bool read_pool(const char *path, Arena *arena, double **pool, int *n, Err *err)
{
    enum { CAP = 100000 };
    Str text, line;
    *n = 0;
    if (!file_read_arena(path, arena, &text, err)) return false;
    *pool = NEW(arena, double, CAP);
    for (int at = 1; str_cut(&text, '\n', &line); at++) {
        line = str_trim(line);
        if (line.len == 0 || *n == CAP) continue;
        if (!str_to_double(line, &(*pool)[*n]) || !isfinite((*pool)[*n]))
            return err_set(err, ERR_FORMAT, "%s:%d: one number to a line is wanted", path, at);
        ++*n;
    }
    if (*n < 8)
        return err_set(err, ERR_FORMAT,
                       "%s: %d runs say too little of their spread; give 8 or more", path, *n);
    return true;
}

static void tell_agreement(const double *pool, int n, bool json, json_t *rows)
{
    SimAgreement a = sim_agreement(pool, n, 20000, 1);
    json_array_append_new(rows, json_pack("{s:s, s:s, s:i, s:f, s:f, s:f}", "bench", "verdict",
                                          "setting", "agreement with t", "pool", n, "distance",
                                          a.distance, "below_5", a.low, "above_95", a.high));
    if (!json)
        printf(
            "  banks of 8 and candidates of 4 out of these %d runs: D / (s sqrt(v)) is below the 5 "
            "%% "
            "point of t with %.1f %%, above the 95 %% point with %.1f %%, and nowhere further from "
            "it than %.1f %%\n",
            n, 100 * a.low, 100 * a.high, 100 * a.distance);
}

static bool run(const BenchIn *in, json_t *rows, Err *err)
{
    double *pool = NULL;
    int n, pool_n = 0;
    const SimRow *row = sim_rows(&n);
    const char *path = cmd_value(in->cmd, "runs", NULL);
    if (path && !read_pool(path, in->cmd->arena, &pool, &pool_n, err)) return false;
    if (!in->cmd->json)
        printf("verdict, simulated sessions of %d proposals; in brackets the standard error of the "
               "last "
               "digits\n  %-34s %13s %11s  %24s  %8s  %9s %s\n",
               PROPOSALS, "setting", "nulls kept", "of kept", "found 1 / 2 / 4 sigma", "runs",
               "error", "sessions");
    if (pool_n >= 12) tell_agreement(pool, pool_n, in->cmd->json, rows);
    for (int i = 0; i < n && !stop_asked(); i++) {
        SimTally t = play(&row[i], pool, pool_n, in->seconds / n);
        if (!in->cmd->json) print_row(&row[i], &t);
        json_array_append_new(rows, row_json(&row[i], &t));
    }
    if (!in->cmd->json) {
        double gains[] = { 0, 1, 2 }, runs;
        for (int i = 0; i < COUNT(gains); i++) {
            double stays = sim_reablate(gains[i], 20000, 1, &runs);
            printf("  a claim of %.0f sigma taken out again stays with %.2f, for %.1f runs\n",
                   gains[i], stays, runs);
        }
    }
    return true;
}

extern const BenchDef bench_verdict;
const BenchDef bench_verdict = {
    .name = "verdict",
    .doc = "how often the rule of verdicts errs, on simulated sessions",
    .run = run,
};
