/* The clinic, as small as it goes; the whole of it is `lathe doctor --clinic`. */
#include "base/file.h"
#include "data/corpus.h"
#include "lab/clinic.h"
#include "tests/test.h"

TEST(a_healthy_run_is_left_in_peace_and_nothing_stays_behind)
{
    Arena arena = arena_reserve((ptrdiff_t)1 << 30);
    Err err = { 0 };
    Lab lab;
    json_t *manifest = NULL, *out = NULL;
    const char *dir = arena_printf(&arena, "%s/lab", test_folder());
    EXPECT_MSG(lab_init(dir, &err) && corpus_synth(dir, "demo", 400, 1, &manifest, &err), "%s",
               err.msg);
    json_decref(manifest);
    EXPECT_MSG(lab_open(&lab, dir, LEDGER_WRITE, &arena, &err), "%s", err.msg);
    int64_t before = ledger_seq(lab.ledger);
    ClinicOpt o = { .healthy = 1, .seed = 900000, .threads = 1 };
    EXPECT_MSG(clinic_run(&lab, &o, &out, &err), "%s", err.msg);
    EXPECT(json_int(out, "healthy", 0) == 1 && json_int(out, "false_alarms", 9) == 0);
    EXPECT(json_array_size(json_object_get(out, "faults")) >= 10);
    EXPECT(ledger_seq(lab.ledger) == before);
    EXPECT(access(lab_path(&lab, "runs/clinic-900000"), F_OK) != 0);
    json_decref(out);
    lab_close(&lab);
    arena_release(&arena);
}
