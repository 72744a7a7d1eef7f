#!/bin/sh
# Puts libremrembg where C and C++ programs find it, or takes it away again.
#
#     install.sh install BUILT    BUILT is cargo's folder with libremrembg_ffi.*
#     install.sh uninstall
#
# Read from the environment: PREFIX, LIBDIR, INCLUDEDIR, and DESTDIR, a folder
# that stands for the root of the file system.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
prefix=${PREFIX:-/usr/local}
libdir=${LIBDIR:-$prefix/lib}
includedir=${INCLUDEDIR:-$prefix/include}
lib=${DESTDIR:-}$libdir
include=${DESTDIR:-}$includedir

version=$(sed -n 's/^#define REMREMBG_VERSION "\(.*\)"$/\1/p' "$root/include/remrembg.h")
major=${version%%.*}
rest=${version#*.}
# As in ffi/build.rs: before 1.0 the minor version breaks the interface.
if [ "$major" = 0 ]; then abi=0.${rest%%.*}; else abi=$major; fi

fill() {
    sed -e "s|@PREFIX@|$prefix|g" -e "s|@LIBDIR@|$libdir|g" -e "s|@INCLUDEDIR@|$includedir|g" \
        -e "s|@VERSION@|$version|g" -e "s|@ABI@|$abi|g" "$here/$1" > "$2"
    chmod 644 "$2"
}

# One object whose only names are the interface's, so that a program may also
# hold other Rust libraries, or a libwebp of its own. Bitcode that the standard
# library carries along is of no use to a linker, and confuses some.
static_library() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    ld -r --whole-archive "$1" -o "$work/all.o"
    objcopy --wildcard --keep-global-symbol='remrembg_*' --strip-debug \
        --remove-section=.llvmbc --remove-section=.llvmcmd "$work/all.o" "$work/remrembg.o"
    ar crs "$work/libremrembg.a" "$work/remrembg.o"
    install -m 644 "$work/libremrembg.a" "$2"
}

case ${1:-} in
install)
    built=$2
    install -d "$lib/pkgconfig" "$lib/cmake/remrembg" "$include"
    install -m 755 "$built/libremrembg_ffi.so" "$lib/libremrembg.so.$version"
    ln -sf "libremrembg.so.$version" "$lib/libremrembg.so.$abi"
    ln -sf "libremrembg.so.$abi" "$lib/libremrembg.so"
    static_library "$built/libremrembg_ffi.a" "$lib/libremrembg.a"
    install -m 644 "$root/include/remrembg.h" "$root/include/remrembg.hpp" "$include"
    fill remrembg.pc.in "$lib/pkgconfig/remrembg.pc"
    fill remrembg-static.pc.in "$lib/pkgconfig/remrembg-static.pc"
    fill remrembg-config.cmake.in "$lib/cmake/remrembg/remrembg-config.cmake"
    fill remrembg-config-version.cmake.in "$lib/cmake/remrembg/remrembg-config-version.cmake"
    ;;
uninstall)
    rm -f "$lib/libremrembg.so.$version" "$lib/libremrembg.so.$abi" "$lib/libremrembg.so" "$lib/libremrembg.a" \
        "$include/remrembg.h" "$include/remrembg.hpp" \
        "$lib/pkgconfig/remrembg.pc" "$lib/pkgconfig/remrembg-static.pc"
    rm -rf "$lib/cmake/remrembg"
    ;;
*)
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
