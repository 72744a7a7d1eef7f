//! `POST /rmbg`: a form with a picture in, a picture out. What else answers removals uses the same way.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use remrembg::{Code, Found};

use crate::App;
use crate::accounts::Held;
use crate::caller::{Address, Caller};
use crate::error::Refusal;
use crate::form::{self, Fields, Form};
use crate::limits::{Left, Who};
use crate::sending::Sending;

const WIDTH: HeaderName = HeaderName::from_static("x-width");
const HEIGHT: HeaderName = HeaderName::from_static("x-height");
const COVERAGE: HeaderName = HeaderName::from_static("x-coverage");
const BOUNDS: HeaderName = HeaderName::from_static("x-bounds");
const CONFIDENCE: HeaderName = HeaderName::from_static("x-confidence");

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(address): Extension<Address>,
    request: Request,
) -> Result<Response, Refusal> {
    answered(&app, (&caller, address), request, &form::HOSTED, Ok).await
}

/// Lets a caller in, reads a form of these fields, has `understood` make options of them, removes, and charges.
pub(super) async fn answered(
    app: &App,
    (caller, address): (&Caller, Address),
    request: Request,
    fields: &Fields,
    understood: impl FnOnce(Form) -> Result<Form, Refusal>,
) -> Result<Response, Refusal> {
    // Whoever is sent away anyway is so before the upload.
    if app.jobs.is_full() || app.is_stopping() {
        return Err(Refusal::Busy);
    }
    let (left, credit) = admitted(app, caller, address).await?;
    let work = removed(app, request, fields, understood);
    let answer = match &credit {
        Some(credit) => credit.during(work).await,
        None => work.await,
    };
    if answer.is_ok()
        && let Some(credit) = credit
    {
        credit.charge().await?;
    }
    let mut answer = answer.into_response();
    left.iter().for_each(|left| left.tell(answer.headers_mut()));
    Ok(answer)
}

/// What is left of the limit in a short time, and what the removal will be charged to, where somebody counts.
///
/// # Errors
/// [`Code::EmailNotVerified`]; [`Refusal::Limited`] for each of the limits; [`Refusal::Accounts`].
async fn admitted<'a>(
    app: &'a App,
    caller: &Caller,
    Address(address): Address,
) -> Result<(Option<Left>, Option<Held<'a>>), Refusal> {
    let who = match caller {
        Caller::User(holder) if !holder.is_verified => return Err(Code::EmailNotVerified.into()),
        Caller::User(holder) => Who::User(holder.user),
        Caller::Anyone | Caller::Anonymous => Who::Address(address),
    };
    let left = match &app.rates {
        Some(rates) => Some(rates.admit(who, app.accounts.as_ref()).await?),
        None => None,
    };
    let Some(accounts) = &app.accounts else { return Ok((left, None)) };
    let held = match caller {
        Caller::User(holder) => {
            accounts.hold(holder).await?.map_err(|left| Refusal::Limited(Code::RateMonthly, left))?
        }
        Caller::Anonymous => {
            let held = accounts.admit(address, app.settings.anonymous_daily).await?;
            held.map_err(|left| Refusal::Limited(Code::RateDaily, left))?
        }
        Caller::Anyone => return Ok((left, None)),
    };
    Ok((left, Some(held)))
}

async fn removed(
    app: &App,
    request: Request,
    fields: &Fields,
    understood: impl FnOnce(Form) -> Result<Form, Refusal>,
) -> Result<Response, Refusal> {
    let form = understood(form::read(request, fields, app.jobs.remover().limits(), &app.transfers).await?)?;
    let start = Instant::now();
    let output = app.jobs.run(form).await?;
    app.metrics.removed(start.elapsed(), &output.times);
    let charge = app.transfers.answer(output.data.len() as u64)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(output.mime())),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (WIDTH, output.width.into()),
        (HEIGHT, output.height.into()),
        (COVERAGE, decimal(output.found.coverage)),
        (CONFIDENCE, decimal(output.found.confidence)),
        (BOUNDS, bounds(&output.found)),
    ];
    Ok((headers, Body::new(Sending::new(output.data, charge))).into_response())
}

fn decimal(part: f32) -> HeaderValue {
    text(format!("{part:.4}"))
}

/// Left, top, right and bottom; `none` where nothing was found.
fn bounds(found: &Found) -> HeaderValue {
    let (left, top, right, bottom) = match found.bounds {
        Some(bounds) => bounds,
        None => return HeaderValue::from_static("none"),
    };
    text(format!("{left},{top},{right},{bottom}"))
}

/// Of digits and signs alone.
fn text(value: String) -> HeaderValue {
    HeaderValue::try_from(value).expect("it is ASCII")
}
