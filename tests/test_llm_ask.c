/* Asking over both protocols, from a server that behaves in every way a server can. */
#include "base/clock.h"
#include "base/file.h"
#include "llm/llm.h"
#include "llm/sse.h"
#include "tests/fake_llm.h"
#include "tests/test.h"

#include <sys/stat.h>

static FakeLlm fake;
static Loopback server = { .answer = fake_llm, .ctx = &fake };
static char base[2][64];
static const char *const wires[2] = { "anthropic", "openai" };

static LlmModel model_of(int wire, const char *name)
{
    if (!server.port) {
        loopback_start(&server);
        snprintf(base[0], sizeof base[0], "http://127.0.0.1:%d/", server.port);
        snprintf(base[1], sizeof base[1], "http://127.0.0.1:%d/v1", server.port);
    }
    return (LlmModel){ .wire = llm_wire(wires[wire]),
                       .base_url = base[wire],
                       .name = name,
                       .key = "sk-secret",
                       .tries = 3,
                       .idle_seconds = 10,
                       .total_seconds = 30 };
}

typedef struct Heard {
    Buf text;
    int tries, waits;
    LlmFault first;
    int64_t output; /* summed over tries */
    double waited;
    bool stop;
} Heard;

static void on_text(void *ctx, Str piece)
{
    buf_str(&((Heard *)ctx)->text, piece);
}
static bool on_try(void *ctx, const LlmTry *t, Err *err)
{
    Heard *h = ctx;
    (void)err;
    if (h->tries++ == 0) h->first = t->fault;
    if (t->wait >= 0) h->waits++, h->waited += t->wait;
    h->output += t->usage.output;
    return true;
}
static bool on_stop(void *ctx)
{
    return ((Heard *)ctx)->stop;
}

/* Asks with one user turn and two tools. */
static bool ask(const LlmModel *m, Heard *heard, LlmAnswer *a, Err *err)
{
    json_t *turns = json_pack("[{s:s, s:s}]", "role", "user", "text", "go");
    json_t *tools = json_pack("[{s:s, s:s, s:{s:s}}, {s:s, s:s, s:{s:s}}]", "name", "run", "doc",
                              "runs", "schema", "type", "object", "name", "wait", "doc", "waits",
                              "schema", "type", "object");
    LlmPrompt p = { .system = "You are a researcher.", .tools = tools, .turns = turns };
    LlmEars ears = { .text = on_text, .tried = on_try, .stop = on_stop, .ctx = heard };
    bool ok = llm_ask(m, &p, &ears, a, err);
    json_decref(turns);
    json_decref(tools);
    return ok;
}

static void end(Heard *h, LlmAnswer *a)
{
    buf_free(&h->text);
    *h = (Heard){ 0 };
    llm_answer_free(a);
}

static const char *argument(const LlmAnswer *a, size_t i)
{
    return json_str(json_array_get(json_object_get(a->turn, "calls"), i), "arguments", "(none)");
}

TEST(a_streamed_answer_comes_with_its_text_calls_and_usage)
{
    for (int w = 0; w < 2; w++) {
        LlmModel m = model_of(w, "tools");
        Heard h = { 0 };
        LlmAnswer a;
        Err err = { 0 };
        EXPECT_MSG(ask(&m, &h, &a, &err), "%s", err.msg);
        EXPECT(a.stop == LLM_CALLS && h.tries == 1 && a.tries == 1);
        EXPECT(strcmp(json_str(a.turn, "text", ""), "I will run it.") == 0 &&
               strcmp(h.text.at, "I will run it.") == 0);
        EXPECT(json_array_size(json_object_get(a.turn, "calls")) == 2);
        json_t *run = json_read(str_of(argument(&a, 0)), "arguments", &err);
        EXPECT(json_num(run, "lr", 0) == 0.0006 &&
               strcmp(json_str(run, "note", ""), "\xc3\xa9\"\\'") == 0);
        EXPECT(strcmp(argument(&a, 1), "{}") == 0);
        EXPECT(a.usage.known && a.usage.input == 42 && a.usage.cache_read == 1000 &&
               a.usage.output == 17 && a.usage.thinking == 5);
        EXPECT(w == 1 || (a.usage.cache_write == 20 && a.usage.cache_write_hour == 10));
        EXPECT(strcmp(a.request_id, "req_1") == 0 && h.output == 17);
        json_decref(run);
        end(&h, &a);
    }
}

TEST(an_endpoint_that_does_not_stream_is_understood)
{
    for (int w = 0; w < 2; w++) {
        LlmModel m = model_of(w, "whole");
        Heard h = { 0 };
        LlmAnswer a;
        Err err = { 0 };
        EXPECT_MSG(ask(&m, &h, &a, &err), "%s", err.msg);
        EXPECT(a.stop == LLM_CALLS && json_array_size(json_object_get(a.turn, "calls")) == 2 &&
               a.usage.output == 17);
        EXPECT(strstr(argument(&a, 0), "0.0006") && strcmp(h.text.at, "I will run it.") == 0);
        end(&h, &a);
    }
}

TEST(thoughts_go_back_byte_for_byte_to_the_same_model_only)
{
    LlmModel m = model_of(0, "think"), other = model_of(0, "ok"), foreign = model_of(1, "ok");
    Heard h = { 0 };
    LlmAnswer a;
    Err err = { 0 };
    EXPECT(ask(&m, &h, &a, &err));
    json_t *results =
        json_pack("{s:s, s:[{s:s, s:s, s:b}, {s:s, s:s, s:b}]}", "role", "results", "results", "id",
                  "toolu_1", "text", "done", "error", 0, "id", "toolu_2", "text", "no", "error", 1);
    json_t *turns = json_pack("[{s:s, s:s}, O, o, {s:s, s:s}]", "role", "user", "text", "go",
                              a.turn, results, "role", "user", "text", "and?");
    LlmPrompt p = { .turns = turns };
    json_t *q = llm_request(&m, &p), *messages = json_object_get(q, "messages");
    json_t *back = json_object_get(json_array_get(messages, 1), "content"),
           *thought = json_array_get(back, 0);
    EXPECT(json_array_size(messages) == 3 && json_array_size(back) == 4);
    EXPECT(strcmp(json_str(thought, "thinking", ""), "Consider lr. \xc3\xa9") == 0 &&
           strcmp(json_str(thought, "signature", ""), "c2ln+/=") == 0);
    json_t *last = json_object_get(json_array_get(messages, 2), "content");
    EXPECT(json_array_size(last) == 3 &&
           strcmp(json_str(json_array_get(last, 0), "type", ""), "tool_result") == 0);
    EXPECT(json_is_true(json_object_get(json_array_get(last, 1), "is_error")) &&
           json_object_get(json_array_get(last, 2), "cache_control"));
    json_decref(q);
    q = llm_request(&other, &p);
    back = json_object_get(json_array_get(json_object_get(q, "messages"), 1), "content");
    EXPECT(json_array_size(back) == 3 &&
           strcmp(json_str(json_array_get(back, 0), "type", ""), "text") == 0);
    json_decref(q);
    q = llm_request(&foreign, &p);
    messages = json_object_get(q, "messages");
    EXPECT(json_array_size(messages) == 5 &&
           strcmp(json_str(json_array_get(messages, 2), "tool_call_id", ""), "toolu_1") == 0);
    EXPECT(json_array_size(json_object_get(json_array_get(messages, 1), "tool_calls")) == 2);
    json_decref(q);
    json_decref(turns);
    end(&h, &a);
}

TEST(arguments_that_are_not_json_are_handed_on_as_they_came)
{
    for (int w = 0; w < 2; w++) {
        LlmModel m = model_of(w, "badargs");
        Heard h = { 0 };
        LlmAnswer a;
        Err err = { 0 };
        EXPECT_MSG(ask(&m, &h, &a, &err), "%s", err.msg);
        EXPECT(a.stop == LLM_CALLS && strcmp(argument(&a, 0), "{lr: 0.1") == 0);
        end(&h, &a);
    }
}

TEST(a_refusal_is_an_answer_with_its_category_and_nothing_partial)
{
    for (int w = 0; w < 2; w++) {
        LlmModel m = model_of(w, "refuse");
        Heard h = { 0 };
        LlmAnswer a;
        Err err = { 0 };
        EXPECT_MSG(ask(&m, &h, &a, &err), "%s", err.msg);
        EXPECT(a.stop == LLM_REFUSED && !a.turn && a.usage.output == 17 && h.tries == 1);
        EXPECT(w == 1 ||
               (strcmp(a.refusal, "frontier_llm") == 0 && strcmp(a.explanation, "not this") == 0));
        end(&h, &a);
        m.name = "cutoff";
        EXPECT(ask(&m, &h, &a, &err) && a.stop == LLM_CUT && a.turn);
        end(&h, &a);
    }
    LlmModel m = model_of(0, "full");
    Heard h = { 0 };
    LlmAnswer a;
    Err err = { 0 };
    EXPECT(ask(&m, &h, &a, &err) && a.stop == LLM_FULL);
    end(&h, &a);
}

TEST(what_may_pass_is_tried_again_and_what_cannot_is_not)
{
    static const struct {
        const char *name;
        bool ok;
        int tries;
        LlmFault first;
    } cases[] = {
        { "fail-529-x1-after0.01", true, 2, LLM_BUSY },
        { "fail-503-x1-after0.01", true, 2, LLM_BUSY },
        { "fail-429-x1-after0.02", true, 2, LLM_BUSY },
        { "fail-408-x1-after0.01", true, 2, LLM_BUSY },
        { "fail-500-x9-after0.01", false, 3, LLM_BUSY },
        { "fail-429-x9", false, 1, LLM_SPENT },
        { "fail-400-x9", false, 1, LLM_REJECTED },
        { "fail-401-x9", false, 1, LLM_KEY },
        { "fail-403-x9", false, 1, LLM_KEY },
        { "fail-402-x9", false, 1, LLM_SPENT },
        { "fail-404-x9", false, 1, LLM_UNKNOWN },
        { "fail-413-x9", false, 1, LLM_REJECTED },
        { "spend", false, 1, LLM_SPENT },
        { "fail-429-x9-after9999", false, 1, LLM_BUSY },
        { "html", false, 1, LLM_GARBLED },
        { "orphan", false, 1, LLM_GARBLED },
        { "notjson", false, 1, LLM_GARBLED },
        { "huge", false, 1, LLM_GARBLED },
    };
    for (int w = 0; w < 2; w++)
        for (int i = 0; i < COUNT(cases); i++) {
            LlmModel m = model_of(w, cases[i].name);
            Heard h = { 0 };
            LlmAnswer a;
            Err err = { 0 };
            fake.hits = 0, fake.model[0] = '\0';
            bool ok = ask(&m, &h, &a, &err);
            EXPECT_MSG(ok == cases[i].ok && h.tries == cases[i].tries && h.first == cases[i].first,
                       "%s %s: %d, %d tries, first %s: %s", wires[w], cases[i].name, ok, h.tries,
                       llm_fault_name(h.first), err.msg);
            EXPECT_MSG(ok ||
                           (err.msg[0] && !strchr(err.msg, '\n') && !strstr(err.msg, "sk-secret")),
                       "%s", err.msg);
            end(&h, &a);
        }
}

TEST(a_stream_that_breaks_is_begun_again_and_both_halves_are_accounted_for)
{
    static const char *const broken[] = { "midstream-x1", "cut-x1" };
    for (int w = 0; w < 2; w++)
        for (int i = 0; i < 2; i++) {
            LlmModel m = model_of(w, broken[i]);
            Heard h = { 0 };
            LlmAnswer a;
            Err err = { 0 };
            fake.hits = 0, fake.model[0] = '\0';
            EXPECT_MSG(ask(&m, &h, &a, &err), "%s %s: %s", wires[w], broken[i], err.msg);
            EXPECT(h.tries == 2 && h.waits == 1 && h.waited > 0.3 && h.waited <= 0.5);
            EXPECT(strcmp(json_str(a.turn, "text", ""), "I will run it.") == 0);
            EXPECT_MSG(h.output == (w == 0 ? 18 : 17), "%d",
                       (int)h.output); /* Anthropic told of one token */
            end(&h, &a);
        }
}

TEST(half_an_event_an_endless_answer_and_a_stop_end_the_question)
{
    LlmModel m = model_of(0, "half");
    Heard h = { 0 };
    LlmAnswer a;
    Err err = { 0 };
    m.tries = 1;
    EXPECT(!ask(&m, &h, &a, &err) && a.fault == LLM_LOST && strstr(err.msg, "in the middle"));
    end(&h, &a);
    m.name = "endless", m.total_seconds = 0.5;
    double begun = clock_now();
    EXPECT(!ask(&m, &h, &a, &err) && a.fault == LLM_LOST && clock_now() - begun < 5);
    end(&h, &a);
    m.total_seconds = 30, h.stop = true;
    EXPECT(!ask(&m, &h, &a, &err) && err.code == ERR_STOPPED);
    end(&h, &a);
    m.base_url = "http://127.0.0.1:1";
    EXPECT(!ask(&m, &h, &a, &err) && a.fault == LLM_LOST && strstr(err.msg, "nobody answers"));
    end(&h, &a);
}

TEST(a_key_that_the_server_repeats_is_not_repeated_here)
{
    LlmModel m = model_of(1, "tellkey");
    Heard h = { 0 };
    LlmAnswer a;
    Err err = { 0 };
    EXPECT(!ask(&m, &h, &a, &err) && a.fault == LLM_KEY && !strstr(err.msg, "sk-secret") &&
           strstr(err.msg, "your key *** is wrong"));
    EXPECT(!strstr(a.explanation, "sk-secret"));
    end(&h, &a);
}

TEST(what_a_model_allows_is_asked_and_decides_what_is_sent)
{
    LlmModel m = model_of(0, "play");
    Err err = { 0 };
    m.effort = "low";
    EXPECT_MSG(llm_learn(&m, &err), "%s", err.msg);
    EXPECT(m.legal.known && m.legal.adaptive_thinking && m.legal.effort &&
           m.legal.max_output == 8000);
    json_t *turns = json_pack("[{s:s, s:s}]", "role", "user", "text", "go");
    LlmPrompt p = { .turns = turns, .system = "s" };
    json_t *q = llm_request(&m, &p);
    EXPECT(strcmp(json_str(json_object_get(q, "thinking"), "type", ""), "adaptive") == 0 &&
           json_int(q, "max_tokens", 0) == 8000);
    EXPECT(strcmp(json_str(json_object_get(q, "output_config"), "effort", ""), "low") == 0 &&
           !json_object_get(q, "temperature"));
    json_decref(q);
    m.effort = "xhigh";
    EXPECT(llm_learn(&m, &err) && !m.legal.effort);
    m.name = "gone";
    EXPECT(!llm_learn(&m, &err) && strstr(err.msg, "no model gone") && strstr(err.msg, "play"));
    LlmModel o = model_of(1, "play");
    EXPECT(llm_learn(&o, &err) && !o.legal.adaptive_thinking);
    int64_t tokens = 0;
    bool exact = false;
    m.name = "play";
    EXPECT(llm_count(&m, &p, &tokens, &exact, &err) && exact && tokens > 10);
    EXPECT(llm_count(&o, &p, &tokens, &exact, &err) && !exact && tokens > 10);
    json_decref(turns);
}

TEST(a_prompt_is_written_the_same_every_time_and_grows_only_at_its_end)
{
    for (int w = 0; w < 2; w++) {
        LlmModel m = model_of(w, "ok");
        json_t *turns = json_pack("[{s:s, s:s}]", "role", "user", "text", "go");
        LlmPrompt p = { .turns = turns, .system = "stable" };
        Buf first = { 0 }, again = { 0 };
        json_t *q = llm_request(&m, &p);
        json_write(w == 0 ? json_object_get(q, "system")
                          : json_array_get(json_object_get(q, "messages"), 0),
                   false, &first);
        json_decref(q);
        json_array_append_new(turns, json_pack("{s:s, s:s, s:[], s:[]}", "role", "assistant",
                                               "text", "yes", "calls", "raw"));
        json_array_append_new(turns, json_pack("{s:s, s:s}", "role", "user", "text", "on"));
        q = llm_request(&m, &p);
        json_write(w == 0 ? json_object_get(q, "system")
                          : json_array_get(json_object_get(q, "messages"), 0),
                   false, &again);
        EXPECT(first.len > 0 && str_eq(buf_view(&first), buf_view(&again)));
        EXPECT(json_array_size(json_object_get(q, "messages")) == (w == 0 ? 3 : 4));
        json_decref(q);
        json_decref(turns);
        buf_free(&first);
        buf_free(&again);
    }
}

TEST(costs_are_summed_by_kind_of_token_and_unknown_prices_stay_unknown)
{
    LlmModel opus = { .name = "claude-opus-5-5" }, haiku = { .name = "claude-haiku-5-5-20261001" },
             own = { .name = "llama" };
    LlmUsage u = { .input = 1000000,
                   .cache_read = 1000000,
                   .cache_write = 1000000,
                   .cache_write_hour = 1000000,
                   .output = 1000000,
                   .known = true };
    EXPECT(fabs(llm_cost(&opus, &u) - (4 + 0.2 + 5 + 8 + 20)) < 1e-9);
    LlmUsage small = { .input = 50000, .output = 1000, .known = true },
             large = { .input = 150000, .output = 1000, .known = true };
    EXPECT(fabs(llm_cost(&haiku, &small) - (0.005 + 0.0005)) < 1e-12 &&
           fabs(llm_cost(&haiku, &large) - (0.075 + 0.0025)) < 1e-12);
    EXPECT(isnan(llm_cost(&own, &u)));
    u.known = false;
    EXPECT(isnan(llm_cost(&opus, &u)));
    own.priced = true, own.price = (LlmPrice){ .input = 1 };
    EXPECT(fabs(llm_cost(&own, &small) - 0.05) < 1e-12);
    opus.max_output = 1000;
    EXPECT(fabs(llm_worst(&opus, 1000) - (0.005 + 0.02)) < 1e-12);
}

TEST(a_key_file_must_be_private_and_a_key_stays_off_open_networks)
{
    Arena arena = arena_reserve(1 << 20);
    Err err = { 0 };
    char path[128];
    snprintf(path, sizeof path, "%s/key", test_folder());
    EXPECT(file_write_whole(path, STR("sk-1\n"), &err) && chmod(path, 0644) == 0);
    LlmModel m = { .wire = llm_wire("anthropic"), .name = "x" };
    EXPECT(!llm_key(&m, path, &arena, &err) && strstr(err.msg, "chmod 600") &&
           !strstr(err.msg, "sk-1"));
    EXPECT(chmod(path, 0600) == 0 && llm_key(&m, path, &arena, &err) && strcmp(m.key, "sk-1") == 0);
    m.base_url = "http://models.example/v1";
    EXPECT(!llm_key(&m, path, &arena, &err) && strstr(err.msg, "in the clear") &&
           !strstr(err.msg, "sk-1"));
    m.base_url = "http://127.0.0.1:8080";
    EXPECT(llm_key(&m, path, &arena, &err));
    unsetenv("ANTHROPIC_API_KEY");
    EXPECT(llm_key(&m, NULL, &arena, &err) && !m.key); /* a server of one's own needs none */
    m.base_url = NULL;
    EXPECT(!llm_key(&m, NULL, &arena, &err) && strstr(err.msg, "ANTHROPIC_API_KEY"));
    setenv("ANTHROPIC_API_KEY", "sk-2", 1);
    EXPECT(llm_key(&m, NULL, &arena, &err) && strcmp(m.key, "sk-2") == 0);
    arena_release(&arena);
}

static bool gather(void *ctx, Str data)
{
    buf_str(ctx, data);
    buf_char(ctx, '|');
    return true;
}

TEST(events_are_the_same_however_the_stream_is_cut)
{
    static const char stream[] = "\xef\xbb\xbf"
                                 "data: one\r\n\r\n: comment\nevent: x\ndata:two\ndata: 2\n\nid: "
                                 "7\n\ndata\rdata:\r\rdata: cut";
    for (int width = 1; width < (int)sizeof stream; width++) {
        Buf out = { 0 };
        Sse s = { .event = gather, .ctx = &out };
        for (int at = 0; at < (int)sizeof stream - 1; at += width)
            EXPECT(sse_feed(&s, (Str){ stream + at, MIN(width, (int)sizeof stream - 1 - at) }));
        EXPECT_MSG(strcmp(out.at, "one|two\n2|\n|") == 0, "width %d: %s", width, out.at);
        buf_free(&out);
        sse_free(&s);
    }
}
