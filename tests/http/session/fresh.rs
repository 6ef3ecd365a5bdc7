//! Guards that take only a fresh log-in, and the grace period after it.

use super::{Browser, service};
use crate::fixture::World;

#[test]
fn a_stale_log_in_is_asked_for_again() {
    let world = World::new();
    let service = service(&world);
    for path in ["/strict", "/graceful"] {
        let mut browser = Browser::new(&service);
        browser.post("/log-in/2");
        browser.post("/age/14");
        assert_eq!(browser.status("/strict"), 200);
        browser.post("/age/2");
        assert_eq!(browser.status(path), 401);
        assert_eq!(browser.status("/whoami"), 200);
        browser.post("/log-in/2");
        assert_eq!(browser.status(path), 200);
    }
}

#[test]
fn a_grace_period_lets_in_those_whose_log_in_was_fresh() {
    let world = World::new();
    let service = service(&world);
    let mut browser = Browser::new(&service);
    browser.post("/log-in/2");
    assert_eq!(browser.status("/graceful"), 200);
    for _ in 0..3 {
        // Each time it lasts an hour more.
        browser.post("/age/59");
        assert_eq!(browser.status("/graceful"), 200);
        // A log-in without a grace period takes none.
        assert_eq!(browser.status("/strict"), 401);
    }
    browser.post("/age/61");
    assert_eq!(browser.status("/graceful"), 401);
    // A grace period that is over does not begin again, and a denial does not begin one.
    assert_eq!(browser.status("/graceful"), 401);
}

#[test]
fn a_grace_period_opens_no_guard_that_asks_for_more() {
    let world = World::new();
    let service = service(&world);
    let mut browser = Browser::new(&service);
    browser.post("/log-in/2");
    browser.post("/age/120");
    assert_eq!(browser.status("/graceful"), 401);
    assert_eq!(browser.status("/lax"), 200);
    assert_eq!(browser.status("/graceful"), 401, "that log-in was a day old at most, and not 15 minutes");
    assert_eq!(browser.status("/lax"), 200);
    // The other way round it does.
    browser.post("/log-in/2");
    assert_eq!(browser.status("/graceful"), 200);
    browser.post("/age/30");
    assert_eq!(browser.status("/graceful"), 200);
}

#[test]
fn only_a_guard_with_a_grace_period_begins_one() {
    let world = World::new();
    let service = service(&world);
    let mut browser = Browser::new(&service);
    browser.post("/log-in/2");
    assert_eq!(browser.status("/strict"), 200);
    assert_eq!(browser.status("/whoami"), 200);
    browser.post("/age/16");
    assert_eq!(browser.status("/graceful"), 401);
}

#[test]
fn a_grace_period_ends_with_its_log_in() {
    let world = World::new();
    let service = service(&world);
    let mut browser = Browser::new(&service);
    browser.post("/log-in/2");
    assert_eq!(browser.status("/graceful"), 200);
    browser.post("/log-in/2");
    browser.post("/age/16");
    assert_eq!(browser.status("/graceful"), 401);
}

/// The tokens of the fixture do not say when they were issued.
#[test]
fn a_grace_period_is_not_one_of_tokens() {
    let world = World::new();
    let service = service(&world);
    let mut browser = Browser::new(&service);
    browser.post("/log-in/2");
    assert_eq!(browser.status("/graceful"), 200);
    let token = [("authorization", "Bearer chef")];
    assert_eq!(browser.send("GET", "/graceful", &token).status, 401);
    assert_eq!(browser.send("GET", "/graceful-token", &token).status, 401);
}
