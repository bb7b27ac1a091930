/* cmd_verdict.c - the rule of verdicts for results that another trainer made.
 *
 * Two kinds of files.  A table of runs by seed (proposal, seed, champion, candidate) is judged by
 * the rule itself, run by run (science/results.h).  The log of a ratchet, one run per commit and
 * kept if lower, cannot be judged so: one run confirms nothing.  Given the noise of that trainer it
 * can be said how probable it is that each keep is a gain at all, and what to expect of it once
 * the luck of having been picked is taken off. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/cmd.h"
#include "cli/table.h"
#include "lab/entry_text.h"
#include "lab/svg.h"
#include "science/results.h"

static const CmdOpt opts[] = {
    { "sigma", 0, "S", "the noise of one run, if it is known: 0.003, or 0.3% of the values" },
    { "error", 0, "E", "error of the held-out set, in the unit of the values (0)" },
    { "autoresearch", 0, NULL, "FILE is a results.tsv: commit, val_bpb, status, description" },
    { "svg", 0, "FILE", "draw the effects with their intervals there" },
    { 0 },
};

/* One line of the drawing and of either table. */
typedef struct Line {
    const char *name, *style;
    double raw, low, high, shrunk;
} Line;

/* ---- reading ---- */

/* Median of a column's numbers: what a sigma in percent is of. */
static double middle(const Table *t, int column)
{
    double sum = 0, x;
    int n = 0;
    for (int i = 0; i < t->rows; i++)
        if (str_to_double(str_of(table_cell(t, i, column)), &x) && isfinite(x) && x != 0) {
            sum += x;
            n++;
        }
    return n > 0 ? sum / n : (double)NAN;
}

static bool read_sigma(Cmd *c, double of, double *sigma, Err *err)
{
    const char *text = cmd_value(c, "sigma", NULL);
    *sigma = 0;
    if (!text) return true;
    Str s = str_trim(str_of(text));
    bool percent = str_ends(s, STR("%"));
    if (percent) s = str_trim((Str){ s.at, s.len - 1 });
    if (!str_to_double(s, sigma) || !(*sigma > 0) || !isfinite(*sigma))
        return err_set(err, ERR_CONFIG,
                       "--sigma is %.40s, and must be a positive number, or one with %% behind it",
                       text);
    if (percent) *sigma *= of / 100;
    return true;
}

/* An empty cell: false.  "nan", "inf", "failed" and other words are runs that failed. */
static bool read_value(const Table *t, int row, int column, double *out)
{
    const char *cell = table_cell(t, row, column);
    *out = (double)NAN;
    if (!cell[0]) return false;
    if (!str_to_double(str_of(cell), out)) *out = (double)NAN;
    return true;
}

static bool word_is_failure(const char *cell)
{
    static const char *const words[] = { "nan",     "-nan",     "+nan",  "inf", "+inf",
                                         "-inf",    "failed",   "fail",  "oom", "crash",
                                         "crashed", "diverged", "error", "null" };
    for (int i = 0; i < COUNT(words); i++)
        if (strcasecmp(cell, words[i]) == 0) return true;
    return false;
}

static bool check_value(const Table *t, int row, int column, Err *err)
{
    double x;
    const char *cell = table_cell(t, row, column);
    if (!cell[0] || word_is_failure(cell)) return true;
    return table_number(t, row, column, &x, err);
}

static bool read_rows(const Table *t, Arena *arena, ResultsRow **rows, Err *err)
{
    int proposal, seed, champion, candidate;
    if (!table_need(t, "proposal", &proposal, err) || !table_need(t, "seed", &seed, err) ||
        !table_need(t, "champion", &champion, err) || !table_need(t, "candidate", &candidate, err))
        return false;
    *rows = NEW(arena, ResultsRow, MAX(t->rows, 1));
    for (int i = 0; i < t->rows; i++) {
        ResultsRow *row = &(*rows)[i];
        if (!check_value(t, i, champion, err) || !check_value(t, i, candidate, err)) return false;
        row->proposal = table_cell(t, i, proposal);
        row->seed = table_cell(t, i, seed);
        row->has_champion = read_value(t, i, champion, &row->champion);
        row->has_candidate = read_value(t, i, candidate, &row->candidate);
        if (!row->proposal[0] || !row->seed[0])
            return err_set(err, ERR_FORMAT, "%s:%d: the %s is missing", t->path, t->line[i],
                           row->proposal[0] ? "seed" : "proposal");
    }
    return true;
}

/* ---- the drawing ---- */

static void forest_axes(Plot *p, const Line *line, int n, Arena *arena)
{
    double *ends = NEW(arena, double, 3 * n + 1);
    for (int i = 0; i < n; i++) {
        ends[3 * i] = line[i].low;
        ends[3 * i + 1] = line[i].high;
        ends[3 * i + 2] = line[i].shrunk;
    }
    p->x = svg_axis(ends, 3 * n + 1, 0.06); /* with zero, the last */
    p->x.ticks = 7;
    p->x.label = "gain: measured with 90 % interval (whisker, ring), reported (disc)";
    p->y = (Axis){ .low = -n, .high = 0 };
}

static bool draw(Cmd *c, const char *path, const Line *line, int n, Err *err)
{
    Buf out = { 0 };
    Plot p = { .out = &out, .width = 860, .height = 70 + 22 * MAX(n, 1), .left = 240 };
    forest_axes(&p, line, n, c->arena);
    if (n == 0) p.y.low = -1;
    svg_begin(&p, "Effects", "One line for each proposal: its gain over the champion.");
    svg_line(&p, (double[2]){ 0, p.y.low }, (double[2]){ 0, 0 }, "zero", NULL);
    for (int i = 0; i < n; i++) {
        double y = -i - 0.5;
        char text[48];
        snprintf(text, sizeof(text), "%.40s", line[i].name);
        svg_text(&p, p.left - 10, svg_y(&p, y) + 4, "end", "tick", text);
        if (!isfinite(line[i].raw)) continue;
        const char *tip =
            arena_printf(c->arena, "%s: %.5g (%.5g to %.5g), reported %.5g", line[i].name,
                         line[i].raw, line[i].low, line[i].high, line[i].shrunk);
        buf_printf(&out, "<g class=\"%s\">", line[i].style);
        svg_line(&p, (double[2]){ line[i].low, y }, (double[2]){ line[i].high, y }, "whisker", tip);
        buf_printf(&out, "</g>");
        svg_mark(&p, SVG_RING, line[i].raw, y, line[i].style, tip);
        svg_mark(&p, SVG_DOT, line[i].shrunk, y, line[i].style, tip);
    }
    svg_end(&p);
    bool ok = svg_write(path, &out, err);
    buf_free(&out);
    return ok;
}

/* ---- verdicts ---- */

static const char *awaited(const ResultsVerdict *v)
{
    return v->step == VERDICT_KEEP       ? "fresh runs confirm the gain"
           : v->step == VERDICT_CHAMPION ? "one more champion run is wanted"
           : v->step == VERDICT_CONFIRM  ? "one more candidate run on an unused seed is wanted"
           : v->step == VERDICT_SEARCH   ? "one more candidate run is wanted"
                                         : v->ev.why;
}

static const char *word_of(const ResultsVerdict *v)
{
    return v->step >= VERDICT_KEEP ? verdict_word(v->step) : "open";
}

static json_t *verdict_json(const ResultsVerdict *v)
{
    json_t *o = json_pack("{s:o, s:s, s:s}", "proposal", json_text(str_of(v->proposal)), "decision",
                          word_of(v), "why", awaited(v));
    const struct {
        const char *key;
        double value;
    } number[] = { { "gain", v->ev.D },
                   { "low", v->plain_low },
                   { "high", v->plain_high },
                   { "effect", v->ev.effect },
                   { "effect_low", v->ev.low },
                   { "effect_high", v->ev.high },
                   { "s", v->ev.s },
                   { "sigma_measured", v->s },
                   { "degrees", v->nu },
                   { "v", v->ev.v },
                   { "B", v->ev.B },
                   { "prior", v->ev.pi },
                   { "P", v->ev.P },
                   { "gain_fresh", v->ev.gain_fresh },
                   { "rho", v->rho } };
    for (int i = 0; i < COUNT(number); i++)
        json_object_set_new(o, number[i].key, json_num_of(number[i].value));
    const struct {
        const char *key;
        int value;
    } whole[] = { { "champion_runs", v->m },
                  { "candidate_runs", v->n },
                  { "candidate_runs_given", v->given },
                  { "failed", v->failed } };
    for (int i = 0; i < COUNT(whole); i++)
        json_object_set_new(o, whole[i].key, json_integer(whole[i].value));
    json_object_set_new(o, "bank_lucky", json_boolean(v->bank_lucky));
    return o;
}

static void print_verdict(const ResultsVerdict *v)
{
    Buf b = { 0 };
    buf_printf(&b, "%-24.60s %-10s", v->proposal, word_of(v));
    if (isfinite(v->ev.D)) {
        bool kept = v->step == VERDICT_KEEP;
        buf_printf(&b, "%+10.5g (%+.5g to %+.5g) %+6.1f s  P %.3f  %d + %d runs  ",
                   kept ? v->ev.effect : v->ev.D, v->ev.low, v->ev.high, v->ev.D / v->ev.s, v->ev.P,
                   v->m, v->n);
    }
    buf_printf(&b, "%s", awaited(v));
    if (v->failed) buf_printf(&b, "; %d failed", v->failed);
    if (v->step >= VERDICT_KEEP && v->given > v->n + v->failed)
        buf_printf(&b, "; later runs not read: %d", v->given - v->n - v->failed);
    if (v->bank_lucky) buf_printf(&b, "; its bank holds the runs that found the champion");
    entry_text_plain(&b);
    printf("%s\n", b.at);
    buf_free(&b);
}

static void print_verdicts(const ResultsVerdict *v, int n, const ResultsOpt *opt)
{
    int kept = 0, shown = 0;
    for (int i = 0; i < n; i++) {
        if (v[i].given == 0) continue; /* champion runs alone: nothing was proposed */
        print_verdict(&v[i]);
        kept += v[i].step == VERDICT_KEEP;
        shown++;
    }
    printf("%d proposals, %d kept", shown, kept);
    if (n > 0 && opt->sigma > 0)
        printf("; sigma %.4g, as given\n", opt->sigma);
    else if (n > 0)
        printf("; sigma %.4g on %.0f degrees at the last\n", v[n - 1].s, v[n - 1].nu);
    printf(
        "gains are positive where the candidate is lower; of what is kept the effect is shrunken "
        "for luck, else it is as measured; no audit tier was asked\n");
}

static bool judge_runs(Cmd *c, const Table *t, Err *err)
{
    ResultsRow *rows;
    ResultsVerdict *v;
    ResultsOpt opt = { 0 };
    int n, column = table_find(t, "champion");
    if (!read_rows(t, c->arena, &rows, err) || !read_sigma(c, middle(t, column), &opt.sigma, err) ||
        !cmd_number(c, "error", 0, 0, 1e30, &opt.e, err) ||
        !results_judge(rows, t->rows, &opt, c->arena, &v, &n, err))
        return false;
    Line *line = NEW(c->arena, Line, n + 1);
    json_t *all = json_array();
    int lines = 0;
    for (int i = 0; i < n; i++) {
        if (v[i].given == 0) continue;
        const char *style = v[i].step >= VERDICT_KEEP ? verdict_word(v[i].step) : "running";
        line[lines++] = (Line){ v[i].proposal,  style,           v[i].ev.D,
                                v[i].plain_low, v[i].plain_high, v[i].ev.effect };
        json_array_append_new(all, verdict_json(&v[i]));
    }
    if (c->json)
        cmd_print_json(json_pack("{s:O}", "verdicts", all));
    else
        print_verdicts(v, n, &opt);
    json_decref(all);
    const char *svg = cmd_value(c, "svg", NULL);
    return !svg || draw(c, svg, line, lines, err);
}

/* ---- the log of a ratchet ---- */

/* val_bpb, or the only column whose name begins with val_. */
static bool value_column(const Table *t, int *column, Err *err)
{
    *column = table_find(t, "val_bpb");
    for (int i = 0; i < t->columns && *column < 0; i++)
        if (strncasecmp(t->column[i], "val_", 4) == 0) *column = i;
    return *column >= 0 || table_need(t, "val_bpb", column, err);
}

static bool read_ratchet(const Table *t, int value, int status, RatchetRow *rows, Err *err)
{
    for (int i = 0; i < t->rows; i++) {
        const char *word = table_cell(t, i, status);
        double x;
        if (!check_value(t, i, value, err)) return false;
        if (!read_value(t, i, value, &x) || x == 0 || strcasecmp(word, "crash") == 0)
            x = (double)NAN;
        rows[i] = (RatchetRow){ x, strncasecmp(word, "keep", 4) == 0 };
    }
    return true;
}

static const char *ratchet_word(const RatchetKeep *k)
{
    return k->P >= 0.8 ? "gain" : k->P >= 0.5 ? "unclear" : "noise";
}

static const char *ratchet_name(const Table *t, const RatchetKeep *k, Arena *arena)
{
    int commit = table_find(t, "commit"), words = table_find(t, "description");
    return arena_printf(arena, "%s %s", commit >= 0 ? table_cell(t, k->row, commit) : "",
                        words >= 0 ? table_cell(t, k->row, words) : "");
}

typedef struct RatchetSum {
    int noise, unclear, gain;
    double raw, effect, expected_noise;
} RatchetSum;

static RatchetSum sum_up(const RatchetKeep *k, int n)
{
    RatchetSum sum = { 0 };
    for (int i = 0; i < n; i++) {
        sum.noise += k[i].P < 0.5;
        sum.unclear += k[i].P >= 0.5 && k[i].P < 0.8;
        sum.gain += k[i].P >= 0.8;
        sum.raw += k[i].gain;
        sum.effect += k[i].effect;
        sum.expected_noise += 1 - k[i].P;
    }
    return sum;
}

static void print_ratchet(const Table *t, const RatchetKeep *k, int n, double sigma, Arena *arena)
{
    RatchetSum sum = sum_up(k, n);
    for (int i = 0; i < n; i++) {
        Buf b = { 0 };
        buf_printf(&b,
                   "line %-4d %-8s %+9.6f (%+.6f to %+.6f) %+5.1f s  P %.3f  expect %+.6f  %.60s",
                   t->line[k[i].row], ratchet_word(&k[i]), k[i].gain, k[i].low, k[i].high,
                   k[i].gain / sigma, k[i].P, k[i].effect, ratchet_name(t, &k[i], arena));
        entry_text_plain(&b);
        printf("%s\n", b.at);
        buf_free(&b);
    }
    printf(
        "%d keeps after the baseline: %d gains (P >= .8), %d unclear, %d more likely noise; about "
        "%.1f of them gained nothing\n",
        n, sum.gain, sum.unclear, sum.noise, sum.expected_noise);
    printf("they add up to %.6f, of which %.6f is to be expected again at sigma %.4g; a keep needs "
           "about %.1f sigma in one run each to be a gain with P .8\n",
           sum.raw, sum.effect, sigma, results_ratchet_bar());
}

static json_t *ratchet_json(const Table *t, const RatchetKeep *k, int n, double sigma, Arena *arena)
{
    RatchetSum sum = sum_up(k, n);
    json_t *all = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(
            all, json_pack("{s:i, s:o, s:s, s:f, s:f, s:f, s:f, s:f}", "line", t->line[k[i].row],
                           "name", json_text(str_of(ratchet_name(t, &k[i], arena))), "verdict",
                           ratchet_word(&k[i]), "gain", k[i].gain, "low", k[i].low, "high",
                           k[i].high, "P", k[i].P, "effect", k[i].effect));
    return json_pack("{s:o, s:f, s:i, s:i, s:i, s:f, s:f, s:f}", "keeps", all, "sigma", sigma,
                     "gains", sum.gain, "unclear", sum.unclear, "noise", sum.noise,
                     "expected_without_gain", sum.expected_noise, "sum", sum.raw,
                     "sum_expected_again", sum.effect);
}

static bool judge_ratchet(Cmd *c, const Table *t, Err *err)
{
    int value, status;
    double sigma;
    if (!value_column(t, &value, err) || !table_need(t, "status", &status, err) ||
        !read_sigma(c, middle(t, value), &sigma, err))
        return false;
    if (sigma <= 0)
        return err_set(err, ERR_CONFIG,
                       "one run each says nothing of the noise: give --sigma, the standard "
                       "deviation of the same commit over seeds");
    RatchetRow *rows = NEW(c->arena, RatchetRow, t->rows + 1);
    RatchetKeep *keep = NEW(c->arena, RatchetKeep, t->rows + 1);
    if (!read_ratchet(t, value, status, rows, err)) return false;
    int n = results_ratchet(rows, t->rows, sigma, keep, t->rows + 1);
    if (c->json)
        cmd_print_json(ratchet_json(t, keep, n, sigma, c->arena));
    else
        print_ratchet(t, keep, n, sigma, c->arena);
    Line *line = NEW(c->arena, Line, n + 1);
    for (int i = 0; i < n; i++)
        line[i] = (Line){ ratchet_name(t, &keep[i], c->arena),
                          keep[i].P >= 0.8   ? "keep"
                          : keep[i].P >= 0.5 ? "undecided"
                                             : "drop",
                          keep[i].gain,
                          keep[i].low,
                          keep[i].high,
                          keep[i].effect };
    const char *svg = cmd_value(c, "svg", NULL);
    return !svg || draw(c, svg, line, n, err);
}

static bool run(Cmd *c, Err *err)
{
    Table t;
    if (!table_read(&t, c->arg[0], c->arena, err)) return false;
    return cmd_has(c, "autoresearch") ? judge_ratchet(c, &t, err) : judge_runs(c, &t, err);
}

const CmdDef cmd_verdict = {
    .name = "verdict",
    .args = "FILE",
    .doc = "judge results of any trainer by Lathe's rule",
    .more =
        "FILE is a table with the columns proposal, seed, champion, candidate; values are losses "
        "or "
        "bits per byte, lower is better; cells may be empty; nan or a word such as failed is a run "
        "that failed. An equal seed and value of the champion in several proposals is one run. "
        "Proposals are decided in the order of the file, candidate runs in the order of rows; runs "
        "behind a decision are not read. A proposal without champion cells is compared with the "
        "winner before it, or else the champion before it. open: the rows end before the rule "
        "decides; what it wants next is said.\n"
        "With --autoresearch FILE is the log of a loop that keeps what is lower: which of its "
        "keeps "
        "are noise, at the sigma that is given.",
    .opts = opts,
    .min_args = 1,
    .max_args = 1,
    .json = true,
    .run = run,
};
