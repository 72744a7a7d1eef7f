//! Encoded pictures whose length shows only as they come in: stored up to the
//! limit, counted beyond it.

use std::fmt;
use std::io::{ErrorKind, Read};

use crate::codec::limits::Limits;
use crate::error::{Code, Error, Problem, Result};

/// What comes in is counted up to this many times [`Limits::max_bytes`], so
/// that a stream without an end comes to an end.
const COUNTED_AT_MOST: u64 = 8;

/// Bytes asked of a reader at once.
const PIECE: usize = 1 << 16;

/// An encoded picture that arrives in pieces, such as one part of a form. As
/// [`Input::Collected`](crate::Input::Collected) it is checked as a whole, by
/// then complete: nothing is refused while it comes in.
///
/// ```
/// # use remrembg::{Collector, Limits, check_input};
/// # let pieces = [&b"\x89PNG"[..], b"\r\n\x1a\n"];
/// let limits = Limits::default();
/// let mut collector = Collector::new(Some("photo.png".to_owned()), &limits);
/// for piece in pieces {
///     if !collector.push(piece) {
///         break;
///     }
/// }
/// let error = check_input(&collector, &limits).unwrap_err();
/// assert_eq!(error.message(), "File does not appear to be a valid image (invalid file signature)");
/// ```
pub struct Collector {
    name: Option<String>,
    most: u64,
    size: u64,
    /// Empty once it was too large.
    bytes: Vec<u8>,
}

impl Collector {
    /// Begins a picture, with the file name that came along, where one did. The
    /// name's suffix must be one that is allowed; it does not tell the format.
    #[must_use]
    pub fn new(name: Option<String>, limits: &Limits) -> Self {
        Self { name, most: limits.max_bytes, size: 0, bytes: Vec::new() }
    }

    /// Makes room for a picture of which `size` is told beforehand, so that it is
    /// not moved while it grows. It may turn out shorter or longer.
    pub fn expect(&mut self, size: u64) {
        if size <= self.most {
            // Without the memory it grows as any other, if it can.
            let _ = self.bytes.try_reserve_exact(usize::try_from(size).unwrap_or(usize::MAX));
        }
    }

    /// Adds the next piece. No more than [`Limits::max_bytes`] is stored, and of
    /// a longer picture nothing: it is counted, so that its size can be told.
    /// Gives `false` from eight times that size on: then the rest need not be
    /// waited for.
    pub fn push(&mut self, piece: &[u8]) -> bool {
        let enough = self.most.saturating_mul(COUNTED_AT_MOST);
        self.size = self.size.saturating_add(piece.len() as u64);
        if self.size <= self.most {
            self.store(piece);
        } else {
            self.bytes = Vec::new();
        }
        self.size < enough
    }

    fn store(&mut self, piece: &[u8]) {
        let need = self.bytes.len() + piece.len();
        if need > self.bytes.capacity() {
            // Doubled, as a vector does it, but not beyond what may come.
            let most = usize::try_from(self.most).unwrap_or(usize::MAX);
            let room = self.bytes.capacity().saturating_mul(2).min(most).max(need);
            self.bytes.reserve_exact(room - self.bytes.len());
        }
        self.bytes.extend_from_slice(piece);
    }

    /// Bytes of memory that what was stored takes.
    #[must_use]
    pub fn stored(&self) -> u64 {
        self.bytes.capacity() as u64
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What was collected, within `limits` and those it was collected under.
    ///
    /// # Errors
    /// [`Code::FileTooLarge`] with the size that was counted.
    pub(super) fn bytes(&self, limits: &Limits) -> Result<&[u8]> {
        self.check_length(limits).map(|()| &*self.bytes)
    }

    fn check_length(&self, limits: &Limits) -> Result<()> {
        check_length(self.size, &Limits { max_bytes: limits.max_bytes.min(self.most), ..*limits })
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("name", &self.name).field("size", &self.size).finish_non_exhaustive()
    }
}

/// Reads a whole stream, such as standard input or a request's body, storing
/// no more than [`Limits::max_bytes`]. A longer stream is counted on, without
/// being stored, up to eight times that size.
///
/// # Errors
/// [`Code::FileTooLarge`] with the size that was counted; [`Code::CannotRead`].
pub fn read_bounded(mut reader: impl Read, limits: &Limits) -> Result<Vec<u8>> {
    let mut collector = Collector::new(None, limits);
    let mut piece = vec![0; PIECE];
    loop {
        match reader.read(&mut piece) {
            Ok(0) => break,
            Ok(length) if collector.push(&piece[..length]) => {}
            Ok(_) => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                let message = format!("Cannot read the stream: {error}");
                return Err(Error::with_message(Code::CannotRead, message).because(error));
            }
        }
    }
    collector.check_length(limits).map(|()| collector.bytes)
}

/// # Errors
/// [`Code::FileTooLarge`], telling `size` in megabytes.
pub(super) fn check_length(size: u64, limits: &Limits) -> Result<()> {
    if size <= limits.max_bytes {
        return Ok(());
    }
    let (size, most) = (Limits::megabytes(size), Limits::megabytes(limits.max_bytes));
    let message = format!("File size ({size:.1} MB) exceeds the maximum allowed size of {most} MB.");
    Err(Problem::with_message(Problem::IMAGE, Code::FileTooLarge, message).into())
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn megabytes(count: u64) -> Limits {
        Limits { max_bytes: count * Limits::MB, ..Limits::default() }
    }

    #[test]
    fn a_stream_is_counted_without_being_stored_and_never_for_ever() {
        let limits = megabytes(1);
        let exact = read_bounded(io::repeat(7).take(Limits::MB), &limits).map(|bytes| bytes.len());
        assert_eq!(exact.ok(), Some(1 << 20));

        let message =
            |size| read_bounded(io::repeat(7).take(size), &limits).expect_err("it is too large").message().to_owned();
        let (longer, endless) = (message(5 * Limits::MB / 2), message(u64::MAX));
        assert_eq!(longer, "File size (2.5 MB) exceeds the maximum allowed size of 1 MB.");
        assert_eq!(endless, "File size (8.0 MB) exceeds the maximum allowed size of 1 MB.");
    }

    #[test]
    fn a_read_that_a_signal_interrupts_is_made_again() {
        struct Interrupted(Vec<io::Result<u8>>);
        impl Read for Interrupted {
            fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
                self.0.pop().map_or(Ok(0), |next| next.map(|byte| room[0] = byte).map(|()| 1))
            }
        }
        let signal = || Err(ErrorKind::Interrupted.into());
        let read = read_bounded(Interrupted(vec![signal(), Ok(2), signal(), Ok(1)]), &megabytes(1));
        assert_eq!(read.ok(), Some(vec![1, 2]));
        let broken = Interrupted(vec![Err(io::Error::other("the line is cut")), Ok(1)]);
        let error = read_bounded(broken, &megabytes(1)).expect_err("it breaks");
        assert_eq!((error.code(), error.message()), (Code::CannotRead, "Cannot read the stream: the line is cut"));
    }

    #[test]
    fn pieces_are_stored_up_to_the_limit_and_then_only_counted() {
        let limits = Limits { max_bytes: 10, ..Limits::default() };
        let mut collector = Collector::new(None, &limits);
        assert!([&b"abcd"[..], b"", b"efg", b"hij"].into_iter().all(|piece| collector.push(piece)));
        assert_eq!(collector.bytes(&limits).ok(), Some(&b"abcdefghij"[..]));
        assert_eq!(collector.bytes.capacity(), 10, "no room for more than may come");
        assert!(collector.push(b"k"));
        assert_eq!((collector.size, collector.bytes.capacity()), (11, 0), "what was stored is given back");
        assert!(collector.push(&[0; 28]), "39 of 40");
        assert!(!collector.push(&[0; 99]), "it makes no sense to wait for more");
        assert_eq!((collector.size, collector.bytes.capacity()), (138, 0), "all that came is counted");
    }

    #[test]
    fn a_size_that_is_told_beforehand_binds_nobody() {
        let limits = Limits { max_bytes: 10, ..Limits::default() };
        for told in [0, 3, 5, 9, 10, 11, u64::MAX] {
            let mut collector = Collector::new(None, &limits);
            collector.expect(told);
            assert!(collector.bytes.capacity() <= 10, "no room for what would be refused");
            let room = collector.bytes.as_ptr();
            assert!(collector.push(b"ab") && collector.push(b"cde"));
            assert!(!(5..=10).contains(&told) || collector.bytes.as_ptr() == room, "{told}: it was moved");
            assert_eq!(collector.bytes(&limits).ok(), Some(&b"abcde"[..]));
        }
    }

    #[test]
    fn the_narrower_limits_hold_those_of_the_collecting_or_those_of_the_check() {
        let message = |collected: u64, checked: u64| {
            let mut collector = Collector::new(None, &megabytes(collected));
            collector.push(&vec![0; 5 << 19]);
            collector.bytes(&megabytes(checked)).map(<[u8]>::len).map_err(|error| error.message().to_owned())
        };
        assert_eq!(message(3, 4), Ok(5 << 19));
        let refusal = Err("File size (2.5 MB) exceeds the maximum allowed size of 2 MB.".to_owned());
        assert_eq!((message(2, 4), message(4, 2)), (refusal.clone(), refusal));
    }

    #[test]
    fn without_a_limit_nothing_overflows() {
        let limits = Limits { max_bytes: u64::MAX, ..Limits::default() };
        let mut collector = Collector::new(None, &limits);
        assert!(collector.push(b"abc") && collector.push(b"d"));
        assert_eq!(collector.bytes(&limits).ok(), Some(&b"abcd"[..]));
    }

    #[test]
    fn limits_that_are_no_whole_megabytes_are_told_as_they_are() {
        let limits = Limits { max_bytes: 3 * Limits::MB / 2, ..Limits::default() };
        let error = check_length(2 * Limits::MB, &limits).expect_err("it is too large");
        assert_eq!(error.message(), "File size (2.0 MB) exceeds the maximum allowed size of 1.5 MB.");
    }
}
