# Which OpenSSL the SSL build is linked with; the Makefile includes this where it matters.
#
# In this order: what OPENSSL_LIB_DIR and OPENSSL_INCLUDE_DIR name (one is enough if the other
# lies beside it), what OPENSSL_DIR names, the system's, the tree in deps/openssl, and where
# none of these has static libraries, the source that cargo brings (OPENSSL_VENDORED=yes asks
# for that one). The result is static always: all three variables are needed for it, because
# with OPENSSL_STATIC alone the build asks pkg-config, which knows the shared library only.

OPENSSL_VENDORED ?= no

# $(1) if static libraries lie in it.
static_in = $(and $(wildcard $(1)/libcrypto.a),$(wildcard $(1)/libssl.a),$(1))
# The folder of headers that belongs to the libraries in $(1): beside them in a tree that is
# not installed, else one level up; the system's go with the system's libraries only.
headers_of = $(firstword $(foreach folder,$(1)/include $(dir $(1))include \
	$(if $(filter /usr/lib%,$(1)),/usr/include),\
	$(if $(wildcard $(folder)/openssl/opensslv.h),$(folder))))

ifeq ($(OPENSSL_VENDORED),no)
  ifneq (,$(OPENSSL_LIB_DIR)$(OPENSSL_INCLUDE_DIR))
    ifeq (,$(OPENSSL_LIB_DIR))
      OPENSSL_LIB_DIR := $(firstword $(foreach folder,$(addprefix $(OPENSSL_INCLUDE_DIR)/../,. lib64 lib),\
	$(call static_in,$(folder))))
    endif
    override OPENSSL_LIB_DIR := $(abspath $(OPENSSL_LIB_DIR))
    ifeq (,$(call static_in,$(OPENSSL_LIB_DIR)))
      $(error OPENSSL_LIB_DIR must be a folder that has libcrypto.a and libssl.a, and "$(OPENSSL_LIB_DIR)" has not)
    endif
    override OPENSSL_INCLUDE_DIR := $(abspath $(or $(OPENSSL_INCLUDE_DIR),$(call headers_of,$(OPENSSL_LIB_DIR))))
    ifeq (,$(wildcard $(OPENSSL_INCLUDE_DIR)/openssl/opensslv.h))
      $(error OPENSSL_INCLUDE_DIR must be a folder that has openssl/opensslv.h, as belongs to $(OPENSSL_LIB_DIR))
    endif
  else ifeq (,$(OPENSSL_DIR))
    OPENSSL_LIB_DIR := $(firstword $(foreach folder,\
	/usr/lib/$(shell $(CC) -print-multiarch 2>/dev/null) \
	$(shell pkg-config --variable=libdir libcrypto 2>/dev/null) /usr/lib64 /usr/lib $(CURDIR)/deps/openssl,\
	$(call static_in,$(folder:/=))))
    OPENSSL_INCLUDE_DIR := $(if $(OPENSSL_LIB_DIR),$(call headers_of,$(OPENSSL_LIB_DIR)))
    ifeq (,$(OPENSSL_INCLUDE_DIR))
      OPENSSL_VENDORED := yes
    endif
  endif
endif

ifeq ($(OPENSSL_VENDORED),no)
  export OPENSSL_STATIC := 1
  ifneq (,$(OPENSSL_LIB_DIR))
    export OPENSSL_LIB_DIR OPENSSL_INCLUDE_DIR
    # "1.0.2" and the like for what is too old, "LibreSSL" for what is something else.
    openssl_misfit := $(shell sed -n \
	-e 's/^.*define LIBRESSL_VERSION_NUMBER.*/LibreSSL/p' \
	-e 's/^.*define OPENSSL_VERSION_NUMBER *0x0.*/OpenSSL 0.9/p' \
	-e 's/^.*define OPENSSL_VERSION_NUMBER *0x10\([01]\)0\([0-9]\).*/OpenSSL 1.\1.\2/p' \
	$(OPENSSL_INCLUDE_DIR)/openssl/opensslv.h 2>/dev/null | sed '/^OpenSSL 1\.1\.1$$/d' | head -n 1)
    ifneq (,$(openssl_misfit))
      $(error $(openssl_misfit) in $(OPENSSL_INCLUDE_DIR) cannot be used: OpenSSL 1.1.1, 3.x or 4.x is needed (OPENSSL_LIB_DIR and OPENSSL_INCLUDE_DIR name it, OPENSSL_VENDORED=yes has it built here))
    endif
    # What else the system's libcrypto was built on, compression for example.
    ifndef OPENSSL_LIBS
      openssl_private := $(patsubst -l%,%,$(filter-out -ldl -lc,$(filter -l%,$(shell \
	sed -n 's/^Libs.private://p' $(OPENSSL_LIB_DIR)/pkgconfig/libcrypto.pc 2>/dev/null))))
      openssl_private := $(foreach name,$(openssl_private),$(if $(wildcard $(OPENSSL_LIB_DIR)/lib$(name).a),:$(name)))
      empty :=
      export OPENSSL_LIBS := $(subst $(empty) ,,ssl:crypto$(openssl_private))
    endif
  endif
else
  # Whoever asks for the source must not be given an installed one.
  unexport OPENSSL_LIB_DIR OPENSSL_INCLUDE_DIR OPENSSL_DIR OPENSSL_STATIC
endif
