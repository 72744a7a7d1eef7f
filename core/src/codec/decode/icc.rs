//! ICC profiles (ICC.1:2022, 7.2).

/// Longer profiles are dropped: the largest RGB profiles in use have 1–2 MB.
pub(super) const LONGEST: usize = 4 << 20;
/// Length of a profile's header and of the count of its tags.
const SHORTEST: usize = 132;

/// Whether this is a profile that says what RGB numbers mean. One for CMYK or
/// grey spoke of the file's numbers, which are not those of the picture.
pub(crate) fn fits_rgb(profile: &[u8]) -> bool {
    let stated = profile.first_chunk().copied().map(u32::from_be_bytes);
    let fits = stated.and_then(|size| usize::try_from(size).ok()).is_some_and(|size| size <= profile.len());
    fits && (SHORTEST..=LONGEST).contains(&profile.len())
        && profile.get(16..20) == Some(b"RGB ")
        && profile.get(36..40) == Some(b"acsp")
}
