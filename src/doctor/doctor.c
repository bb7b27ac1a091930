/* doctor.c - asking all findings, worst first. */
#include "doctor/doctor.h"

#include <stdlib.h>
#include <string.h>

#define FIND(name) extern const FindDef find_##name;
#include "doctor/find_list.h"
#undef FIND
#define FIND(name) &find_##name,
static const FindDef *const all[] = {
#include "doctor/find_list.h"
};
#undef FIND

const FindDef *const *doctor_all(int *count)
{
    *count = (int)COUNT(all);
    return all;
}

const FindDef *doctor_find(const char *name)
{
    for (int i = 0; i < COUNT(all); i++)
        if (strcmp(all[i]->name, name) == 0) return all[i];
    return NULL;
}

const char *harm_name(Harm h)
{
    static const char *const names[] = { "note", "warning", "ill", "dead" };
    return names[h];
}

Answer doctor_ask(const FindDef *def, const Chart *c, Finding *out)
{
    *out = (Finding){ 0 };
    for (int s = 0; s < SIGNALS; s++)
        if ((def->needs >> s & 1) && c->of[s].n == 0) return FIND_UNKNOWN;
    return def->find(c, out);
}

static int worse(const void *a, const void *b)
{
    const Finding *x = &((const Diagnosis *)a)->finding, *y = &((const Diagnosis *)b)->finding;
    if (x->harm != y->harm) return (int)y->harm - (int)x->harm;
    return (x->first > y->first) - (x->first < y->first);
}

void doctor_look(const Chart *c, Diagnosis *found, int *n_found, const FindDef **unknown,
                 int *n_unknown)
{
    *n_found = *n_unknown = 0;
    for (int i = 0; i < COUNT(all); i++) {
        Diagnosis d = { .def = all[i] };
        Answer a = doctor_ask(all[i], c, &d.finding);
        if (a == FIND_FOUND) found[(*n_found)++] = d;
        if (a == FIND_UNKNOWN) unknown[(*n_unknown)++] = all[i];
    }
    qsort(found, (size_t)*n_found, sizeof *found, worse);
}
