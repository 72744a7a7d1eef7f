//! What ONNX Runtime is to compute on, as far as any library can show it.

use super::*;

/// No library for this system has it.
const ABSENT: Provider = if cfg!(windows) { Provider::CoreMl } else { Provider::DirectMl };

fn model() -> Weights {
    bytes(onnx::identity(onnx::FLOAT, &["x"], &[1, 2]))
}

fn refused(choice: EngineChoice, weights: &Weights, runtime: &Runtime<'_>) -> (Code, String) {
    let error = open(choice, weights, &Pool::of(1), runtime).err().expect("it cannot be had");
    (error.code(), error.message().to_owned())
}

#[test]
fn a_provider_is_asked_for_by_either_name_in_any_case() {
    for provider in Provider::ALL {
        for name in [provider.name(), provider.short_name()] {
            for text in [name.to_owned(), name.to_uppercase(), format!(" {} ", name.to_lowercase())] {
                assert_eq!(text.parse::<Provider>().expect("it is a name"), provider);
            }
        }
    }
    let both = Provider::list("CUDAExecutionProvider,cpu").expect("they are names");
    assert_eq!(both, [Provider::Cuda, Provider::Cpu]);
    assert_eq!(Provider::list("Auto").expect("it is automatic"), []);
}

#[test]
fn an_unknown_provider_is_told_with_those_there_are() {
    for text in ["tpu", "cuda,tpu"] {
        let error = Provider::list(text).expect_err("there is no such provider");
        let start = "Unknown provider 'tpu'. Providers: cpu (CPUExecutionProvider), cuda (CUDAExecutionProvider), ";
        assert!(error.message().starts_with(start), "{error}");
        assert!(error.message().ends_with(", directml (DmlExecutionProvider)"), "{error}");
    }
    for text in ["", "cpu,", "auto,cpu"] {
        assert!(Provider::list(text).is_err(), "{text:?}");
    }
}

#[test]
fn the_first_that_can_be_had_is_used_and_those_before_it_are_told() {
    let Some(path) = runtime() else { return };
    let on = |providers: &[Provider]| {
        let runtime = Runtime { providers, ..at(Some(&path)) };
        open(EngineChoice::Auto, &model(), &Pool::of(1), &runtime).expect("the CPU is there").info().clone()
    };
    let info = on(&[ABSENT, Provider::Cpu]);
    assert_eq!((info.name, &*info.provider), ("onnxruntime", "CPUExecutionProvider"));
    let why = info.fallback.expect("it tells why");
    let line = format!("\n  {ABSENT}: {} does not offer it", info.library.expect("it has one").display());
    assert_eq!(why, format!("A preferred provider cannot be used. Tried:{line}"));

    let info = on(&[Provider::Cpu, ABSENT]);
    assert_eq!((&*info.provider, info.fallback), ("CPUExecutionProvider", None));
    assert!(on(&[]).provider.parse::<Provider>().is_ok());
}

#[test]
fn a_list_of_which_none_can_be_had_is_an_error_unless_the_model_is_at_fault() {
    let Some(path) = runtime() else { return };
    let runtime = Runtime { providers: &[ABSENT], ..at(Some(&path)) };
    for choice in [EngineChoice::Auto, EngineChoice::OnnxRuntime] {
        let (code, message) = refused(choice, &model(), &runtime);
        assert_eq!(code, Code::EngineUnavailable);
        assert!(message.starts_with("No provider that was asked for can be used. Tried:\n  "), "{message}");
        assert!(message.contains(ABSENT.name()) && message.ends_with(" does not offer it"), "{message}");
    }
    assert_eq!(refused(EngineChoice::Auto, &bytes(*b"no model"), &runtime).0, Code::ModelDamaged);
}

#[cfg(feature = "rten")]
#[test]
fn rten_has_the_cpu_alone() {
    let on = |providers| Runtime { providers, ..at(None) };
    for list in [&[Provider::Cuda][..], &[Provider::Cpu, Provider::Cuda]] {
        let (code, message) = refused(EngineChoice::Rten, &model(), &on(list));
        assert_eq!(code, Code::EngineUnavailable);
        assert_eq!(message, "rten computes on the CPU alone. CUDAExecutionProvider needs the engine onnxruntime");
    }
    let engine = open(EngineChoice::Rten, &model(), &Pool::of(1), &on(&[Provider::Cpu])).expect("it is on the CPU");
    assert_eq!(engine.info().fallback, None);
}

#[cfg(all(feature = "rten", feature = "onnxruntime"))]
#[test]
fn rten_does_not_step_in_for_another_provider() {
    let clear = |command: &mut Command| {
        command.env_remove("REMREMBG_ONNXRUNTIME").env_remove("ORT_DYLIB_PATH");
    };
    alone("providers::rten_does_not_step_in_for_another_provider", clear, || {
        let on = |providers| Runtime { providers, ..at(None) };
        let plain =
            open(EngineChoice::Auto, &model(), &Pool::of(1), &on(&[Provider::Cpu])).expect("one of the two serves");
        assert_eq!(plain.info().name, "rten", "{OF_THE_SYSTEM}");
        let (code, message) = refused(EngineChoice::Auto, &model(), &on(&[Provider::Cuda, Provider::Cpu]));
        assert_eq!(code, Code::EngineUnavailable);
        assert!(message.starts_with("ONNX Runtime was not found. Tried:"), "{message}");
    });
}
