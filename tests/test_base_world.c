/* JSON, clocks, stopping, progress and sparklines. */
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "tests/test.h"

#include <signal.h>
#include <sys/wait.h>

static bool writes_as(json_t *v, bool indent, const char *expect)
{
    Buf b = { 0 };
    json_write(v, indent, &b);
    bool same = str_eq(buf_view(&b), str_of(expect));
    if (!same) printf("# %s\n", b.at);
    buf_free(&b);
    return same;
}

TEST(json_is_written_sorted_for_hashing_and_in_order_for_people)
{
    json_t *v = json_pack("{s:i, s:f, s:[i,i], s:{s:s}}", "b", 1, "a", 0.1, "list", 1, 2, "o", "k",
                          "x\"\n");
    EXPECT(writes_as(v, false, "{\"a\":0.1,\"b\":1,\"list\":[1,2],\"o\":{\"k\":\"x\\\"\\n\"}}"));
    EXPECT(writes_as(v, true,
                     "{\n  \"b\": 1,\n  \"a\": 0.1,\n  \"list\": [1, 2],\n  \"o\": {\n"
                     "    \"k\": \"x\\\"\\n\"\n  }\n}"));
    json_decref(v);
}

TEST(json_numbers_read_back_to_the_same_value_and_type)
{
    Err err = { 0 };
    const double x[] = { 0.1, 3, -0.0, 1e300, 5e-324, 1.0 / 3, 123456789012345680 };
    for (int i = 0; i < COUNT(x); i++) {
        Buf b = { 0 };
        json_t *v = json_real(x[i]);
        json_write(v, false, &b);
        json_t *back = json_read(buf_view(&b), "it", &err);
        EXPECT_MSG(json_is_real(back) && json_real_value(back) == x[i], "%s", b.at);
        json_decref(v);
        json_decref(back);
        buf_free(&b);
    }
    json_t *v = json_read(STR("9007199254740993"), "it", &err); /* not a double */
    EXPECT(json_integer_value(v) == 9007199254740993);
    json_decref(v);
    v = json_num_of((double)NAN);
    EXPECT(json_is_null(v));
    json_decref(v);
}

TEST(json_that_is_broken_is_refused_with_its_name_and_line)
{
    Err err = { 0 };
    EXPECT(!json_read(STR("{\n\"a\":\n}"), "plan.json", &err) && err.code == ERR_FORMAT);
    EXPECT_MSG(strstr(err.msg, "plan.json") && strstr(err.msg, "line 3"), "%s", err.msg);
    EXPECT(!json_read(STR(""), "x", &err) && !json_read(STR("[1] 2"), "x", &err));
}

TEST(json_text_takes_any_bytes_and_files_come_back)
{
    Err err = { 0 };
    char path[128];
    json_t *v = json_text((Str){ "a\0\xff\xC3\xA9", 5 });
    snprintf(path, sizeof(path), "%s/v.json", test_folder());
    EXPECT(json_write_file(path, v, &err));
    json_t *back = json_read_file(path, &err);
    EXPECT(json_equal(v, back) && json_string_length(back) == 7);
    json_decref(v);
    json_decref(back);
}

TEST(json_members_have_fallbacks)
{
    Err err = { 0 };
    json_t *v = json_read(STR("{\"i\":3,\"r\":2.5,\"s\":\"x\",\"n\":null,\"w\":4.0}"), "it", &err);
    EXPECT(json_num(v, "r", 0) == 2.5 && json_num(v, "i", 0) == 3 && json_num(v, "n", 7) == 7);
    EXPECT(json_int(v, "i", 0) == 3 && json_int(v, "w", 0) == 4 && json_int(v, "r", 9) == 9);
    EXPECT(strcmp(json_str(v, "s", ""), "x") == 0 && strcmp(json_str(v, "i", "none"), "none") == 0);
    EXPECT(json_num(NULL, "x", 5) == 5 && json_int(v, "absent", 6) == 6);
    json_decref(v);
}

TEST(clocks_go_forward_and_stamps_are_utc)
{
    char stamp[32];
    double a = clock_now(), cpu = clock_cpu();
    volatile double x = 0;
    for (int i = 0; i < 1000000; i++) x = x + 1;
    EXPECT(clock_now() > a && clock_cpu() > cpu);
    EXPECT(strcmp(clock_stamp(stamp, 1777896000), "2026-05-04T12:00:00Z") == 0);
    EXPECT(strcmp(clock_stamp(stamp, 0), "1970-01-01T00:00:00Z") == 0);
    EXPECT(clock_date() > 1.7e9);
}

TEST(one_signal_asks_to_stop_and_a_second_ctrl_c_ends_the_process)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        stop_install();
        bool before = stop_asked();
        raise(SIGTERM);
        bool after = stop_asked();
        stop_clear();
        stop_ask();
        if (before || !after || !stop_asked()) _exit(1);
        raise(SIGTERM); /* asks again, no more */
        raise(SIGINT);
        _exit(2);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    EXPECT_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 130, "status %x", status);
}

static int stderr_bytes_of(bool quiet, char *out, int cap)
{
    int pipe_fd[2];
    if (pipe(pipe_fd) != 0) return -1;
    int saved = dup(STDERR_FILENO);
    dup2(pipe_fd[1], STDERR_FILENO);
    progress_quiet(quiet);
    Progress p = progress_begin("reading", "documents", 100);
    p.begun -= 60, p.shown -= 60;
    progress_tick(&p, 50, "so far");
    progress_tick(&p, 51, "at once again");
    progress_end(&p);
    progress_quiet(false);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(pipe_fd[1]);
    int n = (int)read(pipe_fd[0], out, (size_t)cap - 1);
    out[MAX(n, 0)] = 0;
    close(pipe_fd[0]);
    return n;
}

TEST(progress_in_a_log_is_a_plain_line_now_and_then)
{
    char out[1000];
    EXPECT(stderr_bytes_of(true, out, sizeof(out)) == 0);
    EXPECT(stderr_bytes_of(false, out, sizeof(out)) > 0);
    EXPECT_MSG(
        strncmp(out, "reading: 50 of 100 documents, 0.83/s, 1 min 0 s left  so far\n", 999) == 0,
        "%s", out);
}

TEST(a_sparkline_rises_with_its_values_and_skips_what_is_not_finite)
{
    char out[64];
    const double rising[] = { 0, 1, 2, 3, 4, 5, 6, 7 };
    sparkline(rising, 8, 8, out, sizeof(out));
    EXPECT_MSG(strcmp(out, "▁▂▃▄▅▆▇█") == 0, "%s", out);
    sparkline(rising, 8, 2, out, sizeof(out));
    EXPECT_MSG(strcmp(out, "▁█") == 0, "%s", out);
    const double odd[] = { 1, (double)NAN, HUGE_VAL, 2 };
    sparkline(odd, 4, 9, out, sizeof(out));
    EXPECT_MSG(strcmp(out, "▁  █") == 0, "%s", out);
    const double flat[] = { 5, 5 };
    sparkline(flat, 2, 2, out, sizeof(out));
    EXPECT_MSG(strcmp(out, "▄▄") == 0, "%s", out);
    sparkline(rising, 8, 8, out, 8);
    EXPECT(strlen(out) == 6);
    sparkline(NULL, 0, 8, out, sizeof(out));
    EXPECT(out[0] == 0);
}
