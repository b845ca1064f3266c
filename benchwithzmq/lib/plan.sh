# shellcheck shell=bash
# shellcheck disable=SC2154 # variables are shared with the other files
# SPDX-License-Identifier: MPL-2.0
#
# Which cells are measured: make_plan fills the array `plan` with "pattern transport mode size
# variant". A variant is "-" or a list such as "peers=64,slow=1", see variant_options.

has_mode() { # pattern transport mode
    case $1-$3 in
    fanout-latency | fanin-latency | duplex-latency) false ;;
    fanout-idle | fanin-idle | duplex-idle) false ;;
    fanin-fixed-rate | duplex-fixed-rate | reqrep-fixed-rate) false ;;
    reqrep-throughput) false ;; # one request in flight: that is its latency
    dealerrouter-connections) [ "$2" != inproc ] ;;
    dealerrouter-churn | dealerrouter-poll) true ;;
    *-connections | *-churn | *-poll) false ;;
    esac
}

# The transports that are measured when nobody asks for a particular one.
default_transports() { # pattern
    echo "tcp ipc inproc"
    [ "$1-$everything" != pair-yes ] || echo "ws wss tls"
}

default_modes() { # pattern transport
    echo "throughput latency"
    case $1-$2-$quick in
    dealerrouter-tcp-no) [ "$everything" = no ] || echo "connections churn poll" ;;
    dealerrouter-tcp-yes) [ -n "$patterns$transports" ] || echo "churn poll" ;;
    pair-tcp-no | pair-ipc-no) echo "fixed-rate idle" ;;
    esac
}

default_sizes() { # pattern transport mode
    local some="64 1024 65536"
    if [ "$quick" = yes ]; then
        case $1-$3 in
        pair-throughput) echo "$some" ;;
        *) echo 64 ;;
        esac
        return
    fi
    case $3 in
    throughput)
        if [ "$everything" = yes ] && [ "$every_size" = no ] && [[ $2 =~ ^(ws|wss|tls)$ ]]; then
            echo "64 1024 16384 65536"
        elif [ "$1" = pair ] || [ "$every_size" = yes ] || [ -n "$patterns" ]; then
            echo "$all_sizes"
        else
            echo "$some"
        fi
        ;;
    latency)
        if [ "$every_size" = yes ]; then
            echo "$all_sizes"
        elif [ -n "$patterns" ] || [[ $1-$2 =~ ^pair-(tcp|ipc|inproc)$ ]]; then
            echo "$some"
        else
            echo 64
        fi
        ;;
    *) echo 64 ;;
    esac
}

# A quick look takes the other patterns over tcp only, and of their modes the one that tells most.
leave_out() { # pattern transport mode
    [ "$quick" = yes ] && [ -z "$patterns$transports$modes" ] && [ "$1" != pair ] &&
        { [ "$2" != tcp ] || { [ "$3" = latency ] && [ "$1" != reqrep ]; }; }
}

# numbered <name> <usual> <numbers>: "name=N" for each, and for the usual number "-".
numbered() {
    local number
    for number in $3; do
        if [ "$number" = "$2" ]; then echo -; else echo "$1=$number"; fi
    done
}

fan_variants() { # pattern, and whether the default plan's extras are wanted
    local usual=8 peers=$peers_list variant
    [ "$1-$2" != fanout-yes ] || peers="1 8 64 512"
    for variant in $(numbered peers $usual "${peers:-$usual}"); do
        echo "$variant"
        [ "$1-$slow" != fanout-yes ] || [ "$variant" = peers=1 ] || echo "$variant,slow=1"
    done
    [ "$1-$2" != fanout-yes ] || echo "slow=1"
}

throughput_variants() { # pattern transport size
    local extras=no sockets=$sockets_list
    [ "$everything-$2-$3" != yes-tcp-64 ] || extras=yes
    if [[ $1 =~ ^(fanout|fanin)$ ]]; then
        fan_variants "$1" $extras
    else
        [ "$1-$extras" != pair-yes ] || sockets="1 2 4 8"
        numbered sockets 1 "${sockets:-1}"
    fi
}

# with_batches <variants>: each of them, and again for each batch size.
with_batches() {
    local variant batch
    for variant in $1; do
        [ -n "$batch_list" ] || echo "$variant"
        for batch in $batch_list; do echo "$variant,batch=$batch"; done
    done
}

variants() { # pattern transport mode size
    case $3 in
    throughput) with_batches "$(throughput_variants "$1" "$2" "$4")" ;;
    latency) with_batches - ;;
    connections) echo "connections=$connections" ;;
    poll) numbered poll_sockets none "$poll_list" ;;
    *) echo - ;;
    esac
}

# The options of zbench that a variant stands for. Batch sizes are options 102 and 101.
variant_options() { # variant
    local word
    for word in ${1//,/ }; do
        case $word in
        -) ;;
        slow=*) echo "--slow" ;;
        batch=*) echo "--try-sockopt 102=${word#*=} --try-sockopt 101=${word#*=}" ;;
        poll_sockets=*) echo "--poll-sockets ${word#*=}" ;;
        *) echo "--${word/=/ }" ;;
        esac
    done
}

make_plan() {
    local pattern transport mode size variant
    plan=()
    for pattern in ${patterns:-$all_patterns}; do
        for transport in ${transports:-$(default_transports "$pattern")}; do
            for mode in ${modes:-$(default_modes "$pattern" "$transport")}; do
                has_mode "$pattern" "$transport" "$mode" || continue
                leave_out "$pattern" "$transport" "$mode" && continue
                for size in ${sizes:-$(default_sizes "$pattern" "$transport" "$mode")}; do
                    for variant in $(variants "$pattern" "$transport" "$mode" "$size"); do
                        plan+=("$pattern $transport $mode $size ${variant#-,}")
                    done
                done
            done
        done
    done
}

# Plain sockets are the ceiling of one connection, whatever the pattern on it.
has_ceiling() { # pattern transport mode size variant
    [[ $2 =~ ^(tcp|ipc|ws|wss|tls)$ ]] && [[ $3 =~ ^(throughput|latency)$ ]] &&
        [[ ! $1 =~ ^(fanout|fanin|duplex)$ ]] && [[ $5 =~ ^(-|batch=.*)$ ]]
}

# wss is held to the ceiling of tls.
ceiling_transport() { # transport
    echo "${1/wss/tls}"
}
