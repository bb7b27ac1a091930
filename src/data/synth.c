/* synth.c - which document is of which kind, and what is wrong with the dirty ones.
 *
 * Document i is drawn from a stream of its own, so it does not depend on how many there are.
 * The dirty source tells other documents of the same world, half of them with one fault
 * each; a copy is made of the text that the other document was given, fault and all. */
#include "data/synth.h"

#include "base/err.h"
#include "base/hash.h"

const char *const synth_fault_name[SYNTH_FAULTS] = {
    "clean",           "exact_copy",     "near_copy",  "boilerplate",
    "broken_encoding", "shuffled_words", "wrong_sums",
};

static Rand stream_of(const SynthWorld *w, const char *name, int64_t number)
{
    Rand r = rand_stream(hash64_mix(w->seed + 1) ^ (uint64_t)number, name);
    return r;
}

static SynthKind write_kind(SynthPen *pen, SynthKind kind, bool wrong)
{
    switch (kind) {
    case SYNTH_STORY: synth_story(pen); break;
    case SYNTH_FACTS: synth_facts(pen); break;
    case SYNTH_QUESTIONS: synth_questions(pen); break;
    case SYNTH_LETTER: synth_letter(pen); break;
    case SYNTH_SUMS: synth_sums(pen, wrong); break;
    }
    return kind;
}

static SynthKind any_kind(Rand *r)
{
    uint64_t share = rand_below(r, 100);
    if (share < 45) return SYNTH_STORY;
    if (share < 70) return SYNTH_FACTS;
    if (share < 78) return SYNTH_QUESTIONS;
    return share < 88 ? SYNTH_LETTER : SYNTH_SUMS;
}

SynthKind synth_document(const SynthWorld *w, int64_t number, Buf *out)
{
    Rand r = stream_of(w, "synth document", number);
    SynthPen pen = synth_pen(w, &r, out);
    return write_kind(&pen, any_kind(&r), false);
}

/* ---- faults ---- */

static const char *const boilerplate[] = {
    "Home | About us | News | Contact | Log in\n",
    "Click here to subscribe to our newsletter!\n",
    "All rights reserved. No part of this page may be copied.\n",
    "This site uses cookies. Accept | Decline | More options\n",
    "Share this: Mail Print Save\n",
    "Please turn on scripts in your browser to read this page.\n",
    "You may also like: 10 things you did not know about soup\n",
    "Previous post | Next post | Back to top\n",
};

static void add_boilerplate(Rand *r, Buf *text)
{
    Buf whole = { 0 };
    for (int i = 0; i < 2; i++)
        buf_str(&whole, str_of(boilerplate[rand_below(r, (uint64_t)COUNT(boilerplate))]));
    buf_str(&whole, buf_view(text));
    for (int i = 0; i < 3; i++)
        buf_str(&whole, str_of(boilerplate[rand_below(r, (uint64_t)COUNT(boilerplate))]));
    buf_free(text);
    *text = whole;
}

/* UTF-8 read as Latin-1 and written as UTF-8 again, lost characters, bytes that are not UTF-8. */
static void break_encoding(Rand *r, Buf *text)
{
    static const char *const quote[] = { "\xc3\xa2\xe2\x82\xac\xc5\x93",
                                         "\xc3\xa2\xe2\x82\xac\xe2\x84\xa2", "\xef\xbf\xbd", "\xff",
                                         "\xc3\xa2\xe2\x82\xac\xe2\x80\x9d" };
    Buf whole = { 0 };
    for (ptrdiff_t i = 0; i < text->len; i++) {
        char c = text->at[i];
        bool often = c == '"' || c == ',' || c == '.';
        if (rand_below(r, often ? 2 : 60))
            buf_char(&whole, c);
        else
            buf_str(&whole, str_of(quote[rand_below(r, (uint64_t)COUNT(quote))]));
    }
    buf_free(text);
    *text = whole;
}

/* The words of each line in another order. */
static void shuffle_words(Rand *r, Buf *text)
{
    Buf whole = { 0 };
    Str rest = buf_view(text), line, word;
    while (str_cut(&rest, '\n', &line)) {
        Str words[400];
        int n = 0;
        while (n < COUNT(words) && str_cut(&line, ' ', &word)) words[n++] = word;
        uint64_t key = rand_u64(r);
        for (int i = 0; i < n; i++) {
            if (i) buf_char(&whole, ' ');
            buf_str(&whole, words[rand_permute((uint64_t)i, (uint64_t)n, key)]);
        }
        buf_char(&whole, '\n');
    }
    buf_free(text);
    *text = whole;
}

/* One word in about sixty becomes another. */
static void change_words(const SynthWorld *w, Rand *r, Buf *text, int64_t number)
{
    Buf whole = { 0 };
    Str rest = buf_view(text), word;
    for (bool first = true; str_cut(&rest, ' ', &word); first = false) {
        if (!first) buf_char(&whole, ' ');
        if (rand_below(r, 60))
            buf_str(&whole, word);
        else
            buf_str(&whole, str_of(w->things.base[synth_word(&w->things, r)]));
    }
    buf_printf(&whole, "Copy %td.\n", (ptrdiff_t)number);
    buf_free(text);
    *text = whole;
}

static SynthFault any_fault(Rand *r, int64_t number)
{
    static const int share[SYNTH_FAULTS] = { 52, 8, 8, 10, 8, 8, 6 };
    int at = (int)rand_below(r, 100), fault = 0;
    while (at >= share[fault]) at -= share[fault++];
    bool copy = fault == SYNTH_EXACT_COPY || fault == SYNTH_NEAR_COPY;
    return copy && number == 0 ? SYNTH_CLEAN : (SynthFault)fault;
}

/* Not a copy: the document as told, and its fault. */
static SynthFault original(const SynthWorld *w, int64_t number, Buf *out)
{
    Rand r = stream_of(w, "synth dirty", number);
    SynthPen pen = synth_pen(w, &r, out);
    SynthFault fault = any_fault(&r, number);
    if (fault == SYNTH_EXACT_COPY || fault == SYNTH_NEAR_COPY) return fault;
    bool sums = fault == SYNTH_WRONG_SUMS;
    SynthKind kind = any_kind(&r);
    while (!sums && fault != SYNTH_CLEAN && kind == SYNTH_SUMS) kind = any_kind(&r);
    write_kind(&pen, sums ? SYNTH_SUMS : kind, sums);
    if (fault == SYNTH_BOILERPLATE) add_boilerplate(&r, out);
    if (fault == SYNTH_BROKEN_ENCODING) break_encoding(&r, out);
    if (fault == SYNTH_SHUFFLED_WORDS) shuffle_words(&r, out);
    return fault;
}

SynthFault synth_dirty(const SynthWorld *w, int64_t number, Buf *out, int64_t *of)
{
    *of = -1;
    SynthFault fault = original(w, number, out);
    if (fault != SYNTH_EXACT_COPY && fault != SYNTH_NEAR_COPY) return fault;
    Rand r = stream_of(w, "synth copy", number);
    Buf text = { 0 };
    SynthFault copied = fault;
    for (int64_t back = (int64_t)rand_below(&r, (uint64_t)number);; back--) {
        CHECK(back >= 0, "document %td has nothing to copy", (ptrdiff_t)number);
        buf_clear(&text);
        copied = original(w, back, &text);
        *of = back;
        if (copied != SYNTH_EXACT_COPY && copied != SYNTH_NEAR_COPY) break;
    }
    if (fault == SYNTH_NEAR_COPY) change_words(w, &r, &text, number);
    buf_str(out, buf_view(&text));
    buf_free(&text);
    return fault;
}
