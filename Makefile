# What a C programmer types: `make` leaves liboss_callback.so and liboss_callback.a in target/release, or below
# CARGO_TARGET_DIR if it is set. The header is include/oss_callback.h.

CARGO ?= cargo

# Both libraries in one go, and only those: as soon as cargo builds the Rust library too, it leaves the link-time
# optimization out.
all:
	$(CARGO) rustc --release --lib --features capi --crate-type cdylib --crate-type staticlib

check:
	$(CARGO) test --workspace

clean:
	$(CARGO) clean

.PHONY: all check clean
