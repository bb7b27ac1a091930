/* packing.c - best-fit packing with every row beginning at the beginning of a document.
 *
 * Rows cut from text laid end to end begin anywhere: most documents are read from their middle on,
 * behind the end of another.  Here each row is filled with whole documents, always the longest that
 * fits what is left of the row (best fit; Ding et al. 2024, "Fewer truncations improve language
 * modeling", arXiv:2404.10830; aligned to beginnings as nanochat's loader is).  Where none fits,
 * the longest waiting piece is cut: its beginning fills the row, its rest waits as a piece of its
 * own behind an end-of-text token.  nanochat throws such rests away, a third of all tokens, which
 * a large corpus bears and a laboratory's does not.
 *
 * Documents come in drawn order through a window of WINDOW pieces, in which a choice is a walk over
 * an array of lengths.  The whole corpus as the window was rejected: all short documents would meet
 * in some rows and all long ones in others. */
#include "data/packing.h"

#include <string.h>

#include "base/rand.h"

enum { WINDOW = 512, CHUNK = 1 << 16 };

/* Where documents begin: at every end-of-text token. */
static bool find_documents(const Shard *s, int32_t end, Arena *out, int64_t **start, int64_t *count,
                           Arena scratch, Err *err)
{
    int32_t *token = NEW(&scratch, int32_t, CHUNK);
    int64_t cap = s->documents > 0 ? s->documents : s->tokens, n = 0;
    *start = NEW(out, int64_t, cap + 1);
    for (int64_t at = 0; at < s->tokens; at += CHUNK) {
        int64_t m = MIN((int64_t)CHUNK, s->tokens - at);
        if (!shard_read(s, at, m, token, err)) return false;
        for (int64_t i = 0; i < m; i++) {
            if (token[i] != end) continue;
            if (n == cap)
                return err_set(err, ERR_FORMAT,
                               "%s has more documents than its header says; delete it and run the "
                               "same command again",
                               s->path);
            (*start)[n++] = at + i;
        }
    }
    (*start)[n] = s->tokens;
    *count = n;
    return true;
}

typedef struct Packer {
    Packing *p;
    const int64_t *start;
    int64_t docs, taken; /* documents, and how many of them have come into the window */
    uint64_t key;
    PackPiece piece[WINDOW];
    int64_t length[WINDOW]; /* of each, all of it; piece[].n is what a row takes */
    int waiting;
} Packer;

static void refill(Packer *k)
{
    while (k->waiting < WINDOW && k->taken < k->docs) {
        int64_t d = (int64_t)rand_permute((uint64_t)k->taken++, (uint64_t)k->docs, k->key);
        k->piece[k->waiting] = (PackPiece){ .at = k->start[d] };
        k->length[k->waiting++] = k->start[d + 1] - k->start[d];
    }
}

/* The longest that fits `room`, or else the longest of all. */
static int choose(const Packer *k, int64_t room, bool *fits)
{
    int best = -1, longest = 0;
    for (int i = 0; i < k->waiting; i++) {
        if (k->length[i] > k->length[longest]) longest = i;
        if (k->length[i] <= room && (best < 0 || k->length[i] > k->length[best])) best = i;
    }
    *fits = best >= 0;
    return best >= 0 ? best : longest;
}

/* Takes `room` tokens off the front of piece i; the rest waits behind a token of its own. */
static PackPiece cut(Packer *k, int i, int64_t room)
{
    PackPiece front = k->piece[i];
    front.n = (int32_t)room;
    k->p->cut += !front.mid;
    k->piece[i].at += room - front.mid;
    k->piece[i].mid = true;
    k->length[i] -= room - 1;
    return front;
}

static PackPiece whole(Packer *k, int i)
{
    PackPiece piece = k->piece[i];
    piece.n = (int32_t)k->length[i];
    k->waiting--;
    k->piece[i] = k->piece[k->waiting];
    k->length[i] = k->length[k->waiting];
    return piece;
}

/* False: the text has run out, and the row is not full. */
static bool fill_row(Packer *k)
{
    int64_t room = k->p->length;
    while (room > 0) {
        bool fits;
        refill(k);
        if (k->waiting == 0) return false;
        int i = choose(k, room, &fits);
        PackPiece piece = fits ? whole(k, i) : cut(k, i, room);
        k->p->piece[k->p->pieces++] = piece;
        room -= piece.n;
    }
    return true;
}

bool packing_make(Packing *p, const Shard *s, int length, int32_t end, uint64_t key, Arena *out,
                  Err *err)
{
    int64_t *start, docs = 0;
    Arena scratch = arena_reserve(1 << 20);
    bool found = find_documents(s, end, out, &start, &docs, scratch, err);
    arena_release(&scratch);
    if (!found) return false;
    *p = (Packing){ .length = length, .end = end };
    /* A cut adds a token, and each row has one cut at most. */
    int64_t most = s->tokens / (length - 1) + 1;
    p->piece = NEW(out, PackPiece, docs + 2 * most);
    p->first = NEW(out, int64_t, most + 1);
    Packer *k = NEW(out, Packer, 1);
    *k = (Packer){ .p = p, .start = start, .docs = docs, .key = key };
    while (fill_row(k)) p->first[++p->rows] = p->pieces;
    return true;
}

bool packing_read(const Packing *p, const Shard *s, int64_t r, int32_t *x, int32_t *y, Err *err)
{
    int64_t at = 0, T = p->length - 1;
    const PackPiece *piece = p->piece + p->first[r], *last = p->piece + p->first[r + 1] - 1;
    for (; piece <= last && at < T; at += piece++->n) {
        int64_t n = MIN(piece->n, T - at) - piece->mid;
        if (piece->mid) x[at] = p->end;
        if (n > 0 && !shard_read(s, piece->at, n, x + at + piece->mid, err)) return false;
    }
    memcpy(y, x + 1, (size_t)(T - 1) * sizeof(*x));
    y[T - 1] = p->end;
    int64_t text = last->n - last->mid;
    return text == 0 || shard_read(s, last->at + text - 1, 1, y + T - 1, err);
}
