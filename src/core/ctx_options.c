/* SPDX-License-Identifier: MPL-2.0 */
/* Context options: one table row per option. */
#include "core/ctx_options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row;

typedef int row_set(struct zl_ctx_options *options, int value);
typedef int row_get(const struct zl_ctx_options *options, const struct row *row);

enum kind { KIND_NONE, KIND_INT, KIND_BOOL, KIND_SPECIAL };

/* A plain row stores an int of at least `min` (as a bool, when its kind says so) at `offset`. The
 * two functions take the place of that where it does not fit; a special row has no storage of its
 * own, and whatever function it lacks is an operation it does not allow. */
struct row {
    enum kind kind;
    size_t offset;
    int min;
    int initial;
    row_set *set;
    row_get *get;
};

bool zl_cpu_set_contains(const struct zl_cpu_set *set, int cpu)
{
    if (cpu < 0 || cpu >= ZL_CTX_CPUS_MAX)
        return false;
    return (set->bits[cpu / CHAR_BIT] >> (cpu % CHAR_BIT)) & 1u;
}

bool zl_cpu_set_is_empty(const struct zl_cpu_set *set)
{
    static const struct zl_cpu_set empty;
    return memcmp(set->bits, empty.bits, sizeof(empty.bits)) == 0;
}

static int add_cpu(struct zl_ctx_options *options, int cpu)
{
    if (cpu < 0 || cpu >= ZL_CTX_CPUS_MAX)
        return -EINVAL;
    options->cpus.bits[cpu / CHAR_BIT] |= (unsigned char)(1u << (cpu % CHAR_BIT));
    return 0;
}

static int remove_cpu(struct zl_ctx_options *options, int cpu)
{
    if (!zl_cpu_set_contains(&options->cpus, cpu))
        return -EINVAL;
    options->cpus.bits[cpu / CHAR_BIT] &= (unsigned char)~(1u << (cpu % CHAR_BIT));
    return 0;
}

static int set_thread_priority(struct zl_ctx_options *options, int value)
{
    if (value < 0)
        return -EINVAL;
    options->thread_priority = value;
    return 0;
}

static int set_thread_name_prefix(struct zl_ctx_options *options, int value)
{
    snprintf(options->thread_name_prefix, sizeof(options->thread_name_prefix), "%d", value);
    return 0;
}

/* The prefix as the number it may have been set from; 0 when it is not one. */
static int get_thread_name_prefix(const struct zl_ctx_options *options, const struct row *row)
{
    (void)row;
    long value = strtol(options->thread_name_prefix, NULL, 10);
    return value >= INT_MIN && value <= INT_MAX ? (int)value : 0;
}

static int get_constant(const struct zl_ctx_options *options, const struct row *row)
{
    (void)options;
    return row->initial;
}

#define AT(field) offsetof(struct zl_ctx_options, field)

/* Indexed by option number; a number that is not listed is of KIND_NONE. ZMQ_THREAD_PRIORITY and
 * ZMQ_SOCKET_LIMIT share a number: to set it is the one, to read it the other. */
/* clang-format off */
static const struct row rows[] = {
    [ZMQ_IO_THREADS]          = {KIND_INT,  AT(io_threads),  0, .initial = ZMQ_IO_THREADS_DFLT},
    [ZMQ_MAX_SOCKETS]         = {KIND_INT,  AT(max_sockets), 1, .initial = ZMQ_MAX_SOCKETS_DFLT},
    [ZMQ_SOCKET_LIMIT]        = {KIND_SPECIAL, .initial = ZL_CTX_SOCKET_LIMIT,
                                 .set = set_thread_priority, .get = get_constant},
    [ZMQ_THREAD_SCHED_POLICY] = {KIND_INT,  AT(thread_sched_policy), 0,
                                 .initial = ZMQ_THREAD_SCHED_POLICY_DFLT},
    [ZMQ_MAX_MSGSZ]           = {KIND_INT,  AT(max_msgsz), 0, .initial = INT_MAX},
    [ZMQ_MSG_T_SIZE]          = {KIND_SPECIAL, .initial = (int)sizeof(zmq_msg_t),
                                 .get = get_constant},
    [ZMQ_THREAD_AFFINITY_CPU_ADD]    = {KIND_SPECIAL, .set = add_cpu},
    [ZMQ_THREAD_AFFINITY_CPU_REMOVE] = {KIND_SPECIAL, .set = remove_cpu},
    [ZMQ_THREAD_NAME_PREFIX]  = {KIND_SPECIAL, .set = set_thread_name_prefix,
                                 .get = get_thread_name_prefix},
    [ZMQ_ZERO_COPY_RECV]      = {KIND_BOOL, AT(zero_copy_recv), 0, .initial = 1},
    [ZMQ_IPV6]                = {KIND_BOOL, AT(ipv6),           0, .initial = 0},
    [ZMQ_BLOCKY]              = {KIND_BOOL, AT(blocky),         0, .initial = 1},
};
/* clang-format on */

static const struct row *find_row(int option)
{
    if (option < 0 || (size_t)option >= sizeof(rows) / sizeof(rows[0]))
        return NULL;
    return rows[option].kind == KIND_NONE ? NULL : &rows[option];
}

static void store(struct zl_ctx_options *options, const struct row *row, int value)
{
    char *field = (char *)options + row->offset;
    if (row->kind == KIND_BOOL)
        *(bool *)(void *)field = value != 0;
    else
        *(int *)(void *)field = value;
}

static int load(const struct zl_ctx_options *options, const struct row *row)
{
    const char *field = (const char *)options + row->offset;
    if (row->kind == KIND_BOOL)
        return *(const bool *)(const void *)field;
    return *(const int *)(const void *)field;
}

void zl_ctx_options_init(struct zl_ctx_options *options)
{
    memset(options, 0, sizeof(*options));
    options->thread_priority = ZMQ_THREAD_PRIORITY_DFLT;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].kind == KIND_INT || rows[i].kind == KIND_BOOL)
            store(options, &rows[i], rows[i].initial);
    }
}

int zl_ctx_options_set(struct zl_ctx_options *options, int option, int value)
{
    const struct row *row = find_row(option);
    if (!row)
        return -EINVAL;
    if (row->kind == KIND_SPECIAL)
        return row->set ? row->set(options, value) : -EINVAL;
    if (value < row->min)
        return -EINVAL;
    store(options, row, value);
    return 0;
}

int zl_ctx_options_get(const struct zl_ctx_options *options, int option, int *value)
{
    const struct row *row = find_row(option);
    if (!row || (row->kind == KIND_SPECIAL && !row->get))
        return -EINVAL;
    *value = row->get ? row->get(options, row) : load(options, row);
    return 0;
}

static int set_thread_name_text(struct zl_ctx_options *options, const char *text, size_t size)
{
    if (size == 0 || size > ZL_CTX_THREAD_NAME_PREFIX_MAX)
        return -EINVAL;
    memset(options->thread_name_prefix, 0, sizeof(options->thread_name_prefix));
    memcpy(options->thread_name_prefix, text, size);
    return 0;
}

int zl_ctx_options_set_ext(struct zl_ctx_options *options, int option, const void *value,
                           size_t size)
{
    int number;
    if (!value)
        return -EINVAL;
    if (size == sizeof(number)) {
        memcpy(&number, value, sizeof(number));
        return zl_ctx_options_set(options, option, number);
    }
    return option == ZMQ_THREAD_NAME_PREFIX ? set_thread_name_text(options, value, size) : -EINVAL;
}

int zl_ctx_options_get_ext(const struct zl_ctx_options *options, int option, void *value,
                           const size_t *size)
{
    if (!value || !size)
        return -EINVAL;
    if (option == ZMQ_THREAD_NAME_PREFIX) {
        size_t length = strlen(options->thread_name_prefix);
        if (*size < length)
            return -EINVAL;
        memcpy(value, options->thread_name_prefix, length);
        return 0;
    }
    int number;
    if (*size != sizeof(number))
        return -EINVAL;
    int rc = zl_ctx_options_get(options, option, &number);
    if (rc == 0)
        memcpy(value, &number, sizeof(number));
    return rc;
}
