/* What people are told about a data set. */
#include "cli/data_text.h"
#include "data/corpus.h"
#include "tests/test.h"

static const char manifest[] =
    "{\"name\":\"notes\",\"documents\":1200,\"bytes\":2500000,"
    "\"train\":{\"documents\":1100,\"bytes\":2100000},"
    "\"tiers\":{\"search\":{\"documents\":40,\"bytes\":120000,\"sampling_error\":0.0123},"
    "\"audit\":{\"documents\":41,\"bytes\":120000,\"sampling_error\":null},"
    "\"locked\":{\"documents\":%d,\"bytes\":120000,\"sampling_error\":0.01}},"
    "\"cutting\":{\"gap_bytes\":5000,\"given_back\":1},"
    "\"additions\":[{\"files\":[{\"path\":\"a.jsonl\",\"bad_lines\":3,\"first_bad_lines\":[2,9,11]}"
    "],"
    "\"skipped\":{\".pdf\":{\"files\":5,\"names\":[\"a.pdf\",\"b.pdf\",\"c.pdf\",\"d.pdf\",\"e."
    "pdf\"]}},"
    "\"duplicates\":{\"exact\":1,\"near\":2,\"blank\":0},"
    "\"decontaminated\":{\"words\":13,\"near_duplicates\":0,\"documents\":1,\"passages\":1,"
    "\"bytes\":600,\"names\":[\"a.jsonl document 7\"]}}]}";

static Buf text_of(int locked)
{
    Buf json = { 0 }, out = { 0 };
    Err err = { 0 };
    char whole[2000];
    snprintf(whole, sizeof(whole), manifest, locked);
    buf_str(&json, str_of(whole));
    json_t *m = json_read(buf_view(&json), "manifest", &err);
    EXPECT_MSG(m, "%s", err.msg);
    data_text(m, &out);
    json_decref(m);
    buf_free(&json);
    return out;
}

TEST(the_table_says_where_the_text_went_and_what_was_left_out)
{
    Buf text = text_of(39);
    const char *const want[] = {
        "notes ",
        "1,200 documents",
        "2.5 MB",
        "sampling error 1.23 %",
        "5.0 kB discarded between tiers",
        "1 passage not held out",
        "3 lines of a.jsonl without text: 2, 9, 11\n",
        "5 files not read: .pdf (a.pdf, b.pdf, c.pdf, ...)",
        "1 exact duplicate left out",
        "2 near-duplicates kept",
        ("1 passage of 13 words and more that is held out cut from 1 document, 600 B in all "
         "(a.jsonl document 7)"),
    };
    for (int i = 0; i < COUNT(want); i++)
        EXPECT_MSG(strstr(text.at, want[i]), "\"%s\" is not in\n%s", want[i], text.at);
    EXPECT(!strstr(text.at, "without a word") && !strstr(text.at, "fewer than 30"));
    buf_free(&text);
}

TEST(a_small_tier_is_pointed_out)
{
    Buf text = text_of(29);
    EXPECT(strstr(text.at, "fewer than 30"));
    buf_free(&text);
}
