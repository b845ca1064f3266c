#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# ctest-nosan: what is installed is not built with a sanitizer.
#
# Installs into an empty folder and builds programs with what is there alone, as a user would:
# with the shared and the static library, in C and through pkg-config.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*"
    exit 1
}

command -v pkg-config >/dev/null || {
    echo "no pkg-config"
    exit 77
}

DESTDIR=$work/root cmake --install "$ZLINK_BUILD_DIR" >"$work/log" || fail "$(cat "$work/log")"
pc=$(find "$work/root" -name libzmq.pc)
[ -f "$pc" ] || fail "no libzmq.pc"

# What it requires (OpenSSL) is the system's.
system=$(pkg-config --variable pc_path pkg-config)
export PKG_CONFIG_LIBDIR=${pc%/*}:$system PKG_CONFIG_SYSROOT_DIR=$work/root
unset PKG_CONFIG_PATH
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
read -ra cflags <<<"$(pkg-config --cflags libzmq)"
read -ra libs <<<"$(pkg-config --libs libzmq)"
read -ra private <<<"$(pkg-config --static --libs-only-l libzmq)"
libdir=$work/root$(pkg-config --variable=libdir libzmq | sed "s,^$work/root,,")
[ "$(pkg-config --modversion libzmq)" = 4.3.5 ] || fail "pkg-config tells another version"

cat >"$work/program.c" <<'C'
#include <stdio.h>
#include <zlink.h>
#include <zmq.h>
int main(void)
{
    int version[3];
    zlink_version(&version[0], &version[1], &version[2]);
    printf("zlink %d.%d.%d", version[0], version[1], version[2]);
    zmq_version(&version[0], &version[1], &version[2]);
    printf(" libzmq %d.%d.%d\n", version[0], version[1], version[2]);
    return 0;
}
C
expected="zlink 0.1.0 libzmq 4.3.5"
cc=${CC:-cc}

"$cc" "${cflags[@]}" "$work/program.c" -o "$work/shared" "${libs[@]}"
readelf -d "$work/shared" | grep -q 'NEEDED.*\[libzmq\.so\.5\]' || fail "not linked with libzmq.so.5"
[ "$(LD_LIBRARY_PATH=$libdir "$work/shared")" = "$expected" ] || fail "shared library"

"$cc" "${cflags[@]}" "$work/program.c" -o "$work/static" "$libdir/libzmq.a" \
    "${private[@]/-lzmq/-lc}"
! readelf -d "$work/static" | grep -q 'libzmq' || fail "not linked statically"
[ "$("$work/static")" = "$expected" ] || fail "static library"

# The command finds its library by itself, wherever both were put.
command=$(find "$work/root" -path '*/bin/zlink')
if [ -n "$command" ]; then
    env -u LD_LIBRARY_PATH ldd "$command" | grep -q "libzmq.so.5 => $work/root" ||
        fail "the command does not use the library that came with it"
fi

echo "installed files work"
