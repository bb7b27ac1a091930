/* known_noise.c - the noise book of a lab, read from its ledger.
 *
 * Every recipe that made a bank or was confirmed adds its runs to the cell of its question's size,
 * its frame and the processor.  Runs that searched are left out: among them are those of recipes
 * that went wrong.  Runs are divided by their recipe's mean, so that what sizes share is a share.
 * The estimate serves planning only: a verdict's noise is of its own question (lab/history.h). */
#include "lab/known_noise.h"

#include <string.h>

#include "dev/dev.h"
#include "science/stats.h"

enum { ROWS = 20000, OF_ONE = 256 };

typedef struct Same { /* runs of one recipe in one question on one machine */
    const char *question, *recipe, *machine, *frame;
    double params, bpb[OF_ONE];
    int n;
} Same;

static void close_group(NoiseBook *book, Same *g, const char *frame)
{
    double mean = stat_mean(g->bpb, g->n);
    for (int i = 0; i < g->n; i++) g->bpb[i] /= mean;
    /* A full book keeps what it has: 64 sizes are more than a line through them needs. */
    if (g->n > 1 && g->params > 0 && mean > 0)
        noisebook_add(book, g->params, strcmp(g->frame, frame) != 0,
                      strcmp(g->machine, cpu_model()) != 0, g->bpb, g->n);
    g->n = 0;
}

static void read_row(NoiseBook *book, Same *g, const json_t *row, const char *frame)
{
    const char *question = json_str(row, "question", ""), *recipe = json_str(row, "recipe", "");
    const char *machine = json_str(row, "machine", "");
    if (g->n > 0 && (strcmp(g->question, question) != 0 || strcmp(g->recipe, recipe) != 0 ||
                     strcmp(g->machine, machine) != 0))
        close_group(book, g, frame);
    g->question = question;
    g->recipe = recipe;
    g->machine = machine;
    g->frame = json_str(row, "frame", "");
    g->params = json_num(row, "params", 0);
    if (g->n < OF_ONE) g->bpb[g->n++] = json_num(row, "bpb", 0);
}

bool known_noise(Lab *lab, double params, const char *frame, NoiseEstimate *out, Err *err)
{
    json_t *rows = NULL, *row;
    size_t i;
    NoiseBook book = { 0 };
    Same g = { 0 };
    if (!ledger_query(lab->ledger,
                      "SELECT r.question, r.recipe, x.machine, q.frame, q.target_params AS params, "
                      "x.bpb FROM runs r JOIN results x ON x.run = r.run JOIN questions q ON "
                      "q.question = r.question WHERE r.purpose IN ('bank', 'confirm') AND NOT "
                      "x.failed AND x.bpb > 0 AND q.target_params > 0 ORDER BY r.question, "
                      "r.recipe, x.machine, r.seq",
                      ROWS, &rows, err))
        return false;
    json_array_foreach(rows, i, row) read_row(&book, &g, row, frame);
    if (g.n > 0) close_group(&book, &g, frame);
    *out = noisebook_estimate(&book, params, 0, 0, 1);
    json_decref(rows);
    return true;
}
