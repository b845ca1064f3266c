/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 120 */
/*
 * One publisher, many subscribers: at full flow, with one that never reads, and with long messages.
 * The readers acknowledge, so that no high-water mark is reached and they must get everything.
 */
#include "support/process.h"
#include "support/test_support.h"
#include "support/transports.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Two windows fit below the mark; a reader that stalls loses, as nothing on its way is large. */
enum { MANY = TS_ROUNDS(64, 32), WINDOW = 200, MARK = 500, STALLED_MARK = 50, SMALL_BUFFER = 8192 };

struct stage {
    void *context, *publisher;
    void *readers[MANY];
    void *acknowledgements[2]; /* the publisher's end, the readers' end */
    int count;                 /* of the readers */
    int messages;
    char endpoint[TS_ENDPOINT_MAX];
};

static void *subscribe(struct stage *stage, const char *transport, int mark)
{
    void *socket = ts_socket(stage->context, ZMQ_SUB);
    ts_set_int(socket, ZMQ_RCVHWM, mark);
    if (mark == STALLED_MARK)
        ts_set_int(socket, ZMQ_RCVBUF, SMALL_BUFFER);
    ts_set_text(socket, ZMQ_SUBSCRIBE, "");
    ts_connect_over(socket, transport, stage->endpoint);
    ts_recv_bytes(stage->publisher, "\1", 1, false); /* reported because of VERBOSE */
    return socket;
}

/* XPUB, as it tells when a subscription has arrived. */
static void open_stage(struct stage *stage, const char *transport, int count)
{
    stage->context = ts_context();
    stage->count = count;
    stage->publisher = ts_socket(stage->context, ZMQ_XPUB);
    ts_set_int(stage->publisher, ZMQ_XPUB_VERBOSE, 1);
    ts_set_int(stage->publisher, ZMQ_SNDHWM, MARK);
    ts_set_int(stage->publisher, ZMQ_SNDBUF, 8 * SMALL_BUFFER);
    ts_bind_over(stage->publisher, transport, stage->endpoint);
    for (int i = 0; i < count; ++i)
        stage->readers[i] = subscribe(stage, transport, MARK);
    for (int i = 0; i < 2; ++i)
        stage->acknowledgements[i] = ts_socket(stage->context, ZMQ_PAIR);
    ts_connect_pair(stage->context, stage->acknowledgements[0], stage->acknowledgements[1],
                    "inproc");
}

static void close_stage(struct stage *stage)
{
    for (int i = 0; i < stage->count; ++i)
        ts_close(stage->readers[i]);
    ts_close(stage->acknowledgements[0]);
    ts_close(stage->acknowledgements[1]);
    ts_close(stage->publisher);
    ts_terminate(stage->context);
}

/* ---- Full flow ------------------------------------------------------------------------------ */

static size_t size_of(int number)
{
    return number % 50 == 7 ? 9000 : (size_t)number % 200;
}

static void publish(void *publisher, int number)
{
    static unsigned char body[9000];
    ts_pattern(body, size_of(number), (uint32_t)number);
    ts_send_bytes(publisher, &number, sizeof number, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    ts_send_bytes(publisher, body, size_of(number), ZMQ_DONTWAIT);
}

static int receive_published(void *socket)
{
    unsigned char body[9001];
    int number = -1;
    ts_value(zmq_recv(socket, &number, sizeof number, 0), sizeof number);
    ts_value(ts_more(socket), 1);
    size_t size = (size_t)ts_ok(zmq_recv(socket, body, sizeof body, 0));
    ts_value((long long)size, (long long)size_of(number));
    ts_value(ts_more(socket), 0);
    ts_check(ts_pattern_ok(body, size, (uint32_t)number));
    return number;
}

/* At most two windows are on their way to the slowest reader. DONTWAIT: never stopped. */
static void publish_all(void *argument)
{
    struct stage *stage = argument;
    for (int n = 0; n < stage->messages; ++n) {
        if (n % WINDOW == 0 && n >= 2 * WINDOW)
            ts_recv(stage->acknowledgements[0], "window");
        publish(stage->publisher, n);
    }
    ts_recv(stage->acknowledgements[0], "window");
    ts_recv(stage->acknowledgements[0], "window");
}

/* Readers take what is there as it comes, in any order among them. */
static void read_all(struct stage *stage)
{
    int next[MANY] = {0};
    zmq_pollitem_t items[MANY];
    for (int i = 0; i < stage->count; ++i)
        items[i] = (zmq_pollitem_t){.socket = stage->readers[i], .events = ZMQ_POLLIN};
    for (int acknowledged = 0; acknowledged < stage->messages;) {
        ts_check(zmq_poll(items, stage->count, TS_TIMEOUT_MS) > 0);
        int slowest = stage->messages;
        for (int i = 0; i < stage->count; ++i) {
            if (items[i].revents)
                ts_value(receive_published(stage->readers[i]), next[i]++);
            slowest = next[i] < slowest ? next[i] : slowest;
        }
        for (; slowest >= acknowledged + WINDOW; acknowledged += WINDOW)
            ts_send(stage->acknowledgements[1], "window", 0);
    }
}

/* What the stalled one still gets is whole and in order; it has lost something. */
static void drain_stalled(void *stalled, int messages)
{
    int last = -1, count = 0;
    zmq_pollitem_t item = {.socket = stalled, .events = ZMQ_POLLIN};
    ts_wait_readable(stalled);
    do {
        int number = receive_published(stalled);
        ts_check(number > last && number < messages);
        last = number;
        ++count;
    } while (zmq_poll(&item, 1, 0) == 1);
    ts_check(count > 0 && count < messages);
}

static void run_flow(const char *transport, int readers, int messages)
{
    struct stage stage = {.messages = messages};
    open_stage(&stage, transport, readers);
    void *stalled = subscribe(&stage, transport, STALLED_MARK);
    struct ts_thread *thread = ts_thread_start(publish_all, &stage);
    read_all(&stage);
    ts_thread_join(thread);
    drain_stalled(stalled, messages);
    ts_close(stalled);
    close_stage(&stage);
}

static void eight_read_while_one_does_not(void **state)
{
    run_flow(*state, 7, TS_ROUNDS(20000, 4000));
}

static void many_read_while_one_does_not(void **state)
{
    run_flow(*state, MANY - 1, TS_ROUNDS(4000, 2000));
}

/* ---- Long messages to everybody --------------------------------------------------------------- */

static atomic_int released;

static void release(void *data, void *hint)
{
    (void)hint;
    free(data);
    atomic_fetch_add(&released, 1);
}

/* The content is shared by all: it must live until the last one has it, and be freed once. */
static void long_message_reaches_all(void **state)
{
    static const size_t sizes[] = {8191, 8192, 8193, 100000, 1 << 20};
    struct stage stage = {.messages = 0};
    open_stage(&stage, *state, MANY);
    atomic_store(&released, 0);
    for (size_t round = 0; round < TS_COUNT(sizes); ++round) {
        zmq_msg_t message;
        void *data = malloc(sizes[round]);
        ts_check(data != NULL);
        ts_pattern(data, sizes[round], (uint32_t)round);
        ts_ok(zmq_msg_init_data(&message, data, sizes[round], release, NULL));
        ts_send(stage.publisher, "head", ZMQ_SNDMORE);
        ts_value(zmq_msg_send(&message, stage.publisher, 0), (long long)sizes[round]);
        for (int i = 0; i < MANY; ++i) {
            ts_recv_bytes(stage.readers[i], "head", 4, true);
            ts_ok(zmq_msg_init(&message));
            ts_value(zmq_msg_recv(&message, stage.readers[i], 0), (long long)sizes[round]);
            ts_check(
                ts_pattern_ok(zmq_msg_data(&message), zmq_msg_size(&message), (uint32_t)round));
            ts_value(ts_more(stage.readers[i]), 0);
            ts_ok(zmq_msg_close(&message));
        }
    }
    close_stage(&stage);
    ts_value(atomic_load(&released), TS_COUNT(sizes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_EVERYTHING(eight_read_while_one_does_not),
        TS_ON_EVERYTHING(many_read_while_one_does_not),
        TS_ON_EVERYTHING(long_message_reaches_all),
    };
    return TS_RUN_ON_ONE_CPU_TOO(tests);
}
