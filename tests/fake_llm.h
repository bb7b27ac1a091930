/* fake_llm.h - both protocols of language models, answered by a program that has no model.
 *
 * What it does is said by the name of the model that is asked for:
 *
 *     ok, tools, think        an answer, one with a call, one with thoughts and a call
 *     whole                   the same as tools, not streamed although that was asked
 *     refuse, cutoff, full    the three ends that are no answer
 *     fail-529-x2[-after0.3]  so many failures with this status, then ok; with retry-after
 *     spend                   429 by a spending limit, with a retry-after that must not be obeyed
 *     midstream-x1            an error in the middle of the stream, so often, then ok
 *     cut-x1                  the connection is closed in the middle
 *     html, half, badargs, orphan, endless, huge, tellkey
 *     play                    the next step of the script in FakeLlm.play
 *
 * Its shapes are held against the providers' own clients by tests/system/llm.sh. */
#ifndef TESTS_FAKE_LLM_H
#define TESTS_FAKE_LLM_H

#include "base/json.h"
#include "tests/loopback.h"

typedef struct FakeLlm {
    int hits; /* requests of the model that was asked last */
    char model[64];
    json_t *play;  /* [{"text":T, "calls":[{"name":N, "arguments":{}}]}...]; borrowed */
    size_t step;   /* of play: the next one */
    json_t *heard; /* NULL, or an array that every request's body is appended to */
    bool anthropic;
} FakeLlm;

static inline void fake_send(int fd, const json_t *data, bool named)
{
    Buf b = { 0 };
    if (named) buf_printf(&b, "event: %s\n", json_str(data, "type", ""));
    buf_str(&b, STR("data: "));
    json_write(data, false, &b);
    buf_str(&b, STR("\n\n"));
    loopback_write(fd, b.at, (size_t)b.len);
    buf_free(&b);
}

static inline void fake_event(int fd, json_t *data, bool named)
{
    fake_send(fd, data, named);
    json_decref(data);
}

static inline void fake_begin(int fd)
{
    static const char head[] =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
        "request-id: req_1\r\nx-request-id: req_1\r\nconnection: close\r\n\r\n";
    loopback_write(fd, head, sizeof head - 1);
}

static inline void fake_json(int fd, const char *status, const char *headers, json_t *body)
{
    char all[512];
    Buf b = { 0 };
    json_write(body, false, &b);
    snprintf(all, sizeof all,
             "content-type: application/json\r\nrequest-id: req_1\r\nx-request-id: req_1\r\n%s",
             headers);
    loopback_reply(fd, status, all, b.at);
    buf_free(&b);
    json_decref(body);
}

/* ---- Anthropic's shapes ---- */

static inline json_t *fake_usage(int output)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:{s:i, s:i}, s:{s:i}, s:n, s:s}", "input_tokens", 42,
                     "output_tokens", output, "cache_creation_input_tokens", 30,
                     "cache_read_input_tokens", 1000, "cache_creation", "ephemeral_5m_input_tokens",
                     20, "ephemeral_1h_input_tokens", 10, "output_tokens_details",
                     "thinking_tokens", 5, "server_tool_use", "service_tier", "standard");
}

static inline json_t *fake_message(const char *model, json_t *content, const char *stop, int output)
{
    json_t *m = json_pack("{s:s, s:s, s:s, s:s, s:o, s:n, s:n, s:n, s:n, s:o}", "id", "msg_1",
                          "type", "message", "role", "assistant", "model", model, "content",
                          content, "stop_sequence", "stop_details", "container", "diagnostics",
                          "usage", fake_usage(output));
    json_object_set_new(m, "stop_reason", stop ? json_string(stop) : json_null());
    return m;
}

/* The blocks of a step: thoughts, text, calls. */
static inline json_t *fake_blocks(const json_t *step)
{
    json_t *out = json_array(), *call;
    size_t i;
    if (json_is_true(json_object_get(step, "thinks")))
        json_array_append_new(out, json_pack("{s:s, s:s, s:s}", "type", "thinking", "thinking",
                                             "Consider lr. \xc3\xa9", "signature", "c2ln+/="));
    if (json_str(step, "text", "")[0])
        json_array_append_new(
            out, json_pack("{s:s, s:s}", "type", "text", "text", json_str(step, "text", "")));
    json_array_foreach(json_object_get(step, "calls"), i, call)
    {
        char id[32];
        snprintf(id, sizeof id, "toolu_%d", (int)i + 1);
        json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:O, s:{s:s}}", "type", "tool_use",
                                             "id", id, "name", json_str(call, "name", ""), "input",
                                             json_object_get(call, "arguments"), "caller", "type",
                                             "direct"));
    }
    return out;
}

/* Cuts text into pieces of `width` bytes, never inside a character, and sends each as a delta. */
static inline void fake_deltas(int fd, int index, const char *type, const char *key,
                               const char *text, size_t width)
{
    size_t len = strlen(text);
    for (size_t at = 0; at < len;) {
        size_t n = width < len - at ? width : len - at;
        while (at + n < len && ((unsigned char)text[at + n] & 0xc0) == 0x80) n++;
        fake_event(fd,
                   json_pack("{s:s, s:i, s:{s:s, s:o}}", "type", "content_block_delta", "index",
                             index, "delta", "type", type, key, json_stringn(text + at, n)),
                   true);
        at += n;
    }
}

static inline void fake_block(int fd, int index, const json_t *block)
{
    const char *type = json_str(block, "type", "");
    json_t *begin = json_deep_copy(block);
    if (strcmp(type, "text") == 0) json_object_set_new(begin, "text", json_string(""));
    if (strcmp(type, "thinking") == 0) {
        json_object_set_new(begin, "thinking", json_string(""));
        json_object_set_new(begin, "signature", json_string(""));
    }
    if (strcmp(type, "tool_use") == 0) json_object_set_new(begin, "input", json_object());
    fake_event(fd,
               json_pack("{s:s, s:i, s:o}", "type", "content_block_start", "index", index,
                         "content_block", begin),
               true);
    if (strcmp(type, "text") == 0)
        fake_deltas(fd, index, "text_delta", "text", json_str(block, "text", ""), 4096);
    if (strcmp(type, "thinking") == 0) {
        fake_deltas(fd, index, "thinking_delta", "thinking", json_str(block, "thinking", ""), 5);
        fake_deltas(fd, index, "signature_delta", "signature", json_str(block, "signature", ""),
                    99);
    }
    if (strcmp(type, "tool_use") == 0) {
        Buf b = { 0 };
        json_write(json_object_get(block, "input"), false, &b);
        fake_event(fd,
                   json_pack("{s:s, s:i, s:{s:s, s:s}}", "type", "content_block_delta", "index",
                             index, "delta", "type", "input_json_delta", "partial_json", ""),
                   true);
        fake_deltas(fd, index, "input_json_delta", "partial_json", b.at, 7);
        buf_free(&b);
    }
    fake_event(fd, json_pack("{s:s, s:i}", "type", "content_block_stop", "index", index), true);
}

static inline void fake_anthropic(int fd, const char *model, const json_t *step, const char *stop,
                                  bool streams)
{
    json_t *blocks = fake_blocks(step), *block;
    size_t i;
    if (!streams) {
        fake_json(fd, "200 OK", "", fake_message(model, blocks, stop, 17));
        return;
    }
    fake_begin(fd);
    fake_event(fd,
               json_pack("{s:s, s:o}", "type", "message_start", "message",
                         fake_message(model, json_array(), NULL, 1)),
               true);
    fake_event(fd, json_pack("{s:s}", "type", "ping"), true);
    json_array_foreach(blocks, i, block) fake_block(fd, (int)i, block);
    json_decref(blocks);
    const char *mode = json_str(step, "mode", "");
    if (strcmp(mode, "midstream") == 0)
        fake_event(fd,
                   json_pack("{s:s, s:{s:s, s:s}}", "type", "error", "error", "type",
                             "overloaded_error", "message", "Overloaded"),
                   true);
    if (mode[0]) return;
    json_t *delta = json_pack("{s:s, s:n, s:n, s:n}", "stop_reason", stop, "stop_sequence",
                              "stop_details", "container");
    if (strcmp(stop, "refusal") == 0)
        json_object_set_new(delta, "stop_details",
                            json_pack("{s:s, s:s, s:s}", "type", "refusal", "category",
                                      "frontier_llm", "explanation", "not this"));
    fake_event(fd,
               json_pack("{s:s, s:o, s:o}", "type", "message_delta", "delta", delta, "usage",
                         fake_usage(17)),
               true);
    fake_event(fd, json_pack("{s:s}", "type", "message_stop"), true);
}

/* ---- OpenAI's shapes ---- */

static inline json_t *fake_calls(const json_t *step, bool streamed)
{
    json_t *out = json_array(), *call;
    size_t i;
    json_array_foreach(json_object_get(step, "calls"), i, call)
    {
        Buf b = { 0 };
        char id[32];
        snprintf(id, sizeof id, "call_%d", (int)i + 1);
        json_write(json_object_get(call, "arguments"), false, &b);
        json_t *one = json_pack("{s:s, s:s, s:{s:s, s:s}}", "id", id, "type", "function",
                                "function", "name", json_str(call, "name", ""), "arguments", b.at);
        if (streamed) json_object_set_new(one, "index", json_integer((json_int_t)i));
        json_array_append_new(out, one);
        buf_free(&b);
    }
    return out;
}

static inline json_t *fake_chunk(const char *model, json_t *delta, const char *finish)
{
    json_t *choice = json_pack("{s:i, s:o, s:n}", "index", 0, "delta", delta, "logprobs");
    json_object_set_new(choice, "finish_reason", finish ? json_string(finish) : json_null());
    return json_pack("{s:s, s:s, s:i, s:s, s:[o]}", "id", "chatcmpl-1", "object",
                     "chat.completion.chunk", "created", 1, "model", model, "choices", choice);
}

static inline json_t *fake_openai_usage(void)
{
    return json_pack("{s:i, s:i, s:i, s:{s:i}, s:{s:i}}", "prompt_tokens", 1042,
                     "completion_tokens", 17, "total_tokens", 1059, "prompt_tokens_details",
                     "cached_tokens", 1000, "completion_tokens_details", "reasoning_tokens", 5);
}

static inline void fake_openai_stream(int fd, const char *model, const json_t *step,
                                      const char *finish)
{
    json_t *calls = fake_calls(step, true), *call;
    size_t i;
    fake_begin(fd);
    fake_event(fd,
               fake_chunk(model, json_pack("{s:s, s:s}", "role", "assistant", "content", ""), NULL),
               false);
    if (json_str(step, "text", "")[0])
        fake_event(
            fd, fake_chunk(model, json_pack("{s:s}", "content", json_str(step, "text", "")), NULL),
            false);
    json_array_foreach(calls, i, call)
    {
        json_t *function = json_object_get(call, "function"), *first = json_deep_copy(call);
        const char *arguments = json_str(function, "arguments", "");
        json_object_set_new(json_object_get(first, "function"), "arguments", json_string(""));
        fake_event(fd, fake_chunk(model, json_pack("{s:[o]}", "tool_calls", first), NULL), false);
        for (size_t at = 0, len = strlen(arguments), n; at < len; at += n) {
            n = len - at < 4 ? len - at : 4;
            while (at + n < len && ((unsigned char)arguments[at + n] & 0xc0) == 0x80) n++;
            fake_event(
                fd,
                fake_chunk(model,
                           json_pack("{s:[{s:i, s:{s:o}}]}", "tool_calls", "index", (int)i,
                                     "function", "arguments", json_stringn(arguments + at, n)),
                           NULL),
                false);
        }
    }
    json_decref(calls);
    const char *mode = json_str(step, "mode", "");
    if (strcmp(mode, "midstream") == 0)
        fake_event(fd,
                   json_pack("{s:{s:s, s:s, s:n, s:n}}", "error", "message", "overloaded", "type",
                             "server_error", "param", "code"),
                   false);
    if (mode[0]) return;
    fake_event(fd, fake_chunk(model, json_object(), finish), false);
    json_t *last = fake_chunk(model, json_object(), NULL);
    json_object_set_new(last, "choices", json_array());
    json_object_set_new(last, "usage", fake_openai_usage());
    fake_event(fd, last, false);
    loopback_write(fd, "data: [DONE]\n\n", 14);
}

static inline void fake_openai(int fd, const char *model, const json_t *step, const char *finish,
                               bool streams)
{
    if (streams) {
        fake_openai_stream(fd, model, step, finish);
        return;
    }
    json_t *message = json_pack("{s:s, s:s, s:n}", "role", "assistant", "content",
                                json_str(step, "text", ""), "refusal");
    json_t *calls = fake_calls(step, false);
    if (json_array_size(calls) > 0) json_object_set(message, "tool_calls", calls);
    json_decref(calls);
    fake_json(fd, "200 OK", "",
              json_pack("{s:s, s:s, s:i, s:s, s:[{s:i, s:s, s:n, s:o}], s:o}", "id", "chatcmpl-1",
                        "object", "chat.completion", "created", 1, "model", model, "choices",
                        "index", 0, "finish_reason", finish, "logprobs", "message", message,
                        "usage", fake_openai_usage()));
}

/* ---- which ---- */

static inline void fake_fail(const FakeLlm *f, int fd, int status, const char *headers,
                             const char *code, const char *said)
{
    static const struct {
        int status;
        const char *type;
    } types[] = { { 400, "invalid_request_error" }, { 401, "authentication_error" },
                  { 403, "permission_error" },      { 404, "not_found_error" },
                  { 413, "request_too_large" },     { 429, "rate_limit_error" },
                  { 529, "overloaded_error" },      { 402, "billing_error" } };
    const char *type = "api_error";
    char line[32];
    for (int i = 0; i < COUNT(types); i++)
        if (types[i].status == status) type = types[i].type;
    snprintf(line, sizeof line, "%d Scripted", status);
    json_t *e = f->anthropic ? json_pack("{s:s, s:{s:s, s:s}, s:s}", "type", "error", "error",
                                         "type", type, "message", said, "request_id", "req_1")
                             : json_pack("{s:{s:s, s:s, s:n, s:n}}", "error", "message", said,
                                         "type", type, "param", "code");
    if (code && f->anthropic)
        json_object_set_new(json_object_get(e, "error"), "details",
                            json_pack("{s:s}", "error_code", code));
    if (code && !f->anthropic)
        json_object_set_new(json_object_get(e, "error"), "code", json_string("insufficient_quota"));
    fake_json(fd, line, headers, e);
}

/* An answer of this protocol: what the step holds. */
static inline void fake_say(const FakeLlm *f, int fd, const char *model, const json_t *step,
                            bool streams)
{
    bool calls = json_array_size(json_object_get(step, "calls")) > 0;
    const char *stop = json_str(step, "stop", calls ? "tool_use" : "end_turn");
    if (f->anthropic) {
        fake_anthropic(fd, model, step, stop, streams);
        return;
    }
    const char *finish = strcmp(stop, "refusal") == 0      ? "content_filter"
                         : strcmp(stop, "max_tokens") == 0 ? "length"
                         : calls                           ? "tool_calls"
                                                           : "stop";
    fake_openai(fd, model, step, finish, streams);
}

static inline json_t *fake_step(const char *name)
{
    bool tools = !strcmp(name, "tools") || !strcmp(name, "think") || !strcmp(name, "whole");
    json_t *step = json_pack("{s:s}", "text", "I will run it.");
    if (tools)
        json_object_set_new(step, "calls",
                            json_pack("[{s:s, s:{s:f, s:s}}, {s:s, s:{}}]", "name", "run",
                                      "arguments", "lr", 0.0006, "note", "\xc3\xa9\"\\'", "name",
                                      "wait", "arguments"));
    if (!strcmp(name, "think")) json_object_set_new(step, "thinks", json_true());
    if (!strcmp(name, "refuse")) json_object_set_new(step, "stop", json_string("refusal"));
    if (!strcmp(name, "cutoff")) json_object_set_new(step, "stop", json_string("max_tokens"));
    if (!strcmp(name, "full"))
        json_object_set_new(step, "stop", json_string("model_context_window_exceeded"));
    return step;
}

/* The answers that are none. */
static inline bool fake_odd(const FakeLlm *f, const char *model, const char *request, int fd)
{
    if (!strcmp(model, "html")) {
        loopback_reply(fd, "200 OK", "content-type: text/html\r\n",
                       "<html><body>Welcome to the airport</body></html>");
    } else if (!strcmp(model, "half")) {
        fake_begin(fd);
        loopback_write(fd, "data: {\"type\":\"message_st", 25);
    } else if (!strcmp(model, "orphan")) {
        fake_begin(fd);
        fake_event(fd,
                   json_pack("{s:s, s:i, s:{s:s, s:s}}", "type", "content_block_delta", "index", 0,
                             "delta", "type", "text_delta", "text", "x"),
                   true);
    } else if (!strcmp(model, "notjson")) {
        fake_begin(fd);
        loopback_write(fd, "data: {\"type\": nonsense}\n\n", 26);
    } else if (!strcmp(model, "endless")) {
        fake_begin(fd);
        for (int i = 0; i < 60; i++, usleep(100000)) loopback_write(fd, ": still here\n\n", 14);
    } else if (!strcmp(model, "huge")) {
        fake_begin(fd);
        char *line = malloc(9 << 20);
        memset(line, 'x', 9 << 20);
        memcpy(line, "data: ", 6);
        loopback_write(fd, line, 9 << 20);
        free(line);
    } else if (!strcmp(model, "tellkey")) {
        const char *key = strcasestr(request, "bearer ");
        char said[200];
        snprintf(said, sizeof said, "your key %.*s is wrong",
                 key ? (int)strcspn(key + 7, "\r\n") : 0, key ? key + 7 : "");
        fake_fail(f, fd, 401, "", NULL, said);
    } else if (!strcmp(model, "spend")) {
        fake_fail(f, fd, 429, "retry-after: 1\r\n", "enforced_spend_limit_reached",
                  "limit reached");
    } else {
        return false;
    }
    return true;
}

static inline void fake_badargs(const FakeLlm *f, int fd, const char *model)
{
    fake_begin(fd);
    if (!f->anthropic) {
        fake_event(fd,
                   fake_chunk(model,
                              json_pack("{s:[{s:i, s:s, s:s, s:{s:s, s:s}}]}", "tool_calls",
                                        "index", 0, "id", "call_1", "type", "function", "function",
                                        "name", "run", "arguments", "{lr: 0.1"),
                              NULL),
                   false);
        fake_event(fd, fake_chunk(model, json_object(), "tool_calls"), false);
        return;
    }
    fake_event(fd,
               json_pack("{s:s, s:o}", "type", "message_start", "message",
                         fake_message(model, json_array(), NULL, 1)),
               true);
    fake_event(fd,
               json_pack("{s:s, s:i, s:{s:s, s:s, s:s, s:{}}}", "type", "content_block_start",
                         "index", 0, "content_block", "type", "tool_use", "id", "toolu_1", "name",
                         "run", "input"),
               true);
    fake_deltas(fd, 0, "input_json_delta", "partial_json", "{lr: 0.1", 3);
    fake_event(fd, json_pack("{s:s, s:i}", "type", "content_block_stop", "index", 0), true);
    fake_event(fd,
               json_pack("{s:s, s:{s:s}, s:o}", "type", "message_delta", "delta", "stop_reason",
                         "tool_use", "usage", fake_usage(17)),
               true);
    fake_event(fd, json_pack("{s:s}", "type", "message_stop"), true);
}

static inline void fake_ask(FakeLlm *f, const char *request, int fd)
{
    Err ignored = { 0 };
    json_t *body = json_read(str_of(strstr(request, "\r\n\r\n") + 4), "request", &ignored);
    char model[64], after[64] = "";
    snprintf(model, sizeof model, "%s", json_str(body, "model", ""));
    f->hits = strcmp(f->model, model) == 0 ? f->hits + 1 : 1;
    memcpy(f->model, model, sizeof model);
    bool streams = json_is_true(json_object_get(body, "stream"));
    int status = 0, times = 0;
    double seconds = 0;
    if (sscanf(model, "fail-%d-x%d-after%lf", &status, &times, &seconds) == 3)
        snprintf(after, sizeof after, "retry-after: %g\r\n", seconds);
    json_t *step = NULL;
    if (f->heard) json_array_append(f->heard, body);
    if (strncmp(model, "fail-", 5) == 0 && f->hits <= times) {
        fake_fail(f, fd, status, after, NULL, "scripted");
    } else if (strcmp(model, "badargs") == 0) {
        fake_badargs(f, fd, model);
    } else if (!fake_odd(f, model, request, fd)) {
        step = strcmp(model, "play") == 0 ? json_deep_copy(json_array_get(f->play, f->step++))
                                          : fake_step(model);
        if (!step) step = json_pack("{s:s}", "text", "I have nothing more to say.");
        if (sscanf(model, "midstream-x%d", &times) == 1 && f->hits <= times)
            json_object_set_new(step, "mode", json_string("midstream"));
        if (sscanf(model, "cut-x%d", &times) == 1 && f->hits <= times)
            json_object_set_new(step, "mode", json_string("cut"));
        fake_say(f, fd, model, step, streams && strcmp(model, "whole") != 0);
    }
    json_decref(step);
    json_decref(body);
}

/* The whole server; Loopback.ctx is a FakeLlm. */
static inline void fake_llm(Loopback *server, const char *request, int fd)
{
    FakeLlm *f = server->ctx;
    f->anthropic = strstr(request, "anthropic-version:") != NULL;
    if (strncmp(request, "POST /v1/messages/count_tokens", 30) == 0) {
        fake_json(fd, "200 OK", "", json_pack("{s:i}", "input_tokens", (int)(strlen(request) / 4)));
    } else if (strncmp(request, "POST /v1/messages", 17) == 0 ||
               strncmp(request, "POST /v1/chat/completions", 25) == 0) {
        fake_ask(f, request, fd);
    } else if (strncmp(request, "GET /v1/models", 14) == 0) {
        json_t *one =
            f->anthropic
                ? json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:{s:{s:b, s:{s:{s:b}}}, s:{s:b, "
                            "s:{s:b}, s:{s:b}}}}",
                            "type", "model", "id", "play", "display_name", "Play", "created_at",
                            "2026-01-01T00:00:00Z", "lifecycle", "active", "max_input_tokens",
                            1000000, "max_tokens", 8000, "capabilities", "thinking", "supported", 1,
                            "types", "adaptive", "supported", 1, "effort", "supported", 1, "low",
                            "supported", 1, "xhigh", "supported", 0)
                : json_pack("{s:s, s:s, s:i, s:s}", "id", "play", "object", "model", "created", 0,
                            "owned_by", "me");
        fake_json(fd, "200 OK", "",
                  json_pack("{s:s, s:[o], s:b, s:n, s:n}", "object", "list", "data", one,
                            "has_more", 0, "first_id", "last_id"));
    } else {
        fake_fail(f, fd, 404, "", NULL, "no such page");
    }
}

#endif
