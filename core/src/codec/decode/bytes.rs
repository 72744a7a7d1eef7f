//! Reading numbers out of files that may end anywhere.

/// The `N` bytes at `at`, where the file has them.
pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// The bytes from `at`, `length` of them or as many as there are.
pub(super) fn part(bytes: &[u8], at: usize, length: usize) -> &[u8] {
    let rest = bytes.get(at..).unwrap_or_default();
    &rest[..length.min(rest.len())]
}

/// A number of the file as a length in memory; one that does not fit is longer
/// than any file.
pub(super) fn length(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
