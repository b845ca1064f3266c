# shellcheck shell=bash
# SPDX-License-Identifier: MPL-2.0
#
# A progress bar with an estimate, on stderr. On a terminal it is redrawn in place, otherwise a line
# is written at every tenth of the way. What is left is estimated from the mean time of the
# measurements so far; before the first, from what one has to take at least.

progress_start() { # number of measurements, seconds of one
    progress_total=$1
    progress_guess=$(awk -v n="$1" -v each="$2" 'BEGIN { print int(n * each + 1) }')
    progress_done=0
    progress_tenth=-1
    progress_began=$SECONDS
}

duration() { # seconds
    if [ "$1" -ge 3600 ]; then
        printf '%dh%02dm' $(($1 / 3600)) $(($1 % 3600 / 60))
    elif [ "$1" -ge 60 ]; then
        printf '%dm%02ds' $(($1 / 60)) $(($1 % 60))
    else
        printf '%ds' "$1"
    fi
}

progress_step() { # what is measured now
    local width=30 filled percent left=$progress_guess bar
    percent=$((progress_done * 100 / progress_total))
    filled=$((progress_done * width / progress_total))
    if [ "$progress_done" -gt 0 ]; then
        left=$(((SECONDS - progress_began) * (progress_total - progress_done) / progress_done))
    fi
    left=$(duration "$left")
    if [ -t 2 ]; then
        printf -v bar '%*s' "$filled" ''
        printf -v bar '%-*s' "$width" "${bar// /#}"
        printf '\r\033[K[%s] %3d%% about %s left  %s' "$bar" "$percent" "$left" "$1" >&2
    elif [ $((percent / 10)) -gt "$progress_tenth" ]; then
        progress_tenth=$((percent / 10))
        printf '%3d%% about %s left  %s\n' "$percent" "$left" "$1" >&2
    fi
    progress_done=$((progress_done + 1))
}

progress_clear() {
    [ ! -t 2 ] || printf '\r\033[K' >&2
}
