//! Whether another site caused a request: Fetch Metadata, or else the origin (RFC 6454).

use std::{fmt, str::FromStr};

use actix_web::{
    HttpRequest,
    http::{
        header::{self, HeaderName},
        uri::Authority,
    },
};
use thiserror::Error;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a browser says that the request comes from a page of another origin which is not trusted. What
/// cannot be understood is foreign; what says nothing at all is no browser's.
pub(super) fn is_foreign(request: &HttpRequest, trusted: &[Origin]) -> bool {
    let headers = request.headers();
    let mut origins = headers.get_all(header::ORIGIN);
    let has_origin = headers.contains_key(header::ORIGIN);
    let origin: Option<Origin> = match (origins.next(), origins.next()) {
        (Some(only), None) => only.to_str().ok().and_then(|text| text.parse().ok()),
        _ => None,
    };
    if origin.as_ref().is_some_and(|origin| trusted.contains(origin)) {
        return false;
    }
    if headers.contains_key(&SEC_FETCH_SITE) {
        // `none`: the user did it, and no page.
        let is_own = |site: &[u8]| matches!(site, b"same-origin" | b"none");
        return !headers.get_all(&SEC_FETCH_SITE).all(|site| is_own(site.as_bytes()));
    }
    has_origin && !origin.is_some_and(|origin| origin.is_own(request))
}

/// Where browsers find the application: `https://energy.example.com`. Requests that its own pages cause come from this
/// origin.
///
/// Register it with `App::app_data`, next to the [`Auth`](crate::Auth). [`SessionCookie`](super::SessionCookie) and
/// [`refuse_cross_site`](super::refuse_cross_site) then compare `Origin` with it, and not with `Host`, in which a proxy may
/// have put a name of its own.
///
/// ```
/// use actix_web::App;
/// use auth_core::mechanism::session::PublicOrigin;
///
/// let origin: PublicOrigin = "https://energy.example.com".parse()?;
/// assert!(origin.is_https());
/// let app = App::new().app_data(origin.clone());
/// # Ok::<(), auth_core::mechanism::session::InvalidOrigin>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicOrigin(Origin);

impl PublicOrigin {
    /// Whether browsers reach it by TLS, so that its cookies can be `Secure`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme == "https"
    }
}

/// Only `http` and `https`: no other scheme has pages that send forms.
impl FromStr for PublicOrigin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let origin: Origin = text.parse()?;
        if origin.is_web() { Ok(Self(origin)) } else { Err(InvalidOrigin { text: text.to_owned() }) }
    }
}

/// As browsers write it: without the port that the scheme has anyway.
impl fmt::Display for PublicOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(Origin { scheme, host, port }) = self;
        write!(formatter, "{scheme}://{host}")?;
        port.map_or(Ok(()), |port| write!(formatter, ":{port}"))
    }
}

/// A scheme, a host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    scheme: String,
    host: String,
    /// `None`: the one that the scheme has.
    port: Option<u16>,
}

impl Origin {
    /// Whether the application's own pages have this origin: the one that it registered, or else the host that the request
    /// names.
    fn is_own(&self, request: &HttpRequest) -> bool {
        match request.app_data() {
            Some(PublicOrigin(own)) => self == own,
            None => self.is_of(request),
        }
    }

    /// Whether this is the host, with the port, of the request. The scheme of the request is not
    /// compared: where a proxy ends TLS, the request does not have that of the browser.
    fn is_of(&self, request: &HttpRequest) -> bool {
        let mut hosts = request.headers().get_all(header::HOST);
        let host = match (hosts.next(), hosts.next()) {
            (Some(only), None) => only.to_str().ok(),
            (None, _) => request.uri().authority().map(Authority::as_str),
            _ => None,
        };
        let origin = host.and_then(|host| Self::new(&self.scheme, host));
        self.is_web() && origin.is_some_and(|origin| origin == *self)
    }

    fn is_web(&self) -> bool {
        matches!(self.scheme.as_str(), "http" | "https")
    }

    fn new(scheme: &str, authority: &str) -> Option<Self> {
        let scheme = scheme.to_ascii_lowercase();
        let host = authority.parse::<Authority>().ok()?.host().to_ascii_lowercase();
        let (before, after) = authority.split_at_checked(host.len())?;
        let port: Option<u16> = match after.strip_prefix(':') {
            None if after.is_empty() => None,
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => Some(port.parse().ok()?),
            _ => return None,
        };
        let is_default = matches!((scheme.as_str(), port), ("http", Some(80)) | ("https", Some(443)));
        let port = port.filter(|_| !is_default);
        // With the name of a user in front, the host would stand elsewhere. An asterisk stands for nothing
        // here.
        let is_host = !host.is_empty() && !host.contains('*') && before.eq_ignore_ascii_case(&host);
        is_host.then_some(Self { scheme, host, port })
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let is_scheme = |scheme: &str| {
            let [first, rest @ ..] = scheme.as_bytes() else { return false };
            first.is_ascii_alphabetic()
                && rest.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
        };
        text.split_once("://")
            .filter(|(scheme, _)| is_scheme(scheme))
            .and_then(|(scheme, authority)| Self::new(scheme, authority))
            .ok_or_else(|| InvalidOrigin { text: text.to_owned() })
    }
}

/// A text is not an origin.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{text}` is not an origin; write scheme, host and perhaps port alone, as in `https://app.example.com`"
)]
pub struct InvalidOrigin {
    text: String,
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use proptest::prelude::{any, proptest};

    use super::*;

    fn foreign(headers: &[(&str, &str)]) -> bool {
        let mut request = TestRequest::post();
        for (name, value) in headers {
            request = request.append_header((*name, *value));
        }
        let trusted = ["https://app.example.org", "http://localhost:5173"].map(|text| text.parse().unwrap());
        is_foreign(&request.to_http_request(), &trusted)
    }

    #[test]
    fn fetch_metadata_decides_where_it_is_sent() {
        for (site, expected) in [
            ("same-origin", false),
            ("none", false),
            ("same-site", true),
            ("cross-site", true),
            ("Same-Origin", true),
            ("", true),
            ("something-new", true),
        ] {
            assert_eq!(foreign(&[("sec-fetch-site", site)]), expected, "{site}");
            let with_own_origin =
                [("sec-fetch-site", site), ("host", "example.com"), ("origin", "https://example.com")];
            assert_eq!(foreign(&with_own_origin), expected, "{site}");
        }
        assert!(foreign(&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")]));
    }

    #[test]
    fn without_it_the_origin_must_be_the_host() {
        for (origin, host, expected) in [
            ("https://example.com", "example.com", false),
            ("https://EXAMPLE.com", "Example.com", false),
            ("https://example.com", "example.com:443", false),
            ("https://example.com:443", "example.com", false),
            ("http://example.com", "example.com:80", false),
            ("http://example.com:8080", "example.com:8080", false),
            ("http://[::1]:8080", "[::1]:8080", false),
            ("https://example.com", "example.com:80", true),
            ("https://example.com:8443", "example.com", true),
            ("https://example.com", "example.com:8443", true),
            ("https://evil.example", "example.com", true),
            ("https://example.com.evil.example", "example.com", true),
            ("https://sub.example.com", "example.com", true),
            ("https://example.com@evil.example", "example.com", true),
            ("https://evil.example", "evil.example@evil.example", true),
            ("https://example.com/", "example.com", true),
            ("https://example.com:", "example.com", true),
            ("tauri://example.com", "example.com", true),
            ("example.com", "example.com", true),
            ("null", "example.com", true),
            ("null", "null", true),
            ("", "", true),
            ("https://", "", true),
        ] {
            assert_eq!(foreign(&[("origin", origin), ("host", host)]), expected, "{origin} asks {host}");
        }
        assert!(!foreign(&[]));
        assert!(!foreign(&[("host", "example.com")]));
    }

    #[test]
    fn of_two_headers_none_counts() {
        let own = ("origin", "https://example.com");
        assert!(foreign(&[("host", "example.com"), own, ("origin", "https://evil.example")]));
        assert!(foreign(&[("host", "example.com"), ("host", "evil.example"), own]));
    }

    #[test]
    fn what_a_proxy_adds_does_not_count() {
        let origin = ("origin", "https://evil.example");
        for forwarded in [("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example")] {
            assert!(foreign(&[("host", "example.com"), origin, forwarded]), "{forwarded:?}");
        }
    }

    #[test]
    fn a_trusted_origin_is_not_foreign() {
        for origin in ["https://app.example.org", "https://app.example.org:443", "http://localhost:5173"] {
            for headers in [
                &[("origin", origin), ("host", "example.com")][..],
                &[("origin", origin), ("sec-fetch-site", "same-site")],
                &[("origin", origin), ("sec-fetch-site", "cross-site")],
            ] {
                assert!(!foreign(headers), "{headers:?}");
            }
        }
        for origin in ["http://app.example.org", "https://app.example.org:8443", "http://localhost", "null"] {
            assert!(foreign(&[("origin", origin), ("sec-fetch-site", "cross-site")]), "{origin}");
        }
    }

    #[test]
    fn where_the_application_says_its_origin_the_host_does_not_count() {
        let foreign = |headers: &[(&'static str, &'static str)]| {
            let own: PublicOrigin = "https://energy.example.com".parse().unwrap();
            let mut request = TestRequest::post().app_data(own);
            for header in headers {
                request = request.append_header(*header);
            }
            is_foreign(&request.to_http_request(), &[])
        };
        let inside = ("host", "127.0.0.1:5000");
        for (origin, expected) in [
            ("https://energy.example.com", false),
            ("https://ENERGY.example.com:443", false),
            ("http://energy.example.com", true),
            ("https://energy.example.com:8443", true),
            ("http://127.0.0.1:5000", true),
            ("https://evil.example", true),
            ("null", true),
        ] {
            assert_eq!(foreign(&[inside, ("origin", origin)]), expected, "{origin}");
        }
        assert!(foreign(&[("host", "evil.example"), ("origin", "https://evil.example")]));
        assert!(foreign(&[
            inside,
            ("origin", "https://energy.example.com"),
            ("sec-fetch-site", "cross-site")
        ]));
        assert!(!foreign(&[inside, ("sec-fetch-site", "same-origin")]));
        assert!(!foreign(&[inside]));
    }

    #[test]
    fn a_public_origin_is_written_as_browsers_write_it() {
        for (text, written, is_https) in [
            ("https://Energy.example.com", "https://energy.example.com", true),
            ("https://energy.example.com:443", "https://energy.example.com", true),
            ("https://energy.example.com:8443", "https://energy.example.com:8443", true),
            ("http://[::1]:5000", "http://[::1]:5000", false),
        ] {
            let origin: PublicOrigin = text.parse().unwrap();
            assert_eq!((origin.to_string().as_str(), origin.is_https()), (written, is_https));
        }
        for text in
            ["tauri://localhost", "energy.example.com", "https://energy.example.com/", "https://*", ""]
        {
            assert!(text.parse::<PublicOrigin>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_origin_cannot_be_trusted() {
        for text in [
            "",
            "null",
            "*",
            "example.com",
            "https://",
            "https://*",
            "https://*.example.com",
            "https://a.example/",
            "https://a.example/path",
            "https://u@a.example",
            "https://a.example:x",
            "https://a.example:+1",
            "https://a.example:99999",
            "://a.example",
            "ht tp://a.example",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in any::<String>(), scheme in "[a-z]{0,3}://", authority in ".{0,9}") {
            let _ = text.parse::<Origin>();
            let _ = (scheme + &authority).parse::<Origin>();
        }
    }
}
