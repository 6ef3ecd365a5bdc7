//! A rule evaluated for one subject, term by term: what an explanation is made of.

use std::fmt::{self, Write as _};

/// A rule evaluated for one subject: each term with its answer, which may still be open.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition<A = bool> {
    Term { text: String, matches: A },
    Any(Vec<Self>),
    All(Vec<Self>),
}

/// The text of alternatives that are none.
const NOBODY: &str = "nobody";

#[cfg(feature = "diesel")]
impl<A> Condition<A> {
    /// With other answers.
    pub(crate) fn map<B>(self, answer: &impl Fn(A) -> B) -> Condition<B> {
        let all = |conditions: Vec<Self>| conditions.into_iter().map(|one| one.map(answer)).collect();
        match self {
            Self::Term { text, matches } => Condition::Term { text, matches: answer(matches) },
            Self::Any(conditions) => Condition::Any(all(conditions)),
            Self::All(conditions) => Condition::All(all(conditions)),
        }
    }
}

impl Condition {
    pub(crate) fn term(text: impl Into<String>, matches: bool) -> Self {
        Self::Term { text: text.into(), matches }
    }

    pub(crate) fn matches(&self) -> bool {
        match self {
            Self::Term { matches, .. } => *matches,
            Self::Any(conditions) => conditions.iter().any(Self::matches),
            // An empty conjunction would match everybody.
            Self::All(conditions) => !conditions.is_empty() && conditions.iter().all(Self::matches),
        }
    }

    pub(crate) fn each_alternative<'a>(&'a self, take: &mut impl FnMut(&'a Self)) {
        match self {
            Self::Any(conditions) => conditions.iter().for_each(|condition| condition.each_alternative(take)),
            Self::Term { .. } | Self::All(_) => take(self),
        }
    }

    pub(crate) fn each_term<'a>(&'a self, take: &mut impl FnMut(&'a str, bool)) {
        match self {
            Self::Any(none) if none.is_empty() => take(NOBODY, false),
            Self::Term { text, matches } => take(text, *matches),
            Self::Any(conditions) | Self::All(conditions) => {
                for condition in conditions {
                    condition.each_term(take);
                }
            }
        }
    }

    /// The terms for which this does not match.
    pub(crate) fn each_failed<'a>(&'a self, take: &mut impl FnMut(&'a str)) {
        match self {
            _ if self.matches() => {}
            Self::Any(none) if none.is_empty() => take(NOBODY),
            Self::Term { text, .. } => take(text),
            Self::Any(conditions) | Self::All(conditions) => {
                for condition in conditions {
                    condition.each_failed(take);
                }
            }
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (conditions, operator) = match self {
            Self::Term { text, .. } => return f.write_str(text),
            Self::Any(none) if none.is_empty() => return f.write_str(NOBODY),
            Self::Any(conditions) => (conditions, '|'),
            Self::All(conditions) => (conditions, '&'),
        };
        for (index, condition) in conditions.iter().enumerate() {
            if index > 0 {
                write!(f, " {operator} ")?;
            }
            if operator == '&' && matches!(condition, Self::Any(alternatives) if !alternatives.is_empty()) {
                f.write_char('(')?;
                condition.fmt(f)?;
                f.write_char(')')?;
            } else {
                condition.fmt(f)?;
            }
        }
        Ok(())
    }
}
