//! How a mechanism's credentials travel, for those who write clients.

/// Where the credentials of a mechanism are in a request, as [`Mechanism::scheme`](super::Mechanism::scheme) says.
///
/// ```
/// use auth_core::mechanism::Scheme;
///
/// let scheme = Scheme::Header { name: "x-api-key".to_owned() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer {
        /// What the tokens are, such as `JWT`; `None` where a client has no use for what is in them.
        format: Option<&'static str>,
    },
    /// `Authorization: Basic …` (RFC 7617).
    Basic,
    /// A cookie. A browser sends it with every request, whoever caused it.
    Cookie {
        /// The name of the cookie.
        name: String,
    },
    /// A header of its own.
    Header {
        /// The name of the header.
        name: String,
    },
}
