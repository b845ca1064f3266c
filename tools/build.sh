#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
#
# tools/build.sh <build folder> [CMake options]: configures and builds. Shows warnings and errors
# only; the full log is in <folder>/build.log. JOBS says how many jobs run at once.
set -u
# Called from a Makefile: the generated one shall not inherit its flags and job slots.
unset MAKEFLAGS MFLAGS MAKELEVEL
build=${1:?build folder}
shift
mkdir -p "$build"
log=$build/build.log

if ! cmake -S . -B "$build" "$@" >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
grep -A 4 '^CMake .*Warning' "$log" >&2

cmake --build "$build" -j "${JOBS:-$(nproc)}" 2>&1 | tee -a "$log" |
    grep -vE '^\[ *[0-9]+%\]|^g?make\[[0-9]+\]: (Entering|Leaving)|^Consolidate compiler|^-- |^Scanning dep|^Re-run cmake|^Re-checking glob' >&2
exit "${PIPESTATUS[0]}"
