//! Answers on their way to a client: sent within a time, and pictures charged while they are.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::Response;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::transfers::Charge;

/// What is handed over at once: the connection holds so much beside the rest.
const PIECE: usize = 64 << 10;

/// A picture as a body.
pub(crate) struct Sending {
    rest: Bytes,
}

/// A picture, which is charged as long as a piece of it is on its way.
struct Charged {
    data: Vec<u8>,
    _charge: Charge,
}

impl AsRef<[u8]> for Charged {
    fn as_ref(&self) -> &[u8] {
        &self.data
    }
}

impl Sending {
    pub(crate) fn new(data: Vec<u8>, charge: Charge) -> Self {
        Self { rest: Bytes::from_owner(Charged { data, _charge: charge }) }
    }
}

impl Body for Sending {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let piece = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

/// Until when a connection may be busy with sending an answer.
#[derive(Clone, Default)]
pub(crate) struct Deadline(Arc<Mutex<Until>>);

#[derive(Default)]
struct Until {
    /// Of the oldest answer that has not left wholly.
    first: Option<Instant>,
    /// Of the newest one, while the connection does not have all of it.
    last: Option<Instant>,
}

impl Deadline {
    /// An answer that is sent in `time`, or the connection behind this is cut off.
    pub(crate) fn answer<B>(&self, answer: Response<B>, time: Duration) -> Response<Timed<B>> {
        let until = Instant::now() + time;
        self.change(|all| {
            all.first.get_or_insert(until);
            all.last = Some(until);
        });
        let deadline = self.clone();
        answer.map(|body| Timed { body, deadline })
    }

    fn first(&self) -> Option<Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).first
    }

    /// All that the connection had was sent.
    fn sent(&self) {
        self.change(|all| all.first = all.last);
    }

    fn change(&self, change: impl FnOnce(&mut Until)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// A body that is dropped once the connection has all of it.
pub(crate) struct Timed<B> {
    body: B,
    deadline: Deadline,
}

impl<B> Drop for Timed<B> {
    fn drop(&mut self) {
        self.deadline.change(|all| all.last = None);
    }
}

impl<B: Body + Unpin> Body for Timed<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection that ends with an error when it sends beyond its deadline.
pub(crate) struct Paced<S> {
    stream: S,
    deadline: Deadline,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<S> Paced<S> {
    pub(crate) fn new(stream: S, deadline: Deadline) -> Self {
        Self { stream, deadline, sleep: None }
    }

    /// Also wakes the task when the time has come.
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let Some(until) = self.deadline.first() else { return Ok(()) };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if sleep.deadline() != until {
            sleep.as_mut().reset(until);
        }
        if sleep.as_mut().poll(context).is_ready() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, room)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.deadline.sent();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_its_time_until_all_of_it_was_sent() {
        let (deadline, hour) = (Deadline::default(), Duration::from_secs(3600));
        let answer = |time| deadline.answer(Response::new(Vec::<u8>::new()), time);
        let first = answer(hour);
        let until = deadline.first();
        assert!(until.is_some());
        deadline.sent();
        assert_eq!(deadline.first(), until, "more of it follows");
        drop(first);
        // The next one was asked for before the first was taken.
        let second = answer(2 * hour);
        assert_eq!(deadline.first(), until, "the connection still has some of the first");
        deadline.sent();
        assert!(deadline.first() > until);
        drop(second);
        deadline.sent();
        assert_eq!(deadline.first(), None);
    }
}
