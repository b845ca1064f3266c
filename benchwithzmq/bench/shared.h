/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What the peers of one benchmark run share: a block of memory mapped before they are forked (or
 * before the threads are started), in which they meet, agree on the measured window and leave their
 * results.
 *
 * A run goes through its phases in this order, and never back:
 *   SETUP     sockets are opened, a first message passes on every connection;
 *   WARM      load runs, nothing is counted;
 *   MEASURE   every peer counts, from the moment it sees this phase;
 *   DRAIN     load stops, the senders say so with a last message, the receivers read up to it.
 */
#ifndef ZBENCH_SHARED_H
#define ZBENCH_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define MAX_PEERS 64
#define MAX_GROUPS 16
#define MAX_LINKS 2
#define ENDPOINT_SIZE 256

enum phase { PHASE_SETUP, PHASE_WARM, PHASE_MEASURE, PHASE_DRAIN };

/* What one peer did between its first look at MEASURE and its first look at DRAIN. */
struct peer_result {
    uint64_t messages;
    uint64_t elapsed_ns;
    uint64_t cpu_ns;
    long peak_rss_kb;
};

struct latency_result {
    uint64_t samples;
    double mean_us, p50_us, p90_us, p99_us, p999_us, max_us;
};

struct idle_result {
    double wakeups; /* context switches per second of silence, all threads, own sleep excluded */
    double cpu_us;  /* CPU time per second of silence */
};

/* Of one ROUTER with many connections. */
struct scale_result {
    uint32_t connections; /* wanted */
    _Atomic uint32_t failures;
    double connect_us;       /* until the first answer, per connection */
    double connection_bytes; /* private memory of the ROUTER's process, per idle connection */
};

/* Peers that talk to each other. */
struct group {
    _Atomic uint32_t bound[MAX_LINKS];
    _Atomic uint32_t done; /* receiving peers that have read every sender's last message */
    char endpoint[MAX_LINKS][ENDPOINT_SIZE]; /* valid once bound[link] is 1 */
};

struct shared {
    _Atomic uint32_t phase; /* enum phase; only ever grows */
    _Atomic uint32_t ready; /* receiving peers that have heard from every sender */
    _Atomic uint32_t step;  /* scale modes: how far the peer that conducts them has come */
    _Atomic uint32_t options_refused; /* optional socket options the library does not know */
    struct group group[MAX_GROUPS];
    struct peer_result peer[MAX_PEERS];
    struct latency_result latency;
    struct idle_result idle;
    struct scale_result scale;
    char version[16];
    char library[ENDPOINT_SIZE];
    char implementation[16];
};

/* Maps a zeroed block that stays common to all processes forked afterwards. Ends the program on
 * failure. */
struct shared *shared_create(void);

/* Adds one and wakes who waits for the counter. Returns the new value. */
uint32_t counter_add(_Atomic uint32_t *counter);

/* Raises the counter to `value` and wakes who waits for it. */
void counter_set(_Atomic uint32_t *counter, uint32_t value);

/* Sleeps until the counter is at least `target`; false when timeout_ms (negative: none) has passed
 * first. */
bool counter_wait(_Atomic uint32_t *counter, uint32_t target, int timeout_ms);

#endif
