//! The address of a caller: the other end of the connection, or the address that a trusted proxy reports. It identifies
//! no caller.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
    sync::{Arc, Once},
};

use actix_web::{
    HttpRequest,
    http::header::{HeaderMap, HeaderValue},
};
use ipnet::IpNet;
use thiserror::Error;

/// The reverse proxies that an application trusts to say where callers are. None by default: then the address of a caller is
/// the other end of the connection.
///
/// A header counts only where the other end of the connection is one of these proxies, because any client can send it. Of the
/// addresses in it the last one counts that is no trusted proxy: each proxy adds the address that it saw at the end, and a
/// client can write all that stands before. Where the header is missing or malformed, the address is that of the proxy.
///
/// ```
/// use auth_core::mechanism::{Attempts, ForwardedHeader, TrustedProxies};
///
/// let proxies = TrustedProxies::new(ForwardedHeader::XForwardedFor, ["127.0.0.1", "10.0.0.0/8", "fd00::/8"])?;
/// let attempts = Attempts::default().behind(proxies);
/// # Ok::<(), auth_core::mechanism::InvalidProxy>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    header: ForwardedHeader,
    networks: Arc<[IpNet]>,
}

/// The header in which proxies say where a caller is. Each proxy has to add to it or to replace it: a proxy that passes
/// on what it does not know lets clients choose their address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For: 192.0.2.1, 10.0.0.7`: each proxy adds the address that it saw. In nginx
    /// `proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for`.
    #[default]
    XForwardedFor,
    /// `X-Real-IP: 192.0.2.1`: one address, which the proxy replaces. In nginx `proxy_set_header X-Real-IP $remote_addr`.
    XRealIp,
    /// `Forwarded: for=192.0.2.1, for="[2001:db8::1]"` (RFC 7239): each proxy adds an element.
    Forwarded,
}

impl ForwardedHeader {
    const ALL: [Self; 3] = [Self::XForwardedFor, Self::XRealIp, Self::Forwarded];

    /// The name, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::XRealIp => "x-real-ip",
            Self::Forwarded => "forwarded",
        }
    }

    /// The addresses of a line, in its order; `None` for each that is none. `None` for a line that is malformed as a whole.
    fn addresses(self, line: &str) -> Option<Vec<Option<IpAddr>>> {
        match self {
            Self::XForwardedFor => Some(line.split(',').map(address).collect()),
            Self::XRealIp => Some(vec![address(line)]),
            Self::Forwarded => forwarded(line),
        }
    }
}

/// By its name.
impl FromStr for ForwardedHeader {
    type Err = InvalidProxy;

    fn from_str(name: &str) -> Result<Self, InvalidProxy> {
        let known = Self::ALL.into_iter().find(|header| header.name().eq_ignore_ascii_case(name));
        known.ok_or_else(|| InvalidProxy::Header(name.to_owned()))
    }
}

impl TrustedProxies {
    /// Trusts what proxies at these addresses, or in these networks, write into this header.
    ///
    /// # Errors
    ///
    /// [`InvalidProxy`] for what is neither an address nor a network, and for a network of all addresses.
    pub fn new<N: AsRef<str>>(
        header: ForwardedHeader,
        networks: impl IntoIterator<Item = N>,
    ) -> Result<Self, InvalidProxy> {
        let networks: Result<_, _> = networks.into_iter().map(|text| network(text.as_ref())).collect();
        Ok(Self { header, networks: networks? })
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// The address of a request's caller. `None` where the connection has none, as that of a Unix socket.
    ///
    /// A header of a peer that is not trusted is ignored; the first time, the log has a warning, because an application
    /// behind a proxy that it does not know takes all callers for one.
    #[must_use]
    pub fn address_of(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr()?.ip().to_canonical();
        if self.trusts(peer) {
            return Some(self.forwarded_by_proxies(request.headers()).unwrap_or(peer));
        }
        warn_of_ignored(request.headers(), peer);
        Some(peer)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The last address that is no trusted proxy; the first one of all where all are. Nothing before a malformed one
    /// counts.
    fn forwarded_by_proxies(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let lines: Vec<&HeaderValue> = headers.get_all(self.header.name()).collect();
        // A proxy that replaces a header leaves one.
        if self.header == ForwardedHeader::XRealIp && lines.len() > 1 {
            return None;
        }
        let mut first = None;
        for line in lines.into_iter().rev() {
            for address in self.header.addresses(line.to_str().ok()?)?.into_iter().rev() {
                let address = address?;
                if !self.trusts(address) {
                    return Some(address);
                }
                first = Some(address);
            }
        }
        first
    }
}

/// Once: a client can send it with each request.
fn warn_of_ignored(headers: &HeaderMap, peer: IpAddr) {
    static WARNED: Once = Once::new();
    if let Some(header) = ForwardedHeader::ALL.into_iter().find(|header| headers.contains_key(header.name()))
    {
        WARNED.call_once(|| {
            tracing::warn!(
                target: "auth",
                %peer,
                header = header.name(),
                "a header about the caller's address is ignored, because it is not from a trusted proxy: attempts to \
                 log in count for the peer; if a proxy is there, trust it",
            );
        });
    }
}

fn network(text: &str) -> Result<IpNet, InvalidProxy> {
    let network = text
        .parse::<IpAddr>()
        .map(|address| IpNet::from(address.to_canonical()))
        .or_else(|_| text.parse::<IpNet>())
        .map_err(|_| InvalidProxy::Network(text.to_owned()))?;
    if network.prefix_len() == 0 { Err(InvalidProxy::Everybody) } else { Ok(network) }
}

/// An address, with or without a port; one of IPv6 may stand in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches([' ', '\t']);
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    let address = text.parse().ok().or_else(in_brackets);
    let address = address.or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address| address.to_canonical())
}

/// The addresses of `for` in a list of elements (RFC 7239, section 4). Read from its begin, because only so it is known what
/// stands between quotes.
fn forwarded(line: &str) -> Option<Vec<Option<IpAddr>>> {
    let mut addresses = Vec::new();
    let mut rest = line;
    loop {
        let mut of_element = None;
        loop {
            let (name, after) = rest.split_once('=')?;
            let (value, after) = value(after)?;
            if name.trim().eq_ignore_ascii_case("for") && of_element.replace(address(&value)).is_some() {
                return None;
            }
            rest = after.trim_start();
            match rest.strip_prefix(';') {
                Some(after) => rest = after,
                None => break,
            }
        }
        addresses.push(of_element.flatten());
        if rest.is_empty() {
            return Some(addresses);
        }
        rest = rest.strip_prefix(',')?;
    }
}

/// A value and what stands behind it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end =
            text.find(|character: char| matches!(character, ',' | ';' | '"') || character.is_whitespace());
        let (value, rest) = text.split_at(end.unwrap_or(text.len()));
        return Some((value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return Some((value, characters.as_str())),
            '\\' => value.push(characters.next()?),
            character => value.push(character),
        }
    }
}

/// A text that names no proxy to trust.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidProxy {
    /// This is no place.
    #[error("`{0}` is neither an address nor a network as in `10.0.0.0/8`")]
    Network(String),
    /// All addresses: every client could choose its own.
    #[error("a network of all addresses trusts every client; name those of the proxies")]
    Everybody,
    /// No proxy writes the address there.
    #[error("`{0}` is none of `x-forwarded-for`, `x-real-ip` and `forwarded`")]
    Header(String),
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use proptest::prelude::{any, prop_assert, proptest};

    use super::{ForwardedHeader, InvalidProxy, TrustedProxies};

    const PROXIES: [&str; 3] = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"];

    /// Where the caller is, if the request comes from this peer with these lines of a header.
    fn found(header: ForwardedHeader, peer: &str, lines: &[&str]) -> String {
        let peer = if peer.contains(':') { format!("[{peer}]:4711") } else { format!("{peer}:4711") };
        let request = lines.iter().fold(TestRequest::default(), |request, line| {
            request.append_header((header.name(), line.as_bytes()))
        });
        let request = request.peer_addr(peer.parse().unwrap()).to_http_request();
        TrustedProxies::new(header, PROXIES).unwrap().address_of(&request).unwrap().to_string()
    }

    #[test]
    fn the_last_address_that_is_no_proxy_counts() {
        for (peer, lines, expected) in [
            ("127.0.0.1", &["192.0.2.1"] as &[&str], "192.0.2.1"),
            ("127.0.0.1", &["198.51.100.9, 192.0.2.1"], "192.0.2.1"),
            ("127.0.0.1", &["127.0.0.1,192.0.2.1,10.0.0.7"], "192.0.2.1"),
            ("10.1.2.3", &["198.51.100.9", "192.0.2.1", "10.0.0.7, 10.0.0.8"], "192.0.2.1"),
            ("fd00::1", &["2001:db8::1"], "2001:db8::1"),
            ("::ffff:127.0.0.1", &["::ffff:192.0.2.1"], "192.0.2.1"),
            ("127.0.0.1", &["192.0.2.1:4711"], "192.0.2.1"),
            ("127.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("127.0.0.1", &["[2001:db8::1]"], "2001:db8::1"),
            ("127.0.0.1", &["garbage, 192.0.2.1"], "192.0.2.1"),
            // All are proxies: it began at the first.
            ("127.0.0.1", &["10.0.0.7, 10.0.0.8"], "10.0.0.7"),
        ] {
            assert_eq!(found(ForwardedHeader::XForwardedFor, peer, lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn what_is_missing_or_malformed_leaves_the_proxy() {
        for lines in [
            &[] as &[&str],
            &[""],
            &[","],
            &["192.0.2.1,"],
            &["192.0.2.1", ""],
            &["unknown"],
            &["192.0.2.1 198.51.100.9"],
            &["192.0.2.256"],
            &["192.0.2.1:99999"],
            &["192.0.2.1, 10.0.0.7, unix:"],
            &["[2001:db8::1"],
            &["[192.0.2.1]"],
            &["192.0.2.1, caf\u{e9}"],
        ] {
            assert_eq!(found(ForwardedHeader::XForwardedFor, "127.0.0.1", lines), "127.0.0.1", "{lines:?}");
        }
    }

    #[test]
    fn a_client_does_not_choose_its_address() {
        for header in ForwardedHeader::ALL {
            for value in ["198.51.100.9", "for=198.51.100.9", "127.0.0.1", "for=127.0.0.1"] {
                assert_eq!(found(header, "192.0.2.1", &[value]), "192.0.2.1", "{value}");
                assert_eq!(found(header, "2001:db8::1", &[value]), "2001:db8::1", "{value}");
            }
        }
        let request = TestRequest::default().insert_header(("x-forwarded-for", "198.51.100.9"));
        let request = request.peer_addr("127.0.0.1:4711".parse().unwrap()).to_http_request();
        assert_eq!(TrustedProxies::default().address_of(&request), Some([127, 0, 0, 1].into()), "by default");
        assert_eq!(TrustedProxies::default().address_of(&TestRequest::default().to_http_request()), None);
    }

    #[test]
    fn x_real_ip_is_one_address() {
        let found = |lines: &[&str]| found(ForwardedHeader::XRealIp, "127.0.0.1", lines);
        assert_eq!(found(&["192.0.2.1"]), "192.0.2.1");
        assert_eq!(found(&["2001:db8::1"]), "2001:db8::1");
        for lines in [&["192.0.2.1", "192.0.2.1"] as &[&str], &["192.0.2.1, 192.0.2.2"], &["x"], &[]] {
            assert_eq!(found(lines), "127.0.0.1", "{lines:?}");
        }
    }

    #[test]
    fn forwarded_is_read_as_its_rfc_says() {
        for (lines, expected) in [
            (&["for=192.0.2.1"] as &[&str], "192.0.2.1"),
            (&["For=\"[2001:db8:cafe::17]:4711\""], "2001:db8:cafe::17"),
            (&["for=198.51.100.9;proto=http, for=192.0.2.1;proto=https;by=203.0.113.43"], "192.0.2.1"),
            (&["by=\"a,b;for=198.51.100.9\" ; for=192.0.2.1"], "192.0.2.1"),
            (&["for=198.51.100.9", "for=192.0.2.1,for=10.0.0.7"], "192.0.2.1"),
            (&["for=\"\\1\\92.0.2.1\""], "192.0.2.1"),
            // A client's text with an open quote, and a proxy's behind it.
            (&["for=198.51.100.9;x=\", for=192.0.2.1"], "127.0.0.1"),
            (&["for=198.51.100.9;x=\", for=\"[2001:db8::1]\""], "127.0.0.1"),
            (&["for=198.51.100.9;x=\"", "for=192.0.2.1"], "192.0.2.1"),
            (&["for=198.51.100.9, for=unknown"], "127.0.0.1"),
            (&["for=198.51.100.9, for=_hidden"], "127.0.0.1"),
            (&["for=198.51.100.9, proto=https"], "127.0.0.1"),
            (&["for=198.51.100.9;for=192.0.2.1"], "127.0.0.1"),
            (&["198.51.100.9"], "127.0.0.1"),
            (&["for=198.51.100.9,"], "127.0.0.1"),
            (&["for=198.51.100.9 for=192.0.2.1"], "127.0.0.1"),
            (&["for="], "127.0.0.1"),
            (&[], "127.0.0.1"),
        ] {
            assert_eq!(found(ForwardedHeader::Forwarded, "127.0.0.1", lines), expected, "{lines:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_client_wrote_before_the_proxy_does_not_count(text in "[ -~]*", address in any::<[u8; 3]>()) {
            let [a, b, c] = address;
            let address = format!("192.{a}.{b}.{c}");
            let added = format!("{text}, {address}");
            prop_assert!(found(ForwardedHeader::XForwardedFor, "127.0.0.1", &[&added]) == address);
            // An open quote hides what a proxy adds; then it is the proxy.
            for element in [format!("for={address}"), format!("for=\"{address}\"")] {
                let found = found(ForwardedHeader::Forwarded, "127.0.0.1", &[&format!("{text}, {element}")]);
                prop_assert!(found == address || found == "127.0.0.1", "{found}");
            }
        }
    }

    #[test]
    fn proxies_are_addresses_and_networks_but_not_everybody() {
        let new = |network: &str| TrustedProxies::new(ForwardedHeader::default(), [network]).map(drop);
        for network in ["", "localhost", "10.0.0.0/33", "10.0.0", "127.0.0.1:80", "unix:"] {
            assert_eq!(new(network), Err(InvalidProxy::Network(network.to_owned())));
        }
        for network in ["0.0.0.0/0", "::/0"] {
            assert_eq!(new(network), Err(InvalidProxy::Everybody));
        }
        assert!(TrustedProxies::default().is_empty());
        assert_eq!("X-Real-IP".parse(), Ok(ForwardedHeader::XRealIp));
        assert_eq!("host".parse::<ForwardedHeader>(), Err(InvalidProxy::Header("host".to_owned())));
    }
}
