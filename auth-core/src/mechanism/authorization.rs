//! The header `Authorization`, for the mechanisms that read it.

use actix_web::{
    HttpRequest,
    http::header::{self, HeaderValue},
};

use super::Rejection;

/// What the request says after this scheme; `None` where it names another scheme, or none.
pub(super) fn credentials<'r>(request: &'r HttpRequest, scheme: &str) -> Result<Option<&'r [u8]>, Rejection> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let Some(credentials) = headers.find_map(|header| after_scheme(header, scheme)) else {
        return Ok(None);
    };
    // Of two headers, a proxy may have looked at the other one.
    if request.headers().get_all(header::AUTHORIZATION).count() > 1 {
        return Err(Rejection::BadCredentials);
    }
    Ok(Some(credentials))
}

/// What follows the scheme, which is not case-sensitive; `None` for another scheme.
pub(super) fn after_scheme<'h>(header: &'h HeaderValue, scheme: &str) -> Option<&'h [u8]> {
    let (start, rest) = header.as_bytes().split_at_checked(scheme.len())?;
    match rest {
        _ if !start.eq_ignore_ascii_case(scheme.as_bytes()) => None,
        [b' ', ..] => Some(rest.trim_ascii_start()),
        // The name of another scheme goes on here; whatever else stands here makes malformed credentials.
        [
            b'!'
            | b'#'..=b'\''
            | b'*'
            | b'+'
            | b'-'
            | b'.'
            | b'0'..=b'9'
            | b'A'..=b'Z'
            | b'^'..=b'z'
            | b'|'
            | b'~',
            ..,
        ] => None,
        _ => Some(rest),
    }
}
