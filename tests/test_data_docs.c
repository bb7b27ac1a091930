/* A file of documents gives back what was put in, and says so when it cannot. */
#include <inttypes.h>

#include "data/docs.h"
#include "tests/test.h"

static char *stem_of(const char *name)
{
    static char stem[128];
    snprintf(stem, sizeof(stem), "%s/%s", test_folder(), name);
    return stem;
}

static void write_three(const char *stem)
{
    Err err = { 0 };
    DocsOut o;
    EXPECT(docsout_open(&o, stem, &err));
    EXPECT(docsout_add(&o, STR("first"), &err));
    EXPECT(docsout_add(&o, STR(""), &err));
    EXPECT(docsout_part(&o, STR("third \0 with"), &err));
    EXPECT(docsout_part(&o, STR(" a NUL\n"), &err));
    docsout_end(&o);
    EXPECT(docsout_commit(&o, &err));
    docsout_drop(&o);
}

static void overwrite(const char *stem, const char *suffix, long at, int byte)
{
    char path[256];
    snprintf(path, sizeof(path), "%s%s", stem, suffix);
    FILE *f = fopen(path, "r+b");
    if (!f) return;
    fseek(f, at, SEEK_SET);
    fputc(byte, f);
    fclose(f);
}

TEST(documents_come_back_in_order_with_their_bytes)
{
    Err err = { 0 };
    Docs d;
    write_three(stem_of("a"));
    EXPECT_MSG(docs_open(&d, stem_of("a"), &err), "%s", err.msg);
    EXPECT(d.count == 3 && d.bytes == 5 + 19);
    EXPECT(str_eq(docs_get(&d, 0), STR("first")));
    EXPECT(docs_get(&d, 1).len == 0);
    EXPECT(str_eq(docs_get(&d, 2), STR("third \0 with a NUL\n")));
    EXPECT(docs_check(&d, "a", &err));
    /* printf 'firstthird \0 with a NUL\n' | sha256sum */
    EXPECT_MSG(strcmp(d.sha256, "9d4ced016e27166b8309e2f0b7be4e12"
                                "cad270bb2c22a3626cb11d80096637e4") == 0,
               "%s", d.sha256);
    docs_close(&d);
    docs_close(&d);
}

TEST(no_documents_at_all_is_a_file_too)
{
    Err err = { 0 };
    DocsOut o;
    Docs d;
    EXPECT(docsout_open(&o, stem_of("none"), &err) && docsout_commit(&o, &err));
    docsout_drop(&o);
    EXPECT(docs_open(&d, stem_of("none"), &err) && d.count == 0 && d.bytes == 0);
    EXPECT(docs_check(&d, "none", &err));
    docs_close(&d);
}

TEST(dropped_documents_leave_nothing)
{
    Err err = { 0 };
    DocsOut o;
    char path[256];
    EXPECT(docsout_open(&o, stem_of("gone"), &err) && docsout_add(&o, STR("x"), &err));
    docsout_drop(&o);
    const char *const suffix[] = { ".txt", ".idx", ".txt.tmp" };
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s%s", stem_of("gone"), suffix[i]);
        EXPECT_MSG(!file_exists(path), "%s is there", path);
    }
}

TEST(scratch_documents_are_read_without_being_kept)
{
    Err err = { 0 };
    DocsOut o;
    Docs d;
    EXPECT(docsout_open(&o, stem_of("scratch"), &err) && docsout_add(&o, STR("one"), &err));
    EXPECT(docsout_add(&o, STR("two"), &err) && docsout_view(&o, &d, &err));
    EXPECT(d.count == 2 && str_eq(docs_get(&d, 1), STR("two")));
    docs_close(&d);
    docsout_drop(&o);
    EXPECT(!docs_open(&d, stem_of("scratch"), &err));
}

TEST(a_file_that_is_not_an_index_is_refused)
{
    Err err = { 0 };
    Docs d;
    write_three(stem_of("b"));
    overwrite(stem_of("b"), ".idx", 0, 'X');
    EXPECT(!docs_open(&d, stem_of("b"), &err));
    EXPECT(err.code == ERR_FORMAT && strstr(err.msg, "b.idx"));
    EXPECT(!docs_open(&d, stem_of("missing"), &err) && err.code == ERR_IO);
}

TEST(an_index_of_a_newer_version_is_refused)
{
    Err err = { 0 };
    Docs d;
    write_three(stem_of("c"));
    overwrite(stem_of("c"), ".idx", 8, 9);
    EXPECT(!docs_open(&d, stem_of("c"), &err));
    EXPECT(strstr(err.msg, "version 9"));
}

TEST(a_text_of_another_length_is_refused)
{
    Err err = { 0 };
    Docs d;
    write_three(stem_of("d"));
    overwrite(stem_of("d"), ".txt", 24, 'x');
    EXPECT(!docs_open(&d, stem_of("d"), &err));
    EXPECT(strstr(err.msg, "25 there"));
}

TEST(ends_out_of_order_are_refused)
{
    Err err = { 0 };
    Docs d;
    write_three(stem_of("e"));
    overwrite(stem_of("e"), ".idx", 64, 200);
    EXPECT(!docs_open(&d, stem_of("e"), &err));
    EXPECT(strstr(err.msg, "document 0"));
}

TEST(a_changed_byte_of_the_text_is_found_by_its_hash)
{
    Err err = { 0 };
    Docs d;
    write_three(stem_of("f"));
    overwrite(stem_of("f"), ".txt", 2, 'X');
    EXPECT(docs_open(&d, stem_of("f"), &err));
    EXPECT(!docs_check(&d, "f", &err) && err.code == ERR_FORMAT);
    docs_close(&d);
}
