/* SPDX-License-Identifier: MPL-2.0 */
/* Child processes, processors, and what the process uses of the machine. */
#define _GNU_SOURCE
#include "support/process.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t ts_child_start_at(void (*function)(void *), void *argument, const char *file, int line)
{
    fflush(NULL);
    pid_t parent = getpid(), child = fork();
    if (child == -1)
        ts_fail_at(file, line, "fork: %s", strerror(errno));
    if (child > 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    ts_enter_child();
    function(argument);
    fflush(NULL);
    _exit(0);
}

void ts_child_join_at(pid_t child, const char *file, int line)
{
    int status;
    if (waitpid(child, &status, 0) != child)
        ts_fail_at(file, line, "waitpid: %s", strerror(errno));
    if (WIFSIGNALED(status))
        ts_fail_at(file, line, "a child ended with signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        ts_fail_at(file, line, "a child ended with status %d", WEXITSTATUS(status));
}

void ts_child_kill_at(pid_t child, const char *file, int line)
{
    int status;
    kill(child, SIGKILL);
    if (waitpid(child, &status, 0) != child)
        ts_fail_at(file, line, "waitpid: %s", strerror(errno));
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        ts_fail_at(file, line, "a child had ended by itself, status %x", status);
}

void *ts_shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ts_check(memory != MAP_FAILED);
    return memory;
}

static void keep_one_cpu(void)
{
    cpu_set_t allowed, one;
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
        int cpu = 0;
        while (cpu < CPU_SETSIZE && !CPU_ISSET(cpu, &allowed))
            ++cpu;
        CPU_SET(cpu, &one);
        sched_setaffinity(0, sizeof one, &one);
    }
}

int ts_run_copy_on_one_cpu(void)
{
    int status;
    if (getenv("TS_ONE_CPU"))
        return 0;
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        keep_one_cpu();
        setenv("TS_ONE_CPU", "1", 1);
        execl("/proc/self/exe", "one-cpu", (char *)NULL);
        _exit(127);
    }
    return child == -1 || waitpid(child, &status, 0) != child || status != 0;
}

static size_t statm(int field)
{
    long pages[2] = {0, 0};
    FILE *file = fopen("/proc/self/statm", "r");
    ts_check(file != NULL);
    ts_value(fscanf(file, "%ld %ld", &pages[0], &pages[1]), 2);
    fclose(file);
    return (size_t)pages[field] * (size_t)sysconf(_SC_PAGESIZE);
}

size_t ts_virtual_bytes(void)
{
    return statm(0);
}

size_t ts_resident_bytes(void)
{
    return statm(1);
}

int ts_open_descriptors(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    ts_check(directory != NULL);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count - 1; /* the directory's own */
}

long ts_want_descriptors(long wanted)
{
    struct rlimit limit;
    ts_value(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < (rlim_t)wanted) {
        limit.rlim_cur = limit.rlim_max < (rlim_t)wanted ? limit.rlim_max : (rlim_t)wanted;
        ts_value(setrlimit(RLIMIT_NOFILE, &limit), 0);
    }
    return limit.rlim_cur > (rlim_t)wanted ? wanted : (long)limit.rlim_cur;
}
