#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# tests/fuzz/libfuzzer.sh <name> [seconds]: runs tests/fuzz/test_<name>.c under libFuzzer with the
# address and undefined behaviour sanitizers (needs clang). Corpus and findings are kept in
# build-fuzz/<name>/.
set -eu
cd "$(dirname "$0")/../.."
name=${1:?name of a target, as in tests/fuzz/test_<name>.c}
seconds=${2:-60}
folder=build-fuzz/$name
mkdir -p "$folder/corpus"
flags="-std=gnu11 -O1 -g -Isrc -Iinclude -Itests/fuzz"
sources="tests/fuzz/test_$name.c $(echo src/wire/*.c)"
# shellcheck disable=SC2086 # lists
clang $flags $sources -o "$folder/seeds" -lcrypto
"$folder/seeds" "$folder/corpus"
# shellcheck disable=SC2086
clang $flags -DFUZZ_LIBFUZZER -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
    $sources -o "$folder/fuzz" -lcrypto
cd "$folder"
exec ./fuzz -max_total_time="$seconds" -max_len=40000 -print_final_stats=1 corpus
