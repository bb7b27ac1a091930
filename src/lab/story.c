/* story.c - is it in the ledger?
 *
 * A number as somebody wrote it stands for all values that round to it: 0.021 for anything from
 * 0.0205 to 0.0215, "12 k" for 11,500 to 12,500, "3 %" for shares alone.  It is held if one of the
 * values that it may be about rounds to it, whatever its sign: "loses 0.003" is an effect of
 * -0.003. Which values those are is what makes the check worth something: with all numbers of a
 * long session as candidates every small number would be found somewhere, so a sentence that cites
 * rows is held against those rows.
 *
 * What is counted rather than stated (proposals, keeps, runs, drops) is no member of any body; it
 * is added up here. */
#include "lab/story.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/svg.h"

enum { VALUES_MAX = 1 << 16, IDS_MAX = 16, DEEP = 4 };

typedef struct Value {
    double x;
    char id[24]; /* of the entry; "" of what belongs to question and session */
} Value;

typedef struct Pool {
    Value *value;
    int n;
    const char *question, *session;
    char id[24]; /* of the entry that is being read */
} Pool;

/* ---- what the ledger holds ---- */

static void add(Pool *p, double x)
{
    if (p->n == VALUES_MAX || !isfinite(x)) return;
    Value *v = &p->value[p->n++];
    v->x = fabs(x);
    snprintf(v->id, sizeof(v->id), "%s", p->id);
}

static void add_numbers(Pool *p, const json_t *v, int deep)
{
    const char *key;
    json_t *member;
    size_t i;
    double x;
    if (json_is_number(v)) add(p, json_number_value(v));
    if (json_is_string(v) && str_to_double(str_of(json_string_value(v)), &x)) add(p, x);
    if (deep == DEEP) return;
    if (json_is_array(v) && json_array_size(v) <= 64)
        json_array_foreach(v, i, member) add_numbers(p, member, deep + 1);
    if (json_is_object(v))
        json_object_foreach((json_t *)(uintptr_t)v, key, member) add_numbers(p, member, deep + 1);
}

static bool is_about(const Pool *p, const Entry *e)
{
    const char *question = json_str(e->body, "question", p->question);
    return strcmp(question, p->question) == 0;
}

/* The gain of the whole as a share of what the first recipe scores. */
static void add_headline_shares(Pool *p, const json_t *body)
{
    static const char *const keys[] = { "gain", "low", "high", "gain_search" };
    const json_t *first = json_object_get(body, "bpb_first");
    size_t n = json_array_size(first);
    double mean = 0;
    for (size_t i = 0; i < n; i++) mean += json_number_value(json_array_get(first, i)) / (double)n;
    for (int i = 0; i < COUNT(keys); i++) add(p, json_num(body, keys[i], (double)NAN) / mean);
}

static bool see(void *self, const Entry *e)
{
    static const char *const kinds[] = { "question", "session", "run",     "result",
                                         "proposal", "verdict", "claim",   "headline",
                                         "settle",   "settled", "closing", "diagnosis" };
    Pool *p = self;
    bool known = false;
    for (int i = 0; i < COUNT(kinds); i++) known = known || strcmp(kinds[i], e->kind) == 0;
    if (!known || !is_about(p, e)) return true;
    bool all = strcmp(e->kind, "headline") == 0 || strcmp(e->kind, "session") == 0 ||
               strcmp(e->kind, "question") == 0;
    snprintf(p->id, sizeof(p->id), "%s", all ? "" : e->id);
    add_numbers(p, e->body, 0);
    if (strcmp(e->kind, "headline") == 0) add_headline_shares(p, e->body);
    return true;
}

static bool add_query(Lab *lab, Pool *p, const Buf *sql, Err *err)
{
    json_t *rows = NULL;
    p->id[0] = '\0';
    if (!ledger_query(lab->ledger, sql->at, 1000, &rows, err)) return false;
    add_numbers(p, rows, 0);
    json_decref(rows);
    return true;
}

/* Effects are said in percent of the champion of their time too. */
static bool add_shares(Lab *lab, Pool *p, Err *err)
{
    Buf sql = { 0 };
    json_t *rows = NULL, *row;
    size_t i;
    buf_printf(
        &sql,
        "SELECT p.experiment AS id, v.effect / m.b AS a, v.D / m.b AS b, v.low / m.b AS c, "
        "v.high / m.b AS d, p.predicted / m.b AS e FROM proposals p JOIN (SELECT r.recipe AS "
        "recipe, avg(x.bpb) AS b FROM runs r JOIN results x ON x.run = r.run WHERE r.question "
        "= '%s' AND r.purpose IN ('bank', 'confirm') GROUP BY r.recipe) m ON m.recipe = "
        "p.base_recipe LEFT JOIN verdicts v ON v.experiment = p.experiment WHERE p.question = "
        "'%s'",
        p->question, p->question);
    bool ok = ledger_query(lab->ledger, sql.at, 5000, &rows, err);
    json_array_foreach(rows, i, row)
    {
        snprintf(p->id, sizeof(p->id), "%s", json_str(row, "id", ""));
        json_object_del(row, "id");
        add_numbers(p, row, 0);
    }
    json_decref(rows);
    buf_free(&sql);
    return ok;
}

/* Counts of the question, and the mean of each recipe's bank. */
static bool add_counted(Lab *lab, Pool *p, Err *err)
{
    Buf sql = { 0 };
    buf_printf(
        &sql,
        "SELECT count(*) AS proposals, sum(decision = 'keep') AS kept, sum(decision = 'drop') "
        "AS dropped, sum(decision = 'undecided') AS undecided, sum(v.runs) AS runs, (SELECT "
        "count(*) FROM runs r WHERE r.question = p.question) AS all_runs, sum(v.seconds) AS "
        "seconds FROM proposals p LEFT JOIN verdicts v ON v.experiment = p.experiment WHERE "
        "p.question = '%s'",
        p->question);
    bool ok = add_query(lab, p, &sql, err);
    buf_clear(&sql);
    buf_printf(
        &sql,
        "SELECT r.recipe AS recipe, avg(x.bpb) AS bpb FROM runs r JOIN results x ON x.run = "
        "r.run WHERE r.question = '%s' AND r.purpose IN ('bank', 'confirm') GROUP BY r.recipe",
        p->question);
    ok = ok && add_query(lab, p, &sql, err);
    buf_free(&sql);
    return ok;
}

/* ---- what the text says ---- */

typedef struct Said {
    const char *from, *to; /* in the text, with its unit */
    double x, half;        /* half of the last place that was written */
    bool percent;
} Said;

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "e12" and its like: the length, 0 if none begins here. */
static int id_at(const char *begin, const char *at, const char *end)
{
    if (at > begin && (is_letter(at[-1]) || is_digit(at[-1]) || at[-1] == '-')) return 0;
    if (!strchr("recsqap", *at) || at + 1 >= end || !is_digit(at[1])) return 0;
    int n = 1;
    while (at + n < end && is_digit(at[n])) n++;
    if (n > 20 || (at + n < end && (is_letter(at[n]) || at[n] == '-'))) return 0;
    return n;
}

/* What a word behind a number multiplies it by. */
static const char *unit_at(const char *at, const char *end, double *factor, bool *percent)
{
    static const struct {
        const char *word;
        double factor;
    } units[] = { { "minutes", 60 },  { "minute", 60 }, { "min", 60 },     { "hours", 3600 },
                  { "hour", 3600 },   { "h", 3600 },    { "k", 1e3 },      { "thousand", 1e3 },
                  { "million", 1e6 }, { "M", 1e6 },     { "billion", 1e9 } };
    const char *word = at;
    if (word < end && *word == ' ') word++;
    *factor = 1;
    *percent = word < end && *word == '%';
    if (*percent) return word + 1;
    for (int i = 0; i < COUNT(units); i++) {
        size_t n = strlen(units[i].word);
        if ((size_t)(end - word) < n || memcmp(word, units[i].word, n) != 0) continue;
        if (word + n < end && (is_letter(word[n]) || is_digit(word[n]))) continue;
        *factor = units[i].factor;
        return word + n;
    }
    return at;
}

/* A number that begins here; digits within a word (GPT-2, fp16, 2026-11-20) are none. */
static bool number_at(const char *begin, const char *at, const char *end, Said *s)
{
    char digits[48];
    int n = 0, behind = -1;
    if (!is_digit(*at)) return false;
    if (at > begin && (is_letter(at[-1]) || is_digit(at[-1]) || at[-1] == '.')) return false;
    if (at > begin + 1 && at[-1] == '-' && (is_letter(at[-2]) || is_digit(at[-2]))) return false;
    const char *c = at;
    for (; c < end && n < 40; c++) {
        bool comma = *c == ',' && c + 3 < end && is_digit(c[1]) && is_digit(c[2]) && is_digit(c[3]);
        if (comma) continue;
        if (*c == '.' && (behind >= 0 || c + 1 >= end || !is_digit(c[1]))) break;
        if (*c != '.' && !is_digit(*c)) break;
        if (*c == '.') behind = 0;
        if (is_digit(*c) && behind >= 0) behind++;
        digits[n++] = *c;
    }
    digits[n] = '\0';
    if (c + 1 < end && *c == '-' && is_digit(c[1])) return false; /* a date */
    double factor, power = 0;
    if (c + 1 < end && (*c == 'e' || *c == 'E') && (is_digit(c[1]) || c[1] == '-' || c[1] == '+')) {
        char *stop = NULL;
        power = strtod(c + 1, &stop);
        c = stop;
    }
    s->from = at;
    s->to = unit_at(c, end, &factor, &s->percent);
    factor *= pow(10, power);
    bool read = str_to_double((Str){ digits, n }, &s->x);
    s->x *= factor;
    s->half = 0.5 * pow(10, -MAX(behind, 0)) * factor * 1.0000001;
    return read;
}

/* ---- is it held ---- */

static bool cites(const char ids[IDS_MAX][24], int n, const char *id)
{
    for (int i = 0; i < n; i++)
        if (strcmp(ids[i], id) == 0) return true;
    return false;
}

static bool holds(const Pool *p, const Said *s, const char ids[IDS_MAX][24], int n)
{
    for (int i = 0; i < p->n; i++) {
        const Value *v = &p->value[i];
        if (n > 0 && v->id[0] && !cites(ids, n, v->id)) continue;
        if (fabs((s->percent ? 100 : 1) * v->x - s->x) <= s->half) return true;
    }
    return false;
}

static bool is_known(Lab *lab, const char *id, Err *err, bool *known)
{
    char sql[120];
    json_t *rows = NULL;
    snprintf(sql, sizeof(sql), "SELECT 1 AS n FROM entries WHERE id = '%s' LIMIT 1", id);
    if (!ledger_query(lab->ledger, sql, 1, &rows, err)) return false;
    *known = json_array_size(rows) > 0;
    json_decref(rows);
    return true;
}

/* ---- the page ---- */

typedef struct Writing {
    Lab *lab;
    const Pool *pool;
    Buf *out;
    StoryCheck *check;
    char ids[IDS_MAX][24];
    int n;
} Writing;

static void put_plain(Buf *out, const char *from, const char *to)
{
    char piece[512];
    while (from < to) {
        size_t n = (size_t)MIN(to - from, (ptrdiff_t)sizeof(piece) - 8);
        while (from + n < to && ((unsigned char)from[n] & 0xc0) == 0x80 && n < sizeof(piece) - 2)
            n++;
        memcpy(piece, from, n);
        piece[n] = '\0';
        svg_escape(out, piece);
        from += n;
    }
}

static void put_struck(Buf *out, const char *from, const char *to, const char *why)
{
    buf_printf(out, "<del title=\"%s\">", why);
    put_plain(out, from, to);
    buf_str(out, STR("</del>"));
}

static bool put_id(Writing *w, const char *at, int n, Err *err)
{
    char id[24];
    bool known = false;
    snprintf(id, sizeof(id), "%.*s", n, at);
    if (!is_known(w->lab, id, err, &known)) return false;
    w->check->numbers++;
    w->check->struck += !known;
    if (known)
        buf_printf(w->out, "<a href=\"#%s\">%s</a>", id, id);
    else
        put_struck(w->out, at, at + n, "the ledger knows no such id");
    return true;
}

/* Of a claim all that its experiment holds may be said. */
static bool add_experiment(Writing *w, const char *claim, Err *err)
{
    json_t *body = NULL;
    if (!ledger_last(w->lab->ledger, "claim", claim, &body, err)) return false;
    if (body && w->n < IDS_MAX)
        snprintf(w->ids[w->n++], 24, "%s", json_str(body, "experiment", ""));
    json_decref(body);
    return true;
}

static bool gather_ids(Writing *w, const char *from, const char *to, Err *err)
{
    w->n = 0;
    for (const char *c = from; c < to; c++) {
        int n = id_at(from, c, to);
        if (n == 0 || w->n == IDS_MAX) continue;
        char *id = w->ids[w->n++];
        snprintf(id, 24, "%.*s", n, c);
        if (id[0] == 'c' && !add_experiment(w, id, err)) return false;
        c += n - 1;
    }
    return true;
}

static bool put_sentence(Writing *w, const char *from, const char *to, Err *err)
{
    const char *plain = from;
    if (!gather_ids(w, from, to, err)) return false;
    for (const char *c = from; c < to;) {
        Said s;
        int n = id_at(from, c, to);
        bool number = n == 0 && number_at(from, c, to, &s);
        if (n == 0 && !number) {
            c++;
            continue;
        }
        put_plain(w->out, plain, c);
        if (n > 0 && !put_id(w, c, n, err)) return false;
        if (number) {
            bool held = holds(w->pool, &s, (const char(*)[24])w->ids, w->n);
            w->check->numbers++;
            w->check->struck += !held;
            if (held)
                put_plain(w->out, s.from, s.to);
            else
                put_struck(w->out, s.from, s.to, "the ledger holds no such number");
        }
        c = plain = n > 0 ? c + n : s.to;
    }
    put_plain(w->out, plain, to);
    return true;
}

/* Headings and lists of Markdown lose their marks; a blank line begins a paragraph. */
static bool put_line(Writing *w, Str line, bool *open, Err *err)
{
    line = str_trim(line);
    bool heading = line.len > 0 && line.at[0] == '#';
    bool item = line.len > 1 && (line.at[0] == '-' || line.at[0] == '*') && line.at[1] == ' ';
    while (line.len > 0 && strchr(heading ? "# " : item ? "-* " : "", line.at[0]))
        line = (Str){ line.at + 1, line.len - 1 };
    if (*open && (line.len == 0 || heading || item)) buf_str(w->out, STR("</p>\n"));
    if (line.len == 0 || heading || item) *open = false;
    if (line.len == 0) return true;
    if (!*open)
        buf_printf(w->out, "<p%s>", heading ? " class=\"head\"" : item ? " class=\"item\"" : "");
    *open = !heading;
    const char *end = line.at + line.len;
    for (const char *from = line.at; from < end;) {
        const char *to = from;
        while (to < end && !((*to == '.' || *to == ';') && (to + 1 == end || to[1] == ' '))) to++;
        if (to < end) to++;
        if (!put_sentence(w, from, to, err)) return false;
        from = to;
    }
    buf_str(w->out, heading ? STR("</p>\n") : STR("\n"));
    return true;
}

bool story_html(Lab *lab, const char *question, const char *session, const char *text, Buf *out,
                StoryCheck *check, Err *err)
{
    Pool pool = { .question = question, .session = session };
    Writing w = { .lab = lab, .pool = &pool, .out = out, .check = check };
    Str rest = str_of(text), line;
    bool open = false;
    *check = (StoryCheck){ 0 };
    pool.value = NEW(lab->arena, Value, VALUES_MAX);
    bool ok = ledger_each(lab->ledger, NULL, 0, see, &pool, err) && add_counted(lab, &pool, err) &&
              add_shares(lab, &pool, err);
    while (ok && str_cut(&rest, '\n', &line)) ok = put_line(&w, line, &open, err);
    if (open) buf_str(out, STR("</p>\n"));
    return ok;
}

bool story_text(Lab *lab, const char *session, const char **text, const char **author, Err *err)
{
    char sql[500];
    json_t *rows = NULL;
    *text = *author = NULL;
    snprintf(sql, sizeof(sql),
             "SELECT json_extract(t.turn, '$.text') AS text, (SELECT r.model FROM llm_requests r "
             "WHERE r.talk = t.talk LIMIT 1) AS author FROM llm_turns t WHERE t.session = '%s' AND "
             "t.role = 'writer' AND t.stop = 'done' ORDER BY t.seq DESC LIMIT 1",
             session);
    if (!ledger_query(lab->ledger, sql, 1, &rows, err)) return false;
    const json_t *row = json_array_get(rows, 0);
    if (json_str(row, "text", "")[0]) {
        *text = arena_str(lab->arena, str_of(json_str(row, "text", "")));
        *author = arena_str(lab->arena, str_of(json_str(row, "author", "a model")));
    }
    json_decref(rows);
    return true;
}
