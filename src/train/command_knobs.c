/* command_knobs.c - the knobs of somebody else's trainer, from its trainer.toml.
 *
 *     command = "python3 train.py"
 *     metric = "val_bpb"
 *
 *     [knob.lr]
 *     type = "number"
 *     value = 0.003
 *     min = 1e-5
 *     max = 0.1
 *     scale = "log"
 *     doc = "learning rate"
 *
 * A recipe is named by its text and read from the ledger years later, when the file may be gone or
 * say something else.  So what was declared is put into the recipe as one text, command.declares: a
 * knob each, with semicolons between, as NAME TYPE VALUE MIN MAX SCALE CHOICES WORDS...  To look
 * the file up at each reading was rejected: an old recipe would change its meaning with it. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "train/command.h"

enum { DECLARED_MAX = 64, CHOICES_MAX = 32, FIELDS = 7 };

static const char *const trainers[] = { "command", NULL };
static const char *const frames[] = { "time", "tokens", "flops", NULL };
static const char *const types[] = { "number", "whole", "choice", "flag", NULL };
static const char *const scales[] = { "linear", "log", NULL };

const Knob command_knobs[] = {
    { .name = "trainer",
      .type = KNOB_CHOICE,
      .choices = trainers,
      .doc = "who trains: a program that keeps the contract of an external trainer",
      .fixed = true },
    { .name = "command.folder",
      .type = KNOB_TEXT,
      .text = "",
      .doc = "where the program and its trainer.toml are, and where it runs",
      .fixed = true },
    { .name = "command.run",
      .type = KNOB_TEXT,
      .text = "",
      .doc = "the program with its arguments; job.json comes behind them",
      .fixed = true },
    { .name = "command.metric",
      .type = KNOB_TEXT,
      .text = "val_bpb",
      .doc = "the member of result.json that is the score; lower is better",
      .fixed = true },
    { .name = "command.files",
      .type = KNOB_TEXT,
      .text = "",
      .doc = "files of the folder on which a run depends",
      .fixed = true },
    { .name = "command.limit",
      .type = KNOB_NUMBER,
      .max = 1e7,
      .unit = "seconds",
      .doc = "a run that takes longer is stopped and has failed; 0: a day, or with a budget of "
             "time three times that and five minutes",
      .fixed = true },
    { .name = "command.declares",
      .type = KNOB_TEXT,
      .text = "",
      .doc = "the trainer's own knobs, as trainer.toml declared them",
      .fixed = true },
    { .name = "data.sources",
      .type = KNOB_TEXT,
      .text = "",
      .doc = "data sets of the lab that the trainer is told of; none",
      .fixed = true },
    { .name = "budget.frame",
      .type = KNOB_CHOICE,
      .max = (double)(COUNT(frames) - 2),
      .choices = frames,
      .doc = "what the run may spend; claims of different frames are not compared",
      .fixed = true },
    { .name = "budget.time",
      .type = KNOB_NUMBER,
      .fallback = 60,
      .max = 1e7,
      .scale = SCALE_LOG,
      .unit = "seconds",
      .only = "budget.frame=time",
      .doc = "of training, as the trainer counts them",
      .fixed = true },
    { .name = "budget.tokens",
      .type = KNOB_NUMBER,
      .fallback = 2e6,
      .max = 1e18,
      .scale = SCALE_LOG,
      .unit = "tokens",
      .only = "budget.frame=tokens",
      .doc = "read, repeats included",
      .fixed = true },
    { .name = "budget.flops",
      .type = KNOB_NUMBER,
      .fallback = 6e12,
      .max = 1e30,
      .scale = SCALE_LOG,
      .unit = "FLOPs",
      .only = "budget.frame=flops",
      .doc = "as the trainer counts them",
      .fixed = true },
    { .name = NULL },
};

bool command_is(const Recipe *r)
{
    return knobs_find(&r->knobs, "trainer") >= 0;
}

static const TomlItem *item_named(const TomlItem *items, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(items[i].name, name) == 0) return &items[i];
    return NULL;
}

static int word_index(const char *const *words, Str s)
{
    for (int i = 0; words[i]; i++)
        if (str_eq(str_of(words[i]), s)) return i;
    return -1;
}

/* ---- one knob, from its text in a recipe ---- */

static bool good_name(Str name)
{
    static const char *const taken[] = { "trainer", "command", "data", "budget" };
    for (ptrdiff_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '.'))) return false;
    }
    Str rest = name, first;
    if (name.len == 0 || name.len > 60 || !str_cut(&rest, '.', &first)) return false;
    for (int i = 0; i < COUNT(taken); i++)
        if (str_eq(first, str_of(taken[i]))) return false;
    return name.at[name.len - 1] != '.';
}

static bool read_choices(Str text, Str value, Knob *k, const char *where, Arena *out, Err *err)
{
    const char **choice = NEW(out, const char *, CHOICES_MAX + 1);
    Str one;
    int n = 0;
    while (n < CHOICES_MAX && str_cut(&text, '|', &one)) choice[n++] = arena_str(out, one);
    k->choices = choice;
    k->max = n - 1;
    int at = word_index(choice, value);
    if (n < 2 || at < 0)
        return err_set(err, ERR_CONFIG,
                       "%s: knob %s needs 2 to %d choices, and a value that is one of them", where,
                       k->name, CHOICES_MAX);
    k->fallback = at;
    return true;
}

static bool read_range(const Str f[FIELDS], Knob *k, const char *where, Err *err)
{
    if (k->type == KNOB_FLAG) {
        k->max = 1;
        k->fallback = str_eq(f[2], STR("true"));
        return true;
    }
    bool read = str_to_double(f[2], &k->fallback) && str_to_double(f[3], &k->min) &&
                str_to_double(f[4], &k->max) && isfinite(k->min) && isfinite(k->max);
    if (!read || !(k->min < k->max) || !(k->fallback >= k->min && k->fallback <= k->max))
        return err_set(err, ERR_CONFIG,
                       "%s: knob %s needs min < max and a value between them; it has min %.*s, max "
                       "%.*s, value %.*s",
                       where, k->name, (int)f[3].len, f[3].at, (int)f[4].len, f[4].at,
                       (int)f[2].len, f[2].at);
    if (k->scale == SCALE_LOG && !(k->min > 0))
        return err_set(err, ERR_CONFIG, "%s: knob %s has a log scale, so its min must be above 0",
                       where, k->name);
    if (k->type == KNOB_WHOLE && k->fallback != floor(k->fallback))
        return err_set(err, ERR_CONFIG, "%s: knob %s is whole, and its value %.*s is not", where,
                       k->name, (int)f[2].len, f[2].at);
    return true;
}

/* "lr number 0.003 1e-05 0.1 log - learning rate" */
static bool read_knob(Str text, Knob *k, const char *where, Arena *out, Err *err)
{
    static const KnobType type_of[] = { KNOB_NUMBER, KNOB_WHOLE, KNOB_CHOICE, KNOB_FLAG };
    Str f[FIELDS] = { { 0 } }, all = text;
    text = str_trim(text);
    for (int i = 0; i < FIELDS; i++)
        if (!str_cut(&text, ' ', &f[i]))
            return err_set(err, ERR_CONFIG, "%s: \"%.*s\" does not declare a knob", where,
                           (int)MIN(all.len, 80), all.at);
    int type = word_index(types, f[1]), scale = word_index(scales, f[5]);
    *k = (Knob){ .name = arena_str(out, f[0]), .doc = arena_str(out, str_trim(text)) };
    if (!good_name(f[0]))
        return err_set(
            err, ERR_CONFIG,
            "%s: a knob cannot be called \"%.40s\": letters, digits, _ and dots, and not "
            "trainer, command, data or budget",
            where, k->name);
    if (type < 0)
        return err_set(err, ERR_CONFIG, "%s: knob %s must be of type number, whole, choice or flag",
                       where, k->name);
    if (scale < 0)
        return err_set(err, ERR_CONFIG, "%s: the scale of knob %s must be linear or log", where,
                       k->name);
    k->type = type_of[type];
    k->scale = (KnobScale)scale;
    return k->type == KNOB_CHOICE ? read_choices(f[6], f[2], k, where, out, err)
                                  : read_range(f, k, where, err);
}

static bool read_knobs(Str text, const char *where, Arena *out, Knob **table, Err *err)
{
    Knob *k = NEW(out, Knob, DECLARED_MAX + 1);
    Str one;
    int n = 0;
    while (str_cut(&text, ';', &one)) {
        if (str_trim(one).len == 0) continue;
        if (n == DECLARED_MAX)
            return err_set(err, ERR_CONFIG, "%s declares more than %d knobs", where, DECLARED_MAX);
        if (!read_knob(one, &k[n], where, out, err)) return false;
        for (int i = 0; i < n; i++)
            if (strcmp(k[i].name, k[n].name) == 0)
                return err_set(err, ERR_CONFIG, "%s declares %s twice", where, k[n].name);
        n++;
    }
    if (n == 0)
        return err_set(err, ERR_CONFIG,
                       "%s declares no knob, so there is nothing to try: give it a [knob.NAME]",
                       where);
    *table = k;
    return true;
}

/* ---- trainer.toml ---- */

typedef struct Declared { /* one [knob.NAME] as it is read */
    char name[64];
    Str field[FIELDS]; /* from [1]; and the words */
    Str doc;
} Declared;

typedef struct Trainer {
    Declared knob[DECLARED_MAX];
    int knobs;
    const TomlItem *items;
    int count;
} Trainer;

static Declared *declared(Trainer *t, const char *name, size_t len)
{
    for (int i = 0; i < t->knobs; i++)
        if (strlen(t->knob[i].name) == len && memcmp(t->knob[i].name, name, len) == 0)
            return &t->knob[i];
    if (t->knobs == DECLARED_MAX || len >= sizeof(t->knob[0].name)) return NULL;
    Declared *d = &t->knob[t->knobs++];
    *d = (Declared){
        .field = { { 0 }, STR("number"), STR(""), STR("0"), STR("1"), STR("linear"), STR("-") },
        .doc = STR("")
    };
    memcpy(d->name, name, len);
    return d;
}

static Str joined(const TomlItem *item, char sep, Arena *out)
{
    Buf b = { 0 };
    for (int i = 0; i < item->count; i++) {
        if (i > 0) buf_char(&b, sep);
        buf_str(&b, item->items[i].text);
    }
    Str text = { arena_str(out, buf_view(&b)), b.len };
    buf_free(&b);
    return text;
}

static bool read_member(Trainer *t, const TomlItem *item, const char *path, Arena *out, Err *err)
{
    static const char *const own[] = { "type",  "value",   "min", "max",
                                       "scale", "choices", "doc", NULL };
    const char *name = item->name + 5, *dot = strrchr(name, '.');
    int member = dot ? word_index(own, str_of(dot + 1)) : -1;
    Declared *d = member >= 0 ? declared(t, name, (size_t)(dot - name)) : NULL;
    if (member >= 0 && !d)
        return err_set(err, ERR_CONFIG, "%s:%d: more than %d knobs, or a name of 64 letters", path,
                       item->line, DECLARED_MAX);
    if (!d)
        return err_set(err, ERR_CONFIG,
                       "%s:%d: a knob has type, value, min, max, scale, choices and doc, and no %s",
                       path, item->line, item->name);
    if (member == 6) {
        d->doc = item->text;
        return true;
    }
    d->field[member + 1] = item->type == TOML_ARRAY ? joined(item, '|', out) : item->text;
    for (ptrdiff_t i = 0; i < d->field[member + 1].len; i++)
        if (strchr(" ;\t\n", d->field[member + 1].at[i]))
            return err_set(err, ERR_CONFIG, "%s:%d: %s may not hold blanks or semicolons", path,
                           item->line, item->name);
    if (d->field[member + 1].len > 0) return true;
    return err_set(err, ERR_CONFIG, "%s:%d: %s is empty", path, item->line, item->name);
}

/* In a recipe's text: words without what separates knobs, numbers as the rest of it writes them. */
static void put_declared(const Declared *d, Buf *out)
{
    buf_printf(out, "%s%s", out->len ? "; " : "", d->name);
    for (int i = 1; i < FIELDS; i++) {
        double x;
        char number[32];
        if (i >= 2 && i <= 4 && str_to_double(d->field[i], &x))
            buf_printf(out, " %s", str_number(number, x));
        else
            buf_printf(out, " %.*s", (int)d->field[i].len, d->field[i].at);
    }
    buf_char(out, ' ');
    for (ptrdiff_t i = 0; i < d->doc.len; i++) {
        char c = d->doc.at[i];
        buf_char(out, c == ';' ? ',' : (unsigned char)c < ' ' ? ' ' : c);
    }
}

static bool read_trainer(const char *path, Arena *out, Trainer *t, Str *declares, Err *err)
{
    Str text;
    TomlItem *items;
    if (!file_read_arena(path, out, &text, err)) return false;
    if (!toml_parse(text, path, out, &items, &t->count, err)) return false;
    t->items = items;
    for (int i = 0; i < t->count; i++)
        if (strncmp(items[i].name, "knob.", 5) == 0 && !read_member(t, &items[i], path, out, err))
            return false;
    Buf all = { 0 };
    for (int i = 0; i < t->knobs; i++) {
        if (t->knob[i].field[2].len == 0) {
            buf_free(&all);
            return err_set(err, ERR_CONFIG, "%s: knob %s has no value", path, t->knob[i].name);
        }
        put_declared(&t->knob[i], &all);
    }
    *declares = (Str){ arena_str(out, buf_view(&all)), all.len };
    buf_free(&all);
    return true;
}

/* ---- the recipe ---- */

static bool folder_of(const TomlItem *items, int count, const char *path, char out[PATH_MAX],
                      Err *err)
{
    const TomlItem *given = item_named(items, count, "command.folder");
    const char *slash = strrchr(path, '/'), *name = given ? given->text.at : ".";
    char joint[PATH_MAX];
    if (name[0] == '/' || !slash)
        snprintf(joint, sizeof(joint), "%s", name);
    else
        snprintf(joint, sizeof(joint), "%.*s/%s", (int)(slash - path), path, name);
    return realpath(joint, out) || err_errno(err, "%s: command.folder %s", path, joint);
}

/* Members of trainer.toml beside its knobs, in the order in which they are taken. */
static const char *const members[][2] = {
    { "command", "command.run" }, { "metric", "command.metric" }, { "files", "command.files" },
    { "limit", "command.limit" }, { "frame", "budget.frame" },    { "budget", "" },
};

static bool known_members(const Trainer *t, const char *path, Err *err)
{
    for (int i = 0; i < t->count; i++) {
        bool known = strncmp(t->items[i].name, "knob.", 5) == 0;
        for (int m = 0; m < COUNT(members); m++)
            known = known || strcmp(t->items[i].name, members[m][0]) == 0;
        if (!known)
            return err_set(err, ERR_CONFIG,
                           "%s:%d: a trainer has command, metric, files, limit, frame, budget and "
                           "[knob.NAME], and no %s",
                           path, t->items[i].line, t->items[i].name);
    }
    return true;
}

/* What it says of the call; the recipe may say otherwise. */
static bool take_call(const Trainer *t, const char *path, KnobSet *knobs, Arena *out, Err *err)
{
    if (!known_members(t, path, err)) return false;
    for (int m = 0; m < COUNT(members); m++) {
        const TomlItem *item = item_named(t->items, t->count, members[m][0]);
        if (!item) continue;
        const char *to = members[m][1][0]
                             ? members[m][1]
                             : arena_printf(out, "budget.%s", knobs_choice(knobs, "budget.frame"));
        Str text = item->type == TOML_ARRAY ? joined(item, ',', out) : item->text;
        if (!knobs_set(knobs, to, text, arena_printf(out, "%s:%d", path, item->line), err))
            return false;
    }
    return true;
}

static bool declare_from_file(const char *folder, Arena *out, KnobSet *knobs, Err *err)
{
    Trainer *t = NEW(out, Trainer, 1);
    Str declares;
    Knob *own;
    const char *path = arena_printf(out, "%s/trainer.toml", folder);
    if (!read_trainer(path, out, t, &declares, err) || !read_knobs(declares, path, out, &own, err))
        return false;
    *knobs = knobs_new(out, (const Knob *const[]){ command_knobs, own, NULL });
    if (!item_named(t->items, t->count, "command"))
        return err_set(err, ERR_CONFIG, "%s: command is missing: command = \"python3 train.py\"",
                       path);
    return knobs_set(knobs, "command.folder", str_of(folder), path, err) &&
           knobs_set(knobs, "command.declares", declares, path, err) &&
           take_call(t, path, knobs, out, err);
}

bool command_declare(const TomlItem *items, int count, const char *path, Arena *out, KnobSet *knobs,
                     Err *err)
{
    const TomlItem *given = item_named(items, count, "command.declares"),
                   *where = item_named(items, count, "command.folder");
    char folder[PATH_MAX];
    Knob *own;
    if (!given)
        return folder_of(items, count, path, folder, err) &&
               declare_from_file(folder, out, knobs, err);
    if (!read_knobs(given->text, path, out, &own, err)) return false;
    *knobs = knobs_new(out, (const Knob *const[]){ command_knobs, own, NULL });
    return knobs_set(knobs, "command.folder", where ? where->text : STR(""), path, err) &&
           knobs_set(knobs, "command.declares", given->text, path, err);
}

/* ---- the program's own files ---- */

static void add_file(Sha256 *sha, const char *folder, Str name)
{
    char path[PATH_MAX];
    Buf text = { 0 };
    Err gone = { 0 };
    bool absolute = name.len > 0 && name.at[0] == '/';
    snprintf(path, sizeof(path), "%s%s%.*s", absolute ? "" : folder, absolute ? "" : "/",
             (int)name.len, name.at);
    sha256_add(sha, name.at, name.len);
    sha256_add(sha, "", 1);
    if (file_size(path) >= 0 && !file_is_dir(path) && file_read(path, &text, &gone))
        sha256_add(sha, text.at, text.len);
    buf_free(&text);
}

bool command_sha256(const Recipe *r, char out[65], Err *err)
{
    Sha256 sha;
    const char *folder = knobs_text(&r->knobs, "command.folder");
    Str files = str_of(knobs_text(&r->knobs, "command.files")), name;
    char sep = ',';
    if (files.len == 0) { /* not said: the words of the command that are files of the folder */
        files = str_of(knobs_text(&r->knobs, "command.run"));
        sep = ' ';
    }
    if (!file_is_dir(folder))
        return err_set(err, ERR_CONFIG, "the trainer's folder %s is gone", folder);
    sha256_begin(&sha);
    while (str_cut(&files, sep, &name))
        if (str_trim(name).len > 0) add_file(&sha, folder, str_trim(name));
    sha256_end_hex(&sha, out);
    return true;
}
