# Builds, tests, installs: `make help` says what there is. Cargo does the work; this file
# knows what cargo is to be told.

SHELL := bash
CARGO ?= cargo
cargo := $(CARGO)
# yes: with SSL, no: plain. Both may be built in turn: cargo keeps them side by side.
BUILD_SSL ?= no
PREFIX ?= /usr/local
PORT ?= 6379
# Where `make certs` puts what it makes; `make run` looks in ssl.
CERTS ?= ssl

BINARIES := redis-server redis-cli
# The server under its other names.
ALIASES := redis-sentinel redis-check-rdb redis-check-aof

ifeq (,$(filter yes no,$(BUILD_SSL)))
  $(error BUILD_SSL must be yes or no)
endif

# An absolute path, so that programs started in other folders mean the same one.
export CARGO_TARGET_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))

# What download-ssl-deps.sh has brought, if it belongs to this Cargo.lock.
ifneq (,$(wildcard deps/vendor))
  ifeq (0,$(shell cmp -s Cargo.lock deps/vendor/Cargo.lock; echo $$?))
    cargo += --offline --config 'source.crates-io.replace-with="vendor"' \
	--config 'source.vendor.directory="$(CURDIR)/deps/vendor"'
  else
    $(warning deps/vendor is of another Cargo.lock and not used: run ./download-ssl-deps.sh again)
  endif
endif

ifneq (,$(filter yes,$(BUILD_SSL))$(filter test-ssl check bench certs env,$(MAKECMDGOALS)))
  include deps/openssl.mk
endif
SSL_FEATURE := $(if $(filter yes,$(OPENSSL_VENDORED)),ssl-vendored,ssl)
WITH_SSL := --features redis/$(SSL_FEATURE)
FEATURES := $(if $(filter yes,$(BUILD_SSL)),$(WITH_SSL))
# These cannot do without OpenSSL; the plain build's tests are everything else.
OPENSSL_CRATES := tests-ssl certificates bench
PLAIN_CRATES := --workspace $(addprefix --exclude ,$(OPENSSL_CRATES))

# Puts what was built into folder $(1) where users look for it: src/.
define publish
@for name in $(BINARIES); do \
    cmp -s $(1)/$$name src/$$name || ln -f $(1)/$$name src/$$name 2>/dev/null || \
        cp -f --remove-destination $(1)/$$name src/$$name || exit 1; \
done
@for name in $(ALIASES); do ln -sfn redis-server src/$$name; done
endef

all:
	$(cargo) build --release --locked $(FEATURES)
	$(call publish,$(CARGO_TARGET_DIR)/release)

dev:
	$(cargo) build $(FEATURES)
	$(call publish,$(CARGO_TARGET_DIR)/debug)

test:
	$(cargo) test --no-fail-fast $(PLAIN_CRATES) $(FEATURES)

# The guide is typed at binaries built here, wherever src/ points just now.
test-ssl:
	$(cargo) test --no-fail-fast $(addprefix -p ,$(OPENSSL_CRATES)) $(WITH_SSL)
	$(cargo) build -p redis -p certificates $(WITH_SSL)
	tests-ssl/guide.sh $(CARGO_TARGET_DIR)/debug

check:
	$(cargo) fmt --all --check
	$(cargo) clippy $(PLAIN_CRATES) --all-targets -- -D warnings
	$(cargo) clippy --workspace --all-targets $(WITH_SSL) -- -D warnings
	$(cargo) test $(PLAIN_CRATES) --lib --bins

# `make bench` and `make run` call make once more, because they want SSL whatever was asked.
bench:
	@$(MAKE) --no-print-directory BUILD_SSL=yes all
	utils/bench/run $(BENCH)

run:
	@if (exec 3<>/dev/tcp/127.0.0.1/$(PORT)) 2>/dev/null; then \
	    echo "Port $(PORT) is taken: some server listens there already." \
	        "Stop it, or choose another: make run PORT=6380" >&2; \
	    exit 1; \
	fi
	@$(MAKE) --no-print-directory BUILD_SSL=yes all certs
	@echo "Connect from another terminal:" \
	    "src/redis-cli --tls --cacert ssl/ca.crt -p $(PORT)   (end the server with Ctrl-C)"
	@exec src/redis-server --port $(PORT) --enable-ssl yes --certificate-file ssl/redis.crt \
	    --private-key-file ssl/redis.key --dh-params-file ssl/dhparams.pem \
	    --root-ca-certs-path ssl/ca.crt

certs:
	$(cargo) run --release --quiet --locked -p certificates \
	    $(if $(filter yes,$(OPENSSL_VENDORED)),--features openssl/vendored) -- $(CERTS)

install:
	$(cargo) build --profile dist --locked $(FEATURES)
	install -d $(DESTDIR)$(PREFIX)/bin
	for name in $(BINARIES); do \
	    install -m 755 $(CARGO_TARGET_DIR)/dist/$$name $(DESTDIR)$(PREFIX)/bin/$$name || exit 1; \
	done
	for name in $(ALIASES); do ln -sfn redis-server $(DESTDIR)$(PREFIX)/bin/$$name; done

clean:
	$(cargo) clean
	rm -f $(addprefix src/,$(BINARIES) $(ALIASES))

# What was fetched goes too; certificates and data are the user's, and stay.
distclean: clean
	rm -rf deps/vendor deps/openssl

# For a shell in which plain cargo does what this file does: source <(make env)
env:
	@$(foreach name,OPENSSL_STATIC OPENSSL_LIB_DIR OPENSSL_INCLUDE_DIR OPENSSL_LIBS,\
	    $(if $($(name)),echo "export $(name)='$($(name))'";)) :

help:
	@echo 'make                   the server and its tools, in src/ (BUILD_SSL=yes: with SSL)'
	@echo 'make dev               the same, quick to build and slow to run'
	@echo 'make run               build with SSL, make certificates, serve on PORT ($(PORT))'
	@echo 'make certs             certificates for development, in ssl/'
	@echo 'make check             format, lints, fast tests'
	@echo 'make test              all tests of the build (BUILD_SSL=yes: with SSL in it, but off)'
	@echo 'make test-ssl          the same conversations over TLS, and what only TLS can do'
	@echo 'make bench             speed beside the installed redis-server'
	@echo 'make install           into PREFIX ($(PREFIX)), below DESTDIR'
	@echo 'make env               for plain cargo: source <(make env)'
	@echo 'make clean, distclean  remove what was built, and what was fetched'

.PHONY: all dev test test-ssl check bench run certs install clean distclean env help
