/* synth.h - the built-in corpus: English-like documents from a seed, with known faults.
 *
 * A small world is drawn first: people, towns, creatures, and the facts about them that every
 * document agrees on.  Documents are then told about it: stories whose people and things are
 * somewhere, articles, questions and answers, letters, sums.  The words follow Zipf's law and
 * the rare ones are invented, so there is something to learn at every size: spelling first,
 * then agreement and who is "she", then the facts of the frequent, then those of the rare, and
 * sums. */
#ifndef DATA_SYNTH_H
#define DATA_SYNTH_H

#include "base/arena.h"
#include "base/rand.h"
#include "base/str.h"

/* Words in the order of their frequency: English at first, then invented. */
typedef struct SynthWords {
    const char **base, **form; /* noun: plural; verb: past */
    int count;
    uint64_t *sum; /* running sums of weights 1 / (rank + 3) */
} SynthWords;

typedef struct SynthPerson {
    const char *first, *last, *full; /* "Orla", "Ashwell", "Orla Ashwell" */
    const char *job, *food, *plays, *pet, *pet_name, *colour, *born;
    bool she;
    int town, friend;
} SynthPerson;

typedef struct SynthTown {
    const char *name, *river, *makes, *building, *day, *land, *founded, *miles;
    int near; /* another town, so many miles away */
} SynthTown;

typedef struct SynthCreature {
    const char *name, *many, *kind, *colour, *home, *eats, *sound, *time;
} SynthCreature;

typedef struct SynthWorld {
    uint64_t seed;
    SynthWords things, deeds, acts, traits; /* nouns; verbs with and without object; adjectives */
    SynthPerson *person;
    SynthTown *town;
    SynthCreature *creature;
    int people, towns, creatures;
} SynthWorld;

SynthWorld *synth_world(uint64_t seed, Arena *out);

/* A number in [0, count) with weight 1 / (number + 3). */
int synth_rank(Rand *r, int count);
int synth_word(const SynthWords *w, Rand *r); /* the place of one, by its weight */
/* The same, but mostly one of the few words that go with number `with` (-1: none) of another
 * list: some things are mostly found and painted, others mostly lost. */
int synth_word_with(const SynthWords *w, Rand *r, int with);

/* Tools for writing: a pen puts words together into sentences. */
typedef struct SynthPen {
    Buf *out;
    Rand *rand;
    const SynthWorld *world;
    int depth; /* of phrases inside phrases */
    int head;  /* the thing that the phrase before is about, or -1 */
    int own;   /* the thing that the phrase being written is about, or -1 */
    int trait; /* the trait just written, or -1 */
} SynthPen;

SynthPen synth_pen(const SynthWorld *w, Rand *r, Buf *out);

/* Writes a template: @1..@9 are args[0..8]; @n @N a thing, things; @a a trait; @d @D does,
 * did something to; @i @I does, did something alone; @s @p a phrase for one thing, for several;
 * @c a whole clause; @x a number word.  "a" becomes "an" where it must; the first letter of a
 * sentence is made a capital. */
void synth_write(SynthPen *pen, const char *template, const char *const *args);
/* One of several templates; the list ends with NULL. */
const char *synth_choose(SynthPen *pen, const char *const *templates);
/* A sentence after what is there, with a space between unless a line begins. */
void synth_sentence(SynthPen *pen, const char *const *templates, const char *const *args);

/* Document `number` of the world, the same for the same world and number. */
typedef enum SynthKind {
    SYNTH_STORY,
    SYNTH_FACTS,
    SYNTH_QUESTIONS,
    SYNTH_LETTER,
    SYNTH_SUMS
} SynthKind;
SynthKind synth_document(const SynthWorld *w, int64_t number, Buf *out);
void synth_story(SynthPen *pen);
void synth_facts(SynthPen *pen);
void synth_questions(SynthPen *pen);
void synth_letter(SynthPen *pen);
void synth_sums(SynthPen *pen, bool wrong); /* wrong: about half of the results */

/* Faults, as they are planted in the dirty source. */
typedef enum SynthFault {
    SYNTH_CLEAN,
    SYNTH_EXACT_COPY,
    SYNTH_NEAR_COPY,
    SYNTH_BOILERPLATE,
    SYNTH_BROKEN_ENCODING,
    SYNTH_SHUFFLED_WORDS,
    SYNTH_WRONG_SUMS,
    SYNTH_FAULTS
} SynthFault;
extern const char *const synth_fault_name[SYNTH_FAULTS];

/* Document `number` of the dirty source; *of is the one it was copied from, or -1. */
SynthFault synth_dirty(const SynthWorld *w, int64_t number, Buf *out, int64_t *of);

#endif
