# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are shared with the other files
# SPDX-License-Identifier: MPL-2.0
#
# The command line of run_benchmarks.sh.

usage() {
    cat <<'TEXT'
Measures zlink against the system's libzmq and against plain sockets of the same machine.

  benchwithzmq/run_benchmarks.sh --quick
        a first look, under 2 minutes
  taskset -c 0 benchwithzmq/run_benchmarks.sh --runs 20
        the reference: everything on one CPU
  benchwithzmq/run_benchmarks.sh --both --runs 20
        the whole report, pinned and free
  benchwithzmq/run_benchmarks.sh --pattern pair --transport tcp --size 64 --output /tmp/look.txt
        one size, and nothing in the checkout changes

How it works: a cell is one pattern, transport, mode, message size and, where asked for, variant
(how many sockets, which batch size). Every run goes through all cells and measures each with
zlink, then libzmq, then plain sockets (A B R A B R ...), so that whatever else the machine does
meets all three alike. What counts are the ratios within a run; the report shows their median. CPU
affinity is whatever the script is started with: on one CPU the results go into the section
"pinned", otherwise into "free". A run replaces only the cells it has measured, and only in its own
section.

What to measure (lists are separated by commas or blanks; default: see below)
  --pattern LIST      pair pushpull dealerrouter routerrouter reqrep pubsub fanout fanin duplex
  --transport LIST    tcp ipc inproc ws wss tls; what a library does not have is "unsupported"
  --mode LIST         throughput latency fixed-rate idle, and with DEALER and ROUTER:
                      connections (one ROUTER, thousands of DEALERs), churn (open, connect, one
                      message and its answer, close), poll (zmq_poll over many sockets)
  --size LIST         message sizes in bytes
  --all-sizes         all ten sizes, 32 to 1048576, for every pattern and not just for pair
  --quick             few cells, 3 short runs
  --skip-libzmq       leave libzmq out (no ratios then)
  --skip-raw          leave plain sockets out
  --tuned             measure libzmq a second time, with its own knobs turned (see --tuned-options)

Variants
  --sockets LIST      throughput of so many independent pairs at once, 1 to 16
  --peers LIST        subscribers of fanout, senders of fanin (default 8)
  --slow              fanout also with one subscriber that reads nothing
  --batch LIST        throughput and latency with ZMQ_OUT_BATCH_SIZE and ZMQ_IN_BATCH_SIZE set so;
                      libzmq releases without these options are measured at their default
  --connections N     for connections (default 10000, or what the limit of open files allows)
  --poll-sockets LIST for poll (default 1, 10, 100, 1000 and 2000; with --quick 100)

How to measure
  --runs N            times through all cells (default 5, with --quick 3)
  --time SECONDS      measured window of one measurement (default 0.5, with --quick 0.25)
  --warmup SECONDS    load before the window, not counted (default 0.15, with --quick 0.1)
  --both              twice: on the first allowed CPU alone, then on all
  --bench-options S   more options of zbench, for both libraries, such as "--api msg"
  --libzmq-options S  more options of zbench for libzmq only
  --tuned-options S   options of zbench for libzmq tuned, with --tuned; default: 2 I/O threads,
                      kernel buffers of 4 MiB, high-water marks of 100000 messages, or 256 MiB:
                      --io-threads 2 --sockopt 11=4194304 --sockopt 12=4194304 --hwm-up-to 100000

Files
  --build DIR         where zlink was built (default build)
  --zlink PATH        the library under test (default DIR/lib/libzmq.so.5)
  --libzmq PATH       the library to compare with (default: the system's)
  --output FILE       measurements go to FILE, the report to the same name with .md, plots beside
                      (default: benchmark_result.txt and zlink_BENCHMARK_RESULTS.md in
                      benchwithzmq, plots in docs/plots)

Without a choice: throughput of pair with all sizes and of the other patterns with 64, 1024 and
65536 bytes, on tcp, ipc and inproc; latency of pair with these three sizes and of the others with
64 bytes; of pair on tcp and ipc also fixed-rate and idle; of pair on ws, wss and tls throughput
with 64, 1024, 16384 and 65536 bytes, and latency with 64. On tcp with 64 bytes also: pair with 2,
4 and 8 pairs at once, fanout to 1, 64 and 512 subscribers and with a slow one among 8,
connections, churn and poll.
The table on stdout marks each cell: "met", or what its target wants. A missed target is a result,
not an error. Exit status: 0 measured, 1 something could not be measured, 2 wrong usage.
TEXT
}

fail() {
    echo "run_benchmarks.sh: $*" >&2
    exit 1
}

wrong_usage() {
    echo "run_benchmarks.sh: $*; see --help" >&2
    exit 2
}

# take_list <option> <value> <allowed values>: prints the list, blank-separated, if all of it is
# allowed.
take_list() {
    local item
    for item in ${2//,/ }; do
        case " $3 " in
        *" $item "*) ;;
        *) wrong_usage "$1 does not know '$item' (known: $3)" ;;
        esac
    done
    echo "${2//,/ }"
}

take_number() {
    [[ $2 =~ $3 ]] || wrong_usage "$1 wants a number, not '$2'"
    echo "$2"
}

# take_numbers <option> <value>: prints the list of positive whole numbers, blank-separated.
take_numbers() {
    local item
    for item in ${2//,/ }; do take_number "$1" "$item" "$whole" >/dev/null || exit; done
    echo "${2//,/ }"
}

all_patterns="pair pushpull dealerrouter routerrouter reqrep pubsub fanout fanin duplex"
all_transports="tcp ipc inproc ws wss tls"
all_modes="throughput latency fixed-rate idle connections churn poll"
all_sizes="32 64 256 512 1024 4096 16384 65536 262144 1048576"
whole='^[1-9][0-9]*$'
# SNDBUF and RCVBUF are options 11 and 12.
tuned_knobs="--io-threads 2 --sockopt 11=4194304 --sockopt 12=4194304 --hwm-up-to 100000"
decimal='^([0-9]+\.?[0-9]*|\.[0-9]+)$'

parse_options() {
    patterns="" transports="" modes="" sizes=""
    sockets_list="" peers_list="" batch_list="" poll_list="" connections=10000
    quick=no every_size=no both=no skip_libzmq=no skip_raw=no slow=no tuned=no
    runs="" window="" warmup=""
    bench_options="" libzmq_options="" tuned_options=$tuned_knobs
    build=$root/build zlink_library="" libzmq_library="" output=""
    arguments=("$@") arguments_without_both=()

    while [ $# -gt 0 ]; do
        [ "$1" = --both ] || arguments_without_both+=("$1")
        case $1 in
        --quick) quick=yes ;;
        --all-sizes) every_size=yes ;;
        --skip-libzmq) skip_libzmq=yes ;;
        --skip-raw) skip_raw=yes ;;
        --slow) slow=yes ;;
        --tuned) tuned=yes ;;
        --both) both=yes ;;
        --help | -h) usage && exit 0 ;;
        --*)
            [ $# -gt 1 ] || wrong_usage "$1 wants a value or is unknown"
            take_valued_option "$1" "$2" || exit
            arguments_without_both+=("$2")
            shift
            ;;
        *) wrong_usage "'$1' is not an option" ;;
        esac
        shift
    done
    set_defaults
}

take_valued_option() {
    case $1 in
    --pattern) patterns+=" $(take_list "$1" "$2" "$all_patterns")" ;;
    --transport) transports+=" $(take_list "$1" "$2" "$all_transports")" ;;
    --mode) modes+=" $(take_list "$1" "$2" "$all_modes")" ;;
    --size) sizes+=" $(take_numbers "$1" "$2")" ;;
    --sockets) sockets_list+=" $(take_numbers "$1" "$2")" ;;
    --peers) peers_list+=" $(take_numbers "$1" "$2")" ;;
    --batch) batch_list+=" $(take_numbers "$1" "$2")" ;;
    --poll-sockets) poll_list+=" $(take_numbers "$1" "$2")" ;;
    --connections) connections=$(take_number "$1" "$2" "$whole") ;;
    --runs) runs=$(take_number "$1" "$2" "$whole") ;;
    --time) window=$(take_number "$1" "$2" "$decimal") ;;
    --warmup) warmup=$(take_number "$1" "$2" "$decimal") ;;
    --bench-options) bench_options=$2 ;;
    --libzmq-options) libzmq_options=$2 ;;
    --tuned-options) tuned_options=$2 ;;
    --build) build=$2 ;;
    --zlink) zlink_library=$2 ;;
    --libzmq) libzmq_library=$2 ;;
    --output) output=$2 ;;
    *) wrong_usage "'$1' is not an option" ;;
    esac
}

set_defaults() {
    everything=no
    [ -n "$patterns$transports$modes$sizes$sockets_list$peers_list$batch_list$poll_list" ] ||
        [ "$slow" = yes ] || [ "$quick" = yes ] || everything=yes
    if [ "$quick" = yes ]; then
        : "${runs:=3}" "${window:=0.25}" "${warmup:=0.1}" "${poll_list:=100}"
    else
        : "${runs:=5}" "${window:=0.5}" "${warmup:=0.15}"
    fi
    : "${poll_list:=1 10 100 1000 2000}"
    : "${zlink_library:=$build/lib/libzmq.so.5}"
    result_file=$here/benchmark_result.txt
    report_file=$here/zlink_BENCHMARK_RESULTS.md
    plot_folder=$root/docs/plots
    if [ -n "$output" ]; then
        result_file=$output
        report_file=${output%.*}.md
        plot_folder=${output%.*}-plots
    fi
}
