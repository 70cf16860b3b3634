//! Which token a request carries, by the rule of Supabase's outer gateway: an
//! `Authorization` that is no opaque key goes through unchanged; otherwise the
//! `apikey` is turned into the token that it stands for.

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use super::{
    config::GatewayConfig,
    error::{ApiError, Result},
};

/// Sets `Authorization` to the token that the request's keys stand for.
pub(super) fn resolve(headers: &mut HeaderMap, config: &GatewayConfig) -> Result<()> {
    match headers.get(AUTHORIZATION) {
        Some(value) if !bearer(value).is_some_and(|token| token.starts_with("sb_")) => {
            return Ok(());
        }
        _ => {}
    }
    let Some(key) = headers.get("apikey").and_then(|key| key.to_str().ok()) else {
        return Err(ApiError::bad_key(
            "No API key found in request",
            "No `apikey` request header or url param was found.",
        ));
    };
    let token = if key == config.publishable_key {
        config.anon_jwt.as_str()
    } else if key == config.secret_key {
        config.service_role_jwt.as_str()
    } else if key.starts_with("sb_") || key.is_empty() {
        return Err(ApiError::bad_key(
            "Invalid API key",
            "Double check your Supabase `anon` or `service_role` API key.",
        ));
    } else {
        key
    };
    let authorization = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| {
        ApiError::bad_key("Invalid API key", "The key holds what no header can hold.")
    })?;
    headers.insert(AUTHORIZATION, authorization);
    Ok(())
}

/// The token of a bearer header, its scheme in any case; an empty one is a token
/// that proves nothing, and another scheme counts as no token.
pub(super) fn bearer(authorization: &HeaderValue) -> Option<&str> {
    let value = authorization.to_str().ok()?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> GatewayConfig {
        GatewayConfig {
            publishable_key: "sb_publishable_1".to_owned(),
            secret_key: "sb_secret_1".to_owned(),
            anon_jwt: "anon.j.wt".to_owned(),
            service_role_jwt: "service.j.wt".to_owned(),
            ..GatewayConfig::new(tokio_postgres::Config::new())
        }
    }

    fn resolved(apikey: Option<&str>, authorization: Option<&str>) -> Option<String> {
        let mut headers = HeaderMap::new();
        if let Some(value) = apikey {
            headers.insert("apikey", value.parse().unwrap());
        }
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, value.parse().unwrap());
        }
        resolve(&mut headers, &config()).ok()?;
        Some(headers[AUTHORIZATION].to_str().unwrap().to_owned())
    }

    #[test]
    fn keys_become_the_tokens_that_they_stand_for() {
        let check = |apikey, authorization, expected: Option<&str>| {
            assert_eq!(
                resolved(apikey, authorization).as_deref(),
                expected,
                "{apikey:?} {authorization:?}"
            );
        };
        let (anon, service) = (Some("Bearer anon.j.wt"), Some("Bearer service.j.wt"));
        check(Some("sb_publishable_1"), None, anon);
        check(Some("sb_secret_1"), None, service);
        check(Some("sb_secret_1"), Some("Bearer sb_secret_1"), service);
        check(
            Some("sb_publishable_1"),
            Some("bearer u.s.er"),
            Some("bearer u.s.er"),
        );
        check(
            Some("sb_publishable_1"),
            Some("Basic abc"),
            Some("Basic abc"),
        );
        check(Some("sb_secret_1"), Some("Bearer"), Some("Bearer"));
        check(Some("le.ga.cy"), None, Some("Bearer le.ga.cy"));
        check(None, Some("Bearer u.s.er"), Some("Bearer u.s.er"));
        check(None, Some("Bearer sb_secret_1"), None);
        check(Some("sb_secret_2"), None, None);
        check(None, None, None);
    }
}
