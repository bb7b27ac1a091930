/* signals.c - looks at a run, into the ledger and out of it.
 *
 * An entry `signals` has the looks of a stretch of the run: for each signal and place its steps and
 * values, four digits each, which is what a look is good for.  An entry, and not a table of its
 * own: looks are rare, the chain of hashes covers them, and any tool that reads JSON reads them. */
#include "lab/signals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double rounded(double x)
{
    char text[32];
    snprintf(text, sizeof text, "%.4g", x);
    return strtod(text, NULL);
}

static void chart_sight(Chart *c, Signal s, const char *where, double step, double x)
{
    double at = MAX(step - 1, 0); /* the first loss is that before any update */
    if (where[0])
        (void)chart_add_part(c, s, where, at, x);
    else
        (void)chart_add(c, s, at, x);
}

void signals_add(json_t **looks, Chart *c, int64_t step, const Sight *sight, int n)
{
    if (!*looks) *looks = json_object();
    for (int i = 0; i < n; i++) {
        char key[96];
        double x = rounded(sight[i].x);
        chart_sight(c, sight[i].signal, sight[i].where, (double)step, x);
        snprintf(key, sizeof key, "%s%s%s", signal_key(sight[i].signal),
                 sight[i].where[0] ? " " : "", sight[i].where);
        json_t *list = json_object_get(*looks, key);
        if (!list) {
            list = json_pack("{s:[], s:[]}", "step", "x");
            json_object_set_new(*looks, key, list);
        }
        json_array_append_new(json_object_get(list, "step"), json_integer(step));
        json_array_append_new(json_object_get(list, "x"), json_num_of(x));
    }
}

void signals_drop(json_t **looks)
{
    json_decref(*looks);
    *looks = NULL;
}

bool signals_keep(json_t **looks, Lab *lab, const char *run, Err *err)
{
    json_t *all = *looks;
    *looks = NULL;
    return !all || ledger_append(lab->ledger, "signals", run,
                                 json_pack("{s:s, s:o}", "run", run, "signals", all), err);
}

typedef struct Recall {
    const char *run;
    Chart *chart;
} Recall;

static void recall_signal(Chart *c, const char *key, const json_t *list)
{
    char name[32];
    const char *space = strchr(key, ' '), *where = space ? space + 1 : "";
    const json_t *step = json_object_get(list, "step"), *x = json_object_get(list, "x");
    snprintf(name, sizeof name, "%.*s", space ? (int)(space - key) : (int)strlen(key), key);
    int signal = signal_of(name);
    for (size_t i = 0; signal >= 0 && i < json_array_size(step); i++) {
        const json_t *number = json_array_get(x, i);
        double value = json_is_number(number) ? json_number_value(number) : (double)NAN;
        chart_sight(c, (Signal)signal, where, json_number_value(json_array_get(step, i)), value);
    }
}

static bool recall_entry(void *self, const Entry *e)
{
    Recall *r = self;
    const char *key;
    json_t *list;
    if (strcmp(e->id, r->run) != 0) return true;
    json_object_foreach(json_object_get(e->body, "signals"), key, list)
        recall_signal(r->chart, key, list);
    return true;
}

bool signals_recall(Lab *lab, const char *run, Chart *out, Err *err)
{
    Recall r = { run, out };
    return ledger_each(lab->ledger, "signals", 0, recall_entry, &r, err);
}
