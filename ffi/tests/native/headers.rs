//! The headers compile everywhere without a warning.

use std::fs;
use std::process::Command;

use crate::build::{STRICT, root, succeed, temporary};

/// Compiles a file that includes `header` twice.
fn compiles(compiler: &str, standard: &str, header: &str, suffix: &str) {
    let source = temporary(&format!("include-{compiler}-{standard}-{suffix}")).join(format!("twice.{suffix}"));
    // A system's header comes first: what that declares must not be declared again.
    let includes = format!("#include <pthread.h>\n#include <{header}>\n#include <{header}>\n");
    let text = includes + "int main(void) { return REMREMBG_OK; }\n";
    fs::write(&source, text).expect("the source can be written");
    let mut command = Command::new(compiler);
    command.args(STRICT).arg(format!("-std={standard}")).args(["-Wredundant-decls", "-fsyntax-only"]);
    succeed(command.arg("-I").arg(root().join("include")).arg(source));
}

#[test]
fn the_c_header_compiles_in_every_standard_with_both_compilers() {
    for compiler in ["gcc", "clang"] {
        for standard in ["c99", "c11"] {
            compiles(compiler, standard, "remrembg.h", "c");
        }
    }
    for compiler in ["g++", "clang++"] {
        for standard in ["c++11", "c++20"] {
            compiles(compiler, standard, "remrembg.h", "cpp");
        }
    }
}

#[test]
fn the_cpp_headers_compile_in_every_standard_with_both_compilers() {
    for compiler in ["g++", "clang++"] {
        for standard in ["c++17", "c++20"] {
            compiles(compiler, standard, "remrembg.hpp", "hpp.cpp");
            compiles(compiler, standard, "remrembg-values.hpp", "values.cpp");
        }
    }
}
