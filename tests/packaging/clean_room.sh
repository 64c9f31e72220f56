#!/bin/sh
# Installs what `make` has built into a folder of its own, and uses it as somebody who has only that: C by pkg-config and by
# CMake, shared and static, and C++, each program run against a local OSS; then uninstalls it again.
#
#   make && tests/packaging/clean_room.sh LOCAL_OSS_EXAMPLE      (target/debug/examples/with_local_oss)
set -eu
cd "$(dirname "$0")/../.."
with_local_oss=$(realpath "$1")
sources=$PWD
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
prefix=$room/prefix

fail() {
    echo "clean room: $1" >&2
    exit 1
}

# What is there already stays, and a package is assembled elsewhere than where it will lie.
mkdir -p "$prefix/include" && touch "$prefix/include/another.h"
make --no-print-directory install PREFIX=/opt/oss DESTDIR="$room/package" >/dev/null
grep -qx 'prefix=/opt/oss' "$room/package/opt/oss/lib/pkgconfig/oss_callback.pc" || fail "DESTDIR is in the .pc file"
make --no-print-directory install PREFIX="$prefix" >/dev/null

# From here on without cargo and without the sources.
PATH=/usr/local/bin:/usr/bin:/bin
export PATH
unset LD_LIBRARY_PATH CARGO_TARGET_DIR
for tool in cargo rustc; do
    if command -v "$tool" >/dev/null; then fail "$tool is in PATH"; fi
done
mkdir "$room/work"
cp "$sources/examples/c/put_object.c" "$sources/examples/cpp/put_object.cpp" "$room/work"
cp "$sources/tests/c/version.c" "$sources/tests/c/cpp_links.cpp" "$room/work"
cd "$room/work"
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"

grep -qx "set(PACKAGE_VERSION \"$(pkg-config --modversion oss_callback)\")" \
    "$prefix/share/cmake/oss_callback/oss_callback-config-version.cmake" || fail "the CMake files have another version"
library=$(readlink -f "$prefix/lib/liboss_callback.so")
soname=$(readelf -d "$library" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
case $soname in liboss_callback.so.[1-9]*) ;; *) fail "the SONAME is \`$soname\`" ;; esac
[ "$(readlink -f "$prefix/lib/$soname")" = "$library" ] || fail "$soname is no link to the library"
if nm -D --defined-only "$library" | grep -v ' T oss_'; then fail "this is exported, too"; fi
[ "$(pkg-config --modversion oss_callback)" = "$(sed -n 's/^#define OSS_CALLBACK_VERSION "\(.*\)"/\1/p' \
    "$prefix/include/oss_callback.h")" ] || fail "the .pc file has another version"

# Runs a program, which must upload and print the answer to its callback; `$2`: which oss_callback it must load.
try() {
    loads=$(ldd "$1" 2>/dev/null | sed -n 's/.*liboss_callback[^ ]* => \([^ ]*\).*/\1/p')
    case $2 in
    shared) [ "$loads" = "$prefix/lib/$soname" ] || fail "$1 loads \`$loads\`" ;;
    static) [ -z "$loads" ] || fail "$1 loads $loads" ;;
    esac
    "$with_local_oss" "$1" >"$room/out" 2>"$room/err" || fail "$1 failed"
    case $1 in *cxx*) ;; *) grep -q '{"Status":"OK"}' "$room/out" || fail "$1 printed $(cat "$room/out")" ;; esac
    echo "clean room: $(basename "$1") works"
}

strict='-Wall -Wextra -pedantic -Werror'
# shellcheck disable=SC2046,SC2086  # lists of arguments
{
    cc -std=c99 $strict put_object.c $(pkg-config --cflags --libs oss_callback) "-Wl,-rpath,$prefix/lib" -o pkg_config_shared
    try ./pkg_config_shared shared
    # The linker warns that the C library looks names up by shared libraries of its own.
    cc -std=c99 -static $strict put_object.c $(pkg-config --cflags --static --libs oss_callback) -o pkg_config_static 2>/dev/null
    try ./pkg_config_static static
    cc -std=c99 $strict put_object.c $(pkg-config --cflags oss_callback) "$prefix/lib/liboss_callback.a" \
        $(pkg-config --static --libs-only-l oss_callback | sed 's/-loss_callback//') -o archive
    try ./archive static
    c++ -std=c++11 $strict cpp_links.cpp $(pkg-config --cflags --libs oss_callback) "-Wl,-rpath,$prefix/lib" -o cxx
    try ./cxx shared
    c++ -std=c++17 $strict put_object.cpp $(pkg-config --cflags --libs oss_callback) "-Wl,-rpath,$prefix/lib" -o hpp
    try ./hpp shared
}

cat >CMakeLists.txt <<'EOF'
cmake_minimum_required(VERSION 3.13)
project(consumer C CXX)
find_package(oss_callback 0.1 CONFIG REQUIRED)
add_executable(cmake_shared put_object.c)
target_link_libraries(cmake_shared PRIVATE oss_callback::shared)
add_executable(cmake_static put_object.c)
target_link_libraries(cmake_static PRIVATE oss_callback::static)
add_executable(cmake_cxx cpp_links.cpp)
target_link_libraries(cmake_cxx PRIVATE oss_callback::shared)
EOF
cmake -S . -B build "-DCMAKE_PREFIX_PATH=$prefix" >/dev/null
cmake --build build >/dev/null
try build/cmake_shared shared
try build/cmake_static static
try build/cmake_cxx shared

# Another version is refused, and the tree may be moved.
sed 's/oss_callback 0.1/oss_callback 0.2/' CMakeLists.txt >other.txt && mkdir other && mv other.txt other/CMakeLists.txt
cp put_object.c cpp_links.cpp other
if cmake -S other -B other/build "-DCMAKE_PREFIX_PATH=$prefix" >/dev/null 2>&1; then fail "version 0.2 was found"; fi
cp -a "$prefix" "$room/moved"
cmake -S . -B moved "-DCMAKE_PREFIX_PATH=$room/moved" >/dev/null
cmake --build moved --verbose >"$room/moved.log"
grep -q "$room/moved/lib" "$room/moved.log" || fail "the CMake files do not find the library beside them"
if grep -q "$prefix/" "$room/moved.log"; then fail "the CMake files point to where the tree was"; fi

if command -v mandoc >/dev/null; then
    mandoc "$prefix/share/man/man3/oss_callback.3" | grep -q oss_put_object_with_callback || fail "no manual"
fi

cd "$sources"
make --no-print-directory uninstall PREFIX="$prefix" >/dev/null
left=$(cd "$prefix" && find . ! -type d)
[ "$left" = ./include/another.h ] || fail "uninstall leaves $left"
left=$(find "$prefix" -type d -name '*oss_callback*')
[ -z "$left" ] || fail "uninstall leaves $left"
echo "clean room: nothing is left"
