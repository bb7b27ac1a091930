/* forecast.h - the run to make with so many FLOPs, and its loss as a law foretells it.
 *
 * Size and length are the best split of the budget by a law through measured runs.  Without one the
 * rule of thumb is 20 tokens for each of N, and no loss is foretold.  Where the text is shorter
 * than the run, repeats are worth less (Muennighoff et al. 2023) and the best split moves to larger
 * models and fewer epochs; the worth of repeats is theirs, the law is the lab's. */
#ifndef LAB_FORECAST_H
#define LAB_FORECAST_H

#include "lab/scale.h"

enum { FORECAST_POINTS = 512 };
extern const double forecast_thumb; /* tokens for each of N */

typedef struct Forecast {
    Recipe made;
    double flops, speed;          /* FLOPs a second of the lab's newest runs; 0: none yet */
    double N, D, epochs, largest; /* largest: N of the largest measured size */
    double unique;                /* tokens of the text */
    double batch;
    int points;
    bool has_law;
    LawRange mean, run; /* of the loss; of one run's */
    char no_law[480];   /* why there is no law although there are points; "" */
} Forecast;

/* `law` may be NULL: then the points are those of the lab's ladder of this recipe. */
typedef struct ForecastAsk {
    const Recipe *base;
    double flops, hours; /* one of them; hours at the lab's speed */
    const LawPoint *law;
    int points;
} ForecastAsk;

bool forecast(Lab *lab, const ForecastAsk *ask, Forecast *out, Arena *arena, Err *err) MUST_CHECK;

/* Is the loss known: is there a law, and does it reach so far? */
bool forecast_known(const Forecast *f);
json_t *forecast_json(const Forecast *f); /* without where the recipe was written */

#endif
