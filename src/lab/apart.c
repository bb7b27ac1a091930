/* apart.c - the judge's process, from the lab's side: a job goes in, a document comes out.
 *
 * A process of its own, because the held-out text is to be in no memory that handles what agents
 * write; it is started anew for each score, which costs milliseconds. */
#include "lab/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

const char *apart_self(Arena *out)
{
    char at[4096];
    ssize_t n = readlink("/proc/self/exe", at, sizeof(at) - 1);
    return arena_str(out, (Str){ at, MAX(n, 0) });
}

/* ---- the process ---- */

typedef struct Child {
    pid_t pid;
    int in, out, says; /* its standard input, output and errors */
} Child;

static bool start(const char *lab, const char *self, Child *c, Err *err)
{
    int in[2] = { -1, -1 }, out[2] = { -1, -1 }, says[2] = { -1, -1 };
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(says, O_CLOEXEC) != 0)
        return err_errno(err, "start the judge");
    c->pid = fork();
    if (c->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (dup2(in[0], 0) < 0 || dup2(out[1], 1) < 0 || dup2(says[1], 2) < 0) _exit(126);
        execl(self, self, "-C", lab, "judge", "--json", (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    close(says[1]);
    c->in = in[1];
    c->out = out[0];
    c->says = says[0];
    return c->pid > 0 || err_errno(err, "start the judge");
}

static void read_all(int fd, Buf *out)
{
    char bytes[8192];
    ssize_t n;
    while ((n = read(fd, bytes, sizeof(bytes))) > 0 || (n < 0 && errno == EINTR && !stop_asked()))
        if (n > 0) buf_put(out, bytes, n);
    close(fd);
}

static bool ask_process(const char *lab, const json_t *job, Buf *answer, Err *err)
{
    Arena scratch = arena_reserve(1 << 16);
    Child c = { 0 };
    Buf text = { 0 }, says = { 0 };
    int status = -1;
    bool ok = start(lab, apart_self(&scratch), &c, err);
    json_write(job, false, &text);
    if (ok) {
        ok = write(c.in, text.at, (size_t)text.len) == (ssize_t)text.len;
        if (!ok) err_errno(err, "tell the judge");
        close(c.in);
        read_all(c.out, answer);
        read_all(c.says, &says);
        if (stop_asked()) kill(c.pid, SIGTERM);
        while (waitpid(c.pid, &status, 0) < 0 && errno == EINTR) continue;
    }
    if (ok && status != 0) {
        Str words = str_trim(buf_view(&says));
        ok = err_set(err, stop_asked() ? ERR_STOPPED : ERR_IO, "%.*s",
                     (int)(words.len ? words.len : 15), words.len ? words.at : "the judge ended");
    }
    buf_free(&text);
    buf_free(&says);
    arena_release(&scratch);
    return ok;
}

/* ---- job and answer ---- */

static json_t *job_json(const ApartWho *who, const JudgeText *text)
{
    Buf recipe = { 0 };
    json_t *sources = json_array();
    for (int i = 0; i < text->n_sources; i++)
        json_array_append_new(sources, json_string(text->sources[i]));
    recipe_text(who->recipe, false, &recipe);
    json_t *job = json_pack("{s:o, s:i, s:s, s:s, s:s, s:i}", "sources", sources, "tier",
                            text->tier, "recipe", recipe.at, "program", who->program, "model",
                            who->dir, "threads", who->threads > 0 ? who->threads : 2);
    buf_free(&recipe);
    return job;
}

static double *numbers(const json_t *list, Arena *out, int *n)
{
    *n = (int)json_array_size(list);
    double *x = NEW(out, double, MAX(*n, 1));
    for (int i = 0; i < *n; i++) {
        const json_t *v = json_array_get(list, (size_t)i);
        x[i] = json_is_number(v) ? json_number_value(v) : (double)NAN;
    }
    return x;
}

static void read_score(const json_t *b, Arena *out, ApartScore *s)
{
    int n = 0, m = 0, sources = 0;
    *s = (ApartScore){ .rejected = json_is_true(json_object_get(b, "rejected")),
                       .wall = json_num(b, "wall", 0),
                       .cpu = json_num(b, "cpu", 0) };
    snprintf(s->why, sizeof(s->why), "%s", json_str(b, "why", ""));
    JudgeScore *j = &s->score;
    j->bpb = json_num(b, "bpb", (double)NAN);
    j->error = json_num(b, "error", (double)NAN);
    j->bytes = json_int(b, "bytes", 0);
    j->tokens = json_int(b, "tokens", 0);
    j->documents = json_int(b, "documents", 0);
    j->bits = numbers(json_object_get(b, "bits"), out, &n);
    j->block_bytes = numbers(json_object_get(b, "block_bytes"), out, &m);
    j->blocks = MIN(n, m);
    const double *by = numbers(json_object_get(b, "bpb_by_source"), out, &sources);
    j->n_sources = MIN(sources, MIXTURE_MAX);
    for (int i = 0; i < j->n_sources; i++) j->source_bpb[i] = by[i];
    snprintf(j->text_sha256, 65, "%s", json_str(b, "text_sha256", ""));
    const double *probes = numbers(json_object_get(b, "probes"), out, &n);
    for (int i = 0; i < n; i++) s->probes += (int)probes[i];
}

bool apart_ask(Lab *lab, const ApartWho *who, const JudgeText *text, Arena *out, ApartScore *score,
               Err *err)
{
    Buf answer = { 0 };
    json_t *job = job_json(who, text);
    bool ok = ask_process(lab->dir, job, &answer, err);
    json_t *b = ok ? json_read(buf_view(&answer), "the judge's answer", err) : NULL;
    if (b) read_score(b, out, score);
    json_decref(b);
    json_decref(job);
    buf_free(&answer);
    return b != NULL;
}
