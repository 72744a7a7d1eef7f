/// How long PNG and WebP work for a smaller file. What the file shows does not change in PNG, and next to nothing in
/// WebP; JPEG and BMP make no difference of it. docs/speed.md has times and sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Compression {
    /// Soonest done.
    Fast,
    /// About as small as other programs make it, in a fraction of their time.
    #[default]
    Default,
    /// The smallest file, in several times the time.
    Small,
}

impl Compression {
    /// All of them, from the quickest to the smallest file.
    pub const ALL: [Self; 3] = [Self::Fast, Self::Default, Self::Small];

    /// The name that the option `compression` takes: `fast`, `default`, `small`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Default => "default",
            Self::Small => "small",
        }
    }
}
