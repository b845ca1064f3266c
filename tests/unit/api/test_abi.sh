#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# ctest-timeout: 120
#
# Compares our binary interface with that of the system's libzmq: constants, sizes, offsets and
# prototypes in zmq.h; exported symbols and name of the shared library. Each comparison is first
# made to fail on a falsified copy, so that one that cannot fail is noticed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
ours_header=$ZLINK_SOURCE_DIR/include/zmq.h
ours_library=$ZLINK_BUILD_DIR/lib/libzmq.so.5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
export LC_ALL=C

# What differs on purpose: our version; a value that libzmq itself corrected after 4.3.4; the
# guard against double inclusion.
allowed_macros='^(ZMQ_VERSION|ZMQ_VERSION_PATCH|ZMQ_RECONNECT_STOP_AFTER_DISCONNECT|_+ZMQ_H_INCLUDED_+)$'

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# must_fail <what> <command...>: the command has to notice that something is wrong.
must_fail() {
    local what=$1
    shift
    ! "$@" >/dev/null 2>&1 || fail "not noticed: $what"
}

compile() { "${CC:-cc}" -std=gnu11 -DZMQ_BUILD_DRAFT_API "$@"; }

# macros <folder>: "name kind" of every macro that its zmq.h defines, by itself or conditionally.
macros() {
    echo '#include <zmq.h>' | compile -I"$1" -dM -E - |
        sed -nE 's/^#define (_*ZMQ_[A-Z0-9_a-z]*|EFSM|ENOCOMPATPROTO|ETERM|EMTHREAD)(\(?)( ?)(.*)/\1 \2 \4/p' |
        awk '$2 == "(" { print $1, "function"; next } NF == 1 { print $1, "empty"; next }
             { print $1, "value" }' | sort
}

# print_values <names> <folder> <result>: the value of each of these macros there, and the layouts.
print_values() {
    {
        cat <<'C'
#include <stddef.h>
#include <stdio.h>
#include <zmq.h>
static void text(const char *name, const char *value) { printf("%s \"%s\"\n", name, value); }
static void number(const char *name, long long value) { printf("%s %lld\n", name, value); }
#define VALUE(name)                                                                                \
    _Generic((name), char *: text, default: number)                                                \
    (#name, _Generic((name), char *: (name), default: (long long)(name)))
int main(void)
{
C
        sed 's/.*/    VALUE((&));/' "$1"
        cat <<'C'
    VALUE(ZMQ_MAKE_VERSION(1, 2, 3));
    VALUE(sizeof(zmq_msg_t));
    VALUE(_Alignof(zmq_msg_t));
    VALUE(sizeof(zmq_fd_t));
    VALUE(_Generic((zmq_fd_t)0, int: 1, default: 0));
    VALUE(_Generic((zmq_free_fn *)0, void (*)(void *, void *): 1, default: 0));
    VALUE(_Generic((zmq_timer_fn *)0, void (*)(int, void *): 1, default: 0));
    VALUE(_Generic((zmq_thread_fn *)0, void (*)(void *): 1, default: 0));
    VALUE(sizeof(zmq_pollitem_t));
    VALUE(offsetof(zmq_pollitem_t, socket));
    VALUE(offsetof(zmq_pollitem_t, fd));
    VALUE(offsetof(zmq_pollitem_t, events));
    VALUE(offsetof(zmq_pollitem_t, revents));
    VALUE(sizeof(zmq_poller_event_t));
    VALUE(offsetof(zmq_poller_event_t, socket));
    VALUE(offsetof(zmq_poller_event_t, fd));
    VALUE(offsetof(zmq_poller_event_t, user_data));
    VALUE(offsetof(zmq_poller_event_t, events));
    return 0;
}
C
    } >"$3.c"
    compile -w -I"$2" "$3.c" -o "$3.exe" && env -u LD_PRELOAD "$3.exe" >"$3"
}

# same_macros <ours> <stock>: all that is defined there is defined here, as the same kind of macro.
same_macros() {
    macros "$1" >"$work/ours.macros"
    macros "$2" | grep -vE "${allowed_macros%$} " >"$work/stock.macros"
    [ "$(wc -l <"$work/stock.macros")" -gt 200 ] || return 1
    comm -13 "$work/ours.macros" "$work/stock.macros" >"$work/missing"
    cat "$work/missing"
    [ ! -s "$work/missing" ]
}

# same_values <ours> <stock>: what both define has the same value, and layouts are the same.
same_values() {
    comm -12 <(macros "$1") <(macros "$2") | awk '$2 == "value" { print $1 }' |
        grep -vE "$allowed_macros" >"$work/names"
    [ "$(wc -l <"$work/names")" -gt 200 ] || return 1
    print_values "$work/names" "$1" "$work/ours.values" || return 1
    print_values "$work/names" "$2" "$work/stock.values" || return 1
    diff "$work/ours.values" "$work/stock.values"
}

# prototypes <folder>: the functions that its zmq.h declares, without names of arguments.
prototypes() {
    echo '#include <zmq.h>' >"$work/include.c"
    gcc -std=gnu11 -DZMQ_BUILD_DRAFT_API -I"$1" -aux-info "$work/aux" -fsyntax-only \
        "$work/include.c" && sed -n 's,^/\* [^*]*/zmq\.h[^*]*\*/ ,,p' "$work/aux" | sort
}

# same_prototypes <ours> <stock>: all that is declared there is declared here alike.
same_prototypes() {
    prototypes "$1" >"$work/ours.prototypes"
    prototypes "$2" >"$work/stock.prototypes"
    [ "$(wc -l <"$work/stock.prototypes")" -gt 70 ] || return 1
    comm -13 "$work/ours.prototypes" "$work/stock.prototypes" >"$work/missing"
    cat "$work/missing"
    [ ! -s "$work/missing" ]
}

# symbols <library>: the functions that it exports.
symbols() { nm -D --defined-only "$1" | awk 'NF == 3 && $2 != "A" { print $3 }' | sort; }

# has_symbols <symbols we have> <symbols needed>
has_symbols() {
    [ -s "$2" ] && comm -13 "$1" "$2" >"$work/missing" && cat "$work/missing" &&
        [ ! -s "$work/missing" ]
}

only_ours() { ! grep -vE '^(zmq|zlink)_' "$1"; }

soname() { readelf -dW "$1" | sed -nE 's/.*SONAME.*\[(.*)\]/\1/p'; }

# falsified <sed expression>: a folder with a changed copy of our header.
falsified() {
    rm -rf "$work/false"
    mkdir "$work/false"
    sed -E "$1" "$ours_header" >"$work/false/zmq.h"
    ! cmp -s "$work/false/zmq.h" "$ours_header" || fail "falsification without effect: $1"
}

# ---- headers -----------------------------------------------------------------------------

mkdir "$work/ours" "$work/stock"
cp "$ours_header" "$work/ours/zmq.h"
if [ -z "$STOCK_ZMQ_H" ]; then
    echo "no stock zmq.h: headers not compared"
else
    cp "$STOCK_ZMQ_H" "$work/stock/zmq.h"
    same_macros "$work/ours" "$work/stock" || fail "macros missing"
    falsified 's/^(#define ZMQ_)(PROBE_ROUTER)/\1NOT_\2/'
    must_fail "missing macro" same_macros "$work/false" "$work/stock"
    falsified 's/^(#define ZMQ_HAVE_TIMERS)$/\1 1/'
    must_fail "macro of another kind" same_macros "$work/false" "$work/stock"

    same_values "$work/ours" "$work/stock" || fail "values or layouts differ"
    falsified 's/^(#define ZMQ_PROBE_ROUTER) [0-9]+/\1 151/'
    must_fail "wrong constant" same_values "$work/false" "$work/stock"
    falsified 's/^(#define ZMQ_MSG_PROPERTY_USER_ID) .*/\1 "User-ID"/'
    must_fail "wrong text" same_values "$work/false" "$work/stock"
    falsified 's/_\[64\]/_[72]/'
    must_fail "wrong size of a message" same_values "$work/false" "$work/stock"
    falsified 's/^    short revents;.*//; s/^    short events; .*what.*/    short revents; short events;/'
    must_fail "swapped members" same_values "$work/false" "$work/stock"
    falsified 's/(zmq_timer_fn\)\()int/\1long/'
    must_fail "wrong callback" same_values "$work/false" "$work/stock"

    # Only gcc lists prototypes.
    if command -v gcc >/dev/null; then
        same_prototypes "$work/ours" "$work/stock" || fail "prototypes differ"
        falsified 's/(zmq_poll\(zmq_pollitem_t \*items, int count,) long/\1 int/'
        must_fail "wrong prototype" same_prototypes "$work/false" "$work/stock"
    fi
fi

# The header must not be mistaken for another: what is compiled here is ours.
echo '#include <zmq.h>' | compile -I"$ZLINK_SOURCE_DIR/include" -E - | grep -q "$ours_header" ||
    fail "not our header"

# ---- library -----------------------------------------------------------------------------

symbols "$ours_library" >"$work/ours.symbols"
sort "$here/exported_symbols.txt" >"$work/specified.symbols"
has_symbols "$work/ours.symbols" "$work/specified.symbols" || fail "specified symbols not exported"
only_ours "$work/ours.symbols" || fail "internal symbols exported"
{ cat "$work/specified.symbols" && echo zmq_of_nobody; } | sort >"$work/false.symbols"
must_fail "missing symbol" has_symbols "$work/ours.symbols" "$work/false.symbols"
{ cat "$work/ours.symbols" && echo zl_internal; } | sort >"$work/false.symbols"
must_fail "surplus symbol" only_ours "$work/false.symbols"

if [ -n "$STOCK_LIBZMQ" ]; then
    symbols "$STOCK_LIBZMQ" | grep '^zmq_' >"$work/stock.symbols"
    [ "$(wc -l <"$work/stock.symbols")" -ge 70 ] || fail "too few symbols in $STOCK_LIBZMQ"
    has_symbols "$work/ours.symbols" "$work/stock.symbols" || fail "symbols of libzmq not exported"
    ! cmp -s "$work/ours.symbols" "$work/stock.symbols" || fail "compared with itself"
    [ "$(soname "$ours_library")" = "$(soname "$STOCK_LIBZMQ")" ] || fail "another SONAME"
fi
[ "$(soname "$ours_library")" = libzmq.so.5 ] || fail "SONAME is $(soname "$ours_library")"
# With symbol versions, programs linked with libzmq would start with a warning.
! readelf -VW "$ours_library" | grep -q 'gnu.version_d' || fail "symbols have versions"

[ "$failures" -eq 0 ] && echo "interfaces agree"
exit $((failures > 0))
