/* audit_list.h - the detectors, one line each: AUDIT(copies) is `const AuditDef audit_copies` in
 * audit_copies.c.  No include guard: this file is included several times. */
AUDIT(copies)
AUDIT(boilerplate)
AUDIT(encoding)
AUDIT(order)
AUDIT(repeats)
AUDIT(language)
AUDIT(ocr)
AUDIT(personal)
AUDIT(contamination)
AUDIT(labels)
AUDIT(balance)
