//! Where a mechanism's credentials are in a request, for clients.

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
        /// The format of the tokens, such as `JWT`; `None` if a client has no use for their content.
        format: Option<&'static str>,
    },
    /// `Authorization: Basic …` (RFC 7617).
    Basic,
    /// A cookie. A browser sends it with every request, also with those that another site causes.
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
