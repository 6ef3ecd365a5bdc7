//! Opaque tokens. The client keeps the token, the application stores its hash.

use std::fmt;

use sha2::{Digest, Sha256};
use thiserror::Error;

const BYTES: usize = 32;

/// A new opaque token: 256 random bits, for the client alone.
///
/// ```
/// use auth_core::mechanism::Token;
///
/// let token = Token::generate()?;
/// // Store the hash, send the text.
/// let (stored, sent) = (token.hash(), token.as_str());
/// # assert_eq!(stored, auth_core::mechanism::TokenHash::of(sent));
/// # Ok::<(), auth_core::mechanism::GenerateTokenError>(())
/// ```
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Makes a token from the operating system's random numbers.
    ///
    /// # Errors
    ///
    /// If the operating system has none to give.
    pub fn generate() -> Result<Self, GenerateTokenError> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(GenerateTokenError)?;
        Ok(Self(Hex(&bytes).to_string()))
    }

    /// The token's text, to be sent to the client once and not kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The hash to store.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

/// Shows nothing of the token, which must not get into a log.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The operating system gave no random numbers.
#[derive(Debug, Error)]
#[error("no random numbers for a token")]
pub struct GenerateTokenError(#[source] getrandom::Error);

/// The SHA-256 of a token. An unsalted fast hash suffices, for a token is 256 random bits and nothing that
/// one could guess.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; BYTES]);

impl TokenHash {
    /// The hash of the token with this text.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self::of_bytes(token.as_bytes())
    }

    pub(super) fn of_bytes(token: &[u8]) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// The hash, to be stored and looked up.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenHash({})", Hex(&self.0))
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_new_and_debug_hides_it() {
        let (one, other) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert_ne!(one.as_str(), other.as_str());
        assert_eq!(one.as_str().len(), 2 * BYTES);
        assert!(!format!("{one:?}").contains(one.as_str()));
    }

    #[test]
    fn the_hash_is_sha_256() {
        // The example of FIPS 180-2, appendix B.1.
        assert_eq!(
            format!("{:?}", TokenHash::of("abc")),
            "TokenHash(ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad)"
        );
    }
}
