/* entry_text.c - what each kind of entry says, in a line.
 *
 * A table of small functions by kind; a kind that is not in it shows its body as JSON, so an
 * entry of a newer or rarer kind is never hidden. */
#include "lab/entry_text.h"

#include <math.h>
#include <string.h>

#include "base/progress.h"
#include "lab/session.h"

static const char *text(const json_t *b, const char *key)
{
    return json_str(b, key, "");
}

static void put_number(Buf *out, const char *before, const json_t *b, const char *key,
                       const char *after)
{
    double x = json_num(b, key, (double)NAN);
    if (isfinite(x)) buf_printf(out, "%s%.4f%s", before, x, after);
}

static void put_count(Buf *out, const char *before, const json_t *b, const char *key,
                      const char *after)
{
    char words[32];
    double x = json_num(b, key, (double)NAN);
    if (isfinite(x)) buf_printf(out, "%s%s%s", before, str_count(words, x), after);
}

static void put_hash(Buf *out, const char *before, const char *hash)
{
    if (hash[0]) buf_printf(out, "%s%.10s", before, hash);
}

static void say_lab(const json_t *b, Buf *out)
{
    buf_printf(out, "made by Lathe %s", text(b, "version"));
}

static void say_question(const json_t *b, Buf *out)
{
    buf_printf(out, "frame %s", text(b, "frame"));
    const json_t *sources = json_object_get(b, "sources");
    for (size_t i = 0; i < json_array_size(sources); i++)
        buf_printf(out, "%s%s", i ? ", " : ", text of ",
                   json_string_value(json_array_get(sources, i)));
    if (text(b, "why")[0]) buf_printf(out, "; %s", text(b, "why"));
}

static void say_recipe(const json_t *b, Buf *out)
{
    int lines = 0;
    for (const char *s = text(b, "text"); *s; s++) lines += *s == '\n';
    buf_printf(out, "a recipe of %d lines", lines);
}

static void say_session(const json_t *b, Buf *out)
{
    buf_printf(out, "researcher %s in %s", text(b, "researcher"), text(b, "question"));
    put_count(out, ", ", b, "experiments", " experiments");
    if (json_num(b, "hours", 0) > 0) buf_printf(out, " in %.3g hours", json_num(b, "hours", 0));
}

static void say_work(const json_t *b, Buf *out)
{
    char away[32];
    double seconds = json_num(b, "away", 0);
    buf_printf(out, "on %s", text(b, "session"));
    if (seconds > 0) buf_printf(out, "; the machine slept %s", str_seconds(away, seconds));
}

static void say_run(const json_t *b, Buf *out)
{
    buf_printf(out, "%s, seed %lld", text(b, "purpose"), (long long)json_int(b, "seed", 0));
    if (text(b, "experiment")[0]) buf_printf(out, ", for %s", text(b, "experiment"));
    if (text(b, "replay_of")[0]) buf_printf(out, ", again %s", text(b, "replay_of"));
    put_hash(out, ", recipe ", text(b, "recipe"));
}

/* Whose word a number is, where no judge has seen it. */
static void put_source(Buf *out, const json_t *b)
{
    if (json_is_true(json_object_get(b, "self_reported"))) buf_str(out, STR(", self-reported"));
}

static void say_result(const json_t *b, Buf *out)
{
    char seconds[32];
    if (json_is_true(json_object_get(b, "failed")))
        buf_printf(out, "failed%s%s", text(b, "why")[0] ? ": " : "", text(b, "why"));
    else
        put_number(out, "", b, "bpb", text(b, "metric")[0] ? "" : " bpb");
    if (text(b, "metric")[0]) buf_printf(out, " %s", text(b, "metric"));
    put_source(out, b);
    put_count(out, ", ", b, "steps", " steps");
    put_count(out, ", ", b, "tokens", " tokens");
    buf_printf(out, ", %s", str_seconds(seconds, json_num(b, "seconds", 0)));
}

static void say_blocks(const json_t *b, Buf *out)
{
    buf_printf(out, "score of %d blocks of the %s tier",
               (int)json_array_size(json_object_get(b, "bits")), text(b, "tier"));
}

static void say_proposal(const json_t *b, Buf *out)
{
    buf_printf(out, "%s (%s)", text(b, "title"), text(b, "author"));
    put_number(out, ", predicts ", b, "predicted", "");
}

void entry_text_verdict(const json_t *b, Buf *out)
{
    /* The shrunken effect is that of what is kept, and its interval goes with it; what is not kept
     * has the interval of what was measured. */
    bool keep = strcmp(text(b, "decision"), "keep") == 0;
    buf_str(out, str_of(text(b, "decision")));
    put_number(out, keep ? ", gain " : ", measured ", b, keep ? "effect" : "D", "");
    put_number(out, " (", b, "low", "");
    put_number(out, " to ", b, "high", ")");
    put_number(out, ", P ", b, "P", "");
    put_source(out, b);
}

static void say_verdict(const json_t *b, Buf *out)
{
    entry_text_verdict(b, out);
    if (text(b, "why")[0]) buf_printf(out, ": %s", text(b, "why"));
}

static void say_claim(const json_t *b, Buf *out)
{
    buf_str(out, str_of(text(b, "experiment")));
    put_number(out, " gains ", b, "effect", "");
    put_number(out, " (", b, "low", "");
    put_number(out, " to ", b, "high", ")");
    put_source(out, b);
}

static void say_champion(const json_t *b, Buf *out)
{
    put_hash(out, "recipe ", text(b, "recipe"));
    if (text(b, "experiment")[0]) buf_printf(out, " by %s", text(b, "experiment"));
}

static void say_read(const json_t *b, Buf *out)
{
    buf_printf(out, "%s tier", text(b, "tier"));
    if (text(b, "run")[0]) buf_printf(out, " for %s", text(b, "run"));
    if (text(b, "experiment")[0]) buf_printf(out, " for %s", text(b, "experiment"));
    if (text(b, "reason")[0]) buf_printf(out, ": %s", text(b, "reason"));
}

static void say_diagnosis(const json_t *b, Buf *out)
{
    buf_printf(out, "%s, %s", text(b, "harm"), text(b, "finding"));
    put_count(out, " from step ", b, "first_step", "");
    buf_printf(out, ": %s", text(b, "evidence"));
}

static void say_signals(const json_t *b, Buf *out)
{
    buf_printf(out, "%d signals", (int)json_object_size(json_object_get(b, "signals")));
}

static void say_headline(const json_t *b, Buf *out)
{
    put_number(out, "champion against first recipe: gain ", b, "gain", "");
    put_number(out, " (", b, "low", "");
    put_number(out, " to ", b, "high", ")");
    if (strcmp(text(b, "tier"), "self-reported") == 0) buf_str(out, STR(", self-reported"));
}

static void say_generation(const json_t *b, Buf *out)
{
    buf_printf(out, "of %s", text(b, "run"));
    if (text(b, "parent")[0])
        buf_printf(out, ", child of %s: %s", text(b, "parent"), text(b, "took"));
}

static void say_confirming(const json_t *b, Buf *out)
{
    buf_printf(out, "%s goes on on fresh seeds", text(b, "experiment"));
}

static void say_code(const json_t *b, Buf *out)
{
    bool built = json_is_true(json_object_get(b, "built"));
    buf_printf(out, "patch by %s, +%d -%d lines: %s after %.1f s", json_str(b, "author", ""),
               (int)json_int(b, "added", 0), (int)json_int(b, "deleted", 0),
               built ? "an engine" : "it does not build or pass", json_num(b, "seconds", 0));
}

static void say_refused(const json_t *b, Buf *out)
{
    buf_str(out, str_of(text(b, "why")));
}

static void say_audit(const json_t *b, Buf *out)
{
    bool agrees = json_is_true(json_object_get(b, "agrees"));
    buf_str(out, agrees ? STR("the audit tier agrees") : STR("the audit tier disagrees"));
}

static void say_control(const json_t *b, Buf *out)
{
    buf_printf(out, "%s, by a %s", text(b, "action"), text(b, "author"));
}

static void say_closing(const json_t *b, Buf *out)
{
    Buf left = { 0 };
    session_left_words(b, &left);
    buf_printf(out, "%s%s%s", text(b, "reason"), left.len > 0 ? "; " : "",
               left.len > 0 ? left.at : "");
    buf_free(&left);
}

static void say_note(const json_t *b, Buf *out)
{
    buf_printf(out, "%s%s%s", text(b, "author"), text(b, "author")[0] ? ": " : "", text(b, "text"));
}

static void say_veto(const json_t *b, Buf *out)
{
    buf_printf(out, "%s%s%s", text(b, "target"), text(b, "reason")[0] ? ": " : "",
               text(b, "reason"));
}

static void say_end(const json_t *b, Buf *out)
{
    buf_str(out, str_of(text(b, "text")));
}

static void say_share(const json_t *b, Buf *out)
{
    buf_printf(out, "%s of %s may be shown, by %s", text(b, "what"), text(b, "source"),
               text(b, "author"));
}

static void say_tool_call(const json_t *b, Buf *out)
{
    buf_printf(out, "%s by %s", text(b, "tool"), text(b, "author"));
    if (text(b, "why")[0]) buf_printf(out, " refused: %s", text(b, "why"));
}

static void say_task(const json_t *b, Buf *out)
{
    const char *until = text(json_object_get(b, "args"), "until");
    buf_printf(out, "%s for %s by %s", text(b, "tool"), until[0] ? until : "what is decided next",
               text(b, "author"));
}

static void say_task_end(const json_t *b, Buf *out)
{
    buf_printf(out, "%s", text(b, "status"));
}

static void say_settle(const json_t *b, Buf *out)
{
    buf_printf(out, "%s of %s", text(b, "kind"), text(b, "data"));
    put_count(out, ": without ", b, "remedy_tokens", " tokens");
    put_count(out, ", against ", b, "control_tokens", " at random");
}

static void say_settled(const json_t *b, Buf *out)
{
    buf_printf(out, "%s of %s: ", text(b, "kind"), text(b, "data"));
    say_verdict(b, out);
}

static void say_labelling(const json_t *b, Buf *out)
{
    buf_printf(out, "%s labels documents of %s: %s", text(b, "model"), text(b, "data"),
               text(b, "question"));
}

static void say_labels(const json_t *b, Buf *out)
{
    buf_printf(out, "%zu labels, %lld documents asked for so far",
               json_array_size(json_object_get(b, "labels")), (long long)json_int(b, "asked", 0));
}

static void say_request(const json_t *b, Buf *out)
{
    buf_printf(out, "%s asks %s, request %lld", text(b, "role"), text(b, "model"),
               (long long)json_int(b, "round", 0));
}

static void say_try(const json_t *b, Buf *out)
{
    const json_t *usage = json_object_get(b, "usage");
    buf_printf(out, "try %lld: %s", (long long)json_int(b, "number", 0), text(b, "fault"));
    if (json_is_object(usage))
        buf_printf(out, ", %lld tokens in and %lld out",
                   (long long)(json_int(usage, "input", 0) + json_int(usage, "cache_read", 0) +
                               json_int(usage, "cache_write", 0) +
                               json_int(usage, "cache_write_hour", 0)),
                   (long long)json_int(usage, "output", 0));
    put_number(out, ", $", b, "usd", "");
    if (text(b, "said")[0]) buf_printf(out, ": %s", text(b, "said"));
}

static void say_turn(const json_t *b, Buf *out)
{
    const json_t *turn = json_object_get(b, "turn"), *call;
    size_t i;
    buf_printf(out, "%s: %s", text(b, "role"), text(b, "stop"));
    if (text(b, "category")[0]) buf_printf(out, " (%s)", text(b, "category"));
    if (text(b, "explanation")[0]) buf_printf(out, ", %s", text(b, "explanation"));
    json_array_foreach(json_object_get(turn, "calls"), i, call)
        buf_printf(out, "%s%s", i ? ", " : " ", json_str(call, "name", ""));
    if (text(turn, "text")[0]) buf_printf(out, ": %s", text(turn, "text"));
}

static const struct {
    const char *kind;
    void (*say)(const json_t *body, Buf *out);
} sayings[] = {
    { "lab", say_lab },
    { "question", say_question },
    { "recipe", say_recipe },
    { "session", say_session },
    { "work", say_work },
    { "closing", say_closing },
    { "session_end", say_end },
    { "run", say_run },
    { "result", say_result },
    { "blocks", say_blocks },
    { "code", say_code },
    { "idea", say_proposal },
    { "idea_refused", say_refused },
    { "proposal", say_proposal },
    { "confirming", say_confirming },
    { "audit", say_audit },
    { "verdict", say_verdict },
    { "claim", say_claim },
    { "champion", say_champion },
    { "judge_read", say_read },
    { "diagnosis", say_diagnosis },
    { "signals", say_signals },
    { "headline", say_headline },
    { "generation", say_generation },
    { "settle", say_settle },
    { "settled", say_settled },
    { "labelling", say_labelling },
    { "labels", say_labels },
    { "note", say_note },
    { "veto", say_veto },
    { "control", say_control },
    { "share", say_share },
    { "tool_call", say_tool_call },
    { "task", say_task },
    { "task_end", say_task_end },
    { "llm_request", say_request },
    { "llm_try", say_try },
    { "llm_turn", say_turn },
};

void entry_text(const char *kind, const json_t *body, Buf *out)
{
    for (int i = 0; i < COUNT(sayings); i++) {
        if (strcmp(sayings[i].kind, kind) != 0) continue;
        sayings[i].say(body, out);
        return;
    }
    json_write(body, false, out);
}

void entry_text_plain(Buf *b)
{
    for (ptrdiff_t i = 0; i < b->len; i++)
        if ((unsigned char)b->at[i] < 0x20 || b->at[i] == 0x7f) b->at[i] = ' ';
}

void entry_text_curve(const char *label, const double *values, int n, Buf *out)
{
    char line[400];
    int first = 0, last = n - 1;
    while (first < n && !isfinite(values[first])) first++;
    while (last >= 0 && !isfinite(values[last])) last--;
    if (first > last) return;
    sparkline(values, n, 60, line, sizeof(line));
    buf_printf(out, "%-10s %10.4g %s %.4g\n", label, values[first], line, values[last]);
}
