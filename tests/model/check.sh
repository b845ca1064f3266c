#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
#
# tests/model/check.sh <model.pml> [run...]: has SPIN look at every interleaving of a model, once for
# each run that the head of the model names (README.md). A run is a list of macros, with commas between.
# Exits with 1 if one does not end as the head says.
set -u
model=$(realpath "${1:?model}")
shift
only=" $* "
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0
checked=0

fail() {
    echo "FAILED: $*"
    failed=1
}

# The runs of one kind.
runs() {
    sed -n "s/^ *model-$1: *//p" "$model"
}

# Has SPIN search; leaves what it says in the file `out`. search <kind> <run>
search() {
    local macros=() kind=(-DSAFETY) options=(-m200000)
    [ "$2" = plain ] || IFS=, read -ra macros <<<"$2"
    macros=("${macros[@]/#/-D}")
    if [ "$1" = rests ] || [ "$1" = stirs ]; then
        # Infinite runs in which everybody gets his turn.
        macros+=(-DRESTS)
        kind=(-DNP)
        options+=(-l -f)
    fi
    rm -f pan* out ./*.trail
    spin "${macros[@]}" -a "$model" >out 2>&1 && [ -f pan.c ] &&
        "${CC:-cc}" -O0 -w -DMEMLIM=1500 "${kind[@]}" -o pan pan.c >>out 2>&1 &&
        ./pan "${options[@]}" >>out 2>&1
}

# Whether the search saw everything and found nothing.
is_clean() {
    grep -q 'errors: 0$' out && ! grep -qE 'Search not completed|max search depth|reached -DMEMLIM' out
}

# Whether an error of that kind was found.
is_wrong() {
    grep -qE 'errors: [1-9]' out && grep -q "^pan:1: $1" out
}

# check <kind> <run>
check() {
    local states expected='assertion violated\|invalid end state'
    [ "$only" = "  " ] || [[ "$only" == *" $2 "* ]] || return
    checked=$((checked + 1))
    search "$1" "$2"
    states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' out)
    printf '%-6s %-75s %9s states  %s s\n' "$1" "$2" "$states" \
        "$(sed -n 's/^pan: elapsed time //p' out | sed 's/ seconds//')"
    case $1 in
    holds | rests)
        is_clean && return
        fail "$2: an error, or an incomplete search"
        ;;
    stirs) is_wrong 'non-progress cycle' && return ;;
    fails) is_wrong "\($expected\)" && return ;;
    esac
    [[ $1 == @(holds|rests) ]] || fail "$2: SPIN should find an error"
    cat out
}

for kind in holds rests fails stirs; do
    for run in $(runs $kind); do
        check $kind "$run"
    done
done

# Whatever can be left out of the model is left out once.
for macro in $(grep -oE 'WITHOUT_[A-Z_]+' "$model" | sort -u); do
    grep -qE "model-(fails|stirs):.*\b$macro\b" "$model" || fail "$macro: no run leaves it out"
done
[ $checked -gt 0 ] || fail "no such run"
exit $failed
