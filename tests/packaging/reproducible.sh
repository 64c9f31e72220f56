#!/bin/sh
# The libraries that `make` has built name no folder of this machine, and come out the same, bit for bit, in another folder with
# another home of cargo.
#
#   make && tests/packaging/reproducible.sh
set -eu
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}
home=${CARGO_HOME:-$HOME/.cargo}
other=$(mktemp -d)
trap 'rm -rf "$other"' EXIT

fail() {
    echo "reproducible: $1" >&2
    exit 1
}

# unnamed FILE: no string of it begins with a folder of the builder.
unnamed() {
    for folder in "$PWD" "$home" "${RUSTUP_HOME:-$HOME/.rustup}"; do
        count=$(grep -acF "$folder" "$1" || true)
        [ "$count" -eq 0 ] || fail "$1 has $folder in $count lines"
    done
}

unnamed "$target/release/liboss_callback.so"
unnamed "$target/release/liboss_callback.a"
git clone --quiet --no-local . "$other/clone"
# What was downloaded is not downloaded again.
mkdir "$other/home"
for name in config.toml config registry; do
    [ ! -e "$home/$name" ] || cp -r "$home/$name" "$other/home/"
done
CARGO_HOME="$other/home" CARGO_TARGET_DIR="$other/target" make --no-print-directory -C "$other/clone" >/dev/null
for library in liboss_callback.so liboss_callback.a; do
    cmp "$target/release/$library" "$other/target/release/$library" || fail "$library is another one in another folder"
done
echo "reproducible: both libraries are the same in another folder, and name none"
