/* drop.c - lists of what a recipe leaves out.
 *
 * A data edit has to be as exact as any other edit of a recipe: replayed years later it must
 * remove the same bytes.  So a list names documents by the hash of their text, not by number or
 * by the rule that found them: rules are tuned, and `data add` appends.  The list is stored
 * beside the data set (an addition carries it along) and named by its own hash.
 *
 * A file is text, one row each, sorted and without repeats, for diff and for people:
 *
 *     lathe drop 1
 *     copies  HASH      a document of which the first copy stays
 *     document HASH     a document that goes
 *     line HASH         a line (white space off both ends) that goes wherever it stands
 *
 * HASH is the first half of the SHA-256, in hexadecimal.  Byte ranges were rejected: they mean
 * something else once a document is cut anew. */
#include "data/drop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"

enum { HEX = 2 * (int)sizeof(DedupKey), ID = 16 };
static const char header[] = "lathe drop 1\n";

static void path_of(const char *lab, const char *source, Str id, char path[1000])
{
    snprintf(path, 1000, "%s/data/%s/drops/%.*s.txt", lab, source, (int)id.len, id.at);
}

static void id_of(const Buf *text, char id[17])
{
    char full[65];
    sha256_hex(text->at, text->len, full);
    snprintf(id, 17, "%.16s", full);
}

/* ---- reading ---- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_key(Str hex, DedupKey *key)
{
    if (hex.len != HEX) return false;
    for (int i = 0; i < HEX; i += 2) {
        int high = hex_digit(hex.at[i]), low = hex_digit(hex.at[i + 1]);
        if (high < 0 || low < 0) return false;
        key->byte[i / 2] = (unsigned char)(16 * high + low);
    }
    return true;
}

static bool read_row(Drop *d, Str row)
{
    Str word, rest = row;
    DedupKey key;
    if (!str_cut(&rest, ' ', &word) || !read_key(rest, &key)) return false;
    DedupSet *set = str_eq(word, STR("document")) ? &d->all
                    : str_eq(word, STR("copies")) ? &d->copies
                    : str_eq(word, STR("line"))   ? &d->lines
                                                  : NULL;
    if (set) dedup_set_add(set, key);
    return set != NULL;
}

static bool read_rows(Drop *d, const Buf *text, Str id, const char *path, Err *err)
{
    char found[17];
    Str rest = buf_view(text), row;
    id_of(text, found);
    bool ok = str_eq(id, str_of(found)) && str_starts(rest, str_of(header));
    if (ok) rest.at += sizeof(header) - 1, rest.len -= sizeof(header) - 1;
    while (ok && rest.len > 0 && str_cut(&rest, '\n', &row)) ok = read_row(d, row);
    return ok || err_set(err, ERR_FORMAT,
                         "%s was altered: its hash is not its name; make it again with `lathe data "
                         "audit`, and name the new list in the recipe",
                         path);
}

bool drop_add(Drop *d, const char *lab, const char *source, Str id, Err *err)
{
    char path[1000];
    Buf text = { 0 };
    path_of(lab, source, id, path);
    for (ptrdiff_t i = 0; i < id.len; i++)
        if (hex_digit(id.at[i]) < 0) id.len = 0;
    if (id.len != ID || !file_exists(path))
        return err_set(err, ERR_CONFIG,
                       "data.drop: the data set %s has no list %.*s; `lathe data audit %s` writes "
                       "them and says how they are named",
                       source, (int)MIN(id.len, (ptrdiff_t)40), id.at, source);
    bool ok = file_read(path, &text, err) && read_rows(d, &text, id, path, err);
    buf_printf(&d->ids, " %.*s", (int)id.len, id.at);
    buf_free(&text);
    return ok;
}

void drop_free(Drop *d)
{
    dedup_set_free(&d->all);
    dedup_set_free(&d->copies);
    dedup_set_free(&d->lines);
    dedup_set_free(&d->met);
    buf_free(&d->ids);
    *d = (Drop){ 0 };
}

/* ---- what stays ---- */

void drop_begin(Drop *d)
{
    dedup_set_free(&d->met);
}

DedupKey drop_line_key(Str line)
{
    return dedup_key(str_trim(line));
}

/* Without the lines that go; false if nothing but white space is left. */
static bool cut_lines(const Drop *d, Str doc, Buf *room, Str *left)
{
    Str rest = doc, line;
    bool text = false;
    buf_clear(room);
    while (rest.len > 0 && str_cut(&rest, '\n', &line)) {
        bool blank = str_trim(line).len == 0;
        if (!blank && dedup_set_has(&d->lines, drop_line_key(line))) continue;
        bool ended = line.at + line.len < doc.at + doc.len; /* by a line end, which belongs to it */
        buf_put(room, line.at, line.len + ended);
        text = text || !blank;
    }
    *left = buf_view(room);
    return text;
}

bool drop_next(Drop *d, Str doc, Buf *room, Str *left)
{
    *left = doc;
    if (d->all.count + d->copies.count > 0) {
        DedupKey key = dedup_key(doc);
        if (dedup_set_has(&d->all, key)) return false;
        if (dedup_set_has(&d->copies, key) && !dedup_set_add(&d->met, key)) return false;
    }
    return d->lines.count == 0 || cut_lines(d, doc, room, left);
}

/* ---- writing ---- */

typedef struct Row {
    int kind; /* its place in the words below, which is also their order */
    DedupKey key;
} Row;
static const char *const words[] = { "copies", "document", "line" };

static void put_row(DropList *l, int kind, DedupKey key)
{
    Row row = { kind, key };
    buf_put(&l->rows, &row, sizeof(row));
}

void droplist_document(DropList *l, DedupKey key, bool keep_first)
{
    put_row(l, !keep_first, key);
}

void droplist_line_key(DropList *l, DedupKey key)
{
    put_row(l, 2, key);
}

void droplist_line(DropList *l, Str line)
{
    droplist_line_key(l, drop_line_key(line));
}

static int by_row(const void *a, const void *b)
{
    const Row *x = a, *y = b;
    int keys = memcmp(&x->key, &y->key, sizeof(x->key));
    return x->kind != y->kind ? x->kind - y->kind : keys;
}

bool droplist_write(DropList *l, const char *lab, const char *source, char id[17], Err *err)
{
    Buf text = { 0 };
    char path[1000];
    Row *row = (Row *)(void *)l->rows.at;
    int64_t n = l->rows.len / (int64_t)sizeof(Row);
    if (n > 0) qsort(row, (size_t)n, sizeof(*row), by_row);
    buf_str(&text, str_of(header));
    for (int64_t i = 0; i < n; i++) {
        if (i > 0 && by_row(&row[i - 1], &row[i]) == 0) continue;
        buf_printf(&text, "%s ", words[row[i].kind]);
        for (int b = 0; b < HEX / 2; b++) buf_printf(&text, "%02x", row[i].key.byte[b]);
        buf_char(&text, '\n');
    }
    id_of(&text, id);
    snprintf(path, sizeof(path), "%s/data/%s/drops", lab, source);
    bool ok = file_make_dirs(path, err);
    path_of(lab, source, str_of(id), path);
    ok = ok && (file_exists(path) || file_write_whole(path, buf_view(&text), err));
    buf_free(&text);
    return ok;
}

void droplist_free(DropList *l)
{
    buf_free(&l->rows);
}
