/* knob.c - values for declared names.
 *
 * A set is four parallel arrays: what is declared stays const and shared, what varies is a
 * number (or a text) beside it.  Names are looked up by walking: a recipe has about a
 * hundred knobs, and a hash table would be a second thing to keep right.
 *
 * Every complaint ends in what would have been accepted: the nearest name, the choices, the
 * range.  That sentence is read by people and, more often, by a model that proposes. */
#include "base/knob.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/toml.h"

static KnobSet set_of(Arena *out, int count)
{
    KnobSet s = { .count = count, .home = out };
    s.knob = NEW(out, const Knob *, count);
    s.value = NEW(out, double, count);
    s.text = NEW(out, const char *, count);
    s.given = NEW(out, bool, count);
    return s;
}

KnobSet knobs_new(Arena *out, const Knob *const *tables)
{
    int count = 0;
    for (const Knob *const *t = tables; *t; t++)
        for (const Knob *k = *t; k->name; k++) count++;
    KnobSet s = set_of(out, count);
    int at = 0;
    for (const Knob *const *t = tables; *t; t++) {
        for (const Knob *k = *t; k->name; k++, at++) {
            for (int before = 0; before < at; before++)
                CHECK(strcmp(s.knob[before]->name, k->name) != 0, "%s is declared twice", k->name);
            s.knob[at] = k;
            s.value[at] = k->fallback;
            s.text[at] = k->text;
        }
    }
    return s;
}

KnobSet knobs_copy(Arena *out, const KnobSet *from)
{
    KnobSet s = set_of(out, from->count);
    for (int i = 0; i < s.count; i++) {
        s.knob[i] = from->knob[i];
        s.value[i] = from->value[i];
        s.text[i] = from->text[i] ? arena_str(out, str_of(from->text[i])) : NULL;
        s.given[i] = from->given[i];
    }
    return s;
}

int knobs_find(const KnobSet *s, const char *name)
{
    for (int i = 0; i < s->count; i++)
        if (strcmp(s->knob[i]->name, name) == 0) return i;
    return -1;
}

static int find_typed(const KnobSet *s, const char *name, KnobType type)
{
    int i = knobs_find(s, name);
    CHECK(i >= 0, "no knob is called %s", name);
    CHECK(s->knob[i]->type == type, "%s is read as another type than it has", name);
    return i;
}

double knobs_number(const KnobSet *s, const char *name)
{
    return s->value[find_typed(s, name, KNOB_NUMBER)];
}

int64_t knobs_whole(const KnobSet *s, const char *name)
{
    return (int64_t)s->value[find_typed(s, name, KNOB_WHOLE)];
}

bool knobs_flag(const KnobSet *s, const char *name)
{
    return s->value[find_typed(s, name, KNOB_FLAG)] != 0;
}

const char *knobs_choice(const KnobSet *s, const char *name)
{
    int i = find_typed(s, name, KNOB_CHOICE);
    return s->knob[i]->choices[(int)s->value[i]];
}

const char *knobs_text(const KnobSet *s, const char *name)
{
    const char *text = s->text[find_typed(s, name, KNOB_TEXT)];
    return text ? text : "";
}

const char *knobs_nearest(const KnobSet *s, const char *name)
{
    const char *best = "";
    int least = 1 << 30;
    for (int i = 0; i < s->count; i++) {
        int d = str_distance(name, s->knob[i]->name);
        if (d < least) least = d, best = s->knob[i]->name;
    }
    return best;
}

static bool no_such_knob(const KnobSet *s, const char *name, const char *where, Err *err)
{
    return err_set(err, ERR_CONFIG,
                   "%s: no knob is called %s; the nearest is %s (`lathe knobs` lists them all)",
                   where, name, knobs_nearest(s, name));
}

static bool not_a_choice(const Knob *k, Str value, const char *where, Err *err)
{
    Buf all = { 0 };
    for (const char *const *c = k->choices; *c; c++)
        buf_printf(&all, "%s%s", c == k->choices ? "" : c[1] ? ", " : " or ", *c);
    err_set(err, ERR_CONFIG, "%s: %s is %.*s, and must be %s", where, k->name,
            (int)MIN(value.len, (ptrdiff_t)60), value.at, all.at ? all.at : "");
    buf_free(&all);
    return false;
}

/* "a whole number from 1 to 64", "a number of at least 0", "a number" */
static void range_words(const Knob *k, char *out, size_t cap)
{
    char low[32], high[32];
    const char *kind = k->type == KNOB_WHOLE ? "a whole number" : "a number";
    str_number(low, k->min);
    str_number(high, k->max);
    bool has_low = isfinite(k->min), has_high = isfinite(k->max);
    if (has_low && has_high)
        snprintf(out, cap, "%s from %s to %s", kind, low, high);
    else if (has_low)
        snprintf(out, cap, "%s of at least %s", kind, low);
    else if (has_high)
        snprintf(out, cap, "%s of at most %s", kind, high);
    else
        snprintf(out, cap, "%s", kind);
}

static bool number_fits(const Knob *k, double x)
{
    bool whole = k->type != KNOB_WHOLE || (x == floor(x) && fabs(x) <= 0x1p53);
    return whole && x >= k->min && x <= k->max;
}

static bool set_choice(KnobSet *s, int i, Str value, const char *where, Err *err)
{
    const Knob *k = s->knob[i];
    for (int c = 0; k->choices[c]; c++) {
        if (!str_eq(str_of(k->choices[c]), value)) continue;
        s->value[i] = c;
        return true;
    }
    return not_a_choice(k, value, where, err);
}

static bool set_flag(KnobSet *s, int i, Str value, const char *where, Err *err)
{
    bool yes = str_eq(value, STR("true"));
    if (!yes && !str_eq(value, STR("false")))
        return err_set(err, ERR_CONFIG, "%s: %s is %.*s, and must be true or false", where,
                       s->knob[i]->name, (int)MIN(value.len, (ptrdiff_t)60), value.at);
    s->value[i] = yes;
    return true;
}

static bool set_number(KnobSet *s, int i, Str value, const char *where, Err *err)
{
    double x;
    if (str_to_double(value, &x) && number_fits(s->knob[i], x)) {
        s->value[i] = x;
        return true;
    }
    char range[128];
    range_words(s->knob[i], range, sizeof(range));
    const char *unit = s->knob[i]->unit ? s->knob[i]->unit : "";
    return err_set(err, ERR_CONFIG, "%s: %s is %.*s, and must be %s%s%s", where, s->knob[i]->name,
                   (int)MIN(value.len, (ptrdiff_t)60), value.at, range, *unit ? " " : "", unit);
}

static bool set_text(KnobSet *s, int i, Str value, const char *where, Err *err)
{
    for (ptrdiff_t at = 0; at < value.len; at++)
        if (value.at[at] == 0)
            return err_set(err, ERR_CONFIG, "%s: %s has a NUL byte in it; remove it", where,
                           s->knob[i]->name);
    s->text[i] = arena_str(s->home, value);
    return true;
}

bool knobs_set(KnobSet *s, const char *name, Str value, const char *where, Err *err)
{
    int i = knobs_find(s, name);
    if (i < 0) return no_such_knob(s, name, where, err);
    bool ok = false;
    switch (s->knob[i]->type) {
    case KNOB_NUMBER:
    case KNOB_WHOLE: ok = set_number(s, i, value, where, err); break;
    case KNOB_CHOICE: ok = set_choice(s, i, value, where, err); break;
    case KNOB_FLAG: ok = set_flag(s, i, value, where, err); break;
    case KNOB_TEXT: ok = set_text(s, i, value, where, err); break;
    }
    if (ok) s->given[i] = true;
    return ok;
}

bool knobs_set_number(KnobSet *s, const char *name, double value, Err *err)
{
    int i = knobs_find(s, name);
    if (i < 0) return no_such_knob(s, name, "a value", err);
    const Knob *k = s->knob[i];
    int choices = 0;
    while (k->type == KNOB_CHOICE && k->choices[choices]) choices++;
    bool fits = k->type == KNOB_CHOICE ? value == floor(value) && value >= 0 && value < choices
                : k->type == KNOB_FLAG ? value == 0 || value == 1
                                       : k->type != KNOB_TEXT && number_fits(k, value);
    if (!fits) {
        char range[128], number[32];
        range_words(k, range, sizeof(range));
        return err_set(err, ERR_CONFIG, "%s is %s, and must be %s", name, str_number(number, value),
                       k->type == KNOB_CHOICE ? "one of its choices"
                       : k->type == KNOB_FLAG ? "0 or 1"
                       : k->type == KNOB_TEXT ? "a text"
                                              : range);
    }
    s->value[i] = value;
    s->given[i] = true;
    return true;
}

bool knobs_active(const KnobSet *s, int index)
{
    const char *only = s->knob[index]->only;
    if (!only) return true;
    Str rest = str_of(only), name;
    CHECK(str_cut(&rest, '=', &name) && name.len < 100 && rest.at,
          "%s: only \"%s\" is not NAME=VALUE", s->knob[index]->name, only);
    char text[100], value[300];
    snprintf(text, sizeof(text), "%.*s", (int)name.len, name.at);
    int other = knobs_find(s, text);
    CHECK(other >= 0 && other != index, "%s: only \"%s\" names no other knob", s->knob[index]->name,
          only);
    if (s->knob[other]->type == KNOB_CHOICE) {
        if (!str_eq(rest, str_of(s->knob[other]->choices[(int)s->value[other]]))) return false;
    } else {
        knobs_print_value(s, other, value, sizeof(value));
        if (!str_eq(rest, str_of(value))) return false;
    }
    return knobs_active(s, other);
}

void knobs_print_value(const KnobSet *s, int index, char *out, ptrdiff_t cap)
{
    const Knob *k = s->knob[index];
    Buf text = { 0 };
    switch (k->type) {
    case KNOB_NUMBER:
    case KNOB_WHOLE: knobs_print_number(s->value[index], out, cap); return;
    case KNOB_FLAG:
        snprintf(out, (size_t)cap, "%s", s->value[index] != 0 ? "true" : "false");
        return;
    case KNOB_CHOICE: toml_put_string(&text, str_of(k->choices[(int)s->value[index]])); break;
    case KNOB_TEXT: toml_put_string(&text, str_of(s->text[index])); break;
    }
    snprintf(out, (size_t)cap, "%s", text.at);
    buf_free(&text);
}

void knobs_print_number(double value, char *out, ptrdiff_t cap)
{
    char text[32];
    snprintf(out, (size_t)cap, "%s", str_number(text, value));
}
