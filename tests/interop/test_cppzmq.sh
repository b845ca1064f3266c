#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# ctest-nosan
#
# A C++ program built with the system's cppzmq, once against the stock library and its header and
# once against ours. Each build runs on both libraries.
set -u

here=$(cd "$(dirname "$0")" && pwd)
source_dir=$(dirname "$(dirname "$here")")
build=${ZLINK_BUILD_DIR:-$source_dir/build}
ours=$(readlink -f "${OUR_LIBZMQ:-$build/lib/libzmq.so.5}")
stock=${STOCK_LIBZMQ:-}
header=${STOCK_ZMQ_H:-}
skipped=77

if [ -z "$stock" ] || [ -z "$header" ] || ! command -v c++ >/dev/null ||
    ! echo '#include <zmq_addon.hpp>' | c++ -E -x c++ - >/dev/null 2>&1; then
    echo "a C++ compiler, cppzmq or a stock libzmq is missing" \
        "(Debian: g++, cppzmq-dev, libzmq3-dev): skipped"
    exit $skipped
fi
stock=$(readlink -f "$stock")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/ours" "$work/stock"
ln -s "$ours" "$work/ours/libzmq.so.5"
ln -s "$stock" "$work/stock/libzmq.so.5"

passed=0
failed=0

# verdict <status> <title>: counts a case.
verdict() {
    if [ "$1" -eq 0 ]; then
        echo "ok   $2"
        passed=$((passed + 1))
    else
        echo "FAIL $2 (status $1)"
        failed=$((failed + 1))
    fi
}

# build <against> <folder of zmq.h>
build_program() {
    c++ -std=c++17 -Wall -Werror -I"$2" -o "$work/against-$1" "$here/cppzmq_program.cpp" \
        "$work/$1/libzmq.so.5" -pthread
}

# run <against> <library>: it must end well, and have run on that library.
run_program() {
    local loaded
    loaded=$(cd "$work" && LD_LIBRARY_PATH="$work/$2" timeout 50 "./against-$1") &&
        [ "$loaded" = "$(readlink -f "$work/$2/libzmq.so.5")" ]
}

for against in stock ours; do
    include=$(dirname "$header")
    [ "$against" = stock ] || include=$source_dir/include
    build_program "$against" "$include"
    verdict $? "built against $against"
    for library in ours stock; do
        run_program "$against" "$library"
        verdict $? "built against $against, run on $library"
    done
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
