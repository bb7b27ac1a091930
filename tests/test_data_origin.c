/* Provenance: from a training document back to the bytes of the file that it came from. */
#include "base/file.h"
#include "base/hash.h"
#include "base/progress.h"
#include "base/rand.h"
#include "data/corpus.h"
#include "data/docs.h"
#include "data/origin.h"
#include "data/reader_json.h"
#include "tests/test.h"

static void write_words(Buf *out, uint64_t seed, int words)
{
    for (int i = 0; i < words; i++)
        buf_printf(out, "w%llu%s", (unsigned long long)(hash64_mix(seed * 7919 + i) % 100000),
                   i % 60 == 59 ? "\n\n" : " ");
}

static char *put(const char *name, const Buf *bytes)
{
    static char path[4][256];
    static int turn;
    Err err = { 0 };
    char *out = path[turn++ % 4];
    snprintf(out, sizeof(path[0]), "%s/%s", test_folder(), name);
    EXPECT(file_write_whole(out, buf_view(bytes), &err));
    return out;
}

static void add(const char *const *paths, int n_paths)
{
    Err err = { 0 };
    json_t *m = NULL;
    CorpusAdd what = { .lab = test_folder(), .name = "set", .paths = paths, .n_paths = n_paths };
    EXPECT_MSG(corpus_add(&what, &m, &err), "%s", err.msg);
    json_decref(m);
}

/* The document that stands at the origin's place of its file, read by other means than ours. */
static bool leads_back(const Origin *o, const Buf *files, Str doc)
{
    char want[65], found[65];
    Buf text = { 0 };
    if (o->file < 0 || o->file > 3) return false;
    Str whole = buf_view(&files[o->file]);
    if (o->file == 1) { /* the one of .jsonl: its line */
        whole = (Str){ whole.at + o->offset, whole.len - (ptrdiff_t)o->offset };
        whole.len = (const char *)memchr(whole.at, '\n', (size_t)whole.len) - whole.at;
        json_t *line = json_loadb(whole.at, (size_t)whole.len, 0, NULL);
        buf_str(&text, str_of(json_str(line, "text", "")));
        json_decref(line);
        whole = buf_view(&text);
    }
    for (int i = 0; i < 32; i++) snprintf(want + 2 * i, 3, "%02x", o->sha256[i]);
    sha256_hex(whole.at, whole.len, found);
    bool same = strcmp(want, found) == 0 && o->begin + doc.len <= whole.len &&
                memcmp(whole.at + o->begin, doc.at, (size_t)doc.len) == 0;
    buf_free(&text);
    return same;
}

TEST(every_training_document_leads_back_to_its_bytes)
{
    Buf files[4] = { 0 }, origins = { 0 };
    const char *paths[4];
    progress_quiet(true);
    write_words(&files[0], 1, 40000);
    for (int i = 0; i < 200; i++) {
        buf_str(&files[1], STR("{\"id\":1,\"text\":\""));
        Buf one = { 0 };
        write_words(&one, (uint64_t)(100 + i), 50);
        buf_str(&files[1], buf_view(&one));
        buf_free(&one);
        buf_str(&files[1], STR(" \\u00e9\"}\n"));
    }
    write_words(&files[2], 3, 30000);
    write_words(&files[3], 4, 5000);
    paths[0] = put("a.txt", &files[0]);
    paths[1] = put("b.jsonl", &files[1]);
    paths[2] = put("c.txt", &files[2]);
    paths[3] = put("d.txt", &files[3]);
    add(paths, 3);
    add(paths + 3, 1); /* a later addition counts on */

    Docs train;
    Err err = { 0 };
    char stem[300];
    snprintf(stem, sizeof(stem), "%s/data/set/train", test_folder());
    EXPECT(docs_open(&train, stem, &err));
    EXPECT_MSG(origin_read(stem, train.count, &origins, &err), "%s", err.msg);
    bool seen[4] = { 0 };
    int64_t cut = 0;
    for (int64_t i = 0; i < train.count; i++) {
        Origin o = origin_get(buf_view(&origins), i);
        EXPECT_MSG(leads_back(&o, files, docs_get(&train, i)), "document %d", (int)i);
        if (o.file >= 0 && o.file < 4) seen[o.file] = true;
        cut += o.begin > 0;
    }
    EXPECT(seen[0] && seen[1] && seen[2] && seen[3] && cut > 0);
    EXPECT(!origin_read(stem, train.count + 1, &origins, &err) && err.code == ERR_FORMAT);
    docs_close(&train);
    buf_free(&origins);
    for (int i = 0; i < 4; i++) buf_free(&files[i]);
}
