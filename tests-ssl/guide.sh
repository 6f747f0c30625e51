#!/usr/bin/env bash
# Types docs/ssl.md into a fresh folder, as a reader would: the classic certificates, two nodes,
# what their clients see, a renewal, and then the certificates of `make certs`. The commands are
# taken from the page itself, so that the page cannot be wrong; only ports are changed, to free
# ones, and the search for a prime of one's own is left out unless GUIDE_WHOLE=yes.
#
# usage: guide.sh [FOLDER]   with redis-server, redis-cli (and make-certificates); else src
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
page=$top/docs/ssl.md
binaries=$(cd "${1:-$top/src}" && pwd)
here=$(mktemp -d)
servers=()

leave() {
    local status=$?
    for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done
    wait 2>/dev/null || true
    if [ $status -ne 0 ]; then
        for log in "$here"/*/log; do [ -f "$log" ] && tail -n 20 "$log" >&2; done
    fi
    rm -rf "$here"
    exit $status
}
trap leave EXIT

fail() { echo "guide: $*" >&2; exit 1; }

# The indented command of the page that begins with $1; there must be just one.
typed() {
    local found
    found=$(grep -E "^    $1" "$page" | sed 's/^    //') || fail "the page has no command '$1'"
    [ "$(wc -l <<<"$found")" = 1 ] || fail "the page has several commands '$1'"
    echo "$found"
}

# expect WHAT PATTERN COMMAND…: the command's output must match, whatever its status.
expect() {
    local what=$1 pattern=$2 heard
    shift 2
    heard=$(timeout 10 "$@" 2>&1 </dev/null || true)
    [[ $heard =~ $pattern ]] || fail "$what: expected $pattern, heard: $heard"
    count=$((count + 1))
}
count=0

free_port() {
    local port
    while port=$((20000 + RANDOM % 12000)); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo $port; return; }
    done
}

# Runs the server line $2 in folder $1, and waits until it serves on port $3.
serve() {
    local folder=$1 line=$2 port=$3
    # exec: the process that is ended later is the server, not a shell around it.
    (cd "$folder" && exec ${line/--port 6379/--port $port} --save '' >log 2>&1) &
    servers+=($!)
    for _ in $(seq 100); do
        if timeout 5 src/redis-cli --tls --insecure -p "$port" PING 2>&1 | grep -q PONG; then return; fi
        kill -0 ${servers[-1]} 2>/dev/null || fail "the server in $folder has ended"
        sleep 0.1
    done
    fail "the server in $folder does not answer"
}

cd "$here"
mkdir src
ln -s "$binaries/redis-server" "$binaries/redis-cli" src/
if [ ! -x "$binaries/make-certificates" ]; then
    make -C "$top" --no-print-directory certs CERTS="$here/made" >/dev/null
else
    "$binaries/make-certificates" made >/dev/null
fi

eval "$(typed 'mkdir ssl')"
while read -r line; do
    if [[ $line == "openssl dhparam"* && ${GUIDE_WHOLE:-no} != yes ]]; then
        cp made/dhparams.pem ssl/
    else
        eval "$line" >/dev/null 2>openssl.log || { cat openssl.log >&2; fail "failed: $line"; }
    fi
done < <(grep -E '^    openssl ' "$page")
expect "the recipe's certificates are v1" 'Version: 1' openssl x509 -in ssl/redis.crt -noout -text

eval "$(typed 'mkdir node1 node2')"
line=$(typed '\.\./src/redis-server')
one=$(free_port) two=$(free_port)
serve node1 "$line" "$one"
serve node2 "$line" "$two"

cli="src/redis-cli --tls --insecure -p $one"
expect "SET" '^OK$' $cli SET greeting hello
expect "GET" '^"?hello"?$' $cli GET greeting
expect "the other node" '^(\(nil\))?$' src/redis-cli --tls --insecure -p "$two" GET greeting
expect "INFO ssl" 'ssl_enabled:yes' $cli INFO ssl
expect "the certificate's file" 'ssl_certificate_file:\.\./ssl/redis\.crt' $cli INFO ssl
expect "the directive" 'enable-ssl' $cli CONFIG GET enable-ssl
expect "its other name" 'yes' $cli CONFIG GET ssl-enabled
expect "the mode" 'low-latency' $cli CONFIG GET ssl-performance-mode
expect "the mode is settable" '^OK$' $cli CONFIG SET ssl-performance-mode high-throughput
expect "the mode is set" 'high-throughput' $cli CONFIG GET ssl-performance-mode
expect "enable-ssl stays" 'ERR|error' $cli CONFIG SET enable-ssl no
expect "plaintext is told so" 'TLS' src/redis-cli -p "$one" PING
expect "a stranger's certificate is refused" 'ertificate' src/redis-cli --tls -p "$one" PING
expect "TLS 1.3 with OpenSSL" 'TLSv1\.3' openssl s_client -connect "127.0.0.1:$one" -brief
expect "TLS 1.2 with OpenSSL" 'TLSv1\.2' openssl s_client -connect "127.0.0.1:$one" -brief -tls1_2

# Renewal: a second certificate of the same CA.
serial() { $cli INFO ssl </dev/null | tr -d '\r' | sed -n 's/^ssl_current_certificate_serial://p'; }
before=$(serial)
openssl genrsa -out ssl/new.key 2048 2>/dev/null
openssl req -new -sha256 -key ssl/new.key -subj '/CN=*' -out ssl/new.csr
openssl x509 -req -sha256 -in ssl/new.csr -CA ssl/ca.crt -CAkey ssl/ca.key -CAserial ssl/ca.txt \
    -days 365 -out ssl/new.crt 2>/dev/null
expect "a key that does not fit is refused" 'ERR' \
    $cli CONFIG SET ssl-renew-certificate ../ssl/ca.key ../ssl/new.crt
[ "$(serial)" = "$before" ] || fail "a refused renewal has changed the certificate"
expect "a renewal" '^OK$' $cli CONFIG SET ssl-renew-certificate ../ssl/new.key ../ssl/new.crt
[ "$(serial)" != "$before" ] || fail "the renewal has changed nothing"
expect "one argument, the other order" '^OK$' \
    $cli CONFIG SET ssl-renew-certificate '../ssl/redis.crt ../ssl/redis.key'
[ "$(serial)" = "$before" ] || fail "the first certificate is not back"
expect "data is still there" 'hello' $cli GET greeting

# What `make certs` makes is verified by ordinary clients.
mkdir node3
three=$(free_port)
serve node3 "${line//..\/ssl/../made}" "$three"
expect "a verified server" '^PONG$' src/redis-cli --tls --cacert made/ca.crt -p "$three" PING
expect "by its name too" '^PONG$' \
    src/redis-cli -h localhost --tls --cacert made/ca.crt -p "$three" PING
expect "by OpenSSL" 'Verification: OK' \
    openssl s_client -connect "localhost:$three" -CAfile made/ca.crt -verify_hostname localhost -brief
expect "not by another CA" 'ertificate' src/redis-cli --tls --cacert ssl/ca.crt -p "$three" PING

echo "guide: $count things are as docs/ssl.md says"
