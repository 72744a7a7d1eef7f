//! The command line of remrembg.

/// What keeps ONNX Runtime, from version 1.30 on, from telling its maker of its use.
const NO_TELEMETRY: &str = "ORT_DISABLE_TELEMETRY";

fn main() -> std::process::ExitCode {
    remrembg::hush_guarded_panics();
    if std::env::var_os(NO_TELEMETRY).is_none() {
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var(NO_TELEMETRY, "1") };
    }
    remrembg_cli::run(std::env::args_os()).into()
}
