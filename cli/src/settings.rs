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
    suggestion,
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
            let found = find(&settings, &key);
            let (answered, setting) = found.map_err(|unknown| Misuse(unknown.to_string()))?;
            output.result(answered.document(), &plain(&setting.value));
        }
        Settings::Set { key, value } => {
            project.show(environment);
            let set = SetSetting {
                p_key: key,
                p_value: read(value),
                p_by: author(),
            };
            let answered = match project.call(&set).await {
                Err(error) if error.is::<Misuse>() => {
                    return Err(with_suggestion(&project, &set.p_key, error).await);
                }
                called => called?,
            };
            let text =
                answered.describe(|setting| format!("{} = {}", setting.key, plain(&setting.value)));
            output.result(answered.document(), &text);
        }
    }
    Ok(Verdict::Good)
}

/// What the database refused, or the setting that was probably meant.
async fn with_suggestion(project: &Project, key: &str, error: anyhow::Error) -> anyhow::Error {
    let Ok(listed) = project.call(&ListSettings {}).await else {
        return error;
    };
    match find(&listed.settings, key) {
        Err(unknown @ UnknownSetting { meant: Some(_), .. }) => Misuse(unknown.to_string()).into(),
        _ => error,
    }
}

/// No setting is called so.
#[derive(Debug, PartialEq)]
struct UnknownSetting {
    key: String,
    /// What was probably meant.
    meant: Option<String>,
    known: Vec<String>,
}

impl std::fmt::Display for UnknownSetting {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { key, meant, known } = self;
        write!(formatter, "no setting is called {key}; ")?;
        match meant {
            Some(meant) => write!(formatter, "is it {meant}?"),
            None => write!(formatter, "there are {}", known.join(", ")),
        }
    }
}

/// The setting of that key, as it was answered and as it is read.
fn find<'a>(
    settings: &'a [Answered<Setting>],
    key: &str,
) -> Result<(&'a Answered<Setting>, &'a Setting), UnknownSetting> {
    answered::find(settings, |setting| setting.key == key).ok_or_else(|| {
        let known: Vec<_> = known(settings).map(|setting| setting.key.clone()).collect();
        UnknownSetting {
            meant: suggestion::closest(key, known.iter().map(String::as_str)).map(str::to_owned),
            key: key.to_owned(),
            known,
        }
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
