//! `vercel.json` as the platform follows it: which path is which function or
//! file, and which headers every answer carries.

use anyhow::{Context, bail};
use http::{HeaderMap, HeaderName, HeaderValue};
use ops::endpoint::Endpoint;
use regex::Regex;
use serde::Deserialize;

use super::pattern;

/// The file that the deployment follows, as of this build.
const VERCEL_JSON: &str = include_str!("../../vercel.json");

/// The rules of `vercel.json` that decide about requests.
#[derive(Debug)]
pub(super) struct Routes {
    rewrites: Vec<(Regex, String)>,
    headers: Vec<(Regex, HeaderMap)>,
}

/// Fields that are not named here decide about builds, not about requests. A
/// rule's own fields are all known, because one that is passed over would make
/// this server differ from the platform.
#[derive(Deserialize)]
struct VercelJson {
    #[serde(default)]
    rewrites: Vec<Rewrite>,
    #[serde(default)]
    headers: Vec<HeaderRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rewrite {
    source: String,
    destination: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderRule {
    source: String,
    headers: Vec<Header>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    key: String,
    value: String,
}

impl Routes {
    /// The rules of this build.
    pub(super) fn of_this_build() -> anyhow::Result<Self> {
        Self::parse(VERCEL_JSON).context("vercel.json cannot be followed")
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let VercelJson { rewrites, headers } = serde_json::from_str(text)?;
        let rewrites = rewrites.into_iter().map(
            |Rewrite {
                 source,
                 destination,
             }| {
                if destination.contains([':', '$']) {
                    bail!("the destination {destination} has parameters, which are not understood");
                }
                Ok((pattern::compile(&source)?, destination))
            },
        );
        let headers = headers.into_iter().map(|HeaderRule { source, headers }| {
            let headers: anyhow::Result<HeaderMap> = headers
                .into_iter()
                .map(|Header { key, value }| {
                    Ok((HeaderName::try_from(key)?, HeaderValue::try_from(value)?))
                })
                .collect();
            Ok((pattern::compile(&source)?, headers?))
        });
        Ok(Self {
            rewrites: rewrites.collect::<anyhow::Result<_>>()?,
            headers: headers.collect::<anyhow::Result<_>>()?,
        })
    }

    /// The function at a path. The platform looks for it at the path itself
    /// first and then where the first rewrite that matches leads.
    pub(super) fn endpoint(&self, path: &str) -> Option<Endpoint> {
        function(path).or_else(|| function(self.rewritten(path)?))
    }

    /// Where the first rewrite that matches a path leads.
    pub(super) fn rewritten(&self, path: &str) -> Option<&str> {
        let rewrite = self
            .rewrites
            .iter()
            .find(|(source, _)| source.is_match(path));
        rewrite.map(|(_, destination)| destination.as_str())
    }

    /// The headers that the rules give to answers at a path. Later rules
    /// replace what earlier ones set.
    pub(super) fn headers(&self, path: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (source, rule) in &self.headers {
            if source.is_match(path) {
                headers.extend(rule.clone());
            }
        }
        headers
    }
}

fn function(path: &str) -> Option<Endpoint> {
    Endpoint::ALL
        .into_iter()
        .find(|endpoint| endpoint.spec().path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_rewrites_lead_to_functions() {
        let routes = Routes::of_this_build().unwrap();
        for endpoint in Endpoint::ALL {
            assert_eq!(routes.endpoint(endpoint.spec().path), Some(endpoint));
        }
        assert_eq!(routes.endpoint("/health"), Some(Endpoint::Health));
        for path in [
            "/api/1/envelope/",
            "/api/17/store",
            "/v1/traces",
            "/api/drain/vercel",
        ] {
            assert_eq!(routes.endpoint(path), Some(Endpoint::Ingest), "{path}");
        }
        for path in [
            "/",
            "/api",
            "/api/health/",
            "/API/health",
            "/healthy",
            "//health",
            "/api/x/envelope/",
            "/api/1/envelopes/",
            "/v1/traces/",
        ] {
            assert_eq!(routes.endpoint(path), None, "{path}");
        }
    }

    #[test]
    fn whatever_the_path_the_table_of_endpoints_leads_where_the_platform_does() {
        let routes = Routes::of_this_build().unwrap();
        let words = [
            "",
            "api",
            "v1",
            "v2",
            "17",
            "x",
            "1x",
            "health",
            "metrics",
            "monitoring",
            "dashboard",
            "cron",
            "monitor",
            "ingest",
            "envelope",
            "store",
            "envelopes",
            "traces",
            "logs",
            "drain",
            "reports",
            "status",
            "status.json",
        ];
        let mut paths = vec![String::new()];
        for _ in 0..4 {
            let longer = paths
                .iter()
                .flat_map(|path| words.iter().map(move |word| format!("{path}/{word}")));
            let longer: Vec<_> = longer.collect();
            for path in &longer {
                assert_eq!(routes.endpoint(path), Endpoint::at(path), "{path}");
            }
            // Nothing of ours begins otherwise, which the first round has shown.
            let ours = |path: &String| {
                ["/api", "/v1", "/status"]
                    .iter()
                    .any(|start| path.starts_with(start))
            };
            paths = longer.into_iter().filter(ours).collect();
        }
    }

    #[test]
    fn a_rewrite_may_lead_to_a_file() {
        let routes = Routes::of_this_build().unwrap();
        assert_eq!(routes.endpoint("/dashboard"), None);
        assert_eq!(routes.rewritten("/dashboard"), Some("/dashboard.html"));
        assert_eq!(routes.rewritten("/dashboard/"), None);
    }

    #[test]
    fn a_later_rule_replaces_a_header_of_an_earlier_one() {
        let routes = Routes::parse(
            r#"{ "headers": [
                { "source": "/(.*)", "headers": [{ "key": "A", "value": "1" }, { "key": "B", "value": "1" }] },
                { "source": "/x", "headers": [{ "key": "a", "value": "2" }] }
            ] }"#,
        )
        .unwrap();
        let headers = routes.headers("/x");
        assert_eq!(headers.get_all("a").iter().collect::<Vec<_>>(), ["2"]);
        assert_eq!(headers["b"], "1");
        assert_eq!(routes.headers("/y")["a"], "1");
    }

    #[test]
    fn a_rule_that_would_be_followed_differently_is_refused() {
        for rule in [
            r#"{ "rewrites": [{ "source": "/a", "destination": "/b", "has": [] }] }"#,
            r#"{ "rewrites": [{ "source": "/:a", "destination": "/api/:a" }] }"#,
            r#"{ "headers": [{ "source": "/a", "headers": [], "missing": [] }] }"#,
        ] {
            assert!(Routes::parse(rule).is_err(), "{rule}");
        }
    }
}
