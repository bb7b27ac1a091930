/* filters.c - libFuzzer: any bytes through every filter, alone and one behind the other
 * (tools/fuzz.sh). */
#include <stdint.h>
#include <stdlib.h>

#include "data/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FilterPlan all, usual;
    Err err = { 0 };
    Str doc = { (const char *)data, (ptrdiff_t)size }, left;
    if (all.count == 0 &&
        (!filterplan_make(&all, ".", "", "", true, &err) ||
         !filterplan_make(&usual, ".", "encoding c4(sentences=0) refinedweb(removed=1) personal",
                          "", false, &err)))
        abort();
    FilterDoc d;
    filter_read(doc, &all.room[0], &d);
    for (int i = 0; i < all.count; i++) {
        FilterVerdict v;
        filter_judge(all.def[i], all.knob[i], &all.words[i], &d, &all.room[1], &all.text[0], &v);
        for (int r = 0; r < all.def[i]->n_rules; r++)
            if (!(v.value[r] >= 0)) abort();
    }
    if (filterplan_apply(&usual, doc, &left) && left.len == 0) abort();
    return 0;
}
