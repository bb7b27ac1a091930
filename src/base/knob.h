/* knob.h - one named, typed, ranged, documented number, choice or text.
 *
 * The one declaration from which parsing, checking, help, the search space,
 * tool schemas and documentation are derived.  Modules declare tables of Knob
 * that end with a NULL name; a KnobSet gathers tables and holds values. */
#ifndef BASE_KNOB_H
#define BASE_KNOB_H

#include "base/arena.h"
#include "base/err.h"

C_BEGIN

typedef enum KnobType { KNOB_NUMBER, KNOB_WHOLE, KNOB_CHOICE, KNOB_FLAG, KNOB_TEXT } KnobType;
typedef enum KnobScale { SCALE_LINEAR, SCALE_LOG } KnobScale; /* how to search it */

typedef struct Knob {
    const char *name; /* "optim.muon.lr" */
    KnobType type;
    double fallback, min, max; /* of a choice: the index into choices; a flag: 0 or 1 */
    KnobScale scale;
    const char *const *choices; /* NULL-terminated, for KNOB_CHOICE */
    const char *text;           /* fallback of KNOB_TEXT */
    const char *unit, *doc;
    const char *only; /* "optim.name=muon": has an effect only then; NULL always */
    bool fixed;       /* not part of the search space (paths, budget, cadence) */
} Knob;

typedef struct KnobSet {
    const Knob **knob;
    double *value;     /* number, whole, index of choice, flag */
    const char **text; /* KNOB_TEXT */
    bool *given;       /* set by a file or a person, not the fallback */
    int count;
    Arena *home;
} KnobSet;

/* Every knob of the tables at its fallback.  `tables` ends with NULL. */
KnobSet knobs_new(Arena *out, const Knob *const *tables);
KnobSet knobs_copy(Arena *out, const KnobSet *from);

int knobs_find(const KnobSet *s, const char *name);            /* -1 if there is none */
const char *knobs_nearest(const KnobSet *s, const char *name); /* "did you mean"; "" of no knobs */

/* Reading; the name must exist (CHECK). */
double knobs_number(const KnobSet *s, const char *name);
int64_t knobs_whole(const KnobSet *s, const char *name);
bool knobs_flag(const KnobSet *s, const char *name);
const char *knobs_choice(const KnobSet *s, const char *name);
const char *knobs_text(const KnobSet *s, const char *name);

/* Parses and checks; `where` ("recipe.toml:12", "-s") goes in front of the complaint, which
 * names the knob, the nearest name or the allowed range.  ERR_CONFIG. */
bool knobs_set(KnobSet *s, const char *name, Str value, const char *where, Err *err) MUST_CHECK;
bool knobs_set_number(KnobSet *s, const char *name, double value, Err *err) MUST_CHECK;

/* Is this knob in effect, given its `only`? */
bool knobs_active(const KnobSet *s, int index);

/* The value as the recipe file writes it: 0.003, 12, true, "muon".  Shortest that reads back. */
void knobs_print_value(const KnobSet *s, int index, char *out, ptrdiff_t cap);
void knobs_print_number(double value, char *out, ptrdiff_t cap);

C_END
#endif
