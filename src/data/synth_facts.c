/* synth_facts.c - articles, questions and letters: the facts of the world, told again and again.
 *
 * A fact has many wordings and stands in any order among others, so that it must be learnt
 * as a fact: runs of thirteen words hardly ever come twice (which would also make them
 * contaminated in the sense of corpus_scrub.c).  Who is frequent follows Zipf's law, so the
 * facts of a few are learnt in a minute and those of the rest take as long as one likes. */
#include <string.h>

#include "data/synth.h"

typedef struct Fact {
    const char *const *say;    /* templates of a sentence; the first has the name, @1 */
    const char *const *ask;    /* templates of a question */
    const char *const *answer; /* and of what is answered */
} Fact;
#define LIST(...)                                                                                  \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

/* @1 name or pronoun; @2 he, she; @3 his, her; @4 the value; @5 its second half; @6 first name. */
static const Fact about_person[] = {
    { LIST("@1 was a @4.", "@1 worked as a @4.", "By trade @2 was a @4.",
           "@1 earned @3 bread as a @4.", "@c, and @2 was a @4 by then."),
      LIST("What was the work of @1?", "How did @1 earn a living?", "What did @1 do?"),
      LIST("@2 was a @4.", "A @4.", "@6 was a @4.", "@2 worked as a @4.") },
    { LIST("@1 lived in @4 with @x @N.", "@1 came from @4.", "@3 home was in @4.",
           "@1 had a @a house in @4.", "People in @4 knew @6 well."),
      LIST("Where did @1 live?", "In which town was @1 at home?", "Where did @1 come from?"),
      LIST("In @4.", "@2 lived in @4.", "@6 came from @4.") },
    { LIST("@1 was born in @4.", "@3 year of birth was @4.", "Born in @4, @2 had @x brothers.",
           "It was @4 when @2 was born."),
      LIST("When was @1 born?", "Which year was @1 born?"),
      LIST("In @4.", "@2 was born in @4.", "It was in @4.") },
    { LIST("@1 loved @4.", "@1 ate @4 on Sundays.", "Nothing tasted better to @6 than @4.",
           "For @4 @2 would walk @x miles."),
      LIST("What did @1 like to eat?", "Which dish did @1 love?"),
      LIST("@4, above all.", "@2 loved @4.", "It was @4.") },
    { LIST("@1 played @4.", "In the evening @2 played @4.", "@1 was good at playing @4.",
           "@c, but @6 only played @4."),
      LIST("What did @1 play?", "How did @1 spend the evenings?"),
      LIST("@2 played @4.", "With @4.", "Playing @4.") },
    { LIST("@1 kept a @4 called @5.", "@3 @4 was called @5.", "A @4 named @5 followed @6.",
           "@5, the @4, slept in @3 kitchen."),
      LIST("What was the @4 of @1 called?", "Which animal did @1 keep?"),
      LIST("A @4 called @5.", "@5, a @4.", "@2 kept the @4 @5.") },
    { LIST("@1 was a friend of @4.", "@3 best friend was @4.", "@1 and @4 were friends.",
           "@4 came to see @6 on most days."),
      LIST("Who was a friend of @1?", "Who was the best friend of @1?"),
      LIST("@4.", "It was @4.", "@3 best friend was @4.") },
    { LIST("@1 wore a @4 coat.", "@3 coat was @4.", "Everything @2 owned was @4.",
           "The door of @6 was painted @4."),
      LIST("Which colour did @1 wear?", "What colour was the coat of @1?"),
      LIST("It was @4.", "@4.", "@2 wore @4.") },
};
static const Fact about_town[] = {
    { LIST("@1 lies on the river @4.", "The river of @6 is the @4.", "The @4 flows through @6."),
      LIST("On which river does @1 lie?", "Which river flows through @1?"),
      LIST("The @4.", "On the @4.", "@6 lies on the @4.") },
    { LIST("@1 is known for its @4.", "People buy @4 there.", "@4 from @6 is sold everywhere.",
           "Most families there live from @4 and @N."),
      LIST("What is @1 known for?", "What is made in @1?"),
      LIST("For its @4.", "@4.", "They make @4.") },
    { LIST("@1 has @4.", "In the middle of @6 stands @4.", "The pride of @6 is @4."),
      LIST("What stands in the middle of @1?", "What is the pride of @1?"),
      LIST("It has @4.", "@4 stands there.", "They have @4.") },
    { LIST("Market day in @1 is @4.", "There is a market on @4.", "On every @4 @p are sold there."),
      LIST("When is market day in @1?", "On which day is there a market in @1?"),
      LIST("On @4.", "It is @4.", "Every @4.") },
    { LIST("@1 is a town in @4.", "It lies in @4.", "Of all towns in @4 it is the most @a."),
      LIST("Where is @1?", "In which land does @1 lie?"), LIST("In @4.", "@6 lies in @4.") },
    { LIST("@1 was founded in @4.", "The oldest wall is from @4.", "Since @4 there have been @N."),
      LIST("When was @1 founded?", "Which year was @1 founded?"), LIST("In @4.", "It was in @4.") },
    { LIST("From @1 it is @4 miles to @5.", "@5 is @4 miles away.",
           "The next town is @5, after @4 miles."),
      LIST("How far is it from @1 to @5?", "Which town is near @1?"),
      LIST("It is @4 miles to @5.", "@5, @4 miles away.") },
};
static const Fact about_creature[] = {
    { LIST("The @1 is a @4.", "A @1 is a kind of @4.", "Every @1 is a @a @4."),
      LIST("What is a @1?", "What kind of animal is the @1?"), LIST("A @4.", "The @1 is a @4.") },
    { LIST("The @1 is @4.", "Its colour is @4.", "Young @5 are @a, old @5 are @4."),
      LIST("What colour is the @1?", "Which colour does a @1 have?"), LIST("@4.", "It is @4.") },
    { LIST("@5 live in @4.", "The @1 is found in @4.", "In @4 one may meet @x @5."),
      LIST("Where does the @1 live?", "Where are @5 found?"), LIST("In @4.", "@5 live in @4.") },
    { LIST("The @1 eats @4.", "It feeds on @4.", "@5 never eat anything but @4."),
      LIST("What does the @1 eat?", "On what do @5 feed?"), LIST("@4.", "It eats @4.") },
    { LIST("The @1 @4.", "When it is afraid it @4.", "If a @n comes near, the @1 @4."),
      LIST("What does the @1 do in fear?", "Which sound makes the @1?"),
      LIST("It @4.", "The @1 @4.") },
    { LIST("@5 are seen @4.", "It comes out @4.", "The @1 is awake @4."),
      LIST("When are @5 seen?", "When does the @1 come out?"), LIST("They come out @4.", "@4.") },
};

/* What a set of facts says of one of its kind. */
typedef struct Topic {
    const Fact *fact;
    int count;
    const char *args[6];
    const char *value[8], *second[8];
} Topic;

static Topic topic_person(const SynthWorld *w, int i)
{
    const SynthPerson *p = &w->person[i];
    Topic t = { .fact = about_person, .count = (int)COUNT(about_person) };
    const char *args[] = {
        p->full, p->she ? "she" : "he", p->she ? "her" : "his", "", "", p->first
    };
    const char *value[] = { p->job, w->town[p->town].name,     p->born,  p->food, p->plays,
                            p->pet, w->person[p->friend].full, p->colour };
    memcpy(t.args, args, sizeof(args));
    memcpy(t.value, value, sizeof(value));
    for (int k = 0; k < t.count; k++) t.second[k] = p->pet_name;
    return t;
}

static Topic topic_town(const SynthWorld *w, int i)
{
    const SynthTown *o = &w->town[i];
    Topic t = { .fact = about_town, .count = (int)COUNT(about_town) };
    const char *args[] = { o->name, "it", "its", "", "", o->name };
    const char *value[] = {
        o->river, o->makes, o->building, o->day, o->land, o->founded, o->miles
    };
    memcpy(t.args, args, sizeof(args));
    memcpy(t.value, value, sizeof(value));
    for (int k = 0; k < t.count; k++) t.second[k] = w->town[o->near].name;
    return t;
}

static Topic topic_creature(const SynthWorld *w, int i)
{
    const SynthCreature *o = &w->creature[i];
    Topic t = { .fact = about_creature, .count = (int)COUNT(about_creature) };
    const char *args[] = { o->name, "it", "its", "", "", o->name };
    const char *value[] = { o->kind, o->colour, o->home, o->eats, o->sound, o->time };
    memcpy(t.args, args, sizeof(args));
    memcpy(t.value, value, sizeof(value));
    for (int k = 0; k < t.count; k++) t.second[k] = o->many;
    return t;
}

static Topic any_topic(SynthPen *pen)
{
    const SynthWorld *w = pen->world;
    uint64_t kind = rand_below(pen->rand, 10);
    if (kind < 5) return topic_person(w, synth_rank(pen->rand, w->people));
    if (kind < 8) return topic_town(w, synth_rank(pen->rand, w->towns));
    return topic_creature(w, synth_rank(pen->rand, w->creatures));
}

static void set_fact(Topic *t, int k)
{
    t->args[3] = t->value[k];
    t->args[4] = t->second[k];
}

/* Now and then something that is nobody's fact. */
static void wander(SynthPen *pen)
{
    if (rand_below(pen->rand, 2)) return;
    synth_sentence(
        pen, LIST("@c.", "They say that @c.", "@c, and @c.", "When @c, @c.", "Some say @c."), NULL);
}

/* One of the wordings that have the name in them. */
static void name_it(SynthPen *pen, const char *const *templates, const char *const *args)
{
    const char *say = synth_choose(pen, templates);
    if (!strstr(say, "@1")) say = templates[0];
    synth_sentence(pen, LIST(say), args);
}

static void tell(SynthPen *pen, Topic *t, int facts, bool by_name)
{
    uint64_t key = rand_u64(pen->rand);
    const char *name = t->args[0], *pronoun = t->fact == about_person ? t->args[1] : name;
    for (int i = 0; i < MIN(facts, t->count); i++) {
        int k = (int)rand_permute((uint64_t)i, (uint64_t)t->count, key);
        set_fact(t, k);
        bool named = i == 0 ? by_name : rand_below(pen->rand, 3) == 0;
        t->args[0] = named ? (i == 0 || rand_below(pen->rand, 2) ? name : t->args[5]) : pronoun;
        if (named)
            name_it(pen, t->fact[k].say, t->args);
        else
            synth_sentence(pen, t->fact[k].say, t->args);
        wander(pen);
    }
    t->args[0] = name;
}

void synth_facts(SynthPen *pen)
{
    Topic t = any_topic(pen);
    tell(pen, &t, 4 + (int)rand_below(pen->rand, 5), true);
    if (rand_below(pen->rand, 2)) {
        buf_str(pen->out, STR("\n\n"));
        t = any_topic(pen);
        tell(pen, &t, 2 + (int)rand_below(pen->rand, 4), true);
    }
    buf_char(pen->out, '\n');
}

void synth_questions(SynthPen *pen)
{
    int count = 4 + (int)rand_below(pen->rand, 6);
    for (int i = 0; i < count; i++) {
        Topic t = any_topic(pen);
        int k = (int)rand_below(pen->rand, (uint64_t)t.count);
        set_fact(&t, k);
        buf_str(pen->out, STR("Q: "));
        synth_write(pen, synth_choose(pen, t.fact[k].ask), t.args);
        buf_str(pen->out, STR("\nA: "));
        synth_write(pen, synth_choose(pen, t.fact[k].answer), t.args);
        buf_str(pen->out, STR("\n\n"));
    }
    pen->out->len--;
}

void synth_letter(SynthPen *pen)
{
    const SynthWorld *w = pen->world;
    const SynthPerson *from = &w->person[synth_rank(pen->rand, w->people)];
    const SynthPerson *to = &w->person[from->friend];
    const char *args[] = { to->first, from->first, w->town[from->town].name, to->job };
    synth_write(pen, synth_choose(pen, LIST("Dear @1,", "My dear @1,", "@1, my friend,")), args);
    buf_char(pen->out, '\n');
    synth_sentence(pen,
                   LIST("I write to you from @3.", "Nothing is new in @3.", "@c in @3 today.",
                        "How is the work of a @4?", "@c, and I thought of you."),
                   args);
    for (uint64_t i = rand_below(pen->rand, 3); i < 4; i++) {
        synth_sentence(pen,
                       LIST("@c.", "I think that @c.", "Do you remember how @c?", "I saw @p.",
                            "Yesterday @c, but @c.", "Please bring me @s and @s."),
                       args);
    }
    Topic t = any_topic(pen);
    tell(pen, &t, 2 + (int)rand_below(pen->rand, 3), true);
    buf_char(pen->out, '\n');
    synth_write(pen, synth_choose(pen, LIST("Yours, @2", "With love, @2", "Your old friend @2")),
                args);
    buf_char(pen->out, '\n');
}
