//! The place after the log-in: always a page of this service, for any link.

/// A path of this service, perhaps with a query. A text that could lead a browser to another host is none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct LocalPath(String);

impl LocalPath {
    /// The longest, in bytes.
    const MAX: usize = 2000;

    pub(super) fn new(text: &str) -> Option<Self> {
        // Two slashes begin the name of a host, browsers take a backslash for a slash, and leave out tabs and line
        // breaks. A path that was encoded as it has to be has only graphic characters of ASCII.
        let is_graphic = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
        let is_local = text.starts_with('/')
            && !text.starts_with("//")
            && text.len() <= Self::MAX
            && text.bytes().all(is_graphic);
        is_local.then(|| Self(text.to_owned()))
    }

    /// The first page.
    pub(super) fn first() -> Self {
        Self("/".to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::LocalPath;

    #[test]
    fn what_could_lead_elsewhere_is_no_local_path() {
        for path in
            ["/", "/log-out", "/users/2/roles?a=b&c=%2F", "/a//b", "/a?next=https://b.example", "/@b.example"]
        {
            assert_eq!(LocalPath::new(path).as_ref().map(LocalPath::as_str), Some(path));
        }
        for text in [
            "",
            "log-out",
            "?a",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/a\\b",
            "/\t/evil.example",
            "/\n/evil.example",
            "\t//evil.example",
            " //evil.example",
            "/a b",
            "/a\r\nSet-Cookie: a=b",
            "/\0",
            "/\u{7f}",
            "/ä",
            "/\u{2028}",
            "https://evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            &format!("/{}", "a".repeat(2000)),
        ] {
            assert_eq!(LocalPath::new(text), None, "{text:?}");
        }
    }
}
