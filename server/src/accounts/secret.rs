//! Keys and tokens: shown once, kept as digests.

use std::fmt;

use sha2::{Digest, Sha256};

use super::{Trouble, Via};

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
    /// [`Trouble::Failed`]: the system gives no random numbers.
    pub(super) fn of(via: Via) -> Result<Self, Trouble> {
        let prefix = if via == Via::Api { "rk" } else { "rt" };
        Ok(Self { text: format!("{prefix}_{}", hex(&random::<32>()?)) })
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

/// # Errors
/// [`Trouble::Failed`]: the system gives none.
pub(super) fn random<const N: usize>() -> Result<[u8; N], Trouble> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Trouble::Failed(error.to_string()))?;
    Ok(bytes)
}

/// A number that nothing else has.
///
/// # Errors
/// [`Trouble::Failed`], as above.
pub(super) fn number() -> Result<i64, Trouble> {
    random().map(i64::from_le_bytes)
}

/// What a key or token is called by.
pub(crate) fn id_of(digest: &[u8; 32]) -> String {
    hex(&digest[..8])
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
