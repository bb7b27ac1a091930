/* report.h - one page for people: what was asked, what was found, on what evidence. */
#ifndef LAB_REPORT_H
#define LAB_REPORT_H

#include "ledger/ledger.h"

/* A self-contained HTML page (SVG plots inside, no network, no training text), from the ledger
 * alone; the newest session is its subject.  Written whole or not at all. */
bool report_write(Ledger *l, const char *lab, const char *path, Err *err) MUST_CHECK;

#endif
