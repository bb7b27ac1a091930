/* audit_parts.c - which file each document came from, as far as files are sources.
 *
 * A data set made of three .jsonl has three parts.  Of a folder with a thousand files each is one
 * document, and the folders that they lie in are the parts; where there are too many of those
 * too, there are none. */
#include <string.h>

#include "data/audit_inside.h"

enum { PARTS = 64 };

static const json_t *file_number(const Audit *a, int64_t number)
{
    size_t i;
    const json_t *addition;
    json_array_foreach(json_object_get(a->manifest, "additions"), i, addition)
    {
        const json_t *files = json_object_get(addition, "files");
        int64_t n = (int64_t)json_array_size(files);
        if (number < n) return json_array_get(files, (size_t)number);
        number -= n;
    }
    return NULL;
}

const char *audit_file(const Audit *a, int64_t number)
{
    return json_str(file_number(a, number), "path", NULL);
}

static int part_named(Audit *a, Str name)
{
    for (int i = 0; i < a->parts; i++)
        if (str_eq(str_of(a->part_name[i]), name)) return i;
    if (a->parts == PARTS) return -1;
    a->part_name[a->parts] = arena_str(a->arena, name);
    return a->parts++;
}

/* False if there are more than can be told apart. */
static bool sort_by(Audit *a, bool folder)
{
    a->parts = 0;
    for (int64_t i = 0; i < a->docs.count; i++) {
        int64_t file = origin_get(buf_view(&a->origins), i).file;
        const char *path = file >= 0 ? audit_file(a, file) : NULL;
        const char *slash = path && folder ? strrchr(path, '/') : NULL;
        a->part[i] = -1;
        if (!path) continue;
        Str name = slash ? (Str){ path, slash - path } : str_of(path);
        a->part[i] = part_named(a, name);
        if (a->part[i] < 0) return false;
    }
    return true;
}

void audit_parts(Audit *a)
{
    a->part = NEW(a->arena, int, a->docs.count);
    a->part_name = NEW(a->arena, const char *, PARTS);
    if (sort_by(a, false) || sort_by(a, true)) return;
    a->parts = 0;
    for (int64_t i = 0; i < a->docs.count; i++) a->part[i] = -1;
}
