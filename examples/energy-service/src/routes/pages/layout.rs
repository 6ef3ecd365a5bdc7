//! The common part of all pages: the frame around the content, and the way to other pages.

use actix_web::{
    HttpResponse,
    http::header::{self, HeaderValue},
};
use auth_core::Subject as _;
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;

use crate::auth::{ADMIN, ADMIN_READER, LoggedIn};

/// A part of the service, by its place in the navigation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Section {
    Overview,
    Assets,
    Accounts,
    Guards,
    AccessMatrix,
}

/// An entry of the navigation.
struct Entry {
    section: Section,
    path: &'static str,
    name: &'static str,
    /// The users for whom it has content.
    is_for: fn(&LoggedIn) -> bool,
}

/// The navigation, in its order.
const ENTRIES: [Entry; 5] = [
    Entry { section: Section::Overview, path: "/", name: "Overview", is_for: everyone },
    Entry { section: Section::Assets, path: "/assets", name: "Assets", is_for: everyone },
    Entry { section: Section::Accounts, path: "/accounts", name: "Accounts", is_for: everyone },
    Entry { section: Section::Guards, path: "/guards", name: "Guards", is_for: reviews },
    Entry { section: Section::AccessMatrix, path: "/access-matrix", name: "Access matrix", is_for: reviews },
];

fn everyone(_: &LoggedIn) -> bool {
    true
}

/// Whether the user passes the guards of the pages about guards.
pub(super) fn reviews(user: &LoggedIn) -> bool {
    [ADMIN, ADMIN_READER].into_iter().any(|role| user.has_role(role))
}

/// The action before this page: one of a few words, because a link from elsewhere must not put its own text into a page.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Done {
    Created,
    Saved,
    Deleted,
    Recorded,
    Shared,
    Ended,
}

impl Done {
    fn sentence(self) -> &'static str {
        match self {
            Self::Created => "Created.",
            Self::Saved => "Saved.",
            Self::Deleted => "Deleted.",
            Self::Recorded => "Recorded.",
            Self::Shared => "Shared.",
            Self::Ended => "The share has ended.",
        }
    }
}

/// A page for a user who is logged in.
pub(super) struct Page<'a> {
    user: &'a LoggedIn,
    section: Option<Section>,
    /// The pages above this one, from the top: path and name.
    trail: Vec<(String, String)>,
    title: String,
    done: Option<Done>,
    is_wide: bool,
}

impl<'a> Page<'a> {
    pub(super) fn new(user: &'a LoggedIn, section: Section, title: impl Into<String>) -> Self {
        Self { section: Some(section), ..Self::elsewhere(user, title) }
    }

    /// In no part of the service.
    pub(super) fn elsewhere(user: &'a LoggedIn, title: impl Into<String>) -> Self {
        Self { user, section: None, trail: Vec::new(), title: title.into(), done: None, is_wide: false }
    }

    /// Below another page, and that below those which are named before.
    pub(super) fn below(mut self, path: impl Into<String>, name: impl Into<String>) -> Self {
        self.trail.push((path.into(), name.into()));
        self
    }

    /// With more room from left to right, for a table of many columns.
    pub(super) fn wide(self) -> Self {
        Self { is_wide: true, ..self }
    }

    pub(super) fn after(self, done: Option<Done>) -> Self {
        Self { done, ..self }
    }

    pub(super) fn with(&self, content: &Markup) -> Markup {
        frame(
            &self.title,
            self.is_wide,
            &html! {
                nav aria-label="Main" {
                    ul {
                        @for entry in ENTRIES.iter().filter(|entry| (entry.is_for)(self.user)) {
                            // The page itself, or only the part of the service that it is in.
                            @let current = (Some(entry.section) == self.section)
                                .then_some(if self.trail.is_empty() { "page" } else { "true" });
                            li { a href=(entry.path) aria-current=[current] { (entry.name) } }
                        }
                        // Tokens are not logged out of.
                        @if self.user.token.is_none() {
                            li { a href="/log-out" { "Log out" } }
                        }
                    }
                }
            },
            &html! {
                @if !self.trail.is_empty() {
                    nav.trail aria-label="Breadcrumb" {
                        ol {
                            @for (path, name) in &self.trail {
                                li { a href=(path) { (name) } }
                            }
                        }
                    }
                }
                h1 { (self.title) }
                @if let Some(done) = self.done {
                    p.done role="status" { (done.sentence()) }
                }
                (content)
            },
        )
    }
}

/// A page for everyone.
pub(super) fn page(title: &str, content: &Markup) -> Markup {
    frame(
        title,
        false,
        &html! {},
        &html! {
            h1 { (title) }
            (content)
        },
    )
}

/// A whole document. `html!` escapes the texts in it.
fn frame(title: &str, is_wide: bool, navigation: &Markup, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " – " (SERVICE) }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/style.css";
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header {
                    a.service href="/" { (SERVICE) }
                    (navigation)
                }
                main class=[is_wide.then_some("wide")] id="content" tabindex="-1" { (main) }
            }
        }
    }
}

const SERVICE: &str = "Energy service";

pub(super) fn ok(page: &Markup) -> HttpResponse {
    with_page(HttpResponse::Ok().finish(), page)
}

/// A page that brings the script of [`live.js`](super::script) with it.
pub(super) fn ok_live(page: &Markup) -> HttpResponse {
    let mut response = ok(page);
    let policy = HeaderValue::from_static(LIVE_POLICY);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// The response with this page as its body, and headers for the browser.
pub(super) fn with_page(response: HttpResponse, page: &Markup) -> HttpResponse {
    let mut response = response.set_body(page.0.clone()).map_into_boxed_body();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // Not `no-referrer`: that would take the origin from forms, too, by which they are told from foreign ones.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The style of the service, its icon and its forms, and nothing else: no script, no other host, no frame around a page.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// Also the scripts of the service, none of which is within a page, and its socket.
const LIVE_POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; \
                           img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(super) fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, path))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

/// With a capital letter and a full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).chain(['.']).collect()
}

/// A table that may be wider than the page: it scrolls by itself, also by the keyboard. Its caption has this id.
pub(super) fn scrolling(id: &str, table: &Markup) -> Markup {
    html! {
        div.scrolling role="region" aria-labelledby=(id) tabindex="0" { (table) }
    }
}
