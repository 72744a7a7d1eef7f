//! Every answer that is no success, and the one match from error to status.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use remrembg::{Code, Error, ErrorKind};
use serde::Serialize;

use crate::accounts::Trouble;
use crate::limits::Left;

/// After how many seconds a client that was sent away may come again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("2");

/// The field of a single problem, which the body of the hosted API does not tell.
const ERROR_FIELD: HeaderName = HeaderName::from_static("x-error-field");
/// Why, where the body says the same for many causes.
const ERROR_REASON: HeaderName = HeaderName::from_static("x-error-reason");

/// Why a request is not answered with what it asked for.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// What core, and with it the hosted API, says of pictures, options and credentials.
    Core(Error),
    /// The body is no form that can be read.
    Form(String),
    NotFound,
    MethodNotAllowed,
    /// Use is asked for where nobody counts it.
    NoAccounts,
    /// The use of a month and of a billing period at once.
    TwoPeriods,
    /// An event of Stripe that is none, or that Stripe did not send.
    Event(&'static str),
    /// The accounts cannot be read or written: nobody is let in, and nobody is charged.
    Accounts(Trouble),
    /// The body came too slowly.
    Timeout,
    /// A part of the form that is larger than any option.
    TooLarge(String),
    MediaType,
    /// The body is compressed.
    Compressed,
    /// A limit is reached: which, and what is told of it.
    Limited(Code, Left),
    /// There is no room in the queue, or no memory for the upload.
    Busy,
    /// A fault of the server's own: what it is called, and what is told to the log alone.
    Fault(Code, String),
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    status: u16,
}

/// What the log and the metrics call an answer that is no success.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) name: &'static str,
    /// Who has to act on it: the name of an [`ErrorKind`].
    pub(crate) kind: &'static str,
    /// Why, where many causes have one name.
    pub(crate) reason: Option<String>,
    /// For the log alone.
    pub(crate) fault: Option<String>,
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Core(error) => StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            Self::Limited(..) => StatusCode::TOO_MANY_REQUESTS,
            Self::Form(_) | Self::TwoPeriods | Self::Event(_) => StatusCode::BAD_REQUEST,
            Self::NotFound | Self::NoAccounts => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType | Self::Compressed => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Busy | Self::Accounts(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Fault(..) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Of those that have no words from core.
    fn message(&self) -> &str {
        match self {
            Self::Core(_) | Self::Limited(..) => "",
            Self::Form(message) | Self::TooLarge(message) => message,
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::Event(message) => message,
            Self::NoAccounts => "This server keeps no accounts.",
            Self::TwoPeriods => {
                "Cannot use 'periodStartUnix' together with 'year' or 'month'. Choose one or the other."
            }
            Self::Timeout => "The request did not arrive in time.",
            Self::MediaType => "Unsupported media type. Send the image as multipart/form-data.",
            Self::Compressed => "The body is compressed, as its Content-Encoding says. Send it as it is.",
            Self::Busy | Self::Accounts(_) => "The server is busy. Please try again in a moment.",
            Self::Fault(..) => "Internal error",
        }
    }

    fn told(&self) -> Told {
        let (name, kind) = match self {
            Self::Core(error) => (error.code().name(), error.kind().name()),
            Self::Form(_) => ("bad_form", "validation"),
            Self::NotFound => ("not_found", "validation"),
            Self::MethodNotAllowed => ("method_not_allowed", "validation"),
            Self::NoAccounts => ("no_accounts", "validation"),
            Self::Event(_) => ("stripe_event", "unauthorized"),
            Self::TwoPeriods => ("two_periods", "validation"),
            Self::Accounts(_) => ("accounts", "io"),
            Self::Timeout => ("timeout", "validation"),
            Self::TooLarge(_) => ("too_large_form", "validation"),
            Self::MediaType => ("media_type", "validation"),
            Self::Compressed => ("compressed_body", "validation"),
            Self::Busy => ("busy", "rate_limited"),
            Self::Fault(code, _) | Self::Limited(code, _) => (code.name(), code.kind().name()),
        };
        let fault = match self {
            Self::Fault(_, fault) => Some(fault.clone()),
            Self::Accounts(trouble) => Some(trouble.to_string()),
            _ => None,
        };
        let reason = match self {
            Self::Core(error) => error.reason().map(str::to_owned),
            _ => None,
        };
        Told { name, kind, reason, fault }
    }

    pub(crate) fn json(&self) -> String {
        match self {
            Self::Core(error) => error.to_json(),
            Self::Limited(code, _) => Error::new(*code).to_json(),
            _ => {
                let body = Body { error: self.message(), status: self.status().as_u16() };
                serde_json::to_string(&body).unwrap_or_default()
            }
        }
    }
}

impl From<Error> for Refusal {
    /// A failure that is not the request's may name files of this machine: it is not told.
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Model | ErrorKind::Engine | ErrorKind::Io | ErrorKind::Misuse | ErrorKind::Internal => {
                Self::Fault(error.code(), error.to_string())
            }
            _ => Self::Core(error),
        }
    }
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        Self::Accounts(trouble)
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self::Core(Error::new(code))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        let mut response = (self.status(), [(header::CONTENT_TYPE, json)], self.json()).into_response();
        if matches!(self, Self::Busy | Self::Accounts(_)) {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        if let Self::Limited(_, left) = &self {
            left.refuse(response.headers_mut());
        }
        if let Self::Core(error) = &self
            && let [problem] = error.details()
            && let Ok(field) = HeaderValue::from_str(&problem.field)
        {
            response.headers_mut().insert(ERROR_FIELD, field);
        }
        if let Self::Core(error) = &self
            && let Some(reason) = error.reason().and_then(|reason| HeaderValue::from_str(reason).ok())
        {
            response.headers_mut().insert(ERROR_REASON, reason);
        }
        response.extensions_mut().insert(self.told());
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(refusal: Refusal) -> (u16, Option<Told>, String) {
        let told = Some(refusal.told());
        let json = refusal.json();
        let response = refusal.into_response();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        (response.status().as_u16(), told, json)
    }

    #[test]
    fn a_fault_of_the_machine_is_told_to_the_log_and_not_to_the_client() {
        for code in Code::ALL.iter().copied().filter(|code| code.status() == 500) {
            let error = Error::with_message(code, "cannot read /home/me/model.onnx");
            let (status, told, json) = answered(Refusal::from(error));
            assert_eq!((status, &*json), (500, r#"{"error":"Internal error","status":500}"#), "{}", code.name());
            let fault = told.and_then(|told| told.fault).expect("the log hears of it");
            assert_eq!(fault, "cannot read /home/me/model.onnx", "{}", code.name());
        }
    }

    #[test]
    fn the_documentation_has_the_names_of_the_services_own() {
        let documentation = include_str!("../../docs/errors.md");
        let text = String::new;
        for refusal in [
            Refusal::Form(text()),
            Refusal::NotFound,
            Refusal::MethodNotAllowed,
            Refusal::NoAccounts,
            Refusal::TwoPeriods,
            Refusal::Event(""),
            Refusal::Accounts(Trouble::Failed(text())),
            Refusal::Timeout,
            Refusal::TooLarge(text()),
            Refusal::MediaType,
            Refusal::Compressed,
            Refusal::Busy,
        ] {
            let (status, told, _) = answered(refusal);
            let name = told.map(|told| told.name).unwrap_or_default();
            assert!(documentation.contains(&format!("\n| `{name}` | {status} | ")), "{name}");
        }
    }

    #[test]
    fn what_core_says_of_a_request_is_passed_on_as_it_is() {
        for code in Code::ALL.iter().copied().filter(|code| code.status() < 500) {
            let (status, told, json) = answered(Refusal::from(Error::new(code)));
            assert_eq!((status, json), (code.status(), Error::new(code).to_json()));
            assert_eq!(told.map(|told| (told.name, told.fault)), Some((code.name(), None)));
        }
    }
}
