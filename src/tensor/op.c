/* op.c - the table of operations, and recording one.
 *
 * The table is made from op_list.h, which this file alone includes for it.  A
 * kernel exists once per processor level under a name of its own, so that the
 * level is an index and not a branch. */
#include "tensor/op.h"

#include <string.h>

#define KERNELS_OF(name)                                                                           \
    extern const Kernel op_kernel_##name##_ref, op_kernel_##name##_plain, op_kernel_##name##_avx2, \
        op_kernel_##name##_avx512;
#define OP(name)                                                                                   \
    extern const OpDef op_##name;                                                                  \
    KERNELS_OF(name)
#define OP_DEFINED(name) extern const OpDef op_##name;
#include "tensor/op_list.h"
#undef OP
#undef OP_DEFINED

#if HAVE_X86_LEVELS
#define X86_KERNEL(name) &name
#else
#define X86_KERNEL(name) NULL
#endif

static const struct {
    const OpDef *def;
    const Kernel *kernel[LEVEL_COUNT];
} table[] = {
#define OP(name)                                                                                   \
    { &op_##name,                                                                                  \
      { &op_kernel_##name##_ref, &op_kernel_##name##_plain, X86_KERNEL(op_kernel_##name##_avx2),   \
        X86_KERNEL(op_kernel_##name##_avx512) } },
#define OP_DEFINED(name) { &op_##name, { NULL, NULL, NULL, NULL } },
#include "tensor/op_list.h"
#undef OP
#undef OP_DEFINED
};

static const OpDef *const defs[] = {
#define OP(name) &op_##name,
#define OP_DEFINED(name) &op_##name,
#include "tensor/op_list.h"
#undef OP
#undef OP_DEFINED
};

const OpDef *op_find(const char *name)
{
    for (int i = 0; i < COUNT(defs); i++)
        if (!strcmp(defs[i]->name, name)) return defs[i];
    return NULL;
}

const OpDef *const *op_all(int *count)
{
    *count = COUNT(defs);
    return defs;
}

const Kernel *op_kernel(const OpDef *op, CpuLevel level)
{
    for (int i = 0; i < COUNT(table); i++)
        if (table[i].def == op) return table[i].kernel[level];
    return NULL;
}

static Tensor *checked_input(Graph *g, const OpDef *op, int i, Tensor *x)
{
    if (!x) {
        CHECK(op->optional >> i & 1, "%s: input %d is missing", op->name, i);
        return NULL;
    }
    bool integer = op->integer >> i & 1;
    CHECK((x->dtype == I32) == integer, "%s: input %d (%s) must be %s", op->name, i, x->name,
          integer ? "integers" : "numbers");
    if (op->strided >> i & 1 || tensor_contiguous(x)) return x;
    return op_record(g, "copy", (Tensor *const[]){ x }, (OpOpt){ 0 })->out[0];
}

static Tensor *fresh(Graph *g, Node *n, int which)
{
    Tensor *t = graph_add_tensor(g, LIFE_STEP);
    t->maker = n;
    t->which = which;
    return t;
}

static void settle(Graph *g, Tensor *t, const Node *n, const char *kind)
{
    CHECK(t->rank <= RANK_MAX, "%s: rank %d", n->op->name, t->rank);
    tensor_pack(t);
    t->name = graph_name(g, "%s%s.%d", n->op->name, kind, n->id);
}

static void make_outputs(Graph *g, Node *n)
{
    const OpDef *op = n->op;
    OpShape s = { .in = n->in, .opt = &n->opt };
    for (int i = 0; i < op->n_out; i++) s.out[i] = n->out[i] = fresh(g, n, i);
    for (int i = 0; i < op->n_saved; i++) s.saved[i] = n->saved[i] = fresh(g, n, -1 - i);
    Err err = { 0 };
    CHECK(op->shape(&s, &err), "%s in %s: %s", op->name, g->scope, err.msg);
    for (int i = 0; i < op->n_out; i++) settle(g, n->out[i], n, "");
    for (int i = 0; i < op->n_saved; i++) settle(g, n->saved[i], n, ".saved");
    if (!op->inplace) return;
    Tensor *w = n->in[0], *out = n->out[0];
    CHECK(tensor_count(w) == tensor_count(out), "%s: writes %s in its place", op->name, w->name);
    out->base = w->base ? w->base : w;
    out->offset = w->offset;
    memcpy(out->stride, w->stride, sizeof(w->stride));
    out->life = w->life;
}

Node *op_record(Graph *g, const char *name, Tensor *const in[], OpOpt opt)
{
    const OpDef *op = op_find(name);
    CHECK(op, "no operation is called %s", name);
    return op_record_def(g, op, in, opt);
}

Node *op_record_def(Graph *g, const OpDef *op, Tensor *const in[], OpOpt opt)
{
    Node *n = NEW(g->home, Node, 1);
    n->op = op;
    n->opt = opt;
    n->precision = g->precision;
    for (int i = 0; i < op->n_in; i++) n->in[i] = checked_input(g, op, i, in[i]);
    graph_add_node(g, n);
    make_outputs(g, n);
    return n;
}
