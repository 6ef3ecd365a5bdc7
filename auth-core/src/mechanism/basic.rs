//! Basic (RFC 7617): a username and a password with each request.

use std::{borrow::Cow, net::IpAddr, sync::Arc, time::SystemTime};

use actix_web::HttpRequest;
use base64ct::{Base64, Encoding as _};
use thiserror::Error;

use super::{
    Attempts, Authenticated, Challenge, FindByUsername, Mechanism, PasswordLogIn, Passwords, Rejection,
    Scheme, authorization, password_log_in::still,
};
use crate::{
    context::{ConnectionSource, LoadError},
    vocabulary::Subject,
};

const SCHEME: &str = "Basic";

/// The mechanism `basic`: `Authorization: Basic <username and password>`.
///
/// Only guards that name it take it, as [`http_auth_required`](crate::http_auth_required) does: a browser sends these
/// credentials with each request to the service, also with those that another site causes. The password comes with every
/// request, so a log-in is never too old for a guard; and every request pays for the comparison, which is slow on
/// purpose.
///
/// Behind a proxy, use [`Attempts::behind`]: otherwise all callers share the limit of one address.
///
/// Wrong passwords, unknown names and malformed credentials are a 401. Beyond the limit of [`Attempts`] it is
/// a 429, for the right password too.
///
/// ```
/// # use auth_core::{Auth, NoConnection, mechanism::{Attempts, BasicAuth, FindByUsername}};
/// # fn auth<Member: FindByUsername<Connection = NoConnection>>(pool: NoConnection) -> Result<(), Box<dyn std::error::Error>> {
/// let attempts = Attempts::default();
/// let basic = BasicAuth::<Member>::new(pool).realm("Plant")?.attempts(attempts.clone());
/// let auth = Auth::builder().mechanism(basic).build()?;
/// # Ok(())
/// # }
/// ```
pub struct BasicAuth<S: FindByUsername> {
    log_in: PasswordLogIn<S>,
    realm: Cow<'static, str>,
}

impl<S: FindByUsername> BasicAuth<S> {
    /// Looks usernames up over the connections of this pool, and has attempts and passwords of its own.
    pub fn new(pool: impl ConnectionSource<Connection = S::Connection>) -> Self {
        Self::by(PasswordLogIn::new(pool))
    }

    /// Looks usernames up and counts attempts as the application's own log-in does.
    #[must_use]
    pub fn by(log_in: PasswordLogIn<S>) -> Self {
        Self { log_in, realm: "Restricted".into() }
    }

    /// Says what the passwords are for, where the guard does not.
    ///
    /// # Errors
    ///
    /// [`RealmError`] for what cannot be sent between quotes in a header.
    pub fn realm(mut self, realm: impl Into<Cow<'static, str>>) -> Result<Self, RealmError> {
        self.realm = realm.into();
        if self.realm.is_empty() {
            return Err(RealmError::Empty);
        }
        let is_wrong = |character: &char| !matches!(character, ' '..='~') || matches!(character, '"' | '\\');
        match self.realm.chars().find(is_wrong) {
            Some(character) => Err(RealmError::Character(character)),
            None => Ok(self),
        }
    }

    /// Compares passwords at this cost.
    #[must_use]
    pub fn passwords(mut self, passwords: Passwords) -> Self {
        self.log_in = self.log_in.passwords(passwords);
        self
    }

    /// Counts attempts here, where the application's own log-in counts them as well.
    #[must_use]
    pub fn attempts(mut self, attempts: Attempts) -> Self {
        self.log_in = self.log_in.attempts(attempts);
        self
    }

    /// Finds the address that attempts count for in a way of the application's own. Left out, or where it finds none, it is
    /// that of [`Attempts::address_of`], which also works behind [trusted proxies](Attempts::behind). Never take an address
    /// that a client can write itself: it would have no limit.
    ///
    /// ```
    /// # use std::net::IpAddr;
    /// # use auth_core::{NoConnection, mechanism::{BasicAuth, FindByUsername}};
    /// # fn basic<Member: FindByUsername<Connection = NoConnection>>(pool: NoConnection) -> BasicAuth<Member> {
    /// // What a middleware of the application found out about the connection.
    /// BasicAuth::new(pool).address(|request| request.conn_data::<IpAddr>().copied())
    /// # }
    /// ```
    #[must_use]
    pub fn address(mut self, of: impl Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.log_in = self.log_in.address(of);
        self
    }
}

impl<S: FindByUsername> Mechanism for BasicAuth<S> {
    fn name(&self) -> &'static str {
        "basic"
    }

    fn is_default(&self) -> bool {
        false
    }

    fn challenge(&self, challenge: &Challenge) -> Option<String> {
        let realm = challenge.realm.unwrap_or(&self.realm);
        Some(format!(r#"Basic realm="{realm}", charset="UTF-8""#))
    }

    fn scheme(&self) -> Option<Scheme> {
        Some(Scheme::Basic)
    }

    async fn authenticate(&self, request: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
        let Some(credentials) = authorization::credentials(request, SCHEME)? else {
            return Ok(None);
        };
        let Credentials { username, password } =
            Credentials::decode(credentials).ok_or(Rejection::BadCredentials)?;
        let address = self.log_in.address_of(request);
        let (subject, stored) = self.log_in.check(address, &username, password).await?;
        let before = Arc::new(subject);
        let subject: Arc<dyn Subject> = Arc::<S>::clone(&before);
        let authenticated = Authenticated { subject, since: Some(SystemTime::now()), again: None };
        Ok(Some(authenticated.found_again_by(move |connection: &mut S::Connection| {
            let now = S::find_by_username(&username, connection)?;
            still(&*before, &stored, now).ok_or(LoadError::NotFound)
        })))
    }
}

/// A text that cannot be a realm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RealmError {
    /// It says nothing.
    #[error("a realm cannot be empty; name what the password is for")]
    Empty,
    /// It has something that no header can hold between quotes.
    #[error("a realm is sent in a header, which cannot hold `{}`; remove it", .0.escape_debug())]
    Character(char),
}

/// No `Debug`: a password is not for logs.
struct Credentials {
    username: String,
    password: String,
}

impl Credentials {
    /// Base64 of UTF-8 without control characters; the first colon ends the username (RFC 7617, section 2).
    fn decode(encoded: &[u8]) -> Option<Self> {
        let text = String::from_utf8(Base64::decode_vec(str::from_utf8(encoded).ok()?).ok()?).ok()?;
        if text.chars().any(char::is_control) {
            return None;
        }
        let (username, password) = text.split_once(':')?;
        Some(Self { username: username.to_owned(), password: password.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::{
        context::NoConnection,
        mechanism::{PasswordHash, Why, authorization::after_scheme},
        vocabulary::User,
    };

    impl FindByUsername for User {
        type Connection = NoConnection;

        fn find_by_username(_: &str, _: &mut NoConnection) -> Result<(Self, PasswordHash), LoadError> {
            Err(LoadError::NotFound)
        }
    }

    fn read(header: &[u8]) -> String {
        let header = HeaderValue::from_bytes(header).unwrap();
        match after_scheme(&header, SCHEME).map(Credentials::decode) {
            None => "not mine".to_owned(),
            Some(None) => "malformed".to_owned(),
            Some(Some(Credentials { username, password })) => format!("{username}/{password}"),
        }
    }

    #[test]
    fn the_examples_of_the_rfc() {
        assert_eq!(read(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), "Aladdin/open sesame");
        assert_eq!(read(b"bASIC   dGVzdDoxMjPCow=="), "test/123£");
    }

    #[test]
    fn the_first_colon_ends_the_username() {
        for (text, expected) in [("a:b:c", "a/b:c"), (":", "/"), ("a:", "a/"), (":b", "/b"), ("a::", "a/:")] {
            let header = format!("Basic {}", Base64::encode_string(text.as_bytes()));
            assert_eq!(read(header.as_bytes()), expected);
        }
    }

    #[test]
    fn what_is_malformed_is_nobody() {
        for header in [
            "Basic",
            "Basic ",
            "Basic\tYTpi",
            "Basic a",
            "Basic YTpi=",
            "Basic YTp",
            "Basic YTo",
            "Basic YTp=",
            "Basic YT-_",
            "Basic YTpi YTpi",
            "Basic YTpi,YTpi",
            "Basic a:b",
            "Basic é",
        ] {
            assert_eq!(read(header.as_bytes()), "malformed", "{header}");
        }
        for text in
            [b"no colon" as &[u8], b"", b"a:\xff", b"\xe9:b", b"a:b\n", b"a\0:b", "a:\u{85}".as_bytes()]
        {
            let header = format!("Basic {}", Base64::encode_string(text));
            assert_eq!(read(header.as_bytes()), "malformed", "{text:?}");
        }
        for header in ["", "Bearer YTpi", "BasicYTpi", "Bas", "Basic-YTpi", "YTpi"] {
            assert_eq!(read(header.as_bytes()), "not mine", "{header}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(bytes in any::<Vec<u8>>()) {
            let _ = Credentials::decode(&bytes);
            let encoded = Base64::encode_string(&bytes);
            let well_formed = Credentials::decode(encoded.as_bytes()).is_some();
            let text = str::from_utf8(&bytes).unwrap_or_default();
            prop_assert_eq!(well_formed, text.contains(':') && !text.contains(char::is_control));
        }

        #[test]
        fn what_a_client_encodes_is_what_is_read(username in "[^:\\pC]*", password in "\\PC*") {
            let encoded = Base64::encode_string(format!("{username}:{password}").as_bytes());
            let read = Credentials::decode(encoded.as_bytes());
            prop_assert!(read.is_some_and(|read| read.username == username && read.password == password));
        }
    }

    #[test]
    fn a_realm_is_checked_and_the_guard_names_it_first() {
        let basic = |realm: &'static str| BasicAuth::<User>::new(NoConnection).realm(realm);
        let challenge = |realm| basic("Plant").ok()?.challenge(&Challenge { why: Why::Missing, realm });
        assert_eq!(challenge(None).unwrap(), r#"Basic realm="Plant", charset="UTF-8""#);
        assert_eq!(challenge(Some("Metrics")).unwrap(), r#"Basic realm="Metrics", charset="UTF-8""#);
        assert_eq!(basic("").err(), Some(RealmError::Empty));
        for (realm, character) in [("a\"b", '"'), ("\\", '\\'), ("a\r\nb", '\r'), ("Anlage für", 'ü')] {
            assert_eq!(basic(realm).err(), Some(RealmError::Character(character)));
        }
    }
}
