/* quick_lab.h - a lab whose runs take no time: a trainer that is not ours, a shell script, whose
 * score is a parabola in the logarithm of its rate with noise from its seed.  For tests of what a
 * session says and does, rather than of what a model learns. */
#ifndef TESTS_QUICK_LAB_H
#define TESTS_QUICK_LAB_H

#include "base/file.h"
#include "base/progress.h"
#include "lab/lab.h"
#include "tests/test.h"

static const char quick_script[] =
    "awk -v out=\"$(dirname \"$1\")\" '{ all = all $0 }\n"
    "function num(k, m) { if (!match(all, \"\\\"\" k \"\\\": *[-0-9.e+]+\")) return 0\n"
    "  m = substr(all, RSTART, RLENGTH); sub(/.*: */, \"\", m); return m + 0 }\n"
    "END { srand(num(\"seed\") * 7919 + 13); for (i = 0; i < 12; i++) n += rand()\n"
    "  d = log(num(\"optim.lr\") / 0.01); printf \"step\\tloss\\n1\\t4\\n2\\t3\\n\" > out "
    "\"/metrics.tsv\"\n"
    "  printf \"{\\\"val_loss\\\": %.6f}\\n\", 1.5 + 0.02 * d * d + 0.002 * (n - 6) "
    "> out \"/result.json\" }' \"$1\"\n";

static const char quick_declaration[] =
    "command = \"sh train.sh\"\nmetric = \"val_loss\"\nframe = \"tokens\"\nbudget = 1000\n"
    "[knob.optim.lr]\nvalue = 0.002\nmin = 1e-5\nmax = 1\nscale = \"log\"\ndoc = \"rate\"\n"
    "[knob.bias]\ntype = \"flag\"\nvalue = true\n";

static char quick_folder[300]; /* of the trainer of the lab that was made last */

__attribute__((unused)) static const char *quick_lab(const char *name, Err *err)
{
    static char dir[200];
    static const char *const files[][2] = { { "train.sh", quick_script },
                                            { "trainer.toml", quick_declaration },
                                            { "recipe.toml", "trainer = \"command\"\n" } };
    char path[400];
    progress_quiet(true);
    snprintf(dir, sizeof(dir), "%s/%s", test_folder(), name);
    snprintf(quick_folder, sizeof(quick_folder), "%s/%s-trainer", test_folder(), name);
    EXPECT_MSG(lab_init(dir, err) && file_make_dirs(quick_folder, err), "%s", err->msg);
    for (int i = 0; i < COUNT(files); i++) {
        snprintf(path, sizeof(path), "%s/%s", quick_folder, files[i][0]);
        EXPECT_MSG(file_write_whole(path, str_of(files[i][1]), err), "%s", err->msg);
    }
    return dir;
}

#endif
