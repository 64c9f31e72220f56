# What a C programmer types:
#
#   make                      builds liboss_callback.so and liboss_callback.a into target/release, or below CARGO_TARGET_DIR
#   make install PREFIX=/usr DESTDIR=/tmp/package
#   make uninstall PREFIX=/usr DESTDIR=/tmp/package
#   make FEATURES=            without TLS; FEATURES=tls,small without the application server's side (see README.md)
#
# Installing copies what is built and needs no cargo: `make && sudo make install`.

CARGO ?= cargo
FEATURES ?= tls

PREFIX ?= /usr/local
DESTDIR ?=
INCLUDEDIR ?= $(PREFIX)/include
LIBDIR ?= $(PREFIX)/lib
PKGCONFIGDIR ?= $(LIBDIR)/pkgconfig
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
DOCDIR ?= $(DATADIR)/doc/oss_callback
CMAKEDIR ?= $(DATADIR)/cmake/oss_callback
INSTALL ?= install

comma = ,
space = $() $()
small = $(filter small,$(subst $(comma), ,$(FEATURES)))
# Of a small library not even what is hot is made fast, but for hashes.
smaller = $(foreach package,http httparse ureq ureq-proto,--config 'profile.release.package.$(package).opt-level="z"')
# Whose machine it was is no part of what others get: panics name the files of the sources by paths that are the same everywhere.
remap = --config 'target."cfg(all())".rustflags=[$(subst $(space),$(comma),$(foreach pair,$(CURDIR)=/oss-callback \
    $(or $(CARGO_HOME),$(HOME)/.cargo)=/cargo $(shell $(or $(RUSTC),rustc) --print sysroot)=/rust,"--remap-path-prefix=$(pair)") "-Cforce-frame-pointers=yes")]'
# The same for the C that ring compiles, with debug information in it.
export CFLAGS := $(strip $(CFLAGS) -fdebug-prefix-map=$(or $(CARGO_HOME),$(HOME)/.cargo)=/cargo -fdebug-prefix-map=$(CURDIR)=/oss-callback)
target = $(or $(CARGO_TARGET_DIR),target)/release
version := $(shell sed -n '/^\[package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
# As cargo-c has it: the library is liboss_callback.so.1.0.0, its SONAME liboss_callback.so.1.
library_version := $(shell sed -n '/^\[package.metadata.capi.library\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
abi := $(firstword $(subst ., ,$(library_version)))
soname := liboss_callback.so.$(abi)

# Both libraries in one go, and only those: as soon as cargo builds the Rust library too, it leaves the link-time
# optimization out. Programs that are linked against the folder of the build find the library by its link. With frame
# pointers the tables for unwinding are shorter by more than the code is longer, and profilers see the callers.
all:
	$(CARGO) rustc --release -p oss-callback --lib --no-default-features --features 'capi,$(FEATURES)' \
	    --crate-type cdylib --crate-type staticlib $(remap) $(if $(small),--config 'profile.release.opt-level="z"' $(smaller)) $(CARGOFLAGS) \
	    -- -C link-arg=-Wl,-soname,$(soname)
	ln -sf liboss_callback.so $(target)/$(soname)
	@wc -c $(target)/liboss_callback.so $(target)/liboss_callback.a | sed '$$d'

check:
	$(CARGO) test --workspace

# The server that stands for OSS in tests of an application: `make install-local-oss`, or with PREFIX=...
install-local-oss:
	$(CARGO) install --locked --path tests/local-oss --root $(DESTDIR)$(PREFIX) --no-track $(remap) $(CARGOFLAGS)

headers := $(notdir $(wildcard include/*.h include/*.hpp))
# Parts of oss_callback.hpp.
parts := $(notdir $(wildcard include/oss_callback/*.hpp))
pages := $(notdir $(wildcard man/*.3))
documents := README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT THIRD_PARTY_LICENSES.txt
cmake_files := oss_callback-config.cmake oss_callback-config-version.cmake

$(target)/liboss_callback.so $(target)/liboss_callback.a:
	$(MAKE) all

install: $(target)/liboss_callback.so $(target)/liboss_callback.a
	@grep -q '$(soname)' $(target)/liboss_callback.so || \
	    { echo 'cargo has built another liboss_callback.so since: run `make` again' >&2; exit 1; }
	$(INSTALL) -d $(DESTDIR)$(INCLUDEDIR)/oss_callback $(DESTDIR)$(LIBDIR) $(DESTDIR)$(PKGCONFIGDIR) \
	    $(DESTDIR)$(MANDIR)/man3 $(DESTDIR)$(DOCDIR) $(DESTDIR)$(CMAKEDIR)
	$(INSTALL) -m 644 $(addprefix include/,$(headers)) $(DESTDIR)$(INCLUDEDIR)
	$(INSTALL) -m 644 $(addprefix include/oss_callback/,$(parts)) $(DESTDIR)$(INCLUDEDIR)/oss_callback
ifneq ($(small),)
	sed 's|^/\* #undef OSS_CALLBACK_SMALL \*/$$|#define OSS_CALLBACK_SMALL 1|' include/oss_callback.h \
	    > $(DESTDIR)$(INCLUDEDIR)/oss_callback.h
endif
	$(INSTALL) -m 755 $(target)/liboss_callback.so $(DESTDIR)$(LIBDIR)/liboss_callback.so.$(library_version)
	ln -sf liboss_callback.so.$(library_version) $(DESTDIR)$(LIBDIR)/$(soname)
	ln -sf liboss_callback.so.$(library_version) $(DESTDIR)$(LIBDIR)/liboss_callback.so
	$(INSTALL) -m 644 $(target)/liboss_callback.a $(DESTDIR)$(LIBDIR)
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(LIBDIR))|' \
	    -e 's|@INCLUDEDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(INCLUDEDIR))|' -e 's|@VERSION@|$(version)|' \
	    packaging/oss_callback.pc.in > $(DESTDIR)$(PKGCONFIGDIR)/oss_callback.pc
	$(INSTALL) -m 644 $(addprefix packaging/,$(cmake_files)) $(DESTDIR)$(CMAKEDIR)
	$(INSTALL) -m 644 $(addprefix man/,$(pages)) $(DESTDIR)$(MANDIR)/man3
	$(INSTALL) -m 644 $(documents) $(DESTDIR)$(DOCDIR)

uninstall:
	rm -f $(addprefix $(DESTDIR)$(INCLUDEDIR)/,$(headers) $(addprefix oss_callback/,$(parts)))
	rmdir $(DESTDIR)$(INCLUDEDIR)/oss_callback 2>/dev/null || true
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/liboss_callback.,so.$(library_version) so.$(abi) so a)
	rm -f $(DESTDIR)$(PKGCONFIGDIR)/oss_callback.pc
	rm -f $(addprefix $(DESTDIR)$(MANDIR)/man3/,$(pages))
	rm -rf $(DESTDIR)$(CMAKEDIR) $(DESTDIR)$(DOCDIR)

clean:
	$(CARGO) clean

.PHONY: all check clean install install-local-oss uninstall
