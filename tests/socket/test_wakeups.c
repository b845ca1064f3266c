/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 120 */
/*
 * Nobody sleeps beside a message. Threads, processes and one busy poller exchange messages in
 * bursts, wait in every way there is, and pause for 0 to 20 ms, so that whoever drives a socket
 * changes at all moments. A wake-up that is lost ends as an exchange that does not complete.
 */
#include "support/process.h"
#include "support/random.h"
#include "support/test_support.h"
#include "support/transports.h"
#include "support/ways.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { ROUNDS = 30, PAUSE_US = 20000 };

static void pause_sometimes(struct ts_random *random)
{
    if (ts_random_below(random, 4) == 0)
        ts_random_sleep(random, PAUSE_US);
}

static void receive_number(void *socket, uint32_t number, bool by_descriptor,
                           struct ts_random *random)
{
    zmq_msg_t message;
    uint32_t got;
    ts_ok(zmq_msg_init(&message));
    ts_check(ts_receive_somehow(socket, &message, by_descriptor, random));
    ts_check(zmq_msg_size(&message) >= sizeof got);
    memcpy(&got, zmq_msg_data(&message), sizeof got);
    ts_value(got, number);
    ts_ok(zmq_msg_close(&message));
}

static void send_number(void *socket, uint32_t number, size_t size)
{
    static const char padding[20000];
    zmq_msg_t message;
    ts_ok(zmq_msg_init_size(&message, sizeof number + size));
    memcpy(zmq_msg_data(&message), &number, sizeof number);
    memcpy((char *)zmq_msg_data(&message) + sizeof number, padding, size);
    ts_value(zmq_msg_send(&message, socket, 0), (long long)(sizeof number + size));
}

static void *context_with_threads(struct ts_random *random)
{
    void *context = ts_context();
    ts_ok(zmq_ctx_set(context, ZMQ_IO_THREADS, 1 + (int)ts_random_below(random, 4)));
    return context;
}

/* ---- Two sides that take turns ------------------------------------------------------------ */

struct side {
    void *socket;
    bool begins;
    bool by_descriptor;
    uint64_t shared; /* the stream that both sides know: sizes of the bursts */
    uint64_t own;    /* the stream for pauses and ways */
};

static void run_side(void *argument)
{
    struct side *side = argument;
    struct ts_random shared = ts_random_stream(side->shared), own = ts_random_stream(side->own);
    uint32_t sent = 0, received = 0;
    for (int turn = 0; turn < 2 * ROUNDS; ++turn) {
        uint32_t burst = ts_random_below(&shared, 3) ? 1 : 1 + ts_random_below(&shared, 200);
        bool sends = side->begins == (turn % 2 == 0);
        uint32_t size = ts_random_below(&own, 8) ? ts_random_below(&own, 100) : 20000;
        for (uint32_t n = 0; n < burst; ++n) {
            if (sends)
                send_number(side->socket, sent++, size);
            else
                receive_number(side->socket, received++, side->by_descriptor, &own);
        }
        pause_sometimes(&own);
    }
}

enum { PAIRS = 4 };

static void turns_between_threads(void **state)
{
    struct ts_random random = ts_random_stream(1);
    struct side sides[2 * PAIRS];
    struct ts_thread *threads[2 * PAIRS];
    void *context = context_with_threads(&random);
    for (int i = 0; i < 2 * PAIRS; i += 2) {
        for (int k = i; k <= i + 1; ++k)
            sides[k] = (struct side){.socket = ts_socket(context, ZMQ_PAIR),
                                     .begins = k == i,
                                     .by_descriptor = ts_random_below(&random, 2),
                                     .shared = 100 + (uint64_t)i,
                                     .own = 200 + (uint64_t)k};
        ts_pair_over(context, sides[i].socket, sides[i + 1].socket, *state);
    }
    for (int i = 0; i < 2 * PAIRS; ++i)
        threads[i] = ts_thread_start(run_side, &sides[i]);
    for (int i = 0; i < 2 * PAIRS; ++i) {
        ts_thread_join(threads[i]);
        ts_close(sides[i].socket);
    }
    ts_terminate(context);
}

struct remote {
    const char *transport;
    struct ts_address addresses[PAIRS];
};

/* The same sides as threads of a process of their own. */
static void run_far_sides(void *argument)
{
    struct remote *remote = argument;
    struct ts_random random = ts_random_stream(2);
    struct side sides[PAIRS];
    struct ts_thread *threads[PAIRS];
    void *context = context_with_threads(&random);
    for (int i = 0; i < PAIRS; ++i) {
        sides[i] = (struct side){.socket = ts_socket(context, ZMQ_PAIR),
                                 .by_descriptor = ts_random_below(&random, 2),
                                 .shared = 300 + (uint64_t)i,
                                 .own = 400 + (uint64_t)i};
        ts_connect_over(sides[i].socket, remote->transport, remote->addresses[i].endpoint);
        threads[i] = ts_thread_start(run_side, &sides[i]);
    }
    for (int i = 0; i < PAIRS; ++i) {
        ts_thread_join(threads[i]);
        ts_set_int(sides[i].socket, ZMQ_LINGER, -1);
        ts_close(sides[i].socket);
    }
    ts_terminate(context);
}

static void turns_between_processes(void **state)
{
    struct ts_random random = ts_random_stream(3);
    struct remote remote = {.transport = *state};
    struct side sides[PAIRS];
    struct ts_thread *threads[PAIRS];
    for (int i = 0; i < PAIRS; ++i)
        ts_address_reserve(&remote.addresses[i], *state);
    pid_t child = ts_child_start(run_far_sides, &remote);
    void *context = context_with_threads(&random);
    for (int i = 0; i < PAIRS; ++i) {
        sides[i] = (struct side){.socket = ts_socket(context, ZMQ_PAIR),
                                 .begins = true,
                                 .by_descriptor = ts_random_below(&random, 2),
                                 .shared = 300 + (uint64_t)i,
                                 .own = 500 + (uint64_t)i};
        ts_rebind_over(sides[i].socket, *state, remote.addresses[i].endpoint);
        threads[i] = ts_thread_start(run_side, &sides[i]);
    }
    for (int i = 0; i < PAIRS; ++i) {
        ts_thread_join(threads[i]);
        ts_close(sides[i].socket);
        ts_address_release(&remote.addresses[i]);
    }
    ts_child_join(child);
    ts_terminate(context);
}

/* ---- One poller for many sockets and descriptors ------------------------------------------- */

enum { CLIENTS = 12 };

struct client {
    void *socket;
    int bell; /* writing end of a pipe */
    uint64_t stream;
};

/* Asks by message, or by a byte through the pipe; the answer is a message either way. */
static void run_client(void *argument)
{
    struct client *client = argument;
    struct ts_random random = ts_random_stream(client->stream);
    for (uint32_t n = 0; n < ROUNDS; ++n) {
        if (ts_random_below(&random, 3) == 0)
            ts_value(write(client->bell, "!", 1), 1);
        else
            send_number(client->socket, n, ts_random_below(&random, 100));
        receive_number(client->socket, n, false, &random);
        pause_sometimes(&random);
    }
}

struct desk {
    void *sockets[CLIENTS];
    int bells[CLIENTS]; /* reading ends */
    uint32_t answered[CLIENTS];
};

static void answer(struct desk *desk, int i, const zmq_pollitem_t *message,
                   const zmq_pollitem_t *bell)
{
    char byte;
    if (message->revents & ZMQ_POLLIN)
        ts_ok(zmq_recv(desk->sockets[i], NULL, 0, ZMQ_DONTWAIT));
    else if (bell->revents & ZMQ_POLLIN)
        ts_value(read(desk->bells[i], &byte, 1), 1);
    else
        return;
    send_number(desk->sockets[i], desk->answered[i]++, 0);
}

static void serve(struct desk *desk, struct ts_random *random)
{
    zmq_pollitem_t items[2 * CLIENTS] = {{0}};
    for (int i = 0; i < CLIENTS; ++i) {
        items[i] = (zmq_pollitem_t){.socket = desk->sockets[i], .events = ZMQ_POLLIN};
        items[CLIENTS + i] = (zmq_pollitem_t){.fd = desk->bells[i], .events = ZMQ_POLLIN};
    }
    for (int left = CLIENTS * ROUNDS; left > 0;) {
        int timeout = ts_random_below(random, 2) ? TS_TIMEOUT_MS : (int)ts_random_below(random, 15);
        int ready = zmq_poll(items, 2 * CLIENTS, timeout);
        ts_check(ready > 0 || (ready == 0 && timeout < 15));
        for (int i = 0; ready > 0 && i < CLIENTS; ++i) {
            uint32_t before = desk->answered[i];
            answer(desk, i, &items[i], &items[CLIENTS + i]);
            left -= (int)(desk->answered[i] - before);
        }
        if (ts_random_below(random, 20) == 0)
            ts_random_sleep(random, PAUSE_US);
    }
}

static void many_sockets_and_descriptors(void **state)
{
    struct ts_random random = ts_random_stream(4);
    struct desk desk = {.answered = {0}};
    struct client clients[CLIENTS];
    struct ts_thread *threads[CLIENTS];
    void *context = context_with_threads(&random);
    for (int i = 0; i < CLIENTS; ++i) {
        int ends[2];
        ts_value(pipe(ends), 0);
        desk.bells[i] = ends[0];
        desk.sockets[i] = ts_socket(context, ZMQ_PAIR);
        clients[i] = (struct client){ts_socket(context, ZMQ_PAIR), ends[1], 600 + (uint64_t)i};
        ts_pair_over(context, desk.sockets[i], clients[i].socket, *state);
    }
    for (int i = 0; i < CLIENTS; ++i)
        threads[i] = ts_thread_start(run_client, &clients[i]);
    serve(&desk, &random);
    for (int i = 0; i < CLIENTS; ++i) {
        ts_thread_join(threads[i]);
        ts_close(desk.sockets[i]);
        ts_close(clients[i].socket);
        close(desk.bells[i]);
        close(clients[i].bell);
    }
    ts_terminate(context);
}

/* ---- No pause at all ------------------------------------------------------------------------ */

enum { EXCHANGES = TS_ROUNDS(20000, 3000), PLAYERS = 2 };

/* Each falls asleep just when the other one's answer comes. */
static void play(void *argument)
{
    struct side *side = argument;
    for (uint32_t n = 0; n < EXCHANGES; ++n) {
        uint32_t got;
        if (side->begins)
            ts_send_bytes(side->socket, &n, sizeof n, 0);
        ts_value(zmq_recv(side->socket, &got, sizeof got, 0), sizeof got);
        ts_value(got, n);
        if (!side->begins)
            ts_send_bytes(side->socket, &n, sizeof n, 0);
    }
}

static void exchanges_without_a_pause(void **state)
{
    struct side sides[2 * PLAYERS];
    struct ts_thread *threads[2 * PLAYERS];
    void *context = ts_context();
    for (int i = 0; i < 2 * PLAYERS; i += 2) {
        for (int k = i; k <= i + 1; ++k)
            sides[k] = (struct side){.socket = ts_socket(context, ZMQ_PAIR), .begins = k == i};
        ts_pair_over(context, sides[i].socket, sides[i + 1].socket, *state);
    }
    for (int i = 0; i < 2 * PLAYERS; ++i)
        threads[i] = ts_thread_start(play, &sides[i]);
    for (int i = 0; i < 2 * PLAYERS; ++i)
        ts_thread_join(threads[i]);
    for (int i = 0; i < 2 * PLAYERS; ++i)
        ts_close(sides[i].socket);
    ts_terminate(context);
}

/* ---- One ROUTER, clients that come and go in bursts ----------------------------------------- */

struct asker {
    void *socket;
    uint64_t stream;
    bool by_descriptor;
};

enum { ASKERS = 6 };

static void run_asker(void *argument)
{
    struct asker *asker = argument;
    struct ts_random random = ts_random_stream(asker->stream);
    uint32_t sent = 0, received = 0;
    while (received < 4 * ROUNDS) {
        uint32_t burst = ts_random_below(&random, 4) ? 1 : 1 + ts_random_below(&random, 20);
        for (; burst > 0 && sent < 4 * ROUNDS; --burst)
            send_number(asker->socket, sent++, ts_random_below(&random, 300));
        while (received < sent)
            receive_number(asker->socket, received++, asker->by_descriptor, &random);
        pause_sometimes(&random);
    }
}

/* Gives each message back to whom it came from. */
static void answer_all(void *router, bool by_descriptor, struct ts_random *random)
{
    zmq_msg_t id, body;
    ts_ok(zmq_msg_init(&id));
    ts_ok(zmq_msg_init(&body));
    for (int left = ASKERS * 4 * ROUNDS; left > 0; --left) {
        ts_check(ts_receive_somehow(router, &id, by_descriptor, random));
        ts_ok(zmq_msg_recv(&body, router, ZMQ_DONTWAIT));
        ts_ok(zmq_msg_send(&id, router, ZMQ_SNDMORE));
        ts_ok(zmq_msg_send(&body, router, 0));
        if (ts_random_below(random, 50) == 0)
            ts_random_sleep(random, PAUSE_US);
    }
    ts_ok(zmq_msg_close(&id));
    ts_ok(zmq_msg_close(&body));
}

static void many_askers_of_one_router(void **state)
{
    struct ts_random random = ts_random_stream(6);
    char endpoint[TS_ENDPOINT_MAX];
    struct asker askers[ASKERS];
    struct ts_thread *threads[ASKERS];
    void *context = context_with_threads(&random);
    void *router = ts_socket(context, ZMQ_ROUTER);
    ts_set_int(router, ZMQ_ROUTER_MANDATORY, 1);
    ts_bind_over(router, *state, endpoint);
    for (int i = 0; i < ASKERS; ++i) {
        askers[i] = (struct asker){ts_socket(context, ZMQ_DEALER), 800 + (uint64_t)i,
                                   ts_random_below(&random, 3) == 0};
        ts_connect_over(askers[i].socket, *state, endpoint);
        threads[i] = ts_thread_start(run_asker, &askers[i]);
    }
    answer_all(router, ts_random_below(&random, 2), &random);
    for (int i = 0; i < ASKERS; ++i) {
        ts_thread_join(threads[i]);
        ts_close(askers[i].socket);
    }
    ts_close(router);
    ts_terminate(context);
}

/* ---- Senders that wait for room ------------------------------------------------------------- */

enum { STREAMS = 4, STREAMED = 400, STREAM_PART = 4000 };

struct stream {
    void *ends[2]; /* sender, receiver */
    uint64_t number;
    bool by_descriptor[2];
};

static void send_stream(void *argument)
{
    struct stream *stream = argument;
    struct ts_random random = ts_random_stream(stream->number);
    for (uint32_t n = 0; n < STREAMED; ++n) {
        zmq_msg_t message;
        ts_ok(zmq_msg_init_size(&message, sizeof n + ts_random_below(&random, STREAM_PART)));
        memset(zmq_msg_data(&message), 0, zmq_msg_size(&message));
        memcpy(zmq_msg_data(&message), &n, sizeof n);
        ts_check(ts_send_somehow(stream->ends[0], &message, stream->by_descriptor[0], &random));
        if (ts_random_below(&random, 100) == 0)
            ts_random_sleep(&random, PAUSE_US);
    }
}

static void receive_stream(void *argument)
{
    struct stream *stream = argument;
    struct ts_random random = ts_random_stream(50 + stream->number);
    for (uint32_t n = 0; n < STREAMED; ++n) {
        receive_number(stream->ends[1], n, stream->by_descriptor[1], &random);
        if (ts_random_below(&random, 40) == 0)
            ts_random_sleep(&random, PAUSE_US);
    }
}

/* Low marks and small buffers: the sender is stopped all the time, by one or the other. */
static void senders_wait_for_room(void **state)
{
    struct ts_random random = ts_random_stream(7);
    struct stream streams[STREAMS];
    struct ts_thread *threads[2 * STREAMS];
    void *context = context_with_threads(&random);
    for (int i = 0; i < STREAMS; ++i) {
        streams[i].number = 900 + (uint64_t)i;
        for (int end = 0; end < 2; ++end) {
            void *socket = streams[i].ends[end] = ts_socket(context, end ? ZMQ_PULL : ZMQ_PUSH);
            ts_set_int(socket, ZMQ_SNDBUF, 16384);
            ts_set_int(socket, ZMQ_RCVBUF, 16384);
            ts_set_int(socket, ZMQ_SNDHWM, 1 + (int)ts_random_below(&random, 10));
            ts_set_int(socket, ZMQ_RCVHWM, 1 + (int)ts_random_below(&random, 10));
            streams[i].by_descriptor[end] = ts_random_below(&random, 3) == 0;
        }
        ts_pair_over(context, streams[i].ends[1], streams[i].ends[0], *state);
    }
    for (int i = 0; i < STREAMS; ++i) {
        threads[2 * i] = ts_thread_start(send_stream, &streams[i]);
        threads[2 * i + 1] = ts_thread_start(receive_stream, &streams[i]);
    }
    for (int i = 0; i < 2 * STREAMS; ++i)
        ts_thread_join(threads[i]);
    for (int i = 0; i < STREAMS; ++i) {
        ts_close(streams[i].ends[0]);
        ts_close(streams[i].ends[1]);
    }
    ts_terminate(context);
}

/* ---- Sockets that go from thread to thread -------------------------------------------------- */

enum { MOVERS = 4, MOVED = 6, MOVES = 250 };

/* Both ends of a connection; the lock is the fence that programs use to pass a socket on. */
struct moved {
    pthread_mutex_t lock;
    void *ends[2];
    uint32_t sent[2], received[2]; /* by end */
};

static struct moved moved[MOVED];

/* Sends or receives at one end; a receive only for what the other end has sent. */
static void move_once(struct moved *pair, struct ts_random *random)
{
    int end = (int)ts_random_below(random, 2);
    uint32_t waiting = pair->sent[!end] - pair->received[end];
    if (waiting == 0 || (waiting < 100 && ts_random_below(random, 2))) {
        uint32_t burst = ts_random_below(random, 4) ? 1 : ts_random_below(random, 50);
        while (burst-- > 0)
            send_number(pair->ends[end], pair->sent[end]++, ts_random_below(random, 200));
    } else {
        uint32_t burst = 1 + ts_random_below(random, waiting);
        while (burst-- > 0)
            receive_number(pair->ends[end], pair->received[end]++, false, random);
    }
}

static void move_around(void *argument)
{
    struct ts_random random = ts_random_stream(*(uint64_t *)argument);
    for (int n = 0; n < MOVES; ++n) {
        struct moved *pair = &moved[ts_random_below(&random, MOVED)];
        pthread_mutex_lock(&pair->lock);
        move_once(pair, &random);
        pthread_mutex_unlock(&pair->lock);
        if (ts_random_below(&random, 20) == 0)
            ts_random_sleep(&random, PAUSE_US);
    }
}

static void sockets_change_threads(void **state)
{
    struct ts_random random = ts_random_stream(5);
    uint64_t streams[MOVERS];
    struct ts_thread *threads[MOVERS];
    void *context = context_with_threads(&random);
    for (int i = 0; i < MOVED; ++i) {
        memset(&moved[i], 0, sizeof moved[i]);
        pthread_mutex_init(&moved[i].lock, NULL);
        for (int end = 0; end < 2; ++end)
            moved[i].ends[end] = ts_socket(context, ZMQ_PAIR);
        ts_pair_over(context, moved[i].ends[0], moved[i].ends[1], *state);
    }
    for (int i = 0; i < MOVERS; ++i) {
        streams[i] = 700 + (uint64_t)i;
        threads[i] = ts_thread_start(move_around, &streams[i]);
    }
    for (int i = 0; i < MOVERS; ++i)
        ts_thread_join(threads[i]);
    for (int i = 0; i < MOVED; ++i) {
        for (int end = 0; end < 2; ++end)
            while (moved[i].received[end] < moved[i].sent[!end])
                receive_number(moved[i].ends[end], moved[i].received[end]++, false, &random);
        ts_close(moved[i].ends[0]);
        ts_close(moved[i].ends[1]);
        pthread_mutex_destroy(&moved[i].lock);
    }
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_EVERYTHING(turns_between_threads),     TS_ON_EVERYTHING(many_sockets_and_descriptors),
        TS_ON_EVERYTHING(exchanges_without_a_pause), TS_ON_EVERYTHING(many_askers_of_one_router),
        TS_ON_EVERYTHING(senders_wait_for_room),     TS_ON_EVERYTHING(sockets_change_threads),
        TS_ON_CONNECTIONS(turns_between_processes),
    };
    ts_seed();
    return TS_RUN_ON_ONE_CPU_TOO(tests);
}
