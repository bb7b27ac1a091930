/* svg.h - plots as text: axes with round ticks, marks that say what they are.
 *
 * A plot is a rectangle of user units; colours and line widths are classes that the page's
 * style sheet knows (report_style.c), so that light and dark need one drawing.  Every mark that
 * carries a number has a <title>: browsers show it, screen readers read it.
 *
 *     Plot p = { .out = &page, .width = 720, .height = 300, .x = {...}, .y = {...} };
 *     svg_begin(&p, "Noise", "what is to be seen, in a sentence");
 *     svg_mark(&p, SVG_DOT, x, y, "keep", "e3: Muon, 1.2 %");
 *     svg_end(&p);                                                                        */
#ifndef LAB_SVG_H
#define LAB_SVG_H

#include "base/err.h"
#include "base/str.h"

typedef struct Axis {
    double low, high; /* finite, low < high; both > 0 if log */
    bool log;
    int ticks;         /* about how many; 0: none, nor grid lines */
    const char *label; /* NULL: none */
} Axis;

typedef struct Plot {
    Buf *out;
    double width, height;
    double left, right, top, bottom; /* margins; 0: wide enough for ticks and labels */
    Axis x, y;
} Plot;

typedef enum SvgShape {
    SVG_DOT,
    SVG_RING,
    SVG_DIAMOND,
    SVG_CROSS,
    SVG_UP,
    SVG_DOWN,
    SVG_LEFT
} SvgShape;

/* Text into markup: & < > quotes escaped; control characters and broken UTF-8 become U+FFFD. */
void svg_escape(Buf *out, const char *text);

void svg_begin(Plot *p, const char *title, const char *description);
void svg_end(Plot *p);

/* What svg_begin ... svg_end drew as a file of its own, with colours for light and dark. */
bool svg_write(const char *path, const Buf *drawing, Err *err) MUST_CHECK;

/* Data to user units; what lies outside the axes is put on their ends. */
double svg_x(const Plot *p, double value);
double svg_y(const Plot *p, double value);

/* All in data coordinates.  `style` is a class; `tip` may be NULL. */
void svg_line(Plot *p, const double from[2], const double to[2], const char *style,
              const char *tip);
void svg_band(Plot *p, const double from[2], const double to[2], const char *style,
              const char *tip);
void svg_mark(Plot *p, SvgShape shape, double x, double y, const char *style, const char *tip);
void svg_curve(Plot *p, const double *x, const double *y, int n, const char *style,
               const char *tip); /* gaps where a number is not finite */

/* Text at a place in user units; anchor is start, middle or end. */
void svg_text(Plot *p, double x, double y, const char *anchor, const char *style, const char *text);

/* Round values within the axis, ascending; how many. */
int svg_ticks(const Axis *axis, double *out, int cap);

/* An axis over finite numbers with a margin on both sides; [0, 1] if there are none. */
Axis svg_axis(const double *values, int n, double margin);

#endif
