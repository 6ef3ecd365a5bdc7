//! JSON Web Tokens (RFC 7519), which another service may have issued; behind the feature `jwt`.
//!
//! A token is checked by a key of the application's own choice, for the one algorithm that the key is for, and
//! has to be from the issuer and for the audience that the application names. Its claims then become the
//! subject: looked up, so that a revoked role or a deactivated user is seen at once, or believed as it is.
//!
//! ```
//! use actix_web::{App, Responder, get};
//! use auth_core::{
//!     Auth, LoadError, NoConnection, User, auth_token_required,
//!     mechanism::{FindByClaims, Jwt, jwt::{Algorithm, Key}},
//! };
//! use serde::Deserialize;
//!
//! struct Member {
//!     id: i32,
//! }
//! # impl auth_core::Subject for Member {
//! #     fn id(&self) -> auth_core::IdRef<'_> { self.id.into() }
//! #     fn account_id(&self) -> Option<auth_core::IdRef<'_>> { None }
//! #     fn has_role(&self, _: &str) -> bool { false }
//! #     fn account_has_role(&self, _: &str) -> bool { false }
//! #     fn admin_roles(&self) -> auth_core::AdminRoles { auth_core::AdminRoles::none() }
//! # }
//!
//! /// What this application reads of a token, besides what is checked anyway.
//! #[derive(Deserialize)]
//! struct Claims {
//!     sub: String,
//! }
//!
//! impl FindByClaims for Member {
//!     type Claims = Claims;
//!     type Connection = NoConnection;
//!
//!     fn find_by_claims(claims: Claims, _: &mut NoConnection) -> Result<Self, LoadError> {
//!         let id = claims.sub.parse().map_err(|_| LoadError::NotFound)?;
//!         if id == 2 { Ok(Self { id }) } else { Err(LoadError::NotFound) }
//!     }
//! }
//!
//! #[auth_token_required]
//! #[get("/profile")]
//! async fn profile() -> impl Responder {
//!     "…"
//! }
//!
//! # let pem = "-----BEGIN PUBLIC KEY-----
//! # MCowBQYDK2VwAyEA2X5CmgF/klcGRwKrtWIuIsO1Qu+Pazk+OGxLsW4dTRc=
//! # -----END PUBLIC KEY-----";
//! let jwt = Jwt::<Member>::builder(NoConnection, Key::public(Algorithm::EdDSA, pem)?)
//!     .issuer("https://login.example.org")
//!     .audience("https://plant.example.org")
//!     .build()?;
//! let auth = Auth::builder().mechanism(jwt).build()?;
//! let app = App::new().app_data(auth).service(profile);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The type of a token (`typ`) is not looked at. If the issuer makes other tokens for this audience, such as ID tokens,
//! distinguish them by a claim in `find_by_claims`.
//!
//! A token is good until it expires, wherever it is by then. So let it live for minutes, and let
//! [`FindByClaims`] refuse what was revoked before.

mod key;
mod keys;
mod verifier;

use std::{sync::Arc, time::Duration};

use actix_web::HttpRequest;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// How a token is signed: an algorithm of `jsonwebtoken`.
#[doc(no_inline)]
pub use jsonwebtoken::Algorithm;

use self::verifier::{MAX_LENGTH, Refusal, Verified, Verifier};
pub use self::{
    key::{Key, KeyError},
    keys::Keys,
};
use super::{
    Authenticated, BearerToken, Begun, CLOCK_SKEW, Challenge, FindByToken, Mechanism, Refused, Rejection,
    Scheme, Work, authorization,
    bearer::{self, SCHEME},
    begun,
};
use crate::{
    context::{ConnectionSource, LoadError, with_connection},
    vocabulary::Subject,
};

/// More than this is no difference of clocks.
const MAX_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// How a subject is found by what its token claims.
///
/// Every request with a good token calls it. For users who must no longer get in and for revoked tokens return `NotFound`.
/// With [`NoConnection`](crate::NoConnection) the token alone is believed, until it expires.
///
/// The [module](crate::mechanism::jwt) has an example.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be found by the claims of a token",
    note = "implement `auth_core::mechanism::FindByClaims` for `{Self}`"
)]
pub trait FindByClaims: Subject + Sized {
    /// The claims that are read of the token. A token without them is refused.
    type Claims: DeserializeOwned;

    /// The connection that [`find_by_claims`](Self::find_by_claims) needs, usually a diesel connection.
    type Connection: 'static;

    /// Finds the subject. May block: it is called on a thread for blocking work.
    ///
    /// # Errors
    ///
    /// [`LoadError::NotFound`] if these claims let no user in, [`LoadError::Unavailable`] if the store
    /// failed.
    fn find_by_claims(claims: Self::Claims, connection: &mut Self::Connection) -> Result<Self, LoadError>;
}

/// The mechanism `token` for JSON Web Tokens: `Authorization: Bearer <token>`.
///
/// A good token is signed (RFC 7515, compact) by one of the keys, with the algorithm of that key. It has an
/// end (`exp`), and is not used after it, nor before its beginning (`nbf`) if it has one. It is from the
/// issuer (`iss`) and for the audience (`aud`) that were named. It has at most 16 KiB and requires no
/// extensions (`crit`). Every other token is a 401 with `error="invalid_token"`; the log has the reason.
///
/// For guards that require a recent log-in (`within = "…"`), the subject logged in at `auth_time`, or at
/// `iat` if that is earlier or alone. A token with neither is never recent.
///
/// All bearer tokens are this mechanism's, unless [`or_opaque`](JwtBuilder::or_opaque) says otherwise.
pub struct Jwt<S: FindByClaims> {
    verifier: Arc<Verifier>,
    pool: Arc<dyn ConnectionSource<Connection = S::Connection>>,
    opaque: Option<Box<OpaqueWork>>,
}

/// Looks up a token that is no JSON Web Token.
type OpaqueWork = dyn Fn(&HttpRequest) -> Result<Option<Work>, Rejection> + Send + Sync;

impl<S: FindByClaims> Jwt<S> {
    /// Checks tokens with these keys, and looks subjects up over the connections of this pool.
    pub fn builder(
        pool: impl ConnectionSource<Connection = S::Connection>,
        keys: impl Into<Keys>,
    ) -> JwtBuilder<S> {
        JwtBuilder {
            keys: keys.into(),
            pool: Arc::new(pool),
            issuer: String::new(),
            audiences: Vec::new(),
            leeway: CLOCK_SKEW,
            opaque: None,
        }
    }

    /// Checks the request's token, if it has one, and looks up the subject.
    fn work(&self, request: &HttpRequest) -> Result<Option<Work>, Rejection> {
        let Some(token) = authorization::credentials(request, SCHEME)? else {
            // Opaque tokens may have no scheme.
            return self.opaque.as_ref().map_or(Ok(None), |opaque| opaque(request));
        };
        if let Some(opaque) = self.opaque.as_ref().filter(|_| !is_jwt(token)) {
            return opaque(request);
        }
        if token.len() > MAX_LENGTH {
            return Err(refuse(&Refusal::TooLong));
        }
        let (token, verifier, pool) = (token.to_owned(), Arc::clone(&self.verifier), Arc::clone(&self.pool));
        // Checking a signature takes about as long as a query of a database.
        Ok(Some(Box::new(move || {
            let Verified { claims, since } = verifier.verify(&token)?;
            let find = |connection: &mut S::Connection| S::find_by_claims(claims, connection);
            let subject = with_connection(&*pool, find).map_err(|error| match error {
                LoadError::NotFound => Refusal::Nobody.into(),
                error @ LoadError::Unavailable(_) => Refused::from(error),
            })?;
            let authenticated = Authenticated::from(subject);
            Ok(match since {
                Some(time) => authenticated.since(time),
                None => authenticated,
            })
        })))
    }
}

impl From<Refusal> for Refused {
    fn from(reason: Refusal) -> Self {
        Self::new(move || Some(refuse(&reason)))
    }
}

fn refuse(reason: &Refusal) -> Rejection {
    tracing::info!(target: "auth", %reason, "a JSON Web Token was refused");
    Rejection::BadCredentials
}

impl<S: FindByClaims> Mechanism for Jwt<S> {
    fn name(&self) -> &'static str {
        "token"
    }

    fn challenge(&self, challenge: &Challenge) -> Option<String> {
        Some(bearer::challenge(challenge))
    }

    fn scheme(&self) -> Option<Scheme> {
        // An opaque token is none.
        Some(Scheme::Bearer { format: self.opaque.is_none().then_some("JWT") })
    }

    fn begin(&self, request: &HttpRequest) -> Result<Begun, Rejection> {
        self.work(request).map(Begun::from)
    }

    async fn authenticate(&self, request: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        begun::run(self.work(request)?).await
    }
}

/// Whether this is a JSON Web Token and no opaque one: three parts, of which the first is a JSON object in
/// base64url. There, `{` with a quotation mark or a space behind it becomes `ey`, and with a tab or the end of
/// a line `ew`.
fn is_jwt(token: &[u8]) -> bool {
    (token.starts_with(b"ey") || token.starts_with(b"ew")) && token.split(|byte| *byte == b'.').count() == 3
}

/// Collects what a [`Jwt`] checks.
#[must_use = "call `build`"]
pub struct JwtBuilder<S: FindByClaims> {
    keys: Keys,
    pool: Arc<dyn ConnectionSource<Connection = S::Connection>>,
    issuer: String,
    audiences: Vec<String>,
    leeway: Duration,
    opaque: Option<Box<OpaqueWork>>,
}

impl<S: FindByClaims> JwtBuilder<S> {
    /// The issuer of the tokens, which has these keys, as tokens name it in `iss`.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// The audience of the tokens, which is this service, as they name it in `aud`. Called again, it adds another name of it.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// How far the issuer's clock may be off, in whole seconds. Left out: one minute. At most five.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Takes opaque tokens as well. A JSON Web Token has three parts between dots, of which the first is a
    /// JSON object in base64url and so begins with `ey` or `ew`. Every other bearer token is an opaque one.
    ///
    /// A token of the one kind never becomes one of the other: a JSON Web Token that is refused is not looked
    /// up as an opaque one. A token without a scheme, if [`BearerToken::or_bare`] takes it, is an opaque one.
    ///
    /// ```
    /// # use auth_core::{Auth, NoConnection};
    /// # use auth_core::mechanism::{BearerToken, FindByClaims, FindByToken, Jwt, jwt::Keys};
    /// # fn auth<Member>(pool: NoConnection, keys: Keys) -> Result<Auth, Box<dyn std::error::Error>>
    /// # where Member: FindByToken<Connection = NoConnection> + FindByClaims<Connection = NoConnection> {
    /// let jwt = Jwt::<Member>::builder(pool.clone(), keys)
    ///     .issuer("https://login.example.org")
    ///     .audience("https://plant.example.org")
    ///     .or_opaque(BearerToken::<Member>::new(pool))
    ///     .build()?;
    /// # Ok(Auth::builder().mechanism(jwt).build()?)
    /// # }
    /// ```
    pub fn or_opaque<T: FindByToken>(mut self, tokens: BearerToken<T>) -> Self {
        self.opaque = Some(Box::new(move |request| tokens.work(request)));
        self
    }

    /// Checks what was collected.
    ///
    /// # Errors
    ///
    /// If there is no issuer, no audience, or more leeway than clocks can be off.
    pub fn build(self) -> Result<Jwt<S>, JwtConfigError> {
        if self.issuer.is_empty() {
            return Err(JwtConfigError::NoIssuer);
        }
        if self.audiences.is_empty() || self.audiences.iter().any(String::is_empty) {
            return Err(JwtConfigError::NoAudience);
        }
        if self.leeway > MAX_LEEWAY {
            return Err(JwtConfigError::Leeway);
        }
        let verifier = Arc::new(Verifier::new(self.keys, self.issuer, self.audiences, self.leeway));
        Ok(Jwt { verifier, pool: self.pool, opaque: self.opaque })
    }
}

/// A [`Jwt`] cannot be made of what was collected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JwtConfigError {
    /// Tokens of every issuer with a known key would be taken.
    #[error("no issuer; name who issues the tokens with `.issuer(…)`")]
    NoIssuer,
    /// Tokens for other services would be taken.
    #[error("no audience, or one without a name; name this service with `.audience(…)`")]
    NoAudience,
    /// Expired tokens would be taken.
    #[error("clocks are not off by more than five minutes; set a smaller `.leeway(…)`")]
    Leeway,
}
