/* wire_anthropic.c - Anthropic's Messages API, versions 2026-10-21 and 2023-06-01.
 *
 * Caching is a match of prefixes over tools, system and messages, so all three are written in one
 * fixed form (sorted keys, nothing that changes with time), and two places are marked: the end of
 * the system prompt, which is the same all session, and the end of the conversation, which the next
 * turn begins with.  Thinking goes back as it came while the model stays the same; another model
 * would not accept its signature, and gets what was said instead.
 *
 * Sampling parameters are not sent: the newer version refuses them. */
#include <stdio.h>
#include <string.h>

#include "llm/wire.h"

static const char newest[] = "2026-10-21";

static void headers(const LlmModel *m, Buf *lines)
{
    const char *version = m->version ? m->version : newest;
    buf_printf(lines, "anthropic-version: %s\n", version);
    if (!m->key) return;
    bool old = strcmp(version, "2023-06-01") == 0;
    buf_printf(lines, old ? "x-api-key: %s\n" : "authorization: Bearer %s\n", m->key);
}

/* ---- what goes out ---- */

static json_t *text_block(const char *text)
{
    return json_pack("{s:s, s:s}", "type", "text", "text", text);
}

static void mark_cached(json_t *block)
{
    json_object_set_new(block, "cache_control", json_pack("{s:s}", "type", "ephemeral"));
}

/* The blocks of a turn by this very model as they came; else what it said, without its thoughts. */
static json_t *assistant_blocks(const LlmModel *m, const json_t *turn)
{
    bool ours = strcmp(json_str(turn, "wire", ""), m->wire->name) == 0;
    bool same = ours && strcmp(json_str(turn, "model", ""), m->name) == 0;
    json_t *raw = json_object_get(turn, "raw"), *blocks, *call;
    if (same && json_array_size(raw) > 0) return json_deep_copy(raw);
    blocks = json_array();
    if (json_str(turn, "text", "")[0])
        json_array_append_new(blocks, text_block(json_str(turn, "text", "")));
    size_t i;
    json_array_foreach(json_object_get(turn, "calls"), i, call)
    {
        Err ignored = { 0 };
        json_t *input = json_read(str_of(json_str(call, "arguments", "")), "arguments", &ignored);
        if (!json_is_object(input)) {
            json_decref(input);
            input = json_object();
        }
        json_array_append_new(blocks, json_pack("{s:s, s:s, s:s, s:o}", "type", "tool_use", "id",
                                                json_str(call, "id", ""), "name",
                                                json_str(call, "name", ""), "input", input));
    }
    if (json_array_size(blocks) == 0) json_array_append_new(blocks, text_block("(nothing)"));
    return blocks;
}

static json_t *result_blocks(const json_t *turn)
{
    json_t *blocks = json_array(), *result;
    size_t i;
    json_array_foreach(json_object_get(turn, "results"), i, result) json_array_append_new(
        blocks, json_pack("{s:s, s:s, s:s, s:b}", "type", "tool_result", "tool_use_id",
                          json_str(result, "id", ""), "content", json_str(result, "text", ""),
                          "is_error", json_is_true(json_object_get(result, "error"))));
    return blocks;
}

/* Results and the user's words that follow are one message, results first. */
static json_t *messages(const LlmModel *m, const json_t *turns)
{
    json_t *out = json_array(), *turn, *last;
    size_t i;
    json_array_foreach(turns, i, turn)
    {
        const char *role = json_str(turn, "role", "user");
        bool theirs = strcmp(role, "assistant") == 0;
        json_t *blocks = theirs ? assistant_blocks(m, turn)
                         : strcmp(role, "results") == 0
                             ? result_blocks(turn)
                             : json_pack("[o]", text_block(json_str(turn, "text", "")));
        last = json_array_get(out, json_array_size(out) - 1);
        const char *who = theirs ? "assistant" : "user";
        if (last && strcmp(json_str(last, "role", ""), who) == 0) {
            json_array_extend(json_object_get(last, "content"), blocks);
            json_decref(blocks);
        } else {
            json_array_append_new(out, json_pack("{s:s, s:o}", "role", who, "content", blocks));
        }
    }
    last = json_object_get(json_array_get(out, json_array_size(out) - 1), "content");
    if (json_array_size(last) > 0) mark_cached(json_array_get(last, json_array_size(last) - 1));
    return out;
}

static json_t *tool_list(const json_t *tools)
{
    json_t *out = json_array(), *tool;
    size_t i;
    json_array_foreach(tools, i, tool) json_array_append_new(
        out, json_pack("{s:s, s:s, s:O}", "name", json_str(tool, "name", ""), "description",
                       json_str(tool, "doc", ""), "input_schema", json_object_get(tool, "schema")));
    return out;
}

static json_t *request(const LlmModel *m, const LlmPrompt *p)
{
    json_t *q =
        json_pack("{s:s, s:I, s:b, s:o}", "model", m->name, "max_tokens", (json_int_t)m->max_output,
                  "stream", 1, "messages", messages(m, p->turns));
    if (p->system && p->system[0]) {
        json_t *block = text_block(p->system);
        mark_cached(block);
        json_object_set_new(q, "system", json_pack("[o]", block));
    }
    if (json_array_size(p->tools) > 0) json_object_set_new(q, "tools", tool_list(p->tools));
    if (m->legal.adaptive_thinking)
        json_object_set_new(q, "thinking", json_pack("{s:s}", "type", "adaptive"));
    if (m->legal.effort && m->effort)
        json_object_set_new(q, "output_config", json_pack("{s:s}", "effort", m->effort));
    return q;
}

/* ---- what comes back ---- */

/* Cumulative: what an event names replaces what was known. */
static void hear_usage(Hearing *h, const json_t *usage)
{
    if (!json_is_object(usage)) return;
    LlmUsage *u = &h->answer->usage;
    u->known = true;
    u->input = json_int(usage, "input_tokens", u->input);
    u->output = json_int(usage, "output_tokens", u->output);
    u->cache_read = json_int(usage, "cache_read_input_tokens", u->cache_read);
    int64_t written =
        json_int(usage, "cache_creation_input_tokens", u->cache_write + u->cache_write_hour);
    u->cache_write_hour = json_int(json_object_get(usage, "cache_creation"),
                                   "ephemeral_1h_input_tokens", u->cache_write_hour);
    u->cache_write = written > u->cache_write_hour ? written - u->cache_write_hour : 0;
    u->thinking =
        json_int(json_object_get(usage, "output_tokens_details"), "thinking_tokens", u->thinking);
}

static void hear_stop(Hearing *h, const json_t *from)
{
    static const struct {
        const char *word;
        LlmStop stop;
    } stops[] = {
        { "end_turn", LLM_DONE },     { "stop_sequence", LLM_DONE },
        { "tool_use", LLM_CALLS },    { "max_tokens", LLM_CUT },
        { "refusal", LLM_REFUSED },   { "model_context_window_exceeded", LLM_FULL },
        { "pause_turn", LLM_PAUSED },
    };
    const char *word = json_str(from, "stop_reason", "");
    if (!word[0]) return;
    LlmAnswer *a = h->answer;
    h->stopped = true;
    a->stop = LLM_DONE;
    for (int i = 0; i < COUNT(stops); i++)
        if (strcmp(word, stops[i].word) == 0) a->stop = stops[i].stop;
    const json_t *details = json_object_get(from, "stop_details");
    wire_words(a->refusal, sizeof a->refusal, json_str(details, "category", ""));
    wire_words(a->explanation, sizeof a->explanation, json_str(details, "explanation", ""));
}

static void hear_message(Hearing *h, const json_t *message)
{
    wire_words(h->answer->id, sizeof h->answer->id, json_str(message, "id", ""));
    wire_words(h->answer->model, sizeof h->answer->model, json_str(message, "model", ""));
    hear_usage(h, json_object_get(message, "usage"));
    hear_stop(h, message);
}

/* Ends a block: its text, thought or arguments are whole now. */
static void close_block(Hearing *h)
{
    const char *type = json_str(h->part, "type", "");
    if (strcmp(type, "text") == 0) {
        json_object_set_new(h->part, "text", json_text(buf_view(&h->piece)));
    } else if (strcmp(type, "thinking") == 0) {
        json_object_set_new(h->part, "thinking", json_text(buf_view(&h->piece)));
        json_object_set_new(h->part, "signature", json_text(buf_view(&h->seal)));
    } else if (strcmp(type, "tool_use") == 0) {
        Err ignored = { 0 };
        json_t *input =
            json_read(h->piece.len > 0 ? buf_view(&h->piece) : STR("{}"), "arguments", &ignored);
        json_array_append_new(
            h->calls,
            json_pack("{s:s, s:s, s:o}", "id", json_str(h->part, "id", ""), "name",
                      json_str(h->part, "name", ""), "arguments",
                      h->piece.len > 0 ? json_text(buf_view(&h->piece)) : json_string("{}")));
        /* The endpoint wants an object back, whatever its model wrote. */
        if (json_is_object(input))
            json_object_set_new(h->part, "input", input);
        else
            json_decref(input);
    }
    h->part = NULL;
    buf_clear(&h->piece);
    buf_clear(&h->seal);
}

static bool open_block(Hearing *h, const json_t *data)
{
    json_t *block = json_object_get(data, "content_block");
    if (h->part || !json_is_object(block) ||
        json_int(data, "index", -1) != (json_int_t)json_array_size(h->raw))
        return false;
    h->part = json_deep_copy(block);
    json_array_append_new(h->raw, h->part);
    buf_str(&h->piece, str_of(json_str(block, "text", "")));
    buf_str(&h->piece, str_of(json_str(block, "thinking", "")));
    buf_str(&h->seal, str_of(json_str(block, "signature", "")));
    if (json_str(block, "text", "")[0]) hearing_text(h, json_str(block, "text", ""));
    return true;
}

static bool grow_block(Hearing *h, const json_t *delta)
{
    const char *type = json_str(delta, "type", "");
    if (!h->part) return false;
    if (strcmp(type, "text_delta") == 0) {
        buf_str(&h->piece, str_of(json_str(delta, "text", "")));
        hearing_text(h, json_str(delta, "text", ""));
    } else if (strcmp(type, "thinking_delta") == 0) {
        buf_str(&h->piece, str_of(json_str(delta, "thinking", "")));
    } else if (strcmp(type, "signature_delta") == 0) {
        buf_str(&h->seal, str_of(json_str(delta, "signature", "")));
    } else if (strcmp(type, "input_json_delta") == 0) {
        buf_str(&h->piece, str_of(json_str(delta, "partial_json", "")));
    }
    return true; /* kinds that we do not know are left alone */
}

static LlmFault fault_of(const char *type)
{
    static const struct {
        const char *type;
        LlmFault fault;
    } faults[] = {
        { "authentication_error", LLM_KEY }, { "permission_error", LLM_KEY },
        { "billing_error", LLM_SPENT },      { "not_found_error", LLM_UNKNOWN },
        { "rate_limit_error", LLM_BUSY },    { "overloaded_error", LLM_BUSY },
        { "api_error", LLM_BUSY },           { "timeout_error", LLM_BUSY },
        { "conflict_error", LLM_BUSY },
    };
    for (int i = 0; i < COUNT(faults); i++)
        if (strcmp(type, faults[i].type) == 0) return faults[i].fault;
    return LLM_REJECTED;
}

static LlmFault fault(int status, const json_t *body, char said[240])
{
    const json_t *e = json_object_get(body, "error");
    const char *type = json_str(e, "type", ""),
               *code = json_str(json_object_get(e, "details"), "error_code", "");
    wire_words(said, 240, json_str(e, "message", ""));
    if (strstr(code, "spend_limit") || status == 402) return LLM_SPENT;
    if (type[0] && status < 500) return fault_of(type);
    return LLM_OK; /* the status decides */
}

static bool event(Hearing *h, const json_t *data)
{
    const char *type = json_str(data, "type", "");
    if (strcmp(type, "message_start") == 0) {
        hear_message(h, json_object_get(data, "message"));
    } else if (strcmp(type, "content_block_start") == 0) {
        return open_block(h, data);
    } else if (strcmp(type, "content_block_delta") == 0) {
        return grow_block(h, json_object_get(data, "delta"));
    } else if (strcmp(type, "content_block_stop") == 0) {
        if (!h->part) return false;
        close_block(h);
    } else if (strcmp(type, "message_delta") == 0) {
        hear_stop(h, json_object_get(data, "delta"));
        hear_usage(h, json_object_get(data, "usage"));
    } else if (strcmp(type, "message_stop") == 0) {
        h->ended = true;
    } else if (strcmp(type, "error") == 0) {
        h->fault = fault(200, data, h->said);
    }
    return type[0] != '\0';
}

static bool whole(Hearing *h, const json_t *body)
{
    json_t *block;
    size_t i;
    if (strcmp(json_str(body, "type", ""), "message") != 0) return false;
    hear_message(h, body);
    json_array_foreach(json_object_get(body, "content"), i, block)
    {
        json_array_append(h->raw, block);
        const char *type = json_str(block, "type", "");
        if (strcmp(type, "text") == 0) hearing_text(h, json_str(block, "text", ""));
        if (strcmp(type, "tool_use") != 0) continue;
        Buf arguments = { 0 };
        json_write(json_object_get(block, "input"), false, &arguments);
        json_array_append_new(h->calls,
                              json_pack("{s:s, s:s, s:o}", "id", json_str(block, "id", ""), "name",
                                        json_str(block, "name", ""), "arguments",
                                        json_text(buf_view(&arguments))));
        buf_free(&arguments);
    }
    h->ended = true;
    return h->stopped;
}

static bool supported(const json_t *capability)
{
    return json_is_true(json_object_get(capability, "supported"));
}

static void learn(LlmModel *m, const json_t *page)
{
    const json_t *can = json_object_get(page, "capabilities");
    const json_t *types = json_object_get(json_object_get(can, "thinking"), "types");
    const json_t *adaptive = json_object_get(types, "adaptive");
    m->legal = (LlmLegal){
        .known = json_is_object(can),
        .adaptive_thinking = supported(adaptive),
        .effort =
            supported(json_object_get(can, "effort")) &&
            (!m->effort || supported(json_object_get(json_object_get(can, "effort"), m->effort))),
        .max_input = json_int(page, "max_input_tokens", 0),
        .max_output = json_int(page, "max_tokens", 0),
    };
}

const LlmWireDef wire_anthropic = {
    .name = "anthropic",
    .doc = "Anthropic's Messages API",
    .base_url = "https://api.anthropic.com",
    .key_variable = "ANTHROPIC_API_KEY",
    .ask_path = "/v1/messages",
    .models_path = "/v1/models",
    .count_path = "/v1/messages/count_tokens",
    .headers = headers,
    .request = request,
    .event = event,
    .whole = whole,
    .fault = fault,
    .learn = learn,
};
