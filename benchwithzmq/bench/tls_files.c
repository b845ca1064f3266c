/* SPDX-License-Identifier: MPL-2.0 */

/* Making a certificate with the command openssl: P-256, for 127.0.0.1 and localhost. */
#define _GNU_SOURCE
#include "tls_files.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peers.h"

#define PATH_SIZE 256

extern char **environ;

struct paths {
    char folder[PATH_SIZE], certificate[PATH_SIZE + 16], key[PATH_SIZE + 16];
};

static void make_folder(struct paths *paths)
{
    const char *base = getenv("TMPDIR");
    int size = snprintf(paths->folder, PATH_SIZE, "%s/zbench-XXXXXX", base != NULL ? base : "/tmp");
    if (size >= PATH_SIZE || mkdtemp(paths->folder) == NULL)
        fatal(EXIT_FAILED, "no temporary folder for a certificate: %s", strerror(errno));
    snprintf(paths->certificate, sizeof paths->certificate, "%s/cert.pem", paths->folder);
    snprintf(paths->key, sizeof paths->key, "%s/key.pem", paths->folder);
}

static void remove_folder(const struct paths *paths)
{
    unlink(paths->certificate);
    unlink(paths->key);
    rmdir(paths->folder);
}

/* What openssl says about its progress goes nowhere. */
static int run_silently(char *const arguments[])
{
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status = -1;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ) == 0)
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
    posix_spawn_file_actions_destroy(&actions);
    return status;
}

static int make_certificate(struct paths *paths)
{
    char *const arguments[] = {"openssl",
                               "req",
                               "-x509",
                               "-newkey",
                               "ec",
                               "-pkeyopt",
                               "ec_paramgen_curve:prime256v1",
                               "-nodes",
                               "-days",
                               "2",
                               "-subj",
                               "/CN=localhost",
                               "-addext",
                               "subjectAltName=IP:127.0.0.1,DNS:localhost",
                               "-keyout",
                               paths->key,
                               "-out",
                               paths->certificate,
                               NULL};
    return run_silently(arguments);
}

/* False: not there, or longer than anything expected. */
static bool read_text(const char *path, char text[TLS_PEM_SIZE])
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t size = fread(text, 1, TLS_PEM_SIZE - 1, file);
    bool whole = size > 0 && feof(file);
    fclose(file);
    text[size] = '\0';
    return whole;
}

void tls_files_make(struct tls_files *files)
{
    struct paths paths;

    make_folder(&paths);
    bool made = make_certificate(&paths) == 0 && read_text(paths.certificate, files->certificate) &&
                read_text(paths.key, files->key);
    remove_folder(&paths);
    if (!made)
        fatal(EXIT_FAILED, "the command openssl (1.1.1 or newer) made no certificate");
}
