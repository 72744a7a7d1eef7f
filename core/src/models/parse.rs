//! Models and recipes as text: what the command line and the bindings pass on.

use std::path::{MAIN_SEPARATOR, Path};
use std::str::FromStr;

use super::{Model, OutputRule, Recipe, Scale, find};
use crate::error::{Code, Error, Result};

/// The widest input a recipe may ask for: above it, one tensor takes gigabytes.
const MAX_SIDE: u32 = 8192;

impl Model {
    /// Reads a model as users write it: a name of the table, or the path of an
    /// ONNX file (text that ends in `.onnx` or names a folder).
    ///
    /// `u2netp` is [`Model::Bundled`] where it is compiled in. A file gets
    /// [`Recipe::U2NET`]; [`with_recipe`](Self::with_recipe) changes that.
    ///
    /// # Errors
    /// [`Code::UnknownModel`] when it is neither. Whether the file is there is
    /// not looked at.
    ///
    /// ```
    /// use remrembg::{Model, Recipe};
    /// assert_eq!(Model::from_text("silueta")?, Model::Named("silueta".into()));
    /// let model = Model::from_text("nets/mine.onnx")?.with_recipe("size=512x512 std=1,1,1".parse()?)?;
    /// assert!(matches!(model, Model::File { recipe, .. } if recipe.width == 512));
    /// # Ok::<(), remrembg::Error>(())
    /// ```
    pub fn from_text(text: &str) -> Result<Self> {
        if is_path(text) {
            return Ok(Self::File { path: text.into(), recipe: Recipe::U2NET });
        }
        let bundled = cfg!(feature = "bundled-model") && text == "u2netp";
        find(text).map(|spec| if bundled { Self::Bundled } else { Self::Named(spec.name.into()) })
    }

    /// The same file, fed by another recipe.
    ///
    /// # Errors
    /// [`Code::InvalidRecipe`] for a model of the table, which has its own.
    pub fn with_recipe(self, recipe: Recipe) -> Result<Self> {
        match self {
            Self::File { path, .. } => Ok(Self::File { path, recipe }),
            _ => Err(invalid("A recipe goes with an ONNX file of your own; models by name have theirs".into())),
        }
    }
}

fn is_path(text: &str) -> bool {
    let onnx = Path::new(text).extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case("onnx"));
    onnx || text.contains(['/', MAIN_SEPARATOR])
}

impl Recipe {
    /// Reads a recipe from pairs of text, those not given being those of
    /// [`Recipe::U2NET`]. A later pair of the same key wins.
    ///
    /// | key | value |
    /// |---|---|
    /// | `size` | `WIDTHxHEIGHT`, or one number for both; 1 ..= 8192 pixels |
    /// | `mean` | `R,G,B`, or one number for all |
    /// | `std` | `R,G,B`, or one number for all; above 0 |
    /// | `scale` | `max` or `255` |
    /// | `output` | `minmax`, `sigmoid` or `classes` |
    ///
    /// # Errors
    /// [`Code::InvalidRecipe`], whose message names the pair and what it may be.
    pub fn from_pairs<K: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (K, V)>) -> Result<Self> {
        let mut recipe = Self::U2NET;
        pairs.into_iter().try_for_each(|(key, value)| recipe.set(key.as_ref().trim(), value.as_ref().trim()))?;
        Ok(recipe)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let wrong = |wanted: &str| invalid(format!("'{key}' must be {wanted}, got: '{value}'"));
        match key {
            "size" => {
                let size = size(value).ok_or_else(|| wrong("WIDTHxHEIGHT, each 1 to 8192"))?;
                (self.width, self.height) = size;
            }
            "mean" => self.mean = triple(value).ok_or_else(|| wrong("three numbers R,G,B, or one for all"))?,
            "std" => {
                let std = triple(value).filter(|std| std.iter().all(|&x| x > 0.0));
                self.std = std.ok_or_else(|| wrong("three numbers R,G,B above 0, or one for all"))?;
            }
            "scale" => self.scale = scale(value).ok_or_else(|| wrong("max or 255"))?,
            "output" => self.output = output(value).ok_or_else(|| wrong("minmax, sigmoid or classes"))?,
            _ => return Err(invalid(format!("'{key}' is none of: size, mean, std, scale, output"))),
        }
        Ok(())
    }
}

/// Pairs `key=value`, with space or `;` between them: `size=1024 mean=0.5 std=1`.
impl FromStr for Recipe {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let words = text.split([' ', '\t', '\n', ';']).filter(|word| !word.is_empty());
        let pairs = words.map(|word| {
            word.split_once('=').ok_or_else(|| invalid(format!("A recipe is made of key=value, got: '{word}'")))
        });
        Self::from_pairs(pairs.collect::<Result<Vec<_>>>()?)
    }
}

fn size(text: &str) -> Option<(u32, u32)> {
    let side = |text: &str| text.trim().parse().ok().filter(|side| (1..=MAX_SIDE).contains(side));
    let (width, height) = text.split_once(['x', 'X', '×']).unwrap_or((text, text));
    Some((side(width)?, side(height)?))
}

fn triple(text: &str) -> Option<[f32; 3]> {
    let number = |text: &str| text.trim().parse().ok().filter(|x: &f32| x.is_finite());
    let numbers: Vec<f32> = text.split(',').map(number).collect::<Option<_>>()?;
    match numbers.as_slice() {
        [all] => Some([*all; 3]),
        three => three.try_into().ok(),
    }
}

fn scale(text: &str) -> Option<Scale> {
    match text {
        "max" => Some(Scale::PictureMax),
        "255" => Some(Scale::Full),
        _ => None,
    }
}

fn output(text: &str) -> Option<OutputRule> {
    match text {
        "minmax" => Some(OutputRule::MinMax),
        "sigmoid" => Some(OutputRule::SigmoidMinMax),
        "classes" => Some(OutputRule::Classes),
        _ => None,
    }
}

fn invalid(message: String) -> Error {
    Error::with_message(Code::InvalidRecipe, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_read_as_users_write_them() {
        let u2netp = Model::from_text("u2netp").unwrap();
        assert_eq!(u2netp == Model::Bundled, cfg!(feature = "bundled-model"));
        assert_eq!(Model::from_text("u2net").unwrap(), Model::Named("u2net".into()));
        for path in ["mine.onnx", "MINE.ONNX", "./u2net", "/nets/u2netp.onnx"] {
            assert_eq!(Model::from_text(path).unwrap(), Model::File { path: path.into(), recipe: Recipe::U2NET });
        }
        assert_eq!(Model::from_text("u2nett").unwrap_err().code(), Code::UnknownModel);
        assert_eq!(u2netp.with_recipe(Recipe::ISNET).unwrap_err().code(), Code::InvalidRecipe);
    }

    #[test]
    fn a_recipe_reads_from_text() {
        let text = "size=1024x512 mean=0.5,0.25,0;std=2,1,0.5 scale=255 output=sigmoid";
        let want = Recipe {
            width: 1024,
            height: 512,
            mean: [0.5, 0.25, 0.0],
            std: [2.0, 1.0, 0.5],
            scale: Scale::Full,
            output: OutputRule::SigmoidMinMax,
        };
        assert_eq!(text.parse::<Recipe>().unwrap(), want);
        assert_eq!("size=1024 mean=0.5 std=1".parse::<Recipe>().unwrap(), Recipe::ISNET);
        assert_eq!("".parse::<Recipe>().unwrap(), Recipe::U2NET);
        assert_eq!("size=9 output=classes size=768".parse::<Recipe>().unwrap().width, 768);
    }

    #[test]
    fn a_wrong_recipe_is_refused_with_what_it_may_be() {
        for (text, says) in [
            ("size=0x5", "'size' must be WIDTHxHEIGHT, each 1 to 8192, got: '0x5'"),
            ("size=8193", "'size' must be WIDTHxHEIGHT, each 1 to 8192, got: '8193'"),
            ("mean=1,2", "'mean' must be three numbers R,G,B, or one for all, got: '1,2'"),
            ("mean=nan", "'mean' must be three numbers R,G,B, or one for all, got: 'nan'"),
            ("std=1,0,1", "'std' must be three numbers R,G,B above 0, or one for all, got: '1,0,1'"),
            ("scale=256", "'scale' must be max or 255, got: '256'"),
            ("output=softmax", "'output' must be minmax, sigmoid or classes, got: 'softmax'"),
            ("width=5", "'width' is none of: size, mean, std, scale, output"),
            ("size", "A recipe is made of key=value, got: 'size'"),
        ] {
            let error = text.parse::<Recipe>().unwrap_err();
            assert_eq!((error.code(), error.message()), (Code::InvalidRecipe, says));
        }
    }
}
