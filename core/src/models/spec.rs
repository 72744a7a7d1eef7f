//! One row of the model table.

use super::Recipe;

/// Where rembg publishes the weights: the default of every mirror setting.
pub const RELEASES: &str = "https://github.com/danielgatis/rembg/releases/download/v0.0.0/";

/// Whether a model's licence lets it earn money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Commercial {
    /// Commercial use is allowed.
    Allowed,
    /// The licence allows it, and it is not sure that the licence covers the weights.
    Unclear {
        /// What is not sure, in a few words.
        why: &'static str,
        /// Where the owner was asked.
        source: &'static str,
    },
    /// Commercial use is forbidden, or needs an agreement with the owner.
    Forbidden,
}

impl Commercial {
    /// Its name: `allowed`, `unclear`, `forbidden`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Unclear { .. } => "unclear",
            Self::Forbidden => "forbidden",
        }
    }
}

/// A model that can be had by name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModelSpec {
    /// The name, the same as rembg's.
    pub name: &'static str,
    /// One line: what the model is for.
    pub summary: &'static str,
    /// The file's name in rembg's releases and on a mirror.
    pub file: &'static str,
    /// The file's size, in bytes.
    pub size: u64,
    /// SHA-256 of the file: 64 lower-case hexadecimal digits.
    pub sha256: &'static str,
    /// How to feed it.
    pub recipe: Recipe,
    /// The licence of the weights, as an SPDX expression.
    pub license: &'static str,
    /// Where the licence is stated.
    pub license_source: &'static str,
    /// Whether the licence lets the model earn money.
    pub commercial: Commercial,
}

impl ModelSpec {
    /// The file's name on this machine: `NAME.onnx`, the same as rembg's.
    #[must_use]
    pub fn local_file(&self) -> String {
        format!("{}.onnx", self.name)
    }

    /// Where the weights are published, `base` being [`RELEASES`] or a mirror.
    ///
    /// ```
    /// use remrembg::models::{RELEASES, find};
    /// let silueta = find("silueta")?;
    /// assert_eq!(silueta.url("https://mirror.example/m"), "https://mirror.example/m/silueta.onnx");
    /// assert!(silueta.url(RELEASES).ends_with("/v0.0.0/silueta.onnx"));
    /// # Ok::<(), remrembg::Error>(())
    /// ```
    #[must_use]
    pub fn url(&self, base: &str) -> String {
        format!("{}/{}", base.trim_end_matches('/'), self.file)
    }

    /// What the user has to know before the download: that the licence forbids
    /// commercial use. `None` where it allows it.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        (self.commercial == Commercial::Forbidden).then(|| {
            format!(
                "The licence of the model '{}' ({}) forbids commercial use. See {}",
                self.name, self.license, self.license_source
            )
        })
    }
}

/// A size as people write it: `4.6 MB`, `176 MB`, a megabyte being 10⁶ bytes.
pub(super) fn megabytes(bytes: u64) -> String {
    let tenths = (bytes + 50_000) / 100_000;
    if tenths < 100 { format!("{}.{} MB", tenths / 10, tenths % 10) } else { format!("{} MB", (tenths + 5) / 10) }
}

#[cfg(test)]
mod tests {
    use super::megabytes;

    #[test]
    fn sizes_read_as_people_write_them() {
        assert_eq!(megabytes(4_574_861), "4.6 MB");
        assert_eq!(megabytes(175_997_641), "176 MB");
        assert_eq!(megabytes(0), "0.0 MB");
    }
}
