#!/bin/sh
# Compares the public Rust API with the one that is committed; `BLESS=1` commits to what is there now. What may change in
# which release stands in docs/COMPATIBILITY.md.
set -eu
cd "$(dirname "$0")/../.."
# A folder of its own: what is compiled for an unstable option would be compiled again for everything else.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/public_api"
RUSTC_BOOTSTRAP=1 cargo rustdoc --quiet --locked -p oss-callback --lib -- -Z unstable-options --output-format json
cargo run --quiet --locked --manifest-path tests/public_api/Cargo.toml -- "$CARGO_TARGET_DIR/doc/oss_callback.json" \
    >"$CARGO_TARGET_DIR/api.txt"
if [ -n "${BLESS:-}" ]; then cp "$CARGO_TARGET_DIR/api.txt" tests/public_api/api.txt; fi
diff -u tests/public_api/api.txt "$CARGO_TARGET_DIR/api.txt" || {
    echo 'the public Rust API has changed: run `BLESS=1 tests/public_api/check.sh` if this is meant' >&2
    exit 1
}
