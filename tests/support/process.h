/* SPDX-License-Identifier: MPL-2.0 */
/* Child processes, processors, and what the process uses of the machine. */
#ifndef TESTS_SUPPORT_PROCESS_H
#define TESTS_SUPPORT_PROCESS_H

#include "support/test_support.h"

#include <sys/types.h>

/* Runs function(argument) in a forked child, which ends when it returns. A failed assertion ends
 * the child, and it dies with its parent. Fork before the process has a context with threads: the
 * thread sanitizer insists on that. */
pid_t ts_child_start_at(void (*function)(void *), void *argument, const char *file, int line);
#define ts_child_start(function, argument)                                                         \
    ts_child_start_at((function), (argument), __FILE__, __LINE__)
/* Waits for its end, which must be a success. */
void ts_child_join_at(pid_t child, const char *file, int line);
#define ts_child_join(child) ts_child_join_at((child), __FILE__, __LINE__)
/* Kills it with SIGKILL; fails when it has ended before. */
void ts_child_kill_at(pid_t child, const char *file, int line);
#define ts_child_kill(child) ts_child_kill_at((child), __FILE__, __LINE__)

/* Memory that children share with their parent, zeroed. */
void *ts_shared_memory(size_t size);

/* Runs the tests in a copy of this program that may use one processor only, then here. */
#define TS_RUN_ON_ONE_CPU_TOO(tests) (ts_run_copy_on_one_cpu() | TS_RUN(tests))
/* 0 when the copy has succeeded, or this is the copy. */
int ts_run_copy_on_one_cpu(void);

size_t ts_resident_bytes(void);
size_t ts_virtual_bytes(void);
int ts_open_descriptors(void);
/* Raises the soft limit to `wanted` if the hard one allows; returns the limit there is. */
long ts_want_descriptors(long wanted);

#endif
