//! The headers of a request that its caller's identity depends on.

use actix_web::http::header::{self, HeaderName, HeaderValue};

use crate::mechanism::{Challenge, DynMechanism, Scheme, Why};

/// The headers in which these mechanisms find credentials, as a value of `Vary`; `None` where no mechanism says.
pub(super) fn of(mechanisms: &[Box<dyn DynMechanism>]) -> Option<HeaderValue> {
    let mut headers: Vec<HeaderName> = Vec::new();
    for header in mechanisms.iter().filter_map(|mechanism| header(&**mechanism)) {
        if !headers.contains(&header) {
            headers.push(header);
        }
    }
    let names: Vec<&str> = headers.iter().map(HeaderName::as_str).collect();
    (!names.is_empty()).then(|| HeaderValue::from_str(&names.join(", ")).ok()).flatten()
}

fn header(mechanism: &dyn DynMechanism) -> Option<HeaderName> {
    match mechanism.scheme() {
        Some(Scheme::Bearer { .. } | Scheme::Basic) => Some(header::AUTHORIZATION),
        Some(Scheme::Cookie { .. }) => Some(header::COOKIE),
        Some(Scheme::Header { name }) => name.parse().ok(),
        // A client answers a challenge in this header (RFC 9110, section 11.6.2).
        None => {
            let challenge = Challenge { why: Why::Missing, realm: None };
            mechanism.challenge(&challenge).map(|_| header::AUTHORIZATION)
        }
    }
}
