/* SPDX-License-Identifier: MPL-2.0 */
/* A program as users write it with cppzmq. Prints the libzmq it runs on; its status is 0 if all
 * went well. */
#include <array>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>
#include <zmq.hpp>
#include <zmq_addon.hpp>

namespace
{
constexpr int timeout_ms = 20000;

void check(bool right, const char *what)
{
    if (!right)
        throw std::runtime_error(what);
}

zmq::socket_t make_socket(zmq::context_t &context, zmq::socket_type type)
{
    zmq::socket_t socket(context, type);
    socket.set(zmq::sockopt::linger, timeout_ms);
    socket.set(zmq::sockopt::rcvtimeo, timeout_ms);
    socket.set(zmq::sockopt::sndtimeo, timeout_ms);
    return socket;
}

void request_reply(zmq::context_t &context, const std::string &endpoint)
{
    auto server = make_socket(context, zmq::socket_type::rep);
    server.bind(endpoint);
    const auto where = server.get(zmq::sockopt::last_endpoint);
    std::thread thread([&server] {
        for (int i = 0; i < 100; i++) {
            zmq::message_t request;
            (void)server.recv(request);
            server.send(request, zmq::send_flags::none);
        }
    });
    auto client = make_socket(context, zmq::socket_type::req);
    client.connect(where);
    for (std::size_t i = 0; i < 100; i++) {
        std::vector<unsigned char> sent(i * i * 10);
        std::iota(sent.begin(), sent.end(), static_cast<unsigned char>(i));
        client.send(zmq::buffer(sent), zmq::send_flags::none);
        zmq::message_t reply;
        check(client.recv(reply) == sent.size(), "size of a reply");
        check(reply == zmq::message_t(sent.data(), sent.size()), "content of a reply");
    }
    thread.join();
}

void multipart_and_ids(zmq::context_t &context)
{
    auto router = make_socket(context, zmq::socket_type::router);
    router.bind("tcp://127.0.0.1:*");
    auto dealer = make_socket(context, zmq::socket_type::dealer);
    dealer.set(zmq::sockopt::routing_id, "dealer");
    dealer.connect(router.get(zmq::sockopt::last_endpoint));
    const std::array<zmq::const_buffer, 3> parts = {zmq::str_buffer("one"), zmq::str_buffer(""),
                                                    zmq::str_buffer("three")};
    check(zmq::send_multipart(dealer, parts) == parts.size(), "parts sent");

    zmq::pollitem_t item = {router, 0, ZMQ_POLLIN, 0};
    check(zmq::poll(&item, 1, std::chrono::milliseconds(timeout_ms)) == 1, "poll");
    std::vector<zmq::message_t> received;
    check(zmq::recv_multipart(router, std::back_inserter(received)) == 4u, "parts received");
    check(received[0].to_string() == "dealer" && received[2].empty(), "parts");
    check(std::string(received[1].gets("Socket-Type")) == "DEALER", "metadata");

    zmq::multipart_t answer("dealer", 6);
    answer.addtyp<int>(42);
    check(answer.send(router), "answer sent");
    zmq::multipart_t got(dealer);
    check(got.size() == 1 && got.poptyp<int>() == 42, "answer");
}

void give_back(void *data, void *hint)
{
    std::free(data);
    ++*static_cast<std::atomic<int> *>(hint);
}

void lent_buffers(zmq::context_t &context, std::atomic<int> &returned)
{
    auto sink = make_socket(context, zmq::socket_type::pull);
    sink.bind("tcp://127.0.0.1:*");
    auto source = make_socket(context, zmq::socket_type::push);
    source.connect(sink.get(zmq::sockopt::last_endpoint));
    for (std::size_t size : {1u, 100u, 10000u, 1000000u}) {
        zmq::message_t message(std::calloc(size, 1), size, give_back, &returned);
        source.send(std::move(message), zmq::send_flags::none);
        zmq::message_t received;
        check(sink.recv(received) == size, "size of a lent buffer");
    }
}

struct connection_monitor : zmq::monitor_t {
    int connected = 0;
    int ready = 0;
    void on_event_connected(const zmq_event_t &, const char *) override
    {
        connected++;
    }
    void on_event_handshake_succeeded(const zmq_event_t &, const char *) override
    {
        ready++;
    }
};

void monitoring(zmq::context_t &context)
{
    auto server = make_socket(context, zmq::socket_type::pub);
    server.bind("tcp://127.0.0.1:*");
    auto client = make_socket(context, zmq::socket_type::sub);
    connection_monitor monitor;
    monitor.init(client, "inproc://events", ZMQ_EVENT_ALL);
    client.set(zmq::sockopt::subscribe, "");
    client.connect(server.get(zmq::sockopt::last_endpoint));
    while (monitor.ready == 0)
        check(monitor.check_event(timeout_ms), "events");
    check(monitor.connected == 1, "connected once");
}

void errors(zmq::context_t &context)
{
    auto socket = make_socket(context, zmq::socket_type::pair);
    try {
        socket.bind("tcp://nonsense");
        check(false, "bind to nonsense");
    } catch (const zmq::error_t &error) {
        check(error.num() == EINVAL, "error number");
    }
    zmq::message_t message;
    check(!socket.recv(message, zmq::recv_flags::dontwait), "nothing to receive");
}

void print_library()
{
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);)
        if (line.find("libzmq") != std::string::npos) {
            std::cout << line.substr(line.find('/')) << std::endl;
            return;
        }
}
} // namespace

int main()
try {
    alarm(50);
    print_library();
    std::atomic<int> returned{0};
    {
        zmq::context_t context;
        request_reply(context, "tcp://127.0.0.1:*");
        request_reply(context, "ipc://*");
        request_reply(context, "inproc://here");
        multipart_and_ids(context);
        lent_buffers(context, returned);
        monitoring(context);
        errors(context);
    }
    check(returned == 4, "lent buffers come back");
    return 0;
} catch (const std::exception &error) {
    std::cerr << error.what() << std::endl;
    return 1;
}
