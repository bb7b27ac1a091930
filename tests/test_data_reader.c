/* Readers: what comes out of plain, compressed, broken and unreadable files. */
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

#include "base/file.h"
#include "base/progress.h"
#include "data/reader.h"
#include "data/reader_json.h"
#include "tests/test.h"

/* Everything that was read: documents with '|' behind each. */
typedef struct Taken {
    Buf text;
    int64_t documents, parts, longest_part;
    int64_t file, offset; /* of the last one */
} Taken;

static void take_begin(void *self, int64_t file, int64_t offset)
{
    Taken *t = self;
    t->file = file;
    t->offset = offset;
}

static bool take_part(void *self, Str bytes, Err *err)
{
    Taken *t = self;
    (void)err;
    buf_str(&t->text, bytes);
    t->parts++;
    t->longest_part = MAX(t->longest_part, (int64_t)bytes.len);
    return true;
}

static bool take_end(void *self, Err *err)
{
    Taken *t = self;
    (void)err;
    buf_char(&t->text, '|');
    t->documents++;
    return true;
}

static char *path_of(const char *name)
{
    static char path[4][256];
    static int turn;
    char *out = path[turn++ % 4];
    snprintf(out, sizeof(path[0]), "%s/%s", test_folder(), name);
    return out;
}

static const char *put(const char *name, Str bytes)
{
    Err err = { 0 };
    const char *path = path_of(name);
    char folder[256];
    snprintf(folder, sizeof(folder), "%s", path);
    *strrchr(folder, '/') = 0;
    EXPECT(file_make_dirs(folder, &err) && file_write_whole(path, bytes, &err));
    return path;
}

static bool run(const char *path, const char *field, Taken *t, json_t **report, Err *err)
{
    progress_quiet(true);
    *t = (Taken){ 0 };
    *err = (Err){ 0 };
    ReaderJob job = {
        .paths = &path, .n_paths = 1, .field = field, .sink = { take_begin, take_part, take_end, t }
    };
    return reader_run(&job, report, err);
}

static void expect_read(const char *path, const char *field, Str want)
{
    Taken t;
    Err err;
    json_t *report;
    if (!run(path, field, &t, &report, &err)) {
        EXPECT_MSG(false, "%s", err.msg);
        return;
    }
    EXPECT_MSG(str_eq(buf_view(&t.text), want), "%s gave %.*s", path, (int)t.text.len, t.text.at);
    json_decref(report);
    buf_free(&t.text);
}

static void expect_refused(const char *path, const char *field, ErrCode code, const char *words)
{
    Taken t;
    Err err;
    json_t *report;
    EXPECT(!run(path, field, &t, &report, &err) && report == NULL);
    EXPECT_MSG(err.code == code && strstr(err.msg, words), "said: %s", err.msg);
    buf_free(&t.text);
}

static Str gzip_of(Str text, char *room, ptrdiff_t cap)
{
    z_stream z = { 0 };
    EXPECT(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    z.next_in = (unsigned char *)text.at, z.avail_in = (unsigned)text.len;
    z.next_out = (unsigned char *)room, z.avail_out = (unsigned)cap;
    EXPECT(deflate(&z, Z_FINISH) == Z_STREAM_END);
    Str out = { room, cap - (ptrdiff_t)z.avail_out };
    deflateEnd(&z);
    return out;
}

static Str zstd_of(Str text, char *room, ptrdiff_t cap)
{
    size_t n = ZSTD_compress(room, (size_t)cap, text.at, (size_t)text.len, 3);
    return (Str){ room, (ptrdiff_t)n };
}

TEST(a_text_file_is_one_document_byte_for_byte)
{
    expect_read(put("a.txt", STR("one\n\ntwo \0 NUL \xff\xfe broken\n")), NULL,
                STR("one\n\ntwo \0 NUL \xff\xfe broken\n|"));
    expect_read(put("a.md", STR("# head\n")), NULL, STR("# head\n|"));
    expect_read(put("SHOUT.TXT", STR("loud")), NULL, STR("loud|"));
}

TEST(jsonl_gives_a_document_a_line_decoded_by_the_rules_of_json)
{
    expect_read(
        put("b.jsonl", STR("{\"text\":\"a\\u00e9\\n\\u0000z\"}\n\n{\"text\":\"\xc3\xa9\"}")), NULL,
        STR("a\xc3\xa9\n\0z|\xc3\xa9|"));
}

TEST(the_field_of_jsonl_may_be_named_and_lie_deep)
{
    const char *path = put("c.jsonl", STR("{\"doc\":{\"body\":\"deep\"},\"text\":\"flat\"}\n"));
    expect_read(path, NULL, STR("flat|"));
    expect_read(path, "doc.body", STR("deep|"));
    expect_refused(path, "body", ERR_CONFIG, "(the first has: doc, text)");
}

TEST(bad_lines_are_left_out_counted_and_named_by_number)
{
    const char *path =
        put("d.jsonl", STR("{\"text\":\"good\"}\nnot json\n{\"text\":7}\n{\"other\":\"x\"}\n"
                           "{\"text\":\"broken \xff\"}\n{\"text\":\"also\"}\n{\"text\":\"cut"));
    Taken t;
    Err err;
    json_t *report;
    EXPECT(run(path, NULL, &t, &report, &err));
    EXPECT(str_eq(buf_view(&t.text), STR("good|also|")));
    json_t *file = json_array_get(json_object_get(report, "files"), 0);
    EXPECT(json_int(file, "bad_lines", 0) == 5 && json_int(file, "documents", 0) == 2);
    json_t *lines = json_object_get(file, "first_bad_lines");
    const int want[] = { 2, 3, 4, 5, 7 };
    for (int i = 0; i < 5; i++)
        EXPECT(json_integer_value(json_array_get(lines, (size_t)i)) == want[i]);
    json_decref(report);
    buf_free(&t.text);
}

TEST(gzip_and_zstd_are_unpacked_also_in_several_members)
{
    char room[1000];
    Str one = gzip_of(STR("first "), room, 500);
    Str two = gzip_of(STR("second"), room + one.len, 500);
    expect_read(put("e.txt.gz", (Str){ room, one.len + two.len }), NULL, STR("first second|"));
    one = zstd_of(STR("first "), room, 500);
    two = zstd_of(STR("second"), room + one.len, 500);
    expect_read(put("e.md.zst", (Str){ room, one.len + two.len }), NULL, STR("first second|"));
    expect_read(put("e.jsonl.gz", gzip_of(STR("{\"text\":\"x\"}\n"), room, 500)), NULL, STR("x|"));
    expect_read(put("plain.txt.gz", STR("not packed")), NULL, STR("not packed|"));
}

/* Text that does not compress away, in a fixed order. */
static Str noise(ptrdiff_t len)
{
    char *at = malloc((size_t)len);
    uint64_t x = 1;
    for (ptrdiff_t i = 0; i < len; i++) at[i] = (char)('a' + (x = hash64_mix(x + 1)) % 26);
    return (Str){ at, len };
}

TEST(compressed_files_longer_than_a_buffer_come_back_whole)
{
    enum { LEN = 3000000 };
    Str text = noise(LEN);
    char *room = malloc(LEN + 1000);
    for (int kind = 0; kind < 2; kind++) {
        Str packed = (kind ? zstd_of : gzip_of)(text, room, LEN + 1000);
        Taken t;
        Err err;
        json_t *report;
        EXPECT(run(put(kind ? "f.txt.zst" : "f.txt.gz", packed), NULL, &t, &report, &err));
        EXPECT(t.documents == 1 && t.text.len == LEN + 1);
        EXPECT(memcmp(t.text.at, text.at, LEN) == 0);
        EXPECT(t.longest_part < 1000000);
        json_decref(report);
        buf_free(&t.text);
    }
    free(room);
    free((char *)text.at);
}

TEST(compressed_files_cut_short_or_broken_are_refused_by_name)
{
    Str text = noise(5000);
    char room[8000];
    Str packed = gzip_of(text, room, sizeof(room));
    for (ptrdiff_t keep = 4; keep < packed.len; keep += 97)
        expect_refused(put("g.txt.gz", (Str){ room, keep }), NULL, ERR_FORMAT,
                       "g.txt.gz is cut short");
    room[packed.len / 2] ^= 0x55;
    expect_refused(put("h.txt.gz", packed), NULL, ERR_FORMAT, "h.txt.gz is corrupted");
    packed = zstd_of(text, room, sizeof(room));
    for (ptrdiff_t keep = 4; keep < packed.len; keep += 97)
        expect_refused(put("g.txt.zst", (Str){ room, keep }), NULL, ERR_FORMAT, "cut short");
    free((char *)text.at);
    expect_refused(put("torn.txt.gz", STR("\x1e\x8b\x08\0\0\0\0\0torn")), NULL, ERR_FORMAT,
                   "torn.txt.gz is corrupted");
    expect_refused(put("torn.md.ZST", STR("\x29\xb5\x2f\xfd\0\0torn")), NULL, ERR_FORMAT,
                   "torn.md.ZST is corrupted");
}

TEST(a_download_that_was_unpacked_on_the_way_is_read_as_the_text_that_it_is)
{
    expect_read(put("open.txt.gz", STR("plain")), NULL, STR("plain|"));
}

TEST(a_pipe_in_a_folder_is_left_out_and_not_waited_for)
{
    Taken t;
    Err err;
    json_t *report;
    put("pipes/a.txt", STR("A"));
    EXPECT(mkfifo(path_of("pipes/b.txt"), 0600) == 0);
    EXPECT_MSG(run(path_of("pipes"), NULL, &t, &report, &err), "%s", err.msg);
    EXPECT(str_eq(buf_view(&t.text), STR("A|")));
    EXPECT(json_object_get(json_object_get(report, "skipped"), "no regular file") != NULL);
    json_decref(report);
    buf_free(&t.text);
}

TEST(a_folder_is_read_in_the_order_of_its_names_and_the_rest_is_counted)
{
    put("notes/b.txt", STR("B"));
    put("notes/a/z.md", STR("Z"));
    put("notes/c.docx", STR("PK\3\4"));
    put("notes/d.PDF", STR("%PDF"));
    put("notes/e.pdf", STR("%PDF"));
    put("notes/empty.txt", STR(""));
    put("notes/wide.txt", STR("\xff\xfeh\0i\0"));
    put("notes/.hidden/x.txt", STR("hidden"));
    Taken t;
    Err err;
    json_t *report;
    EXPECT(run(path_of("notes"), NULL, &t, &report, &err));
    EXPECT_MSG(str_eq(buf_view(&t.text), STR("Z|B|")), "%.*s", (int)t.text.len, t.text.at);
    json_t *skipped = json_object_get(report, "skipped");
    EXPECT(json_int(json_object_get(skipped, ".docx"), "files", 0) == 1);
    EXPECT(json_int(json_object_get(skipped, ".pdf"), "files", 0) == 2);
    EXPECT(json_int(json_object_get(skipped, "empty"), "files", 0) == 1);
    EXPECT(json_object_get(skipped, "UTF-16 (save as UTF-8)") != NULL);
    json_t *names = json_object_get(json_object_get(skipped, ".docx"), "names");
    EXPECT(strstr(json_string_value(json_array_get(names, 0)), "notes/c.docx"));
    json_decref(report);
    buf_free(&t.text);
}

/* What is torn in its middle has good documents in front; none of them may come in. */
TEST(broken_files_of_a_folder_are_left_out_whole_and_named)
{
    char room[600];
    Str packed = zstd_of(STR("{\"text\":\"torn\"}\n"), room, sizeof(room));
    Buf torn = { 0 };
    buf_str(&torn, packed);
    buf_str(&torn, (Str){ packed.at, packed.len - 3 });
    put("crawl/a.jsonl", STR("{\"text\":\"first\"}\n"));
    put("crawl/b.jsonl.zst", buf_view(&torn));
    put("crawl/c.warc",
        STR("WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 4\r\n\r\ngood\r\n"
            "\r\nWARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 400\r\n\r\ncut"));
    put("crawl/d.jsonl", STR("{\"body\":\"another field\"}\n"));
    put("crawl/e.txt.gz", STR("\x1f\x8b\x08nonsense"));
    put("crawl/f.parquet", STR("PAR1 and no more"));
    put("crawl/g.txt", STR("last"));
    Taken t;
    Err err;
    json_t *report;
    EXPECT_MSG(run(path_of("crawl"), NULL, &t, &report, &err), "%s", err.msg);
    EXPECT_MSG(str_eq(buf_view(&t.text), STR("first|last|")), "%.*s", (int)t.text.len, t.text.at);
    EXPECT(t.file == 1); /* numbers are those of the files that were read */
    json_t *broken = json_object_get(json_object_get(report, "skipped"), "broken");
    EXPECT(json_int(broken, "files", 0) == 5);
    EXPECT(strstr(json_string_value(json_array_get(json_object_get(broken, "names"), 0)),
                  "crawl/b.jsonl.zst is cut short"));
    json_decref(report);
    buf_free(&t.text);
    buf_free(&torn);
}

TEST(what_cannot_be_read_at_all_gets_a_sentence)
{
    put("office/a.docx", STR("PK\3\4"));
    put("office/b.pdf", STR("%PDF"));
    Err err = { 0 };
    EXPECT(file_make_dirs(path_of("bare"), &err));
    expect_refused(path_of("nowhere.txt"), NULL, ERR_CONFIG, "there is no file or folder");
    expect_refused(path_of("office"), NULL, ERR_CONFIG, "left out: 1 .docx, 1 .pdf");
    expect_refused(path_of("bare"), NULL, ERR_CONFIG, "nothing to read there (no file)");
    put("torn/a.txt.gz", STR("\x1f\x8b\x08nonsense"));
    expect_refused(path_of("torn"), NULL, ERR_FORMAT, "torn/a.txt.gz is ");
    expect_refused(put("zero.txt", STR("")), NULL, ERR_CONFIG, "left out: 1 empty");
    expect_refused(put("x.docx", STR("PK\3\4\0\0")), NULL, ERR_CONFIG, "1 .docx");
    expect_refused(put("bad.jsonl", STR("oops\n")), NULL, ERR_CONFIG, "no JSON object");
}

TEST(a_file_named_by_a_person_may_have_any_name)
{
    expect_read(put("README", STR("read me")), NULL, STR("read me|"));
    expect_read(put("dump.json", STR("{\"text\": \"line\"}\n")), NULL, STR("line|"));
}

TEST(a_line_of_100_megabytes_is_a_document)
{
    enum { LEN = 100 << 20 };
    const char *path = path_of("long.jsonl");
    FILE *f = fopen(path, "wb");
    char block[1 << 16];
    memset(block, 'x', sizeof(block));
    fputs("{\"text\":\"", f);
    for (int i = 0; i < LEN / (1 << 16); i++) fwrite(block, 1, sizeof(block), f);
    fputs("\"}\n", f);
    fclose(f);
    Taken t;
    Err err;
    json_t *report;
    EXPECT(run(path, NULL, &t, &report, &err));
    EXPECT(t.documents == 1 && t.text.len == LEN + 1);
    json_decref(report);
    buf_free(&t.text);
    unlink(path);
}

TEST(documents_are_told_with_the_byte_at_which_their_line_begins)
{
    Taken t;
    Err err;
    json_t *report;
    const char *path =
        put("places.jsonl", STR("{\"text\":\"one\"}\n\nbroken\n{\"text\":\"two\"}\n"));
    EXPECT_MSG(run(path, NULL, &t, &report, &err), "%s", err.msg);
    EXPECT(t.documents == 2 && t.file == 0 && t.offset == 23);
    json_decref(report);
    buf_free(&t.text);
}

/* Documents whose bytes are not UTF-8: each stretch by RFC 3629, section 4. */
TEST(text_that_is_not_utf8_is_kept_and_counted)
{
    static const struct {
        const char *name;
        Str bytes;
        bool broken;
    } cases[] = {
        { "u1.txt", { "plain", 5 }, false },
        { "u2.txt", { "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 and more text", 24 }, false },
        { "u3.txt", { "caf\xe9 au lait", 12 }, true },
        { "u4.txt", { "overlong \xc0\xaf", 11 }, true },
        { "u5.txt", { "surrogate \xed\xa0\x80", 13 }, true },
        { "u6.txt", { "beyond \xf4\x90\x80\x80", 11 }, true },
        { "u7.txt", { "cut \xe2\x82", 6 }, true },
        { "u8.txt", { "stray \x80", 7 }, true },
    };
    for (int i = 0; i < COUNT(cases); i++) {
        Taken t;
        Err err;
        json_t *report;
        EXPECT(run(put(cases[i].name, cases[i].bytes), NULL, &t, &report, &err));
        const json_t *file = json_array_get(json_object_get(report, "files"), 0);
        EXPECT_MSG(json_int(file, "broken_utf8", 0) == cases[i].broken, "%s", cases[i].name);
        EXPECT(t.text.len == cases[i].bytes.len + 1);
        json_decref(report);
        buf_free(&t.text);
    }
}

TEST(utf8_is_judged_the_same_however_it_is_cut)
{
    Str text = STR("h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80!");
    for (ptrdiff_t i = 0; i <= text.len; i++)
        for (ptrdiff_t k = i; k <= text.len; k++) {
            ReaderUtf8 u = { 0 };
            readerutf8_add(&u, (Str){ text.at, i });
            readerutf8_add(&u, (Str){ text.at + i, k - i });
            readerutf8_add(&u, (Str){ text.at + k, text.len - k });
            EXPECT(readerutf8_end(&u));
        }
}

/* Every line by our scanner and by jansson: the same verdict and the same text. */
TEST(a_line_of_json_is_read_as_jansson_reads_it)
{
    static const char *const lines[] = {
        "{\"text\":\"a\"}",
        (" { \"a\" : [1, -2.5e+3, 0, true, false, null, {}], \"text\" : "
         "\"x\\n\\u00e9\\ud83d\\ude00\\\"\" } "),
        "{\"text\":\"first\",\"text\":\"last\"}",
        "{\"text\":\"first\",\"text\":7}",
        "{\"te\\u0078t\":\"escaped name\"}",
        "{\"text\":\"lone \\ud800\"}",
        "{\"text\":\"low \\udc00\"}",
        "{\"text\":\"tab\t\"}",
        "{\"text\":\"bad \xff\"}",
        "{\"text\":\"a\",}",
        "{\"text\":\"a\"} x",
        "{\"n\":01,\"text\":\"a\"}",
        "{\"n\":1.,\"text\":\"a\"}",
        "{\"n\":+1,\"text\":\"a\"}",
        "{\"n\":tru,\"text\":\"a\"}",
        "{\"text\":\"nul \\u0000 inside\"}",
        "{\"text\":\"\"}",
        "{\"text\":[\"a\"]}",
        "{\"doc\":{\"text\":\"deeper\"}}",
        "[\"text\"]",
        "{\"text\":\"open",
        "{\"text\":\"\\x\"}",
        "{}",
        "",
    };
    Buf got = { 0 };
    for (int i = 0; i < COUNT(lines); i++) {
        json_error_t why;
        json_t *object = json_loads(lines[i], JSON_ALLOW_NUL, &why);
        json_t *text = json_object_get(object, "text");
        ReaderJson want = !json_is_object(object) ? READERJSON_BROKEN
                          : json_is_string(text)  ? READERJSON_TEXT
                                                  : READERJSON_NONE;
        ReaderJson is = readerjson_find(str_of(lines[i]), "text", &got);
        EXPECT_MSG(is == want, "%s: %d, jansson %d", lines[i], is, want);
        if (is == want && is == READERJSON_TEXT) {
            Str same = { json_string_value(text), (ptrdiff_t)json_string_length(text) };
            EXPECT_MSG(str_eq(same, buf_view(&got)), "%s", lines[i]);
        }
        json_decref(object);
    }
    buf_free(&got);
}

TEST(json_nested_without_end_is_a_bad_line_and_no_crash)
{
    enum { DEEP = 3000000 };
    Buf bomb = { 0 };
    buf_str(&bomb, STR("{\"text\":"));
    for (int i = 0; i < DEEP; i++) buf_char(&bomb, '[');
    buf_str(&bomb, STR("\n{\"text\":\"sound\"}\n"));
    expect_read(put("deep.jsonl", buf_view(&bomb)), NULL, STR("sound|"));
    buf_free(&bomb);
}

TEST(what_unpacks_without_end_is_refused)
{
    enum { BLOCK = 1 << 20 };
    char *zeros = calloc(1, BLOCK), *room = malloc(BLOCK);
    memset(zeros, 'a', BLOCK);
    Str one = zstd_of((Str){ zeros, BLOCK }, room, BLOCK);
    Buf bomb = { 0 };
    for (int i = 0; i < 400; i++) buf_str(&bomb, one);
    expect_refused(put("bomb.txt.zst", buf_view(&bomb)), NULL, ERR_FORMAT, "decompression bomb");
    buf_free(&bomb);
    free(zeros);
    free(room);
}

/* Writes to its own file when the first document comes out of it. */
typedef struct Meddler {
    const char *path;
} Meddler;

static bool meddle_part(void *self, Str bytes, Err *err)
{
    const Meddler *m = self;
    (void)bytes, (void)err;
    FILE *f = fopen(m->path, "ab");
    EXPECT(f && fputs("more", f) >= 0 && fclose(f) == 0);
    return true;
}

static bool meddle_end(void *self, Err *err)
{
    (void)self, (void)err;
    return true;
}

TEST(a_file_that_changes_while_it_is_read_is_refused)
{
    Meddler m = { put("growing.txt", STR("text that somebody writes")) };
    Err err = { 0 };
    json_t *report = NULL;
    ReaderJob job = { .paths = &m.path,
                      .n_paths = 1,
                      .sink = { .part = meddle_part, .end = meddle_end, .self = &m } };
    EXPECT(!reader_run(&job, &report, &err));
    EXPECT_MSG(err.code == ERR_IO && strstr(err.msg, "changed while it was read"), "%s", err.msg);
}

TEST(every_reader_says_what_it_reads)
{
    int count;
    const ReaderDef *const *all = reader_all(&count);
    for (int i = 0; i < count; i++) {
        EXPECT(all[i]->name && all[i]->doc && all[i]->suffixes[0]);
        char name[64];
        snprintf(name, sizeof(name), "x%s.zst", all[i]->suffixes[0]);
        EXPECT(reader_for(name) == all[i]);
    }
    EXPECT(reader_for("x.docx") == NULL && reader_for("x.gz") == NULL);
}
