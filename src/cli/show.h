/* show.h - what `lathe show` knows to show, one kind of id each.
 *
 * Gathering and printing are apart: gathering makes the document that --json gives, and
 * printing reads nothing else, so the two cannot disagree. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "base/arena.h"
#include "lab/lab.h"

typedef struct ShowDef {
    char prefix;      /* of the ids: 'r' */
    const char *what; /* "run" */
    bool (*gather)(Lab *lab, const char *id, json_t **out, Err *err);
    void (*print)(const json_t *doc, Arena scratch);
} ShowDef;

extern const ShowDef show_run, show_experiment, show_claim, show_question, show_session, show_idea,
    show_generation;
extern const ShowDef show_recipe; /* named by the beginning of its hash */
extern const ShowDef show_lab;    /* no id: all of it at a glance */

/* The last body of a kind under an id; ERR_CONFIG that names the id if there is none. */
bool show_body(Lab *lab, const char *kind, const char *id, json_t **body, Err *err) MUST_CHECK;

/* doc[key] = rows of a query, whose %s are ids. */
bool show_rows(Lab *lab, json_t *doc, const char *key, Err *err, const char *sql, ...)
    PRINTF_LIKE(5, 6) MUST_CHECK;

/* One line per experiment, of rows of the view `experiments`. */
void show_print_experiments(const json_t *rows);

/* Prints text written by others without control characters, and a newline. */
void show_print_text(const char *label, const char *text);

#endif
