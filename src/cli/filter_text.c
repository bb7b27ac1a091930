/* filter_text.c - the table of what filters would leave out, for people.
 *
 * One column for each file that the text came from, as shares of its documents; rules that leave
 * out nothing anywhere are not shown.  Of what is mended or cut inside documents the number of
 * places stands there. */
#include "cli/filter_text.h"

#include <stdio.h>
#include <string.h>

enum { NAME_WIDTH = 30, WIDTH = 12 };

/* The end of a path, which tells more than its beginning. */
static void put_column_name(const char *path, Buf *out)
{
    const char *slash = strrchr(path, '/'), *name = slash && slash[1] ? slash + 1 : path;
    int n = (int)strlen(name);
    if (n > WIDTH - 1)
        buf_printf(out, " %.*s~", WIDTH - 2, name);
    else
        buf_printf(out, "%*s", WIDTH, name);
}

static double sum_of(const json_t *list)
{
    size_t i;
    json_t *n;
    double sum = 0;
    json_array_foreach(list, i, n) sum += json_number_value(n);
    return sum;
}

static void put_shares(const json_t *documents, const json_t *sources, Buf *out)
{
    size_t i;
    json_t *n;
    char text[32];
    double whole = sum_of(documents);
    json_array_foreach(documents, i, n)
    {
        double all = json_num(json_array_get(sources, i), "judged", 0);
        double share = all > 0 ? 100 * json_number_value(n) / all : 0;
        if (json_integer_value(n) == 0)
            snprintf(text, sizeof(text), "-");
        else
            snprintf(text, sizeof(text), "%.*f %%", share < 9.95 ? 1 : 0, MIN(share, 100.0));
        buf_printf(out, "%*s", WIDTH, text);
    }
    buf_printf(out, "%*s", WIDTH, str_count(text, whole));
}

static void put_places(const json_t *places, Buf *out)
{
    size_t i;
    json_t *n;
    char text[32];
    json_array_foreach(places, i, n)
    {
        double count = json_number_value(n);
        buf_printf(out, "%*s", WIDTH, count > 0 ? str_count(text, count) : "-");
    }
    buf_printf(out, "%*s", WIDTH, str_count(text, sum_of(places)));
}

/* One line of the text, without what a terminal would obey. */
static void put_excerpt(const char *text, Buf *out)
{
    enum { MOST = 90 };
    ptrdiff_t n = 0;
    for (const char *end = text + strlen(text); text < end && n < MOST; n++) {
        int len = MAX(utf8_len(text, end), 1);
        unsigned char c = (unsigned char)*text;
        if (c < 32 || c == 127)
            buf_char(out, ' ');
        else
            buf_put(out, text, len);
        text += len;
    }
}

static void put_examples(const json_t *rule, int most, Buf *out)
{
    size_t i;
    json_t *e;
    char number[32];
    json_array_foreach(json_object_get(rule, "examples"), i, e)
    {
        if ((int)i == most) break;
        const char *path = json_str(e, "path", "?"), *slash = strrchr(path, '/');
        double value = json_num(e, "value", 0);
        snprintf(number, sizeof(number), value == (double)(int64_t)value ? "%.0f" : "%.3f", value);
        buf_printf(out, "      %s: document %lld, %s at byte %lld: ", number,
                   (long long)json_int(e, "document", 0), slash ? slash + 1 : path,
                   (long long)json_int(e, "offset", 0));
        put_excerpt(json_str(e, "text", ""), out);
        buf_char(out, '\n');
    }
}

static void put_rule(const json_t *rule, const json_t *sources, int examples, Buf *out)
{
    char name[80], number[32];
    const json_t *documents = json_object_get(rule, "documents");
    const json_t *places = json_object_get(rule, "places");
    if (sum_of(documents) == 0) return;
    if (places)
        snprintf(name, sizeof(name), "  %s (places)", json_str(rule, "rule", "?"));
    else
        snprintf(name, sizeof(name), "  %s %s %s", json_str(rule, "rule", "?"),
                 json_str(rule, "sense", "?"), str_number(number, json_num(rule, "threshold", 0)));
    buf_printf(out, "  %-*s", NAME_WIDTH, name);
    if (places)
        put_places(places, out);
    else
        put_shares(documents, sources, out);
    buf_char(out, '\n');
    put_examples(rule, examples, out);
}

static void put_header(const json_t *table, Buf *out)
{
    size_t i;
    json_t *source;
    char bytes[32];
    const json_t *seen = json_object_get(table, "judged");
    buf_printf(out, "what each filter alone would leave out (share of documents)");
    if (json_int(seen, "documents", 0) < json_int(table, "documents", 0))
        buf_printf(out, ", by a sample of %lld documents, %s",
                   (long long)json_int(seen, "documents", 0),
                   str_bytes(bytes, json_num(seen, "bytes", 0)));
    buf_printf(out, "\n  %-*s", NAME_WIDTH, "");
    json_array_foreach(json_object_get(table, "sources"), i, source)
        put_column_name(json_str(source, "name", "?"), out);
    buf_printf(out, "%*s\n", WIDTH, "in all");
}

void filter_text(const json_t *table, int examples, Buf *out)
{
    size_t i, k;
    json_t *filter, *rule;
    const json_t *sources = json_object_get(table, "sources");
    put_header(table, out);
    json_array_foreach(json_object_get(table, "filters"), i, filter)
    {
        buf_printf(out, "  %-*s", NAME_WIDTH, json_str(filter, "filter", "?"));
        put_shares(json_object_get(filter, "documents"), sources, out);
        buf_char(out, '\n');
        json_array_foreach(json_object_get(filter, "rules"), k, rule)
            put_rule(rule, sources, examples, out);
    }
}
