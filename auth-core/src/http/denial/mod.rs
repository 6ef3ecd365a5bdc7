//! Denials as responses: a problem document, a page, or what the application renders.
//!
//! A renderer makes a response of the request and its [`AuthError`]. The application gives it to
//! [`AuthBuilder::on_denied`](crate::AuthBuilder::on_denied) for all handlers, and to an attribute's `on_denied = path`
//! for one. Without any, a denial is a [`problem`] document; [`problem_with_message`] adds a member to it, and
//! [`page_or_problem`] has an HTML page for browsers.
//!
//! Three things hold for every renderer:
//!
//! * It cannot turn a denial into a success: a status that does not deny (1xx, 2xx, 304), or a panic, is logged, and the
//!   client gets the problem document.
//! * `Cache-Control` is `no-store` unless the renderer says otherwise.
//! * A 401 has the challenges of the mechanisms in `WWW-Authenticate`, and a 429 has `Retry-After`, unless
//!   the renderer sets these headers itself.
//!
//! An [`AuthError`] that a handler itself returns is rendered, too, where
//! [`GuardedResponses`](crate::protected::GuardedResponses) is around the application.
//!
//! A renderer runs on the event loop, so it must not block. It learns no more than the client may learn: [`caller`] says who
//! is logged in, and why a request was denied is in the log.

mod caller;
mod unread;

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
};

use actix_web::{
    Error, HttpMessage as _, HttpRequest, HttpResponse, ResponseError,
    dev::{Payload, ServiceResponse},
    http::{
        StatusCode,
        header::{self, Accept, ContentType, Header as _, HeaderValue, Quality},
    },
};
use html_escape::encode_text;

pub use self::caller::caller;
pub(crate) use self::unread::Unread;
use crate::{
    error::{AuthError, Returned},
    http::auth::{Auth, Render},
};

/// The problem document (RFC 9457) of a denial. It renders denials by default.
///
/// ```
/// use actix_web::{http::StatusCode, test::TestRequest};
/// use auth_core::{AuthError, denial};
///
/// let response = denial::problem(&TestRequest::get().to_http_request(), &AuthError::Forbidden);
/// assert_eq!(response.status(), StatusCode::FORBIDDEN);
/// assert_eq!(response.headers().get("content-type").unwrap(), "application/problem+json");
/// ```
#[must_use]
pub fn problem(_: &HttpRequest, error: &AuthError) -> HttpResponse {
    document(error)
}

/// The problem document, without the mark of an error that is still to be rendered.
fn document(error: &AuthError) -> HttpResponse {
    let mut response = error.error_response();
    response.extensions_mut().remove::<Returned>();
    response
}

/// The [`problem`] document with the text of `detail` once more in a member `message`, for clients that look for it there.
///
/// ```
/// use actix_web::{http::StatusCode, test::TestRequest};
/// use auth_core::{Auth, AuthError, NoConnection, denial};
/// # use auth_core::mechanism::{BearerToken, FindByToken};
///
/// # fn auth<Member: FindByToken<Connection = NoConnection>>(pool: NoConnection) -> Result<(), Box<dyn std::error::Error>> {
/// let tokens = BearerToken::<Member>::new(pool);
/// let auth = Auth::builder().mechanism(tokens).on_denied(denial::problem_with_message).build()?;
/// # Ok(())
/// # }
///
/// let request = TestRequest::get().to_http_request();
/// let response = denial::problem_with_message(&request, &AuthError::Forbidden);
/// assert_eq!(response.status(), StatusCode::FORBIDDEN);
/// ```
#[must_use]
pub fn problem_with_message(_: &HttpRequest, error: &AuthError) -> HttpResponse {
    let mut response = error.problem().with_message().response();
    error.complete(&mut response);
    response
}

/// A small HTML page for clients that prefer HTML to JSON by the header `Accept`, and the [`problem`] document for others.
///
/// ```
/// use actix_web::test::TestRequest;
/// use auth_core::{AuthError, denial};
///
/// let browser = TestRequest::get().insert_header(("accept", "text/html, */*;q=0.8")).to_http_request();
/// let response = denial::page_or_problem(&browser, &AuthError::NotFound);
/// assert_eq!(response.headers().get("content-type").unwrap(), "text/html; charset=utf-8");
/// ```
#[must_use]
pub fn page_or_problem(request: &HttpRequest, error: &AuthError) -> HttpResponse {
    let mut response = if prefers_html(request) { page(error) } else { document(error) };
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept"));
    response
}

/// Without a style or a script, so that no content security policy has anything against it.
fn page(error: &AuthError) -> HttpResponse {
    let status = error.status_code().to_string();
    let sentence = sentence(&error.to_string());
    let (title, sentence) = (encode_text(&status), encode_text(&sentence));
    let mut response =
        HttpResponse::build(error.status_code()).content_type(ContentType::html()).body(format!(
            r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{sentence}</p>
</main>
</body>
</html>
"#
        ));
    error.complete(&mut response);
    response
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).chain(['.']).collect()
}

/// Whether HTML is worth more to the client than JSON (RFC 9110, section 12.5.1). A client does not prefer it if
/// its header `Accept` is missing or malformed.
///
/// ```
/// use actix_web::{HttpRequest, HttpResponse};
/// use auth_core::{AuthError, denial};
///
/// fn denied(request: &HttpRequest, error: &AuthError) -> HttpResponse {
///     if denial::prefers_html(request) {
///         return HttpResponse::Forbidden().body("<!DOCTYPE html> …");
///     }
///     denial::problem(request, error)
/// }
/// ```
#[must_use]
pub fn prefers_html(request: &HttpRequest) -> bool {
    let Ok(accept) = Accept::parse(request) else {
        return false;
    };
    // A client that names JSON understands a problem document.
    let json = quality(&accept, "application/json").max(quality(&accept, "application/problem+json"));
    quality(&accept, "text/html") > json
}

/// The worth of a media type in UTF-8: the quality of the most specific range that it is in.
fn quality(accept: &Accept, essence: &str) -> Quality {
    let (group, _) = essence.split_once('/').unwrap_or_default();
    let in_range = accept.iter().filter_map(|range| {
        let specificity = match range.item.essence_str() {
            "*/*" => 0,
            name if name == essence => 2,
            name if name.strip_suffix("/*") == Some(group) => 1,
            _ => return None,
        };
        let parameters = || range.item.params();
        let is_ours = parameters().all(|(name, value)| name == "charset" && value == "utf-8");
        is_ours.then_some(((specificity, parameters().count()), range.quality))
    });
    in_range.max_by_key(|(specificity, _)| *specificity).map_or(Quality::ZERO, |(_, quality)| quality)
}

/// The response of a denied request: the [`AuthError`], rendered as the application wants it.
///
/// The guards answer with it, and so do the extractors of the caller. A handler that decides in its own body makes one as
/// well, so that its clients see no difference:
///
/// ```
/// use actix_web::{HttpRequest, get, web};
/// use auth_core::{
///     Acl, AuthModel, CurrentUser, Denial, Permission, allow, auth_required, check_access, user,
/// };
///
/// struct Note {
///     owner_id: i32,
///     text: String,
/// }
///
/// impl AuthModel for Note {
///     fn acl(&self) -> impl Acl {
///         allow(Permission::READ, user(self.owner_id))
///     }
/// }
///
/// #[auth_required]
/// #[get("/latest-note")]
/// async fn latest(
///     user: CurrentUser,
///     notes: web::Data<[Note; 3]>,
///     request: HttpRequest,
/// ) -> Result<String, Denial> {
///     let [.., note] = &**notes;
///     let decision = check_access(&*user, note, Permission::READ);
///     decision.into_result().map_err(|error| Denial::new(&request, error))?;
///     Ok(note.text.clone())
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Denial {
    error: AuthError,
    status: StatusCode,
    /// Until it is sent.
    response: RefCell<Option<HttpResponse>>,
}

impl Denial {
    /// Renders the denial of this request.
    #[must_use]
    pub fn new(request: &HttpRequest, error: AuthError) -> Self {
        let response = response(request, &error);
        Self { error, status: response.status(), response: RefCell::new(Some(response)) }
    }

    /// The denial, which leaves this body of the request unread: see [`Unread`].
    pub(crate) fn unread(self, body: Payload) -> Self {
        let response = self.response.take().map(|response| Unread::of(response, body));
        Self { response: RefCell::new(response), ..self }
    }

    /// The denial as an error.
    #[must_use]
    pub fn error(&self) -> &AuthError {
        &self.error
    }
}

impl ResponseError for Denial {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        self.response.take().unwrap_or_else(|| document(&self.error))
    }
}

/// Renders the [`AuthError`] that a handler has returned, also inside another error, as all denials are rendered.
pub(crate) fn returned(response: ServiceResponse) -> ServiceResponse {
    let returned = response.response().extensions().get::<Returned>().cloned();
    // A response with another status has been rendered since.
    let Some(Returned(error)) = returned.filter(|Returned(error)| error.status_code() == response.status())
    else {
        return response;
    };
    let (request, unrendered) = response.into_parts();
    let plain = document(&error);
    let mut rendered = HttpResponse::from_error(Denial::new(&request, error));
    let own = rendered.headers().clone();
    // Headers that middleware has added since stay, such as cookies; but not those that describe a body.
    for (name, value) in unrendered.headers() {
        let is_added = !plain.headers().contains_key(name) && !name.as_str().starts_with("content-");
        if is_added && (!own.contains_key(name) || [header::SET_COOKIE, header::VARY].contains(name)) {
            rendered.headers_mut().append(name.clone(), value.clone());
        }
    }
    ServiceResponse::new(request, rendered)
}

/// The renderer of one handler's denials.
#[doc(hidden)]
pub type OnDenied = fn(&HttpRequest, &AuthError) -> HttpResponse;

#[derive(Clone, Copy)]
struct OfHandler(OnDenied);

/// From now on, denials of this request are rendered by its handler's own renderer.
pub(crate) fn render_by(render: OnDenied, request: &HttpRequest) {
    request.extensions_mut().insert(OfHandler(render));
}

/// An error of a guard, rendered if it is a denial. An extractor's error about a malformed body is no denial.
pub(crate) fn rendered(request: &HttpRequest, payload: Payload, error: Error) -> Error {
    match error.as_error::<AuthError>() {
        Some(denied) => Denial::new(request, denied.clone()).unread(payload).into(),
        None => error,
    }
}

fn response(request: &HttpRequest, error: &AuthError) -> HttpResponse {
    // A copy, so that the renderer is free to use the extensions.
    let of_handler = request.extensions().get::<OfHandler>().copied();
    let render: &Render = match &of_handler {
        Some(OfHandler(render)) => render,
        None => Auth::renderer(request).unwrap_or(&problem),
    };
    let rendered = catch_unwind(AssertUnwindSafe(|| render(request, error)));
    let mut response = match rendered {
        Ok(response) if denies(response.status()) => response,
        Ok(response) => {
            tracing::error!(
                target: "auth",
                status = response.status().as_u16(),
                route = request.match_pattern(),
                "a renderer answers a denial with a status that does not deny, so the problem document is sent: \
                 let it answer with a redirect, 4xx or 5xx"
            );
            document(error)
        }
        Err(_) => {
            tracing::error!(
                target: "auth",
                route = request.match_pattern(),
                "a renderer of denials panicked, so the problem document is sent"
            );
            document(error)
        }
    };
    response.extensions_mut().remove::<Returned>();
    error.complete(&mut response);
    if let Some(vary) = request.app_data::<Auth>().and_then(Auth::vary) {
        response.headers_mut().append(header::VARY, vary.clone());
    }
    response
}

/// Whether this status denies. A 304 does not: it says that the client's copy is still right.
fn denies(status: StatusCode) -> bool {
    let redirects = status.is_redirection() && status != StatusCode::NOT_MODIFIED;
    redirects || status.is_client_error() || status.is_server_error()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn prefers(accept: &str) -> bool {
        prefers_html(&TestRequest::get().insert_header((header::ACCEPT, accept)).to_http_request())
    }

    #[test]
    fn html_is_for_who_prefers_it() {
        for accept in [
            "text/html",
            "TEXT/HTML",
            "text/html;charset=UTF-8",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
            "text/html, */*; q=0.01",
            "text/html;q=0.3, application/*;q=0.2",
            "text/*",
            "*/*, application/json;q=0.9, application/problem+json;q=0.9",
            "application/json;q=0.5, text/html",
            "application/*;q=0, */*;q=0.1",
            "text/html;level=1, text/html;q=0.1",
            "text/html;q=0.001",
        ] {
            assert!(prefers(accept), "{accept}");
        }
    }

    #[test]
    fn a_problem_document_is_for_all_others() {
        assert!(!prefers_html(&TestRequest::get().to_http_request()));
        for accept in [
            "",
            "*/*",
            "application/json",
            "application/problem+json",
            "text/html;q=0",
            "text/html;q=0, */*",
            "text/html;q=0, text/*",
            "text/html;level=1",
            "text/html;q=0.5, application/json",
            "text/html;q=0.5, application/json;charset=utf-8",
            "text/html, */*",
            "text/html, application/problem+json",
            "text/plain, application/*",
            "application/xhtml+xml, image/*",
            "text/html;q=2",
            "text/html;q=x",
            "text/html;q=0.12345",
            "text",
            "/",
            ";;;,,,",
            "html",
        ] {
            assert!(!prefers(accept), "{accept}");
        }
    }

    #[test]
    fn an_accept_header_of_several_lines_is_one() {
        let request = TestRequest::get()
            .append_header((header::ACCEPT, "application/json;q=0.2"))
            .append_header((header::ACCEPT, "text/html;q=0.3"));
        assert!(prefers_html(&request.to_http_request()));
        let not_text = HeaderValue::from_bytes(b"text/html, \xff").unwrap();
        let request = TestRequest::get().insert_header((header::ACCEPT, not_text));
        assert!(!prefers_html(&request.to_http_request()));
    }

    #[test]
    fn a_redirect_and_an_error_deny() {
        let denying =
            (100..=999).filter_map(|code| StatusCode::from_u16(code).ok()).filter(|code| denies(*code));
        let denying: Vec<u16> = denying.map(|code| code.as_u16()).collect();
        let expected: Vec<u16> = (300..600).filter(|code| *code != 304).collect();
        assert_eq!(denying, expected);
    }
}
