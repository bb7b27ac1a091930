/* law_inside.h - what law.c and law_interval.c share; private to science. */
#ifndef SCIENCE_LAW_INSIDE_H
#define SCIENCE_LAW_INSIDE_H

#include "science/law.h"

/* Huber's loss on log of m_i = constant + sum_k theta_k column_k[i]. */
typedef struct LawInner {
    int n, terms;
    double constant;
    double tolerance;  /* relative; ends where a step gains less */
    double *column[3]; /* (n) each */
    double *log_loss, *r, *model, *r_next, *model_next;
} LawInner;
double law_inner(LawInner *in, double *log_theta); /* from log_theta; r and model are left behind */

typedef struct LawWork {
    const LawPoint *p;
    int n;
    double mid_N, mid_D;   /* means of the logs */
    double *log_N, *log_D; /* about them */
    double theta[3];       /* log of E, A, B in these units; begun from and left behind */
    LawInner in;
    double *memory;
} LawWork;
void law_work_open(LawWork *w, const LawPoint *p, int n);
void law_work_close(LawWork *w);
bool law_exponents_allowed(double a, double b);
double law_at_exponents(LawWork *w, double a, double b);
double law_search(LawWork *w, double x[2], double step, double tolerance); /* x: log a, log b */
Law law_from_work(const LawWork *w, double a, double b);
void law_theta_of(const Law *law, LawWork *w);

#endif
