/* synth_pen.c - templates and phrases: how the built-in corpus makes sentences.
 *
 * A template is a sentence with holes.  Two kinds of holes: what the writer knows (@1 is its
 * first argument) and what anybody may fill in (@s is a phrase for one thing, drawn afresh).
 * Phrases nest ("the lamp near the old bridge that the sailor painted"), with the verb
 * agreeing in number, so the grammar goes deeper than any fixed window of words. */
#include <string.h>

#include "data/synth.h"

enum { DEEPEST = 3 };

static bool at_start(const Buf *b)
{
    ptrdiff_t n = b->len;
    if (n > 1 && b->at[n - 1] == ' ' && b->at[n - 2] == '"') return false; /* "...?" asked she */
    while (n > 0 && strchr(" \n\"", b->at[n - 1])) n--;
    return n == 0 || strchr(".!?:", b->at[n - 1]) || (n < b->len && b->at[b->len - 1] == '\n');
}

/* "a" before a vowel becomes "an". */
static void mend_article(Buf *b, char next)
{
    if (!strchr("aeiouAEIOU", next) || b->len < 2 || b->at[b->len - 1] != ' ') return;
    char article = b->at[b->len - 2], before = b->len > 2 ? b->at[b->len - 3] : ' ';
    if ((article != 'a' && article != 'A') || !strchr(" \n\"", before)) return;
    b->len--;
    buf_str(b, STR("n "));
}

static void put(SynthPen *pen, const char *word)
{
    if (!*word) return;
    mend_article(pen->out, *word);
    bool first = at_start(pen->out) && *word >= 'a' && *word <= 'z';
    buf_char(pen->out, first ? (char)(*word - 'a' + 'A') : *word);
    buf_str(pen->out, str_of(word + 1));
}

SynthPen synth_pen(const SynthWorld *w, Rand *r, Buf *out)
{
    return (SynthPen){ .out = out, .rand = r, .world = w, .head = -1, .trait = -1, .own = -1 };
}

const char *synth_choose(SynthPen *pen, const char *const *templates)
{
    int n = 0;
    while (templates[n]) n++;
    return templates[rand_below(pen->rand, (uint64_t)n)];
}

static void put_phrase(SynthPen *pen, bool many)
{
    static const char *const one[] = { "the @n",
                                       "the @n",
                                       "the @n",
                                       "the @a @n",
                                       "the @a @n",
                                       "a @n",
                                       "a @a @n",
                                       "the @n near @s",
                                       "the @n of @s",
                                       "the @n that @s @D",
                                       "the @a @n with @s",
                                       "every @n",
                                       NULL };
    static const char *const several[] = {
        "the @N",       "the @N",   "the @a @N",         "@x @N", "many @N", "all the @N",
        "the @N in @s", "@x @a @N", "the @N that @s @D", NULL
    };
    static const char *const plain[2][3] = { { "the @n", "a @a @n", NULL },
                                             { "the @N", "@x @N", NULL } };
    const char *const *from = many ? several : one;
    int outer = pen->own;
    pen->own = -1;
    synth_write(pen, synth_choose(pen, pen->depth > DEEPEST ? plain[many] : from), NULL);
    pen->head = pen->own;
    pen->own = outer;
}

/* What a phrase is about is its first thing: the lamp, in "the lamp near the bridge". */
static void put_thing(SynthPen *pen, bool many)
{
    const SynthWords *w = &pen->world->things;
    int i = synth_word_with(w, pen->rand, pen->trait);
    if (pen->own < 0) pen->own = i;
    pen->trait = -1;
    put(pen, many ? w->form[i] : w->base[i]);
}

static void put_verb(SynthPen *pen, const SynthWords *w, bool past)
{
    int i = synth_word_with(w, pen->rand, pen->head);
    put(pen, past ? w->form[i] : w->base[i]);
}

static void put_trait(SynthPen *pen)
{
    const SynthWords *w = &pen->world->traits;
    pen->trait = synth_word_with(w, pen->rand, pen->head);
    put(pen, w->base[pen->trait]);
}

static void put_clause(SynthPen *pen)
{
    pen->head = pen->trait = -1;
    static const char *const clause[] = {
        "@s @D @s",           "@s @D @p",     "@p @D @s",         "@s @I",    "@p @I",
        "@s @I near @s",      "@s was @a",    "@p were @a",       "@s @d @s", "@s @i",
        "there was @s in @s", "nobody @D @s", "@s was @a and @a", NULL
    };
    synth_write(pen, synth_choose(pen, clause), NULL);
}

static const char *number_word(Rand *r)
{
    static const char *const word[] = { "two",   "three", "four", "five",   "six",   "seven",
                                        "eight", "nine",  "ten",  "twelve", "twenty" };
    return word[rand_below(r, (uint64_t)COUNT(word))];
}

static void put_hole(SynthPen *pen, char hole, const char *const *args)
{
    const SynthWorld *w = pen->world;
    Rand *r = pen->rand;
    pen->depth++;
    switch (hole) {
    case 'n': put_thing(pen, false); break;
    case 'N': put_thing(pen, true); break;
    case 'a': put_trait(pen); break;
    case 'd': put_verb(pen, &w->deeds, false); break;
    case 'D': put_verb(pen, &w->deeds, true); break;
    case 'i': put_verb(pen, &w->acts, false); break;
    case 'I': put_verb(pen, &w->acts, true); break;
    case 'x': put(pen, number_word(r)); break;
    case 's': put_phrase(pen, false); break;
    case 'p': put_phrase(pen, true); break;
    case 'c': put_clause(pen); break;
    default: put(pen, args[hole - '1']); break;
    }
    pen->depth--;
}

void synth_write(SynthPen *pen, const char *template, const char *const *args)
{
    for (const char *c = template; *c; c++) {
        if (*c == '@') {
            put_hole(pen, *++c, args);
        } else {
            char letter[2] = { *c, 0 };
            bool begins = c == template || c[-1] == ' ' || c[-1] == '"' || c[-1] == '\n';
            if (begins && *c != ' ')
                put(pen, letter);
            else
                buf_char(pen->out, *c);
        }
    }
}

void synth_sentence(SynthPen *pen, const char *const *templates, const char *const *args)
{
    Buf *b = pen->out;
    if (b->len > 0 && b->at[b->len - 1] != '\n') buf_char(b, ' ');
    synth_write(pen, synth_choose(pen, templates), args);
}
