/* Languages: windows of text that no profile has seen. */
#include "data/filter.h"
#include "tests/language_samples.h"
#include "tests/test.h"

static int code_index(const Knob *k, const char *code)
{
    for (int i = 0; k->choices[i]; i++)
        if (strcmp(k->choices[i], code) == 0) return i;
    return -1;
}

/* The share of its windows that a text has in a language. */
static double share(const char *text, ptrdiff_t len, const char *code)
{
    const FilterDef *def = filter_find(STR("language"));
    double knob[FILTER_RULES] = { code_index(&def->knobs[0], code), 0.65 };
    FilterRoom room[2] = { 0 };
    FilterDoc d;
    FilterVerdict v;
    Buf out = { 0 };
    EXPECT_MSG(knob[0] >= 0, "%s", code);
    filter_read((Str){ text, len }, &room[0], &d);
    filter_judge(def, knob, NULL, &d, &room[1], &out, &v);
    filterroom_free(&room[0]);
    filterroom_free(&room[1]);
    buf_free(&out);
    return v.value[0];
}

/* Windows of 240 characters, of the text that profiles are of: 48 languages. */
TEST(held_out_windows_are_told_in_the_right_language)
{
    int right = 0;
    for (int i = 0; i < COUNT(language_samples); i++) {
        const char *text = language_samples[i].text;
        bool ok = share(text, (ptrdiff_t)strlen(text), language_samples[i].code) == 1;
        if (!ok) printf("# missed: %s: %.60s\n", language_samples[i].code, text);
        right += ok;
    }
    printf("# %d of %d windows right\n", right, (int)COUNT(language_samples));
    EXPECT(right >= 0.97 * (double)COUNT(language_samples));
}

TEST(prose_of_other_kinds_is_english)
{
    static const char *const texts[] = {
        "It was a bright cold day in spring, and the old fisherman pulled his boat up the beach "
        "before "
        "the tide could take it. He had caught nothing since Sunday, and his wife would not ask.",
        "To install the package, run the command below and restart your terminal. If the compiler "
        "complains about a missing header, check that the development files are in place.",
        "The committee met on Tuesday to discuss the budget for the coming year. Members raised "
        "concerns about rising costs, and the chair promised a full report by the end of March.",
    };
    for (int i = 0; i < COUNT(texts); i++) {
        EXPECT_MSG(share(texts[i], (ptrdiff_t)strlen(texts[i]), "en") == 1, "%s", texts[i]);
        EXPECT(share(texts[i], (ptrdiff_t)strlen(texts[i]), "de") == 0);
    }
}

TEST(a_document_too_short_to_tell_is_let_be)
{
    EXPECT(share("ok", 2, "en") == 1 && share("", 0, "ja") == 1 && share("12 34 56", 8, "en") == 1);
}
