# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are shared with the other files
# SPDX-License-Identifier: MPL-2.0
#
# What is measured and where: programs, libraries, CPU affinity, and the line that records them.

allowed_cpus() {
    awk '/^Cpus_allowed_list:/ { print $2 }' /proc/self/status
}

find_programs() {
    zbench=$build/bin/zbench
    zraw=$build/bin/zraw
    local program
    for program in "$zbench" "$zraw"; do
        [ -x "$program" ] ||
            fail "$program is missing: build first (make), or name the build folder with --build"
    done
}

# identify <library>: implementation, version and file, as zbench found them; "" if it cannot be
# loaded.
identify() {
    "$zbench" --lib "$1" --identify | cut -d ' ' -f 2-
}

system_candidates() {
    PATH=$PATH:/usr/sbin:/sbin ldconfig -p 2>/dev/null | awk '/libzmq\.so\.5 / { print $NF }'
    ls /usr/lib*/libzmq.so.5 /usr/lib/*/libzmq.so.5 /usr/local/lib*/libzmq.so.5 \
        /opt/*/lib/libzmq.so.5 2>/dev/null
}

# The first libzmq outside the build folder that is not zlink installed in its place.
find_system_libzmq() {
    local candidate real ours
    ours=$(realpath -m "$build")
    while read -r candidate; do
        real=$(realpath -m "$candidate")
        [[ $real == "$ours"/* ]] && continue
        [[ $(identify "$candidate" 2>/dev/null) == implementation=libzmq* ]] || continue
        echo "$candidate"
        return
    done < <(system_candidates)
}

find_libraries() {
    [ -e "$zlink_library" ] ||
        fail "$zlink_library is missing: build first (make), or name it with --zlink"
    zlink_identity=$(identify "$zlink_library") || fail "$zlink_library cannot be used"
    [[ $zlink_identity == implementation=zlink* ]] ||
        echo "Note: $zlink_library is not zlink; it is measured in its place." >&2
    libzmq_identity="implementation=none"
    [ "$skip_libzmq-$tuned" != yes-no ] || return 0
    [ -n "$libzmq_library" ] || libzmq_library=$(find_system_libzmq)
    [ -n "$libzmq_library" ] || fail "The system's libzmq was not found. Install it" \
        "(Debian, Ubuntu: apt-get install libzmq5; Fedora: dnf install zeromq)," \
        "name it with --libzmq PATH, or leave it out with --skip-libzmq."
    libzmq_identity=$(identify "$libzmq_library") || fail "$libzmq_library cannot be used"
    [[ $libzmq_identity == implementation=libzmq* ]] ||
        fail "$libzmq_library is zlink itself; name another with --libzmq, or use --skip-libzmq"
}

find_affinity() {
    cpus=$(allowed_cpus)
    affinity=free
    [ "$(nproc)" -gt 1 ] || affinity=pinned
}

current_commit() {
    local commit
    commit=$(git -C "$root" rev-parse --short=12 HEAD 2>/dev/null) || commit=unknown
    if [ -n "$(git -C "$root" status --porcelain --untracked-files=no -- . ':!docs/plots' \
        ':!benchwithzmq/benchmark_result.txt' ':!benchwithzmq/zlink_BENCHMARK_RESULTS.md' \
        2>/dev/null)" ]; then
        commit+="-modified"
    fi
    echo "$commit"
}

# without_paths <words>: the same words without those that name files of this machine, for the
# record.
without_paths() {
    local word skip=no result=""
    for word in "$@"; do
        if [ "$skip" = yes ]; then
            skip=no
            continue
        fi
        case $word in
        --output | --build | --zlink | --libzmq) skip=yes ;;
        *) result+="${result:+ }$word" ;;
        esac
    done
    echo "${result:-none}"
}

version_of() { # identity
    local version=${1#*version=}
    case $1 in
    *version=*) echo "${version%% *}" ;;
    *) echo none ;;
    esac
}

# The session line: one per call, referred to by its measurements.
describe_session() {
    session=$(date -u +%Y%m%dT%H%M%SZ)-$$
    printf 'session id=%s affinity=%s cpus=%s of=%s commit=%s date=%s' "$session" "$affinity" \
        "$cpus" "$(nproc --all)" "$(current_commit)" "$(date -u +%Y-%m-%d)"
    printf ' kernel="%s" cpu="%s" runs=%s' "$(uname -sr)" "$(cpu_model)" "$runs"
    printf ' window=%s warmup=%s options="%s" zlink=%s libzmq=%s load="%s"\n' "$window" "$warmup" \
        "$(without_paths "${arguments[@]}")" "$(version_of "$zlink_identity")" \
        "$(version_of "$libzmq_identity")" "$(cut -d ' ' -f 1 /proc/loadavg)"
}

cpu_model() {
    local model
    model=$(awk -F ': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)
    echo "${model:-$(uname -m)}"
}
