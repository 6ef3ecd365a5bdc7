//! A key with which the signatures of tokens are checked, and the algorithm that it is for.

use std::{io, path::PathBuf};

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind,
    crypto::rust_crypto::DEFAULT_PROVIDER,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// A key, and the one algorithm that it is for. The header of a token never chooses the algorithm: it only has to name
/// this one.
///
/// ```
/// use auth_core::mechanism::jwt::{Algorithm, Key};
///
/// let pem = "-----BEGIN PUBLIC KEY-----
/// MCowBQYDK2VwAyEA2X5CmgF/klcGRwKrtWIuIsO1Qu+Pazk+OGxLsW4dTRc=
/// -----END PUBLIC KEY-----";
/// assert!(Key::public(Algorithm::EdDSA, pem).is_ok());
/// assert!(Key::public(Algorithm::ES256, pem).is_err());
/// assert!(Key::secret(Algorithm::HS256, b"too short").is_err());
/// ```
#[derive(Debug)]
pub struct Key {
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

impl Key {
    /// A public key as PEM: `-----BEGIN PUBLIC KEY-----`.
    ///
    /// # Errors
    ///
    /// If it is not a public key for this algorithm, or one that is too weak (RSA below 2048 bits) or too
    /// large to be checked (above 4096).
    pub fn public(algorithm: Algorithm, pem: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let key = match algorithm.family() {
            AlgorithmFamily::Rsa => DecodingKey::from_rsa_pem(pem.as_ref()),
            AlgorithmFamily::Ec => DecodingKey::from_ec_pem(pem.as_ref()),
            AlgorithmFamily::Ed => DecodingKey::from_ed_pem(pem.as_ref()),
            AlgorithmFamily::Hmac => return Err(KeyError::Secret { algorithm }),
        };
        Self::checked(algorithm, key.map_err(|_| KeyError::NotAKey { algorithm })?)
    }

    /// A secret that this service shares with the issuer. Every service that can check such tokens can make them. At
    /// least as many random bytes as the algorithm's hash has (32 for HS256), and not a password.
    ///
    /// # Errors
    ///
    /// If the secret is shorter, or if this is an algorithm of public keys.
    pub fn secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyError> {
        if algorithm.family() != AlgorithmFamily::Hmac {
            return Err(KeyError::NoSecret { algorithm });
        }
        Self::checked(algorithm, DecodingKey::from_secret(secret))
    }

    /// Finds out now what would else be found out with each token, where it is a 401 or even a panic.
    fn checked(algorithm: Algorithm, key: DecodingKey) -> Result<Self, KeyError> {
        // With the back ends of two crates compiled in, `jsonwebtoken` panics unless one was chosen. An
        // application may have chosen before.
        let _ = DEFAULT_PROVIDER.install_default();

        let not_a_key = |_| KeyError::NotAKey { algorithm };
        match algorithm.family() {
            AlgorithmFamily::Hmac => {
                let length = key.try_get_as_bytes().map_err(not_a_key)?.len();
                let least = match algorithm {
                    Algorithm::HS256 => 32,
                    Algorithm::HS384 => 48,
                    _ => 64,
                };
                if length < least {
                    return Err(KeyError::ShortSecret { algorithm, least, length });
                }
            }
            AlgorithmFamily::Rsa => {
                let (modulus, exponent) = match key.kind() {
                    DecodingKeyKind::RsaModulusExponent { n, e } => (n.clone(), e.clone()),
                    DecodingKeyKind::SecretOrDer(der) => {
                        (DEFAULT_PROVIDER.key_utils.rsa_pub_components_from_public_key)(der)
                            .map_err(not_a_key)?
                    }
                };
                let bits = bits(&modulus);
                if !(2048..=4096).contains(&bits) {
                    return Err(KeyError::RsaSize { algorithm, bits });
                }
                // An even exponent is none, and 1 makes every signature right.
                if exponent.last().is_none_or(|last| last % 2 == 0)
                    || !(2..=33).contains(&self::bits(&exponent))
                {
                    return Err(KeyError::NotAKey { algorithm });
                }
            }
            // The back end takes the first 32 bytes, and panics if there are less.
            AlgorithmFamily::Ed if key.try_get_as_bytes().map_err(not_a_key)?.len() != 32 => {
                return Err(KeyError::NotAKey { algorithm });
            }
            AlgorithmFamily::Ed | AlgorithmFamily::Ec => {}
        }
        // Tells whether a point is one of the algorithm's curve.
        (DEFAULT_PROVIDER.verifier_factory)(&algorithm, &key).map_err(not_a_key)?;
        Ok(Self { algorithm, key })
    }

    /// The key of a set, if it is for one of these algorithms; with its id. Otherwise why it is not used.
    pub(super) fn of_jwk(jwk: &Value, algorithms: &[Algorithm]) -> Result<(Option<String>, Self), String> {
        let jwk = Jwk::deserialize(jwk).map_err(|error| format!("it is no key: {error}"))?;
        let common = &jwk.common;
        if common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
            return Err("its `use` is not `sig`".to_owned());
        }
        if common.key_operations.as_ref().is_some_and(|all| !all.contains(&KeyOperations::Verify)) {
            return Err("its `key_ops` does not have `verify`".to_owned());
        }
        let takes = |algorithm: &&Algorithm| {
            common.key_algorithm.is_none_or(|named| named == KeyAlgorithm::from(**algorithm))
                && is_of_type(&jwk.algorithm, **algorithm)
        };
        let mut fitting = algorithms.iter().filter(takes);
        let algorithm = match (fitting.next(), fitting.next()) {
            (Some(algorithm), None) => *algorithm,
            (Some(_), Some(_)) => return Err("it fits several algorithms: it needs an `alg`".to_owned()),
            (None, _) => return Err("it is for none of the algorithms that were asked for".to_owned()),
        };
        let key = DecodingKey::from_jwk(&jwk).map_err(|error| format!("it is no key: {error}"))?;
        let key = Self::checked(algorithm, key).map_err(|error| error.to_string())?;
        Ok((jwk.common.key_id, key))
    }
}

/// Whether a key of this type, on this curve, is one of this algorithm.
fn is_of_type(parameters: &AlgorithmParameters, algorithm: Algorithm) -> bool {
    match parameters {
        AlgorithmParameters::RSA(_) => algorithm.family() == AlgorithmFamily::Rsa,
        AlgorithmParameters::EllipticCurve(key) => match algorithm {
            Algorithm::ES256 => key.curve == EllipticCurve::P256,
            Algorithm::ES384 => key.curve == EllipticCurve::P384,
            _ => false,
        },
        AlgorithmParameters::OctetKeyPair(key) => {
            algorithm == Algorithm::EdDSA && key.curve == EllipticCurve::Ed25519
        }
        AlgorithmParameters::OctetKey(_) => algorithm.family() == AlgorithmFamily::Hmac,
        _ => false,
    }
}

/// How many bits this number has, whose first byte is the most significant.
fn bits(number: &[u8]) -> usize {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let Some((first, rest)) = number.get(start..).and_then(<[u8]>::split_first) else { return 0 };
    8 * rest.len() + usize::try_from(first.ilog2()).unwrap_or_default() + 1
}

/// Keys cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It is no public key for this algorithm.
    #[error("this is not a public key for {algorithm:?}")]
    NotAKey {
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// The algorithm has a secret.
    #[error("{algorithm:?} has a secret and no public key; use `Key::secret`")]
    Secret {
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// The algorithm has a public key.
    #[error("{algorithm:?} has a public key and no secret; use `Key::public`")]
    NoSecret {
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// A secret can be guessed.
    #[error("a secret for {algorithm:?} has at least {least} bytes, and this one {length}; make a new one")]
    ShortSecret {
        /// The algorithm.
        algorithm: Algorithm,
        /// The least number of bytes.
        least: usize,
        /// The number of bytes that there are.
        length: usize,
    },
    /// An RSA key is too weak, or too large to be checked.
    #[error("a key for {algorithm:?} has 2048 to 4096 bits, and this one {bits}; make a new one")]
    RsaSize {
        /// The algorithm.
        algorithm: Algorithm,
        /// The number of bits that there are.
        bits: usize,
    },
    /// It is not clear which key an id names.
    #[error("two keys have the id `{}`; rename one", .id.escape_debug())]
    IdTwice {
        /// The id.
        id: String,
    },
    /// No token could be checked.
    #[error(
        "there is no key that is used, so nobody gets in; the log says why those that there are are not used"
    )]
    NoKey,
    /// A file could not be read.
    #[error("the keys in `{}` cannot be read", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// A file has no JSON Web Key Set.
    #[error("`{}` is not a JSON Web Key Set: an object with a list `keys`", .path.display())]
    NotAKeySet {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: serde_json::Error,
    },
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64UrlUnpadded, Encoding as _};
    use proptest::{
        collection::vec,
        option,
        prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest},
        sample::select,
    };
    use serde_json::json;

    use super::*;

    const ALL: &[Algorithm] = &[
        Algorithm::HS256,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::RS256,
        Algorithm::PS512,
        Algorithm::EdDSA,
    ];

    /// Numbers as keys have them, of sizes around those that are right.
    fn numbers() -> impl Strategy<Value = Option<String>> {
        let lengths = prop_oneof![0..5_usize, 30..34_usize, 47..50_usize, 255..258_usize, 511..514_usize];
        let bytes = lengths.prop_flat_map(|length| {
            prop_oneof![vec(any::<u8>(), length), Just(vec![0; length]), Just(vec![0xff; length])]
        });
        option::weighted(0.9, bytes.prop_map(|bytes| Base64UrlUnpadded::encode_string(&bytes)))
    }

    fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = Option<&'static str>> {
        option::weighted(0.7, select(texts))
    }

    #[test]
    fn the_bits_of_a_number_are_counted_from_the_first_one() {
        for (number, expected) in
            [(&[][..], 0), (&[0], 0), (&[1], 1), (&[2], 2), (&[255], 8), (&[0, 0, 3], 2), (&[1, 0, 1], 17)]
        {
            assert_eq!(bits(number), expected, "{number:?}");
        }
    }

    proptest! {
        #[test]
        fn reading_keys_never_panics(bytes in any::<Vec<u8>>()) {
            for algorithm in ALL {
                let _ = (Key::public(*algorithm, &bytes), Key::secret(*algorithm, &bytes));
            }
        }

        /// The back end takes each key that is accepted here; it panics at some texts that are no keys.
        #[test]
        fn a_key_that_is_used_checks_signatures(
            kty in one_of(&["RSA", "EC", "OKP", "oct", "AKP"]),
            crv in one_of(&["P-256", "P-384", "P-521", "Ed25519", "X"]),
            alg in one_of(&["HS256", "ES256", "ES384", "RS256", "PS512", "EdDSA", "none", ""]),
            numbers in [numbers(), numbers(), numbers(), numbers(), numbers()],
            signature in vec(any::<u8>(), 0..520),
        ) {
            let [x, y, n, e, k] = numbers;
            let jwk = json!({ "kty": kty, "crv": crv, "alg": alg, "x": x, "y": y, "n": n, "e": e, "k": k });
            for algorithm in ALL {
                if let Ok((_, key)) = Key::of_jwk(&jwk, &[*algorithm]) {
                    prop_assert_eq!(key.algorithm, *algorithm);
                    let verifier = (DEFAULT_PROVIDER.verifier_factory)(algorithm, &key.key).unwrap();
                    prop_assert!(verifier.verify(b"message", &signature).is_err());
                }
            }
        }
    }
}
