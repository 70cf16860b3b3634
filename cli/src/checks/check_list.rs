//! Checks as the database keeps them, and how a list shows them.

use ops::{
    messages::message_facts::Severity,
    monitoring::sample::Status,
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::arguments::Kind;
use crate::{
    answered::{self, Answered, word},
    project::plain,
};

#[derive(Debug, Serialize)]
pub(crate) struct ListChecks {}

#[derive(Debug, Deserialize)]
pub(crate) struct Listed {
    pub(crate) checks: Vec<Answered<Watched>>,
}

impl Call for ListChecks {
    const NAME: &'static str = "ops_list_checks";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

/// A check and what was seen of it last.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Watched {
    #[serde(rename = "definition")]
    pub(crate) check: Check,
    updated_by: String,
    /// None before the first sample.
    pub(super) status: Option<Status>,
    reason: Option<String>,
    latency_ms: Option<f64>,
}

/// A check: what every kind has, and everything together as it was answered.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub(crate) struct Check {
    pub(super) common: Common,
    pub(crate) fields: Map<String, Value>,
}

/// What checks of every kind have, and what each of them is about.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Common {
    pub(super) name: String,
    pub(super) kind: Kind,
    every_seconds: u64,
    severity: Severity,
    enabled: bool,
    url: Option<String>,
    host: Option<String>,
    event: Option<String>,
    metric: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
}

impl TryFrom<Map<String, Value>> for Check {
    type Error = serde_json::Error;

    fn try_from(fields: Map<String, Value>) -> Result<Self, Self::Error> {
        Ok(Self {
            common: Common::deserialize(&fields)?,
            fields,
        })
    }
}

impl Check {
    /// Whether it is probed by a function, and not read by the monitor itself.
    pub(crate) fn is_probed(&self) -> bool {
        !self.common.kind.is_judged_by_the_monitor()
    }

    /// The check on one line, with all its fields.
    fn line(&self) -> String {
        let Common { name, kind, .. } = &self.common;
        let fields = self.fields.iter();
        let fields: Vec<_> = fields
            .filter(|(field, _)| !["name", "kind"].contains(&field.as_str()))
            .map(|(field, value)| format!("{field}={}", plain(value)))
            .collect();
        format!("{name} ({}): {}", word(kind), fields.join(" "))
    }
}

/// A check on one line.
pub(super) fn line(check: &Answered<Check>) -> String {
    check.describe(Check::line)
}

pub(super) fn table(checks: &[Answered<Watched>]) -> String {
    const HEADING: [&str; 8] = [
        "check",
        "kind",
        "about",
        "every",
        "severity",
        "seen",
        "ms",
        "changed by",
    ];
    answered::table("checks", checks, HEADING, Watched::row)
}

/// Whether a check is among those that were asked for. One that this build cannot
/// read is shown only where all are.
pub(super) fn has_tag(check: &Answered<Watched>, tag: Option<&str>) -> bool {
    tag.is_none_or(|tag| {
        let known = check.known();
        known.is_some_and(|watched| watched.check.common.tags.iter().any(|has| has == tag))
    })
}

impl Watched {
    /// What was seen last.
    pub(super) fn seen(&self) -> String {
        match (self.status, &self.reason) {
            (None, _) => "not yet".to_owned(),
            (Some(status), None) => word(status),
            (Some(status), Some(reason)) => format!("{} ({reason})", word(status)),
        }
    }

    fn row(&self) -> [String; 8] {
        let check = &self.check.common;
        let about = [&check.url, &check.host, &check.event, &check.metric].into_iter();
        let latency = self.latency_ms.map(|latency| format!("{latency:.0}"));
        [
            check.name.clone(),
            word(check.kind),
            about.flatten().map(String::as_str).collect(),
            check.every_seconds.to_string(),
            word(check.severity),
            if check.enabled {
                self.seen()
            } else {
                "disabled".to_owned()
            },
            latency.unwrap_or_default(),
            self.updated_by.clone(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_by_tag_has_what_carries_it() {
        let tagged = Answered::read(json!({
            "definition": {"name": "a", "kind": "tcp", "everySeconds": 60, "severity": "high",
                           "enabled": true, "host": "a", "port": 1, "tags": ["shop", "eu"]},
            "updatedBy": "Ada", "status": null, "reason": null, "latencyMs": null,
        }));
        for (tag, listed) in [(None, true), (Some("eu"), true), (Some("us"), false)] {
            assert_eq!(has_tag(&tagged, tag), listed);
        }
        assert!(!has_tag(&watched("icmp", true), Some("eu")));
        assert!(has_tag(&watched("icmp", true), None));
    }

    fn watched(kind: &str, enabled: bool) -> Answered<Watched> {
        Answered::read(json!({
            "definition": {
                "name": "home", "kind": kind, "everySeconds": 60, "timeoutMs": 5000,
                "severity": "high", "enabled": enabled, "url": "https://a.example/", "status": [200],
            },
            "updatedAt": "2026-11-24T12:00:00+00:00", "updatedBy": "Ada",
            "status": "down", "reason": "text", "latencyMs": 12.4, "at": "2026-11-24T12:00:00+00:00",
        }))
    }

    #[test]
    fn a_check_of_an_unknown_kind_leaves_the_others_readable() {
        let checks = [
            watched("http", true),
            watched("icmp", true),
            watched("http", false),
        ];
        let table = table(&checks);
        let lines: Vec<_> = table.lines().skip(1).collect();
        assert_eq!(
            lines[0],
            "home   http  https://a.example/  60     high      down (text)  12  Ada"
        );
        assert!(lines[1].contains("disabled"), "{table}");
        assert!(lines[2].contains("unknown variant `icmp`"), "{table}");
        assert!(lines[3].starts_with("1 of 3 checks"), "{table}");
    }

    #[test]
    fn a_check_on_one_line_has_all_its_fields() {
        let watched = watched("http", true);
        assert_eq!(
            watched.known().unwrap().check.line(),
            "home (http): everySeconds=60 timeoutMs=5000 severity=high enabled=true \
             url=https://a.example/ status=[200]"
        );
    }
}
