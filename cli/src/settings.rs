//! `pourtrait settings`: thresholds and checked URLs. Settings are rows of the
//! database and validated there.

use clap::Subcommand;
use ops::rpc::{Call, Retry};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    answered::{self, Answered, known},
    environment::Environment,
    project::{Project, author, plain, read},
};
use terminal::{
    failure::{Misuse, Verdict},
    output::Output,
};

/// What `settings` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Settings {
    /// Shows every setting
    List,
    /// Shows the value of one setting
    Get {
        /// The setting's key
        key: String,
    },
    /// Changes one setting
    Set {
        /// The setting's key
        key: String,
        /// The new value as JSON, or else as text; `null` restores the default
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
}

/// A setting, as far as a list shows it.
#[derive(Debug, Deserialize)]
pub(crate) struct Setting {
    pub(crate) key: String,
    pub(crate) value: Value,
    default: Value,
    unit: Option<String>,
    description: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ListSettings {}

#[derive(Debug, Deserialize)]
pub(crate) struct Listed {
    pub(crate) settings: Vec<Answered<Setting>>,
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
    type Output = Answered<Setting>;
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
            output.result(&json!(settings), &table(&settings));
        }
        Settings::Get { key } => {
            let settings = project.call(&ListSettings {}).await?.settings;
            let (answered, setting) = find(&settings, &key)?;
            output.result(answered.document(), &plain(&setting.value));
        }
        Settings::Set { key, value } => {
            project.show(environment);
            let set = SetSetting {
                p_key: key,
                p_value: read(value),
                p_by: author(),
            };
            let answered = project.call(&set).await?;
            let text =
                answered.describe(|setting| format!("{} = {}", setting.key, plain(&setting.value)));
            output.result(answered.document(), &text);
        }
    }
    Ok(Verdict::Good)
}

/// The setting of that key, as it was answered and as it is read.
fn find<'a>(
    settings: &'a [Answered<Setting>],
    key: &str,
) -> Result<(&'a Answered<Setting>, &'a Setting), Misuse> {
    answered::find(settings, |setting| setting.key == key).ok_or_else(|| {
        let keys: Vec<_> = known(settings)
            .map(|setting| setting.key.as_str())
            .collect();
        Misuse(format!(
            "no setting is called {key}; there are {}",
            keys.join(", ")
        ))
    })
}

fn table(settings: &[Answered<Setting>]) -> String {
    const HEADING: [&str; 5] = ["setting", "value", "unit", "default", "meaning"];
    answered::table("settings", settings, HEADING, Setting::row)
}

impl Setting {
    fn row(&self) -> [String; 5] {
        let default = if self.value == self.default {
            String::new()
        } else {
            self.default.to_string()
        };
        [
            self.key.clone(),
            self.value.to_string(),
            self.unit.clone().unwrap_or_default(),
            default,
            self.description.clone().unwrap_or_default(),
        ]
    }
}
