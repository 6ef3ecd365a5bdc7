//! What a renderer learns of the caller.

use actix_web::{HttpRequest, HttpResponse, ResponseError as _, web};
use auth_core::{AuthError, Subject as _, User, denial};

use super::{get, service};
use crate::fixture::Member;

fn by_name(request: &HttpRequest, error: &AuthError) -> HttpResponse {
    let user = denial::caller::<Member>(request);
    let of_another_type = denial::caller::<User>(request).is_some();
    let user = user.map_or_else(|| "nobody".to_owned(), |user| user.id().to_string());
    HttpResponse::build(error.status_code()).body(format!("{user} {of_another_type}"))
}

#[test]
fn a_renderer_learns_who_is_logged_in() {
    let service = service(|auth| auth.on_denied(by_name));
    for (path, token, status, user) in [
        ("/kitchen", "member", 403, "1"),
        ("/by-hand", "member", 403, "1"),
        // The caller is found where the context is loaded.
        ("/resources/2", "chef", 403, "2"),
        ("/resources/3", "chef", 404, "2"),
        ("/resources/x", "chef", 404, "2"),
        // Nobody is logged in by wrong credentials.
        ("/kitchen", "nobody", 401, "nobody"),
        ("/open", "nobody", 401, "nobody"),
    ] {
        let denied = get(&service, path, token, "*/*");
        assert_eq!((denied.status.as_u16(), &*denied.body), (status, &*format!("{user} false")), "{path}");
    }
    let anonymous = service.get("/kitchen", None);
    assert_eq!((anonymous.status.as_u16(), &*anonymous.body), (401, "nobody false"));
}

#[test]
fn a_renderer_learns_of_nobody_where_nothing_authenticated_the_request() {
    let world = crate::fixture::World::new();
    let auth = world.auth();
    let service = crate::client::Service::start(move |app| {
        let nothing_here = async |request: HttpRequest| by_name(&request, &AuthError::NotFound);
        app.app_data(auth.clone()).default_service(web::to(nothing_here));
    });
    world.statements();
    assert_eq!(get(&service, "/nothing", "member", "*/*").body, "nobody false");
    // It is not found by the renderer either.
    assert_eq!(world.statements(), Vec::<String>::new());
}

#[test]
fn a_ready_renderer_tells_the_client_nothing_of_the_caller() {
    for render in [denial::problem, denial::page_or_problem] {
        let service = service(|auth| auth.on_denied(render));
        for accept in [super::BROWSER, "application/json"] {
            let [one, other] =
                ["member", "stranger"].map(|token| get(&service, "/kitchen", token, accept).body);
            assert_eq!(one, other);
        }
    }
}
