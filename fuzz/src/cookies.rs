//! Cookies: sessions that the client keeps, and brings back as it likes.

use std::{mem::ManuallyDrop, time::SystemTime};

use actix_session::{SessionMiddleware, storage::CookieSessionStore};
use actix_web::{
    cookie::{Cookie, CookieJar, Key},
    http::{
        StatusCode,
        header::{COOKIE, HeaderValue},
    },
    test::TestRequest,
    web,
};
use auth_core::{
    Auth, CurrentUser, LoadError, NoConnection, auth_required,
    mechanism::{FindBySession, SessionCookie},
};
use serde_json::{Value, json};

use crate::{member::Member, service::Service};

/// A holder of this key can make any cookie, so it is for nothing else.
const KEY: [u8; 64] = [7; 64];

/// A session with an entry of this name that the service has not made gets the answer that the middleware is missing.
const RESERVED: &[u8] = b"auth-stand-in";

/// The input is the header `Cookie`, or several in as many lines. Behind a line `state` it is the state of a session, in
/// a cookie that is sealed with the service's key; behind a line `log-in`, the part of the state about a log-in; and
/// behind a line `edit`, bytes that replace those of such a cookie of a logged-in user, at a place for each byte.
///
/// A cookie logs a caller in only if the service has sealed it and it holds the log-in of a known user.
///
/// # Panics
///
/// If this does not hold.
#[must_use]
pub fn cookies(input: &[u8]) -> bool {
    if input.windows(RESERVED.len()).any(|text| text == RESERVED) {
        return false;
    }
    let (headers, log_in) = read(input);
    let Ok(values) =
        headers.iter().map(|header| HeaderValue::from_bytes(header)).collect::<Result<Vec<_>, _>>()
    else {
        return false;
    };
    let request = |uri| {
        values
            .iter()
            .fold(TestRequest::with_uri(uri), |request, value| request.append_header((COOKIE, value.clone())))
    };
    let answers = SERVICE.with(|service| ["/any", "/recent"].map(|uri| service.answer(request(uri))));
    for (status, body) in &answers {
        match *status {
            StatusCode::OK => {
                let Some(log_in) = &log_in else { panic!("somebody else's cookie is somebody's") };
                assert_eq!(body, "1");
                assert!(is_of_member(log_in), "{log_in} is no log-in of 1");
            }
            StatusCode::UNAUTHORIZED => {}
            other => panic!("{other}"),
        }
    }
    let [any, recent] = answers.map(|(status, _)| status == StatusCode::OK);
    assert!(any || !recent, "logged in for long enough, and not at all");
    if recent {
        assert!(log_in.as_ref().is_some_and(is_recent_or_graceful), "{log_in:?} is too old");
    }
    any
}

/// The headers, and the log-in that is sealed in them, if the service did that.
fn read(input: &[u8]) -> (Vec<Vec<u8>>, Option<Value>) {
    let mut lines = input.splitn(2, |byte| *byte == b'\n');
    let (first, rest) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let text = String::from_utf8_lossy(rest);
    match first {
        b"state" => {
            let state = serde_json::from_str::<Value>(&text).ok();
            let log_in = state.and_then(|state| serde_json::from_str(state.get("auth")?.as_str()?).ok());
            (vec![sealed(&text)], log_in)
        }
        b"log-in" => (vec![sealed(&json!({ "auth": text }).to_string())], serde_json::from_str(&text).ok()),
        b"edit" => {
            let good = sealed(&json!({ "auth": log_in_now().to_string() }).to_string());
            let mut edited = good.clone();
            for edit in rest.chunks_exact(2) {
                if let Some(byte) = edited.get_mut("id=".len() + usize::from(edit[0])) {
                    *byte = edit[1];
                }
            }
            let log_in = (edited == good).then(log_in_now);
            (vec![edited], log_in)
        }
        _ => (input.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect(), None),
    }
}

fn log_in_now() -> Value {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    json!({
        "id": 1,
        "since": { "secs_since_epoch": now.as_secs(), "nanos_since_epoch": now.subsec_nanos() },
        "grace": null,
    })
}

/// The header with a cookie that holds this state of a session.
fn sealed(state: &str) -> Vec<u8> {
    let mut jar = CookieJar::new();
    jar.private_mut(&Key::from(&KEY)).add(Cookie::new("id", state.to_owned()));
    let cookie = jar.get("id").unwrap();
    cookie.encoded().stripped().to_string().into_bytes()
}

/// By its text, which the application writes: `"01"` is a number, too.
fn is_of_member(log_in: &Value) -> bool {
    log_in["id"] == 1 || log_in["id"].as_str().is_some_and(|id| id.parse() == Ok(1))
}

fn is_recent_or_graceful(log_in: &Value) -> bool {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let seconds = |time: &Value| time["secs_since_epoch"].as_u64().unwrap();
    let since = seconds(&log_in["since"]);
    // The clock of another instance may be ahead by a minute.
    let recent = since <= now + 61 && now.saturating_sub(since) <= 15 * 60;
    recent || log_in["grace"].is_object() && seconds(&log_in["grace"]["until"]) + 1 >= now
}

impl FindBySession for Member {
    type Id = i32;
    type Connection = NoConnection;

    fn find_by_id(id: i32, _: &mut NoConnection) -> Result<Self, LoadError> {
        if id == 1 { Ok(Self(id.to_string())) } else { Err(LoadError::NotFound) }
    }
}

#[auth_required("session")]
async fn any(user: CurrentUser<Member>) -> String {
    user.0.clone()
}

#[auth_required("session", within = "15 min", grace = "1 h")]
async fn recent(user: CurrentUser<Member>) -> String {
    user.0.clone()
}

thread_local! {
    static SERVICE: ManuallyDrop<Service> = Service::new(|app| {
        let auth = Auth::builder().mechanism(SessionCookie::<Member>::new(NoConnection)).build().unwrap();
        let sessions = SessionMiddleware::new(CookieSessionStore::default(), Key::from(&KEY));
        let scope = web::scope("").wrap(sessions).route("/any", web::get().to(any)).route("/recent", web::get().to(recent));
        app.app_data(auth).service(scope);
    });
}
