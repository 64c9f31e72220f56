#!/bin/sh
# The size of the shared library, and what it exports, with each set of features. `make` has built the usual one.
#
#   make && tests/packaging/sizes.sh
set -eu
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target/packaging"

fail() {
    echo "sizes: $1" >&2
    exit 1
}

# check LIBRARY WHAT LIMIT NAMES
check() {
    size=$(wc -c <"$1")
    echo "sizes: $2: $size bytes, at most $3"
    [ "$size" -lt "$3" ] || fail "$2 is over its limit"
    nm -D --defined-only "$1" | sed 's/.* //' | LC_ALL=C sort | diff "$4" - || fail "$2 exports something else"
}

names=$target/packaging/names
few_names=$target/packaging/few_names
cut -d' ' -f1 tests/symbols.txt | LC_ALL=C sort >"$names"
# Of the functions of the header, a small library has those that a C compiler sees with its macro.
cc -E -DOSS_CALLBACK_SMALL include/oss_callback.h | grep -o '\boss_[a-z0-9_]*(' | tr -d '(' | LC_ALL=C sort -u |
    LC_ALL=C comm -12 "$names" - >"$few_names"

check "$target/release/liboss_callback.so" "with TLS" 4000000 "$names"
export CARGO_TARGET_DIR="$target/packaging"
make --no-print-directory FEATURES= >/dev/null
check "$CARGO_TARGET_DIR/release/liboss_callback.so" "without TLS" 1850000 "$names"
make --no-print-directory FEATURES=small >/dev/null
check "$CARGO_TARGET_DIR/release/liboss_callback.so" "small, without TLS" 1250000 "$few_names"

# A small library's own header says what it lacks.
prefix=$CARGO_TARGET_DIR/prefix
make --no-print-directory install FEATURES=small PREFIX="$PWD/$prefix" >/dev/null
export PKG_CONFIG_PATH="$PWD/$prefix/lib/pkgconfig"
try() {
    # shellcheck disable=SC2046  # a list of arguments
    echo "#include <oss_callback.h>
int main(void) { return $1; }" | cc -x c -Werror - $(pkg-config --cflags --libs oss_callback) -o "$prefix/program" 2>/dev/null
}
try 'oss_callback_version() == 0' || fail "nothing can be linked with a small library"
if try 'oss_callback_verifier_free == 0'; then fail "a small library's header has a verifier"; fi
echo '#include <oss_callback.hpp>' | c++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only -I "$prefix/include" -x c++ - ||
    fail "the C++ header needs what a small library lacks"
make --no-print-directory uninstall FEATURES=small PREFIX="$PWD/$prefix" >/dev/null
