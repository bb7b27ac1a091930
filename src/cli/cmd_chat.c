/* cmd_chat.c - taking turns with a model that only knows how to continue a text.
 *
 * Nothing here is tuned for talk: the conversation is written down as a play with two parts
 * ("User:" and "Lathe:"), and the model continues it until it would speak for the user, or
 * leaves a blank line.  What no longer fits its context falls away at the front.
 *
 * Lines come from standard input, so the same command serves a person and a pipe. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cmd.h"
#include "cli/run_dir.h"
#include "train/trained.h"

static const CmdOpt opts[] = {
    { "tokens", 'n', "N", "at most so many tokens an answer (200)" },
    { "temperature", 't', "T", "0: always the most likely token (0.7)" },
    { "top-p", 0, "P", "draw among the likeliest that together have probability P (0.9)" },
    { "seed", 0, "N", "another number, another conversation (1)" },
    { "threads", 0, "N", "0: all cores (0)" },
    { 0 },
};

static const char your_turn[] = "\nUser:", its_turn[] = "\nLathe:";

typedef struct Answer {
    Buf text;
    ptrdiff_t shown;
} Answer;

/* Where an answer ends: at the user's next turn or at a blank line; -1: nowhere yet. */
static ptrdiff_t end_of(const Buf *text)
{
    const char *ends[] = { your_turn, its_turn, "\n\n" };
    ptrdiff_t first = -1;
    for (int i = 0; i < COUNT(ends); i++) {
        const char *hit = text->at ? strstr(text->at, ends[i]) : NULL;
        if (hit && (first < 0 || hit - text->at < first)) first = hit - text->at;
    }
    return first;
}

static void show(Answer *a, ptrdiff_t to)
{
    if (to > a->shown) fwrite(a->text.at + a->shown, 1, (size_t)(to - a->shown), stdout);
    a->shown = MAX(a->shown, to);
    fflush(stdout);
}

/* The last bytes are held back: they may turn out to begin the user's turn. */
static bool emit(void *self, Str bytes)
{
    Answer *a = self;
    for (ptrdiff_t i = 0; i < bytes.len; i++) {
        bool blank = a->text.len == 0 && (bytes.at[i] == ' ' || bytes.at[i] == '\n');
        if (!blank && bytes.at[i] != 0) buf_char(&a->text, bytes.at[i]);
    }
    ptrdiff_t end = end_of(&a->text);
    if (end >= 0) {
        a->text.len = end;
        a->text.at[end] = 0;
        return false;
    }
    show(a, a->text.len - (ptrdiff_t)sizeof(its_turn));
    return !stop_asked();
}

static bool answer(Trained *t, Buf *play, SampleOpt o, Err *err)
{
    Answer a = { 0 };
    buf_str(play, STR("\nLathe:"));
    if (!trained_sample(t, buf_view(play), o, emit, &a, err)) {
        buf_free(&a.text);
        return false;
    }
    show(&a, a.text.len);
    printf("\n");
    fflush(stdout);
    buf_printf(play, " %s", a.text.at ? a.text.at : "");
    buf_free(&a.text);
    return true;
}

static bool converse(Trained *t, SampleOpt o, Err *err)
{
    bool person = isatty(STDIN_FILENO), ok = true;
    Buf play = { 0 };
    char *line = NULL;
    size_t cap = 0;
    while (ok && !stop_asked()) {
        if (person) {
            printf("> ");
            fflush(stdout);
        }
        ssize_t n = getline(&line, &cap, stdin);
        if (n < 0) break;
        Str said = str_trim((Str){ line, n });
        if (said.len == 0) continue;
        buf_printf(&play, "%sUser: %.*s", play.len ? "\n" : "", (int)said.len, said.at);
        ok = answer(t, &play, o, err);
        o.seed++;
    }
    free(line);
    buf_free(&play);
    return ok;
}

static bool run(Cmd *c, Err *err)
{
    SampleOpt o = { 0 };
    double tokens, seed, threads;
    const char *name, *dir;
    if (!cmd_number(c, "tokens", 200, 1, 1e6, &tokens, err) ||
        !cmd_number(c, "temperature", 0.7, 0, 100, &o.temperature, err) ||
        !cmd_number(c, "top-p", 0.9, 0, 1, &o.top_p, err) ||
        !cmd_number(c, "seed", 1, 0, 1e15, &seed, err) ||
        !cmd_number(c, "threads", 0, 0, 4096, &threads, err) ||
        !run_dir(c, c->n_args ? c->arg[0] : NULL, &name, &dir, err))
        return false;
    o.tokens = (int)tokens;
    o.seed = (uint64_t)seed;
    Trained *t = trained_open(dir, (int)threads, c->arena, err);
    if (!t) return false;
    if (isatty(STDIN_FILENO))
        fprintf(stderr,
                "%s, step %lld: it continues text, it was not taught to talk. End with Ctrl-D.\n",
                name, (long long)trained_step(t));
    bool ok = converse(t, o, err);
    trained_close(t);
    return ok;
}

const CmdDef cmd_chat = {
    .name = "chat",
    .args = "[RUN]",
    .doc = "take turns with a trained model",
    .more = "Each line you type is answered. Lines from a pipe work as well. RUN is an id such as "
            "r12, champion (the newest one trained in full), or a folder with checkpoints, written "
            "with a '/'; without it the newest model is taken.",
    .opts = opts,
    .max_args = 1,
    .run = run,
};
