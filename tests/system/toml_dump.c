/* toml_dump.c - prints what our reader makes of a TOML file, for tests/system/toml.sh.
 *
 * One JSON document: {"name": [type, text]} with arrays as ["array", [[type, text], ...]]. */
#include <stdio.h>

#include "base/file.h"
#include "base/json.h"
#include "base/toml.h"

static json_t *item_json(const TomlItem *item)
{
    static const char *const type[] = { "string", "integer", "float", "bool", "array" };
    json_t *pair = json_array();
    json_array_append_new(pair, json_string(type[item->type]));
    if (item->type != TOML_ARRAY) {
        json_array_append_new(pair, json_text(item->text));
        return pair;
    }
    json_t *list = json_array();
    for (int i = 0; i < item->count; i++) json_array_append_new(list, item_json(&item->items[i]));
    json_array_append_new(pair, list);
    return pair;
}

/* Reads "LENGTH\n" and that many bytes from stdin, again and again; answers one line each. */
int main(void)
{
    for (long len; scanf("%ld", &len) == 1;) {
        Arena arena = arena_reserve(1 << 26);
        Err err = { 0 };
        TomlItem *items;
        int count;
        char *text = NEW(&arena, char, len + 1);
        Buf out = { 0 };
        if (getchar() != '\n' || fread(text, 1, (size_t)len, stdin) != (size_t)len) return 1;
        json_t *all = json_object();
        if (toml_parse((Str){ text, len }, "in", &arena, &items, &count, &err)) {
            for (int i = 0; i < count; i++)
                json_object_set_new(all, items[i].name, item_json(&items[i]));
        } else {
            json_decref(all);
            all = json_text(str_of(err.msg));
        }
        json_write(all, false, &out);
        printf("%s\n", out.at);
        fflush(stdout);
        json_decref(all);
        buf_free(&out);
        arena_release(&arena);
    }
    return 0;
}
