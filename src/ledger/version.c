/* version.c - which SQLite this is; it may be another than the one compiled against. */
#include "ledger/db.h"

const char *ledger_sqlite_version(void)
{
    return sqlite3_libversion();
}
