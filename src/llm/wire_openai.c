/* wire_openai.c - OpenAI's chat completions, as llama.cpp, vLLM, Ollama, OpenRouter and others
 * serve them too.
 *
 * Only what all of them understand is sent.  Two things differ between servers and are settled by
 * `legal`: nothing else is known of a model before it is asked.  Some servers send a tool call in
 * one piece, some stream its arguments, some send no usage, some no [DONE]; all of that is taken.
 * An answer counts as whole when a finish_reason has come. */
#include <stdio.h>
#include <string.h>

#include "llm/wire.h"

static void headers(const LlmModel *m, Buf *lines)
{
    if (m->key) buf_printf(lines, "authorization: Bearer %s\n", m->key);
}

/* ---- what goes out ---- */

static json_t *assistant_message(const json_t *turn)
{
    const char *text = json_str(turn, "text", "");
    json_t *out = json_pack("{s:s}", "role", "assistant"), *calls = json_array(), *call;
    json_object_set_new(out, "content", text[0] ? json_string(text) : json_null());
    size_t i;
    json_array_foreach(json_object_get(turn, "calls"), i, call) json_array_append_new(
        calls, json_pack("{s:s, s:s, s:{s:s, s:s}}", "id", json_str(call, "id", ""), "type",
                         "function", "function", "name", json_str(call, "name", ""), "arguments",
                         json_str(call, "arguments", "")));
    if (json_array_size(calls) > 0) {
        json_object_set_new(out, "tool_calls", calls);
    } else {
        json_decref(calls);
        if (!text[0]) json_object_set_new(out, "content", json_string(""));
    }
    return out;
}

static void add_turn(json_t *out, const json_t *turn)
{
    const char *role = json_str(turn, "role", "user");
    if (strcmp(role, "assistant") == 0) {
        json_array_append_new(out, assistant_message(turn));
    } else if (strcmp(role, "results") == 0) {
        json_t *result;
        size_t i;
        json_array_foreach(json_object_get(turn, "results"), i, result) json_array_append_new(
            out, json_pack("{s:s, s:s, s:s}", "role", "tool", "tool_call_id",
                           json_str(result, "id", ""), "content", json_str(result, "text", "")));
    } else {
        json_array_append_new(
            out, json_pack("{s:s, s:s}", "role", "user", "content", json_str(turn, "text", "")));
    }
}

static json_t *request(const LlmModel *m, const LlmPrompt *p)
{
    json_t *messages = json_array(), *tools = json_array(), *item;
    size_t i;
    if (p->system && p->system[0])
        json_array_append_new(messages,
                              json_pack("{s:s, s:s}", "role", "system", "content", p->system));
    json_array_foreach(p->turns, i, item) add_turn(messages, item);
    json_array_foreach(p->tools, i, item) json_array_append_new(
        tools, json_pack("{s:s, s:{s:s, s:s, s:O}}", "type", "function", "function", "name",
                         json_str(item, "name", ""), "description", json_str(item, "doc", ""),
                         "parameters", json_object_get(item, "schema")));
    json_t *q = json_pack("{s:s, s:o, s:b, s:{s:b}, s:I}", "model", m->name, "messages", messages,
                          "stream", 1, "stream_options", "include_usage", 1,
                          /* the name that every server knows, also where a newer one exists */
                          "max_tokens", (json_int_t)m->max_output);
    if (json_array_size(tools) > 0) json_object_set(q, "tools", tools);
    json_decref(tools);
    return q;
}

/* ---- what comes back ---- */

static void hear_usage(Hearing *h, const json_t *usage)
{
    if (!json_is_object(usage)) return;
    LlmUsage *u = &h->answer->usage;
    int64_t prompt = json_int(usage, "prompt_tokens", 0);
    u->known = true;
    u->cache_read = json_int(json_object_get(usage, "prompt_tokens_details"), "cached_tokens", 0);
    u->input = prompt > u->cache_read ? prompt - u->cache_read : 0;
    u->output = json_int(usage, "completion_tokens", 0);
    u->thinking =
        json_int(json_object_get(usage, "completion_tokens_details"), "reasoning_tokens", 0);
}

static void hear_finish(Hearing *h, const json_t *choice)
{
    const char *word = json_str(choice, "finish_reason", "");
    if (!word[0]) return;
    h->stopped = true;
    LlmStop stop = LLM_DONE;
    if (strcmp(word, "length") == 0) stop = LLM_CUT;
    if (strcmp(word, "content_filter") == 0) stop = LLM_REFUSED;
    /* Some servers say "stop" behind a tool call. */
    if (stop == LLM_DONE && json_array_size(h->calls) > 0) stop = LLM_CALLS;
    h->answer->stop = stop;
}

/* A call's arguments grow; they are gathered as text in the call itself. */
static bool hear_call(Hearing *h, const json_t *piece, size_t place)
{
    const json_t *function = json_object_get(piece, "function");
    size_t index = (size_t)json_int(piece, "index", (json_int_t)place),
           have = json_array_size(h->calls);
    if (index > have) return false;
    if (index == have)
        json_array_append_new(h->calls,
                              json_pack("{s:s, s:s, s:s}", "id", "", "name", "", "arguments", ""));
    json_t *call = json_array_get(h->calls, index), *given = json_object_get(function, "arguments");
    if (json_str(piece, "id", "")[0])
        json_object_set_new(call, "id", json_string(json_str(piece, "id", "")));
    if (json_str(function, "name", "")[0])
        json_object_set_new(call, "name", json_string(json_str(function, "name", "")));
    Buf grown = { 0 };
    buf_str(&grown, str_of(json_str(call, "arguments", "")));
    if (json_is_string(given))
        buf_str(&grown, str_of(json_string_value(given)));
    else if (json_is_object(given))
        json_write(given, false, &grown); /* an older Ollama */
    json_object_set_new(call, "arguments", json_text(buf_view(&grown)));
    buf_free(&grown);
    return true;
}

static bool hear_words(Hearing *h, const json_t *said)
{
    json_t *call;
    size_t i;
    if (json_str(said, "content", "")[0]) hearing_text(h, json_str(said, "content", ""));
    if (json_str(said, "refusal", "")[0]) {
        h->answer->stop = LLM_REFUSED;
        wire_words(h->answer->explanation, sizeof h->answer->explanation,
                   json_str(said, "refusal", ""));
    }
    json_array_foreach(json_object_get(said, "tool_calls"), i,
                       call) if (!hear_call(h, call, i)) return false;
    return true;
}

static LlmFault fault(int status, const json_t *body, char said[240])
{
    const json_t *e = json_object_get(body, "error");
    if (json_is_string(e))
        wire_words(said, 240, json_string_value(e));
    else
        wire_words(said, 240, json_str(e, "message", json_str(body, "message", "")));
    const char *code = json_str(e, "code", ""), *type = json_str(e, "type", "");
    if (status == 402 || strcmp(code, "insufficient_quota") == 0 ||
        strcmp(type, "insufficient_quota") == 0)
        return LLM_SPENT;
    return LLM_OK;
}

static bool hear(Hearing *h, const json_t *data, const char *what)
{
    wire_words(h->answer->id, sizeof h->answer->id, json_str(data, "id", h->answer->id));
    wire_words(h->answer->model, sizeof h->answer->model,
               json_str(data, "model", h->answer->model));
    hear_usage(h, json_object_get(data, "usage"));
    if (json_object_get(data, "error")) {
        h->fault = LLM_BUSY;
        LlmFault said = fault(200, data, h->said);
        if (said != LLM_OK) h->fault = said;
        return true;
    }
    const json_t *choices = json_object_get(data, "choices"), *choice = json_array_get(choices, 0);
    if (!json_is_array(choices)) return false;
    if (!choice) return true; /* the last one, with usage only */
    if (json_is_object(json_object_get(choice, what)) &&
        !hear_words(h, json_object_get(choice, what)))
        return false;
    bool refused = h->answer->stop == LLM_REFUSED;
    hear_finish(h, choice);
    if (refused) h->answer->stop = LLM_REFUSED;
    h->ended = h->stopped;
    return true;
}

static bool event(Hearing *h, const json_t *data)
{
    return hear(h, data, "delta");
}

static bool whole(Hearing *h, const json_t *body)
{
    return hear(h, body, "message") && h->stopped;
}

static void learn(LlmModel *m, const json_t *page)
{
    /* OpenRouter and vLLM say how long a conversation may be, under two names. */
    m->legal = (LlmLegal){ .known = true,
                           .max_input = json_int(page, "context_length",
                                                 json_int(page, "max_model_len", 0)) };
}

const LlmWireDef wire_openai = {
    .name = "openai",
    .doc = "OpenAI's chat completions and everything that speaks them",
    .base_url = "https://api.openai.com/v1",
    .key_variable = "OPENAI_API_KEY",
    .ask_path = "/chat/completions",
    .models_path = "/models",
    .headers = headers,
    .request = request,
    .event = event,
    .whole = whole,
    .fault = fault,
    .learn = learn,
    .last = "[DONE]",
};
