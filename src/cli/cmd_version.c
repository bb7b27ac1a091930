/* cmd_version.c - what this program is made of, for a report of a fault. */
#include <stdio.h>

#include "cli/cmd.h"
#include "data/libraries.h"
#include "dev/dev.h"
#include "ledger/ledger.h"

static const char compiler[] =
#ifdef __clang__
    "clang " __clang_version__;
#else
    "gcc " __VERSION__;
#endif

static bool run(Cmd *c, Err *err)
{
    (void)err;
    DataLibraries data = data_libraries();
    struct {
        const char *name, *value;
    } fact[] = {
        { "lathe", LATHE_VERSION },
        { "compiler", compiler },
        { "processor", cpu_model() },
        { "level", cpu_level_name(cpu_level()) },
        { "jansson", jansson_version_str() },
        { "sqlite", ledger_sqlite_version() },
        { "zlib", data.zlib },
        { "zstd", data.zstd },
        { "pcre2", data.pcre2 },
    };
    if (c->json) {
        json_t *o = json_object();
        for (int i = 0; i < COUNT(fact); i++)
            json_object_set_new(o, fact[i].name, json_text(str_of(fact[i].value)));
        json_object_set_new(o, "ledger_version", json_integer(LEDGER_VERSION));
        json_object_set_new(o, "cores", json_integer(dev_cores()));
        cmd_print_json(o);
        return true;
    }
    for (int i = 0; i < COUNT(fact); i++) printf("%-10s %s\n", fact[i].name, fact[i].value);
    return true;
}

const CmdDef cmd_version = {
    .name = "version",
    .doc = "this program, its compiler and libraries, the processor level it uses",
    .json = true,
    .run = run,
};
