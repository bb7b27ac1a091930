/* lab.h - a lab: the folder that holds ledger, data, held-out text, recipes and runs.
 *
 *     LAB/lathe.db          the ledger; what makes a folder a lab
 *     LAB/recipes/          champion.toml is the current champion
 *     LAB/data/  judge/     written by data/corpus.c; judge/ is the judge's alone
 *     LAB/runs/ID/          checkpoints
 *     LAB/code/             the source of engines that patches make (code/source.h)
 *     LAB/generations/ID/   checkpoints of models that are put to work on the next
 *     LAB/reports/          one page per session                                    */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include "base/arena.h"
#include "base/err.h"
#include "ledger/ledger.h"
#include "train/recipe.h"

typedef struct Lab {
    const char *dir;
    Ledger *ledger;
    Arena *arena; /* lives as long as the lab is open */
} Lab;

/* Makes the folder and an empty ledger; refuses where there is a lab already. */
bool lab_init(const char *dir, Err *err) MUST_CHECK;

/* `mode` is LEDGER_READ or LEDGER_WRITE. */
bool lab_open(Lab *lab, const char *dir, LedgerMode mode, Arena *arena, Err *err) MUST_CHECK;
void lab_close(Lab *lab);

char *lab_path(const Lab *lab, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The recipe with this hash, from the ledger. */
bool lab_recipe(Lab *lab, const char *sha256, Recipe *out, Err *err) MUST_CHECK;

/* Enters the recipe in the ledger unless it is there; call inside begin..commit or alone. */
bool lab_recipe_keep(Lab *lab, const Recipe *recipe, Err *err) MUST_CHECK;

/* recipes/champion.toml if there is one, else the plain default; *from says which. */
bool lab_champion(Lab *lab, Recipe *out, const char **from, Err *err) MUST_CHECK;
bool lab_champion_write(Lab *lab, const Recipe *recipe, Err *err) MUST_CHECK;

#endif
