//! A connection that is closed without harm to its last answer.
//!
//! A socket that is closed while bytes of the other side lie unread in it is reset, and a reset takes
//! the answer with it that is still on its way: who sends a large picture would never hear why
//! it is refused. So after the last answer the rest is read, and thrown away, within bounds.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// The most that is read after the last answer.
const MOST: u64 = 1 << 30;
const LONGEST: Duration = Duration::from_secs(5);
const PIECE: usize = 16 << 10;

pub(crate) struct Lingering<S> {
    stream: S,
    closing: Option<Closing>,
}

/// The end of a connection: nothing more is written.
struct Closing {
    until: Pin<Box<Sleep>>,
    read: u64,
}

impl<S> Lingering<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, closing: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, room)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Closes this side, then reads until the other side closes too, or the bounds are reached.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.closing.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        }
        let closing = this.closing.get_or_insert_with(|| Closing { until: Box::pin(sleep(LONGEST)), read: 0 });
        let mut room = [0; PIECE];
        loop {
            let mut room = ReadBuf::new(&mut room);
            let is_over = closing.read > MOST || closing.until.as_mut().poll(context).is_ready();
            if is_over || ready!(Pin::new(&mut this.stream).poll_read(context, &mut room)).is_err() {
                return Poll::Ready(Ok(()));
            }
            match room.filled().len() {
                0 => return Poll::Ready(Ok(())),
                count => closing.read += count as u64,
            }
        }
    }
}
