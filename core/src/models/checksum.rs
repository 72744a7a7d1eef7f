//! The checksums of weights.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use md5::Md5;
use sha2::{Digest, Sha256};

use super::ModelSpec;

/// Says how a file differs from what is published; `None` when it does not.
///
/// Reads the file from its start. Every published checksum counts.
pub(super) fn difference(file: &mut File, spec: &ModelSpec) -> io::Result<Option<String>> {
    let (sha256, md5) = digests(file)?;
    if sha256 != spec.sha256 {
        return Ok(Some(format!("its SHA-256 is {sha256}, published is {}", spec.sha256)));
    }
    match spec.md5 {
        Some(published) if published != md5 => Ok(Some(format!("its MD5 is {md5}, published is {published}"))),
        _ => Ok(None),
    }
}

fn digests(file: &mut File) -> io::Result<(String, String)> {
    let (mut sha256, mut md5) = (Sha256::new(), Md5::new());
    let mut block = vec![0; 1 << 18];
    file.seek(SeekFrom::Start(0))?;
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok((hex(&sha256.finalize()), hex(&md5.finalize()))),
            Ok(n) => {
                let read = block.get(..n).unwrap_or_default();
                sha256.update(read);
                md5.update(read);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::digests;

    /// RFC 1321 appendix A.5 and FIPS 180-2 appendix B.1 give both for "abc".
    #[test]
    fn digests_are_those_of_the_standards() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"abc").unwrap();
        let (sha256, md5) = digests(&mut file).unwrap();
        assert_eq!(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(md5, "900150983cd24fb0d6963f7d28e17f72");
    }
}
