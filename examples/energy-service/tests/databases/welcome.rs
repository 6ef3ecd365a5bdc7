//! The first page, and the log-in of the demo by one click.

use actix_web::http::Method;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use energy_service::{Config, Service, demo, schema::users};

use super::{
    SERVER,
    pages::{assert_page, assert_redirect, service},
};
use crate::browser::Browser;

const PEOPLE: [(&str, &str); 6] = [
    ("mia@sunnyside.example", "Mia Member"),
    ("adam@sunnyside.example", "Adam Account-Admin"),
    ("cora@bright.example", "Cora Consultant"),
    ("sven@bakery.example", "Sven Stranger"),
    ("ada@platform.example", "Ada Admin"),
    ("rita@platform.example", "Rita Reader"),
];
const CLICK: &str = "/demo/log-in";

#[actix_web::test]
async fn a_click_logs_in_as_any_user_of_the_demo() {
    let (service, _place) = service();
    let mut browser = Browser::default();
    let first = browser.get(&service, "/").await;
    assert_page(&first, 200);
    for (email, name) in PEOPLE {
        let button = format!(
            r#"<form method="post" action="/demo/log-in"><input type="hidden" name="email" value="{email}"><button class="quiet" type="submit">Log in as {name}</button>"#
        );
        assert!(first.body.contains(&button), "{}", first.body);
        // Also in a browser that is logged in: the new log-in counts.
        assert_redirect(&browser.post(&service, CLICK, &format!("email={email}")).await, "/");
        let page = browser.get(&service, "/").await.body;
        assert!(page.contains(&format!("<h1>{name}</h1>")) && page.contains(email), "{page}");
        // It has the buttons of the others.
        let offered = PEOPLE.map(|(other, _)| page.contains(&format!(r#"name="email" value="{other}""#)));
        assert_eq!(offered, PEOPLE.map(|(other, _)| other != email), "{page}");
    }
    // A click on the page of the log-in leads on.
    let form = Browser::default().get(&service, "/log-in?next=%2Fassets%2F1").await.body;
    assert_eq!(form.matches(r#"name="next" value="/assets/1""#).count(), 1 + PEOPLE.len(), "{form}");
    let chosen = format!("email={}&next=%2Fassets%2F1", PEOPLE[0].0);
    assert_redirect(&Browser::default().post(&service, CLICK, &chosen).await, "/assets/1");
    let elsewhere = format!("email={}&next=%2F%2Fevil.example", PEOPLE[0].0);
    assert_redirect(&Browser::default().post(&service, CLICK, &elsewhere).await, "/");
}

/// The database has the users of the demo, with the password that everybody knows.
#[actix_web::test]
async fn without_the_demo_there_is_no_such_log_in() {
    let place = SERVER.database();
    let service = Service::open(&Config { demo: false, ..place.config() }).unwrap();
    demo::fill(service.database()).unwrap();
    for path in ["/", "/log-in"] {
        let page = Browser::default().get(&service, path).await;
        assert_page(&page, 200);
        assert!(!page.body.contains("demo") && !page.body.contains("Mia"), "{path}: {}", page.body);
        assert!(page.body.contains("/log-in"), "{path}: {}", page.body);
    }
    for (email, _) in PEOPLE {
        let mut browser = Browser::default();
        assert_page(&browser.post(&service, CLICK, &format!("email={email}")).await, 404);
        assert_eq!(browser.cookie, None, "{email}");
    }
    // Who is logged in sees no other user to become.
    let mut browser = Browser::logged_in(&service, PEOPLE[0].0).await;
    let page = browser.get(&service, "/").await;
    assert_page(&page, 200);
    assert!(!page.body.contains(CLICK), "{}", page.body);
}

#[actix_web::test]
async fn the_log_in_of_the_demo_is_protected_as_the_form_is() {
    let (service, _place) = service();
    let (email, _) = PEOPLE[0];
    let chosen = format!("email={email}");
    for header in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("origin", "null")] {
        let mut browser = Browser::default();
        assert_page(&browser.send(&service, Method::POST, CLICK, &[header], &chosen).await, 403);
        assert_eq!(browser.cookie, None, "{header:?}");
    }
    // No link logs in.
    let mut browser = Browser::default();
    assert_eq!(browser.get(&service, &format!("{CLICK}?{chosen}")).await.status, 405);
    // Only users of the demo are logged in without a password.
    for wrong in ["email=nobody@sunnyside.example", "email=", "", "email=a&password=b"] {
        assert_page(&browser.post(&service, CLICK, wrong).await, 400);
    }
    {
        let connection = &mut *service.database().connection().unwrap();
        let mia = users::table.filter(users::email.eq(email));
        diesel::update(mia).set(users::active.eq(false)).execute(connection).unwrap();
    }
    assert_page(&browser.post(&service, CLICK, &chosen).await, 401);
    // Its attempts are those of the form.
    let (email, _) = PEOPLE[1];
    for _ in 0..10 {
        assert_eq!(browser.log_in(&service, email, "wrong").await.status, 401);
    }
    assert_page(&browser.post(&service, CLICK, &format!("email={email}")).await, 429);
    assert_eq!(browser.cookie, None);
}

#[actix_web::test]
async fn the_first_page_says_what_to_look_at() {
    let (service, _place) = service();
    for (email, links) in [
        (None, &["/log-in"][..]),
        (Some(PEOPLE[0].0), &["/assets"]),
        (Some(PEOPLE[5].0), &["/assets", "/access-matrix", "/guards"]),
    ] {
        let mut browser = Browser::default();
        if let Some(email) = email {
            browser = Browser::logged_in(&service, email).await;
        }
        let page = browser.get(&service, "/").await;
        assert_page(&page, 200);
        assert_eq!(
            page.body.split_once(r#"<ol class="sights">"#).unwrap().1.matches("<li>").count(),
            3 + {
                // The buttons of the demo are below, where one is logged in.
                if email.is_some() { PEOPLE.len() - 1 } else { 0 }
            }
        );
        for link in links {
            assert!(page.body.contains(&format!(r#"href="{link}""#)), "{link}: {}", page.body);
            assert_eq!(browser.get(&service, link).await.status, 200, "{link}");
        }
        let documented = cfg!(feature = "swagger-ui");
        assert_eq!(page.body.contains(r#"href="/docs/""#), documented, "{}", page.body);
    }
}

#[actix_web::test]
async fn pages_have_an_icon_of_the_service_itself() {
    let (service, _place) = service();
    let mut browser = Browser::default();
    let page = browser.get(&service, "/").await.body;
    assert!(page.contains(r#"<link rel="icon" href="/icon.svg" type="image/svg+xml">"#), "{page}");
    let icon = browser.get(&service, "/icon.svg").await;
    assert_eq!((icon.status.as_u16(), icon.header("content-type")), (200, Some("image/svg+xml")));
    assert_eq!(icon.header("content-security-policy"), Some("default-src 'none'"));
    assert!(icon.body.starts_with("<svg"), "{}", icon.body);
}
