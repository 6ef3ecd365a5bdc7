//! Which tokens are good. Nothing here knows of requests.

use std::time::{Duration, SystemTime};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use jsonwebtoken::{Algorithm, crypto};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny},
};
use thiserror::Error;

use super::Keys;

/// No token is longer than this, in bytes.
pub(super) const MAX_LENGTH: usize = 16 << 10;

/// Checks tokens.
///
/// Before the signature holds, only a [`Header`] is read, and the rest of the header is skipped. `jsonwebtoken::decode`
/// would make values of all of it, which nest as deeply as a client likes if a crate of the program switches on
/// `serde_json/raw_value`.
pub(super) struct Verifier {
    keys: Keys,
    issuer: String,
    audiences: Vec<String>,
    leeway: Duration,
}

/// The claims of a good token, and when its subject logged in.
#[derive(Debug)]
pub(super) struct Verified<C> {
    pub(super) claims: C,
    pub(super) since: Option<SystemTime>,
}

impl Verifier {
    pub(super) fn new(keys: Keys, issuer: String, audiences: Vec<String>, leeway: Duration) -> Self {
        // Whole seconds, as tokens have them.
        Self { keys, issuer, audiences, leeway: Duration::from_secs(leeway.as_secs()) }
    }

    pub(super) fn verify<C: DeserializeOwned>(&self, token: &[u8]) -> Result<Verified<C>, Refusal> {
        if token.len() > MAX_LENGTH {
            return Err(Refusal::TooLong);
        }
        let payload = self.signed(token)?;
        let claims: RegisteredClaims = serde_json::from_slice(&payload)?;
        self.check(&claims)?;
        let since = [claims.auth_time, claims.iat].into_iter().flatten().map(|NumericDate(time)| time).min();
        Ok(Verified { claims: serde_json::from_slice(&payload)?, since })
    }

    /// The signed payload (RFC 7515, section 5.2).
    fn signed(&self, token: &[u8]) -> Result<Vec<u8>, Refusal> {
        let token = str::from_utf8(token).map_err(|_| Refusal::Malformed)?;
        let (message, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(Refusal::Malformed)?;
        let Header { alg, kid, is_critical } =
            serde_json::from_slice(&decode(header)?).map_err(|_| Refusal::Malformed)?;
        if is_critical {
            return Err(Refusal::Critical);
        }
        let keys = self.keys.current();
        let key = keys.find(kid.as_deref()).ok_or_else(|| match kid {
            // Enough to recognize it, and not as much as a client likes to send.
            Some(id) => Refusal::UnknownKey { id: id.chars().take(64).collect() },
            None => Refusal::NoKey,
        })?;
        // The key decides, and never the token.
        if alg != key.algorithm {
            return Err(Refusal::Algorithm);
        }
        if !crypto::verify(signature, message.as_bytes(), &key.key, key.algorithm)? {
            return Err(Refusal::Signature);
        }
        decode(payload)
    }

    /// RFC 7519, section 4.1.
    fn check(&self, claims: &RegisteredClaims) -> Result<(), Refusal> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let (now, leeway) = (Duration::from_secs(now).as_secs_f64(), self.leeway.as_secs_f64());
        if claims.iss != self.issuer {
            return Err(Refusal::Issuer);
        }
        if !claims.aud.iter().any(|audience| self.audiences.contains(audience)) {
            return Err(Refusal::Audience);
        }
        // At the very second at which it expires, a token is no longer good.
        if claims.exp.0 + leeway <= now {
            return Err(Refusal::Expired);
        }
        if claims.nbf.is_some_and(|Seconds(nbf)| nbf > now + leeway) {
            return Err(Refusal::NotYet);
        }
        Ok(())
    }
}

fn decode(part: &str) -> Result<Vec<u8>, Refusal> {
    Base64UrlUnpadded::decode_vec(part).map_err(|_| Refusal::Malformed)
}

/// The fields that are read before the signature is checked: none of them nests.
#[derive(Deserialize)]
struct Header {
    alg: Algorithm,
    kid: Option<String>,
    /// Whether it requires extensions, in any form.
    #[serde(rename = "crit", default, deserialize_with = "is_there")]
    is_critical: bool,
}

fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// The claims that every token is checked by.
#[derive(Deserialize)]
struct RegisteredClaims {
    iss: String,
    #[serde(deserialize_with = "one_or_several")]
    aud: Vec<String>,
    exp: Seconds,
    /// `null` is no beginning.
    #[serde(default, deserialize_with = "not_null")]
    nbf: Option<Seconds>,
    iat: Option<NumericDate>,
    auth_time: Option<NumericDate>,
}

fn not_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Seconds>, D::Error> {
    Seconds::deserialize(deserializer).map(Some)
}

fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrSeveral {
        One(String),
        Several(Vec<String>),
    }

    OneOrSeveral::deserialize(deserializer).map(|audiences| match audiences {
        OneOrSeveral::One(audience) => vec![audience],
        OneOrSeveral::Several(audiences) => audiences,
    })
}

/// Seconds since 1970, perhaps with a fraction, which no clock need ever show.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "f64")]
struct Seconds(f64);

impl TryFrom<f64> for Seconds {
    type Error = &'static str;

    fn try_from(seconds: f64) -> Result<Self, Self::Error> {
        // 2^64, as far as whole numbers are written.
        let is_one = (0.0..=18_446_744_073_709_551_616.0).contains(&seconds);
        is_one.then_some(Self(seconds)).ok_or("no such time")
    }
}

/// A time that a clock has shown.
#[derive(Deserialize)]
#[serde(try_from = "f64")]
struct NumericDate(SystemTime);

impl TryFrom<f64> for NumericDate {
    type Error = &'static str;

    fn try_from(seconds: f64) -> Result<Self, Self::Error> {
        let since_1970 = Duration::try_from_secs_f64(seconds).ok();
        since_1970.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since)).map(Self).ok_or("no such time")
    }
}

/// Why a token is refused, for the log. It quotes and escapes the texts of a client.
#[derive(Debug, Error)]
pub(super) enum Refusal {
    #[error("it is longer than {MAX_LENGTH} bytes")]
    TooLong,
    #[error("it is not three parts of which the first is a header with an algorithm for signatures")]
    Malformed,
    #[error("its header requires extensions (`crit`)")]
    Critical,
    #[error("there is no key with the id {id:?}")]
    UnknownKey { id: String },
    #[error("it does not say by which key it is signed")]
    NoKey,
    #[error("its algorithm is not that of its key")]
    Algorithm,
    #[error("its signature is not by its key")]
    Signature,
    #[error("its signature cannot be checked: {:?}", .0.kind())]
    NotChecked(#[from] jsonwebtoken::errors::Error),
    #[error("it is from another issuer")]
    Issuer,
    #[error("it is for another audience")]
    Audience,
    #[error("it has expired")]
    Expired,
    #[error("it is not good yet")]
    NotYet,
    #[error("its claims are not those that the application reads: {0:?}")]
    Claims(#[from] serde_json::Error),
    #[error("its claims name nobody who may get in")]
    Nobody,
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::EncodingKey;
    use proptest::{
        collection::{hash_map, vec},
        prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest},
        sample::select,
    };
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::mechanism::jwt::{Key, is_jwt};

    const SECRET: &[u8] = &[7; 32];

    fn verifier() -> Verifier {
        let keys = Keys::by_id([("a", Key::secret(Algorithm::HS256, SECRET).unwrap())]).unwrap();
        Verifier::new(keys, "i".to_owned(), vec!["a".to_owned()], Duration::from_secs(60))
    }

    fn encode(bytes: &[u8]) -> String {
        Base64UrlUnpadded::encode_string(bytes)
    }

    fn sign(header: &[u8], payload: &[u8]) -> String {
        let message = format!("{}.{}", encode(header), encode(payload));
        let key = EncodingKey::from_secret(SECRET);
        let signature = crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
        format!("{message}.{signature}")
    }

    fn verify(token: &str) -> Result<Verified<Value>, Refusal> {
        verifier().verify(token.as_bytes())
    }

    fn json_values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
            select(&["HS256", "none", "a", "i", "sig", "RS256"][..]).prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(Value::from),
                hash_map(".{0,4}", inner, 0..4).prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    /// An object with some of these members.
    fn objects(names: &'static [&'static str]) -> impl Strategy<Value = Value> {
        hash_map(select(names).prop_map(str::to_owned), json_values(), 0..names.len())
            .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into())
    }

    /// A value of a claim, or none, and whether a token with it is good.
    fn claim(
        good: Vec<Option<Value>>,
        bad: Vec<Option<Value>>,
    ) -> impl Strategy<Value = (Option<Value>, bool)> {
        prop_oneof![
            6 => select(good).prop_map(|value| (value, true)),
            1 => select(bad).prop_map(|value| (value, false)),
        ]
    }

    #[test]
    fn the_first_letters_tell_a_json_object() {
        for header in ["{\"alg\":1}", "{ \"alg\":1}", "{\n\"alg\":1}", "{\r\n\"alg\":1}", "{\t\"alg\":1}"] {
            assert!(is_jwt(format!("{}.a.b", encode(header.as_bytes())).as_bytes()), "{header:?}");
        }
        for text in ["[1].a", "\"a\"", " {\"alg\":1}", "z", ""] {
            assert!(!is_jwt(format!("{}.a.b", encode(text.as_bytes())).as_bytes()), "{text:?}");
        }
        for token in [&b"eyJ.a"[..], b"eyJ.a.b.c", b"eyJ", b"", b".."] {
            assert!(!is_jwt(token), "{}", token.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_sent_panics_or_is_good_by_chance(bytes in any::<Vec<u8>>(), text in "[a-zA-Z0-9._=-]{0,99}") {
            for token in [&bytes[..], text.as_bytes()] {
                let _ = is_jwt(token);
                prop_assert!(verifier().verify::<Value>(token).is_err());
            }
        }

        #[test]
        fn no_header_panics(
            header in prop_oneof![
                any::<Vec<u8>>(),
                objects(&["alg", "kid", "typ", "crit", "jwk", "x5c", "x5t", "enc", "zip", "b64", "url", "x"])
                    .prop_map(|header| header.to_string().into_bytes()),
            ],
            payload in any::<Vec<u8>>(),
        ) {
            prop_assert!(verify(&sign(&header, &payload)).is_err());
        }

        #[test]
        fn no_claims_panic(
            payload in prop_oneof![
                any::<Vec<u8>>(),
                json_values().prop_map(|payload| payload.to_string().into_bytes()),
                objects(&["exp", "nbf", "iat", "auth_time", "iss", "aud", "sub"])
                    .prop_map(|payload| payload.to_string().into_bytes()),
            ],
        ) {
            if let Ok(Verified { claims, .. }) = verify(&sign(br#"{"alg":"HS256","kid":"a"}"#, &payload)) {
                prop_assert_eq!(&claims["iss"], "i");
                prop_assert!(claims["exp"].is_number());
            }
        }

        #[test]
        fn a_token_is_good_if_all_of_it_is(
            exp in claim(
                vec![Some(json!(4_000_000_000_u64)), Some(json!(4e9)), Some(json!(u64::MAX))],
                vec![None, Some(json!(0)), Some(json!(1)), Some(json!(-1)), Some(json!("4000000000"))],
            ),
            nbf in claim(
                vec![None, Some(json!(0))],
                vec![Some(json!(4_000_000_000_u64)), Some(json!(u64::MAX)), Some(json!([])), Some(Value::Null)],
            ),
            iss in claim(
                vec![Some(json!("i"))],
                vec![None, Some(json!("")), Some(json!("I")), Some(json!(["i"])), Some(Value::Null)],
            ),
            aud in claim(
                vec![Some(json!("a")), Some(json!(["b", "a"]))],
                vec![None, Some(json!("ab")), Some(json!([])), Some(json!(["b"])), Some(json!({ "a": "a" }))],
            ),
            iat in claim(
                vec![None, Some(json!(5)), Some(json!(5.5)), Some(Value::Null)],
                vec![Some(json!(-1)), Some(json!(1e300)), Some(json!("5")), Some(json!([]))],
            ),
        ) {
            let expected = [&exp, &nbf, &iss, &aud, &iat].iter().all(|(_, good)| *good);
            let claims = [("exp", exp), ("nbf", nbf), ("iss", iss), ("aud", aud), ("iat", iat)];
            let payload: Map<String, Value> =
                claims.into_iter().filter_map(|(name, (value, _))| Some((name.to_owned(), value?))).collect();
            let payload = Value::from(payload).to_string();
            let verified = verify(&sign(br#"{"alg":"HS256","kid":"a"}"#, payload.as_bytes()));
            prop_assert_eq!(verified.is_ok(), expected, "{}: {:?}", payload, verified);
        }
    }
}
