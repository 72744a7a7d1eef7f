//! The settings of a remover as text: the one table that the doors read, and
//! that their documentation is made from.

use std::ops::RangeInclusive;

use crate::engine::{EngineChoice, Provider};
use crate::error::{Code, Error, Problem, Result};
use crate::models::{Model, Recipe};
use crate::options::{MAX_SIDE, python};
use crate::remover::Config;

/// The largest limit in bytes that text can set: 1 TiB.
const MAX_BYTES: u64 = 1 << 40;

/// The most threads, and the most removals in flight, that text can ask for.
const MAX_COUNT: u64 = 1024;

/// One setting: what it is called, what it takes, what it does.
pub struct SettingSpec {
    /// The key of [`Config::from_pairs`].
    pub key: &'static str,
    /// The default in words.
    pub default: &'static str,
    /// The values that are accepted, in words.
    pub range: &'static str,
    /// What it does: one or two plain sentences.
    pub help: &'static str,
    read: fn(&mut Config, &str, &str) -> Result<(), Problem>,
}

/// Every setting, in the order in which they are read and errors are reported.
pub const SETTINGS: &[SettingSpec] = &[
    SettingSpec {
        key: "model",
        default: "u2netp",
        range: "a model's name, or the path of an ONNX file",
        help: "The model that finds the subject. Other models than the default are fetched beforehand.",
        read: |config, key, text| Model::from_text(text).map(|model| config.model = model).map_err(told(key)),
    },
    SettingSpec {
        key: "model_recipe",
        default: "that of the model",
        range: "pairs as `size=320x320 mean=0.485,0.456,0.406 std=1 scale=max output=minmax`",
        help: "How to feed an ONNX file of your own.",
        read: recipe,
    },
    SettingSpec {
        key: "engine",
        default: "auto",
        range: "auto, onnxruntime, rten, native",
        help: "What runs the model: native, our own, for the bundled one; for others ONNX Runtime where one is found, else rten. native and rten are inside.",
        read: |config, key, text| text.parse().map(|engine: EngineChoice| config.engine = engine).map_err(told(key)),
    },
    SettingSpec {
        key: "providers",
        default: "auto",
        range: "auto, or names of cpu, cuda, rocm, openvino, coreml and directml with commas between them",
        help: "What ONNX Runtime computes on, by preference; auto is CUDA, ROCm or OpenVINO where it can be had, else the CPU.",
        read: |config, key, text| Provider::list(text).map(|list| config.providers = list).map_err(told(key)),
    },
    SettingSpec {
        key: "onnxruntime",
        default: "looked for",
        range: "a path",
        help: "An ONNX Runtime library, or a folder that holds one.",
        read: |config, _, text| {
            config.onnxruntime = Some(text.into());
            Ok(())
        },
    },
    SettingSpec {
        key: "threads",
        default: "0, one for each core",
        range: "0 to 1024",
        help: "Threads that work on one picture.",
        read: |config, key, text| count(key, text).map(|threads| config.threads = threads),
    },
    SettingSpec {
        key: "in_flight",
        default: "0, one more than there are threads",
        range: "0 to 1024",
        help: "Removals that may run at once, from decoding to encoding; others wait for their turn.",
        read: |config, key, text| count(key, text).map(|places| config.in_flight = places),
    },
    SettingSpec {
        key: "memory",
        default: "0, without a bound",
        range: "0 to 1099511627776",
        help: "Memory in bytes that the running removals may take together, beside what the model takes; others wait, and one that needs more by itself is refused.",
        read: |config, key, text| whole(key, text, 0..=MAX_BYTES).map(|bytes| config.memory = bytes),
    },
    SettingSpec {
        key: "max_bytes",
        default: "52428800",
        range: "1 to 1099511627776",
        help: "Size of an encoded picture in bytes, above which it is refused.",
        read: |config, key, text| whole(key, text, 1..=MAX_BYTES).map(|bytes| config.limits.max_bytes = bytes),
    },
    SettingSpec {
        key: "max_side",
        default: "10000",
        range: "1 to 10000",
        help: "Width and height of a picture as stored in pixels, above which it is refused.",
        read: |config, key, text| {
            whole(key, text, 1..=MAX_SIDE.into()).map(|side| config.limits.max_side = side as u32)
        },
    },
    SettingSpec {
        key: "decode_memory",
        default: "1073741824",
        range: "1 to 1099511627776",
        help: "Memory in bytes that one decoder may take for its output and its own tables.",
        read: |config, key, text| whole(key, text, 1..=MAX_BYTES).map(|bytes| config.limits.decode_memory = bytes),
    },
];

impl Config {
    /// Reads a configuration from text; of several pairs with the same key the
    /// last one counts, and empty text is unset. [`SETTINGS`] tells which keys
    /// there are and what they accept; whole numbers are read as the options' are.
    ///
    /// # Errors
    /// All that is wrong, at once: the error's details name each refused key.
    ///
    /// ```
    /// use remrembg::{Config, EngineChoice};
    /// let config = Config::from_pairs([("engine", "rten"), ("threads", "2")])?;
    /// assert_eq!((config.engine, config.threads), (EngineChoice::Rten, 2));
    /// # Ok::<(), remrembg::Error>(())
    /// ```
    pub fn from_pairs<K: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (K, V)>) -> Result<Self> {
        let pairs: Vec<(K, V)> = pairs.into_iter().collect();
        let mut config = Self::default();
        let mut problems = Vec::new();
        for spec in SETTINGS {
            let last = pairs.iter().rev().find(|(key, _)| key.as_ref() == spec.key);
            let text = last.map(|(_, text)| text.as_ref()).filter(|text| !text.is_empty());
            problems.extend(text.and_then(|text| (spec.read)(&mut config, spec.key, text).err()));
        }
        let known = |key: &str| SETTINGS.iter().any(|spec| spec.key == key);
        problems.extend(pairs.iter().map(|(key, _)| key.as_ref()).filter(|key| !known(key)).map(unknown));
        Error::from_problems(problems).map_or(Ok(config), Err)
    }
}

/// The table as Markdown, for docs/options.md.
#[must_use]
pub fn settings_markdown() -> String {
    let head = "| Setting | Default | Accepted | Meaning |\n|---|---|---|---|\n";
    let row = |spec: &SettingSpec| {
        let SettingSpec { key, default, range, help, .. } = spec;
        format!("| `{key}` | {default} | {range} | {help} |\n")
    };
    SETTINGS.iter().map(row).fold(head.to_owned(), |table, row| table + &row)
}

/// Only a file takes a recipe, so the model is read before it.
fn recipe(config: &mut Config, key: &str, text: &str) -> Result<(), Problem> {
    let recipe: Recipe = text.parse().map_err(told(key))?;
    config.model = config.model.clone().with_recipe(recipe).map_err(told(key))?;
    Ok(())
}

/// An error of a setting's own type as the problem of a field.
fn told(key: &str) -> impl Fn(Error) -> Problem {
    move |error| Problem::with_message(key, error.code(), error.message())
}

fn count(key: &str, text: &str) -> Result<usize, Problem> {
    whole(key, text, 0..=MAX_COUNT).map(|number| number as usize)
}

fn whole(key: &str, text: &str, range: RangeInclusive<u64>) -> Result<u64, Problem> {
    let refused = |code, wanted: String, got: &str| {
        Err(Problem::with_message(key, code, format!("'{key}' must be {wanted}, got: {got}")))
    };
    let Some(number) = python::int(text) else {
        return refused(Code::NotAnInteger, "an integer".to_owned(), &python::repr(text));
    };
    match number.parse::<u64>() {
        Ok(value) if range.contains(&value) => Ok(value),
        Ok(value) if value < *range.start() => refused(Code::TooSmall, format!("at least {}", range.start()), &number),
        Err(_) if number.starts_with('-') => refused(Code::TooSmall, format!("at least {}", range.start()), &number),
        _ => refused(Code::TooLarge, format!("at most {}", range.end()), &number),
    }
}

fn unknown(key: &str) -> Problem {
    let known: Vec<&str> = SETTINGS.iter().map(|spec| spec.key).collect();
    let message = format!("Unknown setting {}. Known settings: {}", python::repr(key), known.join(", "));
    Problem::with_message(key, Code::UnknownOption, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::limits::Limits;

    fn refused(pairs: &[(&str, &str)]) -> Vec<(Code, String)> {
        let error = Config::from_pairs(pairs.iter().copied()).expect_err("it is wrong");
        error.details().iter().map(|problem| (problem.code, problem.message.clone())).collect()
    }

    #[test]
    fn every_wrong_setting_is_told_in_the_order_of_the_table() {
        let pairs = [
            ("zoom", "1"),
            ("decode_memory", "0"),
            ("threads", "two"),
            ("in_flight", "-1"),
            ("max_side", "10001"),
            ("engine", "tract"),
            ("providers", "cpu,tpu"),
            ("model", "u3net"),
        ];
        let messages: Vec<String> = refused(&pairs).into_iter().map(|(_, message)| message).collect();
        let starts = [
            "Unknown model 'u3net'",
            "Unknown engine 'tract'. Engines: auto, onnxruntime, rten, native",
            "Unknown provider 'tpu'. Providers: cpu (CPUExecutionProvider), ",
            "'threads' must be an integer, got: 'two'",
            "'in_flight' must be at least 0, got: -1",
            "'max_side' must be at most 10000, got: 10001",
            "'decode_memory' must be at least 1, got: 0",
            "Unknown setting 'zoom'. Known settings: model, ",
        ];
        assert_eq!(messages.len(), starts.len());
        for (message, start) in messages.iter().zip(starts) {
            assert!(message.starts_with(start), "{message}");
        }
    }

    #[test]
    fn a_recipe_goes_with_a_file_alone() {
        let config = Config::from_pairs([("model_recipe", "size=8"), ("model", "a/b.onnx")]).expect("a file");
        assert!(matches!(config.model, Model::File { recipe, .. } if recipe.width == 8));
        assert_eq!(refused(&[("model_recipe", "size=8")])[0].0, Code::InvalidRecipe);
    }

    #[test]
    fn empty_text_and_the_numbers_in_the_table_are_the_defaults() {
        let default = format!("{:?}", Config::default());
        for spec in SETTINGS {
            let number = spec.default.split(',').next().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
            for text in number.into_iter().chain([""]) {
                let read = Config::from_pairs([(spec.key, text)]).expect("a default is accepted");
                assert_eq!(format!("{read:?}"), default, "{}", spec.key);
            }
        }
        assert_eq!(Config::default().limits, Limits::default());
    }

    #[test]
    fn providers_are_names_in_the_order_of_preference() {
        let config = Config::from_pairs([("providers", "OpenVINO, cpu")]).expect("they are names");
        assert_eq!(config.providers, [Provider::OpenVino, Provider::Cpu]);
        let spec = SETTINGS.iter().find(|spec| spec.key == "providers").expect("it is in the table");
        assert_eq!(Config::from_pairs([("providers", spec.default)]).expect("a default is accepted").providers, []);
        assert!(Provider::ALL.iter().all(|provider| spec.range.contains(provider.short_name())), "{}", spec.range);
    }

    #[test]
    fn the_range_column_tells_the_bounds() {
        for spec in SETTINGS {
            let Some((low, high)) = spec.range.split_once(" to ") else { continue };
            for text in [low, high] {
                assert!(Config::from_pairs([(spec.key, text)]).is_ok(), "{}={text}", spec.key);
            }
            let above = format!("{}", high.parse::<u64>().expect("a number") + 1);
            assert_eq!(refused(&[(spec.key, &above)])[0].0, Code::TooLarge, "{}", spec.key);
        }
    }
}
