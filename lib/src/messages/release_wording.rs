//! What a message says of a deployment that serves production: how it compares with the day
//! before it, and the command that goes back.

use std::fmt::Write;

use serde_json::Value;

use super::{message_facts::Facts, quantities};

/// How many measures a message names; the dashboard shows all.
const NAMED: usize = 6;

/// That it is worse, and how soon that was seen.
pub(super) fn headline(facts: &Facts, deployment: &str) -> String {
    let age = facts.detail["ageMinutes"]
        .as_u64()
        .map(|minutes| match minutes {
            0..60 => quantities::count(minutes, "minute"),
            60..1440 => quantities::count(minutes / 60, "hour"),
            _ => quantities::count(minutes / 1440, "day"),
        });
    let after = age.map_or_else(String::new, |age| format!(" after {age}"));
    format!("The release {deployment} is worse than the day before it{after}")
}

/// Whose production it is.
pub(super) fn project(source: &str) -> &'static str {
    match source {
        "own_project" => "Production of this bundle",
        _ => "Production of the app",
    }
}

/// Each measure that is worse, with both numbers and what they rest on.
pub(super) fn evidence(facts: &Facts) -> Option<String> {
    let measures = facts.detail["evidence"].as_array()?;
    let lines: Vec<String> = measures.iter().take(NAMED).filter_map(measure).collect();
    (!lines.is_empty()).then(|| lines.join("; "))
}

/// The command that gives traffic back to the deployment before, or that unpins.
pub(super) fn way_back(facts: &Facts) -> Option<String> {
    if !facts.kind.is_open() {
        return None;
    }
    match facts.rule.as_str() {
        "release_regressed" => {
            let before = facts.detail["before"].as_str()?;
            Some(format!("pourtrait rollback {before}"))
        }
        "release_pinned" => {
            let project = match facts.subject.as_str() {
                "own_project" => " --project ops",
                _ => "",
            };
            Some(format!("pourtrait rollback --release{project}"))
        }
        _ => None,
    }
}

fn measure(measure: &Value) -> Option<String> {
    let name = measure["measure"].as_str()?;
    let unit = measure["unit"].as_str();
    let said = |key: &str| match measure[key].as_f64() {
        Some(value) => quantities::quantity(value, unit),
        None => "none".to_owned(),
    };
    let mut line = format!("{} {}, was {}", called(name), said("after"), said("before"));
    let samples = |key: &str| measure[key].as_u64();
    if let (Some(after), Some(before)) = (samples("afterSamples"), samples("beforeSamples")) {
        let _ = write!(line, " ({after} against {before})");
    }
    for example in measure["examples"].as_array().into_iter().flatten() {
        if let Some(example) = example.as_str() {
            let _ = write!(line, ", {example}");
        }
    }
    Some(line)
}

/// A measure's name in words; one that is not known has its own.
fn called(measure: &str) -> String {
    match measure {
        "latency_p50" => "median of the response time".to_owned(),
        "latency_p95" => "95th percentile of the response time".to_owned(),
        "error_rate" => "error rate".to_owned(),
        "new_errors" => "new errors".to_owned(),
        "failed_jobs" => "failed or missed jobs".to_owned(),
        other => match other.strip_suffix("_p75") {
            Some(vital) => format!("75th percentile of {vital}"),
            None => other.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::messages::message_facts::Kind;

    fn facts(rule: &str, subject: &str, detail: Value) -> Facts {
        Facts {
            rule: rule.to_owned(),
            subject: subject.to_owned(),
            kind: Kind::Firing,
            detail,
            ..Facts::default()
        }
    }

    #[test]
    fn a_regression_names_its_evidence_and_the_way_back() {
        let detail = json!({
            "ageMinutes": 60,
            "before": "dpl_a",
            "evidence": [
                {"measure": "latency_p95", "unit": "ms", "after": 820.5, "before": 400, "afterSamples": 450, "beforeSamples": 440},
                {"measure": "new_errors", "unit": null, "after": 1, "before": 0, "examples": ["TypeError: x (12 times)"]},
                {"measure": "event wine_added", "unit": "per 100 requests", "after": null, "before": 3.25},
                {"odd": true},
            ],
        });
        let facts = facts("release_regressed", "dpl_b", detail);
        assert_eq!(
            headline(&facts, "dpl_b"),
            "The release dpl_b is worse than the day before it after 1 hour"
        );
        assert_eq!(
            evidence(&facts).unwrap(),
            "95th percentile of the response time 820.5 ms, was 400 ms (450 against 440); \
             new errors 1, was 0, TypeError: x (12 times); \
             event wine_added none, was 3.25 per 100 requests"
        );
        assert_eq!(way_back(&facts).unwrap(), "pourtrait rollback dpl_a");
        let over = Facts {
            kind: Kind::Resolved,
            ..facts
        };
        assert_eq!(way_back(&over), None);
    }

    #[test]
    fn a_pin_says_how_it_is_taken_away() {
        for (subject, command) in [
            ("app_project", "pourtrait rollback --release"),
            ("own_project", "pourtrait rollback --release --project ops"),
        ] {
            let facts = facts("release_pinned", subject, Value::Null);
            assert_eq!(way_back(&facts).unwrap(), command);
        }
        assert_eq!(way_back(&facts("app_down", "x", Value::Null)), None);
    }
}
