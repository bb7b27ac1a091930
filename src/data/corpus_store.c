/* corpus_store.c - how a data set takes its place in a lab: whole or not at all.
 *
 * A data set is two folders, LAB/data/NAME and LAB/judge/NAME, and no file system renames two
 * folders at once.  So the new state is built in LAB/data/NAME.tmp, with the held-out tiers in
 * a folder judge/ inside it, and one rename to LAB/data/NAME.new is the moment from which
 * it counts.  All that follows is repeatable and only goes forward:
 *
 *     NAME.new/judge -> LAB/judge/NAME
 *     what NAME has and NAME.new lacks (shards) -> NAME.new
 *     NAME -> NAME.old;  NAME.new -> NAME;  NAME.old removed
 *
 * Whoever comes next, under the lock LAB/data/.lock, first finishes a NAME.new and removes
 * NAME.tmp and NAME.old; readers do the same when nobody holds the lock.  NAME.part holds what
 * has been read of an addition in progress (corpus_journal.c); it outlives a kill, so that the
 * same command goes on, and goes when the addition is there.  renameat2 with
 * RENAME_EXCHANGE would save two steps on Linux alone and still move only one folder. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "data/corpus_private.h"

int corpusstore_kill_at;

/* Every change of a folder passes here, so that a test can die at each. */
void corpusstore_step(void)
{
    if (corpusstore_kill_at > 0 && --corpusstore_kill_at == 0) raise(SIGKILL);
}

static bool move(const char *from, const char *to, Err *err)
{
    corpusstore_step();
    return rename(from, to) == 0 || err_errno(err, "rename %s to %s", from, to);
}

/* After a rename: a power cut must not bring the old name back. */
static bool sync_folder(const char *path, Err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return err_errno(err, "open the folder %s", path);
    bool ok = fsync(fd) == 0 || errno == EINVAL || err_errno(err, "sync the folder %s", path);
    close(fd);
    return ok;
}

static bool name_is_good(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > 64 || name[0] == '-') return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == n;
}

static void find_paths(CorpusStore *s, const char *lab, const char *name)
{
    *s = (CorpusStore){ .lab = lab, .name = name, .lock = -1 };
    snprintf(s->data, sizeof(s->data), "%s/data/%s", lab, name);
    snprintf(s->judge, sizeof(s->judge), "%s/judge/%s", lab, name);
    snprintf(s->temp, sizeof(s->temp), "%s.tmp", s->data);
    snprintf(s->part, sizeof(s->part), "%s.part", s->data);
}

/* ---- the way forward ---- */

static bool place_judge(const CorpusStore *s, const char *new, Err *err)
{
    char from[900], folder[800];
    snprintf(from, sizeof(from), "%s/judge", new);
    if (!file_exists(from)) return true;
    snprintf(folder, sizeof(folder), "%s/judge", s->lab);
    return file_make_dirs(folder, err) && file_remove_tree(s->judge, err) &&
           move(from, s->judge, err) && sync_folder(folder, err);
}

static bool carry_over(const CorpusStore *s, const char *new, Err *err)
{
    Arena arena = arena_reserve(1 << 24);
    char **names, from[900], to[900];
    int count = 0;
    bool ok = !file_exists(s->data) || file_list(s->data, false, &arena, &names, &count, err);
    for (int i = 0; ok && i < count; i++) {
        snprintf(from, sizeof(from), "%s/%s", s->data, names[i]);
        snprintf(to, sizeof(to), "%s/%s", new, names[i]);
        if (!file_exists(to)) ok = move(from, to, err);
    }
    arena_release(&arena);
    return ok;
}

static bool go_forward(const CorpusStore *s, Err *err)
{
    char new[820], old[820], folder[800];
    snprintf(new, sizeof(new), "%s.new", s->data);
    snprintf(old, sizeof(old), "%s.old", s->data);
    snprintf(folder, sizeof(folder), "%s/data", s->lab);
    if (!file_exists(new)) return true;
    if (!place_judge(s, new, err)) return false;
    if (file_exists(s->data)) {
        if (!carry_over(s, new, err) || !file_remove_tree(old, err) || !move(s->data, old, err))
            return false;
    }
    if (!move(new, s->data, err) || !sync_folder(folder, err)) return false;
    corpusstore_step();
    return file_remove_tree(old, err);
}

/* Leftovers of all names: .new is finished; .tmp and .old, which nothing needs, are removed. */
static bool recover(const char *lab, Err *err)
{
    Arena arena = arena_reserve(1 << 24);
    char folder[800], **names;
    int count;
    snprintf(folder, sizeof(folder), "%s/data", lab);
    bool ok = file_list(folder, false, &arena, &names, &count, err);
    for (int i = 0; ok && i < count; i++) {
        char *dot = strrchr(names[i], '.');
        if (!dot || dot == names[i]) continue;
        CorpusStore s;
        bool is_new = strcmp(dot, ".new") == 0;
        bool is_rest = strcmp(dot, ".tmp") == 0 || strcmp(dot, ".old") == 0;
        char *path = arena_printf(&arena, "%s/%s", folder, names[i]);
        *dot = 0;
        find_paths(&s, lab, names[i]);
        if (is_new)
            ok = go_forward(&s, err);
        else if (is_rest)
            ok = file_remove_tree(path, err);
    }
    arena_release(&arena);
    return ok;
}

static bool lock(const char *lab, int *fd, Err *err)
{
    char path[800];
    snprintf(path, sizeof(path), "%s/data", lab);
    if (!file_make_dirs(path, err)) return false;
    snprintf(path, sizeof(path), "%s/data/.lock", lab);
    return file_lock(path, fd, err);
}

bool corpusstore_open(CorpusStore *s, const char *lab, const char *name, Err *err)
{
    find_paths(s, lab, name);
    if (!name_is_good(name))
        return err_set(err, ERR_CONFIG,
                       "\"%s\" cannot name a data set; take up to 64 letters, digits, - and _",
                       name);
    if (strlen(lab) > 600) return err_set(err, ERR_CONFIG, "the path of the lab is too long");
    if (!lock(lab, &s->lock, err))
        return err_wrap(err, err->code == ERR_BUSY ? "another command is adding data"
                                                   : "the lab cannot be written");
    char judge[840];
    snprintf(judge, sizeof(judge), "%s/judge", s->temp);
    bool ok = recover(lab, err);
    s->exists = file_exists(s->data);
    ok = ok && file_make_dirs(s->exists ? s->temp : judge, err);
    if (!ok) corpusstore_close(s);
    return ok;
}

bool corpusstore_commit(CorpusStore *s, Err *err)
{
    char new[820], folder[800], judge[840];
    snprintf(new, sizeof(new), "%s.new", s->data);
    snprintf(folder, sizeof(folder), "%s/data", s->lab);
    snprintf(judge, sizeof(judge), "%s/judge", s->temp);
    if (!s->exists && !sync_folder(judge, err)) return false;
    return sync_folder(s->temp, err) && move(s->temp, new, err) && sync_folder(folder, err) &&
           go_forward(s, err) && file_remove_tree(s->part, err);
}

void corpusstore_close(CorpusStore *s)
{
    Err ignored = { 0 };
    if (s->lock < 0) return;
    if (!file_remove_tree(s->temp, &ignored)) { /* the next one under the lock tries again */
    }
    file_unlock(s->lock);
    s->lock = -1;
}

bool corpusstore_settle(const char *lab, Err *err)
{
    int fd;
    Err busy = { 0 };
    if (!lock(lab, &fd, &busy)) return true;
    bool ok = recover(lab, err);
    file_unlock(fd);
    return ok;
}

/* ---- what others ask ---- */

bool corpus_list(const char *lab, Arena *out, char ***names, int *count, Err *err)
{
    char folder[1000];
    *count = 0;
    *names = NULL;
    snprintf(folder, sizeof(folder), "%s/data", lab);
    if (!file_exists(folder)) return true;
    if (!corpusstore_settle(lab, err)) return false;
    char **all;
    int n, kept = 0;
    if (!file_list(folder, false, out, &all, &n, err)) return false;
    for (int i = 0; i < n; i++) {
        char manifest[1200];
        snprintf(manifest, sizeof(manifest), "%s/%s/manifest.json", folder, all[i]);
        if (name_is_good(all[i]) && file_exists(manifest)) all[kept++] = all[i];
    }
    *names = all;
    *count = kept;
    return true;
}

/* "there is no data set shakespear; there are: books, shakespeare" */
static bool refuse_unknown(const char *lab, const char *name, Err *err)
{
    Arena arena = arena_reserve(1 << 24);
    char **names, known[300] = "";
    int count, n = 0;
    Err ignored = { 0 };
    if (!corpus_list(lab, &arena, &names, &count, &ignored)) count = 0;
    for (int i = 0; i < count && n < (int)sizeof(known) - 1; i++)
        n += snprintf(known + n, sizeof(known) - (size_t)n, "%s%s", i ? ", " : "", names[i]);
    if (count == 0)
        err_set(err, ERR_CONFIG,
                "there is no data set %s and no other; make one with "
                "`lathe data add %s PATH...` or `lathe data synth %s`",
                name, name, name);
    else
        err_set(err, ERR_CONFIG, "there is no data set %s; there are: %s", name, known);
    arena_release(&arena);
    return false;
}

bool corpus_manifest(const char *lab, const char *name, json_t **manifest, Err *err)
{
    char path[1000];
    snprintf(path, sizeof(path), "%s/data/%s/manifest.json", lab, name);
    *manifest = NULL;
    if (!name_is_good(name)) return refuse_unknown(lab, name, err);
    if (!file_exists(path) && (!corpusstore_settle(lab, err) || !file_exists(path)))
        return refuse_unknown(lab, name, err);
    *manifest = json_read_file(path, err);
    return *manifest != NULL;
}

char *corpus_train_stem(const char *lab, const char *name, Arena *out)
{
    return arena_printf(out, "%s/data/%s/train", lab, name);
}

char *corpus_tier_stem(const char *lab, const char *name, int tier, Arena *out)
{
    return arena_printf(out, "%s/judge/%s/%s", lab, name, tier_name[tier]);
}
