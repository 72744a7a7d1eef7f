//! The test programs pass, and the examples do what they say.

use crate::build::{compile, program, root, succeed};

const C: [&str; 2] = ["gcc", "clang"];
const CPP: [&str; 2] = ["g++", "clang++"];

fn passes(compilers: [&str; 2], source: &str, flags: &[&str]) {
    for compiler in compilers {
        succeed(program(compile(compiler, source, flags)).current_dir(root()));
    }
}

#[test]
fn what_the_c_header_promises_holds() {
    passes(C, "ffi/tests/c/promises.c", &["-std=c99"]);
    passes(C, "ffi/tests/c/masks.c", &["-std=c99"]);
}

#[test]
fn no_argument_does_harm() {
    passes(C, "ffi/tests/c/hostile.c", &["-std=c99"]);
}

#[test]
fn threads_share_what_they_may() {
    passes(C, "ffi/tests/c/threads.c", &["-std=c99"]);
}

#[test]
fn a_fork_leaves_a_child_that_works() {
    passes(C, "ffi/tests/c/forks.c", &["-std=c99"]);
}

#[test]
fn what_the_cpp_header_promises_holds() {
    passes(CPP, "ffi/tests/cpp/face.cpp", &["-std=c++17"]);
    passes(CPP, "ffi/tests/cpp/sharing.cpp", &["-std=c++17"]);
}
