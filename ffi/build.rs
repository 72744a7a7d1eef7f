//! Gives the shared library its name, and keeps it loaded once it is.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |key: &str| std::env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    if target("FAMILY").contains("unix") && target("VENDOR") != "apple" {
        // Before 1.0 the minor version breaks the interface, afterwards the major one.
        let (major, minor) = (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"));
        let version = if major == "0" { format!("0.{minor}") } else { major.to_owned() };
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libremrembg.so.{version}");
        // Threads of the engines may outlive the last remover: the code they
        // run must not go away with `dlclose`.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
