/* data_text.h - a data set's manifest as a table for people; used by data add, synth and show. */
#ifndef CLI_DATA_TEXT_H
#define CLI_DATA_TEXT_H

#include "base/json.h"

/* Where the text went, tier by tier with its sampling error, and what was left out and why. */
void data_text(const json_t *manifest, Buf *out);

/* One line: name, documents, bytes, training bytes. */
void data_text_line(const json_t *manifest, Buf *out);

#endif
