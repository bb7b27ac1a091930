/* json.c - libFuzzer: a line of JSON by our scanner and by jansson (tools/fuzz.sh).
 *
 * What jansson takes, ours takes, with the same text; what only ours takes is a number too large
 * for jansson, a name with a NUL in it, or nesting between their two limits. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "data/reader_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool may_differ(const char *why)
{
    static const char *const words[] = { "too big", "overflow", "NUL",     "nul",
                                         "\\u0000", "depth",    "too many" };
    for (int i = 0; i < COUNT(words); i++)
        if (strstr(why, words[i])) return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Str line = { (const char *)data, (ptrdiff_t)size };
    Buf text = { 0 };
    json_error_t why = { 0 };
    json_t *object = json_loadb(line.at, size, JSON_ALLOW_NUL, &why);
    ReaderJson got = readerjson_find(line, "text", &text);
    json_t *string = json_object_get(object, "text");
    if (json_is_object(object)) {
        if (got == READERJSON_BROKEN || (got == READERJSON_TEXT) != json_is_string(string)) abort();
        if (got == READERJSON_TEXT &&
            ((size_t)text.len != json_string_length(string) ||
             (text.len > 0 && memcmp(text.at, json_string_value(string), (size_t)text.len) != 0)))
            abort();
    } else if (got != READERJSON_BROKEN && !may_differ(why.text)) {
        abort();
    }
    json_decref(object);
    buf_free(&text);
    return 0;
}
