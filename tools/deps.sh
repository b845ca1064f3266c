#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# tools/deps.sh <profile>: sees to it that the Debian packages of a profile are installed.
# Only missing ones are installed. Without root rights, or on another system, it says what is
# needed. ZLINK_NO_DEPS=1 leaves all this to you.
#
#   build  library, zlink command, tools      test  build, and what the tests need
#   ci     test, and the other checks         bench build, and what the benchmark needs
set -eu
[ -z "${ZLINK_NO_DEPS-}" ] || exit 0

build="gcc libc6-dev cmake make libssl-dev"
test="$build openssl libcmocka-dev libzmq3-dev python3 python3-zmq python3-pytest libczmq4 g++ cppzmq-dev pkg-config stunnel4 chromium spin"
# Node.js may be there from elsewhere, with npm in it: then Debian's packages would get in its way.
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    test="$test nodejs npm"
fi
ci="$test clang clang-format"
bench="$build libzmq3-dev gnuplot-nox python3 openssl libssl-dev"

case "${1-}" in
build) packages=$build ;;
test) packages=$test ;;
ci) packages=$ci ;;
bench) packages=$bench ;;
*)
    echo "usage: $0 build|test|ci|bench" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    # Said only where it may matter: where the compiler or CMake is missing.
    if ! command -v cmake >/dev/null || ! command -v cc >/dev/null || [ "$1" != build ]; then
        echo "Not a Debian system; needed (names of Debian packages): $packages" >&2
    fi
    exit 0
fi

missing=""
for package in $packages; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

apt="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" -eq 0 ]; then
    as_root="env DEBIAN_FRONTEND=noninteractive"
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root="sudo env DEBIAN_FRONTEND=noninteractive"
else
    echo "Missing packages:$missing" >&2
    echo "Install them with:  sudo apt-get update && sudo $apt" >&2
    echo "(or set ZLINK_NO_DEPS=1 if you have them from elsewhere)" >&2
    exit 1
fi

echo "Installing:$missing"
# The package lists may be absent or old: then one update, and once more.
# shellcheck disable=SC2086 # the lists are meant to be split
if ! $as_root $apt >/dev/null 2>&1; then
    $as_root apt-get update >/dev/null || true
    $as_root $apt >/dev/null || {
        echo "Could not install:$missing" >&2
        exit 1
    }
fi
