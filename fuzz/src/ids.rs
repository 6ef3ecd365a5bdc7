//! Ids in a path, a query and a header.

use std::{
    fmt::{Debug, Display},
    hash::Hash,
    mem::ManuallyDrop,
    str::FromStr,
};

use actix_web::{
    HttpRequest, Responder,
    http::{
        StatusCode, Uri,
        header::{HeaderName, HeaderValue},
    },
    test::TestRequest,
    web::{self, Query},
};
use auth_core::{
    Acl, Auth, AuthModel, Id, IdRef, LoadContext, LoadContexts, LoadError, NoConnection, Permission, User,
    allow, every_logged_in_user, permission_required_for_context, test::AlwaysAs,
};
use serde_json::{from_slice, from_str, to_string};
use uuid::Uuid;

use crate::service::Service;

const X_ID: HeaderName = HeaderName::from_static("x-id");

/// The input is a part of a path, a query and the value of a header, in a line each.
///
/// The context that a guard loads is the one whose number or name the request has in that place, as the handler reads it,
/// and there is only one such text. An [`Id`] is its text.
///
/// # Panics
///
/// If this does not hold.
#[must_use]
pub fn ids(input: &[u8]) -> bool {
    let mut lines = input.splitn(3, |byte| *byte == b'\n');
    let [part, query, header] = [(); 3].map(|()| lines.next().unwrap_or_default());
    for text in [part, query, header] {
        is_its_text(&String::from_utf8_lossy(text));
    }
    let (Ok(part), Ok(query)) = (str::from_utf8(part), str::from_utf8(query)) else { return false };
    let Ok(header) = HeaderValue::from_bytes(header) else { return false };
    let mut numbers = false;
    for (key, is_the_same) in KEYS {
        for place in ["path", "query", "header", "list", "pair"] {
            let Ok(uri) = format!("/{place}/{key}/{part}?{query}").parse::<Uri>() else { return false };
            let request = TestRequest::with_uri(&uri.to_string()).insert_header((X_ID, header.clone()));
            let (status, body) = SERVICE.with(|service| service.answer(request));
            if status != StatusCode::OK {
                assert!(
                    matches!(status, StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN),
                    "{status}"
                );
                continue;
            }
            let Parsed(loaded, read) = from_slice(&body).map(|(loaded, read)| Parsed(loaded, read)).unwrap();
            let is_loaded = |text: &String| loaded.iter().any(|id| is_the_same(text, id));
            let is_read = |id: &String| read.iter().any(|text| is_the_same(text, id));
            assert!(
                read.iter().all(is_loaded) && loaded.iter().all(is_read),
                "{uri}: {loaded:?} for {read:?}"
            );
            assert!(place == "list" || loaded.len() == read.len(), "{uri}: {loaded:?} for {read:?}");
            numbers |= key == "i32";
        }
    }
    numbers
}

/// The loaded id, and the id that the handler read.
struct Parsed(Vec<String>, Vec<String>);

/// Whether a text names the loaded id.
type IsTheSame = fn(&str, &str) -> bool;

const KEYS: [(&str, IsTheSame); 4] =
    [("i32", is_number), ("i64", is_number), ("uuid", is_uuid), ("id", |text, loaded| text == loaded)];

/// By the digits alone, for a number might wrap.
fn is_number(text: &str, loaded: &str) -> bool {
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'-') => ("-", &text[1..]),
        Some(b'+') => ("", &text[1..]),
        _ => ("", text),
    };
    let significant = digits.trim_start_matches('0');
    match significant {
        "" => !digits.is_empty() && loaded == "0",
        significant => {
            significant.bytes().all(|byte| byte.is_ascii_digit()) && loaded == format!("{sign}{significant}")
        }
    }
}

/// By the 32 digits, in any spelling.
fn is_uuid(text: &str, loaded: &str) -> bool {
    let digits = |text: &str| -> String {
        text.trim_start_matches("urn:uuid:")
            .chars()
            .filter(char::is_ascii_hexdigit)
            .collect::<String>()
            .to_ascii_lowercase()
    };
    digits(text) == digits(loaded) && digits(text).len() == 32
}

fn is_its_text(text: &str) {
    let id = Id::from(text);
    assert_eq!(id.to_string(), text);
    assert_eq!(id, IdRef::from(text));
    assert_eq!(text.parse(), Ok(id.clone()));
    assert_eq!(from_str::<Id>(&to_string(&id).unwrap()).unwrap(), id);
    if let Ok(number) = text.parse::<i64>() {
        assert_eq!(id == IdRef::from(number), number.to_string() == text, "{text}");
    }
    if let Ok(uuid) = text.parse::<Uuid>() {
        assert_eq!(id == IdRef::from(uuid), uuid.to_string() == text, "{text}");
    }
}

/// The types of ids here.
trait Key: FromStr + Debug + Display + Clone + Eq + Hash + Send + 'static {}

impl<K: FromStr + Debug + Display + Clone + Eq + Hash + Send + 'static> Key for K {}

/// Exists for every key.
struct Anything<K>(K);

impl<K: Key> LoadContext for Anything<K> {
    type Id = K;
    type Connection = NoConnection;

    fn load(key: K, _: &mut NoConnection) -> Result<Self, LoadError> {
        Ok(Self(key))
    }
}

impl<K: Key> LoadContexts for Anything<K> {
    fn load_all(keys: &[K], _: &mut NoConnection) -> Result<Vec<(K, Self)>, LoadError> {
        Ok(keys.iter().map(|key| (key.clone(), Self(key.clone()))).collect())
    }
}

impl<K: Key> AuthModel for Anything<K> {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, every_logged_in_user())
    }
}

/// A context with a key of two parts.
struct Pair<K>(K, i32);

impl<K: Key> LoadContext for Pair<K> {
    type Id = (K, i32);
    type Connection = NoConnection;

    fn load((key, number): (K, i32), _: &mut NoConnection) -> Result<Self, LoadError> {
        Ok(Self(key, number))
    }
}

impl<K: Key> AuthModel for Pair<K> {
    fn acl(&self) -> impl Acl {
        allow(Permission::READ, every_logged_in_user())
    }
}

type Pairs = Query<Vec<(String, String)>>;

fn named(query: &Pairs) -> Vec<&str> {
    query.iter().filter(|(name, _)| name == "id").map(|(_, text)| text.as_str()).collect()
}

fn in_header(request: &HttpRequest) -> Vec<&str> {
    request.headers().get_all(X_ID).map(|value| value.to_str().unwrap()).collect()
}

#[permission_required_for_context("read", ctx_arg = "context", id = "id")]
async fn by_path<K: Key>(context: Anything<K>, read: web::Path<String>) -> impl Responder {
    web::Json(([context.0.to_string()], [read.into_inner()]))
}

#[permission_required_for_context("read", ctx_arg = "context", id = query("id"))]
async fn by_query<K: Key>(context: Anything<K>, query: Pairs) -> impl Responder {
    web::Json(([context.0.to_string()], named(&query).into_iter().map(str::to_owned).collect::<Vec<_>>()))
}

#[permission_required_for_context("read", ctx_arg = "context", id = header("x-id"))]
async fn by_header<K: Key>(context: Anything<K>, request: HttpRequest) -> impl Responder {
    web::Json((
        [context.0.to_string()],
        in_header(&request).into_iter().map(str::to_owned).collect::<Vec<_>>(),
    ))
}

#[permission_required_for_context("read", ctx_arg = "contexts", id = query("id"))]
async fn by_list<K: Key>(contexts: Vec<Anything<K>>, query: Pairs) -> impl Responder {
    let loaded: Vec<String> = contexts.iter().map(|context| context.0.to_string()).collect();
    web::Json((loaded, named(&query).into_iter().map(str::to_owned).collect::<Vec<_>>()))
}

#[permission_required_for_context("read", ctx_arg = "pair", id = ("id", header("x-id")))]
async fn by_pair<K: Key>(pair: Pair<K>, read: web::Path<String>, request: HttpRequest) -> impl Responder {
    // The second part is a number, with any first one.
    let [second] = in_header(&request)[..] else { panic!("not one header") };
    assert!(is_number(second, &pair.1.to_string()), "{} for {second}", pair.1);
    web::Json(([pair.0.to_string()], [read.into_inner()]))
}

thread_local! {
    static SERVICE: ManuallyDrop<Service> = Service::new(|app| {
        app.app_data(Auth::builder().mechanism(AlwaysAs(User::new(1))).build().unwrap());
        keyed_by::<i32>("i32", app);
        keyed_by::<i64>("i64", app);
        keyed_by::<Uuid>("uuid", app);
        keyed_by::<Id>("id", app);
    });
}

fn keyed_by<K: Key>(name: &str, app: &mut web::ServiceConfig) {
    app.route(&format!("/path/{name}/{{id}}"), web::get().to(by_path::<K>))
        .route(&format!("/query/{name}/{{id}}"), web::get().to(by_query::<K>))
        .route(&format!("/header/{name}/{{id}}"), web::get().to(by_header::<K>))
        .route(&format!("/list/{name}/{{id}}"), web::get().to(by_list::<K>))
        .route(&format!("/pair/{name}/{{id}}"), web::get().to(by_pair::<K>));
}
