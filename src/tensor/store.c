/* store.c - weights, gradients and states by name, and the memory plans share.
 *
 * Each bind adds one block per kind for the names it brings, in order of first
 * use, so that addresses never move and params that are used together lie
 * together.  The step block is made when the first plan runs, as large as the
 * largest plan bound by then; pages count as memory only when they are touched. */
#include <string.h>

#include "base/rand.h"
#include "base/str.h"
#include "tensor/plan_inside.h"

Store *store_new(Dev *d, CpuLevel level, Arena *out)
{
    Store *s = NEW(out, Store, 1);
    *s = (Store){ .dev = d, .level = level, .home = out, .room = d->def->room(d) };
    return s;
}

void store_free(Store *s)
{
    for (StoreBlock *b = s->blocks; b; b = b->next)
        s->dev->def->block_free(s->dev, b->at, b->bytes);
    if (s->step) s->dev->def->block_free(s->dev, s->step, s->step_have);
    s->blocks = NULL;
    s->step = NULL;
}

ptrdiff_t store_bytes(const Store *s)
{
    ptrdiff_t scratch = 0;
    for (const Plan *p = s->plans; p; p = p->next) scratch = MAX(scratch, p->cost.scratch);
    return s->bytes + s->step_bytes + scratch;
}

int store_count(const Store *s)
{
    return s->items;
}

const StoreItem *store_item(const Store *s, int i)
{
    CHECK(i >= 0 && i < s->items, "no item %d in a store of %d", i, s->items);
    return s->item[i];
}

const StoreItem *store_find(const Store *s, const char *name)
{
    for (int i = 0; i < s->items; i++)
        if (!strcmp(s->item[i]->name, name)) return s->item[i];
    return NULL;
}

/* Pages are touched when a plan runs; by then it is too late to refuse. */
static bool fits(const Store *s, Err *err)
{
    char need[32], have[32];
    if (store_bytes(s) <= s->room) return true;
    return err_set(
        err, ERR_DEVICE,
        "%s of memory are needed and the machine has %s: use a smaller model, context or "
        "batch",
        str_bytes(need, (double)store_bytes(s)), str_bytes(have, (double)s->room));
}

bool store_block(Store *s, ptrdiff_t bytes, void **at, Err *err)
{
    *at = NULL;
    if (bytes == 0) return true;
    *at = s->dev->def->block(s->dev, bytes);
    if (!*at)
        return err_set(err, ERR_DEVICE,
                       "the device has no %.1f MB left: use a smaller model or batch",
                       (double)bytes / 1e6);
    StoreBlock *b = NEW(s->home, StoreBlock, 1);
    *b = (StoreBlock){ .at = *at, .bytes = bytes, .next = s->blocks };
    s->blocks = b;
    s->bytes += bytes;
    return true;
}

/* ---- adopting the names of a plan ------------------------------------------------------------ */

static bool same_shape(const StoreItem *item, const Tensor *t, Err *err)
{
    bool same = item->rank == t->rank && item->life == t->life;
    for (int i = 0; same && i < t->rank; i++) same = item->dim[i] == t->dim[i];
    if (same) return true;
    return err_set(err, ERR_CONFIG,
                   "%s has %td elements here and %td in the weights: the model is another one",
                   t->name, tensor_count(t), item->count);
}

static StoreItem *add_item(Store *s, const Tensor *t)
{
    if (s->items == s->item_cap) {
        int cap = s->item_cap ? 2 * s->item_cap : 64;
        StoreItem **list = NEW(s->home, StoreItem *, cap);
        if (s->items) memcpy(list, s->item, (size_t)s->items * sizeof(*list));
        s->item = list;
        s->item_cap = cap;
    }
    StoreItem *item = NEW(s->home, StoreItem, 1);
    *item = (StoreItem){
        .name = t->name, .life = t->life, .rank = t->rank, .count = tensor_count(t), .spec = t->spec
    };
    memcpy(item->dim, t->dim, sizeof(t->dim));
    return s->item[s->items++] = item;
}

static const ParamSpec *copy_spec(Store *s, const StoreItem *item, const ParamSpec *spec)
{
    ParamSpec *copy = NEW(s->home, ParamSpec, 1);
    *copy = *spec;
    copy->name = item->name;
    return copy;
}

typedef struct Adopt {
    Store *s;
    Err *err;
    bool ok;
} Adopt;

static void adopt(Plan *p, Tensor *t, bool write, void *ctx)
{
    (void)write;
    Adopt *a = ctx;
    ptrdiff_t offset = 0;
    Tensor *base = plan_storage(p, t, &offset);
    Spot *spot = &p->spot[base->id];
    if (!a->ok || spot->item || base->life == LIFE_STEP || base->life == LIFE_INPUT) return;
    spot->item = (StoreItem *)store_find(a->s, base->name);
    if (spot->item)
        a->ok = same_shape(spot->item, base, a->err);
    else
        spot->item = add_item(a->s, base);
    if (base->spec && !spot->item->spec) spot->item->spec = copy_spec(a->s, spot->item, base->spec);
}

static ptrdiff_t padded(const Store *s, const StoreItem *item)
{
    ptrdiff_t bytes = item->count * (s->level == LEVEL_REF ? 8 : 4);
    return (bytes + 63) / 64 * 64;
}

/* One block for the items of a kind from `first` on. */
static bool give_memory(Store *s, int first, Life life, Err *err)
{
    ptrdiff_t bytes = 0;
    for (int i = first; i < s->items; i++)
        if (s->item[i]->life == life) bytes += padded(s, s->item[i]);
    void *block = NULL;
    if (!store_block(s, bytes, &block, err)) return false;
    char *at = block;
    for (int i = first; i < s->items; i++) {
        StoreItem *item = s->item[i];
        if (item->life != life) continue;
        if (s->level == LEVEL_REF)
            item->at64 = (double *)(void *)at;
        else
            item->at = (float *)(void *)at;
        at += padded(s, item);
    }
    return true;
}

bool store_adopt(Store *s, Plan *p, Err *err)
{
    int first = s->items;
    Adopt a = { .s = s, .err = err, .ok = true };
    for (int i = 0; i < p->count && a.ok; i++) plan_touch(p, p->list[i], adopt, &a);
    if (!a.ok || !give_memory(s, first, LIFE_PARAM, err) ||
        !give_memory(s, first, LIFE_GRAD, err) || !give_memory(s, first, LIFE_STATE, err))
        return false;
    p->next = s->plans;
    s->plans = p;
    s->step_bytes = MAX(s->step_bytes, p->opt.apart ? 0 : p->cost.step);
    s->epoch++;
    return fits(s, err);
}

void *store_step(Store *s)
{
    if (s->step_have >= s->step_bytes) return s->step;
    if (s->step) s->dev->def->block_free(s->dev, s->step, s->step_have);
    s->step = s->dev->def->block(s->dev, s->step_bytes);
    CHECK(s->step, "memory exhausted: a plan needs %td bytes", s->step_bytes);
    s->step_have = s->step_bytes;
    return s->step;
}

/* ---- initial values -------------------------------------------------------------------------- */

enum { INIT_PART = 1 << 14, DRAWS = 256 };

typedef struct Start {
    const StoreItem *item;
    uint64_t seed, stream;
} Start;

/* Values from..from+n-1 of the item's stream, wherever and by whom they are made. */
static void initial(const Start *s, ptrdiff_t from, ptrdiff_t n, float *x)
{
    Init init = s->item->life == LIFE_PARAM ? s->item->spec->init : (Init){ 0 };
    float a = (float)init.a;
    if (init.kind == INIT_NORMAL) rand_normals(s->seed, s->stream, (uint64_t)from, n, x);
    for (ptrdiff_t i = 0; i < n; i++) switch (init.kind) {
        case INIT_ZERO: x[i] = 0; break;
        case INIT_CONST: x[i] = a; break;
        case INIT_NORMAL: x[i] *= a; break;
        case INIT_UNIFORM:
            x[i] = (float)(init.a *
                           (2 * rand_uniform_at(s->seed, s->stream, (uint64_t)(from + i)) - 1));
            break;
        }
}

static void init_part(const void *call, Work w)
{
    const Start *s = call;
    ptrdiff_t from = (ptrdiff_t)w.part * INIT_PART, to = MIN(from + INIT_PART, s->item->count);
    float x[DRAWS];
    for (ptrdiff_t at = from, n; at < to; at += n) {
        n = MIN(DRAWS, to - at);
        initial(s, at, n, s->item->at64 ? x : s->item->at + at);
        for (ptrdiff_t i = 0; i < n && s->item->at64; i++)
            s->item->at64[at + i] = (double)x[i]; /* what the other levels begin with */
    }
}

/* Memory is zero when it is made, and pages that nobody has written need not be. */
static bool zero_already(const Store *s, const StoreItem *item)
{
    return !s->written && (item->life != LIFE_PARAM || item->spec->init.kind == INIT_ZERO);
}

void store_init(Store *s, uint64_t seed)
{
    for (int i = 0; i < s->items; i++) {
        if (zero_already(s, s->item[i])) continue;
        Start start = { s->item[i], seed, rand_name(s->item[i]->name) };
        int parts = (int)((s->item[i]->count + INIT_PART - 1) / INIT_PART);
        Job job = { .run = init_part, .call = &start, .parts = &parts, .phases = 1 };
        s->dev->def->run(s->dev, &job, 1);
    }
    s->written = true;
}
