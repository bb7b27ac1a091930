/* data_text.c - a data set's manifest as a table for people. */
#include "cli/data_text.h"

#include "data/corpus.h"

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

static void put_row(const char *name, const json_t *part, Buf *out)
{
    char documents[32], bytes[32];
    double error = json_num(part, "sampling_error", -1);
    buf_printf(out, "  %-10s %9s document%s %10s", name,
               str_count(documents, json_num(part, "documents", 0)),
               json_int(part, "documents", 0) == 1 ? " " : "s",
               str_bytes(bytes, json_num(part, "bytes", 0)));
    if (error >= 0) buf_printf(out, "   sampling error %.2f %%", 100 * error);
    buf_char(out, '\n');
}

/* The first few, and whether there are more. */
static void put_names(const json_t *names, int64_t count, Buf *out)
{
    enum { SHOWN = 3 };
    size_t n = MIN(json_array_size(names), (size_t)SHOWN);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%s", i ? ", " : " (", json_string_value(json_array_get(names, i)));
    if (n > 0) buf_str(out, count > (int64_t)n ? STR(", ...)") : STR(")"));
}

static void put_count(int64_t n, const char *what, const char *tail, Buf *out)
{
    if (n > 0) buf_printf(out, "  %lld %s%s%s\n", (long long)n, what, plural(n), tail);
}

static void put_bad_lines(const json_t *files, Buf *out)
{
    size_t i, k;
    json_t *file, *line;
    json_array_foreach(files, i, file)
    {
        int64_t bad = json_int(file, "bad_lines", 0);
        if (bad == 0) continue;
        buf_printf(out, "  %lld line%s of %s without text: ", (long long)bad, plural(bad),
                   json_str(file, "path", "?"));
        json_array_foreach(json_object_get(file, "first_bad_lines"), k, line)
            buf_printf(out, "%s%lld", k ? ", " : "", (long long)json_integer_value(line));
        buf_str(out, bad > (int64_t)k ? STR(", ...\n") : STR("\n"));
    }
}

static void put_broken(const json_t *files, Buf *out)
{
    size_t i, k;
    json_t *file, *at;
    json_array_foreach(files, i, file)
    {
        int64_t n = json_int(file, "broken_utf8", 0);
        if (n == 0) continue;
        buf_printf(out, "  %lld document%s of %s not UTF-8 throughout, kept as read: at byte ",
                   (long long)n, plural(n), json_str(file, "path", "?"));
        json_array_foreach(json_object_get(file, "first_broken_utf8"), k, at)
            buf_printf(out, "%s%lld", k ? ", " : "", (long long)json_integer_value(at));
        buf_str(out, n > (int64_t)k ? STR(", ...\n") : STR("\n"));
    }
}

static void put_skipped(const json_t *skipped, Buf *out)
{
    const char *kind;
    json_t *entry;
    json_object_foreach((json_t *)skipped, kind, entry)
    {
        int64_t files = json_int(entry, "files", 0);
        buf_printf(out, "  %lld file%s not read: %s", (long long)files, plural(files), kind);
        put_names(json_object_get(entry, "names"), files, out);
        buf_char(out, '\n');
    }
}

static void put_searched(const json_t *clean, Buf *out)
{
    char bytes[32];
    int64_t documents = json_int(clean, "documents", 0), passages = json_int(clean, "passages", 0);
    put_count(json_int(clean, "near_duplicates", 0), "near-duplicate",
              " of held-out documents left out", out);
    if (passages == 0) return;
    buf_printf(out,
               "  %lld passage%s of %lld words and more that %s held out cut from %lld document%s",
               (long long)passages, plural(passages), (long long)json_int(clean, "words", 0),
               passages == 1 ? "is" : "are", (long long)documents, plural(documents));
    buf_printf(out, ", %s in all", str_bytes(bytes, json_num(clean, "bytes", 0)));
    put_names(json_object_get(clean, "names"), documents, out);
    buf_char(out, '\n');
}

static void put_addition(const json_t *a, Buf *out)
{
    const json_t *twice = json_object_get(a, "duplicates");
    put_skipped(json_object_get(a, "skipped"), out);
    put_bad_lines(json_object_get(a, "files"), out);
    put_broken(json_object_get(a, "files"), out);
    put_count(json_int(twice, "exact", 0), "exact duplicate", " left out", out);
    put_count(json_int(twice, "blank", 0), "document", " without a word left out", out);
    put_count(json_int(twice, "near", 0), "near-duplicate", " kept where the first one is", out);
    put_searched(json_object_get(a, "decontaminated"), out);
}

void data_text_line(const json_t *m, Buf *out)
{
    char documents[32], bytes[32], train[32];
    buf_printf(out, "%-20s %9s document%s %10s, %s to train on\n", json_str(m, "name", "?"),
               str_count(documents, json_num(m, "documents", 0)),
               json_int(m, "documents", 0) == 1 ? " " : "s",
               str_bytes(bytes, json_num(m, "bytes", 0)),
               str_bytes(train, json_num(json_object_get(m, "train"), "bytes", 0)));
}

static bool is_small(const json_t *m)
{
    const json_t *tiers = json_object_get(m, "tiers");
    for (int t = 0; t < TIER_COUNT; t++)
        if (json_int(json_object_get(tiers, tier_name[t]), "documents", 0) < 30) return true;
    return false;
}

void data_text(const json_t *m, Buf *out)
{
    char gap[32];
    size_t i;
    json_t *addition;
    data_text_line(m, out);
    put_row("train", json_object_get(m, "train"), out);
    for (int t = 0; t < TIER_COUNT; t++)
        put_row(tier_name[t], json_object_get(json_object_get(m, "tiers"), tier_name[t]), out);
    if (is_small(m))
        buf_str(out,
                STR("  a tier of fewer than 30 documents can tell only large differences; more "
                    "text in a new data set helps\n"));
    const json_t *cutting = json_object_get(m, "cutting");
    double gaps = json_num(cutting, "gap_bytes", 0);
    if (gaps > 0) buf_printf(out, "  %s discarded between tiers\n", str_bytes(gap, gaps));
    put_count(json_int(cutting, "given_back", 0), "passage",
              " not held out, as another data set trains on the same", out);
    json_array_foreach(json_object_get(m, "additions"), i, addition) put_addition(addition, out);
}
