//! `pourtrait settings`: thresholds, checked URLs and contacts, which are rows of
//! the database and validated there.

use std::time::Duration;

use anyhow::{Context, anyhow};
use ops::{
    clock::Deadline,
    outbound::Outbound,
    rpc::{Call, Retry, Rpc, RpcError},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    arguments::Settings,
    environment::{Environment, process_variable},
    failure::{Misuse, Verdict},
    output::{self, Output},
};

/// How long the database may take, with retries.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The SQLSTATE with which the database refuses a key or a value.
const INVALID_PARAMETER_VALUE: &str = "22023";

/// One row, as both functions answer it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Setting {
    key: String,
    value: Value,
    default: Value,
    kind: String,
    minimum: Option<f64>,
    maximum: Option<f64>,
    unit: Option<String>,
    description: Option<String>,
    updated_at: Option<String>,
    updated_by: Option<String>,
}

#[derive(Debug, Serialize)]
struct ListSettings {}

#[derive(Debug, Deserialize)]
struct Listed {
    settings: Vec<Setting>,
}

impl Call for ListSettings {
    const NAME: &'static str = "ops_list_settings";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

#[derive(Debug, Serialize)]
struct SetSetting {
    p_key: String,
    p_value: Value,
    p_by: String,
}

impl Call for SetSetting {
    const NAME: &'static str = "ops_set_setting";
    // Twice would be recorded twice.
    const RETRY: Retry = Retry::Never;
    type Output = Setting;
}

pub(crate) async fn run(
    action: Settings,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    match action {
        Settings::List => {
            let settings = project.call(&ListSettings {}).await?.settings;
            output.result(&json!(settings), &listing(&settings));
        }
        Settings::Get { key } => {
            let settings = project.call(&ListSettings {}).await?.settings;
            let setting = settings.iter().find(|setting| setting.key == key);
            let setting = setting.ok_or_else(|| unknown(&key, &settings))?;
            output.result(&json!(setting), &plain(&setting.value));
        }
        Settings::Set { key, value } => {
            output::note(&format!(
                "target: {} (from {})",
                project.host,
                environment.origin()
            ));
            let set = SetSetting {
                p_key: key,
                p_value: read(value),
                p_by: author(),
            };
            let setting = project.call(&set).await?;
            output.result(
                &json!(setting),
                &format!("{} = {}", setting.key, plain(&setting.value)),
            );
        }
    }
    Ok(Verdict::Good)
}

/// The project whose settings these are.
struct Project {
    rpc: Rpc,
    outbound: Outbound,
    host: String,
}

impl Project {
    fn of(environment: &Environment) -> anyhow::Result<Self> {
        let config = environment.config();
        let supabase = config.supabase.with_context(|| {
            Misuse(format!(
                "{} does not tell how to reach the project: see `pourtrait check`",
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

    async fn call<C: Call>(&self, call: &C) -> anyhow::Result<C::Output> {
        let answer = self
            .rpc
            .call(&self.outbound, call, Deadline::after(TIMEOUT))
            .await;
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
                anyhow!(
                    "{} lacks the bundle's functions: run `pourtrait migrate`",
                    self.host
                )
            }
            error => anyhow!(error).context(format!("cannot ask {}", self.host)),
        }
    }
}

/// Host and port of a URL, to be shown before anything is changed.
pub(super) fn host(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// JSON if it is JSON, else text: `3`, `true` and `["a"]` need no quotes, and
/// neither does a word.
fn read(value: String) -> Value {
    serde_json::from_str(&value).unwrap_or(Value::String(value))
}

/// Text as it is, anything else as JSON: what `read` reads back.
fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Who changes a setting: `POURTRAIT_USER`, so that a robot can name a person,
/// else the name of the account.
fn author() -> String {
    ["POURTRAIT_USER", "USER", "LOGNAME"]
        .into_iter()
        .filter_map(process_variable)
        .map(|name| name.trim().to_owned())
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "pourtrait".to_owned())
}

fn unknown(key: &str, settings: &[Setting]) -> Misuse {
    let known: Vec<_> = settings
        .iter()
        .map(|setting| setting.key.as_str())
        .collect();
    Misuse(format!(
        "no setting is called {key}; there are {}",
        known.join(", ")
    ))
}

fn listing(settings: &[Setting]) -> String {
    let rows: Vec<_> = settings
        .iter()
        .map(|setting| {
            let default = if setting.value == setting.default {
                String::new()
            } else {
                setting.default.to_string()
            };
            [
                setting.key.clone(),
                setting.value.to_string(),
                setting.unit.clone().unwrap_or_default(),
                default,
                setting.description.clone().unwrap_or_default(),
            ]
        })
        .collect();
    output::table(["setting", "value", "unit", "default", "meaning"], &rows)
}

#[cfg(test)]
mod tests {
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
