/* graph.c - recording: leaves, views, names.
 *
 * A graph is two growing lists in an arena.  Nothing here knows an operation;
 * op.c records nodes, grad.c their derivatives.
 *
 * A view shares its base's storage and keeps the maker of what it shows, so
 * that "who must have run before I may be read" is one question for all
 * tensors.  A view of a view is a view of the base: a chain would have to be
 * walked everywhere, and offsets add. */
#include "tensor/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "tensor/op.h"

Graph *graph_new(Arena *out)
{
    Graph *g = NEW(out, Graph, 1);
    g->home = out;
    return g;
}

void graph_push(Graph *g, const char *fmt, ...)
{
    int at = (int)strlen(g->scope), room = (int)sizeof(g->scope) - at - 1;
    CHECK(g->scopes < COUNT(g->scope_end), "more than %d scopes open in %s", g->scopes, g->scope);
    g->scope_end[g->scopes++] = at;
    if (at) g->scope[at++] = '.';
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(g->scope + at, (size_t)room, fmt, args);
    va_end(args);
    CHECK(n > 0 && n < room, "the scope %s is too long", g->scope);
}

void graph_pop(Graph *g)
{
    CHECK(g->scopes > 0, "graph_pop without graph_push");
    g->scope[g->scope_end[--g->scopes]] = 0;
}

const char *graph_name(Graph *g, const char *fmt, ...)
{
    char tail[512];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(tail, sizeof(tail), fmt, args);
    va_end(args);
    CHECK(n >= 0 && n < (int)sizeof(tail), "a name in %s is too long", g->scope);
    if (!tail[0]) return arena_printf(g->home, "%s", g->scope);
    return arena_printf(g->home, "%s%s%s", g->scope, g->scope[0] ? "." : "", tail);
}

Tensor *graph_add_tensor(Graph *g, Life life)
{
    if (g->tensors == g->tensor_cap) {
        int cap = g->tensor_cap ? 2 * g->tensor_cap : 256;
        Tensor **list = NEW(g->home, Tensor *, cap);
        if (g->tensors) memcpy(list, g->tensor, (size_t)g->tensors * sizeof(*list));
        g->tensor = list;
        g->tensor_cap = cap;
    }
    Tensor *t = NEW(g->home, Tensor, 1);
    t->id = g->tensors;
    t->life = life;
    return g->tensor[g->tensors++] = t;
}

void graph_add_node(Graph *g, Node *n)
{
    if (g->nodes == g->node_cap) {
        int cap = g->node_cap ? 2 * g->node_cap : 256;
        Node **list = NEW(g->home, Node *, cap);
        if (g->nodes) memcpy(list, g->node, (size_t)g->nodes * sizeof(*list));
        g->node = list;
        g->node_cap = cap;
    }
    n->id = g->nodes;
    g->node[g->nodes++] = n;
}

void tensor_pack(Tensor *t)
{
    ptrdiff_t step = 1;
    for (int i = t->rank - 1; i >= 0; step *= t->dim[i--]) t->stride[i] = step;
}

bool tensor_contiguous(const Tensor *t)
{
    ptrdiff_t step = 1;
    for (int i = t->rank - 1; i >= 0; step *= t->dim[i--])
        if (t->dim[i] != 1 && t->stride[i] != step) return false;
    return true;
}

Tensor *graph_find(const Graph *g, const char *name)
{
    for (int i = 0; i < g->tensors; i++)
        if (!strcmp(g->tensor[i]->name, name)) return g->tensor[i];
    return NULL;
}

/* ---- leaves ---------------------------------------------------------------------------------- */

static void set_dims(Tensor *t, int rank, const ptrdiff_t *dim)
{
    CHECK(rank >= 0 && rank <= RANK_MAX, "%s: rank %d", t->name, rank);
    t->rank = rank;
    for (int i = 0; i < rank; i++) {
        CHECK(dim[i] > 0, "%s: dimension %d is %td", t->name, i, dim[i]);
        t->dim[i] = dim[i];
    }
    tensor_pack(t);
}

static Tensor *leaf(Graph *g, const char *name, Life life, int rank, const ptrdiff_t *dim)
{
    Tensor *t = graph_find(g, name);
    if (t) {
        CHECK(t->life == life && t->rank == rank, "%s is recorded twice, differently", name);
        for (int i = 0; i < rank; i++)
            CHECK(t->dim[i] == dim[i], "%s: dimension %d is %td and %td", name, i, t->dim[i],
                  dim[i]);
        return t;
    }
    t = graph_add_tensor(g, life);
    t->name = name;
    set_dims(t, rank, dim);
    return t;
}

Tensor *t_param(Graph *g, ParamSpec spec)
{
    ParamSpec *kept = NEW(g->home, ParamSpec, 1);
    *kept = spec;
    kept->name = graph_name(g, "%s", spec.name ? spec.name : "");
    if (!kept->pieces) kept->pieces = 1;
    CHECK(kept->name[0], "a param without name outside of any scope");
    Tensor *t = leaf(g, kept->name, LIFE_PARAM, spec.rank, spec.dim);
    if (!t->spec) t->spec = kept;
    return t;
}

Tensor *t_state(Graph *g, const char *name, int rank, const ptrdiff_t *dim)
{
    return leaf(g, graph_name(g, "%s", name), LIFE_STATE, rank, dim);
}

Tensor *t_input(Graph *g, const char *name, DType dtype, int rank, const ptrdiff_t *dim)
{
    const char *full = graph_name(g, "%s", name);
    CHECK(!graph_find(g, full), "two inputs are called %s", full);
    Tensor *t = leaf(g, full, LIFE_INPUT, rank, dim);
    t->dtype = dtype;
    return t;
}

Tensor *t_grad_leaf(Graph *g, Tensor *param)
{
    CHECK(param->life == LIFE_PARAM && !param->base, "%s is not a param", param->name);
    if (!param->grad)
        param->grad = leaf(g, arena_printf(g->home, "%s.grad", param->name), LIFE_GRAD, param->rank,
                           param->dim);
    return param->grad;
}

/* ---- views ----------------------------------------------------------------------------------- */

Tensor *graph_add_view(Graph *g, Tensor *x)
{
    Tensor *v = graph_add_tensor(g, x->life);
    int id = v->id;
    *v = *x;
    v->id = id;
    v->base = x->base ? x->base : x;
    v->offset = x->base ? x->offset : 0;
    v->grad = NULL;
    v->spec = NULL;
    v->tapped = false;
    v->name = arena_printf(g->home, "%s.view.%d", x->name, id);
    return v;
}

/* Strides that show the elements of x, in order, with other dims: each run of old dims that lie
 * densely in each other must be cut into whole new ones, and rows must stay rows of neighbours. */
static bool restride(const Tensor *x, int rank, const ptrdiff_t *dim, ptrdiff_t *stride)
{
    int at = rank - 1;
    for (int i = x->rank - 1; i >= 0;) {
        ptrdiff_t run = x->dim[i], step = x->stride[i--];
        while (i >= 0 && (x->dim[i] == 1 || run == 1 || x->stride[i] == run * step)) {
            if (run == 1) step = x->stride[i];
            run *= x->dim[i--];
        }
        ptrdiff_t filled = 1;
        for (; at >= 0 && filled < run; filled *= dim[at--]) stride[at] = step * filled;
        if (filled != run) return false;
    }
    for (; at >= 0; at--) stride[at] = 1; /* only dims of 1 are left */
    if (rank && dim[rank - 1] == 1) stride[rank - 1] = 1;
    return !rank || stride[rank - 1] == 1;
}

Tensor *t_view(Graph *g, Tensor *x, int rank, const ptrdiff_t *dim)
{
    ptrdiff_t count = 1, stride[RANK_MAX] = { 0 };
    for (int i = 0; i < rank; i++) count *= dim[i];
    CHECK(count == tensor_count(x), "%s has %td elements, its view %td", x->name, tensor_count(x),
          count);
    if (!restride(x, rank, dim, stride))
        return t_view(g, op_record(g, "copy", (Tensor *const[]){ x }, (OpOpt){ 0 })->out[0], rank,
                      dim);
    Tensor *v = graph_add_view(g, x);
    set_dims(v, rank, dim);
    memcpy(v->stride, stride, sizeof(stride));
    return v;
}

Tensor *t_slice(Graph *g, Tensor *x, int dim, ptrdiff_t from, ptrdiff_t to)
{
    CHECK(dim >= 0 && dim < x->rank && from >= 0 && from < to && to <= x->dim[dim],
          "%s: no slice %td..%td of dimension %d", x->name, from, to, dim);
    Tensor *v = graph_add_view(g, x);
    v->dim[dim] = to - from;
    v->offset += from * x->stride[dim];
    return v;
}

Tensor *t_tap(Graph *g, Tensor *x, const char *name)
{
    const char *full = graph_name(g, "%s", name);
    CHECK(!graph_find(g, full), "two taps are called %s", full);
    Tensor *v = graph_add_view(g, x);
    v->name = full;
    v->tapped = true;
    return x;
}
