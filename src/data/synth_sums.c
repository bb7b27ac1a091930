/* synth_sums.c - sums of one and two digits, bare and in words. */
#include <stdio.h>

#include "data/synth.h"

typedef struct Sum {
    int a, b, result;
    char sign;
} Sum;

/* `wrong`: half of the results are off by a little. */
static Sum draw(SynthPen *pen, bool wrong)
{
    Rand *r = pen->rand;
    int a = (int)rand_below(r, 100), b = (int)rand_below(r, 100);
    Sum s = { .a = a, .b = b, .sign = '+' };
    uint64_t kind = rand_below(r, 10);
    if (kind < 2) s.a %= 10, s.b %= 10;
    if (kind >= 6) s.sign = '-';
    if (kind == 9) s = (Sum){ 2 + s.a % 11, 2 + s.b % 11, 0, '*' };
    if (s.sign == '-' && s.a < s.b) s = (Sum){ s.b, s.a, 0, '-' };
    s.result = s.sign == '+' ? s.a + s.b : s.sign == '-' ? s.a - s.b : s.a * s.b;
    if (wrong && rand_below(r, 2)) s.result += 1 + (int)rand_below(r, 9);
    return s;
}

static void line(SynthPen *pen, bool wrong)
{
    Sum s = draw(pen, wrong);
    buf_printf(pen->out, "%d %c %d = %d\n", s.a, s.sign, s.b, s.result);
}

static void in_words(SynthPen *pen, bool wrong)
{
    const SynthWorld *w = pen->world;
    const SynthPerson *p = &w->person[synth_rank(pen->rand, w->people)];
    const SynthPerson *q = &w->person[p->friend];
    Sum s = draw(pen, wrong);
    while (s.a == 1 || s.b == 1 || s.result == 1) s = draw(pen, wrong); /* "1 roads" */
    char a[16], b[16], result[16];
    snprintf(a, sizeof(a), "%d", s.a);
    snprintf(b, sizeof(b), "%d", s.b);
    snprintf(result, sizeof(result), "%d", s.result);
    const char *thing = w->things.form[synth_word(&w->things, pen->rand)];
    const char *args[] = { p->first, a, thing, q->first, b, p->she ? "she" : "he", result };
    static const char *const plus[] = { "@1 had @2 @3. @4 gave @1 @5 more. Now @6 had @7 @3.\n",
                                        "@2 @3 and @5 @3 are @7 @3, said @1.\n",
                                        "The sum of @2 and @5 is @7.\n", NULL };
    static const char *const minus[] = { "@1 had @2 @3 and gave @5 to @4. Now @6 had @7 @3.\n",
                                         "From @2 @3 @1 lost @5, so @7 were left.\n",
                                         "@2 less @5 is @7.\n", NULL };
    static const char *const times[] = { "@1 filled @2 bags with @5 @3 each, @7 in all.\n",
                                         "@2 times @5 is @7.\n", NULL };
    synth_write(pen, synth_choose(pen, s.sign == '+' ? plus : s.sign == '-' ? minus : times), args);
}

static void count_up(SynthPen *pen, bool wrong)
{
    int from = (int)rand_below(pen->rand, 50), step = 1 + (int)rand_below(pen->rand, 9);
    int slip = wrong ? (int)rand_below(pen->rand, 8) : -1;
    for (int i = 0; i < 8; i++)
        buf_printf(pen->out, "%s%d", i ? ", " : "", from + i * step + (i == slip));
    buf_char(pen->out, '\n');
}

void synth_sums(SynthPen *pen, bool wrong)
{
    int lines = 8 + (int)rand_below(pen->rand, 16);
    uint64_t words = rand_below(pen->rand, 3);
    for (int i = 0; i < lines; i++) {
        uint64_t draw_of = rand_below(pen->rand, 10);
        if (draw_of == 0)
            count_up(pen, wrong);
        else if (draw_of <= 3 * words)
            in_words(pen, wrong);
        else
            line(pen, wrong);
    }
}
