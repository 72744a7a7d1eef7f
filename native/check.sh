#!/bin/sh
# The engine's tests where the ordinary ones cannot look: under AddressSanitizer, in Miri, and on ARM's processors.
#
#     check.sh [CHECK...]    asan miri neon; none is all
#
# Read from the environment: CARGO. CONTRIBUTING.md says what each check needs.
set -u

cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}
target=${CARGO_TARGET_DIR:-target}/native-checks
host=$(rustc -vV | sed -n 's/^host: //p')
arm=aarch64-unknown-linux-gnu
failed=0
skipped=0

# check NAME COMMAND...: a line about how it ended, and all it said if that was badly.
check() {
    name=$1
    shift
    if log=$("$@" 2>&1) && summary=$(echo "$log" | grep '^test result: ok. [1-9]'); then
        echo "ok      $name: $summary"
    else
        failed=$((failed + 1))
        echo "FAILED  $name"
        echo "$log"
    fi
}

# skip NAME REASON
skip() {
    skipped=$((skipped + 1))
    echo "SKIPPED $1: $2"
}

asan() {
    if "$cargo" +nightly --version > /dev/null 2>&1; then
        check asan env RUSTFLAGS=-Zsanitizer=address "$cargo" +nightly test --locked --package remrembg-native --lib \
            --target "$host" --target-dir "$target"
    else
        skip asan "needs the nightly toolchain of Rust"
    fi
}

# Miri knows no file and few registers: it runs the tests of the pool, and those of the kernels, on the portable ones.
miri() {
    if "$cargo" +nightly miri --version > /dev/null 2>&1; then
        check miri "$cargo" +nightly miri test --locked --package remrembg-native --lib --target-dir "$target" -- kernels:: pool::
    else
        skip miri "needs the component miri of Rust's nightly toolchain"
    fi
}

neon() {
    if ! [ -d "$(rustc --print sysroot)/lib/rustlib/$arm" ]; then
        skip neon "needs the target $arm of Rust"
    elif ! command -v qemu-aarch64 > /dev/null || ! command -v aarch64-linux-gnu-gcc > /dev/null; then
        skip neon "needs the Debian packages qemu-user, gcc-aarch64-linux-gnu and libc6-dev-arm64-cross"
    else
        check neon env CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
            CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu" \
            "$cargo" test --locked --package remrembg-native --lib --target "$arm" --target-dir "$target"
    fi
}

for name in ${*:-asan miri neon}; do
    case $name in
    asan | miri | neon) "$name" ;;
    *)
        failed=$((failed + 1))
        echo "FAILED  there is no check '$name'"
        ;;
    esac
done
echo "$failed failed, $skipped skipped"
[ "$failed" = 0 ]
