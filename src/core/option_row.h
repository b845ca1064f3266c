/* SPDX-License-Identifier: MPL-2.0 */
/* The rows of the option tables: for options.c and the files that have a table of their own. */
#ifndef ZL_CORE_OPTION_ROW_H
#define ZL_CORE_OPTION_ROW_H

#include "core/options.h"

enum kind {
    KIND_NONE,    /* no such option */
    KIND_INT,     /* int from min to max */
    KIND_BOOL,    /* int 0 or 1, kept as bool */
    KIND_FLAG,    /* any int, kept as bool */
    KIND_U64,     /* any 8 bytes */
    KIND_I64,     /* any 8 bytes */
    KIND_BYTES,   /* struct zl_option_bytes of min to max bytes */
    KIND_LIST,    /* struct zl_option_list of entries of max bytes; a set appends one */
    KIND_SPECIAL, /* only the functions of the row */
};

enum { GET = 1, SET = 2 };

#define GS (GET | SET)

/* What an option is good for nothing without. */
enum feature {
    FEATURE_CORE,
    FEATURE_SOCKS,
    FEATURE_PLAIN,
    FEATURE_CURVE,
    FEATURE_GSSAPI,
    FEATURE_WSS,
    FEATURE_NORM,
    FEATURE_VMCI,
};

struct zl_option_row;

typedef int zl_option_row_set(struct zl_options *options, const struct zl_option_row *row,
                              const void *value, size_t size);
typedef int zl_option_row_get(const struct zl_options *options, const struct zl_option_row *row,
                              void *value, size_t *size);

/* A row of a kind other than KIND_SPECIAL owns its field: it is what initialises, copies and frees it.
 * Another option for the same field has to be special. */
struct zl_option_row {
    unsigned char kind;
    unsigned char access;  /* GET and SET */
    unsigned short offset; /* of the field in struct zl_options */
    int min;
    int max;
    int initial;      /* of numbers; all else starts empty */
    bool null_clears; /* bytes: NULL of size 0 empties them although min is not 0 */
    unsigned char feature;
    unsigned char mechanism; /* that the setter chooses */
    zl_option_row_set *set;  /* instead of what the kind does */
    zl_option_row_get *get;
};

#define AT(field) offsetof(struct zl_options, field)

static inline void *field_of(struct zl_options *options, const struct zl_option_row *row)
{
    return (char *)options + row->offset;
}

static inline const void *const_field_of(const struct zl_options *options,
                                         const struct zl_option_row *row)
{
    return (const char *)options + row->offset;
}

#endif
