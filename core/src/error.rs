//! Every way in which remrembg refuses or fails: a kind, a stable name, a
//! message, and the JSON body of the hosted API.

use std::fmt;

use serde::Serialize;

/// The result of everything that can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Who has to act on an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request: an option or the picture. Status 400.
    Validation,
    /// The API key. Status 401, or 400 where two credentials contradict.
    Unauthorized,
    /// The account. Status 403.
    Forbidden,
    /// Too many requests. Status 429.
    RateLimited,
    /// The caller asked for a stop. Status 499.
    Cancelled,
    /// The model: unknown, absent, damaged or of another shape. Status 500.
    Model,
    /// The inference engine. Status 500.
    Engine,
    /// A file or a stream that could not be read or written. Status 500.
    Io,
    /// The calling program: a handle or a pointer that cannot be used. Status 500.
    Misuse,
    /// remrembg itself. Status 500.
    Internal,
}

impl ErrorKind {
    /// A stable name in `snake_case`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::RateLimited => "rate_limited",
            Self::Cancelled => "cancelled",
            Self::Model => "model",
            Self::Engine => "engine",
            Self::Io => "io",
            Self::Misuse => "misuse",
            Self::Internal => "internal",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $kind:ident, $status:literal, $message:expr;)+) => {
        /// One number of meaning per refusal or failure. Names never change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $variant,)+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// A stable name in `snake_case`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Who has to act.
            #[must_use]
            pub const fn kind(self) -> ErrorKind {
                match self { $(Self::$variant => ErrorKind::$kind,)+ }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// The message, where it is the same every time.
            const fn fixed_message(self) -> &'static str {
                match self { $(Self::$variant => $message,)+ }
            }
        }
    };
}

codes! {
    /// Two or more problems; [`Error::details`] has each.
    Multiple = "multiple", Validation, 400, "Multiple validation errors";
    /// The request has no picture.
    NoImage = "no_image", Validation, 400,
        "No image file provided. Please include an 'image' field in your form data.";
    /// The picture's file name is empty.
    NoFileSelected = "no_file_selected", Validation, 400,
        "No file selected. Please choose an image file to upload.";
    /// The suffix of the path or of the upload's file name.
    FileType = "file_type", Validation, 400, "File type '' is not supported";
    /// No bytes.
    EmptyFile = "empty_file", Validation, 400, "Uploaded file is empty (0 bytes).";
    /// More bytes than [`Limits::max_bytes`](crate::Limits::max_bytes).
    FileTooLarge = "file_too_large", Validation, 400, "File size exceeds the maximum allowed size";
    /// Not a picture, or one that breaks.
    CorruptImage = "corrupt_image", Validation, 400,
        "File does not appear to be a valid image (invalid file signature)";
    /// Wider than [`Limits::max_side`](crate::Limits::max_side).
    ImageTooWide = "image_too_wide", Validation, 400, "Image width exceeds the maximum allowed width";
    /// Taller than [`Limits::max_side`](crate::Limits::max_side).
    ImageTooTall = "image_too_tall", Validation, 400, "Image height exceeds the maximum allowed height";
    /// A picture whose decoding needs more than
    /// [`Limits::decode_memory`](crate::Limits::decode_memory).
    TooMuchMemory = "too_much_memory", Validation, 400, "Image needs more memory to decode than the maximum allowed";
    /// A removal that needs more memory than all may take together:
    /// [`Config::memory`](crate::Config::memory).
    OverBudget = "over_budget", Validation, 400, "Image and options need more memory than the budget";
    /// A decoded picture whose sizes contradict each other.
    BadPixels = "bad_pixels", Validation, 400, "The pixel buffer does not hold the picture";
    /// Text where an integer is needed.
    NotAnInteger = "not_an_integer", Validation, 400, "must be an integer";
    /// An integer below its range.
    TooSmall = "too_small", Validation, 400, "must be at least the minimum";
    /// An integer above its range.
    TooLarge = "too_large", Validation, 400, "must be at most the maximum";
    /// Text where a number is needed.
    NotANumber = "not_a_number", Validation, 400, "must be a number";
    /// An angle outside −360 ..= 360 degrees.
    AngleOutOfRange = "angle_out_of_range", Validation, 400, "'angle' must be between -360 and 360 degrees";
    /// An output format that does not exist.
    InvalidFormat = "invalid_format", Validation, 400, "Invalid format";
    /// A colour that is neither hex nor a CSS name.
    InvalidColor = "invalid_color", Validation, 400, "Invalid color format";
    /// Another word than those that an option takes.
    InvalidChoice = "invalid_choice", Validation, 400, "Invalid choice";
    /// A point or box that is none, or that lies outside the picture.
    InvalidRegion = "invalid_region", Validation, 400, "Invalid region";
    /// `mask` and `bg_color` at once.
    MaskWithBgColor = "mask_with_bg_color", Validation, 400,
        "Cannot use 'mask=true' together with 'bg_color'. Choose one or the other.";
    /// A key that the option table does not have.
    UnknownOption = "unknown_option", Validation, 400, "Unknown option";
    /// The account's address is not confirmed.
    EmailNotVerified = "email_not_verified", Forbidden, 403,
        "Email address not verified – please check your inbox";
    /// A key that nobody has.
    InvalidApiKey = "invalid_api_key", Unauthorized, 401, "invalid api key";
    /// A key and a user token at once.
    KeyAndToken = "key_and_token", Unauthorized, 400,
        "This is a mistake: Cannot use both API key and user token";
    /// Too many requests in a short time.
    RateShortTerm = "rate_short_term", RateLimited, 429,
        "You're making requests too quickly, Please Upgrade or slow down.";
    /// Too many requests today, without a key.
    RateDaily = "rate_daily", RateLimited, 429,
        "You've reached your daily limit. Please sign up for more access.";
    /// Too many requests this month, with a key.
    RateMonthly = "rate_monthly", RateLimited, 429,
        "You've reached your monthly limit. Consider purchasing more credits.";
    /// The caller asked for a stop.
    Cancelled = "cancelled", Cancelled, 499, "The work was cancelled";
    /// A recipe for a model file that says something impossible.
    InvalidRecipe = "invalid_recipe", Validation, 400, "Invalid model recipe";
    /// A name that the model table does not have.
    UnknownModel = "unknown_model", Model, 500, "Unknown model";
    /// A known model whose weights are not on this machine.
    ModelNotFetched = "model_not_fetched", Model, 500, "The model is not on this machine";
    /// Weights that could not be fetched.
    ModelFetchFailed = "model_fetch_failed", Model, 500, "The model could not be fetched";
    /// Weights that differ from their checksum, or that no engine can read.
    ModelDamaged = "model_damaged", Model, 500, "The model is damaged";
    /// A model whose inputs or outputs differ from its description.
    ModelShape = "model_shape", Model, 500, "The model has another shape than described";
    /// The engine asked for is not to be had.
    EngineUnavailable = "engine_unavailable", Engine, 500, "The engine is not available";
    /// The engine failed while it ran.
    EngineFailed = "engine_failed", Engine, 500, "The engine failed";
    /// A file or a stream that could not be read.
    CannotRead = "cannot_read", Io, 500, "Cannot read";
    /// A file or a stream that could not be written.
    CannotWrite = "cannot_write", Io, 500, "Cannot write";
    /// An argument that no program should pass: a null pointer, a handle that is
    /// not one or was freed, a size that cannot be.
    Misuse = "misuse", Misuse, 500, "An argument cannot be used";
    /// A fault of remrembg's own.
    Internal = "internal", Internal, 500, "Internal error";
}

/// One refused field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The form field, `image` for the picture itself, `mask` for a mask that
    /// the caller brings.
    pub field: String,
    /// The message, as the contract words it.
    pub message: String,
    /// What is wrong, for programs.
    #[serde(skip)]
    pub code: Code,
    /// Why, in words of our own, where the message is the same for many causes and the cause is known: what a file is
    /// that is no picture, or what is wrong with one. No part of the body that the hosted API answers.
    #[serde(skip)]
    pub reason: Option<String>,
}

impl Problem {
    /// The field of every problem with the picture itself.
    pub const IMAGE: &'static str = "image";

    /// The field of every problem with a mask that the caller brings.
    pub const MASK: &'static str = "mask";

    /// A problem whose message is the same every time.
    #[must_use]
    pub fn new(field: impl Into<String>, code: Code) -> Self {
        Self::with_message(field, code, code.fixed_message())
    }

    /// A problem whose message names what was got.
    #[must_use]
    pub fn with_message(field: impl Into<String>, code: Code, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into(), code, reason: None }
    }

    /// The same with a [reason](Self::reason).
    #[must_use]
    pub fn with_reason(self, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }
}

/// A refusal or a failure.
///
/// `Send + Sync`, cheap to move. [`std::error::Error::source`] leads to what
/// lies beneath, where something does.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    code: Code,
    message: String,
    details: Vec<Problem>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error whose message is the same every time.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self::with_message(code, code.fixed_message())
    }

    /// An error whose message names the case.
    #[must_use]
    pub fn with_message(code: Code, message: impl Into<String>) -> Self {
        let (message, details, source) = (message.into(), Vec::new(), None);
        Self(Box::new(Inner { code, message, details, source }))
    }

    /// Adds what lies beneath.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The error of a request with these problems, in this order; `None` for none.
    #[must_use]
    pub fn from_problems(mut problems: Vec<Problem>) -> Option<Self> {
        if problems.len() > 1 {
            let mut error = Self::new(Code::Multiple);
            error.0.details = problems;
            return Some(error);
        }
        problems.pop().map(|problem| {
            let mut error = Self::with_message(problem.code, problem.message.clone());
            error.0.details = vec![problem];
            error
        })
    }

    /// The same problems of another field.
    pub(crate) fn of_field(mut self, field: &str) -> Self {
        self.0.details.iter_mut().for_each(|problem| field.clone_into(&mut problem.field));
        self
    }

    /// What happened.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Who has to act.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.code().kind()
    }

    /// The system's number of what lies beneath, where a file could not be read or written.
    #[must_use]
    pub fn os_error(&self) -> Option<i32> {
        std::error::Error::source(self)?.downcast_ref::<std::io::Error>()?.raw_os_error()
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.code().status()
    }

    /// The message: of the one problem, or that there are several.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Each refused field of the request. Empty when the request was not at fault.
    #[must_use]
    pub fn details(&self) -> &[Problem] {
        &self.0.details
    }

    /// Why, in words of our own, where the message is the same for many causes and the cause is known.
    ///
    /// ```
    /// # use remrembg::{Limits, check_input};
    /// let error = check_input(&b"GIF89a"[..], &Limits::default()).unwrap_err();
    /// assert_eq!(error.message(), "File does not appear to be a valid image (invalid file signature)");
    /// assert_eq!(error.reason(), Some("this is a GIF picture"));
    /// ```
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.details().iter().find_map(|problem| problem.reason.as_deref())
    }

    /// The body that the hosted API answers: compact JSON.
    ///
    /// ```
    /// let error = remrembg::Error::new(remrembg::Code::InvalidApiKey);
    /// assert_eq!(error.to_json(), r#"{"error":"invalid api key","status":401}"#);
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Body<'a> {
            error: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            details: Option<&'a [Problem]>,
            status: u16,
        }
        let details = (self.details().len() > 1).then(|| self.details());
        let body = Body { error: self.message(), details, status: self.status() };
        serde_json::to_string(&body).expect("text and numbers always serialize")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())?;
        if self.details().len() > 1 {
            f.write_str(":")?;
            self.details().iter().try_for_each(|p| write!(f, "\n  {}: {}", p.field, p.message))?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::from_problems(vec![problem]).expect("one problem is an error")
    }
}

/// What to say in the child of a fork.
pub(crate) fn left_behind() -> Error {
    let message = "The remover was made before a fork, and its threads stayed behind: make one in each process";
    Error::with_message(Code::EngineFailed, message)
}

/// What an engine, or what runs it, failed with.
pub(crate) fn failed(engine: &str, why: impl fmt::Display) -> Error {
    Error::with_message(Code::EngineFailed, format!("{engine} failed: {why}"))
}
