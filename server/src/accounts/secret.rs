//! Keys and tokens: shown once, kept as digests.

use std::fmt;

use sha2::{Digest, Sha256};

/// How a key or token is kept. It has 256 bits of chance, so that a digest cannot be guessed from.
pub(crate) fn digest(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// A new key or token.
pub struct Secret {
    text: String,
}

impl Secret {
    /// # Errors
    /// The system gives no random numbers.
    pub(crate) fn new(prefix: &str) -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self { text: format!("{prefix}_{}", hex(&bytes)) })
    }

    /// What is handed to its holder.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn digest(&self) -> [u8; 32] {
        digest(self.text.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What a key or token is called by.
pub(crate) fn id_of(digest: &[u8; 32]) -> String {
    hex(&digest[..8])
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
