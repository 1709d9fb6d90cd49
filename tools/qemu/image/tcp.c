// TCP for shell scripts, with buffers large enough to be fast under emulation (busybox nc copies 1 KiB at a time).
//   tcp HOST PORT                 standard input to the peer, the peer to standard output, until the peer is done
//   tcp -l PORT COMMAND [ARG...]  runs COMMAND for each caller, with the connection as standard input and output
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[256 << 10];

static int fail(const char* what)
{
    fprintf(stderr, "tcp: %s: %s\n", what, strerror(errno));
    return 1;
}

static int copy(int from, int to)
{
    ssize_t got = read(from, buffer, sizeof buffer);
    for (ssize_t done = 0; done < got;) {
        ssize_t put = write(to, buffer + done, (size_t)(got - done));
        if (put < 0) exit(fail("write"));
        done += put;
    }
    if (got < 0) exit(fail("read"));
    return got > 0;
}

static int talk(int wire)
{
    struct pollfd fds[2] = {{0, POLLIN, 0}, {wire, POLLIN, 0}};
    for (;;) {
        if (poll(fds, 2, 60000) <= 0) return fail("nothing for 60 s");
        if (fds[0].revents && !copy(0, wire)) {
            shutdown(wire, SHUT_WR);
            fds[0].fd = -1;
        }
        if (fds[1].revents && !copy(wire, 1)) return 0;
    }
}

static int serve(int wire, char** command)
{
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int caller = accept(wire, NULL, NULL);
        if (caller < 0) return fail("accept");
        if (fork() == 0) {
            signal(SIGCHLD, SIG_DFL);
            dup2(caller, 0);
            dup2(caller, 1);
            execvp(command[0], command);
            _exit(fail(command[0]));
        }
        close(caller);
    }
}

int main(int count, char** words)
{
    int listens = count > 3 && !strcmp(words[1], "-l");
    if (!listens && count != 3) {
        fprintf(stderr, "usage: tcp HOST PORT | tcp -l PORT COMMAND [ARG...]\n");
        return 2;
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(words[2]))};
    if (!listens && !inet_aton(words[1], &address.sin_addr)) {
        errno = EINVAL;
        return fail(words[1]);
    }
    int wire = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(wire, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (!listens) return connect(wire, (struct sockaddr*)&address, sizeof address) ? fail("connect") : talk(wire);
    if (bind(wire, (struct sockaddr*)&address, sizeof address) || listen(wire, 16)) return fail("listen");
    return serve(wire, words + 3);
}
