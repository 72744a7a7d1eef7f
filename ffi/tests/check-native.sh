#!/bin/sh
# The C interface under sanitizers, for a long time, and in hosts that load it.
#
#     check-native.sh [CHECK...]    memcheck asan ubsan tsan soak loading other_runtime; none is all
#
# Read from the environment: RUNTIME, the folder of an ONNX Runtime, and CARGO,
# MAKE and CARGO_TARGET_DIR. CONTRIBUTING.md says what each check can see.
set -eu

cd "$(dirname "$0")/../.."
cargo=${CARGO:-cargo}
target=${CARGO_TARGET_DIR:-target}
case $target in /*) ;; *) target=$PWD/$target ;; esac
work=$target/native
prefix=$work/prefix
host=$(rustc -vV | sed -n 's/^host: //p')
runtimes=$(rustc --print sysroot)/lib/rustlib/$host/lib
failed=0
skipped=0
export REMREMBG_TEST_MODEL="$work/identity.onnx"
unset REMREMBG_ONNXRUNTIME ORT_DYLIB_PATH

# check NAME COMMAND...: a line about how it ended, and all it said if that was badly.
check() {
    name=$1
    shift
    began=$(date +%s)
    if ("$@") > "$work/log" 2>&1; then
        echo "ok      $name ($(($(date +%s) - began)) s)"
        # What these programs measured is worth a line even when it is right.
        sed -n '/^[0-9]* removals:\|^the host has/s/^/        /p' "$work/log"
    else
        failed=$((failed + 1))
        echo "FAILED  $name ($(($(date +%s) - began)) s)"
        cat "$work/log"
    fi
}

# skip NAME REASON
skip() {
    skipped=$((skipped + 1))
    echo "SKIPPED $1: $2"
}

# The library as the ordinary tests have it, and the tiny model that they write.
prepare() {
    mkdir -p "$work/bin"
    "$cargo" test --quiet --locked --package remrembg-ffi --test native no_argument_does_harm &&
        cp "$target/tmp/native/model/identity.onnx" "$work" &&
        "${MAKE:-make}" libremrembg install PROFILE=dev DESTDIR= PREFIX="$prefix"
}

# The programs that need no arguments.
programs() {
    for source in ffi/tests/c/*.c ffi/tests/cpp/*.cpp; do
        case $source in
        */vectors.c | */soak.c | */loading.c | */other_runtime.c) ;;
        *) echo "$source" ;;
        esac
    done
}

# compile COMPILER SOURCE OUT FLAGS...: COMPILER is gcc or clang, and stands for its C++ too.
compile() {
    compiler=$1 source=$2 out=$3
    shift 3
    case $compiler$source in
    gcc*.cpp) compiler=g++ ;;
    clang*.cpp) compiler=clang++ ;;
    esac
    case $source in
    *.cpp) standard=c++17 ;;
    *) standard=c99 ;;
    esac
    "$compiler" -std=$standard -g -O1 -I include "$source" -o "$out" "$@"
}

# ordinary SOURCE OUT FLAGS...: against the library as it is installed.
ordinary() {
    source=$1 out=$2
    shift 2
    compile gcc "$source" "$out" "$@" -L "$prefix/lib" "-Wl,-rpath,$prefix/lib" -lremrembg -lpthread -ldl
}

# sanitized NAME SHORT: the library with all its Rust code but the standard library's.
sanitized() {
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=$1 -Cunsafe-allow-abi-mismatch=sanitizer" "$cargo" build --locked \
        --profile dev --target "$host" --target-dir "$target/$2" --package remrembg-ffi
}

# with_sanitizer NAME SHORT SOURCE OUT FLAGS...: C and Rust share Rust's copy of the runtime.
with_sanitizer() {
    name=$1 short=$2 program=$4
    compile clang "$3" "$program.o" -c "-fsanitize=$name" || return 1
    shift 4
    clang++ "$program.o" -o "$program" "$@" "$target/$short/$host/debug/libremrembg_ffi.a" -Wl,--whole-archive \
        "$runtimes/librustc-stable_rt.$short.a" -Wl,--no-whole-archive -Wl,--export-dynamic \
        -lpthread -lrt -lm -ldl -lresolv
}

has_runtime() {
    [ -e "$runtimes/librustc-stable_rt.$1.a" ]
}

run_memcheck() {
    ordinary "$1" "$work/bin/memcheck" &&
        valgrind -q --leak-check=full --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect \
            --error-exitcode=9 --child-silent-after-fork=yes "$work/bin/memcheck"
}

# Some versions of valgrind do not know an instruction that the resizer uses on
# processors with AVX2, and there is no telling valgrind to hide those.
knows_every_instruction() {
    ordinary ffi/tests/c/promises.c "$work/bin/memcheck" &&
        ! valgrind --leak-check=no "$work/bin/memcheck" 2>&1 | grep -q "Unrecognised instruction"
}

memcheck() {
    if ! command -v valgrind > /dev/null; then
        skip memcheck "valgrind is absent"
    elif ! knows_every_instruction; then
        skip memcheck "$(valgrind --version) does not know an instruction of this processor that the library uses"
    else
        for source in $(programs); do check "memcheck $source" run_memcheck "$source"; done
    fi
}

run_ubsan() {
    ordinary "$1" "$work/bin/ubsan" -fsanitize=address,undefined -fno-sanitize-recover=all && "$work/bin/ubsan"
}

ubsan() {
    for source in $(programs); do check "ubsan and asan, C alone: $source" run_ubsan "$source"; done
}

run_asan() {
    source=$1
    shift
    with_sanitizer address asan "$source" "$work/bin/asan" && "$work/bin/asan" "$@"
}

asan() {
    if ! has_runtime asan; then
        skip asan "this Rust toolchain has no AddressSanitizer for $host"
        return
    fi
    check "build for asan" sanitized address asan
    for source in $(programs); do check "asan, C and Rust: $source" run_asan "$source"; done
    check "asan, C and Rust: soak 200" run_asan ffi/tests/c/soak.c 200
}

# The function of the standard library whose mangled name matches.
mangled() {
    grep -E "$1" "$work/names" | head -n 1 | grep . || { echo "no function matches $1" >&2; return 1; }
}

# What ffi/tests/tsan.c wraps: its name there, and how the mangled one looks.
shim() {
    flags='' wraps=''
    nm --undefined-only --format=just-symbols "$target/tsan/$host/debug/libremrembg_ffi.a" 2> /dev/null |
        sort -u > "$work/names"
    while read -r name pattern; do
        symbol=$(mangled "$pattern") || return 1
        flags="$flags -D$name=$symbol" wraps="$wraps -Wl,--wrap=$symbol"
    done << 'END'
LOCK_CONTENDED ^_RNv.*3std3sys4sync5mutex5futex.*14lock_contended$
CONDVAR_WAIT ^_RNv.*3std3sys4sync7condvar5futex.*7Condvar4wait$
CONDVAR_WAIT_TIMEOUT ^_RNv.*3std3sys4sync7condvar5futex.*7Condvar12wait_timeout$
ONCE_CALL ^_RNv.*3std3sys4sync4once5futex.*4Once4call$
THREAD_PARK ^_RNv.*3std6thread6thread.*6Thread4park$
THREAD_PARK_TIMEOUT ^_RNv.*3std6thread6thread.*6Thread12park_timeout$
END
    # The lists are words: mangled names have no blanks.
    # shellcheck disable=SC2086
    clang -O1 -g $flags -c ffi/tests/tsan.c -o "$work/bin/tsan-shim.o"
}

run_tsan() {
    # shellcheck disable=SC2086
    shim && with_sanitizer thread tsan "$1" "$work/bin/tsan" "$work/bin/tsan-shim.o" $wraps &&
        TSAN_OPTIONS="suppressions=ffi/tests/tsan.supp die_after_fork=0" "$work/bin/tsan"
}

tsan() {
    if ! has_runtime tsan; then
        skip tsan "this Rust toolchain has no ThreadSanitizer for $host"
        return
    fi
    check "build for tsan" sanitized thread tsan
    for program in threads forks; do
        check "tsan, C and Rust: ffi/tests/c/$program.c" run_tsan "ffi/tests/c/$program.c"
    done
}

has_onnxruntime() {
    [ -n "${RUNTIME:-}" ] && ls "$RUNTIME"/libonnxruntime.so* > /dev/null 2>&1
}

# On the release build: the engine inside takes several times as long in the other.
build_soak() {
    "${MAKE:-make}" libremrembg install PROFILE=release DESTDIR= PREFIX="$work/release" &&
        prefix=$work/release && ordinary ffi/tests/c/soak.c "$work/bin/soak"
}

# bundled COUNT ENGINE: the same with the model that users have.
bundled() {
    env -u REMREMBG_TEST_MODEL REMREMBG_ONNXRUNTIME="${RUNTIME:-}" "$work/bin/soak" "$@"
}

soak() {
    check "build for soak" build_soak
    check "soak, the tiny model" "$work/bin/soak" 1000
    check "soak, the bundled model on rten" bundled 300 rten
    if has_onnxruntime; then
        check "soak, the bundled model on onnxruntime" bundled 1000 onnxruntime
    else
        skip "soak onnxruntime" "there is no ONNX Runtime in RUNTIME='${RUNTIME:-}'"
    fi
}

run_loading() {
    compile gcc ffi/tests/c/loading.c "$work/bin/loading" -lpthread -ldl && "$work/bin/loading" "$prefix/lib/libremrembg.so"
}

loading() {
    check loading run_loading
}

run_other_runtime() {
    ordinary ffi/tests/c/other_runtime.c "$work/bin/other_runtime" &&
        "$work/bin/other_runtime" "$1" "$2"
}

other_runtime() {
    if ! has_onnxruntime; then
        skip other_runtime "there is no ONNX Runtime in RUNTIME='${RUNTIME:-}'"
        return
    fi
    library=$(ls "$RUNTIME"/libonnxruntime.so* | head -n 1)
    copy=$work/copy/${library##*/}
    mkdir -p "$work/copy"
    cp "$library" "$copy"
    check "other_runtime, a copy" run_other_runtime "$copy" "$library"
    check "other_runtime, the same file" run_other_runtime "$library" "$library"
    rm -r "$work/copy"
}

mkdir -p "$work"
check "build" prepare
[ "$failed" = 0 ] || exit 1
for part in ${*:-loading other_runtime memcheck ubsan asan tsan soak}; do
    case $part in
    memcheck | asan | ubsan | tsan | soak | loading | other_runtime) "$part" ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done
echo "check-native: $failed failed, $skipped skipped"
[ "$failed" = 0 ]
