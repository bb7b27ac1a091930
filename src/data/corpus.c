/* corpus.c - files into a data set of the lab; corpus_build.c has the steps. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "data/corpus_private.h"

/* Where what comes from URLs lies until it is in the data set. */
static void fetch_folder(const char *lab, char out[900])
{
    snprintf(out, 900, "%s/data/.fetch", lab);
}

static bool feed_files(void *self, const ReaderSink *sink, json_t **report, Err *err)
{
    const CorpusAdd *what = self;
    char cache[900];
    fetch_folder(what->lab, cache);
    ReaderJob job = { .paths = what->paths,
                      .n_paths = what->n_paths,
                      .field = what->field,
                      .cache = cache,
                      .sink = *sink };
    return reader_run(&job, report, err);
}

/* Of one try and the next: the same paths from the same folder.  Standard input cannot be read
 * twice. */
static char *identity_of(const CorpusAdd *what, Arena *out)
{
    Buf all = { 0 };
    char here[4096] = "";
    bool again = getcwd(here, sizeof(here)) != NULL;
    buf_printf(&all, "%s\nfield %s\n", here, what->field ? what->field : "text");
    for (int i = 0; i < what->n_paths; i++) {
        again = again && strcmp(what->paths[i], "-") != 0;
        buf_printf(&all, "%s\n", what->paths[i]);
    }
    char *identity = again ? arena_str(out, buf_view(&all)) : NULL;
    buf_free(&all);
    return identity;
}

bool corpus_add(const CorpusAdd *what, json_t **manifest, Err *err)
{
    CorpusAdd copy = *what;
    Arena scratch = arena_reserve(1 << 24);
    CorpusFeed feed = { .feed = feed_files,
                        .self = &copy,
                        .identity = identity_of(what, &scratch) };
    bool ok = corpus_build(what->lab, what->name, &feed, manifest, err);
    if (what->resumed) *what->resumed = feed.resumed;
    arena_release(&scratch);
    if (!ok) return false;
    char cache[900];
    Err ignored = { 0 };
    fetch_folder(what->lab, cache);
    if (!file_remove_tree(cache, &ignored)) { /* the next addition tries again */
    }
    return true;
}
