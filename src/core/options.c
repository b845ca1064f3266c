/* SPDX-License-Identifier: MPL-2.0 */
/* Socket options: one table row per option (those of TLS: tls_options.c), and the few rules that do not fit in a row. */
#include "core/options.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/option_row.h"
#include "core/tls_options.h"
#include "wire/z85.h"

/* ---- what is compiled in ---------------------------------------------------------------- */

#define FEATURE(name) (1u << FEATURE_##name)

/* The one place that says so. The options of all other features are refused. */
#ifndef ZL_OPTION_FEATURES
#define ZL_OPTION_FEATURES (FEATURE(CORE) | FEATURE(WSS))
#endif

/* ---- lists ------------------------------------------------------------------------------ */

static void list_clear(struct zl_option_list *list)
{
    free(list->items);
    *list = (struct zl_option_list){NULL, 0};
}

static int list_append(struct zl_option_list *list, const void *entry, size_t entry_size)
{
    char *items = realloc(list->items, (list->count + 1) * entry_size);
    if (!items)
        return -ENOMEM;
    memcpy(items + list->count * entry_size, entry, entry_size);
    list->items = items;
    list->count++;
    return 0;
}

/* ---- what the kinds do ------------------------------------------------------------------ */

static int set_int(struct zl_options *options, const struct zl_option_row *row, const void *value,
                   size_t size)
{
    int number;
    int rc = zl_option_read_int(value, size, &number);
    if (rc < 0 || number < row->min || number > row->max)
        return -EINVAL;
    *(int *)field_of(options, row) = number;
    return 0;
}

static int get_int(const struct zl_options *options, const struct zl_option_row *row, void *value,
                   size_t *size)
{
    return zl_option_write_int(*(const int *)const_field_of(options, row), value, size);
}

static int set_bool(struct zl_options *options, const struct zl_option_row *row, const void *value,
                    size_t size)
{
    return zl_option_read_bool01(value, size, field_of(options, row));
}

static int set_flag(struct zl_options *options, const struct zl_option_row *row, const void *value,
                    size_t size)
{
    return zl_option_read_bool_any(value, size, field_of(options, row));
}

static int get_bool(const struct zl_options *options, const struct zl_option_row *row, void *value,
                    size_t *size)
{
    return zl_option_write_int(*(const bool *)const_field_of(options, row), value, size);
}

static int set_64(struct zl_options *options, const struct zl_option_row *row, const void *value,
                  size_t size)
{
    if (!value || size != sizeof(uint64_t))
        return -EINVAL;
    memcpy(field_of(options, row), value, size);
    return 0;
}

static int get_64(const struct zl_options *options, const struct zl_option_row *row, void *value,
                  size_t *size)
{
    return zl_option_write_exact(const_field_of(options, row), sizeof(uint64_t), value, size);
}

static int set_bytes(struct zl_options *options, const struct zl_option_row *row, const void *value,
                     size_t size)
{
    struct zl_option_bytes *bytes = field_of(options, row);
    if (!value && (row->min == 0 || (row->null_clears && size == 0))) {
        zl_option_bytes_clear(bytes);
        return 0;
    }
    if (!value || size < (size_t)row->min || size > (size_t)row->max)
        return -EINVAL;
    return zl_option_bytes_set(bytes, value, size);
}

static int get_bytes(const struct zl_options *options, const struct zl_option_row *row, void *value,
                     size_t *size)
{
    const struct zl_option_bytes *bytes = const_field_of(options, row);
    return zl_option_write_string(bytes->data, bytes->size, value, size);
}

static int set_list(struct zl_options *options, const struct zl_option_row *row, const void *value,
                    size_t size)
{
    struct zl_option_list *list = field_of(options, row);
    if (!value && size == 0) {
        list_clear(list);
        return 0;
    }
    if (!value || size != (size_t)row->max)
        return -EINVAL;
    return list_append(list, value, size);
}

static zl_option_row_set *const kind_set[] = {
    [KIND_INT] = set_int, [KIND_BOOL] = set_bool,   [KIND_FLAG] = set_flag, [KIND_U64] = set_64,
    [KIND_I64] = set_64,  [KIND_BYTES] = set_bytes, [KIND_LIST] = set_list, [KIND_SPECIAL] = NULL,
};

static zl_option_row_get *const kind_get[] = {
    [KIND_INT] = get_int, [KIND_BOOL] = get_bool,   [KIND_FLAG] = get_bool, [KIND_U64] = get_64,
    [KIND_I64] = get_64,  [KIND_BYTES] = get_bytes, [KIND_LIST] = NULL,     [KIND_SPECIAL] = NULL,
};

/* ---- options with a rule of their own --------------------------------------------------- */

static int set_routing_id(struct zl_options *options, const struct zl_option_row *row,
                          const void *value, size_t size)
{
    (void)row;
    if (!value || size == 0 || size > ZL_ROUTING_ID_MAX)
        return -EINVAL;
    memcpy(options->routing_id, value, size);
    options->routing_id_size = size;
    return 0;
}

static int get_routing_id(const struct zl_options *options, const struct zl_option_row *row,
                          void *value, size_t *size)
{
    (void)row;
    return zl_option_write_padded(options->routing_id, options->routing_id_size, value, size);
}

static int set_ipv4only(struct zl_options *options, const struct zl_option_row *row,
                        const void *value, size_t size)
{
    bool ipv4only;
    (void)row;
    int rc = zl_option_read_bool01(value, size, &ipv4only);
    if (rc == 0)
        options->ipv6 = !ipv4only;
    return rc;
}

static int get_ipv4only(const struct zl_options *options, const struct zl_option_row *row,
                        void *value, size_t *size)
{
    (void)row;
    return zl_option_write_int(!options->ipv6, value, size);
}

static int set_batch_size(struct zl_options *options, const struct zl_option_row *row,
                          const void *value, size_t size)
{
    int rc = set_int(options, row, value, size);
    if (rc == 0 && field_of(options, row) == &options->in_batch_size)
        options->in_batch_size_set = true;
    else if (rc == 0)
        options->out_batch_size_set = true;
    return rc;
}

/* Milliseconds outside, tenths of a second inside. The division truncates towards zero, which is
 * why the row admits values down to -99. */
static int set_heartbeat_ttl(struct zl_options *options, const struct zl_option_row *row,
                             const void *value, size_t size)
{
    int rc = set_int(options, row, value, size);
    if (rc == 0)
        options->heartbeat_ttl_tenths /= 100;
    return rc;
}

static int get_heartbeat_ttl(const struct zl_options *options, const struct zl_option_row *row,
                             void *value, size_t *size)
{
    (void)row;
    return zl_option_write_int(options->heartbeat_ttl_tenths * 100, value, size);
}

/* ROUTER answers for itself; all other types report 0. */
static int get_router_notify(const struct zl_options *options, const struct zl_option_row *row,
                             void *value, size_t *size)
{
    (void)options;
    (void)row;
    return zl_option_write_int(0, value, size);
}

static int set_accept_filter(struct zl_options *options, const struct zl_option_row *row,
                             const void *value, size_t size)
{
    struct zl_ip_filter filter;
    (void)row;
    if (!value && size == 0) {
        list_clear(&options->accept_filters);
        return 0;
    }
    if (!value || size > 255)
        return -EINVAL;
    int rc = zl_ip_filter_parse(value, size, options->ipv6, &filter);
    return rc < 0 ? rc : list_append(&options->accept_filters, &filter, sizeof(filter));
}

/* ---- application properties of the handshake -------------------------------------------- */

#define PROPERTY_NAME_MAX 255

static char *copy_text(const char *text, size_t length)
{
    char *copy = malloc(length + 1);
    if (copy) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

/* `text` need not be NUL-terminated, but ends at the first NUL if there is one. */
static int make_property(const char *name, size_t name_length, const char *value, size_t value_size,
                         struct zl_option_property *out)
{
    out->name = copy_text(name, name_length);
    out->value = copy_text(value, strnlen(value, value_size));
    if (out->name && out->value)
        return 0;
    free(out->name);
    free(out->value);
    return -ENOMEM;
}

static void metadata_clear(struct zl_option_properties *metadata)
{
    for (size_t i = 0; i < metadata->count; i++) {
        free(metadata->items[i].name);
        free(metadata->items[i].value);
    }
    free(metadata->items);
    *metadata = (struct zl_option_properties){NULL, 0};
}

/* Length of the name in "X-name:value", 0 if it is not of that form. A text of four bytes never
 * is, as in libzmq. */
static size_t property_name_length(const char *text, size_t size)
{
    const char *colon = memchr(text, ':', size);
    if (!colon || colon == text + size - 1 || size == sizeof(int))
        return 0;
    size_t length = (size_t)(colon - text);
    if (length < 2 || length > PROPERTY_NAME_MAX || memcmp(text, "X-", 2) != 0)
        return 0;
    return memchr(text, '\0', length) ? 0 : length;
}

/* Index of the first property whose name is not smaller; `*found` says whether it is equal. */
static size_t find_property(const struct zl_option_properties *metadata, const char *name,
                            bool *found)
{
    int order = 1;
    size_t i = 0;
    while (i < metadata->count && (order = strcmp(metadata->items[i].name, name)) < 0)
        i++;
    *found = i < metadata->count && order == 0;
    return i;
}

/* Takes the property over in any case. A name that is there already keeps its first value. */
static int insert_property(struct zl_option_properties *metadata,
                           struct zl_option_property property)
{
    bool found;
    size_t index = find_property(metadata, property.name, &found);
    struct zl_option_property *items = NULL;
    if (!found)
        items = realloc(metadata->items, (metadata->count + 1) * sizeof(*items));
    if (!items) {
        free(property.name);
        free(property.value);
        return found ? 0 : -ENOMEM;
    }
    memmove(items + index + 1, items + index, (metadata->count - index) * sizeof(*items));
    items[index] = property;
    metadata->items = items;
    metadata->count++;
    return 0;
}

static int set_metadata(struct zl_options *options, const struct zl_option_row *row,
                        const void *value, size_t size)
{
    const char *text = value;
    (void)row;
    size_t length = text && size > 0 ? property_name_length(text, size) : 0;
    if (length == 0)
        return -EINVAL;
    struct zl_option_property property;
    int rc = make_property(text, length, text + length + 1, size - length - 1, &property);
    return rc < 0 ? rc : insert_property(&options->metadata, property);
}

/* ---- choice of the security mechanism --------------------------------------------------- */

/* The mechanism is what the last of these setters chose. There is one server flag for all of them:
 * it means the server role of the chosen mechanism. */

/* Switching the server role off chooses no mechanism, except that GSSAPI stays chosen. */
static int set_server_role(struct zl_options *options, const struct zl_option_row *row,
                           const void *value, size_t size)
{
    int rc = zl_option_read_bool01(value, size, &options->as_server);
    if (rc == 0) {
        bool chosen = options->as_server || row->mechanism == ZMQ_GSSAPI;
        options->mechanism = chosen ? row->mechanism : ZMQ_NULL;
    }
    return rc;
}

static int get_server_role(const struct zl_options *options, const struct zl_option_row *row,
                           void *value, size_t *size)
{
    bool server = options->as_server && options->mechanism == row->mechanism;
    return zl_option_write_int(server, value, size);
}

/* User name and password of a client. NULL takes back the choice but keeps the texts. */
static int set_plain_text(struct zl_options *options, const struct zl_option_row *row,
                          const void *value, size_t size)
{
    if (!value && size == 0) {
        options->mechanism = ZMQ_NULL;
        return 0;
    }
    int rc = set_bytes(options, row, value, size);
    if (rc == 0) {
        options->as_server = false;
        options->mechanism = ZMQ_PLAIN;
    }
    return rc;
}

static int set_gssapi_principal(struct zl_options *options, const struct zl_option_row *row,
                                const void *value, size_t size)
{
    int rc = set_bytes(options, row, value, size);
    if (rc == 0) {
        options->mechanism = ZMQ_GSSAPI;
        if (field_of(options, row) == &options->gssapi_service_principal)
            options->as_server = false;
    }
    return rc;
}

/* ---- CURVE keys, binary or in Z85 -------------------------------------------------------- */

#define CURVE_KEY_Z85_LENGTH (ZL_CURVE_KEY_SIZE / 4 * 5)

static int read_curve_key(const void *value, size_t size, unsigned char key[ZL_CURVE_KEY_SIZE])
{
    const char *text = value;
    if (!value)
        return -EINVAL;
    if (size == ZL_CURVE_KEY_SIZE) {
        memcpy(key, value, ZL_CURVE_KEY_SIZE);
        return 0;
    }
    bool terminated = size == CURVE_KEY_Z85_LENGTH + 1 && text[CURVE_KEY_Z85_LENGTH] == '\0';
    if (size != CURVE_KEY_Z85_LENGTH && !terminated)
        return -EINVAL;
    return zl_z85_decode(key, text, CURVE_KEY_Z85_LENGTH);
}

static int set_curve_key(struct zl_options *options, const struct zl_option_row *row,
                         const void *value, size_t size)
{
    unsigned char key[ZL_CURVE_KEY_SIZE];
    int rc = read_curve_key(value, size, key);
    if (rc == 0) {
        memcpy(field_of(options, row), key, sizeof(key));
        options->mechanism = ZMQ_CURVE;
        if (field_of(options, row) == options->curve_server_key)
            options->as_server = false;
    }
    explicit_bzero(key, sizeof(key));
    return rc;
}

static int get_curve_key(const struct zl_options *options, const struct zl_option_row *row,
                         void *value, size_t *size)
{
    const unsigned char *key = const_field_of(options, row);
    char *text = value;
    if (!value || !size)
        return -EINVAL;
    if (*size != CURVE_KEY_Z85_LENGTH + 1)
        return zl_option_write_exact(key, ZL_CURVE_KEY_SIZE, value, size);
    zl_z85_encode(text, key, ZL_CURVE_KEY_SIZE);
    text[CURVE_KEY_Z85_LENGTH] = '\0';
    return 0;
}

/* ---- the table -------------------------------------------------------------------------- */

#define TEXT_MAX 255
#define TTL_MAX (65535 * 100 + 99)

_Static_assert(sizeof(struct zl_options) <= 2048, "made for every endpoint: keep it small");

/* Indexed by option number. What is not listed is no option, or one that patterns or the socket
 * answer themselves. */
/* clang-format off */
static const struct zl_option_row rows[] = {
    /* queues and waiting */
    [ZMQ_SNDHWM]            = {KIND_INT,  GS, AT(sndhwm),    0, INT_MAX, .initial = 1000},
    [ZMQ_RCVHWM]            = {KIND_INT,  GS, AT(rcvhwm),    0, INT_MAX, .initial = 1000},
    [ZMQ_LINGER]            = {KIND_INT,  GS, AT(linger),   -1, INT_MAX, .initial = -1},
    [ZMQ_RCVTIMEO]          = {KIND_INT,  GS, AT(rcvtimeo), -1, INT_MAX, .initial = -1},
    [ZMQ_SNDTIMEO]          = {KIND_INT,  GS, AT(sndtimeo), -1, INT_MAX, .initial = -1},
    [ZMQ_IMMEDIATE]         = {KIND_BOOL, GS, AT(immediate), .initial = 0},
    [ZMQ_CONFLATE]          = {KIND_BOOL, GS, AT(conflate), .initial = 0},
    [ZMQ_INVERT_MATCHING]   = {KIND_FLAG, GS, AT(invert_matching), .initial = 0},
    [ZMQ_ROUTER_NOTIFY]     = {KIND_SPECIAL, GET, .get = get_router_notify},

    /* connecting and accepting */
    [ZMQ_RECONNECT_IVL]     = {KIND_INT,  GS, AT(reconnect_ivl),    -1, INT_MAX, .initial = 100},
    [ZMQ_RECONNECT_IVL_MAX] = {KIND_INT,  GS, AT(reconnect_ivl_max), 0, INT_MAX, .initial = 0},
    [ZMQ_RECONNECT_STOP]    = {KIND_INT,  GS, AT(reconnect_stop), INT_MIN, INT_MAX, .initial = 0},
    [ZMQ_CONNECT_TIMEOUT]   = {KIND_INT,  GS, AT(connect_timeout),   0, INT_MAX, .initial = 0},
    [ZMQ_HANDSHAKE_IVL]     = {KIND_INT,  GS, AT(handshake_ivl),     0, INT_MAX, .initial = 30000},
    [ZMQ_BACKLOG]           = {KIND_INT,  GS, AT(backlog),           0, INT_MAX, .initial = 100},
    [ZMQ_USE_FD]            = {KIND_INT,  GS, AT(use_fd),           -1, INT_MAX, .initial = -1},
    [ZMQ_AFFINITY]          = {KIND_U64,  GS, AT(affinity), .initial = 0},
    [ZMQ_TCP_ACCEPT_FILTER] = {KIND_LIST, SET, AT(accept_filters), 0, sizeof(struct zl_ip_filter),
                               .set = set_accept_filter},
    [ZMQ_IPC_FILTER_PID]    = {KIND_LIST, SET, AT(ipc_pids), 0, sizeof(pid_t), .initial = 0},
    [ZMQ_IPC_FILTER_UID]    = {KIND_LIST, SET, AT(ipc_uids), 0, sizeof(uid_t), .initial = 0},
    [ZMQ_IPC_FILTER_GID]    = {KIND_LIST, SET, AT(ipc_gids), 0, sizeof(gid_t), .initial = 0},

    /* the stream and what travels on it */
    [ZMQ_MAXMSGSIZE]        = {KIND_I64,  GS, AT(maxmsgsize), .initial = -1},
    [ZMQ_IN_BATCH_SIZE]     = {KIND_INT,  GS, AT(in_batch_size),     1, INT_MAX, .initial = 8192,
                               .set = set_batch_size},
    [ZMQ_OUT_BATCH_SIZE]    = {KIND_INT,  GS, AT(out_batch_size),    1, INT_MAX, .initial = 8192,
                               .set = set_batch_size},
    [ZMQ_HEARTBEAT_IVL]     = {KIND_INT,  GS, AT(heartbeat_ivl),     0, INT_MAX, .initial = 0},
    [ZMQ_HEARTBEAT_TTL]     = {KIND_INT,  GS, AT(heartbeat_ttl_tenths), -99, TTL_MAX, .initial = 0,
                               .set = set_heartbeat_ttl, .get = get_heartbeat_ttl},
    [ZMQ_HEARTBEAT_TIMEOUT] = {KIND_INT,  GS, AT(heartbeat_timeout), 0, INT_MAX, .initial = -1},
    [ZMQ_ROUTING_ID]        = {KIND_SPECIAL, GS, .set = set_routing_id, .get = get_routing_id},
    [ZMQ_METADATA]          = {KIND_SPECIAL, SET, .set = set_metadata},
    [ZMQ_HELLO_MSG]         = {KIND_BYTES, SET, AT(hello_msg),      0, INT_MAX, .initial = 0},
    [ZMQ_DISCONNECT_MSG]    = {KIND_BYTES, SET, AT(disconnect_msg), 0, INT_MAX, .initial = 0},
    [ZMQ_HICCUP_MSG]        = {KIND_BYTES, SET, AT(hiccup_msg),     0, INT_MAX, .initial = 0},

    /* IP */
    [ZMQ_IPV6]              = {KIND_BOOL, GS, AT(ipv6), .initial = 0},
    [ZMQ_IPV4ONLY]          = {KIND_SPECIAL, GS, .set = set_ipv4only, .get = get_ipv4only},
    [ZMQ_SNDBUF]            = {KIND_INT,  GS, AT(sndbuf),              -1, INT_MAX, .initial = -1},
    [ZMQ_RCVBUF]            = {KIND_INT,  GS, AT(rcvbuf),              -1, INT_MAX, .initial = -1},
    [ZMQ_TCP_KEEPALIVE]     = {KIND_INT,  GS, AT(tcp_keepalive),       -1, 1,       .initial = -1},
    [ZMQ_TCP_KEEPALIVE_CNT] = {KIND_INT,  GS, AT(tcp_keepalive_cnt),   -1, INT_MAX, .initial = -1},
    [ZMQ_TCP_KEEPALIVE_IDLE] = {KIND_INT, GS, AT(tcp_keepalive_idle),  -1, INT_MAX, .initial = -1},
    [ZMQ_TCP_KEEPALIVE_INTVL] = {KIND_INT, GS, AT(tcp_keepalive_intvl), -1, INT_MAX, .initial = -1},
    [ZMQ_TCP_MAXRT]         = {KIND_INT,  GS,  AT(tcp_maxrt), 0, INT_MAX, .initial = 0},
    [ZMQ_TOS]               = {KIND_INT,  GS,  AT(tos),       0, INT_MAX, .initial = 0},
    [ZMQ_PRIORITY]          = {KIND_INT,  GS,  AT(priority),  0, INT_MAX, .initial = 0},
    [ZMQ_BUSY_POLL]         = {KIND_INT,  SET, AT(busy_poll), INT_MIN, INT_MAX, .initial = 0},
    [ZMQ_LOOPBACK_FASTPATH] = {KIND_FLAG, GS,  AT(loopback_fastpath), .initial = 0},
    [ZMQ_BINDTODEVICE]      = {KIND_BYTES, GS, AT(bind_to_device), 1, 16, .null_clears = true},
    [ZMQ_SOCKS_PROXY]       = {KIND_BYTES, GS, AT(socks_proxy), 1, INT_MAX, .null_clears = true,
                               .feature = FEATURE_SOCKS},
    [ZMQ_SOCKS_USERNAME]    = {KIND_BYTES, GS, AT(socks_username), 0, TEXT_MAX,
                               .feature = FEATURE_SOCKS},
    [ZMQ_SOCKS_PASSWORD]    = {KIND_BYTES, GS, AT(socks_password), 0, TEXT_MAX,
                               .feature = FEATURE_SOCKS},

    /* multicast */
    [ZMQ_RATE]              = {KIND_INT,  GS, AT(rate),              1, INT_MAX, .initial = 100},
    [ZMQ_RECOVERY_IVL]      = {KIND_INT,  GS, AT(recovery_ivl),      0, INT_MAX, .initial = 10000},
    [ZMQ_MULTICAST_HOPS]    = {KIND_INT,  GS, AT(multicast_hops),    1, INT_MAX, .initial = 1},
    [ZMQ_MULTICAST_MAXTPDU] = {KIND_INT,  GS, AT(multicast_maxtpdu), 1, INT_MAX, .initial = 1500},
    [ZMQ_MULTICAST_LOOP]    = {KIND_FLAG, GS, AT(multicast_loop), .initial = 1},

    /* security */
    [ZMQ_MECHANISM]         = {KIND_INT, GET, AT(mechanism), .initial = ZMQ_NULL},
    [ZMQ_ZAP_DOMAIN]        = {KIND_BYTES, GS, AT(zap_domain), 1, TEXT_MAX, .initial = 0},
    [ZMQ_ZAP_ENFORCE_DOMAIN] = {KIND_FLAG, GS, AT(zap_enforce_domain), .initial = 0},
    [ZMQ_PLAIN_SERVER]      = {KIND_SPECIAL, GS, .mechanism = ZMQ_PLAIN, .feature = FEATURE_PLAIN,
                               .set = set_server_role, .get = get_server_role},
    [ZMQ_PLAIN_USERNAME]    = {KIND_BYTES, GS, AT(plain_username), 1, TEXT_MAX,
                               .feature = FEATURE_PLAIN, .set = set_plain_text},
    [ZMQ_PLAIN_PASSWORD]    = {KIND_BYTES, GS, AT(plain_password), 1, TEXT_MAX,
                               .feature = FEATURE_PLAIN, .set = set_plain_text},
    [ZMQ_CURVE_SERVER]      = {KIND_SPECIAL, GS, .mechanism = ZMQ_CURVE, .feature = FEATURE_CURVE,
                               .set = set_server_role, .get = get_server_role},
    [ZMQ_CURVE_PUBLICKEY]   = {KIND_SPECIAL, GS, AT(curve_public_key), .feature = FEATURE_CURVE,
                               .set = set_curve_key, .get = get_curve_key},
    [ZMQ_CURVE_SECRETKEY]   = {KIND_SPECIAL, GS, AT(curve_secret_key), .feature = FEATURE_CURVE,
                               .set = set_curve_key, .get = get_curve_key},
    [ZMQ_CURVE_SERVERKEY]   = {KIND_SPECIAL, GS, AT(curve_server_key), .feature = FEATURE_CURVE,
                               .set = set_curve_key, .get = get_curve_key},
    [ZMQ_GSSAPI_SERVER]     = {KIND_SPECIAL, GS, .mechanism = ZMQ_GSSAPI,
                               .feature = FEATURE_GSSAPI,
                               .set = set_server_role, .get = get_server_role},
    [ZMQ_GSSAPI_PRINCIPAL]  = {KIND_BYTES, GS, AT(gssapi_principal), 1, TEXT_MAX,
                               .feature = FEATURE_GSSAPI, .set = set_gssapi_principal},
    [ZMQ_GSSAPI_SERVICE_PRINCIPAL] = {KIND_BYTES, GS, AT(gssapi_service_principal), 1, TEXT_MAX,
                               .feature = FEATURE_GSSAPI, .set = set_gssapi_principal},
    [ZMQ_GSSAPI_PLAINTEXT]  = {KIND_BOOL, GS, AT(gssapi_plaintext), .feature = FEATURE_GSSAPI},
    [ZMQ_GSSAPI_PRINCIPAL_NAMETYPE] = {KIND_INT, GS, AT(gssapi_principal_nametype), 0, 2,
                               .feature = FEATURE_GSSAPI},
    [ZMQ_GSSAPI_SERVICE_PRINCIPAL_NAMETYPE] = {KIND_INT, GS, AT(gssapi_service_principal_nametype),
                               0, 2, .feature = FEATURE_GSSAPI},

    /* WebSocket over TLS: other names of the fields that the rows of tls_options.c own */
    [ZMQ_WSS_KEY_PEM]       = {KIND_SPECIAL, SET, AT(tls_key),         0, INT_MAX,
                               .feature = FEATURE_WSS, .set = zl_tls_option_set_text},
    [ZMQ_WSS_CERT_PEM]      = {KIND_SPECIAL, SET, AT(tls_certificate), 0, INT_MAX,
                               .feature = FEATURE_WSS, .set = zl_tls_option_set_text},
    [ZMQ_WSS_TRUST_PEM]     = {KIND_SPECIAL, SET, AT(tls_ca),          0, INT_MAX,
                               .feature = FEATURE_WSS, .set = zl_tls_option_set_text},
    [ZMQ_WSS_HOSTNAME]      = {KIND_SPECIAL, SET, AT(tls_hostname),    0, INT_MAX,
                               .feature = FEATURE_WSS, .set = zl_tls_option_set_text},
    [ZMQ_WSS_TRUST_SYSTEM]  = {KIND_SPECIAL, SET, AT(tls_trust_system),
                               .feature = FEATURE_WSS, .set = set_bool},

    /* NORM and VMCI */
    [ZMQ_NORM_MODE]         = {KIND_INT,  GS, AT(norm_mode), 0, 4, .initial = 1,
                               .feature = FEATURE_NORM},
    [ZMQ_NORM_UNICAST_NACK] = {KIND_BOOL, GS, AT(norm_unicast_nack), .feature = FEATURE_NORM},
    [ZMQ_NORM_BUFFER_SIZE]  = {KIND_INT,  GS, AT(norm_buffer_size), 1, INT_MAX, .initial = 2048,
                               .feature = FEATURE_NORM},
    [ZMQ_NORM_SEGMENT_SIZE] = {KIND_INT,  GS, AT(norm_segment_size), 1, INT_MAX, .initial = 1400,
                               .feature = FEATURE_NORM},
    [ZMQ_NORM_BLOCK_SIZE]   = {KIND_INT,  GS, AT(norm_block_size), 1, 255, .initial = 16,
                               .feature = FEATURE_NORM},
    [ZMQ_NORM_NUM_PARITY]   = {KIND_INT,  GS, AT(norm_num_parity), 0, 254, .initial = 4,
                               .feature = FEATURE_NORM},
    [ZMQ_NORM_NUM_AUTOPARITY] = {KIND_INT, GS, AT(norm_num_autoparity), 0, 254,
                               .feature = FEATURE_NORM},
    [ZMQ_NORM_PUSH]         = {KIND_BOOL, GS, AT(norm_push), .feature = FEATURE_NORM},
    [ZMQ_VMCI_BUFFER_SIZE]  = {KIND_U64,  SET, AT(vmci_buffer_size), .feature = FEATURE_VMCI},
    [ZMQ_VMCI_BUFFER_MIN_SIZE] = {KIND_U64, SET, AT(vmci_buffer_min_size), .feature = FEATURE_VMCI},
    [ZMQ_VMCI_BUFFER_MAX_SIZE] = {KIND_U64, SET, AT(vmci_buffer_max_size), .feature = FEATURE_VMCI},
    [ZMQ_VMCI_CONNECT_TIMEOUT] = {KIND_INT, SET, AT(vmci_connect_timeout), INT_MIN, INT_MAX,
                               .initial = -1, .feature = FEATURE_VMCI},
};
/* clang-format on */

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]), ALL_ROWS = ROW_COUNT + ZL_TLS_OPTION_ROWS };

/* Both tables as one: first this one, then that of TLS. */
static const struct zl_option_row *row_at(size_t index)
{
    return index < ROW_COUNT ? &rows[index] : &zl_tls_option_rows[index - ROW_COUNT];
}

/* The row for the number, or NULL. */
static const struct zl_option_row *row_of(int option)
{
    if (option >= 0 && option < ROW_COUNT)
        return row_at((size_t)option);
    if (option < ZLINK_TLS_CERTIFICATE || option - ZLINK_TLS_CERTIFICATE >= ZL_TLS_OPTION_ROWS)
        return NULL;
    return row_at((size_t)(ROW_COUNT + option - ZLINK_TLS_CERTIFICATE));
}

/* The row of an option that exists, is compiled in and allows the access; else NULL. */
static const struct zl_option_row *find_row(int option, unsigned access)
{
    const struct zl_option_row *row = row_of(option);
    if (!row || row->kind == KIND_NONE || !(row->access & access))
        return NULL;
    return ZL_OPTION_FEATURES & (1u << row->feature) ? row : NULL;
}

int zl_options_set(struct zl_options *options, int option, const void *value, size_t size)
{
    const struct zl_option_row *row = find_row(option, SET);
    if (!row)
        return -EINVAL;
    zl_option_row_set *set = row->set ? row->set : kind_set[row->kind];
    return set(options, row, value, size);
}

int zl_options_get(const struct zl_options *options, int option, void *value, size_t *size)
{
    const struct zl_option_row *row = find_row(option, GET);
    if (!row)
        return -EINVAL;
    zl_option_row_get *get = row->get ? row->get : kind_get[row->kind];
    return get(options, row, value, size);
}

/* ---- lifetime --------------------------------------------------------------------------- */

static void init_field(struct zl_options *options, const struct zl_option_row *row)
{
    switch (row->kind) {
    case KIND_INT:
        *(int *)field_of(options, row) = row->initial;
        break;
    case KIND_BOOL:
    case KIND_FLAG:
        *(bool *)field_of(options, row) = row->initial != 0;
        break;
    case KIND_I64:
        *(int64_t *)field_of(options, row) = row->initial;
        break;
    default: /* empty is all zeros */
        break;
    }
}

void zl_options_init(struct zl_options *options, int socket_type, bool ipv6, bool blocky)
{
    memset(options, 0, sizeof(*options));
    for (size_t i = 0; i < ALL_ROWS; i++)
        init_field(options, row_at(i));
    options->type = socket_type;
    options->ipv6 = ipv6;
    /* What a subscriber leaves unsent is subscriptions, of no use to anybody after it has gone. */
    if (!blocky || socket_type == ZMQ_SUB || socket_type == ZMQ_XSUB || socket_type == ZMQ_DISH)
        options->linger = 0;
}

void zl_options_clear(struct zl_options *options)
{
    for (size_t i = 0; i < ALL_ROWS; i++) {
        const struct zl_option_row *row = row_at(i);
        if (row->kind == KIND_BYTES)
            zl_option_bytes_clear(field_of(options, row));
        else if (row->kind == KIND_LIST)
            list_clear(field_of(options, row));
    }
    metadata_clear(&options->metadata);
    explicit_bzero(options->curve_secret_key, sizeof(options->curve_secret_key));
}

/* `options` must be first: a snapshot is known by its address. */
struct snapshot {
    struct zl_options options;
    atomic_size_t references;
};

static int copy_list(struct zl_option_list *copy, const struct zl_option_list *list,
                     size_t entry_size)
{
    if (list->count == 0)
        return 0;
    copy->items = malloc(list->count * entry_size);
    if (!copy->items)
        return -ENOMEM;
    memcpy(copy->items, list->items, list->count * entry_size);
    copy->count = list->count;
    return 0;
}

static int copy_metadata(struct zl_option_properties *copy,
                         const struct zl_option_properties *metadata)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < metadata->count; i++) {
        const struct zl_option_property *source = &metadata->items[i];
        struct zl_option_property property;
        rc = make_property(source->name, strlen(source->name), source->value, strlen(source->value),
                           &property);
        if (rc == 0)
            rc = insert_property(copy, property);
    }
    return rc;
}

/* Makes the owned part of `copy`, which still is a bytewise copy of `options`, its own. On failure
 * what it has so far is still to be cleared. */
static int copy_owned(struct zl_options *copy, const struct zl_options *options)
{
    int rc = 0;
    for (size_t i = 0; i < ALL_ROWS; i++) {
        const struct zl_option_row *row = row_at(i);
        const void *source = const_field_of(options, row);
        void *target = field_of(copy, row);
        if (row->kind == KIND_BYTES) {
            const struct zl_option_bytes *bytes = source;
            memset(target, 0, sizeof(*bytes));
            rc = rc < 0 ? rc : zl_option_bytes_set(target, bytes->data, bytes->size);
        } else if (row->kind == KIND_LIST) {
            memset(target, 0, sizeof(struct zl_option_list));
            rc = rc < 0 ? rc : copy_list(target, source, (size_t)row->max);
        }
    }
    memset(&copy->metadata, 0, sizeof(copy->metadata));
    return rc < 0 ? rc : copy_metadata(&copy->metadata, &options->metadata);
}

const struct zl_options *zl_options_snapshot(const struct zl_options *options)
{
    struct snapshot *snapshot = malloc(sizeof(*snapshot));
    if (!snapshot)
        return NULL;
    snapshot->options = *options;
    atomic_init(&snapshot->references, 1);
    if (copy_owned(&snapshot->options, options) == 0)
        return &snapshot->options;
    zl_options_release(&snapshot->options);
    return NULL;
}

/* Snapshots are immutable to everybody but the two functions below. */
static struct snapshot *snapshot_of(const struct zl_options *options)
{
    return (struct snapshot *)(uintptr_t)options;
}

const struct zl_options *zl_options_acquire(const struct zl_options *snapshot)
{
    atomic_fetch_add_explicit(&snapshot_of(snapshot)->references, 1, memory_order_relaxed);
    return snapshot;
}

/* The release half orders every use before the decrement; the acquire half, in whoever drops the
 * last reference, pairs with it, so that no use is left when the memory goes. */
void zl_options_release(const struct zl_options *snapshot)
{
    if (!snapshot)
        return;
    struct snapshot *owned = snapshot_of(snapshot);
    if (atomic_fetch_sub_explicit(&owned->references, 1, memory_order_acq_rel) != 1)
        return;
    zl_options_clear(&owned->options);
    free(owned);
}
