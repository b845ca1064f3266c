# shellcheck shell=bash
# shellcheck disable=SC2154 # variables are shared with the other files
# SPDX-License-Identifier: MPL-2.0
#
# Which cells are measured: make_plan fills the array `plan` with "pattern transport mode size".

has_mode() { # pattern mode
    case $1-$2 in
    fanout-latency | fanin-latency | duplex-latency) false ;;
    fanout-idle | fanin-idle | duplex-idle) false ;;
    fanin-fixed-rate | duplex-fixed-rate | reqrep-fixed-rate) false ;;
    reqrep-throughput) false ;; # one request in flight: that is its latency
    esac
}

# The modes that are measured over a transport when nobody asks for a particular one.
default_modes() { # pattern transport
    if [ "$1" = pair ] && [ "$quick" = no ] && [[ $2 =~ ^(tcp|ipc)$ ]]; then
        echo "$all_modes"
    else
        echo "throughput latency"
    fi
}

default_sizes() { # pattern mode
    local some="64 1024 65536"
    if [ "$quick" = yes ]; then
        case $1-$2 in
        pair-throughput) echo "$some" ;;
        *) echo 64 ;;
        esac
        return
    fi
    case $2 in
    fixed-rate | idle) echo 64 ;;
    throughput)
        if [ "$1" = pair ] || [ "$every_size" = yes ] || [ -n "$patterns" ]; then
            echo "$all_sizes"
        else
            echo "$some"
        fi
        ;;
    latency)
        if [ "$every_size" = yes ]; then
            echo "$all_sizes"
        elif [ "$1" = pair ] || [ -n "$patterns" ]; then
            echo "$some"
        else
            echo 64
        fi
        ;;
    esac
}

# A quick look takes the other patterns over tcp only, and of their modes the one that tells most.
leave_out() { # pattern transport mode
    [ "$quick" = yes ] && [ -z "$patterns$transports$modes" ] && [ "$1" != pair ] &&
        { [ "$2" != tcp ] || { [ "$3" = latency ] && [ "$1" != reqrep ]; }; }
}

make_plan() {
    local pattern transport mode size
    plan=()
    for pattern in ${patterns:-$all_patterns}; do
        for transport in ${transports:-tcp ipc inproc}; do
            for mode in ${modes:-$(default_modes "$pattern" "$transport")}; do
                has_mode "$pattern" "$mode" || continue
                leave_out "$pattern" "$transport" "$mode" && continue
                for size in ${sizes:-$(default_sizes "$pattern" "$mode")}; do
                    plan+=("$pattern $transport $mode $size")
                done
            done
        done
    done
}

# Plain sockets are the ceiling of one connection, whatever the pattern on it.
has_ceiling() { # pattern transport mode
    [[ $2 =~ ^(tcp|ipc)$ ]] && [[ $3 =~ ^(throughput|latency)$ ]] &&
        [[ ! $1 =~ ^(fanout|fanin|duplex)$ ]]
}
