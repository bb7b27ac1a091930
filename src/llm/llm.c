/* llm.c - asking, hearing, and asking again.
 *
 * One try is one request.  Its answer is a stream of events, heard as it comes; some endpoints
 * answer in one piece, which is heard as well.  What is not the protocol at all (a proxy's page in
 * HTML, half an event, arguments without a call) is a fault of its own: it is never taken for an
 * answer, and not tried again, because the address is wrong and not the moment.
 *
 * Tries follow the rules that the providers publish and their own clients follow: what may pass
 * (408, 409, 429 with a time, 5xx, a cut connection, an error in the middle of a stream) is tried
 * again after what the server asks for, else after half a second doubled each time, up to eight,
 * less a quarter at random.  A spending limit comes as 429 as well and never passes by waiting, so
 * it ends at once.  Official clients do not try again after a cut in the middle of a stream; here
 * nothing was done with the half answer, so asking again is safe, and what the half cost is
 * reported with its try. */
#include "llm/llm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/http.h"
#include "base/rand.h"
#include "llm/sse.h"
#include "llm/wire.h"

enum { ANSWER_MAX = 64 << 20, WHOLE_MAX = 16 << 20, URL_MAX = 600, HEADERS_AT_MOST = 8 };

#define WIRE(name) extern const LlmWireDef wire_##name;
#include "llm/wire_list.h"
#undef WIRE
#define WIRE(name) &wire_##name,
static const LlmWireDef *const wires[] = {
#include "llm/wire_list.h"
};
#undef WIRE
#define WIRE(name) ", " #name
static const char names[] =
#include "llm/wire_list.h"
    ;
#undef WIRE

const LlmWireDef *llm_wire(const char *name)
{
    for (int i = 0; i < COUNT(wires); i++)
        if (strcmp(wires[i]->name, name) == 0) return wires[i];
    return NULL;
}

const char *llm_wire_names(void)
{
    return names + 2;
}

const char *llm_fault_name(LlmFault f)
{
    static const char *const words[] = { "ok",      "busy",     "lost",    "key",    "spent",
                                         "unknown", "rejected", "garbled", "stopped" };
    return words[f];
}

/* ---- small things that both wires need ---- */

void wire_words(char *out, size_t size, const char *words)
{
    if (out == words) return;
    size_t n = 0;
    for (; words[n] && n + 1 < size; n++)
        out[n] = (unsigned char)words[n] < 0x20 || words[n] == 0x7f ? ' ' : words[n];
    while (n > 0 && ((unsigned char)words[n] & 0xc0) == 0x80)
        n--; /* no half character at the cut */
    out[n] = '\0';
}

void hearing_text(Hearing *h, const char *words)
{
    buf_str(&h->text, str_of(words));
    if (h->ears && h->ears->text) h->ears->text(h->ears->ctx, str_of(words));
}

/* The model with its silent defaults spelled out. */
static LlmModel settled(const LlmModel *m)
{
    LlmModel s = *m;
    if (!s.base_url) s.base_url = s.wire->base_url;
    if (s.max_output <= 0) s.max_output = 16384;
    if (s.legal.max_output > 0 && s.max_output > s.legal.max_output)
        s.max_output = s.legal.max_output;
    if (s.idle_seconds <= 0) s.idle_seconds = 180;
    if (s.total_seconds <= 0) s.total_seconds = 1200;
    if (s.patience <= 0) s.patience = 300;
    if (s.tries <= 0) s.tries = 5;
    return s;
}

static void url_of(char url[URL_MAX], const LlmModel *m, const char *path, const char *rest)
{
    size_t base = strlen(m->base_url);
    while (base > 0 && m->base_url[base - 1] == '/') base--;
    snprintf(url, URL_MAX, "%.*s%s%s", (int)base, m->base_url, path, rest);
}

/* Lines of headers as HttpRequest wants them; they live in `lines`. */
static int header_lines(const LlmModel *m, Buf *lines, const char *out[HEADERS_AT_MOST])
{
    buf_printf(lines, "content-type: application/json\nuser-agent: lathe/%s\n", LATHE_VERSION);
    m->wire->headers(m, lines);
    int n = 0;
    for (char *at = lines->at, *end; n < HEADERS_AT_MOST && (end = strchr(at, '\n'));
         at = end + 1) {
        *end = '\0';
        out[n++] = at;
    }
    return n;
}

/* What a server says back may hold the key that it was sent. */
static void hide_key(const LlmModel *m, char *said)
{
    size_t len = m->key ? strlen(m->key) : 0;
    for (char *at; len >= 4 && (at = strstr(said, m->key));) {
        memmove(at + 3, at + len, strlen(at + len) + 1);
        memcpy(at, "***", 3);
    }
}

/* ---- one try ---- */

typedef struct Exchange {
    Hearing hear;
    Sse sse;
    HttpReply *reply;
    Buf body; /* of what is no stream */
    bool garbled, long_body;
} Exchange;

static bool on_event(void *ctx, Str data)
{
    Exchange *x = ctx;
    Hearing *h = &x->hear;
    Err err = { 0 };
    if (h->model->wire->last && str_eq(str_trim(data), str_of(h->model->wire->last))) {
        h->ended = true;
        return false;
    }
    json_t *event = json_read(data, "event", &err);
    x->garbled = !event || !h->model->wire->event(h, event);
    json_decref(event);
    return !x->garbled && h->fault == LLM_OK;
}

static bool is_stream(const HttpReply *reply)
{
    char type[256];
    return reply->status == 200 && http_header(reply, "content-type", type) &&
           strncmp(type, "text/event-stream", 17) == 0;
}

static bool on_bytes(void *ctx, Str piece)
{
    Exchange *x = ctx;
    if (is_stream(x->reply)) return sse_feed(&x->sse, piece);
    x->long_body = x->body.len + piece.len > WHOLE_MAX;
    if (!x->long_body) buf_str(&x->body, piece);
    return !x->long_body;
}

static bool on_stop(void *ctx)
{
    const LlmEars *ears = ((Exchange *)ctx)->hear.ears;
    return ears && ears->stop && ears->stop(ears->ctx);
}

/* The pages of RFC 9110 that decide whether another try can help. */
static LlmFault fault_of_status(const HttpReply *reply)
{
    char value[256];
    switch (reply->status) {
    case 401:
    case 403: return LLM_KEY;
    case 402: return LLM_SPENT;
    case 404: return LLM_UNKNOWN;
    case 408:
    case 409: return LLM_BUSY;
    case 429:
        return http_header(reply, "retry-after", value) ||
                       http_header(reply, "retry-after-ms", value)
                   ? LLM_BUSY
                   : LLM_SPENT;
    default: return reply->status >= 500 ? LLM_BUSY : LLM_REJECTED;
    }
}

static LlmFault judge_refusal(Exchange *x)
{
    Err err = { 0 };
    char should[256];
    Hearing *h = &x->hear;
    json_t *body = x->body.len > 0 ? json_read(buf_view(&x->body), "answer", &err) : NULL;
    LlmFault said = h->model->wire->fault(x->reply->status, body, h->said);
    json_decref(body);
    if (said == LLM_SPENT) return said;
    LlmFault fault = fault_of_status(x->reply);
    if (said != LLM_OK && said != LLM_BUSY) fault = said;
    /* A server that knows better says so. */
    if (http_header(x->reply, "x-should-retry", should)) {
        if (strcmp(should, "true") == 0) return LLM_BUSY;
        if (fault == LLM_BUSY) fault = LLM_REJECTED;
    }
    return fault;
}

/* What a finished exchange was. */
static LlmFault judge(Exchange *x, bool whole, const Err *err)
{
    Hearing *h = &x->hear;
    if (!whole && err->code == ERR_STOPPED) return LLM_STOPPED;
    if (x->garbled || x->sse.too_long || x->long_body) {
        snprintf(h->said, sizeof h->said, "%s",
                 x->garbled ? "an event that does not belong to this protocol"
                            : "an answer of more than it may be long");
        return LLM_GARBLED;
    }
    if (h->fault != LLM_OK) return h->fault;
    if (!whole && !h->ended) {
        wire_words(h->said, sizeof h->said, err->msg);
        return err->code == ERR_FORMAT ? LLM_GARBLED : LLM_LOST;
    }
    if (x->reply->status != 200) return judge_refusal(x);
    if (!is_stream(x->reply)) {
        Err ignored = { 0 };
        json_t *body = json_read(buf_view(&x->body), "answer", &ignored);
        bool good = body && h->model->wire->whole(h, body);
        json_decref(body);
        if (h->fault != LLM_OK) return h->fault;
        if (good) return LLM_OK;
        snprintf(h->said, sizeof h->said, "it answers, but not in this protocol");
        return LLM_GARBLED;
    }
    if (h->ended && h->stopped) return LLM_OK;
    snprintf(h->said, sizeof h->said, "the stream ended in the middle of the answer");
    return LLM_LOST;
}

static json_t *turn_of(Hearing *h)
{
    return json_pack("{s:s, s:o, s:O, s:O, s:s, s:s}", "role", "assistant", "text",
                     json_text(h->text.at ? buf_view(&h->text) : STR("")), "calls", h->calls, "raw",
                     h->raw, "wire", h->model->wire->name, "model", h->model->name);
}

static LlmFault try_once(const LlmModel *m, Str body, const LlmEars *ears, LlmAnswer *answer,
                         LlmTry *t, HttpReply *reply)
{
    Exchange x = { .hear = { .model = m, .ears = ears, .answer = answer }, .reply = reply };
    const char *headers[HEADERS_AT_MOST];
    char url[URL_MAX];
    Buf lines = { 0 };
    Err err = { 0 };
    x.hear.raw = json_array(), x.hear.calls = json_array();
    x.sse.event = on_event, x.sse.ctx = &x;
    url_of(url, m, m->wire->ask_path, "");
    HttpRequest q = { .url = url,
                      .headers = headers,
                      .body = body,
                      .idle_seconds = m->idle_seconds,
                      .total_seconds = m->total_seconds,
                      .max_bytes = ANSWER_MAX,
                      .on_bytes = on_bytes,
                      .stop = on_stop,
                      .ctx = &x };
    q.header_count = header_lines(m, &lines, headers);
    double begun = clock_now();
    bool whole = http_do(&q, reply, &err);
    t->fault = judge(&x, whole, &err);
    t->seconds = clock_now() - begun;
    t->status = reply->status;
    t->usage = answer->usage;
    hide_key(m, x.hear.said);
    if (t->fault != LLM_OK)
        wire_words(answer->explanation, sizeof answer->explanation, x.hear.said);
    char id[256];
    const char *found = http_header(reply, "request-id", id);
    if (!found) found = http_header(reply, "x-request-id", id);
    wire_words(t->request_id, sizeof t->request_id, found ? found : "");
    if (t->fault == LLM_OK && answer->stop != LLM_REFUSED) answer->turn = turn_of(&x.hear);
    json_decref(x.hear.raw);
    json_decref(x.hear.calls);
    buf_free(&x.hear.text);
    buf_free(&x.hear.piece);
    buf_free(&x.hear.seal);
    buf_free(&x.body);
    buf_free(&lines);
    sse_free(&x.sse);
    return t->fault;
}

/* ---- trying again ---- */

/* Seconds that the server asks for; negative if it asks for none. */
static double asked_wait(const HttpReply *reply)
{
    char value[256];
    double x;
    struct tm at = { 0 };
    if (http_header(reply, "retry-after-ms", value) && str_to_double(str_of(value), &x))
        return x / 1000;
    if (!http_header(reply, "retry-after", value)) return -1;
    if (str_to_double(str_of(value), &x)) return x;
    if (!strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &at)) return -1;
    return (double)timegm(&at) - clock_date();
}

static double next_wait(const HttpReply *reply, int number)
{
    double asked = asked_wait(reply);
    if (asked > 0 && isfinite(asked)) return asked;
    Rand r = rand_stream((uint64_t)(clock_now() * 1e6), "llm.wait"); /* reaches no weight */
    return fmin(0.5 * ldexp(1, number - 1), 8) * (1 - rand_uniform(&r) / 4);
}

/* False: it was asked to stop meanwhile. */
static bool wait_for(double seconds, const LlmEars *ears)
{
    double until = clock_now() + seconds;
    for (double left; (left = until - clock_now()) > 0;) {
        if (ears && ears->stop && ears->stop(ears->ctx)) return false;
        double step = fmin(left, 0.2);
        nanosleep(&(struct timespec){ .tv_nsec = (long)(step * 1e9) }, NULL);
    }
    return true;
}

static bool explain(const LlmModel *m, const LlmTry *t, const char *said, Err *err)
{
    const char *colon = said[0] ? ": " : "", *who = m->wire->name;
    switch (t->fault) {
    case LLM_STOPPED: return err_set(err, ERR_STOPPED, "stopped while %s was answering", m->name);
    case LLM_KEY:
        return err_set(err, ERR_CONFIG, "%s does not accept the key (HTTP %d%s%s): see %s", who,
                       t->status, colon, said, m->wire->key_variable);
    case LLM_SPENT:
        return err_set(err, ERR_BUSY,
                       "%s answers no more because a limit or the credit is used up (HTTP %d%s%s): "
                       "raise it, or go on with the built-in researcher",
                       who, t->status, colon, said);
    case LLM_UNKNOWN:
        return err_set(
            err, ERR_CONFIG,
            "%s is not known at %.120s (HTTP %d%s%s): see the model's name and the address",
            m->name, m->base_url, t->status, colon, said);
    case LLM_REJECTED:
        return err_set(err, ERR_CONFIG, "%s rejects the request (HTTP %d%s%s)", who, t->status,
                       colon, said);
    case LLM_GARBLED:
        return err_set(err, ERR_FORMAT,
                       "what answers at %.120s does not speak %s (HTTP %d%s%s): see the address",
                       m->base_url, who, t->status, colon, said);
    default:
        return err_set(err, ERR_BUSY,
                       "%s gave no answer in %d tries (HTTP %d%s%s): try later, or go on with the "
                       "built-in researcher",
                       m->name, t->number, t->status, colon, said);
    }
}

bool llm_ask(const LlmModel *model, const LlmPrompt *p, const LlmEars *ears, LlmAnswer *out,
             Err *err)
{
    LlmModel m = settled(model);
    Buf body = { 0 };
    json_t *q = m.wire->request(&m, p);
    json_write(q, false, &body);
    json_decref(q);
    double patience = m.patience;
    bool ok = true, again = true;
    for (LlmTry t = { 0 }; ok && again;) {
        *out = (LlmAnswer){ 0 };
        HttpReply reply = { 0 };
        t = (LlmTry){ .number = t.number + 1, .wait = -1, .said = "" };
        LlmFault fault = try_once(&m, buf_view(&body), ears, out, &t, &reply);
        double wait = next_wait(&reply, t.number);
        again = (fault == LLM_BUSY || fault == LLM_LOST) && t.number < m.tries && wait <= patience;
        if (again) t.wait = wait, patience -= wait;
        if (fault != LLM_OK) t.said = out->explanation;
        out->fault = fault, out->tries = t.number;
        memcpy(out->request_id, t.request_id, sizeof out->request_id);
        http_free(&reply);
        if (ears && ears->tried) ok = ears->tried(ears->ctx, &t, err);
        if (ok && again && !wait_for(wait, ears)) out->fault = t.fault = LLM_STOPPED, again = false;
        if (ok && !again && t.fault != LLM_OK) ok = explain(&m, &t, out->explanation, err);
    }
    buf_free(&body);
    return ok;
}

void llm_answer_free(LlmAnswer *a)
{
    json_decref(a->turn);
    a->turn = NULL;
}

json_t *llm_request(const LlmModel *model, const LlmPrompt *p)
{
    LlmModel m = settled(model);
    return m.wire->request(&m, p);
}

/* ---- pages beside the answer ---- */

/* The JSON behind an address, NULL and no error if there is none (a status other than 200). */
static bool page_of(const LlmModel *m, const char *path, const char *rest, Str body, json_t **page,
                    HttpReply *reply, Err *err)
{
    const char *headers[HEADERS_AT_MOST];
    char url[URL_MAX];
    Buf lines = { 0 };
    url_of(url, m, path, rest);
    HttpRequest q = { .url = url,
                      .headers = headers,
                      .body = body,
                      .idle_seconds = 30,
                      .total_seconds = 60,
                      .max_bytes = WHOLE_MAX };
    q.header_count = header_lines(m, &lines, headers);
    bool ok = http_do(&q, reply, err);
    buf_free(&lines);
    Err ignored = { 0 };
    *page = ok && reply->status == 200 ? json_read(buf_view(&reply->body), "page", &ignored) : NULL;
    return ok;
}

static json_t *model_among(const json_t *page, const char *name, Buf *others)
{
    json_t *item;
    size_t i;
    json_array_foreach(json_object_get(page, "data"), i, item)
    {
        const char *id = json_str(item, "id", "");
        if (strcmp(id, name) == 0) return item;
        if (i < 12) buf_printf(others, "%s%.60s", i ? ", " : "", id);
    }
    return NULL;
}

bool llm_learn(LlmModel *model, Err *err)
{
    LlmModel m = settled(model);
    json_t *page = NULL;
    HttpReply reply;
    bool ok = page_of(&m, m.wire->models_path, "?limit=1000", STR(""), &page, &reply, err);
    if (ok && (reply.status == 401 || reply.status == 403)) {
        LlmTry t = { .fault = LLM_KEY, .status = reply.status };
        ok = explain(&m, &t, "", err);
    }
    http_free(&reply);
    Buf others = { 0 };
    const json_t *found = page ? model_among(page, m.name, &others) : NULL;
    if (ok && found)
        m.wire->learn(model, found);
    else if (ok && others.len > 0)
        ok = err_set(err, ERR_CONFIG, "%.120s has no model %s; it has %s", m.base_url, m.name,
                     others.at);
    json_decref(page);
    buf_free(&others);
    return ok;
}

bool llm_count(const LlmModel *model, const LlmPrompt *p, int64_t *tokens, bool *exact, Err *err)
{
    LlmModel m = settled(model);
    json_t *q = m.wire->request(&m, p), *page = NULL;
    json_object_del(q, "max_tokens");
    json_object_del(q, "stream");
    Buf body = { 0 };
    json_write(q, false, &body);
    json_decref(q);
    HttpReply reply = { 0 };
    bool ok = !m.wire->count_path ||
              page_of(&m, m.wire->count_path, "", buf_view(&body), &page, &reply, err);
    *exact = json_is_integer(json_object_get(page, "input_tokens"));
    *tokens = *exact ? json_int(page, "input_tokens", 0) : body.len / 3 + 1;
    json_decref(page);
    http_free(&reply);
    buf_free(&body);
    return ok;
}
