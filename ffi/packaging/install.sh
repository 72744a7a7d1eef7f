#!/bin/sh
# Puts libremrembg where C and C++ programs find it, or takes it away again.
#
#     install.sh install BUILT    BUILT is cargo's folder with libremrembg_ffi.*
#     install.sh uninstall
#
# Read from the environment: PREFIX, LIBDIR, INCLUDEDIR; DESTDIR, a folder that
# stands for the root of the file system; LD, OBJCOPY and AR, for another target.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..

# A folder of the system's, which files that are installed will name.
folder() {
    case $2 in
    *[\|\&\\]*) echo "install.sh: $1 must not have | & or \\, got: $2" >&2 && exit 2 ;;
    /*) printf '%s' "$2" | sed 's|\(.\)/*$|\1|' ;;
    *) echo "install.sh: $1 must begin with /, got: $2" >&2 && exit 2 ;;
    esac
}

prefix=$(folder PREFIX "${PREFIX:-/usr/local}")
libdir=$(folder LIBDIR "${LIBDIR:-$prefix/lib}")
includedir=$(folder INCLUDEDIR "${INCLUDEDIR:-$prefix/include}")
lib=${DESTDIR:-}$libdir
include=${DESTDIR:-}$includedir
doc=${DESTDIR:-}$prefix/share/doc/remrembg
cmake_prefix=
headers="remrembg.h remrembg.hpp remrembg-values.hpp"

version=$(sed -n 's/^#define REMREMBG_VERSION "\(.*\)"$/\1/p' "$root/include/remrembg.h")
major=${version%%.*}
rest=${version#*.}
# As in ffi/build.rs: before 1.0 the minor version breaks the interface.
if [ "$major" = 0 ]; then abi=0.${rest%%.*}; else abi=$major; fi

# A folder as the files below name it: from the prefix on, where it is inside, so
# that an installed tree can be moved.
from() {
    case $2 in
    "$prefix"/*) printf '%s%s' "$1" "${2#"$prefix"}" ;;
    *) printf '%s' "$2" ;;
    esac
}

# Fills a template in, whose variable for the prefix is the third word.
fill() {
    sed -e "s|@PREFIX@|$prefix|g" -e "s|@CMAKE_PREFIX@|$cmake_prefix|g" -e "s|@VERSION@|$version|g" \
        -e "s|@LIBDIR@|$(from "$3" "$libdir")|g" -e "s|@INCLUDEDIR@|$(from "$3" "$includedir")|g" \
        -e "s|@ABI@|$abi|g" "$here/$1.in" > "$2/$1"
    chmod 644 "$2/$1"
}

# In a .pc file a space would end a word.
fill_pc() {
    fill "$1" "$lib/pkgconfig" '${prefix}'
    sed -i '/^[a-z]*=/s| |\\ |g' "$lib/pkgconfig/$1"
}

# CMake finds the prefix from where its own files are.
fill_cmake() {
    case $libdir in
    "$prefix"/*) cmake_prefix='${_remrembg_here}'$(from '' "$libdir/cmake/remrembg" | sed 's|/[^/]*|/..|g') ;;
    *) cmake_prefix=$prefix ;;
    esac
    fill "$1" "$lib/cmake/remrembg" '${_remrembg_prefix}'
}

# One object whose only names are the interface's, so that a program may also
# hold other Rust libraries, or a libwebp of its own: hence no group of sections
# may be left that a linker would share with theirs. Bitcode that the standard
# library carries along is of no use to a linker, and confuses some.
static_library() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    "${LD:-ld}" -r --whole-archive --force-group-allocation "$1" -o "$work/all.o"
    "${OBJCOPY:-objcopy}" --wildcard --keep-global-symbol='remrembg_*' --strip-debug \
        --remove-section=.llvmbc --remove-section=.llvmcmd "$work/all.o" "$work/remrembg.o"
    "${AR:-ar}" crs "$work/libremrembg.a" "$work/remrembg.o"
    install -m 644 "$work/libremrembg.a" "$2"
}

# The system's loader knows its folders' libraries from a cache.
refresh_loader() {
    if [ -z "${DESTDIR:-}" ] && [ "$(id -u)" = 0 ] && command -v ldconfig > /dev/null; then ldconfig; fi
}

case ${1:-} in
install)
    built=$2
    install -d "$lib/pkgconfig" "$lib/cmake/remrembg" "$include" "$doc"
    install -m 755 "$built/libremrembg_ffi.so" "$lib/libremrembg.so.$version"
    ln -sf "libremrembg.so.$version" "$lib/libremrembg.so.$abi"
    ln -sf "libremrembg.so.$abi" "$lib/libremrembg.so"
    static_library "$built/libremrembg_ffi.a" "$lib/libremrembg.a"
    for header in $headers; do install -m 644 "$root/include/$header" "$include"; done
    install -m 644 "$root/LICENSE" "$root/NOTICE" "$root/THIRD-PARTY.txt" "$doc"
    fill_pc remrembg.pc
    fill_pc remrembg-static.pc
    fill_cmake remrembg-config.cmake
    fill_cmake remrembg-config-version.cmake
    refresh_loader
    ;;
uninstall)
    # What is installed may be of another version than this checkout.
    if [ -L "$lib/libremrembg.so" ]; then
        named=$lib/$(readlink "$lib/libremrembg.so")
        if [ -L "$named" ]; then rm -f "$lib/$(readlink "$named")"; fi
        rm -f "$named" "$lib/libremrembg.so"
    fi
    for header in $headers; do rm -f "$include/$header"; done
    rm -f "$lib/libremrembg.a" "$lib/pkgconfig/remrembg.pc" "$lib/pkgconfig/remrembg-static.pc"
    rm -rf "$lib/cmake/remrembg" "$doc"
    # Folders that are left empty; a system's own never are.
    rmdir "$lib/pkgconfig" "$lib/cmake" "$lib" "$include" "${doc%/*}" "${doc%/*/*}" 2> /dev/null || :
    refresh_loader
    ;;
*)
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
