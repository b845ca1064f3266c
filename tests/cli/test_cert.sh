#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# zlink cert makes certificates that OpenSSL accepts, keeps keys private and replaces nothing unasked.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

command -v openssl >/dev/null || {
    echo "no openssl command"
    exit 77
}

certs="$dir/my certs" # shells must be able to read back what is printed

# shown FILE: the certificate as text.
shown() {
    openssl x509 -noout -text -in "$1" || fail "openssl cannot read $1"
}

# verify PURPOSE FILE ARGS...
verify() {
    local purpose=$1 file=$2
    shift 2
    openssl verify -x509_strict -purpose "$purpose" -CAfile "$certs/ca.pem" "$@" "$file" \
        >"$dir/verify.err" 2>&1 || fail "openssl does not accept $file as $purpose"
}

# refused PURPOSE FILE ARGS...: it must not be accepted.
refused() {
    local purpose=$1 file=$2
    shift 2
    ! openssl verify -purpose "$purpose" -CAfile "$certs/ca.pem" "$@" "$file" \
        >"$dir/verify.err" 2>&1 || fail "openssl accepts $file as $purpose $*"
}

# A server.
expect_code 0 cert --name server.example --name '*.wild.example' --name 127.0.0.1 --name ::1 \
    --ca-dir "$certs"
grep -q "server certificate for server.example, \*.wild.example, 127.0.0.1, ::1, valid until" \
    "$dir/out" || fail "output: $(cat "$dir/out")"
verify sslserver "$certs/server.example.pem" -verify_hostname server.example
verify sslserver "$certs/server.example.pem" -verify_hostname any.wild.example
verify sslserver "$certs/server.example.pem" -verify_ip 127.0.0.1
verify sslserver "$certs/server.example.pem" -verify_ip ::1
refused sslserver "$certs/server.example.pem" -verify_hostname other.example
refused sslclient "$certs/server.example.pem"
shown "$certs/server.example.pem" >"$dir/text"
for text in 'Version: 3' 'CA:FALSE' 'prime256v1' 'ecdsa-with-SHA256' \
    'DNS:server.example, DNS:\*.wild.example, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1' \
    'TLS Web Server Authentication' 'Digital Signature' 'Subject: CN = \?server.example'; do
    grep -q "$text" "$dir/text" || fail "certificate lacks '$text'"
done
shown "$certs/ca.pem" >"$dir/text"
for text in 'CA:TRUE, pathlen:0' 'Certificate Sign, CRL Sign' 'CN = \?zlink test CA'; do
    grep -q "$text" "$dir/text" || fail "CA lacks '$text'"
done

# Keys are private, and belong to their certificates.
for key in ca server.example; do
    expect_text 600 "$(stat -c %a "$certs/$key.key")" "mode of $key.key"
    expect_text "$(openssl x509 -noout -pubkey -in "$certs/$key.pem")" \
        "$(openssl pkey -pubout -in "$certs/$key.key")" "key of $key"
done
[ "$(find "$certs" -type f | wc -l)" = 4 ] || fail "other files: $(ls "$certs")"

# A client of the same CA, beside a second server.
ca=$(cat "$certs/ca.pem")
expect_code 0 cert --name 10.1.2.3 --client alice --ca-dir "$certs" --days 7
expect_text "$ca" "$(cat "$certs/ca.pem")" "the CA"
verify sslserver "$certs/10.1.2.3.pem" -verify_ip 10.1.2.3
verify sslclient "$certs/alice.pem"
refused sslserver "$certs/alice.pem"
expect_text 600 "$(stat -c %a "$certs/alice.key")" "mode of alice.key"
openssl x509 -noout -checkend $((6 * 86400)) -in "$certs/alice.pem" >"$dir/end" || fail "too short"
! openssl x509 -noout -checkend $((8 * 86400)) -in "$certs/alice.pem" >"$dir/end" ||
    fail "--days is ignored"

# The commands that are printed name files that exist, in words a shell reads.
grep -c '^  zlink' "$dir/out" | grep -qx 2 || fail "no commands: $(cat "$dir/out")"
while read -r line; do
    eval "set -- $line"
    while [ $# -gt 0 ]; do
        case $1 in
        --tls-cert | --tls-key | --tls-ca) [ -f "$2" ] || fail "no such file: $2" ;;
        esac
        shift
    done
done < <(grep '^  zlink' "$dir/out")
grep -q -- "--connect tls://10.1.2.3:5555 " "$dir/out" || fail "no endpoint: $(cat "$dir/out")"
grep -q -- "--tls-verify require" "$dir/out" || fail "the server does not require the client"

# Not longer than the CA.
expect_code 0 cert --name long.example --ca-dir "$certs" --days 36500
verify sslserver "$certs/long.example.pem" -attime $(($(date +%s) + 3640 * 86400))
! openssl x509 -noout -checkend $((3660 * 86400)) -in "$certs/long.example.pem" >"$dir/end" ||
    fail "longer than its CA"

# Nothing is replaced unasked, and never the CA.
before=$(cat "$certs/alice.pem")
expect_code 1 cert --client alice --ca-dir "$certs"
expect_error "alice.pem exists already"
expect_error "force"
expect_text "$before" "$(cat "$certs/alice.pem")" "alice.pem"
expect_code 0 cert --client alice --ca-dir "$certs" --force
[ "$before" != "$(cat "$certs/alice.pem")" ] || fail "--force does not replace"
verify sslclient "$certs/alice.pem"
expect_text "$ca" "$(cat "$certs/ca.pem")" "the CA"

# A wildcard in front is not a file name; a long name is no common name.
expect_code 0 cert --name '*.front.example' --ca-dir "$certs"
verify sslserver "$certs/_.front.example.pem" -verify_hostname x.front.example
long=$(printf 'a%.0s' {1..60}).$(printf 'b%.0s' {1..60}).example
expect_code 0 cert --name "$long" --ca-dir "$certs"
verify sslserver "$certs/$long.pem" -verify_hostname "$long"

# Without --ca-dir it is here.
(cd "$dir" && zlink cert --name localhost) >"$dir/out" 2>"$dir/command.err" || fail "here"
[ -f "$dir/localhost.key" ] || fail "no localhost.key here"

# Wrong command lines.
expect_code 2 cert
expect_error "name HOST"
expect_code 2 cert --name 'not a host'
expect_error "neither a host name nor an IP address"
expect_code 2 cert --name ../evil
expect_code 2 cert --client ../evil
expect_error "no /"
expect_code 2 cert --name ca
expect_code 2 cert --name same --client same
expect_error "share their files"
expect_code 2 cert --name a --days 0
expect_code 2 cert --name a --days 36501

# Files that are not what they should be.
mkdir "$dir/half" && cp "$certs/ca.pem" "$dir/half"
expect_code 1 cert --name a --ca-dir "$dir/half"
expect_error "no $dir/half/ca.key"
cp "$certs/alice.key" "$dir/half/ca.key"
expect_code 1 cert --name a --ca-dir "$dir/half"
expect_error "no key that belongs to"
cp "$certs/alice.pem" "$dir/half/ca.pem"
expect_code 1 cert --name a --ca-dir "$dir/half"
expect_error "is no CA"
expect_code 1 cert --name a --ca-dir "$dir/missing/too"
expect_error "cannot make the directory"
expect_code 1 cert --name a --ca-dir "$dir/end"
expect_error "Not a directory"
