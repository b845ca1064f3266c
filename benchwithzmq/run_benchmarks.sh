#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Measures zlink beside the system's libzmq and beside plain sockets, in turn, and reports the
# ratios. --help explains everything; README.md explains how to read the result.
set -uo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
# shellcheck source=lib/options.sh
. "$here/lib/options.sh"
# shellcheck source=lib/plan.sh
. "$here/lib/plan.sh"
# shellcheck source=lib/machine.sh
. "$here/lib/machine.sh"
# shellcheck source=lib/progress.sh
. "$here/lib/progress.sh"
# shellcheck source=lib/measure.sh
. "$here/lib/measure.sh"

# --both: this script once on one CPU and once on all that are allowed, each with its own section of
# the report.
run_both() {
    local first
    [ "$(nproc)" -gt 1 ] ||
        fail "--both needs more than one CPU, and only CPU $(allowed_cpus) is allowed here"
    first=$(allowed_cpus)
    first=${first%%[-,]*}
    taskset -c "$first" "${BASH_SOURCE[0]}" "$@"
    local status=$?
    "${BASH_SOURCE[0]}" "$@" && return $status
}

report() {
    local new=$1
    if ! command -v python3 >/dev/null; then
        cat "$new" >>"$result_file"
        fail "python3 is not installed: no report; the measurements were added to $result_file"
    fi
    python3 -B "$here/report/report.py" --new "$new" --results "$result_file" \
        --markdown "$report_file" --plots "$plot_folder" --affinity "$affinity"
}

main() {
    parse_options "$@"
    if [ "$both" = yes ]; then
        run_both "${arguments_without_both[@]}"
        exit
    fi
    find_programs
    find_libraries
    find_affinity
    make_plan
    [ "${#plan[@]}" -gt 0 ] || fail "nothing to measure: this pattern has no such mode"

    new=$(mktemp)
    trap 'rm -f "$new" "$new.complaint"' EXIT
    trap 'progress_clear; echo "Interrupted, nothing recorded." >&2; exit 130' INT TERM
    describe_session >"$new"
    announce
    measure_plan "$new"
    report "$new" || exit
    [ "$zlink_failures" -eq 0 ] || fail "$zlink_failures cells of zlink failed"
}

main "$@"
