/* corpus.c - files into a data set of the lab; corpus_build.c has the steps. */
#include <stdio.h>

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

bool corpus_add(const CorpusAdd *what, json_t **manifest, Err *err)
{
    CorpusAdd copy = *what;
    CorpusFeed feed = { .feed = feed_files, .self = &copy };
    if (!corpus_build(what->lab, what->name, &feed, manifest, err)) return false;
    char cache[900];
    Err ignored = { 0 };
    fetch_folder(what->lab, cache);
    if (!file_remove_tree(cache, &ignored)) { /* the next addition tries again */
    }
    return true;
}
