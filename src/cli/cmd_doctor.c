/* cmd_doctor.c - a diagnosis on one screen, worst first. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "lab/clinic.h"
#include "lab/diagnose.h"
#include "lab/entry_text.h"

enum { FINDINGS_MAX = 64 };

/* ---- for people ---- */

static void print_finding(const Diagnosis *d, const Chart *c)
{
    const FindDef *def = d->def;
    const Series *s = &c->of[def->signal];
    printf("\n%-8s %s: %s\n", harm_name(d->finding.harm), def->name, def->doc);
    printf("  seen       %s (%.0f %% sure)\n", d->finding.said, 100 * d->finding.confidence);
    if (s->n > 1) {
        Buf line = { 0 };
        entry_text_curve(signal_name(def->signal), s->x, s->n, &line);
        printf("  %s", line.at);
        buf_free(&line);
    }
    for (int i = 0; i < COUNT(def->causes) && def->causes[i]; i++)
        printf("  %-10s %d. %s\n", i ? "" : "likely", i + 1, def->causes[i]);
    printf("  remedy     %s%s%s\n", def->remedy, def->edit ? ": " : "", def->edit ? def->edit : "");
    printf("  to settle  %s\n", def->settle);
}

static void print_all(const char *what, const Chart *c, const Diagnosis *found, int n,
                      const FindDef **unknown, int m)
{
    int all;
    doctor_all(&all);
    if (n == 0)
        printf("%s: nothing found up to step %.0f; %d findings were looked for\n", what,
               chart_last(c), all - m);
    else
        printf("%s: %d finding%s up to step %.0f, worst first; %d were looked for\n", what, n,
               n > 1 ? "s" : "", chart_last(c), all - m);
    for (int i = 0; i < n; i++) print_finding(&found[i], c);
    if (m > 0) printf("\nnot enough evidence to tell:");
    for (int i = 0; i < m; i++) printf("%s %s", i ? "," : "", unknown[i]->name);
    if (m > 0) printf("\n");
}

/* ---- the command ---- */

static bool chart_of_run(const Cmd *c, const char *run, Chart *chart, Err *err)
{
    Lab lab;
    if (!c->lab)
        return err_set(
            err, ERR_CONFIG,
            "no lab here, so no run %s: go into one, name it with -C, or give --log FILE", run);
    if (!lab_open(&lab, c->lab, LEDGER_READ, c->arena, err)) return false;
    bool ok = lab_chart(&lab, run, chart, err);
    lab_close(&lab);
    return ok;
}

static bool print_list(const Cmd *c)
{
    int n;
    const FindDef *const *def = doctor_all(&n);
    json_t *rows = json_array();
    for (int i = 0; i < n; i++) {
        if (c->json)
            json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "finding", def[i]->name, "doc",
                                                  def[i]->doc, "source", def[i]->source));
        else
            printf("%-16s %s (%s)\n", def[i]->name, def[i]->doc, def[i]->source);
    }
    if (c->json)
        cmd_print_json(rows);
    else
        json_decref(rows);
    return true;
}

static void say(void *self, const char *sentence)
{
    (void)self;
    fprintf(stderr, "%s\n", sentence);
}

static void print_clinic(const json_t *b)
{
    printf("%-28s %5s %6s %9s %7s %7s %8s\n", "fault", "runs", "found", "precision", "recall",
           "delay", "6 sigma");
    for (size_t i = 0; i < json_array_size(json_object_get(b, "faults")); i++) {
        const json_t *f = json_array_get(json_object_get(b, "faults"), i);
        printf("%-28s %5.0f %6.0f %9.3f %7.3f %7.0f %8.0f\n", json_str(f, "fault", ""),
               json_num(f, "runs", 0), json_num(f, "found", 0), json_num(f, "precision", 0),
               json_num(f, "recall", 0), json_num(f, "delay", 0), json_num(f, "sigma", 0));
    }
    printf("precision %.3f, recall %.3f; of %.0f healthy runs %.0f alarmed, six sigma on %.0f\n",
           json_num(b, "precision", 0), json_num(b, "recall", 0), json_num(b, "healthy", 0),
           json_num(b, "false_alarms", 0), json_num(b, "sigma_alarms", 0));
}

static bool clinic(const Cmd *c, Err *err)
{
    Lab lab;
    double seeds, healthy, seed, threads;
    json_t *out = NULL;
    if (!c->lab) return err_set(err, ERR_CONFIG, "the clinic trains on a lab's text: go into one");
    if (!cmd_number(c, "seeds", 20, 0, 1000, &seeds, err) ||
        !cmd_number(c, "healthy", 200, 0, 1000, &healthy, err) ||
        !cmd_number(c, "seed", 1, 0, 1e15, &seed, err) ||
        !cmd_number(c, "threads", 1, 0, 1024, &threads, err) ||
        !lab_open(&lab, c->lab, LEDGER_READ, c->arena, err))
        return false;
    ClinicOpt o = { .seeds = (int)seeds,
                    .healthy = (int)healthy,
                    .seed = (uint64_t)seed,
                    .threads = (int)threads,
                    .say = say };
    bool ok = clinic_run(&lab, &o, &out, err);
    if (ok && c->json)
        cmd_print_json(out);
    else if (ok)
        print_clinic(out);
    if (!ok || !c->json) json_decref(out);
    lab_close(&lab);
    return ok;
}

static bool run(Cmd *c, Err *err)
{
    if (cmd_has(c, "clinic")) return clinic(c, err);
    const char *log = cmd_value(c, "log", NULL), *what = log ? log : c->n_args ? c->arg[0] : NULL;
    if (cmd_has(c, "list")) return print_list(c);
    if (!what || (log && c->n_args))
        return err_set(err, ERR_CONFIG,
                       "name a run (`lathe log --kind run` lists them) or give --log FILE");
    Chart chart = { 0 };
    Diagnosis found[FINDINGS_MAX];
    const FindDef *unknown[FINDINGS_MAX];
    int n, m;
    bool ok = log ? chart_read(&chart, log, err) : chart_of_run(c, what, &chart, err);
    if (ok && cmd_has(c, "vocab")) ok = cmd_number(c, "vocab", 0, 2, 1e9, &chart.vocab, err);
    if (ok && c->json) {
        cmd_print_json(diagnose_json(what, &chart, true));
    } else if (ok) {
        doctor_look(&chart, found, &n, unknown, &m);
        print_all(what, &chart, found, n, unknown, m);
    }
    chart_free(&chart);
    return ok;
}

const CmdDef cmd_doctor = {
    .name = "doctor",
    .args = "[RUN]",
    .doc = "what is wrong with a run, with evidence",
    .more = "Looks at a run's loss, gradients, rate and times, or at another trainer's log, for "
            "what can go wrong in training: divergence, spikes, "
            "runs that never learn, starved scales, a loss that is too good to be true, and more. "
            "Each finding comes with its first step, its evidence, "
            "causes in order of likelihood, a remedy, and the experiment that would settle it. "
            "What there is not enough evidence for is named.\n\n"
            "A log may be text as llm.c, nanochat, modded-nanogpt or Megatron print it, a table "
            "with a header, or JSON lines.",
    .opts =
        (const CmdOpt[]){ { "log", 0, "FILE", "another trainer's log instead of a run" },
                          { "vocab", 0, "V", "size of the vocabulary, where the log does not say" },
                          { "list", 0, NULL, "what is looked for" },
                          { "clinic", 0, NULL,
                            "plant faults in small runs on this lab's text, ask blind, and score" },
                          { "seeds", 0, "N", "runs of each fault in the clinic (20)" },
                          { "healthy", 0, "N", "healthy runs in it (200)" },
                          { "seed", 0, "N", "what it draws from (1)" },
                          { "threads", 0, "N", "of each of its runs (1); 0: all cores" },
                          { 0 } },
    .max_args = 1,
    .json = true,
    .run = run,
};
