//! Opaque bearer tokens (RFC 6750), looked up by their hash.

use std::{sync::Arc, time::SystemTime};

use actix_web::HttpRequest;

use super::{Authenticated, Challenge, Mechanism, Rejection, TokenHash, Why, authorization};
use crate::{
    blocking,
    context::{ConnectionSource, LoadError},
    subject::Subject,
};

const SCHEME: &str = "Bearer";

/// How a subject is found by the hash of its token.
///
/// Whoever must no longer get in (expired and revoked tokens, deactivated users) is `NotFound`.
///
/// ```
/// # use auth_core::{AdminRoles, LoadError, IdRef, NoConnection, Subject};
/// # use auth_core::mechanism::{FindByToken, TokenHash};
/// # struct Member;
/// # impl Subject for Member {
/// #     fn id(&self) -> IdRef<'_> { 1.into() }
/// #     fn account_id(&self) -> Option<IdRef<'_>> { None }
/// #     fn has_role(&self, _: &str) -> bool { false }
/// #     fn account_has_role(&self, _: &str) -> bool { false }
/// #     fn admin_roles(&self) -> AdminRoles { AdminRoles::none() }
/// # }
/// impl FindByToken for Member {
///     type Connection = NoConnection;
///
///     fn find_by_token(token: &TokenHash, _: &mut NoConnection) -> Result<Self, LoadError> {
///         if *token == TokenHash::of("sesame") { Ok(Member) } else { Err(LoadError::NotFound) }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be found by a token",
    note = "implement `auth_core::mechanism::FindByToken` for `{Self}`"
)]
pub trait FindByToken: Subject + Sized {
    /// What [`find_by_token`](Self::find_by_token) needs, usually a diesel connection.
    type Connection: 'static;

    /// Finds the subject. May block: it is called on a thread for blocking work.
    ///
    /// # Errors
    ///
    /// [`LoadError::NotFound`] if nobody may get in with this token, [`LoadError::Unavailable`] if the store
    /// failed.
    fn find_by_token(token: &TokenHash, connection: &mut Self::Connection) -> Result<Self, LoadError>;

    /// When the token was issued. Guards that ask for a recent log-in (`within = "…"`) let nobody in without
    /// it.
    fn token_issued_at(&self) -> Option<SystemTime> {
        None
    }
}

/// The mechanism `token`: `Authorization: Bearer <token>`.
///
/// A malformed or unknown token is a 401 with `error="invalid_token"`; a malformed one costs no look-up.
pub struct BearerToken<S: FindByToken> {
    source: Arc<dyn ConnectionSource<Connection = S::Connection>>,
}

impl<S: FindByToken> BearerToken<S> {
    /// Looks tokens up over the connections of this pool.
    pub fn new(source: impl ConnectionSource<Connection = S::Connection>) -> Self {
        Self { source: Arc::new(source) }
    }
}

impl<S: FindByToken> Mechanism for BearerToken<S> {
    fn name(&self) -> &'static str {
        "token"
    }

    fn challenge(&self, challenge: &Challenge) -> Option<String> {
        Some(match challenge.why {
            Why::Missing => "Bearer".to_owned(),
            Why::Rejected => r#"Bearer error="invalid_token""#.to_owned(),
            // RFC 9470: the client has to get a new token.
            Why::Stale { within } => {
                format!(r#"Bearer error="insufficient_user_authentication", max_age={}"#, within.as_secs())
            }
        })
    }

    async fn authenticate(&self, request: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        let Some(token) = authorization::credentials(request, SCHEME)? else {
            return Ok(None);
        };
        let hash = TokenHash::of(well_formed(token).ok_or(Rejection::BadCredentials)?);
        let subject =
            blocking::run(&self.source, move |connection| S::find_by_token(&hash, connection)).await?;
        let issued_at = subject.token_issued_at();
        let authenticated = Authenticated::from(subject);
        Ok(Some(match issued_at {
            Some(time) => authenticated.since(time),
            None => authenticated,
        }))
    }
}

/// The token, if it is a `b64token` (RFC 6750, section 2.1).
fn well_formed(token: &[u8]) -> Option<&str> {
    let token = str::from_utf8(token).ok()?;
    let body = token.trim_end_matches('=');
    let in_body = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    (!body.is_empty() && body.bytes().all(in_body)).then_some(token)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use proptest::prelude::{any, proptest};

    use super::{authorization::after_scheme, *};

    fn read(header: &[u8]) -> String {
        let header = HeaderValue::from_bytes(header).unwrap();
        match after_scheme(&header, SCHEME).map(well_formed) {
            None => "not mine".to_owned(),
            Some(None) => "malformed".to_owned(),
            Some(Some(token)) => format!("token {token}"),
        }
    }

    #[test]
    fn the_scheme_is_not_case_sensitive() {
        for header in ["Bearer abc", "bearer abc", "BEARER   abc"] {
            assert_eq!(read(header.as_bytes()), "token abc", "{header}");
        }
    }

    #[test]
    fn other_schemes_are_not_mine() {
        for header in ["", "Basic abc", "Bearerabc", "Bear", "abc", "B\u{e9}arer abc"] {
            assert_eq!(read(header.as_bytes()), "not mine", "{header}");
        }
    }

    #[test]
    fn what_is_no_token_is_malformed() {
        for header in [
            "Bearer",
            "Bearer ",
            "Bearer =",
            "Bearer a b",
            "Bearer a,b",
            "Bearer a=b",
            "Bearer \u{e9}",
            "Bearer\ta",
            "Bearer,a",
        ] {
            assert_eq!(read(header.as_bytes()), "malformed", "{header}");
        }
        assert_eq!(read(b"Bearer \xff"), "malformed");
        assert_eq!(read(b"Bearer aA0-._~+/=="), "token aA0-._~+/==");
    }

    proptest! {
        #[test]
        fn reading_never_panics(bytes in any::<Vec<u8>>()) {
            if let Ok(header) = HeaderValue::from_bytes(&bytes) {
                let _ = after_scheme(&header, SCHEME).map(well_formed);
            }
        }
    }
}
