//! Tokens and passwords: the header `Authorization`.

use std::{
    mem::ManuallyDrop,
    time::{Duration, SystemTime},
};

use actix_web::{
    http::{
        StatusCode,
        header::{AUTHORIZATION, HeaderValue},
    },
    test::TestRequest,
    web,
};
use auth_core::{
    Auth, CurrentUser, LoadError, NoConnection, auth_required,
    mechanism::{
        AttemptLimits, Attempts, BasicAuth, BearerToken, FindByClaims, FindByToken, FindByUsername, Jwt,
        PasswordHash, Passwords, TokenHash,
        jwt::{Algorithm, Key, Keys},
    },
};
use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use jsonwebtoken::{EncodingKey, crypto};
use serde_json::Value;

use crate::{member::Member, service::Service};

const OPAQUE: &str = "sesame";
const CREDENTIALS: &str = "mia:sesame";
const SECRET: &[u8] = &[7; 32];
const ISSUER: &str = "i";
const AUDIENCE: &str = "a";

/// The input is the header's value, or several in as many lines. Behind a line `jwt`, it is the header and the claims of
/// a token that gets a good signature; behind a line `basic`, the text that a client encodes as its username and
/// password.
///
/// A request gets in only by the one opaque token, the one password, or a token that is signed, from the issuer, for the
/// audience, and not expired.
///
/// # Panics
///
/// If this does not hold.
#[must_use]
pub fn tokens(input: &[u8]) -> bool {
    let values = values(input);
    let Ok(headers) =
        values.iter().map(|value| HeaderValue::from_bytes(value)).collect::<Result<Vec<_>, _>>()
    else {
        return false;
    };
    let request = headers
        .into_iter()
        .fold(TestRequest::get(), |request, header| request.append_header((AUTHORIZATION, header)));
    let (status, body) = SERVICE.with(|service| service.answer(request));
    let expected = match values.as_slice() {
        [only] => who(only),
        _ => Who::Nobody,
    };
    match (&expected, status) {
        (Who::Is(id) | Who::MayBe(id), StatusCode::OK) => assert_eq!(str::from_utf8(&body), Ok(id.as_str())),
        (Who::Nobody | Who::MayBe(_), StatusCode::UNAUTHORIZED) => {}
        _ => panic!("{status} for {expected:?}"),
    }
    status == StatusCode::OK
}

fn values(input: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = input.split(|byte| *byte == b'\n');
    match lines.next() {
        Some(b"jwt") => {
            let header = lines.next().unwrap_or_default();
            let claims = lines.collect::<Vec<_>>().join(&b'\n');
            vec![format!("Bearer {}", signed(header, &claims)).into_bytes()]
        }
        Some(b"basic") => {
            let credentials = lines.collect::<Vec<_>>().join(&b'\n');
            vec![format!("Basic {}", Base64::encode_string(&credentials)).into_bytes()]
        }
        first => first.into_iter().chain(lines).map(<[u8]>::to_vec).collect(),
    }
}

fn signed(header: &[u8], claims: &[u8]) -> String {
    let message =
        format!("{}.{}", Base64UrlUnpadded::encode_string(header), Base64UrlUnpadded::encode_string(claims));
    let signature = signature(&message);
    format!("{message}.{signature}")
}

fn signature(message: &str) -> String {
    crypto::sign(message.as_bytes(), &EncodingKey::from_secret(SECRET), Algorithm::HS256).unwrap()
}

/// The caller who gets in with a header, from the content of the header.
#[derive(Debug)]
enum Who {
    Nobody,
    Is(String),
    /// Not expired at the least.
    MayBe(String),
}

fn who(header: &[u8]) -> Who {
    let Some((scheme, credentials)) = str::from_utf8(header).ok().and_then(|header| header.split_once(' '))
    else {
        return Who::Nobody;
    };
    let credentials = credentials.trim_ascii_start();
    if scheme.eq_ignore_ascii_case("basic") && credentials == Base64::encode_string(CREDENTIALS.as_bytes()) {
        return Who::Is("2".to_owned());
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Who::Nobody;
    }
    if credentials == OPAQUE {
        return Who::Is("1".to_owned());
    }
    subject_of(credentials).map_or(Who::Nobody, Who::MayBe)
}

/// The subject of a good token.
fn subject_of(token: &str) -> Option<String> {
    let (message, signed) = token.rsplit_once('.')?;
    let (header, claims) = message.split_once('.')?;
    let json = |part| serde_json::from_slice::<Value>(&Base64UrlUnpadded::decode_vec(part).ok()?).ok();
    let (header, claims) = (json(header)?, json(claims)?);
    let is_signed = signature(message) == signed && header["alg"] == "HS256" && header["kid"] == "k";
    let now = SystemTime::UNIX_EPOCH.elapsed().ok()?.as_secs_f64();
    // Clocks may be off by a minute.
    let is_now = claims["exp"].as_f64()? > now - 61.0
        && (claims["nbf"].is_null() || claims["nbf"].as_f64()? < now + 61.0);
    let is_for_us = claims["iss"] == ISSUER
        && match &claims["aud"] {
            Value::Array(several) => several.iter().any(|audience| audience == AUDIENCE),
            one => one == AUDIENCE,
        };
    let has_extensions = header.get("crit").is_some_and(|crit| !crit.is_null());
    (is_signed && is_now && is_for_us && !has_extensions)
        .then(|| claims["sub"].as_str().map(str::to_owned))?
}

impl FindByToken for Member {
    type Connection = NoConnection;

    fn find_by_token(token: &TokenHash, _: &mut NoConnection) -> Result<Self, LoadError> {
        if *token == TokenHash::of(OPAQUE) { Ok(Self("1".to_owned())) } else { Err(LoadError::NotFound) }
    }
}

impl FindByClaims for Member {
    type Claims = Value;
    type Connection = NoConnection;

    fn find_by_claims(claims: Value, _: &mut NoConnection) -> Result<Self, LoadError> {
        claims["sub"].as_str().map(|sub| Self(sub.to_owned())).ok_or(LoadError::NotFound)
    }
}

thread_local! {
    static STORED: PasswordHash = cheap().hash("sesame").unwrap();
    static SERVICE: ManuallyDrop<Service> = Service::new(|app| {
        app.app_data(auth()).route("/", web::get().to(who_am_i));
    });
}

impl FindByUsername for Member {
    type Connection = NoConnection;

    fn find_by_username(username: &str, _: &mut NoConnection) -> Result<(Self, PasswordHash), LoadError> {
        if username == "mia" {
            Ok((Self("2".to_owned()), STORED.with(Clone::clone)))
        } else {
            Err(LoadError::NotFound)
        }
    }
}

/// The cost is not tested here.
fn cheap() -> Passwords {
    Passwords::with_cost(8, 1, 1).unwrap()
}

#[auth_required("token", "basic")]
async fn who_am_i(user: CurrentUser<Member>) -> String {
    user.0.clone()
}

fn auth() -> Auth {
    let key = Key::secret(Algorithm::HS256, SECRET).unwrap();
    let tokens = Jwt::<Member>::builder(NoConnection, Keys::by_id([("k", key)]).unwrap())
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .or_opaque(BearerToken::<Member>::new(NoConnection))
        .build()
        .unwrap();
    let limits =
        AttemptLimits::default().per_account(u32::MAX, Duration::ZERO).per_address(u32::MAX, Duration::ZERO);
    let basic = BasicAuth::<Member>::new(NoConnection).passwords(cheap()).attempts(Attempts::new(limits));
    Auth::builder().mechanism(tokens).mechanism(basic).build().unwrap()
}
