/* gguf_logits.c - DIR ID...: what a checkpoint folder's model says after each of these tokens, as
 * JSON: log-probabilities (tokens, vocab).  For gguf.mjs, which asks llama.cpp the same. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "train/trained.h"

static void print_row(const float *logits, int n)
{
    double top = -HUGE_VAL, sum = 0;
    for (int i = 0; i < n; i++) top = fmax(top, (double)logits[i]);
    for (int i = 0; i < n; i++) sum += exp((double)logits[i] - top);
    for (int i = 0; i < n; i++) printf("%s%.7g", i ? "," : "[", (double)logits[i] - top - log(sum));
    printf("]");
}

int main(int argc, char **argv)
{
    Arena arena = arena_reserve((ptrdiff_t)1 << 33);
    Err err = { 0 };
    if (argc < 3) return 2;
    Trained *t = trained_open(argv[1], 0, &arena, &err);
    int V = t ? tokenizer_vocab(trained_tokenizer(t)) : 0;
    float *logits = NEW(&arena, float, V);
    bool ok = t != NULL;
    for (int i = 2; ok && i < argc; i++) {
        int32_t id = atoi(argv[i]);
        ok = trained_feed(t, &id, 1, logits, &err);
        printf(i == 2 ? "[" : ",");
        print_row(logits, V);
    }
    printf("]\n");
    if (t) trained_close(t);
    if (!ok) fprintf(stderr, "%s\n", err.msg);
    return !ok;
}
