//! The components that operations refer to: the security schemes, and the answers of guards.

use std::{borrow::Cow, time::Duration};

use actix_web::{ResponseError as _, http::StatusCode};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, ContentBuilder, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder, Schema, Type,
        schema::{KnownFormat, ObjectBuilder, SchemaFormat},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::{
    error::{AuthError, Problem},
    http::auth::Auth,
    mechanism::{Challenge, DynMechanism, Scheme, Why},
};

/// The status with which a guard denies, and its meaning.
fn denials() -> [(AuthError, &'static str); 5] {
    [
        (AuthError::unauthenticated(), "Nobody is logged in, or the credentials are wrong or too old."),
        (AuthError::Forbidden, "The caller may not do this."),
        (AuthError::NotFound, "What the request names is not there, or not for the caller."),
        (
            AuthError::TooManyRequests { retry_after: Duration::ZERO },
            "There were too many attempts to log in.",
        ),
        (AuthError::Unavailable, "The service cannot decide at the moment."),
    ]
}

/// Adds them, except those that the application describes itself.
pub(super) fn add(components: &mut Components, auth: &Auth) {
    for mechanism in auth.configured() {
        let schemes = &mut components.security_schemes;
        schemes.entry(mechanism.name().to_owned()).or_insert_with(|| RefOr::T(scheme(mechanism)));
    }
    components.schemas.entry(Problem::name().into_owned()).or_insert_with(Problem::schema);
    for (error, meaning) in denials() {
        let responses = &mut components.responses;
        responses.entry(name(error.status_code())).or_insert_with(|| RefOr::T(response(&error, meaning)));
    }
}

/// Where a response with this status is described.
pub(super) fn reference(status: StatusCode) -> RefOr<Response> {
    RefOr::Ref(Ref::from_response_name(name(status)))
}

/// `Not Found` in one word.
fn name(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or_default().replace(' ', "")
}

fn response(error: &AuthError, meaning: &str) -> Response {
    let status = error.status_code();
    let problem = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(Problem::name())))
        .example(serde_json::to_value(Problem::new(status, error.to_string())).ok())
        .build();
    let mut response =
        ResponseBuilder::new().description(meaning).content("application/problem+json", problem);
    let text = || ObjectBuilder::new().schema_type(Type::String);
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderBuilder::new().schema(Some(text())).description(Some(
            "How one authenticates, where HTTP has a scheme for it (RFC 9110, section 11.6.1).",
        ));
        response = response.header("WWW-Authenticate", challenge.build());
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        let seconds = HeaderBuilder::new()
            .schema(Some(ObjectBuilder::new().schema_type(Type::Integer)))
            .description(Some("When it makes sense to try again, in seconds from now."));
        response = response.header("Retry-After", seconds.build());
    }
    response.build()
}

fn scheme(mechanism: &dyn DynMechanism) -> SecurityScheme {
    let described = |value: String| ApiKeyValue::with_description(value, mechanism_name(mechanism));
    match mechanism.scheme().or_else(|| by_challenge(mechanism)) {
        Some(Scheme::Bearer { format }) => {
            let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
            SecurityScheme::Http(match format {
                Some(format) => bearer.bearer_format(format).build(),
                None => bearer.build(),
            })
        }
        Some(Scheme::Basic) => SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Basic).build()),
        Some(Scheme::Cookie { name }) => SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(name))),
        Some(Scheme::Header { name }) => SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(name))),
        None => SecurityScheme::ApiKey(ApiKey::Header(described("Authorization".to_owned()))),
    }
}

/// For a mechanism that does not say where its credentials are.
fn mechanism_name(mechanism: &dyn DynMechanism) -> String {
    format!(
        "The mechanism `{}` of this application, which does not say where its credentials are.",
        mechanism.name()
    )
}

/// The challenge of a mechanism in a 401 names its scheme as well.
fn by_challenge(mechanism: &dyn DynMechanism) -> Option<Scheme> {
    let challenge = mechanism.challenge(&Challenge { why: Why::Missing, realm: None })?;
    let scheme = challenge.split_ascii_whitespace().next()?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Some(Scheme::Bearer { format: None })
    } else if scheme.eq_ignore_ascii_case("basic") {
        Some(Scheme::Basic)
    } else {
        None
    }
}

/// As it is written: `body = Problem` describes an error of an application's own.
impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        let text =
            |description| ObjectBuilder::new().schema_type(Type::String).description(Some(description));
        let format = SchemaFormat::KnownFormat(KnownFormat::Int32);
        let status = ObjectBuilder::new().schema_type(Type::Integer).format(Some(format));
        let status = status.minimum(Some(400)).maximum(Some(599)).description(Some("The status once more."));
        let kind = text("What kind of problem it is; `about:blank` where the status says all.");
        let kind = kind.format(Some(SchemaFormat::Custom("uri-reference".to_owned())));
        let properties = [
            ("type", kind),
            ("title", text("The status in words.")),
            ("status", status),
            ("detail", text("What happened, for people.")),
        ];
        let object =
            ObjectBuilder::new().schema_type(Type::Object).description(Some("A problem (RFC 9457)."));
        let object = properties
            .into_iter()
            .fold(object, |object, (name, property)| object.property(name, property).required(name))
            .property("message", text("`detail` once more, where the application says so."));
        RefOr::T(Schema::Object(object.build()))
    }
}

impl ToSchema for Problem {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("ProblemDetails")
    }
}
