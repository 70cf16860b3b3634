//! A project's environment variables: read without their values, set, and removed.

use http::Method;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::Vercel;
use crate::platforms::api::{ApiError, Call};

/// How many pages are read at most: a project has room for 64 KB of variables.
const PAGES: usize = 20;

/// A variable as Vercel lists it. Its value is not read: that of a sensitive one is never
/// shown, and nothing here may depend on the others'.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// What it is changed by.
    #[serde(default)]
    pub id: Option<String>,
    /// Its name.
    pub key: String,
    /// How its value is kept.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The environments that have it.
    #[serde(default, deserialize_with = "one_or_many")]
    pub target: Vec<String>,
    /// The branch whose previews alone have it.
    #[serde(default)]
    pub git_branch: Option<String>,
    /// The team's own environments that have it.
    #[serde(default)]
    pub custom_environment_ids: Vec<String>,
    /// A note for people.
    #[serde(default)]
    pub comment: Option<String>,
    /// When it was changed last, in milliseconds.
    #[serde(default)]
    pub updated_at: Option<i64>,
}

/// A variable to be set.
#[derive(Debug, Clone, Serialize)]
pub struct Set<'a> {
    /// Its name.
    pub key: &'a str,
    /// Its value.
    pub value: &'a str,
    /// How its value is kept.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The environments that get it.
    pub target: &'a [&'a str],
    /// A note for people.
    pub comment: &'a str,
}

/// How a value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// In the clear.
    Plain,
    /// Encrypted, and shown to who asks.
    Encrypted,
    /// Encrypted, and never shown again.
    Sensitive,
    /// Set by Vercel.
    System,
    /// A way of keeping that this build does not know.
    #[serde(other)]
    Other,
}

/// A variable that Vercel would not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its name, where the answer says it.
    pub key: Option<String>,
    /// Vercel's word for why.
    pub code: String,
    /// Vercel's words for people.
    pub message: String,
}

impl Listed {
    /// Whether it is for whole environments, and not for a branch or one of the team's own.
    #[must_use]
    pub fn is_general(&self) -> bool {
        self.git_branch.is_none() && self.custom_environment_ids.is_empty()
    }
}

impl Kind {
    /// The word that Vercel uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Encrypted => "encrypted",
            Self::Sensitive => "sensitive",
            Self::System => "system",
            Self::Other => "of an unknown type",
        }
    }
}

impl Vercel {
    /// Every variable of a project. One that this build cannot read is an error: who
    /// compares must not take a part for the whole.
    pub async fn variables(&self, project: &str) -> Result<Vec<Listed>, ApiError> {
        let mut variables = Vec::new();
        let mut until = None;
        for _ in 0..PAGES {
            let mut call = self.of_team(Call::get(["v10", "projects", project, "env"]));
            if let Some(until) = until {
                call = call.with("until", i64::to_string(&until));
            }
            let page: Page = self.api.read(&call).await?;
            variables.extend(page.envs);
            until = page.pagination.and_then(|pages| pages.next);
            if until.is_none() {
                return Ok(variables);
            }
        }
        Err(ApiError::Odd("its list of variables has no end".to_owned()))
    }

    /// Sets variables in one request, over those of the same name and targets. What it
    /// would not take is returned; the rest is set.
    pub async fn set_variables(
        &self,
        project: &str,
        variables: &[Set<'_>],
    ) -> Result<Vec<Refused>, ApiError> {
        let call = Call::new(Method::POST, ["v10", "projects", project, "env"])
            .with("upsert", "true")
            .json(variables);
        let outcome: Outcome = self.api.write(&self.of_team(call)).await?;
        Ok(outcome.failed.into_iter().map(Refused::from).collect())
    }

    /// Removes one variable; one that is gone already is no fault.
    pub async fn remove_variable(&self, project: &str, id: &str) -> Result<(), ApiError> {
        let call = Call::new(Method::DELETE, ["v9", "projects", project, "env", id]);
        match self.api.send(&self.of_team(call)).await {
            Err(error) if !error.is_absent() => Err(error),
            _ => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct Page {
    envs: Vec<Listed>,
    #[serde(default)]
    pagination: Option<Pagination>,
}

#[derive(Deserialize)]
struct Pagination {
    #[serde(default)]
    next: Option<i64>,
}

#[derive(Deserialize)]
struct Outcome {
    #[serde(default)]
    failed: Vec<Failed>,
}

#[derive(Deserialize)]
struct Failed {
    error: Why,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Why {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    env_var_key: Option<String>,
}

impl From<Failed> for Refused {
    fn from(Failed { error }: Failed) -> Self {
        Self {
            key: error.env_var_key.or(error.key),
            code: error.code,
            message: error.message,
        }
    }
}

/// Vercel writes a single target without a list around it.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let words = |value: &Value| value.as_str().map(str::to_owned);
    Ok(match Value::deserialize(deserializer)? {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(words).collect(),
        _ => Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_variable_is_read_as_vercel_writes_it_and_as_it_may_one_day() {
        let listed = |document: Value| serde_json::from_value::<Listed>(document).unwrap();
        let usual = listed(json!({
            "id": "e1", "key": "A", "type": "sensitive", "target": ["production", "preview"],
            "gitBranch": null, "customEnvironmentIds": [], "updatedAt": 1_700_000_000_000_i64,
        }));
        assert!(usual.is_general());
        assert_eq!(usual.kind, Kind::Sensitive);
        assert_eq!(usual.target, ["production", "preview"]);
        let odd = listed(
            json!({"key": "A", "type": "quantum", "target": "production", "gitBranch": "x"}),
        );
        assert!(!odd.is_general());
        assert_eq!(
            (odd.kind, odd.target.as_slice()),
            (Kind::Other, &["production".to_owned()][..])
        );
    }
}
