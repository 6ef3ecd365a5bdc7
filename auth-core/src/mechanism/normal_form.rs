//! The Unicode form in which passwords are hashed.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

/// The Unicode form (UAX #15) in which a password is hashed and compared:
/// [`Passwords::normalized_as`](super::Passwords::normalized_as).
///
/// A keyboard may send `é` as one character or as two. Without a form, the password that was set on one device is a wrong
/// one on another. A text of more than 4,096 bytes, which no user types, stays as it comes.
///
/// ```
/// use auth_core::mechanism::{NormalForm, Passwords};
///
/// // As Flask-Security has it, for hashes that it made.
/// let passwords = Passwords::new().normalized_as(NormalForm::Nfkd);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum NormalForm {
    /// Compatible characters are one, such as `ﬁ` and `fi`; composed. The default, as NIST SP 800-63B recommends.
    #[default]
    Nfkc,
    /// Compatible characters are one; decomposed. The default of Flask-Security (`SECURITY_PASSWORD_NORMALIZE_FORM`).
    Nfkd,
    /// Composed.
    Nfc,
    /// Decomposed.
    Nfd,
    /// As it comes.
    AsTyped,
}

/// A longer text, in bytes, is hashed as it comes. Its form may be eleven times as long, and to make it can take longer than
/// to hash it: a client that sends megabytes to a log-in would keep a processor busy.
const LONGEST: usize = 4096;

impl NormalForm {
    pub(super) fn of(self, password: &str) -> Cow<'_, str> {
        // A text in ASCII, as most are, has one form.
        if password.is_ascii() || password.len() > LONGEST {
            return Cow::Borrowed(password);
        }
        match self {
            Self::Nfkc => password.nfkc().collect::<String>().into(),
            Self::Nfkd => password.nfkd().collect::<String>().into(),
            Self::Nfc => password.nfc().collect::<String>().into(),
            Self::Nfd => password.nfd().collect::<String>().into(),
            Self::AsTyped => Cow::Borrowed(password),
        }
    }
}

#[cfg(test)]
mod tests {
    use argon2::{
        Algorithm, Argon2, Params, Version,
        password_hash::{PasswordHasher as _, phc},
    };

    use super::*;
    use crate::mechanism::{PasswordHash, Passwords};

    /// `é` as one character and as two, and a ligature.
    const FORMS: [&str; 4] =
        ["caf\u{e9} \u{fb01}n", "cafe\u{301} \u{fb01}n", "caf\u{e9} fin", "cafe\u{301} fin"];

    fn hash_of(password: &str) -> PasswordHash {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(32, 1, 1, None).unwrap());
        let hash: phc::PasswordHash = argon2.hash_password(password.as_bytes()).unwrap();
        hash.to_string().into()
    }

    #[actix_web::test]
    async fn a_password_is_the_same_from_every_keyboard() {
        let passwords = Passwords::with_cost(32, 1, 1).unwrap();
        for set in FORMS {
            let stored = passwords.hash(set).unwrap();
            for typed in FORMS {
                let verified = passwords.verify(typed.to_owned(), Some(stored.clone())).await.unwrap();
                assert!(verified, "{set:?}, typed as {typed:?}");
            }
            for wrong in ["cafe fin", "CAF\u{c9} fin", "caf\u{e8} fin", ""] {
                assert!(
                    !passwords.verify(wrong.to_owned(), Some(stored.clone())).await.unwrap(),
                    "{wrong:?}"
                );
            }
            assert!(!passwords.verify(set.to_owned(), None).await.unwrap());
        }
        // Only what is the same in this form.
        let canonical = passwords.normalized_as(NormalForm::Nfc);
        let stored = canonical.hash(FORMS[0]).unwrap();
        assert!(canonical.verify(FORMS[1].to_owned(), Some(stored.clone())).await.unwrap());
        assert!(!canonical.verify(FORMS[2].to_owned(), Some(stored)).await.unwrap());
    }

    #[actix_web::test]
    async fn what_nobody_types_is_hashed_as_it_comes() {
        let passwords = Passwords::with_cost(32, 1, 1).unwrap();
        // In this form it would be eleven times as long.
        let set = "\u{fdfa}".repeat(2_000);
        assert_eq!(stored_as(&passwords, &set).await, [true, false]);
        assert_eq!(stored_as(&passwords, "\u{fdfa}").await, [true, true]);
    }

    /// Whether the hash of this password is that of the password as it comes, and of its normal form.
    async fn stored_as(passwords: &Passwords, password: &str) -> [bool; 2] {
        let stored = passwords.hash(password).unwrap();
        let is_hash_of = |password: &str| passwords.verify(password.to_owned(), Some(stored.clone()));
        let normal: String = password.nfkc().collect();
        [is_hash_of(password).await.unwrap(), is_hash_of(&normal).await.unwrap()]
    }

    #[actix_web::test]
    async fn hashes_of_flask_security_are_of_passwords_in_its_form() {
        let stored = hash_of("cafe\u{301} fin");
        let cost = || Passwords::with_cost(32, 1, 1).unwrap();
        for typed in FORMS {
            let passwords = cost().normalized_as(NormalForm::Nfkd);
            assert!(passwords.verify(typed.to_owned(), Some(stored.clone())).await.unwrap(), "{typed:?}");
        }
        assert!(!cost().verify(FORMS[2].to_owned(), Some(stored)).await.unwrap());
    }

    #[actix_web::test]
    async fn what_was_hashed_as_it_was_typed_is_still_a_password() {
        for (set, form) in
            FORMS.into_iter().zip([NormalForm::Nfkc, NormalForm::Nfkd, NormalForm::Nfc, NormalForm::Nfd])
        {
            let passwords = Passwords::with_cost(32, 1, 1).unwrap().normalized_as(form);
            assert!(
                passwords.verify(set.to_owned(), Some(hash_of(set))).await.unwrap(),
                "{set:?} in {form:?}"
            );
        }
    }
}
