/* svg.c - the few kinds of marks that the report's plots are made of.
 *
 * No library draws SVG in C, and a page that must open in ten years without a network cannot
 * lean on a script from somewhere.  Coordinates are printed with one decimal: finer than any
 * screen. */
#include "lab/svg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"

enum { TICKS = 24 };

void svg_escape(Buf *out, const char *text)
{
    const char *end = text + strlen(text);
    for (const char *s = text; s < end;) {
        int len = utf8_len(s, end);
        unsigned char c = (unsigned char)*s;
        if (len == 0 || (c < 32 && c != '\n' && c != '\t') || c == 127)
            buf_str(out, STR("\xEF\xBF\xBD"));
        else if (c == '&')
            buf_str(out, STR("&amp;"));
        else if (c == '<')
            buf_str(out, STR("&lt;"));
        else if (c == '>')
            buf_str(out, STR("&gt;"));
        else if (c == '"')
            buf_str(out, STR("&quot;"));
        else if (c == '\'')
            buf_str(out, STR("&#39;"));
        else
            buf_put(out, s, len);
        s += len > 0 ? len : 1;
    }
}

/* ---- axes ---- */

static int log_ticks(const Axis *a, double *out, int cap)
{
    static const double steps[3][4] = { { 1, 2, 5, 0 }, { 1, 3, 0, 0 }, { 1, 0, 0, 0 } };
    double decades = log10(a->high / a->low);
    const double *step = steps[decades * 3 <= a->ticks ? 0 : decades * 2 <= a->ticks ? 1 : 2];
    int n = 0, skip = MAX(1, (int)ceil(decades / MAX(a->ticks, 1)));
    for (int e = (int)floor(log10(a->low)); e <= (int)ceil(log10(a->high)); e += skip)
        for (int i = 0; i < 4 && step[i] > 0 && n < cap; i++) {
            double v = step[i] * pow(10, e);
            if (v >= a->low * (1 - 1e-9) && v <= a->high * (1 + 1e-9)) out[n++] = v;
        }
    return n;
}

static double tick_step(const Axis *a)
{
    double rough = (a->high - a->low) / MAX(a->ticks, 1), unit = pow(10, floor(log10(rough)));
    double share = rough / unit;
    return unit * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
}

int svg_ticks(const Axis *a, double *out, int cap)
{
    if (a->ticks <= 0) return 0;
    if (a->log) return log_ticks(a, out, cap);
    double step = tick_step(a);
    int n = 0;
    for (double k = ceil(a->low / step - 1e-9); k * step <= a->high + 1e-9 * step && n < cap; k++)
        out[n++] = k * step;
    return n;
}

Axis svg_axis(const double *values, int n, double margin)
{
    double low = (double)INFINITY, high = -low;
    for (int i = 0; i < n; i++) {
        if (!isfinite(values[i])) continue;
        low = fmin(low, values[i]);
        high = fmax(high, values[i]);
    }
    if (low > high) return (Axis){ .low = 0, .high = 1 };
    double more = high > low ? margin * (high - low) : fmax(fabs(high), 1) * 0.05;
    return (Axis){ .low = low - more, .high = high + more };
}

/* "1.25", "20k", "3M": as many decimals as the step needs. */
static void tick_text(double value, const Axis *a, char out[32])
{
    double step = a->log ? fabs(value) : tick_step(a), big = fmax(fabs(a->high), fabs(a->low));
    const char *suffix = "";
    double unit = 1;
    if (big >= 1e9)
        unit = 1e9, suffix = "G";
    else if (big >= 1e6)
        unit = 1e6, suffix = "M";
    else if (big >= 1e4)
        unit = 1e3, suffix = "k";
    int decimals = (int)fmax(0, fmin(8, -floor(log10(step / unit) + 1e-9)));
    if (fabs(value) < 1e-12 * big) value = 0;
    if (a->log && fabs(value) < 1e-3 * (1 - 1e-9)) {
        int power = (int)floor(log10(fabs(value)) + 1e-9);
        snprintf(out, 32, "%.0fe\xE2\x88\x92%d", value / pow(10, power), -power);
        return;
    }
    snprintf(out, 32, "%s%.*f%s", value < 0 ? "\xE2\x88\x92" : "", decimals, fabs(value) / unit,
             value == 0 ? "" : suffix);
}

static double along(const Axis *a, double value)
{
    double v = fmax(a->low, fmin(a->high, value));
    return a->log ? log(v / a->low) / log(a->high / a->low) : (v - a->low) / (a->high - a->low);
}

double svg_x(const Plot *p, double value)
{
    return p->left + along(&p->x, value) * (p->width - p->left - p->right);
}

double svg_y(const Plot *p, double value)
{
    return p->height - p->bottom - along(&p->y, value) * (p->height - p->top - p->bottom);
}

/* ---- the frame ---- */

static void x_axis(Plot *p)
{
    double at[TICKS];
    char text[32];
    int n = svg_ticks(&p->x, at, TICKS);
    double floor_y = p->height - p->bottom;
    for (int i = 0; i < n; i++) {
        double x = svg_x(p, at[i]);
        buf_printf(p->out, "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/>", x, p->top, floor_y);
        tick_text(at[i], &p->x, text);
        svg_text(p, x, floor_y + 17, "middle", "tick", text);
    }
    if (p->x.label)
        svg_text(p, (p->left + p->width - p->right) / 2, p->height - 5, "middle", "axis",
                 p->x.label);
}

static void y_axis(Plot *p)
{
    double at[TICKS];
    char text[32];
    int n = svg_ticks(&p->y, at, TICKS);
    for (int i = 0; i < n; i++) {
        double y = svg_y(p, at[i]);
        buf_printf(p->out, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>", p->left, y,
                   p->width - p->right);
        tick_text(at[i], &p->y, text);
        svg_text(p, p->left - 7, y + 4, "end", "tick", text);
    }
    if (p->y.label) svg_text(p, p->left - 40, p->top - 10, "start", "axis", p->y.label);
}

void svg_begin(Plot *p, const char *title, const char *description)
{
    CHECK(p->x.low < p->x.high && p->y.low < p->y.high, "plot %s has an empty axis", title);
    if (p->left <= 0) p->left = p->y.ticks > 0 ? 52 : 12;
    if (p->right <= 0) p->right = 14;
    if (p->top <= 0) p->top = p->y.label ? 28 : 14;
    if (p->bottom <= 0) p->bottom = p->x.label ? 44 : p->x.ticks > 0 ? 26 : 12;
    buf_printf(p->out, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\"><title>", p->width, p->height);
    svg_escape(p->out, title);
    buf_printf(p->out, "</title><desc>");
    svg_escape(p->out, description);
    buf_printf(p->out, "</desc>");
    x_axis(p);
    y_axis(p);
}

void svg_end(Plot *p)
{
    buf_printf(p->out, "</svg>\n");
}

/* A file has no page around it: the few colours that the marks' classes use come along. */
static const char own_style[] =
    "<style>svg{--paper:#fff;--ink:#1c1b19;--soft:#66625a;--line:#e5e1d8;--keep:#0a7d5a;"
    "--drop:#8d877c;--undecided:#b06a00;--running:#2b6cb0;--bad:#b4322a;background:var(--paper)}"
    "@media(prefers-color-scheme:dark){svg{--paper:#141412;--ink:#ece9e2;--soft:#a29c90;"
    "--line:#34322d;--keep:#4cc79a;--drop:#8b857a;--undecided:#e0a33e;--running:#6aa9e8;"
    "--bad:#ec7a70}}text{font:12px ui-sans-serif,system-ui,sans-serif;fill:var(--ink)}"
    ".tick,.axis{fill:var(--soft)}.grid{stroke:var(--line);fill:none}"
    ".zero{stroke:var(--soft);stroke-dasharray:3 3;fill:none}"
    ".keep,.champ{--c:var(--keep)}.drop,.base{--c:var(--drop)}.undecided{--c:var(--undecided)}"
    ".running{--c:var(--running)}.failed{--c:var(--bad)}"
    ".whisker{stroke:var(--c);stroke-width:1.6;fill:none}"
    ".dot{fill:var(--c);stroke:var(--paper);stroke-width:1.2}"
    ".ring{fill:var(--paper);stroke:var(--c);stroke-width:1.8}"
    ".line{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round}"
    ".band{fill:var(--line)}</style>";

bool svg_write(const char *path, const Buf *drawing, Err *err)
{
    static const Str head = { "<svg ", 5 };
    Str body = buf_view(drawing);
    CHECK(str_starts(body, head), "no drawing");
    const char *title = strchr(body.at, '>');
    CHECK(title, "no drawing");
    Buf file = { 0 };
    buf_printf(&file, "<svg xmlns=\"http://www.w3.org/2000/svg\" ");
    buf_put(&file, body.at + head.len, title + 1 - body.at - head.len);
    buf_printf(&file, "%s", own_style);
    buf_put(&file, title + 1, body.at + body.len - title - 1);
    bool ok = file_write_whole(path, buf_view(&file), err);
    buf_free(&file);
    return ok;
}

/* ---- marks ---- */

static void end_mark(Plot *p, const char *element, const char *tip)
{
    if (!tip) {
        buf_printf(p->out, "/>");
        return;
    }
    buf_printf(p->out, "><title>");
    svg_escape(p->out, tip);
    buf_printf(p->out, "</title></%s>", element);
}

void svg_line(Plot *p, const double from[2], const double to[2], const char *style, const char *tip)
{
    buf_printf(p->out, "<path class=\"%s\" d=\"M%.1f %.1fL%.1f %.1f\"", style, svg_x(p, from[0]),
               svg_y(p, from[1]), svg_x(p, to[0]), svg_y(p, to[1]));
    end_mark(p, "path", tip);
}

void svg_band(Plot *p, const double from[2], const double to[2], const char *style, const char *tip)
{
    double x0 = svg_x(p, from[0]), x1 = svg_x(p, to[0]), y0 = svg_y(p, from[1]),
           y1 = svg_y(p, to[1]);
    buf_printf(p->out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"",
               style, fmin(x0, x1), fmin(y0, y1), fabs(x1 - x0), fabs(y1 - y0));
    end_mark(p, "rect", tip);
}

void svg_mark(Plot *p, SvgShape shape, double x, double y, const char *style, const char *tip)
{
    static const char *const path[] = {
        [SVG_DIAMOND] = "m0 -5.5l5 5.5l-5 5.5l-5 -5.5z",
        [SVG_CROSS] = "m-4 -4l8 8m0 -8l-8 8",
        [SVG_UP] = "m0 -5l5 8h-10z",
        [SVG_DOWN] = "m0 5l5 -8h-10z",
        [SVG_LEFT] = "m-5 0l8 -5v10z",
    };
    double at_x = svg_x(p, x), at_y = svg_y(p, y);
    if (shape == SVG_DOT || shape == SVG_RING) {
        buf_printf(p->out, "<circle class=\"%s %s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"",
                   shape == SVG_DOT ? "dot" : "ring", style, at_x, at_y);
        end_mark(p, "circle", tip);
        return;
    }
    buf_printf(p->out, "<path class=\"%s %s\" d=\"M%.1f %.1f%s\"",
               shape == SVG_DIAMOND ? "dot" : "ring", style, at_x, at_y, path[shape]);
    end_mark(p, "path", tip);
}

void svg_curve(Plot *p, const double *x, const double *y, int n, const char *style, const char *tip)
{
    bool pen = false;
    buf_printf(p->out, "<path class=\"%s\" d=\"", style);
    for (int i = 0; i < n; i++) {
        bool good = isfinite(x[i]) && isfinite(y[i]);
        if (good)
            buf_printf(p->out, "%c%.1f %.1f", pen ? 'L' : 'M', svg_x(p, x[i]), svg_y(p, y[i]));
        pen = good;
    }
    buf_char(p->out, '"');
    end_mark(p, "path", tip);
}

void svg_text(Plot *p, double x, double y, const char *anchor, const char *style, const char *text)
{
    buf_printf(p->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">", x, y, anchor,
               style);
    svg_escape(p->out, text);
    buf_printf(p->out, "</text>");
}
