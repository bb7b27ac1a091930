/* audit.c - all detectors over one data set, and their findings in order.
 *
 * A detector is a file and a line.  It sees the whole text with the counts that several need, and
 * names documents; what a finding consists of is the same for all of them (audit_find.c).  The
 * report names also the kinds that found nothing: an audit that is silent about mojibake should
 * not look like one that never asked. */
#include "data/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/progress.h"
#include "data/audit_inside.h"
#include "data/corpus.h"

enum { FORMAT = 1 };

#define AUDIT(title) extern const AuditDef audit_##title;
#include "data/audit_list.h"
#undef AUDIT

static const AuditDef *const defs[] = {
#define AUDIT(title) &audit_##title,
#include "data/audit_list.h"
#undef AUDIT
};

const AuditKind *audit_kinds(int *count)
{
    static AuditKind kinds[COUNT(defs)];
    for (ptrdiff_t i = 0; i < COUNT(defs); i++)
        kinds[i] = (AuditKind){ defs[i]->kind, defs[i]->doc };
    *count = (int)COUNT(defs);
    return kinds;
}

Str audit_doc(const Audit *a, int64_t i)
{
    return docs_get(&a->docs, i);
}

double *audit_measure(Audit *a)
{
    a->measure[a->detector] = NEW(a->arena, double, a->docs.count);
    return a->measure[a->detector];
}

bool audit_not_asked(Audit *a, const char *why)
{
    json_object_set_new(a->not_asked, defs[a->detector]->kind, json_string(why));
    return true;
}

/* ---- what all of them need ---- */

static bool read_words(Audit *a, Err *err)
{
    Progress bar = progress_begin("reading", "bytes", (double)a->docs.bytes);
    bool ok = true;
    int64_t bytes = 0;
    for (int64_t i = 0; ok && i < a->docs.count; i++) {
        Str doc = audit_doc(a, i);
        if (stop_asked()) ok = err_set(err, ERR_STOPPED, "stopped while reading documents");
        audit_lexicon_add(&a->lexicon, doc, i);
        a->key[i] = dedup_key(doc);
        progress_tick(&bar, (double)(bytes += doc.len), "");
    }
    progress_end(&bar);
    return ok && audit_pairs_open(&a->pairs, &a->docs, err);
}

static bool open_audit(Audit *a, Err *err)
{
    const AuditJob *job = a->job;
    char *stem = corpus_train_stem(job->lab, job->name, a->arena);
    if (!corpus_manifest(job->lab, job->name, &a->manifest, err) || !docs_open(&a->docs, stem, err))
        return false;
    if (a->docs.count > INT32_MAX)
        return err_set(err, ERR_CONFIG, "%s has more documents than an audit can number",
                       job->name);
    a->findings = json_array();
    a->quiet = json_array();
    a->not_asked = json_object();
    a->key = NEW(a->arena, DedupKey, a->docs.count);
    a->flags = NEW(a->arena, uint32_t, a->docs.count);
    a->measure = NEW(a->arena, double *, COUNT(defs));
    if (!origin_read(stem, a->docs.count, &a->origins, err)) return false;
    audit_parts(a);
    return read_words(a, err);
}

static void close_audit(Audit *a)
{
    audit_lexicon_free(&a->lexicon);
    audit_pairs_free(&a->pairs);
    docs_close(&a->docs);
    json_decref(a->manifest);
    json_decref(a->findings);
    json_decref(a->quiet);
    json_decref(a->not_asked);
    buf_free(&a->origins);
}

/* ---- the order of findings ---- */

static double weight_of(const json_t *finding)
{
    return json_num(finding, "bytes", 0) * json_num(finding, "confidence", 0);
}

static int by_weight(const void *a, const void *b)
{
    double x = weight_of(*(json_t *const *)a), y = weight_of(*(json_t *const *)b);
    return x != y ? (x < y) - (x > y)
                  : strcmp(json_str(*(json_t *const *)a, "kind", ""),
                           json_str(*(json_t *const *)b, "kind", ""));
}

/* A new array, heaviest first. */
static json_t *ranked(const json_t *findings, Arena *arena)
{
    size_t n = json_array_size(findings);
    json_t **list = NEW(arena, json_t *, (ptrdiff_t)n), *out = json_array();
    for (size_t i = 0; i < n; i++) list[i] = json_array_get(findings, i);
    if (n > 0) qsort(list, n, sizeof(*list), by_weight);
    for (size_t i = 0; i < n; i++) json_array_append(out, list[i]);
    return out;
}

static json_t *make_report(Audit *a)
{
    return json_pack("{s:i,s:s,s:s,s:I,s:I,s:o,s:O,s:O}", "format", FORMAT, "name", a->job->name,
                     "train_sha256", a->docs.sha256, "documents", (json_int_t)a->docs.count,
                     "bytes", (json_int_t)a->docs.bytes, "findings", ranked(a->findings, a->arena),
                     "quiet", a->quiet, "not_asked", a->not_asked);
}

void audit_report_add(json_t *report, const json_t *findings, Arena *arena)
{
    json_t *all = json_object_get(report, "findings");
    json_array_extend(all, (json_t *)findings);
    json_object_set_new(report, "findings", ranked(all, arena));
}

const char *audit_report_path(const char *lab, const char *name, Arena *arena)
{
    return arena_printf(arena, "%s/data/%s/audit.json", lab, name);
}

/* ---- a line of JSON for each document ---- */

static json_t *document_line(const Audit *a, int64_t i)
{
    json_t *kinds = json_array(), *measures = json_object();
    Buf hex = { 0 };
    for (int b = 0; b < (int)sizeof(a->key[i]); b++) buf_printf(&hex, "%02x", a->key[i].byte[b]);
    for (int k = 0; k < (int)COUNT(defs); k++) {
        if (a->flags[i] >> k & 1) json_array_append_new(kinds, json_string(defs[k]->kind));
        if (a->measure[k])
            json_object_set_new(measures, defs[k]->kind, json_num_of(a->measure[k][i]));
    }
    json_t *line =
        json_pack("{s:I,s:s,s:I,s:o,s:o}", "document", (json_int_t)i, "sha256", hex.at, "bytes",
                  (json_int_t)audit_doc(a, i).len, "kinds", kinds, "measures", measures);
    Origin o = origin_get(buf_view(&a->origins), i);
    if (o.file >= 0) {
        json_object_set_new(line, "file", json_integer(o.file));
        json_object_set_new(line, "offset", json_integer(o.offset));
        json_object_set_new(line, "begin", json_integer(o.begin));
    }
    buf_free(&hex);
    return line;
}

static bool write_documents(const Audit *a, Err *err)
{
    if (!a->job->documents) return true;
    Buf text = { 0 };
    for (int64_t i = 0; i < a->docs.count; i++) {
        json_t *line = document_line(a, i);
        json_write(line, false, &text);
        if (text.at[text.len - 1] != '\n') buf_char(&text, '\n');
        json_decref(line);
    }
    bool ok = file_write_whole(a->job->documents, buf_view(&text), err);
    buf_free(&text);
    return ok;
}

/* ---- all of it ---- */

static bool look(Audit *a, Err *err)
{
    for (int k = 0; k < (int)COUNT(defs); k++) {
        size_t before = json_array_size(a->findings);
        a->detector = k;
        if (stop_asked())
            return err_set(err, ERR_STOPPED, "stopped before looking for %s", defs[k]->kind);
        if (!defs[k]->look(a, err)) return err_wrap(err, "looking for %s", defs[k]->kind);
        bool asked = !json_object_get(a->not_asked, defs[k]->kind);
        if (asked && json_array_size(a->findings) == before)
            json_array_append_new(a->quiet, json_string(defs[k]->kind));
    }
    return true;
}

/* What others have added to an earlier report of the same text stays. */
static void keep_added(Audit *a)
{
    json_t *old = NULL, *one;
    size_t i;
    Err none = { 0 };
    if (!audit_read(a->job->lab, a->job->name, &old, &none)) return;
    json_array_foreach(json_object_get(old, "findings"), i,
                       one) if (strcmp(json_str(one, "author", "audit"), "audit") != 0)
        json_array_append(a->findings, one);
    json_decref(old);
}

bool audit_run(const AuditJob *job, json_t **report, Err *err)
{
    Arena arena = arena_reserve((ptrdiff_t)1 << 36);
    Audit *a = NEW(&arena, Audit, 1);
    *a = (Audit){ .job = job, .arena = &arena };
    *report = NULL;
    bool ok = open_audit(a, err) && look(a, err) && write_documents(a, err);
    if (ok) {
        keep_added(a);
        *report = make_report(a);
        ok = json_write_file(audit_report_path(job->lab, job->name, &arena), *report, err);
    }
    close_audit(a);
    arena_release(&arena);
    if (ok) return true;
    json_decref(*report);
    *report = NULL;
    return false;
}

bool audit_read(const char *lab, const char *name, json_t **report, Err *err)
{
    Arena arena = arena_reserve(1 << 20);
    json_t *manifest = NULL;
    const char *path = audit_report_path(lab, name, &arena);
    *report = NULL;
    bool ok =
        corpus_manifest(lab, name, &manifest, err) &&
        (file_exists(path) ||
         err_set(err, ERR_CONFIG, "%s was never audited: `lathe data audit %s` first", name, name));
    if (ok) *report = json_read_file(path, err);
    ok = ok && *report;
    const char *now = json_str(json_object_get(manifest, "train"), "sha256", "");
    if (ok && strcmp(now, json_str(*report, "train_sha256", "")) != 0)
        ok = err_set(err, ERR_CONFIG,
                     "the text of %s has changed since it was audited: `lathe data audit %s` again",
                     name, name);
    if (!ok) json_decref(*report), *report = NULL;
    json_decref(manifest);
    arena_release(&arena);
    return ok;
}
