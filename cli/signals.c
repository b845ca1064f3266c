/* SPDX-License-Identifier: MPL-2.0 */
/* SIGINT and SIGTERM as a flag and a readable descriptor. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t received;
static int wake_pipe[2] = {-1, -1};

static void on_signal(int number)
{
    int saved = errno;
    received = number;
    ssize_t n = write(wake_pipe[1], "", 1); /* full: already readable, which is all that matters */
    (void)n;
    errno = saved;
}

void cli_signals_install(void)
{
    struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART: calls return EINTR */
    if (pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        return; /* the flag and EINTR still work */
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

int cli_signal_fd(void)
{
    return wake_pipe[0];
}

int cli_signal(void)
{
    return received;
}
