/* tool_shared.c - reading the ledger for tools, and making it small. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lab/tool_private.h"

bool tool_history(ToolCall *c, History *h, Err *err)
{
    if (!history_open(h, c->lab, err)) return false;
    if (h->question[0]) return true;
    history_close(h);
    return err_set(err, ERR_CONFIG,
                   "this lab has no question yet: nothing was measured; the tool research opens "
                   "the first");
}

const char *tool_decision(Decision d)
{
    static const char *const word[] = { "open", "keep", "drop", "undecided", "vetoed" };
    return word[d];
}

const char *tool_quoted(ToolCall *c, const char *text)
{
    char *out = NEW(c->lab->arena, char, 2 * (ptrdiff_t)strlen(text) + 3), *at = out;
    *at++ = '\'';
    for (; *text; text++) {
        if (*text == '\'') *at++ = '\'';
        *at++ = *text;
    }
    *at = '\'';
    return out;
}

json_t *tool_rows(ToolCall *c, int limit, Err *err, const char *sql, ...)
{
    json_t *rows = NULL;
    va_list ap, again;
    va_start(ap, sql);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, sql, ap);
    char *whole = NEW(c->lab->arena, char, n + 1);
    vsnprintf(whole, (size_t)n + 1, sql, again);
    va_end(again);
    va_end(ap);
    return ledger_query(c->lab->ledger, whole, limit, &rows, err) ? rows : NULL;
}

bool tool_body(ToolCall *c, const char *kind, const char *id, json_t **body, Err *err)
{
    if (!ledger_last(c->lab->ledger, kind, id, body, err)) return false;
    return *body || err_set(err, ERR_CONFIG, "there is no %s %.40s in this lab", kind, id);
}

json_t *tool_cut(const char *text, ptrdiff_t bytes)
{
    Str s = str_of(text);
    if (s.len <= bytes) return json_text(s);
    ptrdiff_t n = bytes;
    while (n > 0 && ((unsigned char)s.at[n] & 0xc0) == 0x80) n--;
    Buf b = { 0 };
    buf_str(&b, (Str){ s.at, n });
    buf_printf(&b, " ... [%lld bytes more]", (long long)(s.len - n));
    json_t *cut = json_text(buf_view(&b));
    buf_free(&b);
    return cut;
}

json_t *tool_edits(const json_t *edits)
{
    json_t *out = json_object(), *e;
    size_t i;
    json_array_foreach(edits, i, e)
    {
        Buf b = { 0 };
        buf_printf(&b, "%s -> %s", json_str(e, "from", "?"), json_str(e, "to", "?"));
        json_object_set_new(out, json_str(e, "knob", "?"), json_text(buf_view(&b)));
        buf_free(&b);
    }
    return out;
}

json_t *tool_waiting(ToolCall *c, Err *err)
{
    return tool_rows(c, 50, err,
                     "SELECT i.idea AS id, i.title, i.author FROM ideas i WHERE i.idea NOT IN "
                     "(SELECT idea FROM proposals WHERE idea IS NOT NULL) AND i.idea NOT IN "
                     "(SELECT idea FROM ideas_refused) ORDER BY i.seq");
}
