/* json.c - jansson for reading and for values in memory, and a writer of our own.
 *
 * The writer exists because some documents are hashed and their text must not depend on
 * which jansson a machine has: versions differ in how they print 0.1.  Here a real is the
 * shortest text that reads back to the same double, with ".0" where it would otherwise read
 * back as an integer. */
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

json_t *json_read(Str text, const char *what, Err *err)
{
    json_error_t e;
    size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_t *value = json_loadb(text.at ? text.at : "", (size_t)text.len, flags, &e);
    if (!value) err_set(err, ERR_FORMAT, "%s is not JSON: line %d: %s", what, e.line, e.text);
    return value;
}

json_t *json_read_file(const char *path, Err *err)
{
    Buf text = { 0 };
    json_t *value = file_read(path, &text, err) ? json_read(buf_view(&text), path, err) : NULL;
    buf_free(&text);
    return value;
}

static void put_string(Buf *out, const char *s, size_t len)
{
    buf_char(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        const char *plain = "\b\f\n\r\t\"\\", *letter = "bfnrt\"\\";
        const char *hit = c ? strchr(plain, c) : NULL;
        if (hit)
            buf_char(out, '\\'), buf_char(out, letter[hit - plain]);
        else if (c < 0x20)
            buf_printf(out, "\\u%04x", c);
        else
            buf_char(out, (char)c);
    }
    buf_char(out, '"');
}

static void put_real(Buf *out, double x)
{
    char text[32];
    str_number(text, x);
    buf_str(out, str_of(text));
    if (!strpbrk(text, ".e")) buf_str(out, STR(".0"));
}

static void put_break(Buf *out, bool indent, int depth)
{
    if (!indent) return;
    buf_char(out, '\n');
    for (int i = 0; i < depth; i++) buf_str(out, STR("  "));
}

static void put_value(Buf *out, const json_t *v, bool indent, int depth);

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted for the hash; in the order of insertion for people. */
static void put_object(Buf *out, json_t *v, bool indent, int depth)
{
    size_t n = json_object_size(v), at = 0;
    const char **keys = calloc(n + 1, sizeof(*keys)), *key;
    CHECK(keys, "a JSON object of %zu members", n);
    json_t *member;
    json_object_foreach(v, key, member) keys[at++] = key;
    if (!indent) qsort(keys, n, sizeof(*keys), by_key);
    buf_char(out, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0) buf_char(out, ',');
        put_break(out, indent, depth + 1);
        put_string(out, keys[i], strlen(keys[i]));
        buf_str(out, indent ? STR(": ") : STR(":"));
        put_value(out, json_object_get(v, keys[i]), indent, depth + 1);
    }
    if (n > 0) put_break(out, indent, depth);
    buf_char(out, '}');
    free(keys);
}

static void put_array(Buf *out, const json_t *v, bool indent, int depth)
{
    size_t n = json_array_size(v);
    bool flat = true; /* an array of numbers or texts stays on one line */
    for (size_t i = 0; i < n; i++)
        flat =
            flat && !json_is_object(json_array_get(v, i)) && !json_is_array(json_array_get(v, i));
    buf_char(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0) buf_str(out, flat && indent ? STR(", ") : STR(","));
        if (!flat) put_break(out, indent, depth + 1);
        put_value(out, json_array_get(v, i), indent, depth + 1);
    }
    if (n > 0 && !flat) put_break(out, indent, depth);
    buf_char(out, ']');
}

static void put_value(Buf *out, const json_t *v, bool indent, int depth)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT: put_object(out, (json_t *)(uintptr_t)v, indent, depth); break;
    case JSON_ARRAY: put_array(out, v, indent, depth); break;
    case JSON_STRING: put_string(out, json_string_value(v), json_string_length(v)); break;
    case JSON_INTEGER: buf_printf(out, "%lld", (long long)json_integer_value(v)); break;
    case JSON_REAL: put_real(out, json_real_value(v)); break;
    case JSON_TRUE: buf_str(out, STR("true")); break;
    case JSON_FALSE: buf_str(out, STR("false")); break;
    case JSON_NULL: buf_str(out, STR("null")); break;
    }
}

void json_write(const json_t *value, bool indent, Buf *out)
{
    CHECK(value, "a JSON document that was never made");
    put_value(out, value, indent, 0);
}

bool json_write_file(const char *path, const json_t *value, Err *err)
{
    Buf text = { 0 };
    json_write(value, true, &text);
    buf_char(&text, '\n');
    bool ok = file_write_whole(path, buf_view(&text), err);
    buf_free(&text);
    return ok;
}

json_t *json_text(Str s)
{
    Buf clean = { 0 };
    buf_room(&clean, s.len);
    for (ptrdiff_t i = 0; i < s.len;) {
        int n = utf8_len(s.at + i, s.at + s.len);
        if (n > 0)
            buf_put(&clean, s.at + i, n);
        else
            buf_str(&clean, STR("\xEF\xBF\xBD"));
        i += MAX(n, 1);
    }
    json_t *text = json_stringn(clean.at, (size_t)clean.len);
    buf_free(&clean);
    CHECK(text, "a JSON string of %td bytes", s.len);
    return text;
}

double json_num(const json_t *object, const char *key, double fallback)
{
    const json_t *v = json_object_get(object, key);
    return json_is_number(v) ? json_number_value(v) : fallback;
}

int64_t json_int(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *v = json_object_get(object, key);
    if (json_is_integer(v)) return json_integer_value(v);
    double x = json_is_real(v) ? json_real_value(v) : 0.5;
    return x == floor(x) && fabs(x) <= 0x1p53 ? (int64_t)x : fallback;
}

const char *json_str(const json_t *object, const char *key, const char *fallback)
{
    const json_t *v = json_object_get(object, key);
    return json_is_string(v) ? json_string_value(v) : fallback;
}

json_t *json_num_of(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}
