/* linear.h - small dense systems: a handful to a few hundred unknowns.  Row-major, in double. */
#ifndef SCIENCE_LINEAR_H
#define SCIENCE_LINEAR_H

#include "base/base.h"

/* A = L L^T in place, L in the lower triangle (the upper is left alone); false where A is not
 * positive definite. */
bool linear_cholesky(double *a, int n) MUST_CHECK;
void linear_forward(const double *l, int n, double *b);  /* b = L^-1 b */
void linear_backward(const double *l, int n, double *b); /* b = L^-T b */

/* b = A^-1 b for symmetric positive definite A, which is overwritten by its factor. */
bool linear_solve(double *a, double *b, int n) MUST_CHECK;

enum { LINEAR_TERMS = 8 };

/* Weighted least squares y = X beta; X is (n, k), k <= LINEAR_TERMS, w may be NULL.  cov (k, k)
 * may be NULL: the inverse of X^T W X, to be multiplied by the residual variance.  *rss is the
 * weighted residual sum of squares.  False where columns are not independent. */
bool linear_least(const double *x, const double *y, const double *w, int n, int k, double *beta,
                  double *cov, double *rss) MUST_CHECK;

/* Eigenvalues (ascending) and eigenvectors (columns of v) of symmetric a, by Jacobi's rotations;
 * a is destroyed. */
void linear_eigen(double *a, int n, double *value, double *v);

#endif
