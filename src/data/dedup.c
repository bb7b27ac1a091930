/* dedup.c - words, and whole documents that are the same to the byte.
 *
 * Documents are compared by 128 bits of SHA-256 instead of byte by byte: the texts of
 * earlier additions may be cut up by then, and their keys are all that is kept of them. */
#include "data/dedup.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

DedupWords dedup_words(Str text)
{
    return (DedupWords){ .next = text.at, .end = text.at + text.len };
}

/* Of each byte, 0: not in a word; else the byte as the hash takes it. */
#define WORD_BYTE(c)                                                                               \
    (unsigned char)((((unsigned)(c) | 32) - 'a' < 26)                                              \
                        ? ((c) | 32)                                                               \
                        : ((c) >= 0x80 || (unsigned)(c) - '0' < 10 ? (c) : 0))
#define BY_4(c) WORD_BYTE(c), WORD_BYTE((c) + 1), WORD_BYTE((c) + 2), WORD_BYTE((c) + 3)
#define BY_16(c) BY_4(c), BY_4((c) + 4), BY_4((c) + 8), BY_4((c) + 12)
#define BY_64(c) BY_16(c), BY_16((c) + 16), BY_16((c) + 32), BY_16((c) + 48)
static const unsigned char word_byte[256] = { BY_64(0), BY_64(64), BY_64(128), BY_64(192) };

/* U+3000 and up begin with 0xE3 or more in UTF-8; U+E000.. and U+F900.. are as rare as they
 * are harmless here. */
static bool stands_alone(const char *at, const char *end)
{
    return (unsigned char)*at >= 0xE3 && utf8_len(at, end) >= 3;
}

/* Text is looked at a dozen times on its way in, so this is the loop that decides how fast it is.
 */
bool dedup_next(DedupWords *w)
{
    const char *at = w->next, *end = w->end;
    while (at < end && !word_byte[(unsigned char)*at]) at++;
    if (at == end) return false;
    bool alone = stands_alone(at, end);
    const char *begin = at, *stop = alone ? MIN(at + utf8_len(at, end), end) : end;
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a, then mixed */
    for (unsigned c; at < stop && (c = word_byte[(unsigned char)*at]); at++) {
        if (c >= 0xE3 && !alone && stands_alone(at, end)) break;
        h = (h ^ c) * 0x100000001b3u;
    }
    w->word = (Str){ begin, at - begin };
    w->hash = hash64_mix(h);
    w->next = at;
    return true;
}

/* ---- whole documents ---- */

DedupKey dedup_key_of(const unsigned char sha256[32])
{
    DedupKey key;
    memcpy(key.byte, sha256, sizeof(key.byte));
    return key;
}

DedupKey dedup_key(Str text)
{
    Sha256 s;
    unsigned char sum[32];
    sha256_begin(&s);
    sha256_add(&s, text.at, text.len);
    sha256_end(&s, sum);
    return dedup_key_of(sum);
}

static bool key_free(const DedupKey *k)
{
    static const DedupKey zero;
    return memcmp(k, &zero, sizeof(zero)) == 0;
}

/* Where the key is, or would go. */
static DedupKey *slot_of(const DedupSet *s, const DedupKey *key)
{
    uint64_t start;
    memcpy(&start, key->byte, sizeof(start));
    int64_t at = (int64_t)(start & (uint64_t)(s->cap - 1));
    while (!key_free(&s->slot[at]) && memcmp(&s->slot[at], key, sizeof(*key)) != 0)
        at = (at + 1) & (s->cap - 1);
    return &s->slot[at];
}

static void grow_set(DedupSet *s)
{
    DedupSet bigger = { .cap = s->cap ? 2 * s->cap : 1024 };
    bigger.slot = calloc((size_t)bigger.cap, sizeof(DedupKey));
    CHECK(bigger.slot, "no memory for %td document keys", (ptrdiff_t)bigger.cap);
    for (int64_t i = 0; i < s->cap; i++)
        if (!key_free(&s->slot[i])) *slot_of(&bigger, &s->slot[i]) = s->slot[i];
    bigger.count = s->count;
    free(s->slot);
    *s = bigger;
}

bool dedup_set_add(DedupSet *s, DedupKey key)
{
    if (2 * (s->count + 1) > s->cap) grow_set(s);
    DedupKey *slot = slot_of(s, &key);
    if (!key_free(slot)) return false;
    *slot = key;
    s->count++;
    return true;
}

bool dedup_set_has(const DedupSet *s, DedupKey key)
{
    return s->count > 0 && !key_free(slot_of(s, &key));
}

void dedup_set_free(DedupSet *s)
{
    free(s->slot);
    *s = (DedupSet){ 0 };
}
