/* key.c - where a key may lie, and where it may go.
 *
 * A key comes from the environment or from a file that only its owner can read, and goes into one
 * header.  It is refused to an address without TLS, unless that is this machine. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/http.h"
#include "llm/wire.h"

static bool from_file(const char *path, Arena *out, const char **key, Err *err)
{
    struct stat st;
    Str text;
    if (stat(path, &st) != 0) return err_errno(err, "cannot see the key file %s", path);
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0)
        return err_set(err, ERR_CONFIG, "others can read the key file %s: chmod 600 %s", path,
                       path);
    if (!file_read_arena(path, out, &text, err)) return false;
    text = str_trim(text);
    *key = arena_str(out, text);
    if (text.len == 0 || strcspn(*key, " \t\r\n") != (size_t)text.len)
        return err_set(err, ERR_CONFIG, "the key file %s must hold a key and nothing else", path);
    return true;
}

bool llm_key(LlmModel *m, const char *file, Arena *out, Err *err)
{
    const char *base = m->base_url ? m->base_url : m->wire->base_url, *key = NULL;
    if (file && file[0]) {
        if (!from_file(file, out, &key, err)) return false;
    } else {
        key = getenv(m->wire->key_variable);
        if (key) key = arena_str(out, str_trim(str_of(key)));
    }
    m->key = key && key[0] ? key : NULL;
    if (m->key && strpbrk(m->key, "\r\n"))
        return err_set(err, ERR_CONFIG, "%s holds more than one line", m->wire->key_variable);
    if (m->key && strncmp(base, "https://", 8) != 0 && !http_is_loopback(base))
        return err_set(
            err, ERR_CONFIG,
            "a key would cross the network in the clear to %.80s: use https, or a server "
            "on this machine",
            base);
    if (!m->key && !m->base_url)
        return err_set(err, ERR_CONFIG,
                       "there is no key for %s: set %s in the environment, or name a file with "
                       "mode 600",
                       m->wire->name, m->wire->key_variable);
    return true;
}
