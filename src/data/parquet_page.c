/* parquet_page.c - pages of a Parquet column: headers, packing, runs of levels and indices.
 *
 * Snappy is forty lines and a library of its own elsewhere, so it is written here, from the
 * description of its format: a length, then literals and copies from what was already written. */
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "data/parquet.h"

/* ---- headers ---- */

static void read_data_header(ParquetThrift *t, ParquetPage *p)
{
    int id = 0;
    for (int type; (type = parquetthrift_field(t, &id)) != 0;) {
        if (id == 1)
            p->values = parquetthrift_int(t);
        else if (id == 2)
            p->encoding = (int)parquetthrift_int(t);
        else
            parquetthrift_skip(t, type);
    }
}

static void read_data_2_header(ParquetThrift *t, ParquetPage *p)
{
    int id = 0;
    for (int type; (type = parquetthrift_field(t, &id)) != 0;) {
        switch (id) {
        case 1: p->values = parquetthrift_int(t); break;
        case 4: p->encoding = (int)parquetthrift_int(t); break;
        case 5: p->levels[1] = parquetthrift_int(t); break;
        case 6: p->levels[0] = parquetthrift_int(t); break;
        case 7: p->plain = type == THRIFT_FALSE; break;
        default: parquetthrift_skip(t, type);
        }
    }
}

static bool is_sound(const ParquetPage *p)
{
    const int64_t largest = INT32_MAX;
    bool v2 = p->kind == PARQUET_DATA_2;
    return p->kind >= 0 && p->kind <= PARQUET_DATA_2 && p->packed >= 0 && p->packed <= largest &&
           p->unpacked >= 0 && p->unpacked <= largest && p->values >= 0 && p->values <= largest &&
           (!v2 || (p->levels[0] >= 0 && p->levels[1] >= 0 &&
                    p->levels[0] <= MIN(p->packed, p->unpacked) &&
                    p->levels[1] <= MIN(p->packed, p->unpacked) - p->levels[0]));
}

ptrdiff_t parquet_page(ParquetPage *p, Str bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.at;
    ParquetThrift t = { at, at + bytes.len, false };
    int id = 0;
    *p = (ParquetPage){ .kind = -1, .encoding = -1, .packed = -1, .unpacked = -1 };
    for (int type; (type = parquetthrift_field(&t, &id)) != 0;) {
        switch (id) {
        case 1: p->kind = (int)parquetthrift_int(&t); break;
        case 2: p->unpacked = parquetthrift_int(&t); break;
        case 3: p->packed = parquetthrift_int(&t); break;
        case 5:
        case 7: read_data_header(&t, p); break;
        case 8: read_data_2_header(&t, p); break;
        default: parquetthrift_skip(&t, type);
        }
    }
    return t.bad || !is_sound(p) ? 0 : t.at - at;
}

/* ---- packing ---- */

typedef struct Snappy {
    const unsigned char *at, *end;
    char *out;
    ptrdiff_t done, size;
} Snappy;

static bool literal(Snappy *s, unsigned tag)
{
    ptrdiff_t n = (ptrdiff_t)(tag >> 2);
    if (n >= 60) {
        int bytes = (int)n - 59;
        if (s->end - s->at < bytes) return false;
        n = 0;
        for (int i = 0; i < bytes; i++) n |= (ptrdiff_t)s->at[i] << (8 * i);
        s->at += bytes;
    }
    n++;
    if (n > s->end - s->at || n > s->size - s->done) return false;
    memcpy(s->out + s->done, s->at, (size_t)n);
    s->at += n;
    s->done += n;
    return true;
}

/* A copy may overlap what it writes: "ab" from two back, eight times. */
static bool copy(Snappy *s, unsigned tag)
{
    int bytes = (tag & 3) == 1 ? 1 : (tag & 3) == 2 ? 2 : 4;
    if (s->end - s->at < bytes) return false;
    ptrdiff_t back = 0, n = bytes == 1 ? 4 + (ptrdiff_t)(tag >> 2 & 7) : 1 + (ptrdiff_t)(tag >> 2);
    for (int i = 0; i < bytes; i++) back |= (ptrdiff_t)s->at[i] << (8 * i);
    if (bytes == 1) back |= (ptrdiff_t)(tag >> 5) << 8;
    s->at += bytes;
    if (back == 0 || back > s->done || n > s->size - s->done) return false;
    for (ptrdiff_t i = 0; i < n; i++) s->out[s->done + i] = s->out[s->done - back + i];
    s->done += n;
    return true;
}

bool parquet_unsnappy(Str packed, ptrdiff_t unpacked, char *out)
{
    const unsigned char *at = (const unsigned char *)packed.at;
    ParquetThrift length = { at, at + packed.len, false };
    uint64_t size = parquetthrift_varint(&length);
    if (length.bad || size != (uint64_t)unpacked) return false;
    Snappy s = { length.at, at + packed.len, out, 0, unpacked };
    while (s.at < s.end) {
        unsigned tag = *s.at++;
        if (!((tag & 3) == 0 ? literal(&s, tag) : copy(&s, tag))) return false;
    }
    return s.done == unpacked;
}

static bool gunzip(Str packed, ptrdiff_t unpacked, char *out)
{
    z_stream z = { 0 };
    if (inflateInit2(&z, 15 + 32) != Z_OK) return false;
    z.next_in = (unsigned char *)packed.at;
    z.avail_in = (unsigned)packed.len;
    z.next_out = (unsigned char *)out;
    z.avail_out = (unsigned)unpacked;
    int rc;
    while ((rc = inflate(&z, Z_FINISH)) == Z_STREAM_END && z.avail_out > 0 && z.avail_in > 0)
        if (inflateReset(&z) != Z_OK) break; /* several members */
    bool ok = rc == Z_STREAM_END && z.avail_out == 0;
    inflateEnd(&z);
    return ok;
}

bool parquet_unpack(int codec, Str packed, ptrdiff_t unpacked, char *out)
{
    switch (codec) {
    case PARQUET_PLAIN:
        if (packed.len != unpacked) return false;
        if (unpacked > 0) memcpy(out, packed.at, (size_t)unpacked);
        return true;
    case PARQUET_SNAPPY: return parquet_unsnappy(packed, unpacked, out);
    case PARQUET_GZIP: return gunzip(packed, unpacked, out);
    case PARQUET_ZSTD:
        return ZSTD_decompress(out, (size_t)unpacked, packed.at, (size_t)packed.len) ==
               (size_t)unpacked;
    default: return false;
    }
}

/* ---- runs ---- */

ParquetRuns parquetruns_new(Str bytes, int width)
{
    const unsigned char *at = (const unsigned char *)bytes.at;
    return (ParquetRuns){
        .at = at, .end = at + bytes.len, .width = width, .bad = width < 0 || width > 32
    };
}

/* A header: an even number is a run of one value, an odd one so many groups of eight. */
static void next_run(ParquetRuns *r)
{
    ParquetThrift t = { r->at, r->end, false };
    uint64_t head = parquetthrift_varint(&t);
    int bytes = (r->width + 7) / 8;
    r->at = t.at;
    r->packed = head & 1;
    r->left = (head >> 1) * (r->packed ? 8 : 1);
    r->bit = 0;
    r->value = 0;
    if (t.bad || r->left == 0 || head >> 32) r->bad = true;
    if (r->bad || r->packed) return;
    if (r->end - r->at < bytes) {
        r->bad = true;
        return;
    }
    for (int i = 0; i < bytes; i++) r->value |= (uint32_t)*r->at++ << (8 * i);
}

static uint32_t next_packed(ParquetRuns *r)
{
    uint64_t x = 0;
    int bytes = (r->bit + r->width + 7) / 8;
    if (r->end - r->at < bytes) {
        r->bad = true;
        return 0;
    }
    for (int i = 0; i < bytes; i++) x |= (uint64_t)r->at[i] << (8 * i);
    x >>= r->bit;
    r->bit += r->width;
    r->at += r->bit / 8;
    r->bit %= 8;
    return (uint32_t)(x & (((uint64_t)1 << r->width) - 1));
}

uint32_t parquetruns_next(ParquetRuns *r)
{
    if (!r->bad && r->left == 0) next_run(r);
    if (r->bad) return 0;
    r->left--;
    return r->packed ? next_packed(r) : r->value;
}
