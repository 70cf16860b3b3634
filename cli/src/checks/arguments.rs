//! The grammar of `pourtrait checks`.

use clap::Subcommand;
use serde::{Deserialize, Serialize, de::IntoDeserializer};
use serde_json::Value;

use crate::file_plan::Apply;

/// What `checks` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Checks {
    /// Shows every check and what was seen of it last
    List {
        /// Only checks that have this tag
        #[arg(long)]
        tag: Option<String>,
    },
    /// Adds a check
    #[command(after_help = FIELDS)]
    Add {
        /// The check's name: lower-case letters, digits and hyphens
        name: String,
        /// The kind: http, tls, dns, tcp, heartbeat or rule
        #[arg(value_parser = kind)]
        kind: Kind,
        /// What the check asks for and expects
        #[arg(value_name = "FIELD=VALUE", value_parser = field)]
        fields: Vec<(String, Value)>,
    },
    /// Changes a check; `null` takes a field away
    #[command(after_help = FIELDS)]
    Edit {
        /// The check's name
        name: String,
        /// What is to change
        #[arg(value_name = "FIELD=VALUE", value_parser = field, required = true)]
        fields: Vec<(String, Value)>,
    },
    /// Removes a check; what was seen of it stays
    Remove {
        /// The check's name
        name: String,
    },
    /// Probes what a check watches, now and from this machine
    Test {
        /// The check's name
        name: String,
    },
    /// Shows what was seen of a check, newest first
    History {
        /// The check's name
        name: String,
        /// How many samples
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Writes all checks as a file that `apply` reads
    Export,
    /// Adds and changes checks until they are what a file says, and says what changed
    Apply(Apply),
    /// Makes a new token for a heartbeat, and ends the one before
    Token {
        /// The check's name
        name: String,
    },
}

/// How something is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// By a request.
    Http,
    /// By a TLS handshake.
    Tls,
    /// By resolving a name.
    Dns,
    /// By opening a connection.
    Tcp,
    /// By reports that a job sends.
    Heartbeat,
    /// By counting an event of the app.
    Rule,
}

impl Kind {
    /// Whether the monitor alone can judge it, because nothing can be probed.
    pub(super) fn is_judged_by_the_monitor(self) -> bool {
        match self {
            Self::Heartbeat | Self::Rule => true,
            Self::Http | Self::Tls | Self::Dns | Self::Tcp => false,
        }
    }
}

const FIELDS: &str = "\
Fields, whose values are JSON or else text (url, body, contains, notContains, matches,
notMatches, host, address, server, event, of and metric are text always):
  every kind  everySeconds timeoutMs severity enabled opensAfter resolvesAfter dependsOn tags
  http        url method headers body redirects ca certificate key before maxLatencyMs retries
              status contains notContains matches notMatches answerHeaders json
  tls         host port startTls ca certificate key maxLatencyMs retries
  dns         host address maxLatencyMs retries, or host record values absent server port
  tcp         host port send contains matches maxLatencyMs retries
  heartbeat   periodSeconds graceSeconds maxRunSeconds
  rule        event (of) or metric (aggregate) windowMinutes minimumSamples
              minimum maximum dropPercent risePercent

  pourtrait checks add search http url=https://app.example/api/search contains=results";

/// Reads the kind of a check.
fn kind(word: &str) -> Result<Kind, String> {
    Kind::deserialize(word.into_deserializer()).map_err(|_: serde::de::value::Error| {
        format!("a kind must be http, tls, dns, tcp, heartbeat or rule, got `{word}`")
    })
}

/// Fields whose value is text even where it reads as JSON.
const TEXTS: [&str; 12] = [
    "url",
    "body",
    "contains",
    "notContains",
    "matches",
    "notMatches",
    "host",
    "address",
    "server",
    "event",
    "of",
    "metric",
];

/// Reads `FIELD=VALUE`, where a value is JSON or else text.
fn field(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| format!("a field must be written as FIELD=VALUE, got `{text}`"))?;
    let parsed = serde_json::from_str(value)
        .ok()
        .filter(|parsed: &Value| parsed.is_null() || !TEXTS.contains(&name));
    let value = parsed.unwrap_or_else(|| Value::String(value.to_owned()));
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_is_json_unless_it_is_a_text_by_its_name() {
        for (text, name, value) in [
            ("status=[200,204]", "status", json!([200, 204])),
            ("everySeconds=300", "everySeconds", json!(300)),
            (
                r#"dependsOn=["database"]"#,
                "dependsOn",
                json!(["database"]),
            ),
            ("severity=high", "severity", json!("high")),
            ("body={}", "body", json!("{}")),
            ("contains=200", "contains", json!("200")),
            ("matches=[0-9]", "matches", json!("[0-9]")),
            ("contains=null", "contains", Value::Null),
            (
                "url=https://a.example/?b=c",
                "url",
                json!("https://a.example/?b=c"),
            ),
        ] {
            assert_eq!(field(text), Ok((name.to_owned(), value)), "{text}");
        }
        assert!(field("status").is_err());
    }
}
