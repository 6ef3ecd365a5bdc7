//! The header `Authorization`, for the mechanisms that read it.

use actix_web::{
    HttpRequest,
    http::header::{self, HeaderValue},
};

use super::Rejection;

/// The credentials of the request with this scheme; `None` if it names another scheme, or none.
pub(super) fn credentials<'r>(request: &'r HttpRequest, scheme: &str) -> Result<Option<&'r [u8]>, Rejection> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let Some(first) = headers.next() else {
        return Ok(None);
    };
    let credentials = after_scheme(first, scheme);
    let Some(second) = headers.next() else {
        return Ok(credentials);
    };
    // Of several headers, a proxy may have looked at another one.
    let names_scheme = |header| after_scheme(header, scheme).is_some();
    if credentials.is_some() || names_scheme(second) || headers.any(names_scheme) {
        return Err(Rejection::BadCredentials);
    }
    Ok(None)
}

/// The whole header, if it is a token without a scheme; `None` if it has a scheme, or if there is no header.
pub(super) fn bare(
    request: &HttpRequest,
    is_token: impl Fn(&[u8]) -> bool,
) -> Result<Option<&[u8]>, Rejection> {
    let headers = || request.headers().get_all(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let Some(token) = headers().find(|header| is_token(header)) else {
        return Ok(None);
    };
    if headers().nth(1).is_some() { Err(Rejection::BadCredentials) } else { Ok(Some(token)) }
}

/// The text behind the scheme, which is not case-sensitive; `None` for another scheme.
pub(super) fn after_scheme<'h>(header: &'h HeaderValue, scheme: &str) -> Option<&'h [u8]> {
    let (start, rest) = header.as_bytes().split_at_checked(scheme.len())?;
    match rest {
        _ if start != scheme.as_bytes() && !start.eq_ignore_ascii_case(scheme.as_bytes()) => None,
        [b' ', ..] => Some(rest.trim_ascii_start()),
        // The name of another scheme goes on here. Any other byte makes malformed credentials.
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

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn request(headers: &[&str]) -> HttpRequest {
        let mut request = TestRequest::default();
        for header in headers {
            request = request.append_header((header::AUTHORIZATION, *header));
        }
        request.to_http_request()
    }

    /// The result of the mechanism of `Bearer` for these headers.
    fn read(headers: &[&str]) -> String {
        shown(&credentials(&request(headers), "Bearer"))
    }

    /// The result where a text without a blank is a token without a scheme.
    fn read_bare(headers: &[&str]) -> String {
        shown(&bare(&request(headers), |header| !header.contains(&b' ')))
    }

    fn shown(read: &Result<Option<&[u8]>, Rejection>) -> String {
        match read {
            Ok(None) => "not mine".to_owned(),
            Ok(Some(credentials)) => String::from_utf8_lossy(credentials).into_owned(),
            Err(Rejection::BadCredentials) => "refused".to_owned(),
            Err(_) => "failed".to_owned(),
        }
    }

    #[test]
    fn one_header_is_read() {
        assert_eq!(read(&[]), "not mine");
        assert_eq!(read(&["Basic a"]), "not mine");
        assert_eq!(read(&["Bearer a"]), "a");
    }

    #[test]
    fn of_several_headers_none_counts_wherever_the_scheme_is() {
        for headers in [
            ["Bearer a", "Bearer a", "Bearer a"],
            ["Bearer a", "Basic a", "Basic a"],
            ["Basic a", "Bearer a", "Basic a"],
            ["Basic a", "Basic a", "Bearer a"],
        ] {
            assert_eq!(read(&headers), "refused", "{headers:?}");
            // Two of them: the first ones, and the last ones, where the scheme is among these.
            for two in headers.windows(2).filter(|two| two.iter().any(|header| header.starts_with("Bearer")))
            {
                assert_eq!(read(two), "refused", "{two:?}");
            }
        }
        assert_eq!(read(&["Basic a", "Basic a", "Digest a"]), "not mine");
    }

    #[test]
    fn a_token_without_a_scheme_is_the_whole_header_and_the_only_one() {
        assert_eq!(read_bare(&[]), "not mine");
        assert_eq!(read_bare(&["Basic a"]), "not mine");
        assert_eq!(read_bare(&["Basic a", "Digest a"]), "not mine");
        assert_eq!(read_bare(&["a"]), "a");
        for headers in [["a", "a"], ["a", "Basic a"], ["Basic a", "a"]] {
            assert_eq!(read_bare(&headers), "refused", "{headers:?}");
        }
    }
}
