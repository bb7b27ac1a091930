/* credit.c - proposals, verdicts and costs, gathered by author.
 *
 * A prediction is scored on all decided proposals: confidence by Brier's rule against whether it
 * was kept, the predicted gain by its mean difference from the measured one.  What a model of the
 * lab's own sessions cost is known try by try; what an outside agent spent is not, and stays
 * null.  What was gained by another trainer's own word is added up apart: the two are never one
 * number. */
#include "lab/credit.h"

#include <math.h>
#include <string.h>

#include "lab/spend.h"

static const char by_author[] =
    "SELECT p.author AS author, coalesce(q.scores, 'judged') AS scores, count(*) AS proposals, "
    "count(v.decision) AS decided, "
    "coalesce(sum(v.decision = 'keep'), 0) AS kept, "
    "coalesce(sum(CASE WHEN v.decision = 'keep' THEN v.effect END), 0) AS gain, "
    "coalesce(sum(v.runs), 0) AS runs, coalesce(sum(v.seconds), 0) AS seconds, "
    "avg((p.confidence - (v.decision = 'keep')) * (p.confidence - (v.decision = 'keep'))) AS "
    "brier, avg(p.predicted - v.effect) AS bias FROM proposals p LEFT JOIN verdicts v ON "
    "v.experiment = p.experiment AND v.refused IS NULL LEFT JOIN questions q ON q.question = "
    "p.question WHERE p.ablates IS NULL AND p.decides IS NULL GROUP BY p.author, scores ORDER BY "
    "scores, kept DESC, gain "
    "DESC";

/* Models of sessions, by the author under which their ideas stand. */
static const char by_model[] =
    "SELECT r.model AS author, coalesce(q.scores, 'judged') AS scores, sum(t.usd) AS usd, "
    "sum(t.usage IS NOT NULL AND t.usd IS NULL) AS "
    "unpriced, sum(json_extract(t.usage, '$.input') + json_extract(t.usage, '$.cache_read') + "
    "json_extract(t.usage, '$.cache_write') + json_extract(t.usage, '$.cache_write_hour') + "
    "json_extract(t.usage, '$.output')) AS tokens FROM llm_tries t JOIN (SELECT DISTINCT talk, "
    "model FROM llm_requests) r ON r.talk = t.talk LEFT JOIN sessions s ON s.session = t.session "
    "LEFT JOIN questions q ON q.question = s.question GROUP BY r.model, scores";

static const json_t *row_of(const json_t *rows, const json_t *like)
{
    json_t *row;
    const char *author = json_str(like, "author", ""), *scores = json_str(like, "scores", "");
    size_t i;
    json_array_foreach(rows, i, row)
    {
        if (strcmp(json_str(row, "author", ""), author) == 0 &&
            strcmp(json_str(row, "scores", ""), scores) == 0)
            return row;
    }
    return NULL;
}

/* An outside agent has a name in front of a colon and no requests of its own. */
static void put_costs(json_t *o, const json_t *model)
{
    const char *author = json_str(o, "author", "");
    int64_t kept = json_int(o, "kept", 0);
    bool free_of = !model && !strchr(author, ':'),
         priced = model && !json_int(model, "unpriced", 0);
    double usd = priced ? json_num(model, "usd", (double)NAN) : free_of ? 0 : (double)NAN;
    double tokens = model ? json_num(model, "tokens", (double)NAN) : free_of ? 0 : (double)NAN;
    json_object_set_new(o, "usd", json_num_of(usd));
    json_object_set_new(o, "tokens", json_num_of(tokens));
    double each = kept ? 1.0 / (double)kept : (double)NAN;
    json_object_set_new(o, "seconds_per_gain", json_num_of(json_num(o, "seconds", 0) * each));
    json_object_set_new(o, "usd_per_gain", json_num_of(usd * each));
}

bool credit(Lab *lab, json_t **out, Err *err)
{
    json_t *rows = NULL, *models = NULL, *row;
    size_t i;
    if (!ledger_query(lab->ledger, by_author, 200, &rows, err)) return false;
    if (!ledger_query(lab->ledger, by_model, 200, &models, err)) {
        json_decref(rows);
        return false;
    }
    json_array_foreach(rows, i, row) put_costs(row, row_of(models, row));
    json_decref(models);
    *out = rows;
    return true;
}
