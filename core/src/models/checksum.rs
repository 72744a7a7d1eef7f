//! The checksums of weights.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use sha2::{Digest, Sha256};

use super::ModelSpec;

/// Says how a file differs from what is published; `None` when it does not.
///
/// Reads the file from its start.
pub(super) fn difference(file: &mut File, spec: &ModelSpec) -> io::Result<Option<String>> {
    let sha256 = digest(file)?;
    let differs = sha256 != spec.sha256;
    Ok(differs.then(|| format!("its SHA-256 is {sha256}, published is {}", spec.sha256)))
}

fn digest(file: &mut File) -> io::Result<String> {
    let mut sha256 = Sha256::new();
    let mut block = vec![0; 1 << 18];
    file.seek(SeekFrom::Start(0))?;
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            Ok(n) => sha256.update(block.get(..n).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::digest;

    /// FIPS 180-2, appendix B.1.
    #[test]
    fn the_digest_is_that_of_the_standard() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"abc").unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest(&mut file).unwrap(), expected);
    }
}
