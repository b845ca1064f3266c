/* SPDX-License-Identifier: MPL-2.0 */
/* CONFLATE: queues that hold the newest message only. */
#include "support/test_support.h"

#include <errno.h>

static int recv_number(void *socket)
{
    int number = -1;
    ts_value(zmq_recv(socket, &number, sizeof number, 0), sizeof number);
    return number;
}

/* Only the newest message is kept, on either side. */
static void conflate_keeps_the_newest(void **state)
{
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    ts_set_int(push, ZMQ_CONFLATE, 1);
    ts_set_int(pull, ZMQ_CONFLATE, 1);
    ts_connect_pair(context, pull, push, *state);
    for (int n = 0; n < 5000; ++n)
        ts_send_bytes(push, &n, sizeof n, ZMQ_DONTWAIT);
    int count = 0;
    for (int last = -1; last != 4999; ++count) {
        int number = recv_number(pull);
        ts_check(number > last);
        last = number;
    }
    if (strcmp(*state, "inproc") == 0)
        ts_value(count, 1);
    ts_recv_nothing(pull);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* A connecting socket without a connection keeps only the newest, however long it waits. */
static void newest_message_waits_for_the_connection(void **state)
{
    static const int types[][2] = {{ZMQ_PUSH, ZMQ_PULL}, {ZMQ_DEALER, ZMQ_DEALER}};
    for (size_t i = 0; i < TS_COUNT(types); ++i) {
        struct ts_address address;
        void *context = ts_context();
        void *sender = ts_socket(context, types[i][0]), *receiver = ts_socket(context, types[i][1]);
        ts_set_int(sender, ZMQ_CONFLATE, 1);
        ts_set_int(sender, ZMQ_SNDHWM, 1);
        ts_value(ts_get_int(sender, ZMQ_CONFLATE), 1);
        ts_address_reserve(&address, *state);
        ts_ok(zmq_connect(sender, address.endpoint));
        for (int n = 0; n < 5000; ++n)
            ts_send_bytes(sender, &n, sizeof n, ZMQ_DONTWAIT);
        ts_ok(zmq_bind(receiver, address.endpoint));
        ts_value(recv_number(receiver), 4999);
        ts_recv_nothing(receiver);
        ts_address_release(&address);
        ts_close(sender);
        ts_close(receiver);
        ts_terminate(context);
    }
}

static void conflating_subscriber_gets_the_newest(void **state)
{
    int number;
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *pub = ts_socket(context, ZMQ_PUB), *sub = ts_socket(context, ZMQ_SUB);
    ts_set_int(sub, ZMQ_CONFLATE, 1);
    ts_set_text(sub, ZMQ_SUBSCRIBE, "");
    ts_bind(pub, *state, endpoint);
    ts_ok(zmq_connect(sub, endpoint));
    zmq_pollitem_t item = {.socket = sub, .events = ZMQ_POLLIN};
    number = -1;
    do
        ts_send_bytes(pub, &number, sizeof number, 0);
    while (zmq_poll(&item, 1, 5) != 1);
    for (int n = 0; n < 900; ++n)
        ts_send_bytes(pub, &n, sizeof n, 0);
    for (int last = -1; last != 899; last = number) {
        ts_value(zmq_recv(sub, &number, sizeof number, 0), sizeof number);
        ts_check(number > last || number == -1);
    }
    ts_recv_nothing(sub);
    ts_close(pub);
    ts_close(sub);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_ALL(conflate_keeps_the_newest),
        TS_ON_CONNECTIONS(newest_message_waits_for_the_connection),
        TS_ON_ALL(conflating_subscriber_gets_the_newest),
    };
    return TS_RUN(tests);
}
