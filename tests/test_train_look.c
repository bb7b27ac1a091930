/* Looks: what they say of a run, that they change nothing in it, and that a fault planted in a real
 * run is named. */
#include "doctor/doctor.h"
#include "tests/train_lab.h"
#include "train/train.h"

static Arena arena;

static const char *lab(void)
{
    static bool made;
    if (!made) train_lab_make(test_folder());
    made = true;
    if (!arena.base) arena = arena_reserve(1 << 28);
    return test_folder();
}

static void heard_sights(void *self, int64_t step, const Sight *sight, int n)
{
    Chart *c = self;
    for (int i = 0; i < n; i++) {
        double at = (double)MAX(step - 1, 0);
        if (sight[i].where[0])
            (void)chart_add_part(c, sight[i].signal, sight[i].where, at, sight[i].x);
        else
            (void)chart_add(c, sight[i].signal, at, sight[i].x);
    }
}

static bool heard_rows(void *self, const StepRow *rows, int n, Err *err)
{
    (void)err;
    for (int i = 0; i < n; i++)
        (void)chart_add(self, SIG_LOSS, (double)rows[i].step - 1, rows[i].loss);
    return true;
}

/* A run of a name of its own; `c` NULL: nobody looks. */
static void train(const char *name, const char *const *more, const StepHands *hands, Chart *c,
                  TrainResult *out)
{
    Recipe r;
    Err err = { 0 };
    char dir[200];
    snprintf(dir, sizeof dir, "%s/runs/%s", lab(), name);
    train_lab_recipe(&r, &arena, more);
    TrainJob job = { .lab = lab(), .dir = dir, .recipe = &r, .seed = 1, .hands = hands };
    if (c) job.sink = (RunSink){ .self = c, .rows = heard_rows, .sights = heard_sights };
    EXPECT_MSG(train_run(&job, out, &err), "%s: %s", name, err.msg);
}

static const char *const plain[] = { "train.steps=200", "train.accumulate=2", "model.mlp=relu2",
                                     NULL };

static Answer asked(const Chart *c, const char *name)
{
    Finding f;
    return doctor_ask(doctor_find(name), c, &f);
}

TEST(looks_change_no_bit_and_see_what_is_there)
{
    TrainResult looked, alone;
    Chart c = { 0 };
    train("looked", plain, NULL, &c, &looked);
    train("alone", plain, NULL, NULL, &alone);
    EXPECT(strcmp(looked.weights_sha256, alone.weights_sha256) == 0);
    for (int s = 0; s < c.parts; s++)
        for (int i = 0; i < c.part[s].s.n; i++)
            EXPECT_MSG(isfinite(c.part[s].s.x[i]), "%s of %s", signal_key(c.part[s].signal),
                       c.part[s].where);
    const Signal shares[] = { SIG_STILL, SIG_EPS, SIG_DEAD, SIG_BUSY, SIG_ENTROPY, SIG_RANK };
    for (int k = 0; k < COUNT(shares); k++) {
        const Series *s = &c.of[shares[k]];
        EXPECT_MSG(s->n >= 5, "%s was seen %d times", signal_key(shares[k]), s->n);
        for (int i = 0; i < s->n; i++)
            EXPECT_MSG(s->x[i] >= 0 && s->x[i] <= 1 + 1e-6, "%s is %g", signal_key(shares[k]),
                       s->x[i]);
    }
    /* At first attention spreads evenly, and the output knows nothing: ln 257. */
    EXPECT(c.of[SIG_ENTROPY].x[0] > 0.95 && fabs(c.of[SIG_LOGZ].x[0] - log(257)) < 0.3);
    /* The first update of Adam is the rate everywhere: the memory is the gradient's square. */
    EXPECT_MSG(fabs(c.of[SIG_LAG].x[0] - 1) < 1e-3, "lag %g", c.of[SIG_LAG].x[0]);
    EXPECT(c.of[SIG_GAIN].x[1] > 0 && c.of[SIG_NOISE].n > 0 && c.unigram > 2 && c.unigram < 4);
    chart_free(&c);
}

/* ---- planted faults */

static int64_t read_twice(void *self, int64_t index)
{
    (void)self;
    return index < 100 ? index : index - 100;
}

static int64_t read_twins(void *self, int64_t index)
{
    (void)self;
    return index / 2;
}

static void round_weights(void *self, int64_t step, const Store *s)
{
    (void)self;
    (void)step;
    for (int i = 0; i < store_count(s); i++) {
        const StoreItem *item = store_item(s, i);
        for (ptrdiff_t k = 0; item->life == LIFE_PARAM && k < item->count; k++) {
            uint32_t bits;
            memcpy(&bits, &item->at[k], 4);
            bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u; /* to bf16 and back */
            memcpy(&item->at[k], &bits, 4);
        }
    }
}

/* One matrix is put back to what it was at first. */
static void freeze(void *self, int64_t step, const Store *s)
{
    const StoreItem *item = store_find(s, "block.0.mlp.up.weight");
    float **copy = self;
    size_t bytes = (size_t)item->count * sizeof(float);
    if (step == 1) {
        *copy = malloc(bytes);
        memcpy(*copy, item->at, bytes);
    }
    memcpy(item->at, *copy, bytes);
}

static void kill_units(void *self, int64_t step, const Store *s)
{
    const StoreItem *item = store_find(s, "block.1.mlp.up.weight"), *bias;
    (void)self;
    (void)step;
    bias = store_find(s, "block.1.mlp.up.bias");
    ptrdiff_t dead = item->dim[0] / 3;
    memset(item->at, 0, (size_t)(dead * item->dim[1]) * sizeof(float));
    for (ptrdiff_t i = 0; bias && i < dead; i++) bias->at[i] = -1;
}

TEST(faults_planted_in_real_runs_are_named_and_only_they)
{
    float *copy = NULL;
    const struct {
        const char *finding;
        const char *more[6];
        StepHands hands;
    } plants[] = {
        { "repeated_batches", { "train.steps=200" }, { .index = read_twice } },
        { "twin_batches", { "train.steps=200", "train.accumulate=2" }, { .index = read_twins } },
        { "lost_updates", { "train.steps=200", "optim.lr=1e-4" }, { .weights = round_weights } },
        { "frozen_weight", { "train.steps=200" }, { .self = &copy, .weights = freeze } },
        { "dead_units", { "train.steps=200", "model.mlp=relu2" }, { .weights = kill_units } },
        { "epsilon", { "train.steps=200", "optim.eps=0.003" }, { 0 } },
        { NULL, { "train.steps=200", "model.mlp=relu2" }, { 0 } },
    };
    for (int i = 0; i < COUNT(plants); i++) {
        Chart c = { .vocab = 257 };
        TrainResult out;
        char name[32];
        snprintf(name, sizeof name, "plant-%d", i);
        train(name, plants[i].more, &plants[i].hands, &c, &out);
        if (plants[i].finding)
            EXPECT_MSG(asked(&c, plants[i].finding) == FIND_FOUND, "%s", plants[i].finding);
        for (int k = 0; k < COUNT(plants) - 1; k++) {
            const char *other = plants[k].finding;
            bool same = plants[i].finding && strcmp(other, plants[i].finding) == 0;
            EXPECT_MSG(same || asked(&c, other) != FIND_FOUND, "%s where %s was planted", other,
                       plants[i].finding ? plants[i].finding : "nothing");
        }
        chart_free(&c);
    }
    free(copy);
}
