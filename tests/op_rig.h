/* op_rig.h - one operation on a bench of its own: inputs from a stream of its name, its kernel at
 * any level, called part by part as a device would, everything it should not read poisoned.
 *
 * Values are drawn as doubles that floats hold exactly, so that all levels see the same numbers.
 * A rig may lay its inputs as slices of something larger, run parts in a shuffled order, or hand
 * them to a device. */
#ifndef TESTS_OP_RIG_H
#define TESTS_OP_RIG_H

#include "base/rand.h"
#include "tensor/op.h"
#include "tests/test.h"

enum { RIG_IN, RIG_OUT, RIG_SAVED, RIG_D_OUT, RIG_D_IN, RIG_KINDS };

typedef struct RigOpt {
    bool strided; /* inputs that may be slices are */
    bool add;     /* d_in is there before and is added to */
    bool shuffle; /* parts in another order */
    Dev *dev;     /* parts by its workers */
} RigOpt;

typedef struct Rig {
    const OpDef *op;
    OpCase shape;
    CpuLevel level;
    RigOpt o;
    Arena home;
    Tensor tensor[3][OP_MAX]; /* in, out, saved; a gradient lies as its value does */
    char *block[RIG_KINDS][OP_MAX];
    ptrdiff_t bytes[RIG_KINDS][OP_MAX];
    Node node;
    Call call;
    StepIn step;
    float scalar[4];
} Rig;

static inline Tensor *rig_tensor(Rig *r, int kind, int i)
{
    int of = kind == RIG_D_OUT ? RIG_OUT : kind == RIG_D_IN ? RIG_IN : kind;
    return &r->tensor[of][i];
}

static inline ptrdiff_t rig_count(const Rig *r, int i)
{
    return r->node.in[i] ? tensor_count(&r->tensor[RIG_IN][i]) : 0;
}

static inline ptrdiff_t rig_element(const Rig *r, const Tensor *t)
{
    return t->dtype == I32 || r->level != LEVEL_REF ? 4 : 8;
}

/* Where element i, counted in row-major order, lies. */
static inline ptrdiff_t rig_place(const Tensor *t, ptrdiff_t i)
{
    ptrdiff_t last = tensor_last(t);
    return t->offset + tensor_row_at(t, i / last) + i % last;
}

static inline double rig_get(Rig *r, int kind, int i, ptrdiff_t at)
{
    Tensor *t = rig_tensor(r, kind, i);
    char *p = r->block[kind][i] + rig_place(t, at) * rig_element(r, t);
    if (t->dtype == I32) return *(int32_t *)p;
    return r->level == LEVEL_REF ? *(double *)p : (double)*(float *)p;
}

static inline void rig_set(Rig *r, int kind, int i, ptrdiff_t at, double value)
{
    Tensor *t = rig_tensor(r, kind, i);
    char *p = r->block[kind][i] + rig_place(t, at) * rig_element(r, t);
    if (t->dtype == I32)
        *(int32_t *)p = (int32_t)value;
    else if (r->level == LEVEL_REF)
        *(double *)p = value;
    else
        *(float *)p = (float)value;
}

static inline void rig_stride(Tensor *t, bool slice)
{
    ptrdiff_t step = 1;
    for (int i = t->rank - 1; i >= 0; i--) {
        t->stride[i] = step;
        step *= t->dim[i] + (slice && i == t->rank - 1 ? 5 : 0);
    }
    t->offset = slice ? 2 : 0;
}

/* From malloc, so that a sanitizer sees a kernel that leaves its place. */
static inline void *rig_memory(ptrdiff_t bytes)
{
    void *at = NULL;
    if (posix_memalign(&at, 64, (size_t)MAX(bytes, 1))) abort();
    return at;
}

static inline void rig_alloc(Rig *r, int kind, int i)
{
    Tensor *t = rig_tensor(r, kind, i);
    ptrdiff_t last = t->offset + 1;
    for (int k = 0; k < t->rank; k++) last += (t->dim[k] - 1) * t->stride[k];
    r->bytes[kind][i] = last * rig_element(r, t);
    r->block[kind][i] = rig_memory(r->bytes[kind][i]);
    memset(r->block[kind][i], 0xff, (size_t)r->bytes[kind][i]);
}

static inline void *rig_address(Rig *r, int kind, int i)
{
    Tensor *t = rig_tensor(r, kind, i);
    return r->block[kind][i] ? r->block[kind][i] + t->offset * rig_element(r, t) : NULL;
}

static inline double rig_draw(Rand *draws, bool positive)
{
    double x = (double)(float)rand_normal(draws);
    return positive ? fabs(x) : x;
}

/* The values of an input; those of updates are positive, as second moments and norms are. */
static inline void rig_fill(Rig *r, int kind, int i)
{
    char name[64];
    snprintf(name, sizeof(name), "%s.%d.%d", r->op->name, kind, i);
    Rand draws = rand_stream(7, name);
    Tensor *t = rig_tensor(r, kind, i);
    for (ptrdiff_t k = 0; k < tensor_count(t); k++)
        rig_set(r, kind, i, k,
                t->dtype == I32 ? (double)rand_below(&draws, (uint64_t)r->shape.below[i])
                                : rig_draw(&draws, r->op->no_grad));
}

static inline bool rig_wants(const Rig *r, int i)
{
    return r->node.in[i] && !(r->op->integer >> i & 1) && !r->op->no_grad;
}

static inline void rig_inputs(Rig *r)
{
    for (int i = 0; i < r->op->n_in; i++) {
        Tensor *t = &r->tensor[RIG_IN][i];
        t->rank = r->shape.rank[i];
        if (!t->rank) continue;
        memcpy(t->dim, r->shape.dim[i], sizeof(t->dim));
        t->dtype = r->op->integer >> i & 1 ? I32 : F32;
        /* A broadcast operand must be whole; an op says which inputs may be slices. */
        bool whole = i > 0 && r->op->kind == OP_MAP &&
                     tensor_count(t) != tensor_count(&r->tensor[RIG_IN][0]);
        rig_stride(t, r->o.strided && r->op->strided >> i & 1 && !whole);
        r->node.in[i] = t;
        rig_alloc(r, RIG_IN, i);
        rig_fill(r, RIG_IN, i);
    }
}

static inline void rig_outputs(Rig *r)
{
    OpShape s = { .in = r->node.in, .opt = &r->node.opt };
    for (int i = 0; i < r->op->n_out; i++) s.out[i] = r->node.out[i] = &r->tensor[RIG_OUT][i];
    for (int i = 0; i < r->op->n_saved; i++)
        s.saved[i] = r->node.saved[i] = &r->tensor[RIG_SAVED][i];
    Err err = { 0 };
    bool fits = r->op->shape(&s, &err);
    if (!fits) fprintf(stderr, "%s: %s\n", r->op->name, err.msg);
    EXPECT_MSG(fits, "%s: %s", r->op->name, err.msg);
    for (int i = 0; i < r->op->n_out; i++) rig_stride(s.out[i], false);
    for (int i = 0; i < r->op->n_saved; i++) rig_stride(s.saved[i], false);
}

static inline Rig *rig_new(const OpDef *op, const OpCase *shape, CpuLevel level, RigOpt o)
{
    Arena home = arena_reserve((ptrdiff_t)1 << 28);
    Rig *r = NEW(&home, Rig, 1);
    *r = (Rig){ .op = op, .shape = *shape, .level = level, .o = o, .home = home };
    r->scalar[0] = 0.01f, r->scalar[1] = 0.1f;
    r->step = (StepIn){ .step = 3, .seed = 1, .train = true, .scalar = r->scalar };
    r->node.op = op;
    r->node.opt = shape->opt;
    rig_inputs(r);
    rig_outputs(r);
    for (int i = 0; i < op->n_out; i++) {
        rig_alloc(r, RIG_OUT, i);
        rig_alloc(r, RIG_D_OUT, i);
        rig_fill(r, RIG_D_OUT, i);
    }
    if (op->inplace) {
        free(r->block[RIG_OUT][0]);
        r->block[RIG_OUT][0] = r->block[RIG_IN][0];
    }
    for (int i = 0; i < op->n_saved; i++) rig_alloc(r, RIG_SAVED, i);
    for (int i = 0; i < op->n_in; i++)
        if (rig_wants(r, i)) rig_alloc(r, RIG_D_IN, i);
    r->call = (Call){ .node = &r->node, .step = &r->step, .level = level };
    return r;
}

static inline void rig_free(Rig *r)
{
    if (r->op->inplace) r->block[RIG_OUT][0] = NULL;
    for (int kind = 0; kind < RIG_KINDS; kind++)
        for (int i = 0; i < OP_MAX; i++) free(r->block[kind][i]);
    Arena home = r->home;
    arena_release(&home);
}

typedef struct RigRun {
    const Kernel *kernel;
    Call *call;
    bool backward;
    char *own;
    ptrdiff_t own_bytes;
} RigRun;

static inline void rig_part(const void *ctx, Work w)
{
    const RigRun *run = ctx;
    if (run->own) {
        memset(run->own, 0xff, (size_t)run->own_bytes);
        w.own = run->own;
    }
    (run->backward ? run->kernel->backward : run->kernel->forward)(run->call, w);
}

/* All phases on this thread; shuffled: the parts of a phase in another order. */
static inline void rig_phases(Rig *r, const RigRun *run, const int *parts, int phases)
{
    for (int phase = 0; phase < phases; phase++)
        for (int i = 0; i < parts[phase]; i++) {
            int part = r->o.shuffle ? (int)rand_permute((uint64_t)i, (uint64_t)parts[phase], 5) : i;
            rig_part(run, (Work){ .phase = phase, .part = part });
        }
}

static inline void rig_call(Rig *r, bool backward)
{
    const Kernel *k = op_kernel(r->op, r->level);
    Arena mark = r->home;
    ptrdiff_t shared = 0, own = 0;
    if (k->scratch) k->scratch(&r->node, backward, &shared, &own);
    RigRun run = { .kernel = k, .call = &r->call, .backward = backward, .own_bytes = own };
    r->call.shared = rig_memory(shared);
    memset(r->call.shared, 0xff, (size_t)shared);
    int phases = MAX(1, backward ? k->back_phases : k->phases);
    int *parts = NEW(&r->home, int, phases);
    for (int i = 0; i < phases; i++) parts[i] = k->parts ? k->parts(&r->node, i, backward) : 1;
    if (r->o.dev) {
        bool room = r->o.dev->def->reserve(r->o.dev, own);
        EXPECT_MSG(room, "no scratch");
        Job job = { .run = rig_part, .call = &run, .parts = parts, .phases = phases, .own = own };
        r->o.dev->def->run(r->o.dev, &job, 1);
    } else {
        run.own = rig_memory(own);
        rig_phases(r, &run, parts, phases);
    }
    free(run.own);
    free(r->call.shared);
    arena_rewind(&r->home, mark);
}

/* What d_in holds before a call: something, or poison. */
static inline void rig_before(Rig *r)
{
    for (int i = 0; i < r->op->n_in; i++) {
        if (!r->block[RIG_D_IN][i]) continue;
        memset(r->block[RIG_D_IN][i], 0xff, (size_t)r->bytes[RIG_D_IN][i]);
        if (r->o.add) rig_fill(r, RIG_D_IN, i);
        r->call.add[i] = r->o.add;
    }
}

static inline void rig_forward(Rig *r)
{
    bool loss = r->op->kind == OP_LOSS;
    for (int i = 0; i < r->op->n_out; i++) {
        if (!(r->op->inplace && i == 0))
            memset(r->block[RIG_OUT][i], 0xff, (size_t)r->bytes[RIG_OUT][i]);
        r->call.out[i] = rig_address(r, RIG_OUT, i);
        r->call.d_out[i] = NULL;
    }
    for (int i = 0; i < r->op->n_saved; i++) r->call.saved[i] = rig_address(r, RIG_SAVED, i);
    if (loss) rig_before(r);
    for (int i = 0; i < r->op->n_in; i++) {
        r->call.in[i] = rig_address(r, RIG_IN, i);
        r->call.d_in[i] = loss ? rig_address(r, RIG_D_IN, i) : NULL;
    }
    rig_call(r, false);
}

/* After rig_forward; only what the op says it needs is handed to it. */
static inline void rig_backward(Rig *r)
{
    if (r->op->no_grad || r->op->kind == OP_LOSS) return;
    rig_before(r);
    for (int i = 0; i < r->op->n_in; i++) {
        if (!(r->op->needs_in >> i & 1)) r->call.in[i] = NULL;
        r->call.d_in[i] = rig_address(r, RIG_D_IN, i);
    }
    for (int i = 0; i < r->op->n_out; i++) {
        if (!(r->op->needs_out >> i & 1)) r->call.out[i] = NULL;
        r->call.d_out[i] = rig_address(r, RIG_D_OUT, i);
    }
    rig_call(r, true);
}

/* Forward and backward. */
static inline void rig_run(Rig *r)
{
    rig_forward(r);
    rig_backward(r);
}

#endif
