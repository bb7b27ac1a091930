/* reader_text.c - plain text and Markdown: one file is one document.
 *
 * A file is what its writer thought of as one thing; guessing documents inside it (at blank
 * lines, at headings) would be a second, silent format.  Books and long notes are cut where
 * it matters, for the held-out tiers, by tiers.c.  The marks of Markdown are part of what a
 * model should learn to write, so nothing is rendered or stripped. */
#include "data/reader.h"

static bool read_text(ReaderStream *in, ReaderFile *file, Err *err)
{
    readerfile_begin(file, 0);
    for (Str chunk;;) {
        if (!readerstream_next(in, &chunk, err)) return false;
        if (chunk.len == 0) break;
        if (!readerfile_part(file, chunk, err)) return false;
    }
    return readerfile_end(file, err);
}

static const char *const suffixes[] = { ".txt", ".text", ".md", ".markdown", NULL };

const ReaderDef reader_text = {
    .name = "text",
    .suffixes = suffixes,
    .doc = "plain text or Markdown; a file is a document",
    .read = read_text,
};
