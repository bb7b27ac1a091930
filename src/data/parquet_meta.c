/* parquet_meta.c - the footer of a Parquet file: where the pages of one column are.
 *
 * The footer is a Thrift structure in the compact protocol; of its hundred fields a reader of one
 * column needs ten, and the rest is passed over by type.  Field numbers are those of
 * parquet-format's parquet.thrift, compact types those of Thrift's specification.
 *
 * The column is found by its dotted path.  It must hold bytes, once in each row (or be
 * missing there): lists of texts have no place of their own in a row, and are refused by name. */
#include "data/parquet.h"

#include <stdio.h>
#include <string.h>

enum { DEEPEST = 32, BYTE_ARRAY = 6, REQUIRED = 0, REPEATED = 2 };

/* ---- Thrift ---- */

uint64_t parquetthrift_varint(ParquetThrift *t)
{
    uint64_t x = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (t->at == t->end) break;
        unsigned char c = *t->at++;
        x |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80) return x;
    }
    t->bad = true;
    return 0;
}

int64_t parquetthrift_int(ParquetThrift *t)
{
    uint64_t x = parquetthrift_varint(t);
    return (int64_t)(x >> 1) ^ -(int64_t)(x & 1);
}

Str parquetthrift_bytes(ParquetThrift *t)
{
    uint64_t n = parquetthrift_varint(t);
    if (n > (uint64_t)(t->end - t->at)) t->bad = true;
    if (t->bad) return (Str){ "", 0 };
    Str s = { (const char *)t->at, (ptrdiff_t)n };
    t->at += n;
    return s;
}

int parquetthrift_field(ParquetThrift *t, int *id)
{
    if (t->bad || t->at == t->end) {
        t->bad = true;
        return 0;
    }
    unsigned char c = *t->at++;
    int type = c & 15, delta = c >> 4;
    if (type == 0) return 0;
    int64_t next = delta ? *id + delta : parquetthrift_int(t);
    if (next < 0 || next > 1 << 15) t->bad = true;
    *id = t->bad ? 0 : (int)next;
    return t->bad ? 0 : type;
}

int64_t parquetthrift_list(ParquetThrift *t, int *type)
{
    *type = 0;
    if (t->at == t->end) t->bad = true;
    if (t->bad) return 0;
    unsigned char c = *t->at++;
    uint64_t n = c >> 4 == 15 ? parquetthrift_varint(t) : c >> 4;
    if (n > (uint64_t)(t->end - t->at)) t->bad = true; /* an item takes a byte at least */
    *type = c & 15;
    return t->bad ? 0 : (int64_t)n;
}

static void skip(ParquetThrift *t, int type, int depth);

static void skip_struct(ParquetThrift *t, int depth)
{
    int id = 0;
    for (int type; (type = parquetthrift_field(t, &id)) != 0;) skip(t, type, depth + 1);
}

static void skip_bytes(ParquetThrift *t, ptrdiff_t n)
{
    if (t->end - t->at < n)
        t->bad = true;
    else
        t->at += n;
}

/* In a list or map a truth takes a byte, in a struct none. */
static void skip_item(ParquetThrift *t, int type, int depth)
{
    if (type == THRIFT_TRUE || type == THRIFT_FALSE)
        skip_bytes(t, 1);
    else
        skip(t, type, depth + 1);
}

static void skip_list(ParquetThrift *t, int depth)
{
    int type;
    int64_t n = parquetthrift_list(t, &type);
    for (int64_t i = 0; i < n && !t->bad; i++) skip_item(t, type, depth);
}

static void skip_map(ParquetThrift *t, int depth)
{
    uint64_t n = parquetthrift_varint(t);
    if (n == 0 || t->bad || t->at == t->end) return;
    unsigned char types = *t->at++;
    if (n > (uint64_t)(t->end - t->at) / 2) t->bad = true; /* both of a pair take a byte at least */
    for (uint64_t i = 0; i < n && !t->bad; i++) {
        skip_item(t, types >> 4, depth);
        skip_item(t, types & 15, depth);
    }
}

static void skip(ParquetThrift *t, int type, int depth)
{
    if (depth > DEEPEST) t->bad = true;
    if (t->bad) return;
    switch (type) {
    case THRIFT_TRUE:
    case THRIFT_FALSE: break;
    case 3: skip_bytes(t, 1); break;
    case 4:
    case 5:
    case 6: (void)parquetthrift_varint(t); break;
    case 7: skip_bytes(t, 8); break;
    case 8: (void)parquetthrift_bytes(t); break;
    case THRIFT_LIST:
    case 10: skip_list(t, depth); break;
    case 11: skip_map(t, depth); break;
    case THRIFT_STRUCT: skip_struct(t, depth); break;
    default: t->bad = true;
    }
}

void parquetthrift_skip(ParquetThrift *t, int type)
{
    skip(t, type, 0);
}

/* ---- the schema ---- */

typedef struct Node {
    Str name;
    int64_t type, repetition, children;
} Node;

typedef struct Walk {
    ParquetThrift t;
    ParquetMeta *m;
    const char *field;
    int64_t left;     /* nodes of the list */
    bool found, text; /* the column is there; it holds text, once a row */
} Walk;

static Node read_node(ParquetThrift *t)
{
    Node n = { .type = -1 };
    int id = 0;
    for (int type; (type = parquetthrift_field(t, &id)) != 0;) {
        if (id == 1)
            n.type = parquetthrift_int(t);
        else if (id == 3)
            n.repetition = parquetthrift_int(t);
        else if (id == 4)
            n.name = parquetthrift_bytes(t);
        else if (id == 5)
            n.children = parquetthrift_int(t);
        else
            parquetthrift_skip(t, type);
    }
    return n;
}

static void note_column(Walk *w, const char *path)
{
    size_t n = strlen(w->m->columns);
    snprintf(w->m->columns + n, sizeof(w->m->columns) - n, "%s%s", n ? ", " : "", path);
}

/* One node and all below it.  `path` is that of its parent. */
static void walk_node(Walk *w, const char *parent, int depth, int def, bool once)
{
    char path[512];
    if (w->left-- <= 0 || depth > DEEPEST) w->t.bad = true;
    if (w->t.bad) return;
    Node n = read_node(&w->t);
    snprintf(path, sizeof(path), "%s%s%.*s", parent, parent[0] ? "." : "",
             (int)MIN(n.name.len, (ptrdiff_t)200), n.name.at);
    def += n.repetition != REQUIRED;
    once = once && n.repetition != REPEATED;
    for (int64_t i = 0; i < n.children && !w->t.bad; i++) walk_node(w, path, depth + 1, def, once);
    if (n.children > 0 || w->t.bad) return;
    bool text = n.type == BYTE_ARRAY && once;
    if (text) note_column(w, path);
    if (strcmp(path, w->field) != 0) return;
    w->found = true;
    w->text = text;
    w->m->max_def = def;
}

static void read_schema(Walk *w)
{
    int type;
    w->left = parquetthrift_list(&w->t, &type) - 1;
    Node root = read_node(&w->t);
    for (int64_t i = 0; i < root.children && !w->t.bad; i++) walk_node(w, "", 0, 0, true);
    if (w->left != 0) w->t.bad = true;
}

/* ---- row groups ---- */

/* "a.b.c" of path_in_schema, compared with the field. */
static bool is_path(ParquetThrift *t, const char *field)
{
    int type;
    int64_t n = parquetthrift_list(t, &type);
    Str rest = str_of(field), name;
    bool same = true;
    for (int64_t i = 0; i < n && !t->bad; i++)
        same =
            str_eq(parquetthrift_bytes(t), str_cut(&rest, '.', &name) ? name : STR("\n")) && same;
    return same && !str_cut(&rest, '.', &name);
}

/* Of one column; true if it is the wanted one. */
static bool read_column(ParquetThrift *t, const char *field, ParquetChunk *c)
{
    bool ours = false;
    int64_t data = 0, dictionary = 0;
    int id = 0;
    *c = (ParquetChunk){ 0 };
    for (int type; (type = parquetthrift_field(t, &id)) != 0;) {
        switch (id) {
        case 3: ours = is_path(t, field); break;
        case 4: c->codec = (int)parquetthrift_int(t); break;
        case 5: c->values = parquetthrift_int(t); break;
        case 7: c->length = parquetthrift_int(t); break;
        case 9: data = parquetthrift_int(t); break;
        case 11: dictionary = parquetthrift_int(t); break;
        default: parquetthrift_skip(t, type);
        }
    }
    c->begin = dictionary > 0 && dictionary < data ? dictionary : data;
    return ours;
}

static bool read_chunk(ParquetThrift *t, const char *field, ParquetChunk *c)
{
    bool ours = false;
    int id = 0;
    for (int type; (type = parquetthrift_field(t, &id)) != 0;) {
        if (id == 3)
            ours = read_column(t, field, c);
        else
            parquetthrift_skip(t, type);
    }
    return ours;
}

static void read_group(Walk *w)
{
    int id = 0, item;
    for (int type; (type = parquetthrift_field(&w->t, &id)) != 0;) {
        if (id != 1) {
            parquetthrift_skip(&w->t, type);
            continue;
        }
        int64_t n = parquetthrift_list(&w->t, &item);
        for (int64_t i = 0; i < n && !w->t.bad; i++) {
            ParquetChunk c;
            if (read_chunk(&w->t, w->field, &c)) w->m->chunk[w->m->chunks] = c;
        }
    }
    w->m->chunks++;
}

static void read_groups(Walk *w, Arena *out)
{
    int type;
    int64_t n = parquetthrift_list(&w->t, &type);
    if (n > (w->t.end - w->t.at) / 8) w->t.bad = true; /* a row group takes more */
    if (w->t.bad) return;
    w->m->chunk = NEW(out, ParquetChunk, n);
    for (int64_t i = 0; i < n && !w->t.bad; i++) read_group(w);
}

static bool chunks_are_sound(const ParquetMeta *m, int64_t size)
{
    for (int64_t i = 0; i < m->chunks; i++) {
        const ParquetChunk *c = &m->chunk[i];
        if (c->begin < 4 || c->length < 0 || c->values < 0 || c->begin > size ||
            c->length > size - c->begin)
            return false;
    }
    return m->rows >= 0;
}

bool parquet_meta(ParquetMeta *m, Str footer, const char *field, int64_t size, Arena *out, Err *err)
{
    const unsigned char *at = (const unsigned char *)footer.at;
    Walk w = { .t = { at, at + footer.len, false }, .m = m, .field = field };
    *m = (ParquetMeta){ 0 };
    int id = 0;
    for (int type; (type = parquetthrift_field(&w.t, &id)) != 0;) {
        if (id == 2)
            read_schema(&w);
        else if (id == 3)
            m->rows = parquetthrift_int(&w.t);
        else if (id == 4 && !m->chunk)
            read_groups(&w, out);
        else
            parquetthrift_skip(&w.t, type);
    }
    if (w.t.bad) return err_set(err, ERR_FORMAT, "its footer is corrupted; copy it again");
    if (!w.text)
        return err_set(
            err, ERR_CONFIG,
            "the column \"%s\" %s (columns of text: %s); name the right one with --field", field,
            w.found ? "holds no single text a row" : "is not there",
            m->columns[0] ? m->columns : "none");
    return chunks_are_sound(m, size) ||
           err_set(err, ERR_FORMAT, "its footer points outside the file; copy it again");
}
