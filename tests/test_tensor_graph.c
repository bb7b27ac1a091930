/* Recording: names, views, and derivatives that hold against differences of the loss itself,
 * whatever is sliced, shared or read twice. */
#include "base/rand.h"
#include "tensor/ops.h"
#include "tensor/plan.h"
#include "tests/test.h"

typedef struct Lab { /* a graph at LEVEL_REF, run on one thread */
    Arena home;
    Dev dev;
    Graph *g;
    Tensor *target, *weight;
    Store *store;
    Plan *plan;
} Lab;

static Lab lab_open(void)
{
    Lab l = { .home = arena_reserve(1 << 26) };
    Err err = { 0 };
    EXPECT(dev_open(&l.dev, "cpu", 1, &err));
    return l;
}

static void lab_record(Lab *l)
{
    l->g = graph_new(&l->home);
}

static void lab_close(Lab *l)
{
    if (l->store) store_free(l->store);
    dev_close(&l->dev);
    arena_release(&l->home);
}

static Tensor *matrix(Lab *l, const char *name, ptrdiff_t rows, ptrdiff_t cols)
{
    return t_param(
        l->g, (ParamSpec){
                  .name = name, .rank = 2, .dim = { rows, cols }, .init = { INIT_NORMAL, 0.7 } });
}

/* A scalar of any (N, C) value that feels every element of it differently. */
static Tensor *loss_of(Lab *l, Tensor *x)
{
    ptrdiff_t c = tensor_last(x), n = tensor_count(x) / c;
    Tensor *w = matrix(l, "head", 5, c);
    l->target = t_input(l->g, "target", I32, 1, &n);
    l->weight = t_input(l->g, "weight", F32, 1, (ptrdiff_t[]){ 1 });
    x = t_view(l->g, x, 2, (ptrdiff_t[]){ n, c });
    return t_head_loss(l->g, x, w, l->target, l->weight, 0).loss;
}

static void lab_plan(Lab *l, Tensor *const *roots, int n_roots)
{
    Err err = { 0 };
    l->plan = plan_new(l->g, roots, n_roots, &l->dev,
                       (PlanOpt){ .level = LEVEL_REF, .apart = true }, &l->home, &err);
    EXPECT_MSG(l->plan, "%s", err.msg);
    l->store = store_new(&l->dev, LEVEL_REF, &l->home);
    EXPECT_MSG(plan_bind(l->plan, l->store, &err), "%s", err.msg);
    store_init(l->store, 1);
}

static void fill_target(Lab *l)
{
    int32_t *target = plan_at(l->plan, l->target);
    for (ptrdiff_t i = 0; i < tensor_count(l->target); i++) target[i] = (int32_t)(i * 7 % 5);
    *(double *)plan_at(l->plan, l->weight) = 0.5;
}

/* Compares the gradient of every param with central differences of the loss. */
static void check_gradients(Lab *l, Tensor *loss)
{
    graph_grad(l->g, loss);
    lab_plan(l, &loss, 1);
    fill_target(l);
    StepIn step = { .step = 1, .train = true };
    plan_run(l->plan, &step);
    const double h = 1e-6;
    double *value = plan_at(l->plan, loss);
    for (int i = 0; i < store_count(l->store); i++) {
        const StoreItem *w = store_item(l->store, i);
        if (w->life != LIFE_PARAM) continue;
        char name[64];
        snprintf(name, sizeof(name), "%s.grad", w->name);
        const StoreItem *d = store_find(l->store, name);
        EXPECT_MSG(d, "%s has no gradient", w->name);
        for (ptrdiff_t k = 0; d && k < w->count; k++) {
            plan_run(l->plan, &step);
            double slope = d->at64[k], old = w->at64[k];
            w->at64[k] = old + h;
            plan_run(l->plan, &step);
            double above = *value;
            w->at64[k] = old - h;
            plan_run(l->plan, &step);
            double measured = (above - *value) / (2 * h);
            w->at64[k] = old;
            EXPECT_MSG(fabs(slope - measured) < 1e-7, "d %s[%td] is %g, measured %g", w->name, k,
                       slope, measured);
        }
    }
}

static void check_recording(Tensor *(*record)(Lab *l))
{
    Lab l = lab_open();
    lab_record(&l);
    check_gradients(&l, loss_of(&l, record(&l)));
    lab_close(&l);
}

/* ---- what is differentiated ------------------------------------------------------------------ */

static Tensor *chain(Lab *l)
{
    return t_gelu(l->g, t_linear(l->g, matrix(l, "x", 4, 3), matrix(l, "w", 6, 3), NULL));
}

TEST(a_chain_is_differentiated)
{
    check_recording(chain);
}

static Tensor *twice(Lab *l)
{
    Tensor *x = matrix(l, "x", 4, 3);
    return t_add(l->g, t_mul(l->g, x, x), t_gelu(l->g, x));
}

TEST(a_value_read_twice_by_one_node_gets_both_gradients)
{
    check_recording(twice);
}

/* A kernel's parts may run in any order, so its results must not share elements. */
TEST(no_node_writes_two_gradients_into_one_value)
{
    Lab l = lab_open();
    lab_record(&l);
    graph_grad(l.g, loss_of(&l, twice(&l)));
    for (int i = 0; i < l.g->nodes; i++) {
        Tensor *const *d = l.g->node[i]->d_in;
        for (int k = 1; k < OP_MAX; k++)
            for (int j = 0; j < k; j++) EXPECT(!d[k] || d[k] != d[j]);
    }
    lab_close(&l);
}

static Tensor *thirds(Lab *l)
{
    Tensor *y = t_linear(l->g, matrix(l, "x", 4, 3), matrix(l, "w", 9, 3), NULL);
    Tensor *q = t_slice(l->g, y, 1, 0, 3), *k = t_slice(l->g, y, 1, 3, 6);
    return t_add(l->g, t_mul(l->g, q, k), t_gelu(l->g, t_slice(l->g, y, 1, 6, 9)));
}

TEST(slices_that_tile_a_value_write_its_gradient_piece_by_piece)
{
    check_recording(thirds);
}

static Tensor *overlapping(Lab *l)
{
    Tensor *y = t_linear(l->g, matrix(l, "x", 4, 3), matrix(l, "w", 9, 3), NULL);
    Tensor *a = t_slice(l->g, y, 1, 0, 5), *b = t_slice(l->g, y, 1, 2, 7);
    return t_mul(l->g, t_gelu(l->g, a), b);
}

TEST(slices_that_overlap_and_leave_gaps_are_summed_over_zero)
{
    check_recording(overlapping);
}

static Tensor *overlapping_in_one_node(Lab *l)
{
    Tensor *y = t_gelu(l->g, matrix(l, "x", 4, 7));
    return t_mul(l->g, t_slice(l->g, y, 1, 0, 5), t_slice(l->g, y, 1, 2, 7));
}

TEST(overlapping_slices_in_one_node_do_not_disturb_each_other)
{
    check_recording(overlapping_in_one_node);
}

static Tensor *rows_of_a_param(Lab *l)
{
    Tensor *w = matrix(l, "w", 6, 3), *x = matrix(l, "x", 4, 3);
    Tensor *top = t_slice(l->g, w, 0, 0, 2), *bottom = t_slice(l->g, w, 0, 2, 6);
    Tensor *y = t_linear(l->g, x, bottom, NULL); // (4, 4)
    return t_add(l->g, y, t_linear(l->g, t_linear(l->g, x, top, NULL), matrix(l, "u", 4, 2), NULL));
}

TEST(pieces_of_a_param_have_gradients_in_their_places)
{
    check_recording(rows_of_a_param);
}

static Tensor *one_piece_only(Lab *l)
{
    Tensor *y = t_linear(l->g, matrix(l, "x", 4, 3), matrix(l, "w", 9, 3), NULL);
    return t_gelu(l->g, t_slice(l->g, y, 1, 3, 6));
}

TEST(what_nobody_reads_of_a_value_has_gradient_zero)
{
    check_recording(one_piece_only);
}

static Tensor *whole_and_part(Lab *l)
{
    Tensor *y = t_gelu(l->g, matrix(l, "x", 4, 6));
    Tensor *part = t_slice(l->g, y, 1, 0, 3);
    Tensor *z = t_linear(l->g, part, matrix(l, "u", 6, 3), NULL);
    return t_add(l->g, y, z);
}

TEST(a_value_read_whole_and_in_part_gets_both_gradients)
{
    check_recording(whole_and_part);
}

static Tensor *reshaped(Lab *l)
{
    Tensor *y = t_linear(l->g, matrix(l, "x", 6, 3), matrix(l, "w", 8, 3), NULL);
    Tensor *heads = t_view(l->g, y, 4, (ptrdiff_t[]){ 2, 3, 4, 2 });
    Tensor *a = t_slice(l->g, heads, 2, 0, 3), *b = t_slice(l->g, heads, 2, 3, 4);
    Tensor *c = t_softmax(l->g, t_view(l->g, a, 2, (ptrdiff_t[]){ 6, 6 }));
    Tensor *d =
        t_linear(l->g, t_view(l->g, b, 2, (ptrdiff_t[]){ 6, 2 }), matrix(l, "u", 6, 2), NULL);
    return t_mul(l->g, c, d);
}

TEST(views_of_slices_are_differentiated)
{
    check_recording(reshaped);
}

static Tensor *folded(Lab *l)
{
    Tensor *y = t_gelu(l->g, matrix(l, "x", 4, 6));
    Tensor *s = t_slice(l->g, y, 1, 1, 5);                          // (4, 4) with gaps
    return t_gelu(l->g, t_view(l->g, s, 2, (ptrdiff_t[]){ 2, 8 })); /* no strides show that */
}

TEST(a_view_that_strides_cannot_show_is_copied)
{
    check_recording(folded);
}

static Tensor *tied(Lab *l)
{
    Tensor *w = matrix(l, "head", 5, 3); /* the head's own weight, see loss_of */
    return t_gelu(l->g, t_linear(l->g, matrix(l, "x", 5, 5),
                                 t_view(l->g, w, 2, (ptrdiff_t[]){ 3, 5 }), NULL));
}

TEST(a_param_that_the_loss_reads_too_gets_both_gradients)
{
    check_recording(tied);
}

/* ---- composites that have no kernel ---------------------------------------------------------- */

static bool glu_shape(OpShape *s, Err *err)
{
    (void)err;
    for (int i = 0; i < 2; i++) {
        s->out[i]->rank = 2;
        s->out[i]->dim[0] = s->in[0]->dim[0];
        s->out[i]->dim[1] = s->in[1]->dim[0] / 2;
    }
    return true;
}

/* y = gelu(a) b and z = b, (a, b) = x w^T: views inside, two outputs, inputs that are views. */
static void glu_define(Graph *g, const Node *n, Tensor *out[])
{
    Tensor *y = t_linear(g, n->in[0], n->in[1], NULL);
    ptrdiff_t half = tensor_last(y) / 2;
    Tensor *a = t_slice(g, y, 1, 0, half), *b = t_slice(g, y, 1, half, 2 * half);
    out[0] = t_mul(g, t_gelu(g, a), b);
    out[1] = t_view(g, t_scale(g, t_view(g, b, 2, (ptrdiff_t[]){ b->dim[0], half }), 1), 2,
                    (ptrdiff_t[]){ b->dim[0], half });
}

static const OpDef glu = { .name = "glu",
                           .kind = OP_COMPOSITE,
                           .n_in = 2,
                           .n_out = 2,
                           .strided = 1,
                           .shape = glu_shape,
                           .define = glu_define };

static Tensor *composite(Lab *l)
{
    Tensor *x = t_slice(l->g, t_gelu(l->g, matrix(l, "x", 4, 7)), 1, 2, 5);
    Node *n = op_record_def(l->g, &glu, (Tensor *const[]){ x, matrix(l, "w", 6, 3) }, (OpOpt){ 0 });
    Tensor *again = t_linear(l->g, n->out[1], matrix(l, "u", 3, 3), NULL);
    Node *m =
        op_record_def(l->g, &glu, (Tensor *const[]){ again, matrix(l, "w", 6, 3) }, (OpOpt){ 0 });
    return t_add(l->g, t_view(l->g, n->out[0], 2, (ptrdiff_t[]){ 4, 3 }), m->out[0]);
}

TEST(a_composite_without_kernel_is_expanded_forward_and_backward)
{
    check_recording(composite);
}

static void nested_define(Graph *g, const Node *n, Tensor *out[])
{
    Node *inner = op_record_def(g, &glu, n->in, (OpOpt){ 0 });
    out[0] = t_add(g, inner->out[0], inner->out[1]);
    out[1] = inner->out[1];
}

static const OpDef nested = { .name = "nested",
                              .kind = OP_COMPOSITE,
                              .n_in = 2,
                              .n_out = 2,
                              .shape = glu_shape,
                              .define = nested_define };

static Tensor *composite_of_composites(Lab *l)
{
    Node *n = op_record_def(l->g, &nested,
                            (Tensor *const[]){ matrix(l, "x", 4, 3), matrix(l, "w", 6, 3) },
                            (OpOpt){ 0 });
    return t_mul(l->g, n->out[0], n->out[1]);
}

TEST(composites_nest)
{
    check_recording(composite_of_composites);
}

/* ---- seeds other than a loss ----------------------------------------------------------------- */

TEST(gradients_flow_from_any_value_with_a_given_one)
{
    Lab l = lab_open();
    lab_record(&l);
    Tensor *x = matrix(&l, "x", 2, 3), *y = t_scale(l.g, x, 3), *z = t_scale(l.g, y, 2);
    ptrdiff_t dim[2] = { 2, 3 };
    Tensor *d_y = t_input(l.g, "d_y", F32, 2, dim), *d_z = t_input(l.g, "d_z", F32, 2, dim);
    graph_grad_from(l.g, (Tensor *[]){ y, z }, (Tensor *[]){ d_y, d_z }, 2);
    lab_plan(&l, &x->grad, 1);
    for (int i = 0; i < 6; i++) ((double *)plan_at(l.plan, d_z))[i] = i;
    for (int i = 0; i < 6; i++) ((double *)plan_at(l.plan, d_y))[i] = 0.5;
    plan_run(l.plan, &(StepIn){ .step = 1 });
    for (int i = 0; i < 6; i++) EXPECT(((double *)plan_at(l.plan, x->grad))[i] == 6.0 * i + 1.5);
    lab_close(&l);
}

/* ---- names ----------------------------------------------------------------------------------- */

TEST(scopes_name_what_is_recorded_in_them)
{
    Lab l = lab_open();
    lab_record(&l);
    graph_push(l.g, "block.%d", 3);
    graph_push(l.g, "attn");
    Tensor *w = matrix(&l, "q", 2, 2), *same = matrix(&l, "q", 2, 2);
    EXPECT(!strcmp(w->name, "block.3.attn.q"));
    EXPECT(w == same);
    Tensor *y = t_tap(l.g, t_gelu(l.g, w), "resid");
    graph_pop(l.g);
    EXPECT(!strcmp(l.g->scope, "block.3"));
    graph_pop(l.g);
    EXPECT(!strcmp(l.g->scope, ""));
    Tensor *tap = graph_find(l.g, "block.3.attn.resid");
    EXPECT(tap && tap->base == y && tap->tapped);
    EXPECT(graph_find(l.g, "block.3.attn.q") == w);
    EXPECT(!graph_find(l.g, "block.3"));
    lab_close(&l);
}

TEST(views_know_their_elements)
{
    Lab l = lab_open();
    lab_record(&l);
    Tensor *x = t_param(l.g, (ParamSpec){ .name = "x", .rank = 3, .dim = { 2, 3, 8 } });
    Tensor *s = t_slice(l.g, x, 2, 2, 6);
    EXPECT(!tensor_contiguous(s) && s->offset == 2 && s->base == x);
    Tensor *v = t_view(l.g, s, 4, (ptrdiff_t[]){ 2, 3, 2, 2 });
    EXPECT(v->base == x && v->offset == 2 && v->stride[0] == 24 && v->stride[1] == 8 &&
           v->stride[2] == 2 && v->stride[3] == 1);
    EXPECT(tensor_rows(v) == 12 && tensor_row_at(v, 3) == 10 && tensor_row_at(v, 7) == 26);
    Tensor *flat = t_view(l.g, x, 2, (ptrdiff_t[]){ 6, 8 });
    EXPECT(tensor_contiguous(flat) && flat->stride[0] == 8);
    Tensor *ones = t_view(l.g, s, 4, (ptrdiff_t[]){ 1, 6, 4, 1 });
    EXPECT(ones->base == x && ones->stride[1] == 8 && ones->stride[2] == 1);
    Tensor *row = t_slice(l.g, x, 1, 1, 2);
    EXPECT(!tensor_contiguous(row) && tensor_contiguous(t_slice(l.g, x, 0, 1, 2)));
    lab_close(&l);
}
