//! Our own address as a browser names it, and whether a request was made by a page of ours.

use http::{HeaderMap, HeaderValue, Request, header, uri::Authority};
use url::Url;

/// Where a request reached us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Site {
    /// Host and port, as the request names them.
    host: Option<String>,
    /// Whether only https leads there. Plain http is for loopback hosts, and there only
    /// until something before us says that it was https.
    is_secure: bool,
    base_url: Option<String>,
}

impl Site {
    pub(super) fn of<B>(request: &Request<B>, base_url: Option<&Url>) -> Self {
        let headers = request.headers();
        let named = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        let host = named
            .or_else(|| request.uri().authority().map(Authority::as_str))
            .map(str::to_ascii_lowercase);
        let by_https = headers
            .get("x-forwarded-proto")
            .is_some_and(|scheme| scheme.as_bytes().eq_ignore_ascii_case(b"https"));
        let is_local = host.as_deref().is_some_and(is_loopback);
        Self {
            host,
            is_secure: by_https || !is_local,
            base_url: base_url.map(|url| url.origin().ascii_serialization()),
        }
    }

    /// Whether cookies for it are for https alone.
    pub(super) fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// Whether a request comes from a page of this site: a browser names the origin of
    /// whatever writes, and no page can choose what it names.
    pub(super) fn is_origin_of(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let (Some(origin), None) = (origins.next(), origins.next()) else {
            return false;
        };
        let Ok(origin) = origin.to_str() else {
            return false;
        };
        let scheme = if self.is_secure { "https" } else { "http" };
        let own = self.host.as_ref().map(|host| format!("{scheme}://{host}"));
        own.as_deref() == Some(origin) || self.base_url.as_deref() == Some(origin)
    }
}

/// Whether a browser says that another site's page makes it send. Reports of pages that name
/// no referrer come from `null`, and some browsers name nothing at all.
pub(super) fn is_of_another(headers: &HeaderMap, origin: &str) -> bool {
    let origins = headers.get_all(header::ORIGIN).iter();
    let is_own = |said: &[u8]| said == b"null" || said == origin.as_bytes();
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    origins.map(HeaderValue::as_bytes).any(|said| !is_own(said))
        || site.is_some_and(|site| site != b"same-origin")
}

/// Whether nobody but this machine is reached by that name.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(headers: &[(&'static str, &str)], base_url: Option<&str>) -> (Site, HeaderMap) {
        let mut request = Request::new(());
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let base_url = base_url.map(|url| url.parse().unwrap());
        let site = Site::of(&request, base_url.as_ref());
        (site, request.headers().clone())
    }

    #[test]
    fn only_a_page_of_the_own_host_and_scheme_may_write() {
        let https = ("x-forwarded-proto", "https");
        let host = ("host", "ops.wine.example");
        for (headers, base_url, expected) in [
            (
                vec![host, https, ("origin", "https://ops.wine.example")],
                None,
                true,
            ),
            (
                vec![host, ("origin", "https://ops.wine.example")],
                None,
                true,
            ),
            (
                vec![
                    ("host", "OPS.Wine.example"),
                    ("origin", "https://ops.wine.example"),
                ],
                None,
                true,
            ),
            (
                vec![host, ("origin", "http://ops.wine.example")],
                None,
                false,
            ),
            (
                vec![host, ("origin", "https://ops.wine.example:8443")],
                None,
                false,
            ),
            (
                vec![host, ("origin", "https://ops.wine.example.evil.example")],
                None,
                false,
            ),
            (
                vec![
                    host,
                    ("origin", "https://evil.example/https://ops.wine.example"),
                ],
                None,
                false,
            ),
            (vec![host, ("origin", "https://wine.example")], None, false),
            (
                vec![host, ("origin", "https://user@ops.wine.example")],
                None,
                false,
            ),
            (vec![host, ("origin", "null")], None, false),
            (vec![host, ("origin", "")], None, false),
            (vec![host], None, false),
            (
                vec![host, ("referer", "https://ops.wine.example/")],
                None,
                false,
            ),
            (
                vec![
                    host,
                    ("origin", "https://ops.wine.example"),
                    ("origin", "https://evil.example"),
                ],
                None,
                false,
            ),
            (vec![("origin", "https://ops.wine.example")], None, false),
        ] {
            let (site, request) = site(&headers, base_url);
            assert_eq!(site.is_origin_of(&request), expected, "{headers:?}");
        }
    }

    #[test]
    fn behind_a_proxy_the_named_address_counts_and_on_this_machine_the_port_does() {
        let https = ("x-forwarded-proto", "https");
        let local = ("host", "127.0.0.1:8787");
        for (headers, base_url, expected) in [
            (
                vec![("host", "internal"), ("origin", "https://ops.wine.example")],
                Some("https://ops.wine.example/"),
                true,
            ),
            (
                vec![
                    ("host", "internal"),
                    ("origin", "https://ops.wine.example.evil"),
                ],
                Some("https://ops.wine.example/"),
                false,
            ),
            (vec![local, ("origin", "http://127.0.0.1:8787")], None, true),
            (
                vec![local, ("origin", "http://127.0.0.1:3000")],
                None,
                false,
            ),
            (
                vec![local, ("origin", "http://localhost:8787")],
                None,
                false,
            ),
            (
                vec![local, https, ("origin", "http://127.0.0.1:8787")],
                None,
                false,
            ),
        ] {
            let (site, request) = site(&headers, base_url);
            assert_eq!(site.is_origin_of(&request), expected, "{headers:?}");
        }
    }

    #[test]
    fn cookies_are_for_https_alone_but_on_this_machine() {
        for (host, proto, secure) in [
            ("ops.wine.example", None, true),
            ("ops.wine.example", Some("http"), true),
            ("127.0.0.1.evil.example", None, true),
            ("localhost.evil.example:80", None, true),
            ("localhost", None, false),
            ("127.0.0.1:8787", None, false),
            ("[::1]:8787", Some("http"), false),
            ("localhost:8787", Some("https"), true),
        ] {
            let mut headers = vec![("host", host)];
            headers.extend(proto.map(|proto| ("x-forwarded-proto", proto)));
            assert_eq!(
                site(&headers, None).0.is_secure(),
                secure,
                "{host} {proto:?}"
            );
        }
        assert!(site(&[], None).0.is_secure(), "nobody knows where");
    }
}
