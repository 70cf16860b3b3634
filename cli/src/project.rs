//! The project whose database a command asks by way of its API: the session, who
//! speaks, and values as people type them.

use std::time::Duration;

use anyhow::{Context, anyhow};
use ops::rpc::{Call, Rpc, RpcError};
use outside::{clock::Deadline, outbound::Outbound};
use serde_json::Value;

use crate::environment::{Environment, process_variable};
use terminal::{failure::Misuse, output};

/// How long the database may take, with retries.
const TIMEOUT: Duration = Duration::from_secs(15);

/// How long whoever can do without its answer waits.
pub(crate) const PATIENCE: Duration = Duration::from_secs(4);

/// The SQLSTATE with which the database refuses a key or a value.
const INVALID_PARAMETER_VALUE: &str = "22023";

/// The project that a command asks or changes.
pub(crate) struct Project {
    rpc: Rpc,
    outbound: Outbound,
    host: String,
}

/// The database lacks functions that this build calls.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unmigrated(String);

impl std::fmt::Display for Unmigrated {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(host) = self;
        write!(
            formatter,
            "{host} lacks the bundle's functions: run `pourtrait migrate`"
        )
    }
}

impl std::error::Error for Unmigrated {}

impl Project {
    /// The project that the environment names.
    pub(crate) fn of(environment: &Environment) -> anyhow::Result<Self> {
        let config = environment.config();
        let supabase = config.supabase.with_context(|| {
            Misuse(format!(
                "{} does not name a project that can be reached: see `pourtrait check`",
                environment.origin()
            ))
        })?;
        let host = host(&supabase.url);
        Ok(Self {
            rpc: Rpc::new(supabase),
            outbound: Outbound::default(),
            host,
        })
    }

    /// Shows which project is about to be changed.
    pub(crate) fn show(&self, environment: &Environment) {
        output::note(&format!(
            "target: {} (from {})",
            self.host,
            environment.origin()
        ));
    }

    /// Host and port of the project.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Calls a function. A value that the database refuses is a misuse, in its words.
    pub(crate) async fn call<C: Call>(&self, call: &C) -> anyhow::Result<C::Output> {
        self.call_within(TIMEOUT, call).await
    }

    /// The same for what can be done without: the project may be what was lost.
    pub(crate) async fn call_within<C: Call>(
        &self,
        time: Duration,
        call: &C,
    ) -> anyhow::Result<C::Output> {
        let deadline = Deadline::after(time);
        let answer = self.rpc.call(&self.outbound, call, deadline).await;
        answer.map_err(|error| self.explain(error))
    }

    fn explain(&self, error: RpcError) -> anyhow::Error {
        match error {
            RpcError::Refused {
                code,
                message,
                hint,
                ..
            } if code == INVALID_PARAMETER_VALUE => {
                let hint = hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
                Misuse(format!("{message}{hint}")).into()
            }
            RpcError::Refused { code, .. } if code == "PGRST202" => {
                Unmigrated(self.host.clone()).into()
            }
            error => anyhow!(error).context(format!("cannot ask {}", self.host)),
        }
    }
}

/// Host and port of a URL, to be shown before anything is changed.
pub(crate) fn host(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Reads JSON, or else text: `3`, `true` and `["a"]` need no quotes, and neither
/// does a word.
pub(crate) fn read(value: String) -> Value {
    serde_json::from_str(&value).unwrap_or(Value::String(value))
}

/// Writes text as it is and anything else as JSON, so that [`read()`] reads it back.
pub(crate) fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Who makes a change: `POURTRAIT_USER`, so that a robot can name a person,
/// else the name of the account.
pub(crate) fn author() -> String {
    ["POURTRAIT_USER", "USER", "LOGNAME"]
        .into_iter()
        .filter_map(process_variable)
        .map(|name| name.trim().to_owned())
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "pourtrait".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_json_or_else_text() {
        for (text, value) in [
            ("3", json!(3)),
            ("-0.5", json!(-0.5)),
            ("true", json!(true)),
            ("null", Value::Null),
            (
                r#"[{"url":"https://a.test"}]"#,
                json!([{ "url": "https://a.test" }]),
            ),
            ("https://a.test", json!("https://a.test")),
            ("two words", json!("two words")),
            ("\"3\"", json!("3")),
            ("", json!("")),
        ] {
            assert_eq!(read(text.to_owned()), value, "{text}");
        }
    }
}
