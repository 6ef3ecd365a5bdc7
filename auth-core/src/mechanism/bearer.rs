//! Opaque bearer tokens (RFC 6750), looked up by their hash; behind the feature `bearer`.

use std::{
    any::{Any, type_name},
    sync::Arc,
    time::{Duration, SystemTime},
};

use actix_web::HttpRequest;

use super::{
    Authenticated, Begun, CLOCK_SKEW, Challenge, Mechanism, Refused, Rejection, Scheme, TokenHash, Why, Work,
    again::{Again, TokenAgain},
    authorization, begun,
};
use crate::{
    context::{ConnectionSource, LoadError, with_connection},
    vocabulary::Subject,
};

pub(super) const SCHEME: &str = "Bearer";

/// How a subject is found by the hash of its token.
///
/// Every request calls it, so deleting the row of a token revokes it: the next request is refused. For a user who must no
/// longer get in, such as a deactivated one, return `NotFound` as well.
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
    /// The connection that [`find_by_token`](Self::find_by_token) needs, usually a diesel connection.
    type Connection: 'static;

    /// Finds the subject. May block: it is called on a thread for blocking work.
    ///
    /// # Errors
    ///
    /// [`LoadError::NotFound`] if this token lets no user in, [`LoadError::Unavailable`] if the store
    /// failed.
    fn find_by_token(token: &TokenHash, connection: &mut Self::Connection) -> Result<Self, LoadError>;

    /// When the token was issued. Guards that require a recent log-in (`within = "…"`) deny without it, and so does a
    /// [`BearerToken`] with a maximum age.
    fn token_issued_at(&self) -> Option<SystemTime> {
        None
    }

    /// From when on the token is refused. `None` if the token itself has no end.
    fn token_expires_at(&self) -> Option<SystemTime> {
        None
    }
}

/// The mechanism `token`: `Authorization: Bearer <token>`, and with [`or_bare`](Self::or_bare) `Authorization: <token>`.
///
/// A malformed, unknown, expired or revoked token is a 401 with `error="invalid_token"`; a malformed one costs
/// no look-up.
///
/// ```
/// # use auth_core::{Auth, NoConnection, mechanism::{BearerToken, FindByToken}};
/// # use std::time::Duration;
/// # fn auth<Member: FindByToken<Connection = NoConnection>>(pool: NoConnection) -> Result<(), Box<dyn std::error::Error>> {
/// let thirty_days = Duration::from_secs(30 * 24 * 60 * 60);
/// let auth = Auth::builder().mechanism(BearerToken::<Member>::new(pool).max_age(thirty_days)).build()?;
/// # Ok(())
/// # }
/// ```
pub struct BearerToken<S: FindByToken> {
    pool: Arc<dyn ConnectionSource<Connection = S::Connection>>,
    max_age: Option<Duration>,
    or_bare: bool,
}

impl<S: FindByToken> BearerToken<S> {
    /// Looks tokens up over the connections of this pool.
    pub fn new(pool: impl ConnectionSource<Connection = S::Connection>) -> Self {
        Self { pool: Arc::new(pool), max_age: None, or_bare: false }
    }

    /// Refuses tokens of this age or older, also before they expire. A token that does not say when it
    /// was issued is refused as well, and so is one that says that it will be.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Takes a token without a scheme as well: `Authorization: <token>`, as clients of older services send it. Left out, such
    /// a header is none of this mechanism's.
    ///
    /// Credentials of another mechanism, such as `Basic …`, are not taken for a token: a scheme is followed by a blank, and a
    /// token has none. The name of a scheme alone, as in `Authorization: Basic`, is a wrong token. Two headers `Authorization`, of
    /// which one may be such a token, are refused.
    ///
    /// ```
    /// # use auth_core::{Auth, NoConnection, mechanism::{BearerToken, FindByToken}};
    /// # fn auth<Member: FindByToken<Connection = NoConnection>>(pool: NoConnection) -> Result<(), Box<dyn std::error::Error>> {
    /// let auth = Auth::builder().mechanism(BearerToken::<Member>::new(pool).or_bare()).build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn or_bare(mut self) -> Self {
        self.or_bare = true;
        self
    }

    /// Looks up the request's token, if it has one.
    pub(super) fn work(&self, request: &HttpRequest) -> Result<Option<Work>, Rejection> {
        let mut token = authorization::credentials(request, SCHEME)?;
        if token.is_none() && self.or_bare {
            token = authorization::bare(request, |header| well_formed(header).is_some())?;
        }
        let Some(token) = token else {
            return Ok(None);
        };
        let hash = TokenHash::of_bytes(well_formed(token).ok_or(Rejection::BadCredentials)?);
        let (pool, max_age) = (Arc::clone(&self.pool), self.max_age);
        Ok(Some(Box::new(move || {
            let find = |connection: &mut S::Connection| S::find_by_token(&hash, connection);
            let subject = with_connection(&*pool, find)?;
            if let Some(reason) = Self::refusal(max_age, &subject, SystemTime::now()) {
                return Err(Refused::new(move || {
                    log_refused(&subject, reason);
                    Some(Rejection::BadCredentials)
                }));
            }
            let issued_at = subject.token_issued_at();
            let again =
                TokenAgain { hash, max_age, find: Self::find_again, connection: type_name::<S::Connection> };
            let authenticated =
                Authenticated { again: Some(Again::Token(again)), ..Authenticated::from(subject) };
            Ok(match issued_at {
                Some(time) => authenticated.since(time),
                None => authenticated,
            })
        })))
    }

    fn find_again(
        hash: &TokenHash,
        max_age: Option<Duration>,
        connection: &mut dyn Any,
    ) -> Option<Result<Box<dyn Any>, LoadError>> {
        let found = S::find_by_token(hash, connection.downcast_mut()?);
        let counts = found.and_then(|subject| match Self::refusal(max_age, &subject, SystemTime::now()) {
            Some(reason) => {
                log_refused(&subject, reason);
                Err(LoadError::NotFound)
            }
            None => Ok(Box::new(subject) as Box<dyn Any>),
        });
        Some(counts)
    }

    /// Why the token of this subject is refused now, although it is known.
    fn refusal(max_age: Option<Duration>, subject: &S, now: SystemTime) -> Option<&'static str> {
        if subject.token_expires_at().is_some_and(|end| end <= now) {
            return Some("it has expired");
        }
        let max_age = max_age?;
        let Some(issued_at) = subject.token_issued_at() else {
            return Some("nobody knows its age, and there is a maximum");
        };
        match now.duration_since(issued_at) {
            Ok(age) if age >= max_age => Some("it is too old"),
            Err(ahead) if ahead.duration() > CLOCK_SKEW => Some("it was issued in the future"),
            Ok(_) | Err(_) => None,
        }
    }
}

fn log_refused(subject: &impl Subject, reason: &str) {
    tracing::info!(target: "auth", subject = ?subject.id(), reason, "a known token was refused");
}

impl<S: FindByToken> Mechanism for BearerToken<S> {
    fn name(&self) -> &'static str {
        "token"
    }

    fn challenge(&self, challenge: &Challenge) -> Option<String> {
        Some(self::challenge(challenge))
    }

    fn scheme(&self) -> Option<Scheme> {
        Some(Scheme::Bearer { format: None })
    }

    fn begin(&self, request: &HttpRequest) -> Result<Begun, Rejection> {
        self.work(request).map(Begun::from)
    }

    async fn authenticate(&self, request: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        begun::run(self.work(request)?).await
    }
}

/// The challenge of a 401, for opaque tokens and JSON Web Tokens.
pub(super) fn challenge(challenge: &Challenge) -> String {
    match challenge.why {
        Why::Missing => "Bearer".to_owned(),
        Why::Rejected => r#"Bearer error="invalid_token""#.to_owned(),
        // RFC 9470: the client has to get a new token.
        Why::Stale { within } => {
            format!(r#"Bearer error="insufficient_user_authentication", max_age={}"#, within.as_secs())
        }
    }
}

/// The token, if it is a `b64token` (RFC 6750, section 2.1).
fn well_formed(token: &[u8]) -> Option<&[u8]> {
    let body = token.iter().rposition(|byte| *byte != b'=').and_then(|last| token.get(..=last))?;
    let in_body =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
    // To the end in any case: without a way out after each byte, the compiler may look at several together.
    body.iter().fold(true, |well, byte| well & in_body(*byte)).then_some(token)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use proptest::prelude::{any, proptest};

    use super::{authorization::after_scheme, *};
    use crate::{
        context::NoConnection,
        vocabulary::{AdminRoles, IdRef},
    };

    fn read(header: &[u8]) -> String {
        let header = HeaderValue::from_bytes(header).unwrap();
        match after_scheme(&header, SCHEME).map(well_formed) {
            None => "not mine".to_owned(),
            Some(None) => "malformed".to_owned(),
            Some(Some(token)) => format!("token {}", str::from_utf8(token).unwrap()),
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

    /// Has a token with these times.
    struct Holder {
        issued_at: Option<SystemTime>,
        expires_at: Option<SystemTime>,
    }

    impl Subject for Holder {
        fn id(&self) -> IdRef<'_> {
            1.into()
        }

        fn account_id(&self) -> Option<IdRef<'_>> {
            None
        }

        fn has_role(&self, _: &str) -> bool {
            false
        }

        fn account_has_role(&self, _: &str) -> bool {
            false
        }

        fn admin_roles(&self) -> AdminRoles {
            AdminRoles::none()
        }
    }

    impl FindByToken for Holder {
        type Connection = NoConnection;

        fn find_by_token(_: &TokenHash, _: &mut NoConnection) -> Result<Self, LoadError> {
            Err(LoadError::NotFound)
        }

        fn token_issued_at(&self) -> Option<SystemTime> {
            self.issued_at
        }

        fn token_expires_at(&self) -> Option<SystemTime> {
            self.expires_at
        }
    }

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;
    const SECOND: Duration = Duration::from_secs(1);
    const TICK: Duration = Duration::from_nanos(1);

    #[test]
    fn a_token_ends_at_the_very_moment_at_which_it_expires() {
        let refusal = |expires_at| {
            let holder = Holder { issued_at: None, expires_at };
            BearerToken::refusal(None, &holder, NOW)
        };
        assert_eq!(refusal(None), None);
        assert_eq!(refusal(Some(NOW + TICK)), None);
        for expired in [NOW, NOW - TICK, NOW - 1000 * SECOND] {
            assert_eq!(refusal(Some(expired)), Some("it has expired"));
        }
    }

    #[test]
    fn a_maximum_age_needs_a_time_of_issue_that_was() {
        let refusal_below = |max_age, issued_at| {
            let holder = Holder { issued_at, expires_at: None };
            BearerToken::refusal(Some(max_age), &holder, NOW)
        };
        let refusal = |issued_at| refusal_below(SECOND, issued_at);
        assert_eq!(refusal(Some(NOW - SECOND + TICK)), None);
        assert_eq!(refusal(Some(NOW - SECOND)), Some("it is too old"));
        assert_eq!(refusal(Some(NOW - 1000 * SECOND)), Some("it is too old"));
        assert_eq!(refusal(None), Some("nobody knows its age, and there is a maximum"));
        assert_eq!(refusal(Some(NOW + CLOCK_SKEW)), None, "the clock of who issued it may be ahead");
        assert_eq!(refusal(Some(NOW + CLOCK_SKEW + TICK)), Some("it was issued in the future"));
        assert_eq!(refusal_below(Duration::ZERO, Some(NOW)), Some("it is too old"));
    }

    #[test]
    fn a_maximum_age_makes_no_token_last_longer() {
        let holder = Holder { issued_at: Some(NOW), expires_at: Some(NOW) };
        assert_eq!(BearerToken::refusal(Some(Duration::MAX), &holder, NOW), Some("it has expired"));
    }

    #[test]
    fn a_token_has_the_bytes_of_rfc_6750_and_no_others() {
        const ALLOWED: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/";
        for byte in 0..=u8::MAX {
            // Wherever it is: several bytes are looked at together.
            for place in 0..40 {
                let mut token = [b'a'; 40];
                token[place] = byte;
                let is_end = byte == b'=' && place == 39;
                let expected = ALLOWED.contains(&byte) || is_end;
                assert_eq!(well_formed(&token).is_some(), expected, "{byte} at {place}");
            }
        }
        for none in ["", "=", "=="] {
            assert_eq!(well_formed(none.as_bytes()), None, "{none}");
        }
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
