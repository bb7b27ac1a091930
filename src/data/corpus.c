/* corpus.c - files into a data set of the lab; corpus_build.c has the steps. */
#include "data/corpus_private.h"

static bool feed_files(void *self, const ReaderSink *sink, json_t **report, Err *err)
{
    const CorpusAdd *what = self;
    ReaderJob job = {
        .paths = what->paths, .n_paths = what->n_paths, .field = what->field, .sink = *sink
    };
    return reader_run(&job, report, err);
}

bool corpus_add(const CorpusAdd *what, json_t **manifest, Err *err)
{
    CorpusAdd copy = *what;
    CorpusFeed feed = { .feed = feed_files, .self = &copy };
    return corpus_build(what->lab, what->name, &feed, manifest, err);
}
