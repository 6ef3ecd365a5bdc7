//! Bodies and tokens that nest deeper than a thread's stack: parsing before any verification has a limit.
//!
//! A stack that overflows ends the process, so each test runs in a process of its own.

use std::{env, process::Command};

use actix_web::{Responder, post, web};
use auth_core::{auth_required, public};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Value, json};

use crate::{client::Service, fixture::World, jwt::service_with_secret};

/// The name that marks a text of its own in `serde_json`, where its feature `raw_value` is on: each such text is parsed
/// from the start, with a whole recursion limit of its own.
const RAW: &str = "$serde_json::private::RawValue";

#[public(reason = "it only counts")]
#[post("/documents")]
async fn count(document: web::Json<Value>) -> impl Responder {
    document.as_object().map_or(0, serde_json::Map::len).to_string()
}

#[auth_required]
#[post("/private-documents")]
async fn count_privately(document: web::Json<Value>) -> impl Responder {
    document.as_object().map_or(0, serde_json::Map::len).to_string()
}

/// Arrays in arrays, deeper each time than the parser of one text goes.
fn deep(texts: usize) -> String {
    let (open, close) = ("[".repeat(120), "]".repeat(120));
    (0..texts).fold("null".to_owned(), |inner, _| {
        let inner = Value::from(inner);
        format!(r#"{open}{{"{RAW}":{inner}}}{close}"#)
    })
}

/// Runs this test once more, in a process that may end by it.
fn in_a_process_of_its_own(test: &str, work: impl FnOnce()) {
    const CHILD: &str = "AUTH_TEST_NESTED";

    if env::var_os(CHILD).is_some() {
        return work();
    }
    let name = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
    let run = Command::new(env::current_exe().unwrap())
        .args(["--exact", &name, "--test-threads", "1"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{:?}: {}{said}", run.status, String::from_utf8_lossy(&run.stdout));
    assert!(String::from_utf8_lossy(&run.stdout).contains("1 passed"), "{name} is no test");
}

#[test]
fn a_body_that_nests_deeply_is_answered() {
    in_a_process_of_its_own("a_body_that_nests_deeply_is_answered", || {
        let auth = World::new().auth();
        let service =
            Service::start(move |app| _ = app.app_data(auth.clone()).service((count, count_privately)));
        let raw = format!(r#"{{"{RAW}":{}}}"#, Value::from(deep(12)));
        assert!(raw.len() < 100_000, "{}", raw.len());
        let send = |path: &str, body: &str| {
            let answer = service.send("POST", path, None, Some(body));
            (answer.status.as_u16(), answer.body)
        };
        // Nothing but an object with one member.
        assert_eq!(send("/documents", &raw), (200, "1".to_owned()));
        assert_eq!(send("/documents", &deep(12)).0, 200);
        for body in [
            "[".repeat(100_000),
            format!("{}{}", "[".repeat(50_000), "]".repeat(50_000)),
            r#"{"a":"#.repeat(20_000),
        ] {
            assert_eq!(send("/documents", &body).0, 400);
            assert_eq!(send("/private-documents", &body).0, 401);
        }
    });
}

#[test]
fn a_token_that_nests_deeply_is_refused() {
    in_a_process_of_its_own("a_token_that_nests_deeply_is_refused", || {
        let service = service_with_secret();
        let encode = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
        let raw = Value::from(deep(10));
        let members = [
            format!(r#""x":{{"{RAW}":{raw}}}"#),
            format!(r#""jwk":{{"{RAW}":{raw}}}"#),
            format!(r#""x":{}"#, "[".repeat(5000)),
            format!(r#""x":{}{}"#, "[".repeat(4000), "]".repeat(4000)),
            format!(r#""jwk":{}1{}"#, r#"{"kty":"#.repeat(800), "}".repeat(800)),
            format!(r#""crit":{}{}"#, "[".repeat(4000), "]".repeat(4000)),
            format!(r#""kid":{}{}"#, "[".repeat(4000), "]".repeat(4000)),
            format!(r#""alg":{}{}"#, "[".repeat(4000), "]".repeat(4000)),
        ];
        for member in members {
            let header = encode(&format!(r#"{{"alg":"HS256",{member}}}"#));
            let claims = encode(&format!("{{{member}}}"));
            let plain = encode(r#"{"alg":"HS256"}"#);
            for token in [
                format!("{header}.{}.{}", encode("{}"), encode("signature")),
                format!("{plain}.{claims}.{}", encode("signature")),
                format!("{plain}.{}.{claims}", encode("{}")),
            ] {
                let answer = service.get("/mine", Some(&token));
                assert_eq!(answer.status, 401, "{} bytes: {}", token.len(), &member[..40]);
            }
        }
    });
}

/// Fails if a feature of `serde_json` changes a body, whichever crate of the program switched it on.
#[test]
fn no_feature_of_serde_json_makes_something_else_of_a_body() {
    for name in [RAW, "$serde_json::private::Number"] {
        let value: Value = serde_json::from_str(&json!({ name: "1" }).to_string()).unwrap();
        assert_eq!(value, json!({ name: "1" }), "a feature of serde_json takes `{name}` for its own");
    }
    // Also with `unbounded_depth`, this limit holds until a caller disables it, and then this fails.
    let nested = format!("{}{}", "[".repeat(129), "]".repeat(129));
    assert!(serde_json::from_str::<Value>(&nested).is_err());
}
