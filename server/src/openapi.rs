//! The description of the API in OpenAPI 3.1, made from the table of options.

use remrembg::{Format, OPTIONS, OptionKind, OptionSpec};
use serde_json::{Map, Value, json};

use crate::accounts::LAST;

const ABOUT: &str = "Removes the background of pictures, on this machine: the API of rembg.com.";
const KEY: &str = "api_key";
const TOKEN: &str = "user_token";

/// The document that `/api/openapi` answers.
pub(crate) fn openapi() -> Value {
    let health =
        |id: &str, what: &str| json!({ "operationId": id, "summary": what, "responses": { "200": told("It is so.") } });
    let mut ready = health("ready", "Whether requests are taken");
    ready["responses"]["503"] = error("The server is stopping.");
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "remrembg",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        // From where this description is, so that it holds below a path of a reverse proxy too.
        "servers": [{ "url": ".." }],
        "paths": {
            "/rmbg": { "post": rmbg() },
            "/api/membership-usage": { "get": usage() },
            "/health/live": { "get": health("live", "Whether the process lives") },
            "/health/ready": { "get": ready },
        },
        "components": components(),
    })
}

fn rmbg() -> Value {
    json!({
        "operationId": "rmbg",
        "summary": "Remove the background of a picture",
        "security": [{ KEY: [] }, { TOKEN: [] }, {}],
        "requestBody": {
            "description": "A form with a picture, and options for it.",
            "required": true,
            "content": { "multipart/form-data": { "schema": form() } },
        },
        "responses": {
            "200": picture(),
            "400": error(
                "Something is wrong with the picture or the options; with several problems, `details` has each.",
            ),
            "401": error("The API key, or the user token, is not one that is accepted."),
            "403": error("The e-mail address of the user is not verified."),
            "408": error("The request did not arrive in time."),
            "413": error("A field that is no picture is too large."),
            "415": error("The body is no multipart/form-data."),
            "429": error("The user has no credits left."),
            "500": error("A fault of the server."),
            "503": error(
                "Too many requests wait already. `Retry-After` says after how many seconds to come again.",
            ),
        },
    })
}

fn usage() -> Value {
    let parameter = |name: &str, help: &str, schema: Value| json!({ "name": name, "in": "query", "description": help, "required": false, "schema": schema });
    let whole = |most: i64| json!({ "type": "integer", "minimum": 1, "maximum": most });
    let words = |words: &[&str]| json!({ "type": "string", "enum": words });
    json!({
        "operationId": "membership-usage",
        "summary": "Plan, credits and use of the user whose key it is",
        "security": [{ KEY: [] }],
        "parameters": [
            parameter("year", "The year whose month is counted, in UTC. Default: that which runs.", whole(9999)),
            parameter("month", "The month that is counted. Default: that which runs.", whole(12)),
            parameter(
                "periodStartUnix",
                "The start of the billing period that is counted, in Unix seconds; not together with year or month.",
                whole(LAST),
            ),
            parameter("expand", "Adds the billing period.", words(&["billing_cycle"])),
            parameter("includeBillingCycle", "The same.", words(&["1", "true"])),
            parameter("listBillingCycles", "Only the list of billing periods.", words(&["1", "true"])),
        ],
        "responses": {
            "200": told("The counters, or the list."),
            "400": error("A number is none, or out of range; or a month and a period are asked for at once."),
            "401": error("The API key is not one of a user."),
            "404": error("The server keeps no accounts."),
            "503": error("The accounts cannot be read."),
        },
    })
}

/// The fields of the form: the picture, and every option of the table.
fn form() -> Value {
    let mut image = binary();
    image["description"] = "The picture: WebP, BMP, PNG or JPEG, at most 50 MB and 10000 pixels a side.".into();
    let options = OPTIONS.iter().map(|spec| (spec.key.to_owned(), option(spec)));
    let properties: Map<_, _> = options.chain([("image".to_owned(), image)]).collect();
    json!({ "type": "object", "required": ["image"], "properties": properties })
}

fn binary() -> Value {
    json!({ "type": "string", "format": "binary", "contentMediaType": "application/octet-stream" })
}

fn option(spec: &OptionSpec) -> Value {
    let kind = match spec.kind {
        OptionKind::Integer => "integer",
        OptionKind::Number => "number",
        OptionKind::Boolean => "boolean",
        _ => "string",
    };
    let help = format!("{} Accepted: {}. Default: {}.", spec.help, spec.range, spec.default);
    let mut schema = json!({ "type": kind, "description": help });
    if let Some(default) = default(spec) {
        schema["default"] = default;
    } else if let Some((_, high)) = spec.bounds {
        // Else a form that is made of this begins with the least.
        schema["example"] = number(high);
    }
    match spec.kind {
        OptionKind::Choice => schema["enum"] = spec.choices().flatten().collect(),
        OptionKind::Integer | OptionKind::Number => {
            if let Some((low, high)) = spec.bounds {
                (schema["minimum"], schema["maximum"]) = (number(low), number(high));
            }
        }
        _ => {}
    }
    schema
}

/// Without a point where it is whole.
fn number(number: f64) -> Value {
    if number.fract() == 0.0 { (number as i64).into() } else { number.into() }
}

/// The default as it would be sent: text that is unset is empty, and a number is 0 where that is accepted for unset.
fn default(spec: &OptionSpec) -> Option<Value> {
    Some(match spec.kind {
        OptionKind::Integer | OptionKind::Number if spec.default == "unset" => {
            return spec.bounds.is_some_and(|(low, _)| low <= 0.0).then(|| 0.into());
        }
        OptionKind::Integer | OptionKind::Number => spec.default.parse::<i64>().ok()?.into(),
        OptionKind::Boolean => (spec.default == "true").into(),
        _ if spec.default == "unset" => "".into(),
        _ => spec.default.into(),
    })
}

/// A picture in each of the formats, its size, and what was found.
fn picture() -> Value {
    let header = |what: &str, schema: Value| json!({ "description": what, "schema": schema });
    let side = |what: &str| header(what, json!({ "type": "integer", "minimum": 1 }));
    let part = |what: &str| header(what, json!({ "type": "number", "minimum": 0, "maximum": 1 }));
    let content: Map<_, _> =
        Format::ALL.iter().map(|format| (format.mime().to_owned(), json!({ "schema": binary() }))).collect();
    json!({
        "description": "The picture without its background, or its mask.",
        "headers": {
            "X-Width": side("Width of the result in pixels"),
            "X-Height": side("Height of the result in pixels"),
            "X-Coverage": part("How much of the picture the subject is: the mean of the alpha"),
            "X-Confidence": part("How sure the model is of the subject"),
            "X-Bounds": header(
                "Left, top, right and bottom of the subject in the upright picture, in pixels; or none",
                json!({ "type": "string", "pattern": "^(none|\\d+,\\d+,\\d+,\\d+)$" }),
            ),
        },
        "content": content,
    })
}

fn error(what: &str) -> Value {
    answer(what, json!({ "$ref": "#/components/schemas/Error" }))
}

fn told(what: &str) -> Value {
    answer(what, json!({ "type": "object" }))
}

fn answer(what: &str, schema: Value) -> Value {
    json!({ "description": what, "content": { "application/json": { "schema": schema } } })
}

fn components() -> Value {
    let text = |what: &str| json!({ "type": "string", "description": what });
    json!({
        "schemas": {
            "Error": {
                "type": "object",
                "required": ["error", "status"],
                "properties": {
                    "error": text("What is wrong, or that several things are."),
                    "details": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["field", "message"],
                            "properties": {
                                "field": text("The field of the form that is refused."),
                                "message": text("What is wrong with it."),
                            },
                        },
                    },
                    "status": { "type": "integer", "description": "The HTTP status again." },
                },
            },
        },
        "securitySchemes": {
            KEY: { "type": "apiKey", "in": "header", "name": "x-api-key" },
            TOKEN: { "type": "http", "scheme": "bearer" },
        },
    })
}
