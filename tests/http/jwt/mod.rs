//! JSON Web Tokens: a service that takes them, and their signers.

mod keys;
mod subjects;
mod tokens;

use std::time::UNIX_EPOCH;

use actix_web::{Responder, get};
use auth_core::{
    AdminRoles, Auth, CurrentUser, Id, IdRef, LoadError, MaybeUser, NoConnection, Subject, auth_required,
    auth_token_required,
    mechanism::{
        FindByClaims, Jwt,
        jwt::{Algorithm, JwtBuilder, Key, KeyError, Keys},
    },
    public, roles_required,
};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use diesel::prelude::*;
use jsonwebtoken::{EncodingKey, crypto};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    client::{Response, Service},
    fixture::{Member, World, members},
};

const ISSUER: &str = "https://login.example.org";
const AUDIENCE: &str = "https://plant.example.org";

const EC: &[u8] = include_bytes!("pem/ec.pem");
const EC_PUBLIC: &str = include_str!("pem/ec.pub.pem");
const EC_OTHER: &[u8] = include_bytes!("pem/ec-other.pem");
const ED: &[u8] = include_bytes!("pem/ed.pem");
const ED_PUBLIC: &str = include_str!("pem/ed.pub.pem");
const RSA: &[u8] = include_bytes!("pem/rsa.pem");
const RSA_PUBLIC: &str = include_str!("pem/rsa.pub.pem");

pub(crate) const SECRET: &[u8] = b"thirty-two bytes that nobody has";

#[derive(Deserialize)]
pub(crate) struct Claims {
    sub: String,
}

impl FindByClaims for Member {
    type Claims = Claims;
    type Connection = SqliteConnection;

    fn find_by_claims(claims: Claims, connection: &mut SqliteConnection) -> Result<Self, LoadError> {
        let id: i32 = claims.sub.parse().map_err(|_| LoadError::NotFound)?;
        Ok(members::table.find(id).select(Self::as_select()).first(connection)?)
    }
}

/// A subject that is made of the claims of the token.
#[derive(Deserialize)]
struct Claimed {
    sub: Id,
    roles: Vec<String>,
}

impl Subject for Claimed {
    fn id(&self) -> IdRef<'_> {
        self.sub.as_id_ref()
    }

    fn account_id(&self) -> Option<IdRef<'_>> {
        None
    }

    fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own == role)
    }

    fn account_has_role(&self, _: &str) -> bool {
        false
    }

    fn admin_roles(&self) -> AdminRoles {
        AdminRoles::none()
    }
}

impl FindByClaims for Claimed {
    type Claims = Self;
    type Connection = NoConnection;

    fn find_by_claims(claims: Self, _: &mut NoConnection) -> Result<Self, LoadError> {
        Ok(claims)
    }
}

#[auth_token_required]
#[get("/mine")]
async fn mine(user: CurrentUser<Member>) -> impl Responder {
    user.id().to_string()
}

#[auth_token_required]
#[get("/claimed")]
async fn claimed(user: CurrentUser<Claimed>) -> impl Responder {
    user.id().to_string()
}

#[auth_required("token", within = "15 min")]
#[get("/fresh")]
async fn fresh() -> impl Responder {
    "ok"
}

#[roles_required("chef")]
#[get("/kitchen")]
async fn kitchen() -> impl Responder {
    "ok"
}

#[public]
#[get("/open")]
async fn open(user: MaybeUser<Member>) -> impl Responder {
    user.as_ref().map_or_else(|| "nobody".to_owned(), |user| user.id().to_string())
}

/// Takes tokens of the issuer for the audience, signed with these keys, for the members of the world.
fn tokens(world: &World, keys: impl Into<Keys>) -> JwtBuilder<Member> {
    Jwt::builder(world.pool.clone(), keys).issuer(ISSUER).audience(AUDIENCE)
}

fn serve<S: FindByClaims>(jwt: JwtBuilder<S>) -> Service {
    let auth = Auth::builder().mechanism(jwt.build().unwrap()).build().unwrap();
    Service::start(move |app| {
        app.app_data(auth.clone()).service((mine, claimed, fresh, kitchen, open));
    })
}

/// A service with this one key, and a world that does not change.
fn with_key(key: Result<Key, KeyError>) -> Service {
    serve(tokens(&World::new(), key.unwrap()))
}

/// With a secret.
pub(crate) fn service_with_secret() -> Service {
    with_key(Key::secret(Algorithm::HS256, SECRET))
}

fn now() -> i64 {
    UNIX_EPOCH.elapsed().unwrap().as_secs().try_into().unwrap()
}

fn seconds_ago(seconds: f64) -> f64 {
    UNIX_EPOCH.elapsed().unwrap().as_secs_f64() - seconds
}

/// The claims of a good token of member 1.
fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "1", "iat": now(), "exp": now() + 600 })
}

/// Good claims, but for these; `null` takes one away.
fn claims_with(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => _ = claims.as_object_mut().unwrap().remove(name),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

fn signing_key(algorithm: Algorithm, pem: &[u8]) -> EncodingKey {
    match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => EncodingKey::from_secret(pem),
        Algorithm::ES256 => EncodingKey::from_ec_pem(pem).unwrap(),
        Algorithm::EdDSA => EncodingKey::from_ed_pem(pem).unwrap(),
        _ => EncodingKey::from_rsa_pem(pem).unwrap(),
    }
}

/// A token of this header and this payload, of any content, signed with the algorithm.
fn sign_raw(algorithm: Algorithm, pem: &[u8], header: &[u8], payload: &[u8]) -> String {
    let encode = Base64UrlUnpadded::encode_string;
    let message = format!("{}.{}", encode(header), encode(payload));
    let signature = crypto::sign(message.as_bytes(), &signing_key(algorithm, pem), algorithm).unwrap();
    format!("{message}.{signature}")
}

fn sign_with(algorithm: Algorithm, pem: &[u8], header: &Value, claims: &Value) -> String {
    sign_raw(algorithm, pem, header.to_string().as_bytes(), claims.to_string().as_bytes())
}

pub(crate) fn sign(algorithm: Algorithm, pem: &[u8], claims: &Value) -> String {
    sign_with(algorithm, pem, &json!({ "typ": "JWT", "alg": algorithm }), claims)
}

/// A good token that names its key.
fn sign_by_id(algorithm: Algorithm, pem: &[u8], id: &str) -> String {
    sign_with(algorithm, pem, &json!({ "alg": algorithm, "kid": id }), &claims())
}

fn get(service: &Service, token: &str) -> Response {
    service.get("/mine", Some(token))
}

/// Every refused caller gets one answer.
#[track_caller]
fn assert_refused(response: &Response) {
    assert_eq!(response.status, 401, "{response:?}");
    assert_eq!(response.header("www-authenticate"), Some(r#"Bearer error="invalid_token""#));
    assert_eq!(
        response.body,
        r#"{"type":"about:blank","title":"Unauthorized","status":401,"detail":"you must log in to do this"}"#
    );
}

#[track_caller]
fn assert_let_in(response: &Response, id: &str) {
    assert_eq!((response.status.as_u16(), response.body.as_str()), (200, id), "{response:?}");
}
