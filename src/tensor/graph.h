/* graph.h - a model as a recorded list of operations on values.
 *
 * A Tensor is a value: shape, name, how it was made.  It has no address; a plan
 * (plan.h) gives it one, so one graph can have many plans.  Calls such as
 * t_linear(g, x, w, NULL) record; nothing is computed here.
 *
 * Values are immutable.  What changes from step to step (weights, moments,
 * caches) is a STATE or PARAM tensor written in its place by a STATE op; who
 * must see the new value takes that op's output. */
#ifndef TENSOR_GRAPH_H
#define TENSOR_GRAPH_H

#include "base/arena.h"
#include "base/base.h"
#include "dev/dev.h"

C_BEGIN

enum { RANK_MAX = 4, OP_MAX = 7 };

typedef enum DType { F32, I32 } DType;

typedef enum Life {
    LIFE_STEP,  /* lives from the node that makes it to the last that reads it */
    LIFE_PARAM, /* a weight, by name in the Store */
    LIFE_GRAD,  /* gradient of a weight: written by the first micro-step, added to by later ones */
    LIFE_STATE, /* optimizer state, cache: by name in the Store, zero at first */
    LIFE_INPUT, /* filled by the host before plan_run */
} Life;

typedef enum Role { ROLE_MATRIX, ROLE_EMBEDDING, ROLE_HEAD, ROLE_VECTOR, ROLE_SCALAR } Role;

typedef enum InitKind { INIT_ZERO, INIT_CONST, INIT_NORMAL, INIT_UNIFORM } InitKind;
typedef struct Init {
    InitKind kind;
    double a; /* the constant; the standard deviation; the uniform half-width */
} Init;

typedef struct ParamSpec {
    const char *name; /* NULL: the scopes open give all of it */
    int rank;
    ptrdiff_t dim[RANK_MAX];
    Role role;
    double fan_in, fan_out;
    int pieces; /* matrices stacked along dim 0 (q, k, v of one product): Muon treats each alone; 0
                   is 1 */
    Init init;
} ParamSpec;

struct Node;

typedef struct Tensor {
    const char *name; /* "block.3.attn.q", from the scopes open when it was recorded */
    int id;           /* place in Graph.tensor */
    int rank;
    ptrdiff_t dim[RANK_MAX];    /* dim[0] outermost */
    ptrdiff_t stride[RANK_MAX]; /* in elements */
    ptrdiff_t offset;           /* of a view, in elements from base */
    struct Tensor *base;        /* a view, where set; never itself a view */
    DType dtype;
    Life life;
    struct Node *maker;    /* whose results these are; NULL for params, states, inputs */
    int which;             /* output `which` of maker; saved[i] is -1 - i */
    struct Tensor *grad;   /* filled by graph_grad */
    const ParamSpec *spec; /* of a param */
    bool tapped;           /* t_tap: the plan keeps it readable after a run */
} Tensor;

/* All options of all ops; zero is the default; an op rejects what it does not read. */
typedef struct OpOpt {
    float eps, scale, base, cap, p, x, y;
    int heads, kv_heads, window, rotary, dim, from, to, a, b;
} OpOpt;

typedef struct Node {
    const struct OpDef *op;
    int id; /* place in Graph.node */
    bool backward;
    const struct Node *forward; /* of a backward node: the node it differentiates */
    OpOpt opt;
    Precision precision; /* of its products; ops without any ignore it */
    Tensor *in[OP_MAX], *out[OP_MAX], *saved[OP_MAX];
    Tensor *d_out[OP_MAX], *d_in[OP_MAX]; /* of a backward node; NULL where nobody asks */
    bool add[OP_MAX]; /* d_in[i] is added to, because an earlier node wrote it */
} Node;

typedef struct Graph {
    Arena *home;
    Node **node;
    int nodes, node_cap;
    Tensor **tensor;
    int tensors, tensor_cap;
    Precision precision; /* of the nodes recorded from now on */
    char scope[256];
    int scope_end[16], scopes; /* where each open scope ends in `scope` */
} Graph;

Graph *graph_new(Arena *out);

/* Scopes name what is recorded inside: graph_push(g, "block.%d", i) ... graph_pop(g). */
void graph_push(Graph *g, const char *fmt, ...) PRINTF_LIKE(2, 3);
void graph_pop(Graph *g);

/* Leaves.  Names inside a graph are unique; asking for a param or state again by the same
 * full name returns the same tensor (tied weights). */
Tensor *t_param(Graph *g, ParamSpec spec);
Tensor *t_state(Graph *g, const char *name, int rank, const ptrdiff_t *dim);
Tensor *t_input(Graph *g, const char *name, DType dtype, int rank, const ptrdiff_t *dim);
/* The gradient of a param as a leaf, for a graph that only updates. */
Tensor *t_grad_leaf(Graph *g, Tensor *param);

/* Views: no bytes move, unless the strides of x cannot show the new dims: then a copy is recorded.
 */
Tensor *t_view(Graph *g, Tensor *x, int rank, const ptrdiff_t *dim);
Tensor *t_slice(Graph *g, Tensor *x, int dim, ptrdiff_t from, ptrdiff_t to); /* from <= i < to */

/* Names a value ("resid" in the scopes open) so that graph_find() has it and a plan can take it as
 * a root; costs nothing in plans that do not.  Returns x. */
Tensor *t_tap(Graph *g, Tensor *x, const char *name);

/* Records the backward pass of the scalar `loss`, an output of a LOSS op, node by node in reverse;
 * every param that loss depends on gets ->grad (LIFE_GRAD, named "NAME.grad").  Once per graph. */
void graph_grad(Graph *g, Tensor *loss);

/* The same from any values: d_out[i] (an input, say) is the gradient of out[i]. */
void graph_grad_from(Graph *g, Tensor *const out[], Tensor *const d_out[], int n);

static inline ptrdiff_t tensor_count(const Tensor *t)
{
    ptrdiff_t n = 1;
    for (int i = 0; i < t->rank; i++) n *= t->dim[i];
    return n;
}
static inline ptrdiff_t tensor_last(const Tensor *t)
{
    return t->rank ? t->dim[t->rank - 1] : 1;
}
bool tensor_contiguous(const Tensor *t);

/* Where row `row` of all leading dims taken together begins, in elements from the tensor's own
 * first element; tensor_last(t) adjacent elements follow. */
static inline ptrdiff_t tensor_rows(const Tensor *t)
{
    ptrdiff_t n = 1;
    for (int i = 0; i + 1 < t->rank; i++) n *= t->dim[i];
    return n;
}
static inline ptrdiff_t tensor_row_at(const Tensor *t, ptrdiff_t row)
{
    ptrdiff_t at = 0;
    for (int i = t->rank - 2; i >= 0; row /= t->dim[i--]) at += row % t->dim[i] * t->stride[i];
    return at;
}
Tensor *graph_find(const Graph *g, const char *name); /* NULL if there is none */

/* For op.c, grad.c and plans: bare entries, names made in the open scopes, dense strides. */
Tensor *graph_add_tensor(Graph *g, Life life);
void graph_add_node(Graph *g, Node *n);
const char *graph_name(Graph *g, const char *fmt, ...) PRINTF_LIKE(2, 3);
Tensor *graph_add_view(Graph *g, Tensor *x); /* of all of x; the caller narrows it */
void tensor_pack(Tensor *t);

C_END
#endif
