//! The example of the chapter about deploying, word for word as it is there. Its configuration of nginx is tried by the
//! energy service.

use actix_web::test::TestRequest;
use auth_core::mechanism::{AttemptLimits, Attempts, ForwardedHeader, InvalidProxy, TrustedProxies};

const CHAPTER: &str = include_str!("../../docs/deploying.md");

fn attempts() -> Result<Attempts, InvalidProxy> {
    let proxies = TrustedProxies::new(ForwardedHeader::XForwardedFor, ["127.0.0.1", "::1"])?;
    Ok(Attempts::default().behind(proxies))
}

#[test]
fn the_proxy_of_the_chapter_says_where_callers_are() {
    let from = |peer: &str| {
        let request = TestRequest::default().insert_header(("x-forwarded-for", "198.51.100.9, 192.0.2.1"));
        let request = request.peer_addr(peer.parse().unwrap()).to_http_request();
        attempts().unwrap().address_of(&request).unwrap().to_string()
    };
    assert_eq!(from("127.0.0.1:4711"), "192.0.2.1");
    assert_eq!(from("203.0.113.7:4711"), "203.0.113.7");
}

#[actix_web::test]
async fn the_limits_are_those_of_the_chapter() {
    assert!(
        CHAPTER.contains("| 10, and one more each minute |")
            && CHAPTER.contains("| 50, and one more each 5 s |")
    );
    let attempts = Attempts::new(AttemptLimits::default());
    for account in 0..5 {
        for _ in 0..10 {
            drop(attempts.begin(&account.to_string(), Some([192, 0, 2, 1].into())).await.unwrap());
        }
    }
    // The account, and then the address once the reserve of the account is used up.
    let begin = |account: &'static str, last| attempts.begin(account, Some([192, 0, 2, last].into()));
    assert!(begin("0", 2).await.unwrap_err().retry_after.as_secs() > 50);
    drop(begin("mia", 1).await.unwrap());
    assert!(begin("mia", 1).await.unwrap_err().retry_after.as_secs() <= 5);
    assert!(begin("mia", 2).await.is_ok());
}
