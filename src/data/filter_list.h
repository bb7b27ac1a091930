/* filter_list.h - every filter, one line each, in the order in which a recipe's are applied: text is
 * mended before it is judged, lines go before documents are measured.  No include guard: this file is
 * included several times. */
FILTER(encoding)
FILTER(language)
FILTER(refinedweb)
FILTER(c4)
FILTER(gopher_quality)
FILTER(gopher_repetition)
FILTER(fineweb)
FILTER(blocklist)
FILTER(personal)
