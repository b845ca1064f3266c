#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# tools/format.sh        formats every C file of the tree with clang-format
# tools/format.sh check  names the files that are not formatted; fails if there are any
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -d '' files < <(find include src cli benchwithzmq tests examples -name '*.[ch]' \
    -print0 2>/dev/null || true)

if [ "${1-}" != check ]; then
    clang-format --style=file -i "${files[@]}"
    exit 0
fi
unformatted=0
for file in "${files[@]}"; do
    if ! clang-format --style=file "$file" | cmp -s - "$file"; then
        echo "not formatted: $file"
        unformatted=$((unformatted + 1))
    fi
done
[ "$unformatted" -eq 0 ] || {
    echo "$unformatted files are not formatted; run: make format"
    exit 1
}
