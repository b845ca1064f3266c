/* SPDX-License-Identifier: MPL-2.0 */
/* Runs this program as a child process, and finds the libzmq to run it on. */
#define _GNU_SOURCE
#include "child.h"
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SONAME "libzmq.so.5"

/* Puts the library behind whatever is preloaded already: a sanitizer's runtime must stay first. */
static void set_preload(const char *library)
{
    const char *old = getenv("LD_PRELOAD");
    char *value = NULL;
    if (asprintf(&value, "%s%s%s", old ? old : "", old && *old ? ":" : "", library) >= 0)
        setenv("LD_PRELOAD", value, 1);
}

static void exec_child(const char *const argv[], const char *preload, bool quiet, int output)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(output, STDOUT_FILENO);
    int null = quiet ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;
    if (null >= 0)
        dup2(null, STDERR_FILENO);
    if (preload)
        set_preload(preload);
    execv("/proc/self/exe", (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* Reads until the end; a signal to us is passed on, once. */
static char *read_all(int fd, pid_t child)
{
    size_t capacity = 4096;
    size_t length = 0;
    char *text = cli_alloc(capacity);
    struct pollfd items[2] = {{.fd = fd, .events = POLLIN},
                              {.fd = cli_signal_fd(), .events = POLLIN}};
    for (;;) {
        if (poll(items, 2, -1) < 0 && errno != EINTR)
            break;
        if (cli_signal() && items[1].fd >= 0) {
            kill(child, SIGTERM);
            items[1].fd = -1;
        }
        if (!items[0].revents)
            continue;
        ssize_t n = read(fd, text + length, capacity - length - 1);
        if (n == 0 || (n < 0 && errno != EINTR))
            break;
        length += n > 0 ? (size_t)n : 0;
        if (capacity - length < 2)
            text = cli_realloc(text, capacity *= 2);
    }
    text[length] = '\0';
    return text;
}

int cli_child_run(const char *const argv[], const char *preload, bool quiet, char **output)
{
    int ends[2];
    int status;
    *output = NULL;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -errno;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        exec_child(argv, preload, quiet, ends[1]);
    close(ends[1]);
    if (child < 0) {
        int error = errno;
        close(ends[0]);
        return -error;
    }
    *output = read_all(ends[0], child);
    close(ends[0]);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Whether this program runs on the library, and the library is not ours. */
static bool is_stock(const char *path, char **name)
{
    const char *const argv[] = {"zlink", "--version", NULL};
    char *output;
    if (access(path, R_OK) != 0)
        return false;
    int rc = cli_child_run(argv, path, true, &output);
    bool stock = rc == CLI_OK && output && strncmp(output, "libzmq ", 7) == 0;
    if (stock)
        *name = strndup(output, strcspn(output, "\n"));
    free(output);
    return stock;
}

/* The first stock library that the loader's cache names. */
static char *search_cache(char **name)
{
    char *found = NULL;
    char *line = NULL;
    size_t capacity = 0;
    FILE *cache = popen("PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null", "re");
    while (cache && getline(&line, &capacity, cache) > 0) {
        char *path = strstr(line, "=> ");
        if (found || !path || !strstr(line, SONAME " "))
            continue;
        path += 3;
        path[strcspn(path, "\n")] = '\0';
        if (is_stock(path, name))
            found = strdup(path);
    }
    free(line);
    if (cache)
        pclose(cache);
    return found;
}

static char *search_folders(char **name)
{
    static const char *const patterns[] = {
        "/usr/lib/*/" SONAME,      "/usr/lib64/" SONAME, "/usr/lib/" SONAME,
        "/usr/local/lib*/" SONAME, "/lib/*/" SONAME,
    };
    char *found = NULL;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns && !found; i++) {
        glob_t paths;
        if (glob(patterns[i], 0, NULL, &paths) != 0)
            continue;
        for (size_t j = 0; j < paths.gl_pathc && !found; j++)
            if (is_stock(paths.gl_pathv[j], name))
                found = strdup(paths.gl_pathv[j]);
        globfree(&paths);
    }
    return found;
}

char *cli_child_find_libzmq(const char *given, char **name)
{
    if (given)
        return is_stock(given, name) ? strdup(given) : NULL;
    char *found = search_cache(name);
    return found ? found : search_folders(name);
}
