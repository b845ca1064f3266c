#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
#
# tools/run_tests.sh <build folder> [ctest options]: runs the tests of a build. Shows those that
# did not pass, with their output, and one summary line; the full log is in <folder>/tests.log.
set -u
build=${1:?build folder}
shift
jobs=${TEST_JOBS:-2}

run=(ctest --test-dir "$build" --output-on-failure --no-tests=error -j "$jobs")
if grep -q '^ZLINK_SANITIZE:[A-Z]*=thread' "$build/CMakeCache.txt" &&
    setarch "$(uname -m)" -R true 2>/dev/null; then
    # The thread sanitizer's fixed memory layout clashes with strong address randomisation.
    run=(setarch "$(uname -m)" -R "${run[@]}")
fi

"${run[@]}" "$@" 2>&1 | tee "$build/tests.log" |
    grep -vE '^ +Start +[0-9]+: |[.* ]Passed +[0-9.]+ sec *$|^Internal ctest changing|^Test project|^$|^Label Time|^[a-z0-9_]+ += +[0-9.]+ sec'
exit "${PIPESTATUS[0]}"
