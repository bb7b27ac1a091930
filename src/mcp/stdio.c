/* stdio.c - MCP over a pipe: one JSON object a line in, one a line out.
 *
 * One thread serves all.  A call that waits is kept in a list and asked again a few times a second,
 * so that whoever waits for a verdict can list tools meanwhile; answers may come in another order
 * than the questions, which JSON-RPC allows.  A client that closes its end is gone: what it waited
 * for is given up, the lab's worker goes on. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "mcp/mcp_private.h"

enum { WAITING_MAX = 32, LINE_MAX_BYTES = 8 << 20, POLL_MS = 200, PROGRESS_EVERY = 5 };

typedef struct Pipe {
    McpServer *server;
    int out;
    Buf in;
    McpCall *waiting[WAITING_MAX];
    int n_waiting;
    double progress; /* when it was last told */
    bool too_long;   /* the line that is being read is thrown away */
} Pipe;

static bool write_all(int fd, const char *at, ptrdiff_t len, Err *err)
{
    while (len > 0) {
        ssize_t n = write(fd, at, (size_t)len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return err_errno(err, "the client cannot be answered");
        at += n, len -= n;
    }
    return true;
}

/* Takes over the reference. */
static bool send(Pipe *p, json_t *message, Err *err)
{
    Buf line = { 0 };
    tool_text(message, &line);
    buf_char(&line, '\n');
    json_decref(message);
    bool ok = write_all(p->out, line.at, line.len, err);
    buf_free(&line);
    return ok;
}

static void forget(Pipe *p, int i)
{
    mcp_drop(p->waiting[i]);
    p->waiting[i] = p->waiting[--p->n_waiting];
}

static void cancel(Pipe *p, const json_t *message)
{
    const json_t *id = json_object_get(json_object_get(message, "params"), "requestId");
    if (strcmp(json_str(message, "method", ""), "notifications/cancelled") != 0 || !id) return;
    for (int i = p->n_waiting - 1; i >= 0; i--)
        if (mcp_is(p->waiting[i], id)) forget(p, i);
}

/* Most calls are answered at the first look. */
static bool begin_call(Pipe *p, McpCall *call, const json_t *id, Err *err)
{
    json_t *reply = mcp_poll(call);
    if (!reply && p->n_waiting < WAITING_MAX) {
        p->waiting[p->n_waiting++] = call;
        return true;
    }
    if (!reply) reply = mcp_error(id, RPC_INTERNAL, "too many calls wait already", NULL);
    mcp_drop(call);
    return send(p, reply, err);
}

static bool take_line(Pipe *p, Str line, Err *err)
{
    Err broken = { 0 };
    if (str_trim(line).len == 0) return true;
    json_t *message = json_read(line, "the message", &broken);
    if (!message) return send(p, mcp_error(NULL, RPC_PARSE, broken.msg, NULL), err);
    cancel(p, message);
    McpAnswer a = mcp_take(p->server, message);
    bool ok = true;
    if (a.later) ok = begin_call(p, a.later, json_object_get(message, "id"), err);
    if (a.reply) ok = send(p, a.reply, err);
    json_decref(message);
    return ok;
}

/* Every whole line that has come; what is left moves to the front. */
static bool take_lines(Pipe *p, Err *err)
{
    Str rest = buf_view(&p->in);
    bool ok = true;
    for (const char *end; ok && rest.len > 0 && (end = memchr(rest.at, '\n', (size_t)rest.len));) {
        Str line = { rest.at, end - rest.at };
        rest = (Str){ end + 1, rest.len - line.len - 1 };
        if (!p->too_long) ok = take_line(p, line, err);
        p->too_long = false;
    }
    if (rest.len > LINE_MAX_BYTES) {
        if (!p->too_long)
            ok = ok && send(p, mcp_error(NULL, RPC_PARSE, "the message is too long", NULL), err);
        p->too_long = true;
        rest.len = 0;
    }
    if (rest.len > 0) memmove(p->in.at, rest.at, (size_t)rest.len);
    p->in.len = rest.len;
    return ok;
}

static bool poll_waiting(Pipe *p, Err *err)
{
    bool tell = clock_now() - p->progress > PROGRESS_EVERY;
    if (tell) p->progress = clock_now();
    for (int i = p->n_waiting - 1; i >= 0; i--) {
        json_t *reply = mcp_poll(p->waiting[i]);
        json_t *progress = reply || !tell ? NULL : mcp_progress(p->waiting[i], p->server->lab);
        if (reply) forget(p, i);
        if (reply && !send(p, reply, err)) return false;
        if (progress && !send(p, progress, err)) return false;
    }
    return true;
}

/* False with *end when the client has closed its end. */
static bool read_more(Pipe *p, int in, bool *end, Err *err)
{
    struct pollfd f = { .fd = in, .events = POLLIN };
    int ready = poll(&f, 1, POLL_MS);
    if (ready < 0 && errno != EINTR) return err_errno(err, "the client cannot be heard");
    if (ready <= 0) return true;
    enum { PIECE = 64 << 10 };
    buf_room(&p->in, PIECE);
    ssize_t n = read(in, p->in.at + p->in.len, PIECE);
    if (n < 0) return errno == EINTR || err_errno(err, "the client cannot be heard");
    *end = n == 0;
    p->in.len += n;
    return take_lines(p, err);
}

bool mcp_stdio(McpServer *m, int in, int out, Err *err)
{
    Pipe p = { .server = m, .out = out };
    bool ok = true, end = false;
    while (ok && !end && !stop_asked()) {
        ok = read_more(&p, in, &end, err) && poll_waiting(&p, err);
        while (waitpid(-1, NULL, WNOHANG) > 0) continue; /* workers that have ended */
    }
    while (p.n_waiting > 0) forget(&p, p.n_waiting - 1);
    buf_free(&p.in);
    return ok;
}
