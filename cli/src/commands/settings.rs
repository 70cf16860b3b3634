//! `pourtrait settings`: thresholds and checked URLs, which are rows of the
//! database and validated there.

use ops::rpc::{Call, Retry};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::project::{Project, author, plain, read};
use crate::{
    arguments::Settings,
    environment::Environment,
    failure::{Misuse, Verdict},
    output::{self, Output},
};

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
            project.show(environment);
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
