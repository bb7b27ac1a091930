/* op.h - what an operation must provide.
 *
 * Adding one is one file, op/NAME.c, and one line in op_list.h.  In return it
 * gets a constructor check, a gradient test against finite differences, a test
 * of every kernel against its double-precision one, a line in `lathe bench ops`
 * and in the reference.  This header does not include the list, so a new line
 * recompiles op.c and the recorders only.
 *
 * One file is compiled once per processor level (dev.h): as double for the
 * `ref` level, which is the definition (E5), and as float for the others.  It
 * writes its loops in `real`, see kernel.h. */
#ifndef TENSOR_OP_H
#define TENSOR_OP_H

#include "base/err.h"
#include "dev/dev.h"
#include "tensor/graph.h"

C_BEGIN

typedef enum OpKind {
    OP_MAP,       /* element by element, with broadcasting */
    OP_ROW,       /* a row (last dim) lies in one part */
    OP_MATMUL,    /* one contraction */
    OP_TIME,      /* mixes along T; says whether causal */
    OP_MOVE,      /* copies and gathers */
    OP_LOSS,      /* computes its input gradients in its forward call */
    OP_STATE,     /* writes a param or state in its place */
    OP_COMPOSITE, /* has `define`; a kernel is optional */
} OpKind;

typedef struct StepIn {
    int64_t step;        /* counts from 1 */
    uint64_t seed;       /* key of every draw made in the step */
    bool later;          /* a micro-step after the first: LIFE_GRAD is added to, not written */
    int micro;           /* which micro-step, from 0: draws differ (dropout) */
    bool train;          /* false in evaluation: LOSS ops compute no gradients */
    const float *scalar; /* rates, momenta, clip limits: OpOpt.a and .b index it (STATE ops) */
} StepIn;

/* The shape rule: reads in, opt; fills out (and saved) rank, dim, dtype. */
typedef struct OpShape {
    Tensor *const *in; /* NULL where an optional input is absent */
    const OpOpt *opt;
    Tensor *out[OP_MAX], *saved[OP_MAX]; /* fresh; to be filled */
} OpShape;

/* One node of a plan, addresses resolved; shared by all workers.  Forward: in, out, saved are set.
 * Backward: what `needs_in` and `needs_out` name, all of saved, d_out and d_in.  NULL is an
 * optional input that is absent, a d_out no gradient reaches (zero), a d_in nobody asks for.  A
 * LOSS op finds d_in in its forward call; there the gradient of the loss itself is 1.  A gradient
 * has the dims and strides of its value, so strides are read from node->in[i]. */
typedef struct Call {
    const Node *node; /* shapes and options; of a backward call: the forward node */
    void *in[OP_MAX], *out[OP_MAX], *saved[OP_MAX], *d_out[OP_MAX], *d_in[OP_MAX];
    void *shared;     /* scratch of the node, Kernel.scratch */
    bool add[OP_MAX]; /* d_in[i] is added to, or written (LIFE_GRAD: StepIn.later decides, resolved
                         here) */
    const StepIn *step;
    CpuLevel level;
} Call;

typedef struct Kernel {
    /* Parts of a phase, from shapes alone.  NULL: each phase is one part.  `n` here and in Call is
     * the forward node, in a backward call too. */
    int phases, back_phases; /* 0 is 1 */
    int (*parts)(const Node *n, int phase, bool backward);
    /* Bytes, of contents undefined: *shared by all parts of the call, *own by one worker in one
     * part.  NULL: none.  Both are 64-byte aligned. */
    void (*scratch)(const Node *n, bool backward, ptrdiff_t *shared, ptrdiff_t *own);
    /* The forward call has one phase, and part p makes some rows of the outputs from the same rows
     * of inputs of their shape: how many is decided by rows and width alone (level/rows.h). */
    bool by_rows;
    void (*forward)(const Call *c, Work w);
    void (*backward)(const Call *c, Work w);
} Kernel;

/* A case the tests run: shapes of the inputs, options, kinds of input. */
typedef struct OpCase {
    int rank[OP_MAX];
    ptrdiff_t dim[OP_MAX][RANK_MAX];
    OpOpt opt;
    int below[OP_MAX]; /* an I32 input: values in 0..below-1 */
} OpCase;

typedef struct OpDef {
    const char *name, *doc, *source; /* doc: one line with the formula */
    OpKind kind;
    int n_in, n_out, n_saved;     /* inputs that may be NULL: optional */
    uint32_t optional;            /* bit i: in[i] may be NULL */
    uint32_t integer;             /* bit i: in[i] is I32 and has no gradient */
    uint32_t strided;             /* bit i: in[i] and d_in[i] may be strided views, their last dim
                                     adjacent (tensor_row_at); for other inputs a copy is recorded */
    uint32_t passes;              /* bit i: d_in[i] is d_out[0], where in[i] has its shape */
    uint32_t needs_in, needs_out; /* bit i: backward reads in[i], out[i]; the rest dies */
    bool inplace;                 /* STATE: out[0] is in[0] */
    bool no_grad;                 /* has no derivative (STATE, reductions of statistics) */
    bool causal;                  /* TIME: later rows never reach earlier ones */
    bool (*shape)(OpShape *s, Err *err);
    /* The same in plainer ops: reads n->in and n->opt, records nodes whose results are out[]. */
    void (*define)(Graph *g, const Node *n, Tensor *out[]);
    int64_t (*flops)(const Node *n); /* forward, multiply-add as two; NULL: elements of out[0] */
    const OpCase *cases;
    int n_cases;
} OpDef;

const OpDef *op_find(const char *name); /* NULL if there is none */
const OpDef *const *op_all(int *count);
const Kernel *op_kernel(const OpDef *op, CpuLevel level); /* NULL: expand `define` */

/* Records one node and its outputs; a wrong shape is a bug and is reported as one. */
Node *op_record(Graph *g, const char *op, Tensor *const in[], OpOpt opt);
Node *op_record_def(Graph *g, const OpDef *op, Tensor *const in[], OpOpt opt);

C_END
#endif
