/* SPDX-License-Identifier: MPL-2.0 */
/*
 * zlink demo, first part: real messages between two processes, or two threads for inproc. The
 * child speaks and binds, the parent listens, connects and prints what arrives.
 */
#define _GNU_SOURCE
#include "cli.h"
#include "demo.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

/* No step of the demo takes nearly so long. */
enum { PATIENCE_MS = 5000 };

struct scene {
    const char *transport;
    const char *endpoint; /* that the speaker binds */
    int speaker_type;
    int listener_type;
    const char *speaker_name;
    const char *listener_name;
    const char *said[4];  /* by the speaker, NULL-terminated */
    const char *question; /* the listener asks first */
    const char *topic;    /* the listener subscribes to it */
    int heard;            /* how many messages arrive */
};

static const struct scene scenes[] = {
    {.transport = "inproc",
     .endpoint = "inproc://demo",
     .speaker_type = ZMQ_PAIR,
     .listener_type = ZMQ_PAIR,
     .speaker_name = "PAIR",
     .listener_name = "PAIR",
     .said = {"from one thread to another"},
     .heard = 1},
    {.transport = "ipc",
     .endpoint = "ipc://*",
     .speaker_type = ZMQ_PUSH,
     .listener_type = ZMQ_PULL,
     .speaker_name = "PUSH",
     .listener_name = "PULL",
     .said = {"job 1", "job 2", "job 3"},
     .heard = 3},
    {.transport = "tcp",
     .endpoint = "tcp://127.0.0.1:*",
     .speaker_type = ZMQ_REP,
     .listener_type = ZMQ_REQ,
     .speaker_name = "REP",
     .listener_name = "REQ",
     .said = {"42"},
     .question = "what is 6 * 7?",
     .heard = 1},
    {.transport = "tcp",
     .endpoint = "tcp://127.0.0.1:*",
     .speaker_type = ZMQ_XPUB,
     .listener_type = ZMQ_SUB,
     .speaker_name = "PUB",
     .listener_name = "SUB",
     .said = {"weather.berlin 21", "sports: not subscribed to", "weather.oslo 12"},
     .topic = "weather.",
     .heard = 2},
};

/* A speaker: how it learns what to do, and tells where it listens. */
struct speaker {
    const struct scene *scene;
    void *context; /* inproc: the listener's */
    int tell;      /* pipe for the bound endpoint, -1: the listener knows it */
};

static void *open_socket(void *context, int type)
{
    void *socket = zmq_socket(context, type);
    int patience = PATIENCE_MS;
    if (!socket)
        return NULL;
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &patience, sizeof patience);
    zmq_setsockopt(socket, ZMQ_SNDTIMEO, &patience, sizeof patience);
    zmq_setsockopt(socket, ZMQ_LINGER, &patience, sizeof patience);
    return socket;
}

static bool tell_endpoint(const struct speaker *speaker, void *socket)
{
    char endpoint[512] = "";
    size_t size = sizeof endpoint;
    if (speaker->tell < 0)
        return true;
    return zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size) == 0 &&
           write(speaker->tell, endpoint, sizeof endpoint) == (ssize_t)sizeof endpoint;
}

/* Binds, waits for a question or a subscription if there is one, and says what it has to say. */
static bool speak_on(const struct speaker *speaker, void *socket)
{
    const struct scene *scene = speaker->scene;
    char heard[256];
    if (zmq_bind(socket, scene->endpoint) != 0 || !tell_endpoint(speaker, socket))
        return false;
    if ((scene->question || scene->topic) && zmq_recv(socket, heard, sizeof heard, 0) < 0)
        return false;
    for (size_t i = 0; scene->said[i]; i++)
        if (zmq_send(socket, scene->said[i], strlen(scene->said[i]), 0) < 0)
            return false;
    return true;
}

static bool speak(const struct speaker *speaker)
{
    void *context = speaker->context ? speaker->context : zmq_ctx_new();
    void *socket = context ? open_socket(context, speaker->scene->speaker_type) : NULL;
    bool ok = socket && speak_on(speaker, socket);
    if (!ok)
        cli_error("the %s speaker failed: %s", speaker->scene->speaker_name,
                  zmq_strerror(zmq_errno()));
    if (socket)
        zmq_close(socket);
    if (context && !speaker->context)
        zmq_ctx_term(context);
    return ok;
}

static void *speak_thread(void *argument)
{
    return speak(argument) ? argument : NULL;
}

static void print_message(const struct scene *scene, bool question, pid_t speaker, const char *text)
{
    char way[64];
    if (speaker)
        snprintf(way, sizeof way, "pid %d -> pid %d", question ? getpid() : speaker,
                 question ? speaker : getpid());
    else
        snprintf(way, sizeof way, "thread -> thread");
    printf("  %-6s  %-4s -> %-4s  %-26s  ", scene->transport,
           question ? scene->listener_name : scene->speaker_name,
           question ? scene->speaker_name : scene->listener_name, way);
    cli_output_bytes(CLI_FORMAT_QUOTED, (const unsigned char *)text, strlen(text));
    putchar('\n');
    fflush(stdout);
}

static bool listen_on(const struct scene *scene, void *socket, const char *endpoint, pid_t speaker)
{
    char text[256];
    if (scene->topic &&
        zmq_setsockopt(socket, ZMQ_SUBSCRIBE, scene->topic, strlen(scene->topic)) != 0)
        return false;
    if (zmq_connect(socket, endpoint) != 0)
        return false;
    if (scene->question) {
        if (zmq_send(socket, scene->question, strlen(scene->question), 0) < 0)
            return false;
        print_message(scene, true, speaker, scene->question);
    }
    for (int i = 0; i < scene->heard; i++) {
        int n;
        do
            n = zmq_recv(socket, text, sizeof text - 1, 0);
        while (n < 0 && zmq_errno() == EINTR && !cli_signal());
        if (n < 0)
            return false;
        text[n < (int)sizeof text ? n : (int)sizeof text - 1] = '\0';
        print_message(scene, false, speaker, text);
    }
    return true;
}

static bool listen_to(const struct scene *scene, void *context, const char *endpoint, pid_t speaker)
{
    void *socket = open_socket(context, scene->listener_type);
    bool ok = socket && listen_on(scene, socket, endpoint, speaker);
    if (!ok && !cli_signal())
        cli_error("the %s listener failed on %s: %s", scene->listener_name, endpoint,
                  zmq_strerror(zmq_errno()));
    if (socket) {
        zmq_setsockopt(socket, ZMQ_LINGER, &(int){0}, sizeof(int));
        zmq_close(socket);
    }
    return ok;
}

static bool play_threads(const struct scene *scene)
{
    pthread_t thread;
    void *spoke = NULL;
    struct speaker speaker = {.scene = scene, .context = zmq_ctx_new(), .tell = -1};
    if (!speaker.context)
        return false;
    bool started = pthread_create(&thread, NULL, speak_thread, &speaker) == 0;
    bool heard = started && listen_to(scene, speaker.context, scene->endpoint, 0);
    if (started)
        pthread_join(thread, &spoke);
    zmq_ctx_term(speaker.context);
    return heard && spoke;
}

static void speaker_process(const struct scene *scene, int tell)
{
    struct speaker speaker = {.scene = scene, .tell = tell};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    _exit(speak(&speaker) ? CLI_OK : CLI_FAILURE);
}

/* Reads the speaker's endpoint and listens; nothing else of the library runs before the fork. */
static bool listen_to_process(const struct scene *scene, int tell, pid_t child)
{
    char endpoint[512];
    ssize_t n;
    do
        n = read(tell, endpoint, sizeof endpoint);
    while (n < 0 && errno == EINTR && !cli_signal());
    if (n != (ssize_t)sizeof endpoint)
        return false;
    void *context = zmq_ctx_new();
    bool ok = context && listen_to(scene, context, endpoint, child);
    if (context)
        zmq_ctx_term(context);
    return ok;
}

static bool play_processes(const struct scene *scene)
{
    int ends[2];
    int status = 1;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        speaker_process(scene, ends[1]);
    close(ends[1]);
    bool heard = child > 0 && listen_to_process(scene, ends[0], child);
    close(ends[0]);
    if (child > 0 && !heard)
        kill(child, SIGKILL);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return heard && status == 0;
}

int demo_show_messages(void)
{
    printf("Messages on their way:\n\n");
    fflush(stdout);
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        bool threads = strcmp(scenes[i].transport, "inproc") == 0;
        bool ok = threads ? play_threads(&scenes[i]) : play_processes(&scenes[i]);
        if (cli_signal())
            return 128 + cli_signal();
        if (!ok) {
            cli_error("the demonstration of %s to %s over %s failed", scenes[i].speaker_name,
                      scenes[i].listener_name, scenes[i].transport);
            return CLI_FAILURE;
        }
    }
    putchar('\n');
    return CLI_OK;
}
