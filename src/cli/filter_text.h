/* filter_text.h - the table of what filters would leave out (data/filter_table.h), for people. */
#ifndef CLI_FILTER_TEXT_H
#define CLI_FILTER_TEXT_H

#include "base/json.h"

/* `examples` documents of each rule are shown. */
void filter_text(const json_t *table, int examples, Buf *out);

#endif
