/* lab.c - opening and making labs, and the recipes they keep.
 *
 * A recipe enters the ledger once, under the hash of its canonical text; runs,
 * proposals and champions name it by that hash.  recipes/champion.toml is a copy
 * for people and other tools: the ledger decides which recipe is champion. */
#include "lab/lab.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"

static const char *const folders[] = { "recipes", "data", "runs", "reports" };

static bool make_folders(const char *dir, Err *err)
{
    for (ptrdiff_t i = 0; i < COUNT(folders); i++) {
        char folder[PATH_MAX];
        snprintf(folder, sizeof(folder), "%s/%s", dir, folders[i]);
        if (!file_make_dirs(folder, err)) return false;
    }
    return true;
}

/* The first entry makes the lab: what an interrupted `init` or a full disk left of one is not in
 * the way of the next attempt. */
static bool first_entry(Ledger *ledger, const char *dir, Err *err)
{
    json_t *before = NULL;
    if (!ledger_last(ledger, "lab", NULL, &before, err)) return false;
    json_decref(before);
    if (before)
        return err_set(err, ERR_CONFIG, "%s is a lab already; go there and type `lathe`", dir);
    return make_folders(dir, err) &&
           ledger_append(ledger, "lab", NULL, json_pack("{s:s}", "version", LATHE_VERSION), err);
}

bool lab_init(const char *dir, Err *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/lathe.db", dir);
    Ledger *ledger = NULL;
    if (!file_make_dirs(dir, err) || !ledger_open(&ledger, path, LEDGER_CREATE, err)) return false;
    bool ok = first_entry(ledger, dir, err);
    ledger_close(ledger);
    return ok;
}

bool lab_open(Lab *lab, const char *dir, LedgerMode mode, Arena *arena, Err *err)
{
    *lab = (Lab){ .arena = arena };
    char real[PATH_MAX];
    if (!realpath(dir, real)) return err_errno(err, "open the lab %s", dir);
    lab->dir = arena_str(arena, str_of(real));
    return ledger_open(&lab->ledger, lab_path(lab, "lathe.db"), mode, err);
}

void lab_close(Lab *lab)
{
    if (lab->ledger) ledger_close(lab->ledger);
    lab->ledger = NULL;
}

char *lab_path(const Lab *lab, const char *fmt, ...)
{
    char rest[PATH_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(rest, sizeof(rest), fmt, ap);
    va_end(ap);
    return arena_printf(lab->arena, "%s/%s", lab->dir, rest);
}

bool lab_recipe(Lab *lab, const char *sha256, Recipe *out, Err *err)
{
    json_t *body = NULL;
    if (!ledger_last(lab->ledger, "recipe", sha256, &body, err)) return false;
    if (!body)
        return err_set(
            err, ERR_FORMAT,
            "the ledger holds no recipe %.12s; `lathe log --verify` says whether it is whole",
            sha256);
    bool ok = recipe_parse(out, str_of(json_str(body, "text", "")), sha256, lab->arena, err);
    json_decref(body);
    /* One that an older program wrote lists fewer knobs than today's canonical text, which has
     * another hash; its runs are known by the name that it has. */
    if (ok) memcpy(out->sha256, sha256, MIN(strlen(sha256) + 1, sizeof(out->sha256)));
    return ok;
}

bool lab_recipe_keep(Lab *lab, const Recipe *recipe, Err *err)
{
    json_t *body = NULL;
    if (!ledger_last(lab->ledger, "recipe", recipe->sha256, &body, err)) return false;
    if (body) {
        json_decref(body);
        return true;
    }
    Buf text = { 0 };
    recipe_text(recipe, false, &text);
    body = json_pack("{s:s, s:s}", "sha256", recipe->sha256, "text", text.at);
    buf_free(&text);
    return ledger_append(lab->ledger, "recipe", recipe->sha256, body, err);
}

/* The name of the recipe in the ledger that the file holds to the byte; "" if it was edited. */
static bool known_recipe(Lab *lab, const char *path, char name[65], Err *err)
{
    Buf text = { 0 };
    json_t *body = NULL;
    if (!file_read(path, &text, err)) return false;
    sha256_hex(text.at, text.len, name);
    buf_free(&text);
    if (!ledger_last(lab->ledger, "recipe", name, &body, err)) return false;
    if (!body) name[0] = '\0';
    json_decref(body);
    return true;
}

bool lab_champion(Lab *lab, Recipe *out, const char **from, Err *err)
{
    const char *path = lab_path(lab, "recipes/champion.toml");
    char name[65];
    if (file_exists(path)) {
        *from = "recipes/champion.toml";
        return known_recipe(lab, path, name, err) &&
               (name[0] ? lab_recipe(lab, name, out, err)
                        : recipe_read(out, path, lab->arena, err));
    }
    *from = "the plain default recipe";
    recipe_default(out, lab->arena);
    recipe_seal(out);
    return true;
}

bool lab_champion_write(Lab *lab, const Recipe *recipe, Err *err)
{
    Buf text = { 0 };
    recipe_text(recipe, false, &text);
    bool ok = file_write_whole(lab_path(lab, "recipes/champion.toml"), buf_view(&text), err);
    buf_free(&text);
    return ok;
}
