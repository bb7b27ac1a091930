/* research_ground.c - what a session stands on: its text, recipes that can run, weights that are
 * there.
 *
 * Runs on different texts cannot be compared.  `data add` may put more text under a name that a
 * question uses, also while its session works, so the manifests are hashed at each turn: a session
 * whose text has changed decides nothing more by new runs, and ends; the next one opens a question
 * on the new text.  The same holds for the files of another trainer.  Freezing a copy of the text
 * for each question was rejected: it doubles the disk and the person who adds text wants it used.
 */
#include <string.h>

#include "lab/research_private.h"

bool session_text_changed(Session *s, Err *err)
{
    char now[65];
    Arena scratch = arena_reserve((ptrdiff_t)1 << 28);
    Lab lab = *s->lab;
    Recipe first;
    lab.arena = &scratch;
    bool ok = lab_recipe(&lab, s->h.baseline, &first, err) &&
              session_data_sha256(&lab, s->source, s->n_sources, &first, now, err);
    arena_release(&scratch);
    if (!ok) return false;
    s->text_changed = strcmp(json_str(s->h.body, "data_sha256", ""), now) != 0;
    return true;
}

bool session_refuse(Session *s, const HistExp *x, const char *why, Err *err)
{
    json_t *body = json_pack("{s:s, s:s, s:s, s:o, s:b, s:i, s:f}", "experiment", x->id, "question",
                             s->h.question, "decision", "drop", "why", json_text(str_of(why)),
                             "refused", 1, "runs", 0, "seconds", 0.0);
    return ledger_append(s->lab->ledger, "verdict", x->id, body, err) && history_update(&s->h, err);
}

bool session_answer(Session *s, const HistExp *x, Err *err)
{
    VerdictCase c;
    Recipe champion;
    TrainSize size;
    Err also = { 0 };
    history_case(&s->h, x, &c);
    bool impossible = err->code == ERR_CONFIG || err->code == ERR_DEVICE;
    if (!impossible || c.n + c.failed > 0 || !lab_recipe(s->lab, s->h.champion, &champion, &also) ||
        !train_size(s->lab->dir, &champion, &size, &also))
        return false;
    Err reason = *err;
    *err = (Err){ 0 };
    return session_refuse(s, x, reason.msg, err);
}

/* Checkpoints may be gone: somebody made room on the disk.  What they held is made again. */
static bool score_run(Session *s, int tier, const char *run, JudgeScore *out, Err *err)
{
    if (s->watch->score) return s->watch->score(s->lab, run, tier, out, err);
    if (lab_run_score(s->lab, run, tier, s->source, s->n_sources, out, err)) return true;
    *err = (Err){ 0 };
    session_say(s, "%s is trained again: its checkpoint is gone", run);
    RunWatch watch = { .self = s->watch->self, .stop = s->watch->stop };
    return lab_run_restore(s->lab, run, s->plan->threads, watch, err) &&
           lab_run_score(s->lab, run, tier, s->source, s->n_sources, out, err);
}

bool session_score(Session *s, int tier, const int *index, int n, double *bpb, Err *err)
{
    for (int i = 0; i < n && history_reported(&s->h); i++) bpb[i] = s->h.run[index[i]].bpb;
    if (history_reported(&s->h)) return true; /* no judge has seen it, on any tier */
    for (int i = 0; i < n; i++) {
        JudgeScore score = { 0 };
        /* Between two models: a tier of a large corpus takes seconds for each. */
        if (s->watch->stop && s->watch->stop(s->watch->self))
            return err_set(err, ERR_STOPPED, "stopped; the same command goes on");
        if (!score_run(s, tier, s->h.run[index[i]].id, &score, err)) return false;
        bpb[i] = score.bpb;
    }
    return true;
}
