//! The pages for those who review the service, and what logs and decisions say at a glance.

use super::pages::{assert_page, service};
use crate::browser::Browser;

const READER: &str = "rita@platform.example";
const MEMBER: &str = "mia@sunnyside.example";

#[actix_web::test]
async fn guards_and_access_matrix_have_a_filter() {
    let (service, _place) = service();
    let mut reader = Browser::logged_in(&service, READER).await;
    for (path, row, rows) in
        [("/guards", "<li><strong>", "routes"), ("/access-matrix", r#"<td class="yes">"#, "rows")]
    {
        let all = reader.get(&service, path).await;
        assert_page(&all, 200);
        let count = all.body.matches(row).count();
        // Whatever the case of the letters.
        for filter in ["delete+%2Fassets", "DELETE+/Assets", "get+%2Flog-out"] {
            let some = reader.get(&service, &format!("{path}?filter={filter}")).await;
            assert_page(&some, 200);
            let there = some.body.matches(row).count();
            assert!(there < count, "{path} {filter}: {there} of {count}");
            assert!(
                some.body.contains(r#"type="search""#) && some.body.contains("Show all"),
                "{}",
                some.body
            );
            let shown = some.body.contains("GET /log-out");
            assert_eq!(shown, filter.starts_with("get"), "{path} {filter}: {}", some.body);
        }
        let nothing = reader.get(&service, &format!("{path}?filter=%3Cscript%3E")).await;
        assert_page(&nothing, 200);
        assert!(
            nothing.body.contains(&format!("{rows}. <a href=\"{path}\">Show all</a>")),
            "{}",
            nothing.body
        );
        assert!(nothing.body.contains("<p class=\"count\">0 of "), "{}", nothing.body);
        assert!(nothing.body.contains("value=\"&lt;script&gt;\""), "{}", nothing.body);
        assert_page(
            &Browser::logged_in(&service, MEMBER).await.get(&service, &format!("{path}?filter=x")).await,
            403,
        );
    }
    // Also by what a guard requires.
    let by_guard = reader.get(&service, "/guards?filter=anonymous_user_required").await;
    assert!(by_guard.body.contains("<strong>GET /log-in</strong>"), "{}", by_guard.body);
    assert!(by_guard.body.contains("<p class=\"count\">1 of "), "{}", by_guard.body);
    // Denials are told from the rest by their class, to which the style gives a sign.
    let matrix = reader.get(&service, "/access-matrix?filter=GET+%2Fguards").await.body;
    assert!(matrix.contains(r#"<td class="no">403</td><td class="yes">yes</td>"#), "{matrix}");
    // The subjects stay.
    assert!(matrix.contains("Rita of the platform, who may read everything"), "{matrix}");
}

#[actix_web::test]
async fn decisions_are_counted() {
    let (service, _place) = service();
    for (email, path, summary) in [
        (
            MEMBER,
            "/assets/1/decisions",
            "Of 4 actions, <strong>3 allowed</strong> and <strong>1 denied</strong>.",
        ),
        (
            MEMBER,
            "/assets/4/decisions",
            "Of 4 actions, <strong>1 allowed</strong> and <strong>3 denied</strong>.",
        ),
        (
            READER,
            "/sensors/4/decisions?user=5",
            "Of 4 actions, <strong>4 allowed</strong> and <strong>0 denied</strong>.",
        ),
    ] {
        let page = Browser::logged_in(&service, email).await.get(&service, path).await;
        assert_page(&page, 200);
        assert!(page.body.contains(summary), "{}", page.body);
        let denied = page.body.matches(r#"<section class="decision denied">"#).count();
        assert_eq!(page.body.matches(": no</h2>").count(), denied, "{}", page.body);
        assert!(summary.contains(&format!("{denied} denied")), "{}", page.body);
    }
}

#[actix_web::test]
async fn a_log_tells_a_denial_as_a_sentence() {
    let (service, _place) = service();
    let mut member = Browser::logged_in(&service, MEMBER).await;
    for path in ["/assets/1/delete", "/guards"] {
        assert_page(&member.get(&service, path).await, 403);
    }
    service.flush().unwrap();
    let log = member.get(&service, "/users/1/audit-log").await;
    assert_page(&log, 200);
    for sentence in [
        r#"<td class="denied"><strong>Mia Member</strong> was not allowed to delete the asset 1 (no rule allows it): GET /assets/{asset_id}/delete.</td>"#,
        r#"<td class="denied"><strong>Mia Member</strong> was not let in by roles_accepted (no rule allows it): GET /guards.</td>"#,
    ] {
        assert!(log.body.contains(sentence), "{sentence}: {}", log.body);
    }
}
