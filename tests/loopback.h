/* loopback.h - a small HTTP server on 127.0.0.1 inside a test: one request to a connection,
 * answered by a function of the test in a thread of its own. */
#ifndef TESTS_LOOPBACK_H
#define TESTS_LOOPBACK_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct Loopback Loopback;
struct Loopback {
    /* Gets the whole request (NUL-terminated) and writes the whole answer to `fd`. */
    void (*answer)(Loopback *server, const char *request, int fd);
    void *ctx;
    int port, requests; /* how many were answered */
    int listener;
    pthread_t thread;
};

/* Writes all of it, or gives up quietly where the client has left. */
static inline void loopback_write(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n <= 0) return;
        at += n, len -= (size_t)n;
    }
}

/* A whole answer with its length. */
static inline void loopback_reply(int fd, const char *status, const char *headers, const char *body)
{
    char head[1024];
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 %s\r\n%scontent-length: %zu\r\nconnection: close\r\n\r\n", status,
                     headers, strlen(body));
    loopback_write(fd, head, (size_t)n);
    loopback_write(fd, body, strlen(body));
}

/* Head and as much body as content-length says, up to 16 MB; malloc'ed, NULL if it was cut. */
static inline char *loopback_read(int fd)
{
    size_t cap = 1 << 16, len = 0, want = 0;
    char *text = malloc(cap);
    for (;;) {
        if (len + 1 == cap) text = realloc(text, cap *= 2);
        ssize_t n = recv(fd, text + len, cap - 1 - len, 0);
        if (n <= 0 || len > 16u << 20) break;
        len += (size_t)n;
        text[len] = '\0';
        char *end = strstr(text, "\r\n\r\n");
        if (!end) continue;
        char *length = strcasestr(text, "\r\ncontent-length:");
        want = (size_t)(end + 4 - text) +
               (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
        if (len >= want) return text;
    }
    free(text);
    return NULL;
}

static inline void *loopback_serve(void *arg)
{
    Loopback *s = arg;
    for (int fd; (fd = accept(s->listener, NULL, NULL)) >= 0 || errno == EINTR;) {
        if (fd < 0) continue;
        char *request = loopback_read(fd);
        if (request) {
            s->requests++;
            s->answer(s, request, fd);
        }
        free(request);
        shutdown(fd, SHUT_RDWR);
        close(fd);
    }
    return NULL;
}

static inline void loopback_start(Loopback *s)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof at;
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&at, sizeof at) != 0 ||
        listen(s->listener, 16) != 0 ||
        getsockname(s->listener, (struct sockaddr *)&at, &size) != 0) {
        perror("loopback");
        exit(1);
    }
    s->port = ntohs(at.sin_port);
    pthread_create(&s->thread, NULL, loopback_serve, s);
}

static inline void loopback_end(Loopback *s)
{
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
}

#endif
