//! Visitors of pages that are known by nothing: told apart for a day, and by nobody after it.

use bytes::Bytes;
use http::{Request, header};

use crate::auth::ClientAddress;

/// What tells visitors apart for a day, of which the database keeps a hash alone: the network
/// of the address, and the browser. Nothing of one who asks not to be followed, or of a robot.
pub(super) fn of(request: &Request<Bytes>) -> Option<String> {
    let headers = request.headers();
    let says = |name: &str| headers.get(name).is_some_and(|value| value == "1");
    if says("sec-gpc") || says("dnt") {
        return None;
    }
    let ClientAddress(address) = request.extensions().get()?;
    let browser = headers.get(header::USER_AGENT)?.to_str().ok()?;
    if address.is_empty() || is_robot(browser) {
        return None;
    }
    Some(format!("{} {browser}", network(address)))
}

/// An address without its last part: of IPv4 a quarter, of IPv6 all but the first 48 bits.
pub(super) fn network(address: &str) -> String {
    match address.parse() {
        Ok(std::net::IpAddr::V4(address)) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0")
        }
        Ok(std::net::IpAddr::V6(address)) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}::")
        }
        Err(_) => String::new(),
    }
}

/// Whether a browser says that it is none: crawlers, previews, tests, watchers.
fn is_robot(browser: &str) -> bool {
    const WORDS: [&str; 12] = [
        "bot",
        "crawl",
        "spider",
        "headless",
        "lighthouse",
        "preview",
        "screenshot",
        "monitor",
        "slurp",
        "curl",
        "python",
        "pourtrait-ops",
    ];
    let browser = browser.to_ascii_lowercase();
    WORDS.iter().any(|word| browser.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_its_network_is_kept() {
        for (address, expected) in [
            ("203.0.113.77", "203.0.113.0"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
            ("elsewhere", ""),
        ] {
            assert_eq!(network(address), expected);
        }
    }

    #[test]
    fn nobody_is_followed_who_asks_not_to_be() {
        let request = |header: &'static str, value: &'static str| {
            let mut request = Request::post("/api/ingest")
                .header("user-agent", "Mozilla/5.0 Safari/604.1")
                .header(header, value)
                .body(Bytes::new())
                .unwrap();
            let client = ClientAddress("203.0.113.77".to_owned());
            request.extensions_mut().insert(client);
            request
        };
        let somebody = of(&request("sec-gpc", "0"));
        assert_eq!(
            somebody.as_deref(),
            Some("203.0.113.0 Mozilla/5.0 Safari/604.1")
        );
        assert_eq!(of(&request("sec-gpc", "1")), None);
        assert_eq!(of(&request("dnt", "1")), None);
    }

    #[test]
    fn robots_are_told_from_people() {
        for robot in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140",
            "vercel-screenshot/1.0",
            "Mozilla/5.0 AppleWebKit/537.36 (compatible; ClaudeBot/1.0)",
            "pourtrait-ops/0.1.0",
        ] {
            assert!(is_robot(robot), "{robot}");
        }
        assert!(!is_robot(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"
        ));
    }
}
