//! Every page, at several widths, light and dark: by rules of our own, and by those of axe-core.

use std::collections::BTreeSet;

use auth_core::ReportEntry;
use energy_service::{Config, Service};
use serde_json::{Value, json};

use crate::browser::{axe, chromium::Window, program::Program};

const PASSWORD: &str = energy_service::demo::PASSWORD;

pub(super) async fn log_in(window: &Window, email: &str) {
    window.go("/log-in").await;
    window.tab_to("Email address").await;
    window.press(email).await;
    window.tab_to("Password").await;
    window.press(PASSWORD).await;
    window.enter().await;
    assert_eq!(window.path().await, "/");
}

/// Pages for nobody in particular.
const OPEN: &[(&str, &str)] = &[("/", "first-page"), ("/log-in", "log-in")];

/// The pages of each user, and the name of each picture.
const PAGES: [(&str, &[(&str, &str)]); 4] = [
    (
        "adam@sunnyside.example",
        &[
            ("/", "overview"),
            ("/assets", "assets"),
            ("/assets?filter=nothing%20like%20this", "no-assets"),
            ("/assets/2", "asset"),
            ("/assets/1/edit", "edit-asset"),
            ("/assets/1/delete", "delete-asset"),
            ("/assets/new", "new-asset"),
            ("/assets/1/decisions", "decisions"),
            ("/assets/1/shares", "shares"),
            ("/assets/1/sensors/new", "new-sensor"),
            ("/sensors/1", "sensor"),
            ("/sensors/1/edit", "edit-sensor"),
            ("/sensors/1/delete", "delete-sensor"),
            ("/sensors/3/decisions?user=1", "decisions-of-a-colleague"),
            ("/sensors/1/measurements/new", "new-measurement"),
            ("/accounts/3", "account"),
            ("/accounts/3/edit", "edit-account"),
            ("/accounts/3/audit-log", "log-of-an-account"),
            ("/users/1", "user"),
            ("/users/1/edit", "edit-user"),
            ("/users/1/audit-log", "log-of-a-user"),
            ("/log-out", "log-out"),
        ],
    ),
    (
        "ada@platform.example",
        &[
            ("/accounts", "accounts"),
            ("/accounts/3/edit", "edit-account-by-an-admin"),
            ("/sensors/6?from=2026-01-01&until=2026-01-02", "sensor-without-measurements"),
        ],
    ),
    (
        "rita@platform.example",
        &[
            ("/sensors/6", "public-sensor"),
            ("/assets/3", "asset-of-others"),
            ("/guards", "guards"),
            ("/guards?filter=shares", "guards-with-a-filter"),
            ("/access-matrix", "access-matrix"),
            ("/access-matrix?filter=delete", "access-matrix-with-a-filter"),
        ],
    ),
    ("sven@bakery.example", &[("/assets/1/shares", "shares-of-a-receiver")]),
];

/// Pages with an error: the browser's log has their status.
const ERRORS: [(&str, &str); 5] = [
    ("/assets/3/edit", "denied"),
    ("/assets/99", "not-found"),
    ("/assets?page=0", "no-page"),
    ("/sensors/1?from=2026-01-02&until=2026-01-01", "wrong-days"),
    ("/nothing", "nothing"),
];

#[actix_web::test]
async fn every_page_is_sound_at_every_width_light_and_dark() {
    let Some(window) = Window::open().await else { return };
    // Something for shares and logs.
    let owner = Program::logged_in(&window, "adam@sunnyside.example");
    owner.send("PUT", "/assets/1/shares/users/4", &json!({ "expires_at": "2999-12-31T00:00:00Z" }));
    owner.send("PUT", "/assets/1/shares/accounts/4", &json!({ "can_update": true }));
    owner.send("PATCH", "/users/1", &json!({ "username": "Mia Member" }));

    for (path, name) in OPEN {
        window.go(path).await;
        look_around(&window, name).await;
    }
    for (email, pages) in PAGES {
        log_in(&window, email).await;
        for (path, name) in pages {
            window.go(path).await;
            look_around(&window, name).await;
        }
        let log = window.driver.browser_log().await.unwrap();
        assert!(log.is_empty(), "the browser complains: {log:?}");
        window.driver.delete_all_cookies().await.unwrap();
    }
    window.go("/assets/1").await;
    look_around(&window, "not-logged-in").await;
    log_in(&window, "rita@platform.example").await;
    for (path, name) in ERRORS {
        window.go(path).await;
        look_around(&window, name).await;
    }
}

/// The widths of a narrow telephone, of a usual one, and of a screen.
const WIDTHS: [u32; 3] = [320, 400, 1280];

pub(super) async fn look_around(window: &Window, name: &str) {
    for scheme in ["light", "dark"] {
        for width in WIDTHS {
            window.look(width, scheme).await;
            assert_eq!(faults(window).await, Vec::<Value>::new(), "{name}, {width} px wide, {scheme}");
            let violations = axe::violations(window).await;
            assert_eq!(violations, Vec::<Value>::new(), "{name}, {width} px wide, {scheme}");
            if width != 400 {
                window.take_picture(&format!("{name}-{width}-{scheme}")).await;
            }
        }
    }
}

pub(super) async fn faults(window: &Window) -> Vec<Value> {
    window.ask(include_str!("../faults.js")).await.as_array().unwrap().clone()
}

#[actix_web::test]
async fn faults_of_a_page_are_found() {
    let Some(window) = Window::open().await else { return };
    window.go("/log-in").await;
    assert_eq!(axe::violations(&window).await, Vec::<Value>::new());
    window
        .ask("document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=\"/icon.svg\">')")
        .await;
    assert!(!faults(&window).await.is_empty());
    // Where it is there at all.
    if axe::is_there() {
        let found = axe::violations(&window).await;
        assert!(found.iter().any(|violation| violation["id"] == "image-alt"), "{found:?}");
    }
}

/// So that no page is forgotten here.
#[test]
fn every_page_is_looked_at() {
    let service = Service::open(&Config::default()).unwrap();
    let registered = actix_web::rt::System::new().block_on(service.guards());
    let entries = registered.report().entries();
    let pages = entries.iter().filter(|entry| entry.methods().iter().any(|method| *method == "GET"));
    let pages: BTreeSet<&str> = pages
        .map(ReportEntry::path)
        .filter(|path| !path.starts_with("/api/") && !path.starts_with("/docs") && !path.contains('.'))
        .collect();
    let all = OPEN.iter().chain(PAGES.iter().flat_map(|(_, pages)| *pages)).map(|(path, _)| *path);
    let looked_at: Vec<&str> = all.map(|path| path.split('?').next().unwrap()).collect();
    let fits = |pattern: &str, path: &str| {
        let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
        let same = |(word, written): (&&str, &&str)| {
            if word.starts_with('{') { written.parse::<i32>().is_ok() } else { word == written }
        };
        pattern.len() == path.len() && pattern.iter().zip(&path).all(same)
    };
    let forgotten: Vec<_> =
        pages.iter().filter(|page| !looked_at.iter().any(|path| fits(page, path))).collect();
    assert!(pages.len() > 20 && forgotten.is_empty(), "{forgotten:?}");
}
