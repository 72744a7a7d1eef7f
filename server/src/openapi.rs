//! The description of the API in OpenAPI 3.1, made from the table of options.

use remrembg::{Format, OPTIONS, OptionKind, OptionSpec};
use serde_json::Value;
use utoipa::openapi::content::{Content, ContentBuilder};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Paths, Ref, RefOr, Required,
    Response, ResponseBuilder,
};

use crate::accounts::LAST;

const TITLE: &str = "remrembg";
const ABOUT: &str = "Removes the background of pictures, on this machine: the API of rembg.com.";
const KEY: &str = "api_key";
const TOKEN: &str = "user_token";
const ERROR: &str = "Error";

/// The document that `/api/openapi` answers.
#[must_use]
pub fn openapi() -> OpenApi {
    let license = LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build();
    let info = InfoBuilder::new()
        .title(TITLE)
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(license))
        .build();
    OpenApiBuilder::new().info(info).paths(paths()).components(Some(components())).build()
}

fn paths() -> Paths {
    let health = |id: &str, what: &str| {
        let operation = OperationBuilder::new().operation_id(Some(id)).summary(Some(what));
        operation.response("200", told("It is so.", Type::Object))
    };
    let live = health("live", "Whether the process lives");
    let ready = health("ready", "Whether requests are taken").response("503", error("The server is stopping."));
    PathsBuilder::new()
        .path("/rmbg", PathItem::new(HttpMethod::Post, rmbg()))
        .path("/api/membership-usage", PathItem::new(HttpMethod::Get, usage()))
        .path("/health/live", PathItem::new(HttpMethod::Get, live.build()))
        .path("/health/ready", PathItem::new(HttpMethod::Get, ready.build()))
        .build()
}

fn rmbg() -> utoipa::openapi::path::Operation {
    let body = RequestBodyBuilder::new()
        .description(Some("A form with a picture, and options for it."))
        .required(Some(Required::True))
        .content("multipart/form-data", ContentBuilder::new().schema(Some(form())).build());
    OperationBuilder::new()
        .operation_id(Some("rmbg"))
        .summary(Some("Remove the background of a picture"))
        .security(SecurityRequirement::new(KEY, Vec::<String>::new()))
        .security(SecurityRequirement::new(TOKEN, Vec::<String>::new()))
        .security(SecurityRequirement::default())
        .request_body(Some(body.build()))
        .response("200", picture())
        .response(
            "400",
            error("Something is wrong with the picture or the options; with several problems, `details` has each."),
        )
        .response("401", error("The API key, or the user token, is not one that is accepted."))
        .response("403", error("The e-mail address of the user is not verified."))
        .response("408", error("The request did not arrive in time."))
        .response("413", error("A field that is no picture is too large."))
        .response("415", error("The body is no multipart/form-data."))
        .response("429", error("The user has no credits left."))
        .response("500", error("A fault of the server."))
        .response(
            "503",
            error("Too many requests wait already. `Retry-After` says after how many seconds to come again."),
        )
        .build()
}

fn usage() -> utoipa::openapi::path::Operation {
    let parameter = |name: &str, help: &str, schema: ObjectBuilder| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .description(Some(help))
            .required(Required::False)
            .schema(Some(schema))
            .build()
    };
    let whole = |most: i64| ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(most));
    let words =
        |words: &[&'static str]| ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words.to_vec()));
    OperationBuilder::new()
        .operation_id(Some("membership-usage"))
        .summary(Some("Plan, credits and use of the user whose key it is"))
        .security(SecurityRequirement::new(KEY, Vec::<String>::new()))
        .parameter(parameter("year", "The year whose month is counted, in UTC. Default: that which runs.", whole(9999)))
        .parameter(parameter("month", "The month that is counted. Default: that which runs.", whole(12)))
        .parameter(parameter(
            "periodStartUnix",
            "The start of the billing period that is counted, in Unix seconds; not together with year or month.",
            whole(LAST),
        ))
        .parameter(parameter("expand", "Adds the billing period.", words(&["billing_cycle"])))
        .parameter(parameter("includeBillingCycle", "The same.", words(&["1", "true"])))
        .parameter(parameter("listBillingCycles", "Only the list of billing periods.", words(&["1", "true"])))
        .response("200", told("The counters, or the list.", Type::Object))
        .response("400", error("A number is none, or out of range; or a month and a period are asked for at once."))
        .response("401", error("The API key is not one of a user."))
        .response("404", error("The server keeps no accounts."))
        .response("503", error("The accounts cannot be read."))
        .build()
}

/// The fields of the form: the picture, and every option of the table.
fn form() -> Schema {
    let file = |help: &str| binary().description(Some(help.to_owned())).build();
    let mut form = ObjectBuilder::new()
        .property("image", file("The picture: WebP, BMP, PNG or JPEG, at most 50 MB and 10000 pixels a side."))
        .required("image");
    for spec in OPTIONS {
        form = form.property(spec.key, option(spec));
    }
    form.build().into()
}

fn binary() -> ObjectBuilder {
    let format = SchemaFormat::KnownFormat(KnownFormat::Binary);
    ObjectBuilder::new().schema_type(Type::String).format(Some(format)).content_media_type("application/octet-stream")
}

fn option(spec: &OptionSpec) -> ObjectBuilder {
    let help = format!("{} Accepted: {}. Default: {}.", spec.help, spec.range, spec.default);
    let schema = ObjectBuilder::new().description(Some(help)).default(default(spec));
    let bounded = |schema: ObjectBuilder| {
        let (low, high) = spec.bounds.map_or((None, None), |(low, high)| (Some(low), Some(high)));
        schema.minimum(low).maximum(high)
    };
    match spec.kind {
        OptionKind::Integer => bounded(schema.schema_type(Type::Integer)),
        OptionKind::Number => bounded(schema.schema_type(Type::Number)),
        OptionKind::Boolean => schema.schema_type(Type::Boolean),
        OptionKind::Choice => {
            let words: Vec<&str> = spec.choices().flatten().collect();
            schema.schema_type(Type::String).enum_values(Some(words))
        }
        _ => schema.schema_type(Type::String),
    }
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

/// A picture in each of the formats, and its size.
fn picture() -> Response {
    let side = |what: &str| {
        let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
        HeaderBuilder::new().schema(Some(number)).description(Some(what)).build()
    };
    let part = |what: &str| {
        let number = ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0)).maximum(Some(1));
        HeaderBuilder::new().schema(Some(number)).description(Some(what)).build()
    };
    let bounds = HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).pattern(Some("^(none|\\d+,\\d+,\\d+,\\d+)$"))))
        .description(Some("Left, top, right and bottom of the subject in the upright picture, in pixels; or none"))
        .build();
    let picture = || ContentBuilder::new().schema(Some(binary())).build();
    let response = ResponseBuilder::new()
        .description("The picture without its background, or its mask.")
        .header("X-Width", side("Width of the result in pixels"))
        .header("X-Height", side("Height of the result in pixels"))
        .header("X-Coverage", part("How much of the picture the subject is: the mean of the alpha"))
        .header("X-Confidence", part("How sure the model is of the subject"))
        .header("X-Bounds", bounds);
    Format::ALL.iter().fold(response, |response, format| response.content(format.mime(), picture())).build()
}

fn error(what: &str) -> Response {
    ResponseBuilder::new().description(what).content("application/json", json(Ref::from_schema_name(ERROR))).build()
}

fn told(what: &str, kind: Type) -> Response {
    let schema = Schema::from(ObjectBuilder::new().schema_type(kind).build());
    ResponseBuilder::new().description(what).content("application/json", json(schema)).build()
}

fn json(schema: impl Into<RefOr<Schema>>) -> Content {
    ContentBuilder::new().schema(Some(schema)).build()
}

fn components() -> Components {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let problem = ObjectBuilder::new()
        .property("field", text().description(Some("The field of the form that is refused.")))
        .property("message", text().description(Some("What is wrong with it.")))
        .required("field")
        .required("message");
    let status = ObjectBuilder::new().schema_type(Type::Integer).description(Some("The HTTP status again."));
    let error = ObjectBuilder::new()
        .property("error", text().description(Some("What is wrong, or that several things are.")))
        .property("details", ArrayBuilder::new().items(problem).build())
        .property("status", status)
        .required("error")
        .required("status");
    let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("x-api-key")));
    let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    ComponentsBuilder::new().schema(ERROR, error).security_scheme(KEY, key).security_scheme(TOKEN, token).build()
}
