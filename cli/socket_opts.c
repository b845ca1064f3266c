/* SPDX-License-Identifier: MPL-2.0 */
/* The option rows that send and recv share. */
#include "session.h"

#define FIELD(name) offsetof(struct cli_socket_args, name)

const struct cli_opt cli_socket_opts[] = {
    {CLI_SECTION, "Socket:", 0, 0, NULL, NULL},
    {CLI_TEXT, "type", 't', FIELD(type_name), "TYPE", "socket type; 'zlink help types' lists them"},
    {CLI_LIST, "bind", 'b', FIELD(bind), "ENDPOINT",
     "listen there; * as port or path picks a free one, which is\nprinted on stderr (repeatable)"},
    {CLI_LIST, "connect", 'c', FIELD(connect), "ENDPOINT", "connect there (repeatable)"},
    {CLI_LIST, "subscribe", 's', FIELD(subscribe), "TOPIC",
     "sub, xsub: only messages that begin with TOPIC (repeatable;\n"
     "default: everything)"},
    {CLI_LIST, "group", 'g', FIELD(group), "GROUP",
     "radio: send to GROUP; dish: receive from GROUP (repeatable)"},
    {CLI_TEXT, "identity", 'i', FIELD(identity), "ID",
     "routing id under which a router knows this socket"},
    {CLI_NUMBER, "hwm", 0, FIELD(hwm), "N",
     "high-water marks, in messages (0: no limit; default 1000)"},
    {CLI_NUMBER, "linger", 0, FIELD(linger), "MS",
     "time for delivering what is queued at the end (-1: no limit;\n"
     "default: --timeout; answers of recv: 3000)"},
    {CLI_LIST, "option", 'o', FIELD(options), "NAME=VALUE",
     "any socket option, set before bind and connect (repeatable);\n"
     "'zlink help options' lists them"},
    {CLI_NUMBER, "io-threads", 0, FIELD(io_threads), "N", "background threads (default 1)"},
    {CLI_NUMBER, "timeout", 0, FIELD(timeout), "MS",
     "longest wait for a peer or for a message, then exit code 3\n(default: no limit)"},
    {CLI_FLAG, "verbose", 'v', FIELD(verbose), NULL, "print what happens to connections on stderr"},
    {CLI_SECTION, "Format:", 0, 0, NULL, NULL},
    {CLI_TEXT, "delimiter", 'd', FIELD(delimiter), "BYTE",
     "what ends a message in a text stream (default \\n)"},
    {CLI_FLAG, "null", '0', FIELD(null), NULL, "messages end with a NUL byte"},
    {CLI_FLAG, "multipart", 'm', FIELD(multipart), NULL,
     "input: split messages into parts at the part delimiter;\n"
     "output: also show routing ids, delimiters and groups"},
    {CLI_TEXT, "part-delimiter", 'p', FIELD(part_delimiter), "BYTE",
     "what separates parts (default \\t)"},
    {CLI_CHOICE, "output", 'O', FIELD(output), "text|hex|quoted|raw",
     "how received messages are written: as they are, in hex, quoted\n"
     "with escapes, or without any delimiter (default text)"},
    {CLI_END, NULL, 0, 0, NULL, NULL},
};
