//! The name that somebody gave on the page behind a link, remembered on their device by a
//! cookie that this path alone is sent. It proves nothing: it only fills in a field.

use http::{HeaderMap, HeaderValue, header};
use url::{Url, form_urlencoded};

use super::requested_action;

const COOKIE: &str = "pourtrait_name";

/// A year, in seconds.
const LIFE: u32 = 31_536_000;

/// The name that a device remembers.
pub(super) fn of(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).into_iter();
    let mut pairs = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    let value = pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))?;
    let (name, _) = form_urlencoded::parse(value.as_bytes()).next()?;
    requested_action::name(&name)
}

/// What makes a device remember a name, or forget it where none was given.
pub(super) fn cookie(name: Option<&str>, base_url: Option<&Url>) -> HeaderValue {
    let value: String =
        form_urlencoded::byte_serialize(name.unwrap_or_default().as_bytes()).collect();
    let life = if name.is_some() { LIFE } else { 0 };
    // Plain http is for loopback hosts alone.
    let secure = match base_url {
        Some(base) if base.scheme() == "http" => "",
        _ => "; Secure",
    };
    let cookie = format!(
        "{COOKIE}={value}; Path=/api/alerts/acknowledge; Max-Age={life}; HttpOnly; SameSite=Lax{secure}"
    );
    HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remembered(cookie: &str) -> Option<String> {
        let headers = [(header::COOKIE, cookie.parse().unwrap())];
        of(&HeaderMap::from_iter(headers))
    }

    #[test]
    fn a_name_comes_back_as_it_was_given() {
        for name in [
            "Anna",
            "Anna K",
            "Zoë \u{1f377}",
            "<script>;, =\"\\",
            "a&b=c",
        ] {
            let set = cookie(Some(name), None);
            let set = set.to_str().unwrap();
            let (pair, attributes) = set.split_once(';').unwrap();
            assert_eq!(remembered(pair).as_deref(), Some(name), "{set}");
            assert_eq!(
                remembered(&format!("a=b; {pair}; c=d")).as_deref(),
                Some(name)
            );
            assert!(
                attributes.ends_with("HttpOnly; SameSite=Lax; Secure"),
                "{set}"
            );
        }
    }

    #[test]
    fn what_is_no_name_is_not_filled_in() {
        for odd in [
            "",
            "pourtrait_name",
            "pourtrait_name=",
            "pourtrait_name=%20",
            "pourtrait_name=%E2%80%AE",
            "xpourtrait_name=Anna",
            "pourtrait_names=Anna",
        ] {
            assert_eq!(remembered(odd), None, "{odd}");
        }
        let long = format!("pourtrait_name={}", "x".repeat(1_000));
        assert_eq!(remembered(&long).unwrap().chars().count(), 100);
    }

    #[test]
    fn none_is_forgotten_and_loopback_hosts_need_no_encryption() {
        let base = "http://127.0.0.1:8787".parse().unwrap();
        let set = cookie(None, Some(&base));
        let set = set.to_str().unwrap();
        assert!(
            set.contains("Max-Age=0") && !set.contains("Secure"),
            "{set}"
        );
    }
}
