//! What Supabase's own advisors say of a project.

use serde::Serialize;
use serde_json::Value;

use super::Management;
use crate::platforms::api::{ApiError, Call};

/// How many pieces of advice are told of each advisor.
const TOLD: usize = 200;

/// How long a text of theirs may be.
const LENGTH: usize = 200;

/// Which advisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Advisor {
    /// Of what strangers might get at.
    Security,
    /// Of what is slow.
    Performance,
}

/// One piece of advice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Advice {
    /// Whose.
    pub advisor: Advisor,
    /// What it is about: `rls_disabled_in_public public.notes`.
    pub subject: String,
    /// `ERROR`, `WARN` or `INFO`.
    pub level: String,
}

impl Advisor {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Security, Self::Performance];

    /// Its word, which is also its path.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Security => "security",
            Self::Performance => "performance",
        }
    }
}

impl Management {
    /// Asks an advisor.
    pub async fn advice(&self, project: &str, advisor: Advisor) -> Result<Vec<Advice>, ApiError> {
        let call = Call::get(["v1", "projects", project, "advisors", advisor.as_str()]);
        let said: Value = self.api().read(&call).await?;
        read(advisor, &said)
    }
}

fn read(advisor: Advisor, said: &Value) -> Result<Vec<Advice>, ApiError> {
    let Some(lints) = said["lints"].as_array() else {
        return Err(ApiError::Odd("no list of lints".to_owned()));
    };
    let mut advice: Vec<_> = lints
        .iter()
        .map(|lint| Advice {
            advisor,
            subject: subject(lint),
            level: text(&lint["level"]).unwrap_or_else(|| "UNKNOWN".to_owned()),
        })
        .collect();
    advice.sort();
    advice.dedup();
    advice.truncate(TOLD);
    Ok(advice)
}

/// What it is about, with whatever of that can be read.
fn subject(lint: &Value) -> String {
    let name = text(&lint["name"]).unwrap_or_else(|| "a lint without a name".to_owned());
    let about = &lint["metadata"];
    let object = text(&about["schema"]).zip(text(&about["name"]));
    let object = object
        .map(|(schema, object)| format!("{schema}.{object}"))
        .or_else(|| text(&about["entity"]))
        .or_else(|| text(&lint["cache_key"]));
    object.map_or_else(|| name.clone(), |object| format!("{name} {object}"))
}

fn text(value: &Value) -> Option<String> {
    let text: String = value.as_str()?.chars().take(LENGTH).collect();
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_odd_lint_takes_no_other_along() {
        let said = json!({"lints": [
            {"name": "rls_disabled_in_public", "level": "ERROR", "metadata": {"schema": "public", "name": "notes"}},
            {"name": "auth_leaked_password_protection", "level": "WARN", "metadata": {"entity": "Auth"}},
            {"level": 7},
            7,
        ]});
        let advice: Vec<_> = read(Advisor::Security, &said)
            .unwrap()
            .into_iter()
            .map(|one| format!("{} {}", one.level, one.subject))
            .collect();
        assert_eq!(
            advice,
            [
                "UNKNOWN a lint without a name",
                "WARN auth_leaked_password_protection Auth",
                "ERROR rls_disabled_in_public public.notes",
            ]
        );
        assert!(read(Advisor::Security, &json!({"message": "?"})).is_err());
    }
}
