/* fake_llm [SCRIPT [HEARD]] - the fake of both protocols (tests/fake_llm.h) as a server of its own.
 *
 * Prints its port and serves until its standard input ends.  SCRIPT is what the model "play" says,
 * step by step; every request's body is written to HEARD, a line each. */
#include "tests/fake_llm.h"

static const char *heard;

/* The file is written before the answer, so whoever was answered finds the question there. */
static void answer(Loopback *server, const char *request, int fd)
{
    FILE *f = heard ? fopen(heard, "a") : NULL;
    const char *body = strstr(request, "\r\n\r\n");
    if (f && body[4]) fprintf(f, "%s\n", body + 4);
    if (f) fclose(f);
    fake_llm(server, request, fd);
}

int main(int argc, char **argv)
{
    Err err = { 0 };
    FakeLlm fake = { 0 };
    Loopback server = { .answer = answer, .ctx = &fake };
    if (argc > 1 && !(fake.play = json_read_file(argv[1], &err))) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    heard = argc > 2 ? argv[2] : NULL;
    loopback_start(&server);
    printf("%d\n", server.port);
    fflush(stdout);
    while (getchar() != EOF) {
    }
    loopback_end(&server);
    json_decref(fake.play);
    return 0;
}
