#!/usr/bin/env bash
# Fetches all that a build needs from outside into deps/, so that `BUILD_SSL=yes make` works on
# a machine without a network: the sources of every crate in Cargo.lock, s2n and OpenSSL among
# them, in deps/vendor. The Makefile uses that folder if it is there, and only for the
# Cargo.lock it was made for. What is there already is not fetched again.
set -euo pipefail

usage() {
    cat <<'EOF'
usage: download-ssl-deps.sh [--openssl]

  --openssl   also build that OpenSSL's source, static, in deps/openssl (needs perl; minutes).
              To link with it: OPENSSL_LIB_DIR=deps/openssl BUILD_SSL=yes make
EOF
}

with_openssl=no
for argument in "$@"; do
    case $argument in
        --openssl) with_openssl=yes ;;
        -h | --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
done

# Reached through the link in deps/ too.
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

vendor=deps/vendor
if cmp -s Cargo.lock $vendor/Cargo.lock; then
    echo "$vendor is complete."
else
    # Put in place as a whole, so that an interrupted run leaves nothing that looks complete.
    rm -rf $vendor.new
    "${CARGO:-cargo}" vendor --locked --quiet $vendor.new >/dev/null
    cp Cargo.lock $vendor.new/Cargo.lock
    rm -rf $vendor
    mv $vendor.new $vendor
    echo "$vendor: $(find $vendor -mindepth 1 -maxdepth 1 -type d | wc -l) crates," \
        "$(du -sh $vendor | cut -f 1)."
fi

[ $with_openssl = yes ] || exit 0

openssl=deps/openssl
source=$vendor/openssl-src/openssl
if [ -f $openssl/libcrypto.a ] && [ -f $openssl/libssl.a ]; then
    echo "$openssl is built."
    exit 0
fi
command -v perl >/dev/null || { echo "OpenSSL's build needs perl, and there is none." >&2; exit 1; }
if [ ! -f $openssl/Configure ]; then
    rm -rf $openssl.new
    cp -r $source $openssl.new
    rm -rf $openssl
    mv $openssl.new $openssl
fi
echo "Building OpenSSL in $openssl; this takes some minutes."
cd $openssl
log=build.log
if ! { ./Configure no-shared no-tests no-legacy no-apps no-docs no-module &&
    make -j "$(nproc)" build_libs; } >$log 2>&1; then
    tail -n 20 $log >&2
    echo "OpenSSL did not build; all of it is in $openssl/$log." >&2
    exit 1
fi
echo "$openssl: libcrypto.a and libssl.a. Use: OPENSSL_LIB_DIR=$openssl BUILD_SSL=yes make"
