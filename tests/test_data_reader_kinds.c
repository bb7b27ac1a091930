/* Readers of one kind each: pages, web archives, Parquet. */
#include <zlib.h>

#include "base/hash.h"
#include "base/progress.h"
#include "data/parquet.h"
#include "data/reader.h"
#include "data/reader_html.h"
#include "tests/parquet_files.h"
#include "tests/test.h"

/* What was read: "offset:text|" for each document. */
static void take_begin(void *self, int64_t file, int64_t offset)
{
    (void)file;
    buf_printf(self, "%lld:", (long long)offset);
}

static bool take_part(void *self, Str bytes, Err *err)
{
    (void)err;
    buf_str(self, bytes);
    return true;
}

static bool take_end(void *self, Err *err)
{
    (void)err;
    buf_char(self, '|');
    return true;
}

static const char *put(const char *name, Str bytes)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", test_folder(), name);
    FILE *f = fopen(path, "wb");
    EXPECT(f && fwrite(bytes.at, 1, (size_t)bytes.len, f) == (size_t)bytes.len && fclose(f) == 0);
    return path;
}

static bool read_path(const char *path, const char *field, Buf *out, json_t **report, Err *err)
{
    progress_quiet(true);
    *err = (Err){ 0 };
    buf_clear(out);
    ReaderJob job = { .paths = &path,
                      .n_paths = 1,
                      .field = field,
                      .sink = { take_begin, take_part, take_end, out } };
    return reader_run(&job, report, err);
}

/* Documents `want`; the number of bad lines is returned. */
static int64_t expect_read(const char *path, const char *field, const char *want)
{
    Buf got = { 0 };
    Err err;
    json_t *report = NULL;
    bool ok = read_path(path, field, &got, &report, &err);
    EXPECT_MSG(ok, "%s: %s", path, err.msg);
    EXPECT_MSG(ok && str_eq(buf_view(&got), str_of(want)), "%s:\n%.*s", path, (int)got.len, got.at);
    int64_t bad = json_int(json_array_get(json_object_get(report, "files"), 0), "bad_lines", -1);
    json_decref(report);
    buf_free(&got);
    return bad;
}

static void expect_refused(const char *path, const char *field, const char *words)
{
    Buf got = { 0 };
    Err err;
    json_t *report;
    EXPECT(!read_path(path, field, &got, &report, &err));
    EXPECT_MSG(strstr(err.msg, words), "%s", err.msg);
    buf_free(&got);
}

/* ---- pages ---- */

TEST(of_a_page_the_visible_text_is_read)
{
    static const struct {
        const char *page, *text;
    } cases[] = {
        { "plain", "plain" },
        { "<p>one</p><p>two</p>", "one\n\ntwo" },
        { "a  \n b\t<b>c</b>d", "a b cd" },
        { "x<script>if (a < b) document.write('</p>')</script>y", "xy" },
        { "x<STYLE>p{}</style >y", "xy" },
        { "<title>T</title><h1>H</h1>text<br>line", "H\n\ntext\nline" },
        { "a<!-- <p>no</p> -->b<!---->c<!doctype html>d", "abcd" },
        { "1 < 2 and 3 <4", "1 < 2 and 3 <4" },
        { "&lt;p&gt; caf&eacute; &#233;&#xE9; &#147;q&#148; &Omega;&hellip;",
          "<p> caf\xc3\xa9 \xc3\xa9\xc3\xa9 \xe2\x80\x9cq\xe2\x80\x9d \xce\xa9\xe2\x80\xa6" },
        { "AT&T &unknown; & &#; &#x110000; &frac14;",
          "AT&T &unknown; & &#; \xef\xbf\xbd \xc2\xbc" },
        { "<pre>  a\n   b</pre>c  d", "  a\n   b\n\nc d" },
        { "<ul><li>one<li>two</ul>", "one\ntwo" },
        { "<td>1</td><td>2</td><tr><td>3", "1 2\n3" },
        { "<a href=\"x>y\" title='<p>'>link</a>", "link" },
        { "<div hidden>secret<div>in</div></div>shown", "shown" },
        { "<div hidden>never closed", "never closed" },
        { "<svg><text>no</text></svg>yes<noscript>enable it</noscript>", "yes" },
        { "<p>cut off in a <a href='", "cut off in a" },
        { "<", "<" },
        { "", "" },
    };
    for (int i = 0; i < COUNT(cases); i++) {
        Buf got = { 0 };
        reader_html_text(str_of(cases[i].page), &got);
        EXPECT_MSG(str_eq(buf_view(&got), str_of(cases[i].text)), "%s gives \"%.*s\"",
                   cases[i].page, (int)got.len, got.at);
        buf_free(&got);
    }
}

TEST(a_page_that_is_not_utf8_is_windows_1252)
{
    expect_read(put("old.html", STR("<html><p>caf\xe9 \x93quoted\x94 \x80")), NULL,
                "0:caf\xc3\xa9 \xe2\x80\x9cquoted\xe2\x80\x9d \xe2\x82\xac|");
    expect_read(put("new.htm", STR("<html><p>caf\xc3\xa9")), NULL, "0:caf\xc3\xa9|");
    expect_read(put("page", STR("<!DOCTYPE html><p>by its first bytes")), NULL,
                "0:by its first bytes|");
}

/* Time grows with the page, not with its square: what breaks is a test that hangs. */
TEST(a_hostile_page_is_one_pass)
{
    static const char *const pieces[] = { "<svg>",    "<div hidden>", "<!--", "<a b='",
                                          "<script>", "&#",           "<",    "<title><" };
    for (int i = 0; i < COUNT(pieces); i++) {
        Buf page = { 0 }, got = { 0 };
        for (int k = 0; k < 300000; k++) buf_str(&page, str_of(pieces[i]));
        reader_html_text(buf_view(&page), &got);
        buf_free(&page);
        buf_free(&got);
    }
}

/* ---- web archives ---- */

#define INFO "WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 4\r\n\r\ninfo\r\n\r\n"
#define TEXT(n, text)                                                                              \
    "WARC/1.0\r\nWARC-Type: conversion\r\nContent-Type: text/plain\r\nContent-Length: " n          \
    "\r\n\r\n" text "\r\n\r\n"

TEST(of_wet_the_text_of_each_conversion_is_read_as_it_is)
{
    const char *file = INFO TEXT("8", "one\ntwo\n") TEXT("5", "WARC/");
    char want[64];
    int first = sizeof(INFO) - 1;
    snprintf(want, sizeof(want), "%d:one\ntwo\n|%d:WARC/|", first,
             first + (int)sizeof(TEXT("8", "one\ntwo\n")) - 1);
    expect_read(put("a.warc.wet", str_of(file)), NULL, want);
    expect_read(put("no-suffix", str_of(file)), NULL, want);
}

TEST(of_warc_the_pages_are_read_and_what_is_packed_is_counted)
{
    const char *page = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>seen";
    const char *packed =
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: br\r\n\r\nxxxx";
    const char *moved = "HTTP/1.1 301 Moved\r\nContent-Type: text/html\r\n\r\n<p>elsewhere";
    const char *picture = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\nxx";
    const char *all[] = { page, packed, moved, picture };
    Buf file = { 0 };
    for (int i = 0; i < COUNT(all); i++)
        buf_printf(&file,
                   "WARC/1.1\r\nwarc-type: response\r\ncontent-length: %zu\r\n\r\n%s\r\n\r\n",
                   strlen(all[i]), all[i]);
    EXPECT(expect_read(put("b.warc", buf_view(&file)), NULL, "0:seen|") == 2);
    buf_free(&file);
}

TEST(an_archive_cut_short_or_of_something_else_is_refused)
{
    const char *file = INFO TEXT("8", "one\ntwo\n");
    for (ptrdiff_t keep = 1; keep < (ptrdiff_t)strlen(file) - 4; keep++) {
        Buf got = { 0 };
        Err err;
        json_t *report = NULL;
        bool ok = read_path(put("c.wet", (Str){ file, keep }), NULL, &got, &report, &err);
        bool whole = keep >= (ptrdiff_t)sizeof(INFO) - 5 && keep <= (ptrdiff_t)sizeof(INFO) - 1;
        EXPECT_MSG(ok == whole, "%td bytes of %zu: %s", keep, strlen(file), ok ? "read" : err.msg);
        if (ok) json_decref(report);
        buf_free(&got);
    }
    expect_refused(put("d.wet", STR("just some text\n")), NULL, "no web archive");
    expect_refused(put("e.wet", STR("WARC/1.0\r\nWARC-Type: conversion\r\n\r\n")), NULL,
                   "says no length");
    expect_refused(put("f.wet", STR("WARC/1.0\r\nContent-Length: 99999999999999\r\n\r\nx")), NULL,
                   "cut short");
}

/* ---- Parquet ---- */

#define FILE_OF(name) ((Str){ (const char *)parquet_##name, sizeof(parquet_##name) })

static const struct {
    const char *name, *field;
    Str bytes;
} parquet[] = {
    { "hyparquet", NULL, FILE_OF(hy_snappy) },
    { "duckdb", "text", FILE_OF(duck_gzip) },
    { "dictionary", NULL, FILE_OF(wasm_none_v1_d1_s) },
    { "version 2", NULL, FILE_OF(wasm_zstd_v2_d1_s) },
    { "nested", "doc.body", FILE_OF(duck_nested) },
};

TEST(parquet_of_three_writers_has_the_rows_that_were_written)
{
    Buf want = { 0 };
    for (int i = 0; i < COUNT(parquet_rows); i++)
        if (parquet_rows[i]) buf_printf(&want, "%d:%s|", i, parquet_rows[i]);
    for (int i = 0; i < COUNT(parquet); i++)
        EXPECT(expect_read(put("x.parquet", parquet[i].bytes), parquet[i].field, want.at) == 1);
    buf_free(&want);
}

TEST(parquet_packed_or_from_a_pipe_is_copied_first)
{
    Buf want = { 0 };
    for (int i = 0; i < COUNT(parquet_rows); i++)
        if (parquet_rows[i]) buf_printf(&want, "%d:%s|", i, parquet_rows[i]);
    char path[256];
    snprintf(path, sizeof(path), "%s/y.parquet.gz", test_folder());
    gzFile f = gzopen(path, "wb");
    EXPECT(f && gzwrite(f, parquet_hy_snappy, sizeof(parquet_hy_snappy)) > 0 && gzclose(f) == Z_OK);
    expect_read(path, NULL, want.at);
    buf_free(&want);
}

TEST(a_parquet_column_that_is_not_there_is_answered_with_those_that_are)
{
    expect_refused(put("x.parquet", FILE_OF(hy_snappy)), "body", "columns of text: text");
    expect_refused(put("x.parquet", FILE_OF(duck_nested)), NULL, "columns of text: doc.body");
    expect_refused(put("x.parquet", FILE_OF(hy_snappy)), "id", "holds no single text");
}

/* No crash and no hang whatever is broken; what is cut off is always refused. */
TEST(broken_parquet_is_refused_or_read_and_nothing_else)
{
    uint64_t x = 1;
    for (int i = 0; i < COUNT(parquet); i++) {
        Str bytes = parquet[i].bytes;
        Buf got = { 0 };
        Err err;
        json_t *report;
        for (ptrdiff_t keep = 1; keep < bytes.len; keep += 7)
            EXPECT(!read_path(put("z.parquet", (Str){ bytes.at, keep }), parquet[i].field, &got,
                              &report, &err));
        char *copy = malloc((size_t)bytes.len);
        for (int round = 0; round < 300; round++) {
            memcpy(copy, bytes.at, (size_t)bytes.len);
            for (int k = 0; k < 1 + round % 4; k++) {
                x = hash64_mix(x + 1);
                copy[x % (uint64_t)bytes.len] ^= (char)(1 << (x >> 32) % 8);
            }
            if (read_path(put("z.parquet", (Str){ copy, bytes.len }), parquet[i].field, &got,
                          &report, &err))
                json_decref(report);
        }
        free(copy);
        buf_free(&got);
    }
}

/* A map of 2^62 truths for each other, in eleven bytes; and one that is as long as it says. */
TEST(a_map_without_end_in_a_footer_ends_at_the_end_of_the_footer)
{
    static const unsigned char endless[] = "\xff\xff\xff\xff\xff\xff\xff\xff\x3f\x11\1";
    static const unsigned char sound[] = "\x02\x15\1\x7f\2\x05";
    ParquetThrift t = { .at = endless, .end = endless + sizeof(endless) - 1 };
    parquetthrift_skip(&t, 11);
    EXPECT(t.bad);
    t = (ParquetThrift){ .at = sound, .end = sound + sizeof(sound) - 1 };
    parquetthrift_skip(&t, 11);
    EXPECT(!t.bad && t.at == t.end);
}

/* Against the rules of the format, written by hand. */
TEST(snappy_literals_and_overlapping_copies_unpack)
{
    static const struct {
        Str packed, text;
    } cases[] = {
        { { "\x05\x10hello", 7 }, { "hello", 5 } },
        { { "\x0a\x04"
            "ab\x1e\x02\x00",
            7 },
          { "ababababab", 10 } },
        { { "\x08\x04"
            "xy\x09\x02",
            6 },
          { "xyxyxyxy", 8 } },
        { { "\x00", 1 }, { "", 0 } },
    };
    char out[64];
    for (int i = 0; i < COUNT(cases); i++) {
        Str p = cases[i].packed, t = cases[i].text;
        EXPECT_MSG(parquet_unsnappy(p, t.len, out) && memcmp(out, t.at, (size_t)t.len) == 0, "%d",
                   i);
        EXPECT(!parquet_unsnappy(p, t.len + 1, out));
        EXPECT(t.len == 0 || !parquet_unsnappy((Str){ p.at, p.len - 1 }, t.len, out));
    }
    EXPECT(!parquet_unsnappy(STR("\x04\x01\x05"), 4, out)); /* from before the beginning */
}

TEST(runs_of_numbers_are_those_of_the_formats_own_example)
{
    /* 0 to 7 in three bits, as parquet-format's Encodings.md lists them; then 1000 times five. */
    static const unsigned char bytes[] = { 0x03, 0x88, 0xc6, 0xfa, 0xd0, 0x0f, 0x05 };
    ParquetRuns r = parquetruns_new((Str){ (const char *)bytes, sizeof(bytes) }, 3);
    for (uint32_t i = 0; i < 8; i++) EXPECT(parquetruns_next(&r) == i);
    for (int i = 0; i < 1000; i++) EXPECT(parquetruns_next(&r) == 5);
    EXPECT(!r.bad);
    (void)parquetruns_next(&r);
    EXPECT(r.bad);
}
