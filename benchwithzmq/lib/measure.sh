# shellcheck shell=bash
# shellcheck disable=SC2154 # variables are shared with the other files
# SPDX-License-Identifier: MPL-2.0
#
# Going through the plan: one program call per measurement, one line of result for each.

silence_seconds=1
silences=3

announce() {
    local raw="plain sockets"
    [ "$skip_raw" = no ] || raw="no plain sockets"
    {
        echo "zlink:  ${zlink_identity/ file=*/}"
        echo "libzmq: ${libzmq_identity/ file=*/}, and $raw"
        [ "$tuned" = no ] || echo "libzmq tuned: $tuned_options"
        echo "CPU affinity: $cpus ($affinity); ${#plan[@]} cells, $runs runs, ${window} s each"
    } >&2
}

# For every measurement of one run, calls:
# <command> <library> <pattern> <transport> <mode> <size> <variant>.
for_each_measurement() {
    local cell ceiling
    local -A ceiling_seen=()
    for cell in "${plan[@]}"; do
        # shellcheck disable=SC2086 # a cell is five words
        set -- "$1" $cell
        "$1" zlink "${@:2}"
        [ "$skip_libzmq" = yes ] || "$1" libzmq "${@:2}"
        [ "$tuned" = no ] || [ "$4" = connections ] || "$1" tuned "${@:2}"
        # Once per run is enough for all patterns that share it.
        if [ "$skip_raw" = yes ] || ! has_ceiling "${@:2}"; then continue; fi
        ceiling="$(ceiling_transport "$3") $4 $5"
        [ -z "${ceiling_seen[$ceiling]-}" ] || continue
        ceiling_seen[$ceiling]=yes
        # shellcheck disable=SC2086 # three words
        "$1" raw any $ceiling -
    done
}

count_measurement() {
    measurements=$((measurements + 1))
}

# Half of what the reference can do, found by three short runs and kept for the session. Sets
# `rate`.
declare -A rates=()
half_capacity() { # transport size
    local library=$zlink_library
    [ "$skip_libzmq" = yes ] || library=$libzmq_library
    if [ -z "${rates[$1 $2]-}" ]; then
        rates[$1 $2]=$(
            for _ in 1 2 3; do
                "$zbench" --lib "$library" --transport "$1" --size "$2" --time 0.2 2>/dev/null
            done | sed 's/.* msgs_per_s=\([0-9]*\).*/\1/' | sort -n |
                awk '{ rate[NR] = $1 } END { print NR ? int(rate[int((NR + 1) / 2)] / 2) : 10000 }'
        )
    fi
    rate=${rates[$1 $2]}
}

# Sets the array `command`.
make_command() { # library pattern transport mode size variant
    command=("$zraw" --transport "$3" --mode "$4" --size "$5" --time "$window" --warmup "$warmup")
    [ "$1" != raw ] || return 0
    command[0]=$zbench
    command+=(--pattern "$2" --label "$1")
    case $1 in
    zlink) command+=(--lib "$zlink_library") ;;
    libzmq | tuned) command+=(--lib "$libzmq_library") ;;
    esac
    case $4 in
    fixed-rate)
        half_capacity "$3" "$5"
        command+=(--rate "$rate")
        ;;
    idle) command+=(--silence "$silence_seconds" --count "$silences") ;;
    esac
    # shellcheck disable=SC2206,SC2207 # options are words
    command+=($(variant_options "$6") $bench_options)
    # shellcheck disable=SC2206
    [ "$1" != libzmq ] || command+=($libzmq_options)
    # shellcheck disable=SC2206
    [ "$1" != tuned ] || command+=($tuned_options)
}

# The beginning of a line of result.
sample_start() { # pattern variant
    printf 'sample session=%s affinity=%s run=%s pattern=%s' "$session" "$affinity" "$run" "$1"
    [ "$2" = - ] || printf ' variant=%s' "$2"
}

# A cell that failed once is not tried again: it may take its full time limit each time.
declare -A given_up=()
zlink_failures=0

record() { # library pattern transport mode size variant
    local line status word
    [ -z "${given_up[$*]-}" ] || { progress_step "$*" && return; }
    progress_step "run $run of $runs: $1 $2 $3 $4 $5 ${6#-}"
    make_command "$@"
    line=$("${command[@]}" 2>"$complaint")
    status=$?
    if [ $status -eq 0 ]; then
        # The pattern is written already, the file name belongs to this machine only.
        sample_start "$2" "$6"
        for word in $line; do
            case $word in
            file=* | pattern=*) ;;
            *) printf ' %s' "$word" ;;
            esac
        done
        echo
        return
    fi
    given_up[$*]=yes
    word=failed
    [ $status -ne 3 ] || word=unsupported
    sample_start "$2" "$6"
    printf ' lib=%s transport=%s mode=%s size=%s status=%s\n' "$1" "$3" "$4" "$5" "$word"
    [ "$word" = failed ] || return
    progress_clear
    echo "$1 failed: $2 $3 $4 $5 ${6#-}: $(tail -n 1 "$complaint")" >&2
    [ "$1" != zlink ] || zlink_failures=$((zlink_failures + 1))
}

measure_plan() { # file that the lines are added to
    complaint=$1.complaint
    measurements=0
    for_each_measurement count_measurement
    progress_start $((measurements * runs)) "$(awk "BEGIN { print $window + $warmup + 0.1 }")"
    for ((run = 1; run <= runs; run++)); do
        for_each_measurement record >>"$1"
    done
    progress_clear
    rm -f "$complaint"
}
