/* drop.h - what a recipe leaves out of a data set: lists of documents and lines, by hash.
 *
 *     LAB/data/NAME/drops/ID.txt        written by the audit, by a classifier, by a person
 *     data.drop = "NAME:ID,NAME:ID"     in a recipe
 *
 * ID is the beginning of the SHA-256 of the list itself, so the recipe that names it says all,
 * and a replay finds the same list or none.  The data set is never altered and held-out text
 * never touched: a list decides about tokens of training text alone (mixture.h). */
#ifndef DATA_DROP_H
#define DATA_DROP_H

#include "base/err.h"
#include "base/str.h"
#include "data/dedup.h"

/* Several lists at once: what any of them names is gone. */
typedef struct Drop {
    Buf ids;              /* " ID ID": what stands in a file's key */
    DedupSet all, copies; /* documents that go; of which the first stays */
    DedupSet lines;       /* lines that go, by their trimmed bytes */
    DedupSet met;         /* of `copies`, in this reading */
} Drop;

/* Adds the list ID of a data set.  ERR_CONFIG: there is none; ERR_FORMAT: it was altered. */
bool drop_add(Drop *d, const char *lab, const char *source, Str id, Err *err) MUST_CHECK;
void drop_free(Drop *d);

/* Before document 0 is asked for. */
void drop_begin(Drop *d);
/* What stays of the next document, in the order of the data set; false: nothing.  *left is the
 * document or lies in `room`. */
bool drop_next(Drop *d, Str doc, Buf *room, Str *left);

/* A list in the making; zero is an empty one. */
typedef struct DropList {
    Buf rows;
} DropList;
void droplist_document(DropList *l, DedupKey key, bool keep_first);
void droplist_line(DropList *l, Str line); /* trimmed here */
void droplist_line_key(DropList *l, DedupKey key);
DedupKey drop_line_key(Str line);
/* Written whole under its ID; the same rows in any order have the same ID. */
bool droplist_write(DropList *l, const char *lab, const char *source, char id[17],
                    Err *err) MUST_CHECK;
void droplist_free(DropList *l);

#endif
