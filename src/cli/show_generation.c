/* show_generation.c - one generation: what it took, what it cost, how it scores. */
#include <math.h>
#include <stdio.h>

#include "cli/show.h"
#include "data/corpus.h"

static bool gather_generation(Lab *lab, const char *id, json_t **out, Err *err)
{
    json_t *body = NULL;
    if (!show_body(lab, "generation", id, &body, err)) return false;
    *out = json_pack("{s:s, s:o}", "id", id, "generation", body);
    return true;
}

static void print_generation(const json_t *doc, Arena scratch)
{
    (void)scratch;
    const json_t *g = json_object_get(doc, "generation"), *bpb = json_object_get(g, "bpb");
    char a[32], b[32];
    printf("generation %s, of run %s\n", json_str(doc, "id", ""), json_str(g, "run", ""));
    if (json_str(g, "parent", "")[0])
        printf("parent     %s: %s\n", json_str(g, "parent", ""), json_str(g, "took", ""));
    printf("size       %s parameters, %s tokens\n", str_count(a, json_num(g, "params", 0)),
           str_count(b, json_num(g, "tokens", 0)));
    printf("cost       %.3g FLOPs, with its parents' %.3g; %s\n", json_num(g, "flops", 0),
           json_num(g, "flops_with_parents", 0), str_seconds(a, json_num(g, "seconds", 0)));
    printf("bpb       ");
    for (int i = 0; i < TIER_COUNT; i++)
        printf("%s %.4f on %s", i ? "," : "", json_num(bpb, tier_name[i], (double)NAN),
               tier_name[i]);
    printf("\nrecipe     %.12s\nweights    %s\n", json_str(g, "recipe", ""),
           json_str(g, "weights_sha256", ""));
}

const ShowDef show_generation = { 'g', "generation", gather_generation, print_generation };
