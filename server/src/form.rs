//! A form as it comes in: pictures are stored up to their limit, text is kept short,
//! and nothing is trusted to be as small as it says.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;
use multer::{Constraints, Field, Multipart, SizeLimit};
use remrembg::{Collector, Input, Limits, OPTIONS};
use tower_http::timeout::TimeoutError;

use crate::disposition::Disposition;
use crate::error::Refusal;
use crate::transfers::{Charge, Transfers};

/// Parts of one form.
const MOST_PARTS: usize = 200;
/// Bytes of a field that is no picture.
const MOST_TEXT: u64 = 64 << 10;
/// Bytes of a boundary, by RFC 2046.
const LONGEST_BOUNDARY: usize = 70;
/// Bytes between two parts: boundaries, and the head of one.
const MOST_BETWEEN: u64 = 64 << 10;

/// What the fields of a form are called.
pub(crate) struct Fields {
    /// The picture, and a mask that is brought where there is such a field.
    pub(crate) pictures: &'static [&'static str],
    /// Whether a picture's file name has to be that of one.
    pub(crate) names_count: bool,
    /// The field of that name, where it is read.
    pub(crate) option: fn(&str) -> Option<&'static str>,
}

/// The fields of the hosted API.
pub(crate) const HOSTED: Fields = Fields {
    pictures: &["image", "mask"],
    names_count: true,
    option: |name| OPTIONS.iter().map(|spec| spec.key).find(|key| *key == name),
};

/// What a request asks for.
#[derive(Default)]
pub(crate) struct Form {
    /// Of picture and mask, those that came as files.
    pictures: [Option<Collector>; 2],
    pub(crate) pairs: Vec<(&'static str, String)>,
    /// Whether GIF and TIFF are read too.
    pub(crate) more_formats: bool,
    /// What is given back when the request is answered.
    charges: Vec<Charge>,
}

impl Form {
    #[cfg(test)]
    pub(crate) fn with_picture(picture: Collector) -> Self {
        Self { pictures: [Some(picture), None], ..Self::default() }
    }

    pub(crate) fn picture(&self) -> Input<'_> {
        self.pictures[0].as_ref().map_or(Input::Missing, Input::from)
    }

    pub(crate) fn mask(&self) -> Option<Input<'_>> {
        self.pictures[1].as_ref().map(Input::from)
    }
}

/// Reads a form to its end, or to where it can only be refused.
///
/// # Errors
/// [`Refusal::MediaType`], [`Refusal::Compressed`], [`Refusal::Form`], [`Refusal::TooLarge`], [`Refusal::Timeout`], and
/// [`Refusal::Busy`] where transfers take their whole memory.
pub(crate) async fn read(
    request: Request<Body>,
    fields: &Fields,
    limits: &Limits,
    transfers: &Arc<Transfers>,
) -> Result<Form, Refusal> {
    let mut form = Form::default();
    if is_compressed(request.headers()) {
        return Err(Refusal::Compressed);
    }
    let Some(boundary) = boundary(request.headers())? else {
        return if is_empty(request.headers()) { Ok(form) } else { Err(Refusal::MediaType) };
    };
    let meter = Arc::new(Meter::default());
    let mut body = Metered { body: request.into_body(), meter: Arc::clone(&meter), rests: false };
    let whole = limits.max_bytes.saturating_mul(9).saturating_add(MOST_PARTS as u64 * MOST_TEXT);
    let constraints = Constraints::new().size_limit(SizeLimit::new().whole_stream(whole));
    let stream = http_body_util::BodyDataStream::new(&mut body);
    let mut parts = Multipart::with_constraints(stream, boundary, constraints);
    for number in 0..=MOST_PARTS {
        meter.allow(MOST_BETWEEN);
        let field = match parts.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => break,
            // A body without a byte is a form without fields, as no body is.
            Err(multer::Error::IncompleteStream) if number == 0 && meter.left() == MOST_BETWEEN => break,
            Err(error) => return Err(refused(error)),
        };
        if number == MOST_PARTS {
            return Err(Refusal::TooLarge(format!("The form has more than {MOST_PARTS} fields.")));
        }
        if !form.take(field, fields, limits, transfers, &meter).await? {
            return Ok(form);
        }
    }
    drop(parts);
    meter.allow(MOST_BETWEEN);
    // Who reads on hears when the sender goes away, and that is so once a body was read to its end. What is wrong behind
    // the form is no fault of the form.
    while let Some(Ok(_)) = body.frame().await {}
    Ok(form)
}

/// A request without a body is a form without fields.
fn is_empty(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).map_or(&b"0"[..], |length| length.as_bytes());
    length == b"0" && !headers.contains_key(header::TRANSFER_ENCODING)
}

/// Whether the body has to be unpacked first, as nothing here does: a small one may become a large one.
fn is_compressed(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    encodings.any(|encoding| !encoding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity"))
}

/// `None` where no kind of body is told.
fn boundary(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return Ok(None) };
    let kind = kind.to_str().map_err(|_| Refusal::MediaType)?;
    let boundary = match multer::parse_boundary(kind) {
        Ok(boundary) => Ok(boundary),
        Err(multer::Error::NoBoundary) => Err(Refusal::Form("The form cannot be read: it has no boundary.".to_owned())),
        Err(_) => unquoted(kind).map(str::to_owned).ok_or(Refusal::MediaType),
    }?;
    // The parser looks for all of it again and again.
    if boundary.len() > LONGEST_BOUNDARY {
        return Err(Refusal::Form("The form cannot be read: its boundary is too long.".to_owned()));
    }
    Ok(Some(boundary))
}

/// The boundary of a form whose sender forgot the quotes that its characters need.
fn unquoted(kind: &str) -> Option<&str> {
    let (form, parameters) = kind.split_once(';')?;
    let mut pairs = parameters.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, boundary) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("boundary"))?;
    (form.trim().eq_ignore_ascii_case("multipart/form-data") && !boundary.is_empty()).then_some(boundary)
}

impl Form {
    /// Reads one part; gives whether the rest makes a difference. Of several parts with a
    /// picture the first counts, of several options the last.
    async fn take(
        &mut self,
        mut field: Field<'_>,
        fields: &Fields,
        limits: &Limits,
        transfers: &Arc<Transfers>,
        meter: &Meter,
    ) -> Result<bool, Refusal> {
        let header = field.headers().get(header::CONTENT_DISPOSITION).map(|header| header.as_bytes());
        let Disposition { name, file_name } = Disposition::read(header.unwrap_or_default());
        let place = fields.pictures.iter().position(|picture| *picture == name).filter(|_| file_name.is_some());
        if let Some(place) = place.filter(|place| self.pictures[*place].is_none()) {
            let mut charge = transfers.upload();
            // A browser sends this where no file was chosen. A mask may be left out.
            let mut is_unset = place > 0 && file_name.as_ref().is_some_and(String::is_empty);
            let mut picture = Collector::new(file_name.filter(|_| fields.names_count), limits);
            let mut goes_on = true;
            meter.allow(u64::MAX);
            while let Some(piece) = if goes_on { field.chunk().await.map_err(refused)? } else { None } {
                is_unset &= piece.is_empty();
                goes_on = picture.push(&piece);
                charge.set(picture.stored())?;
            }
            self.pictures[place] = Some(picture).filter(|_| !is_unset);
            self.charges.push(charge);
            return Ok(goes_on);
        }
        let option = (fields.option)(&name);
        // A file that nobody reads, and a picture without a file name, which counts as none, go by in pieces.
        let is_bytes = file_name.is_some() || fields.pictures.contains(&&*name);
        meter.allow(if is_bytes { u64::MAX } else { MOST_TEXT + MOST_BETWEEN });
        let (mut text, mut length) = (Vec::new(), 0);
        let mut charge = transfers.upload();
        while let Some(piece) = field.chunk().await.map_err(refused)? {
            length += piece.len() as u64;
            // What nobody reads is passed over.
            if option.is_some() && file_name.is_none() {
                text.extend_from_slice(&piece);
                charge.set(length)?;
            }
        }
        if !is_bytes && length > MOST_TEXT {
            return Err(too_large());
        }
        if let Some(option) = option.filter(|_| file_name.is_none()) {
            self.pairs.retain(|(key, _)| *key != option);
            self.pairs.push((option, String::from_utf8_lossy(&text).into_owned()));
            self.charges.push(charge);
        }
        Ok(true)
    }
}

fn too_large() -> Refusal {
    Refusal::TooLarge("A field of the form is too large.".to_owned())
}

/// What a body that cannot be read as a form is answered with.
fn refused(error: multer::Error) -> Refusal {
    if find::<TooMuch>(&error).is_some() || matches!(error, multer::Error::StreamSizeExceeded { .. }) {
        return too_large();
    }
    broken(&error, "form")
}

/// What a body that breaks off or comes too slowly is answered with.
pub(crate) fn broken(error: &(dyn StdError + 'static), what: &str) -> Refusal {
    match find::<TimeoutError>(error) {
        Some(_) => Refusal::Timeout,
        None => Refusal::Form(format!("The {what} cannot be read: {error}.")),
    }
}

fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// How many more bytes of a body may come before the next part is reached.
#[derive(Default)]
struct Meter(AtomicU64);

impl Meter {
    fn allow(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    fn left(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A body that fails when more comes than the meter allows: the parser looks for boundaries again
/// and again in what it holds, so it must not hold much. For the same reason it gets one piece at
/// a time, since it takes all that it can get.
struct Metered {
    body: Body,
    meter: Arc<Meter>,
    rests: bool,
}

#[derive(Debug)]
struct TooMuch;

impl fmt::Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part is too large")
    }
}

impl StdError for TooMuch {}

impl http_body::Body for Metered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if std::mem::take(&mut self.rests) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.rests = true;
        let Some(Ok(data)) = &frame else { return Poll::Ready(frame) };
        let bytes = data.data_ref().map_or(0, Bytes::len) as u64;
        let left = self.meter.left();
        if left == 0 && bytes > 0 {
            return Poll::Ready(Some(Err(axum::Error::new(TooMuch))));
        }
        // One piece may go beyond: its end belongs to what comes next.
        self.meter.allow(left.saturating_sub(bytes));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
