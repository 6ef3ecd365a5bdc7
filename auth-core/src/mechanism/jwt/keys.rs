//! The keys of a mechanism, and the file that they may come from.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError},
    time::{Duration, Instant},
};

use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Key, KeyError};
use crate::event::check::Causes;

/// How often a file is looked at, at most, while tokens come in.
const PERIOD: Duration = Duration::from_secs(1);

/// No set of keys is longer than this, in bytes.
const MAX_FILE_LENGTH: u64 = 1 << 20;

/// The keys of a mechanism: one, several by their ids, or those of a file. Clones share them.
///
/// With several, a token has to name its key (`kid`), and an unknown name is refused. So a key is rotated by
/// adding the new one, signing with it, and removing the old one when the last token of it has expired.
///
/// ```
/// use auth_core::mechanism::jwt::{Algorithm, Key, KeyError, Keys};
///
/// fn one(pem: &str) -> Result<Keys, KeyError> {
///     Ok(Key::public(Algorithm::ES256, pem)?.into())
/// }
///
/// fn old_and_new(old: &str, new: &str) -> Result<Keys, KeyError> {
///     let old = Key::public(Algorithm::RS256, old)?;
///     let new = Key::public(Algorithm::EdDSA, new)?;
///     Keys::by_id([("2025", old), ("2026", new)])
/// }
///
/// fn of_a_file() -> Result<Keys, KeyError> {
///     Keys::jwks_file("/etc/plant/jwks.json", &[Algorithm::RS256, Algorithm::ES256])
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Keys(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    set: RwLock<Arc<KeySet>>,
    file: Option<JwksFile>,
}

/// This one key for all tokens, whichever id of a key they have.
impl From<Key> for Keys {
    fn from(key: Key) -> Self {
        Self::of(KeySet::One(key), None)
    }
}

impl Keys {
    /// Several keys, by the ids that tokens name them by.
    ///
    /// # Errors
    ///
    /// If there is none, or if two have one id.
    pub fn by_id<I: Into<String>>(keys: impl IntoIterator<Item = (I, Key)>) -> Result<Self, KeyError> {
        let set = KeySet::by_id(keys.into_iter().map(|(id, key)| (id.into(), key)))?;
        if set.is_empty() { Err(KeyError::NoKey) } else { Ok(Self::of(set, None)) }
    }

    /// The keys of a file that has a JSON Web Key Set (RFC 7517), for these algorithms and no others. Secrets
    /// (`oct`) are used only if an algorithm is named that has them.
    ///
    /// Not used, and logged, are keys for something else (`use` is not `sig`), those for other algorithms and
    /// those that are too weak. A key that fits several of the algorithms has to say which one it is for
    /// (`alg`). A key without an id (`kid`) is used only if it is the only one.
    ///
    /// While tokens come in, the file is read anew, at most once a second, so that a rotation needs no restart. If it
    /// cannot be read or understood then, or gives two keys one id, that is logged as an error and the keys stay as they
    /// were. If it can, and has no key that is used, no token is good any more. Replace the file by renaming another one.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or understood, or has no key that is used.
    pub fn jwks_file(path: impl Into<PathBuf>, algorithms: &[Algorithm]) -> Result<Self, KeyError> {
        let (path, algorithms) = (path.into(), algorithms.to_vec());
        let content = read(&path);
        let last = Mutex::new(LastRead { at: Instant::now(), seen: Seen::of(&content) });
        let file = JwksFile { path, algorithms, last };
        let set = file.understand(content)?;
        if set.is_empty() { Err(KeyError::NoKey) } else { Ok(Self::of(set, Some(file))) }
    }

    /// Reads the file anew, now. Keys that come from no file stay as they are.
    ///
    /// May block, as reading a file does.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or understood: the keys stay as they were. Or if it has no key that is used:
    /// no token is good any more.
    pub fn reload(&self) -> Result<(), KeyError> {
        let Some(file) = &self.0.file else { return Ok(()) };
        let mut last = file.last.lock().unwrap_or_else(PoisonError::into_inner);
        let content = read(&file.path);
        *last = LastRead { at: Instant::now(), seen: Seen::of(&content) };
        self.replace(file.understand(content)?)
    }

    /// The keys as they are now. May block, as reading a file does.
    pub(super) fn current(&self) -> Arc<KeySet> {
        if let Some((file, mut last)) = self.0.file.as_ref().and_then(|file| Some((file, file.due()?))) {
            let content = read(&file.path);
            let seen = Seen::of(&content);
            last.at = Instant::now();
            // A content that was seen before is in use, or in the log.
            if seen != last.seen {
                last.seen = seen;
                if let Err(error) = file.understand(content).and_then(|set| self.replace(set)) {
                    tracing::error!(
                        target: "auth",
                        file = %file.path.display(),
                        error = %Causes(&error),
                        "the keys of tokens changed, and the new ones cannot be used"
                    );
                }
            }
        }
        Arc::clone(&self.0.set.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn of(set: KeySet, file: Option<JwksFile>) -> Self {
        Self(Arc::new(Shared { set: RwLock::new(Arc::new(set)), file }))
    }

    /// A set without keys replaces the old one as well: to remove all keys is a way to lock everybody out.
    fn replace(&self, set: KeySet) -> Result<(), KeyError> {
        let is_empty = set.is_empty();
        *self.0.set.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(set);
        if is_empty { Err(KeyError::NoKey) } else { Ok(()) }
    }
}

#[derive(Debug)]
pub(super) enum KeySet {
    /// For all tokens.
    One(Key),
    /// For tokens that name them.
    ById(HashMap<String, Key>),
}

impl KeySet {
    fn by_id(keys: impl IntoIterator<Item = (String, Key)>) -> Result<Self, KeyError> {
        let mut by_id = HashMap::new();
        for (id, key) in keys {
            if by_id.contains_key(&id) {
                return Err(KeyError::IdTwice { id });
            }
            by_id.insert(id, key);
        }
        Ok(Self::ById(by_id))
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::ById(keys) if keys.is_empty())
    }

    /// The key of a token that names this one.
    pub(super) fn find(&self, id: Option<&str>) -> Option<&Key> {
        match self {
            Self::One(key) => Some(key),
            Self::ById(keys) => keys.get(id?),
        }
    }
}

#[derive(Debug)]
struct JwksFile {
    path: PathBuf,
    algorithms: Vec<Algorithm>,
    last: Mutex<LastRead>,
}

#[derive(Debug)]
struct LastRead {
    at: Instant,
    seen: Seen,
}

/// The last reading of a file: the hash of its content, because that may have secrets, or why it could not be read.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Content([u8; 32]),
    Error(String),
}

impl Seen {
    fn of(content: &io::Result<Vec<u8>>) -> Self {
        match content {
            Ok(content) => Self::Content(Sha256::digest(content).into()),
            Err(error) => Self::Error(error.to_string()),
        }
    }
}

impl JwksFile {
    /// The right to read the file, if it is time for that and no other thread does. The other threads go on with the keys
    /// that there are.
    fn due(&self) -> Option<MutexGuard<'_, LastRead>> {
        let last = match self.last.try_lock() {
            Ok(last) => last,
            Err(TryLockError::Poisoned(last)) => last.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        (last.at.elapsed() >= PERIOD).then_some(last)
    }

    fn understand(&self, content: io::Result<Vec<u8>>) -> Result<KeySet, KeyError> {
        let content = content.map_err(|cause| KeyError::Unreadable { path: self.path.clone(), cause })?;
        key_set(&content, &self.algorithms)
            .map_err(|cause| KeyError::NotAKeySet { path: self.path.clone(), cause })?
    }
}

/// The content of a file that is not too long for a set of keys.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    // One byte more than there may be, to notice a longer file.
    let read = File::open(path)?.take(MAX_FILE_LENGTH + 1).read_to_end(&mut content)?;
    match u64::try_from(read) {
        Ok(length) if length <= MAX_FILE_LENGTH => Ok(content),
        _ => Err(io::Error::new(io::ErrorKind::FileTooLarge, "a set of keys is not longer than 1 MiB")),
    }
}

/// The keys of a JSON Web Key Set that are used for these algorithms. A key that is not used does not keep the
/// others from it (RFC 7517, section 5).
fn key_set(content: &[u8], algorithms: &[Algorithm]) -> serde_json::Result<Result<KeySet, KeyError>> {
    #[derive(Deserialize)]
    struct Jwks {
        keys: Vec<Value>,
    }

    let not_used = |number: usize, id: Option<&str>, reason: &str| {
        tracing::info!(target: "auth", number, ?id, ?reason, "a key for tokens is not used");
    };
    let Jwks { keys } = serde_json::from_slice(content)?;
    let mut used = Vec::new();
    for (number, jwk) in (1..).zip(&keys) {
        match Key::of_jwk(jwk, algorithms) {
            Ok(key) => used.push((number, key)),
            Err(reason) => not_used(number, jwk.get("kid").and_then(Value::as_str), &reason),
        }
    }
    Ok(match <[_; 1]>::try_from(used) {
        Ok([(_, (None, key))]) => Ok(KeySet::One(key)),
        Ok([(_, (Some(id), key))]) => KeySet::by_id([(id, key)]),
        Err(several) => KeySet::by_id(several.into_iter().filter_map(|(number, (id, key))| {
            if id.is_none() {
                not_used(number, None, "it has no `kid`, and there are others");
            }
            Some((id?, key))
        })),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    proptest! {
        #[test]
        fn reading_a_set_never_panics(bytes in any::<Vec<u8>>(), text in any::<String>()) {
            let algorithms = [Algorithm::ES256, Algorithm::RS256, Algorithm::EdDSA, Algorithm::HS256];
            let keys = serde_json::json!({ "keys": [{ "kty": text, "kid": text }, text] }).to_string();
            for content in [&bytes[..], text.as_bytes(), keys.as_bytes()] {
                let _ = key_set(content, &algorithms);
            }
        }
    }
}
