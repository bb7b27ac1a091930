/* libraries.c - asks the libraries themselves: a wrong one at run time is worth seeing. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "data/libraries.h"

#include <pcre2.h>
#include <zlib.h>
#include <zstd.h>

DataLibraries data_libraries(void)
{
    static char pcre2[64]; /* "10.42 2022-12-11" */
    pcre2_config(PCRE2_CONFIG_VERSION, pcre2);
    DataLibraries all = { zlibVersion(), ZSTD_versionString(), pcre2 };
    return all;
}
