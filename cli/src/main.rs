//! The command line of remrembg.
fn main() -> std::process::ExitCode {
    remrembg::hush_guarded_panics();
    remrembg_cli::run(std::env::args_os()).into()
}
