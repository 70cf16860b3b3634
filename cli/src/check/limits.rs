//! Whether the plan on Vercel bears what `vercel.json` asks for. A deployment over a limit
//! fails, at times without a word.

use std::{collections::BTreeMap, path::Path};

use clap::ValueEnum;
use ops::endpoint::Endpoint;
use serde::Deserialize;

use super::finding::{Finding, Level};

const SUBJECT: &str = "plan";

/// Where the deployment is described.
const FILE: &str = "vercel.json";

/// A plan of Vercel's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Plan {
    /// The free one
    Hobby,
    /// The one of teams
    Pro,
}

/// What a plan bears.
struct Limits {
    functions: usize,
    crons: usize,
    memory_mb: u32,
    duration_s: u32,
    /// Whether a cron may run more than once a day.
    is_frequent: bool,
}

impl Plan {
    fn limits(self) -> Limits {
        match self {
            Self::Hobby => Limits {
                functions: 12,
                crons: 100,
                memory_mb: 2048,
                duration_s: 300,
                is_frequent: false,
            },
            Self::Pro => Limits {
                // What a deployment may hold in all.
                functions: 1000,
                crons: 100,
                memory_mb: 4096,
                duration_s: 800,
                is_frequent: true,
            },
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Hobby => "Hobby",
            Self::Pro => "Pro",
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Deployment {
    functions: BTreeMap<String, Function>,
    crons: Vec<Cron>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Function {
    memory: Option<u32>,
    max_duration: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct Cron {
    path: String,
    schedule: String,
}

/// What a folder's deployment asks for beyond the plan.
pub(super) fn look(plan: Plan, folder: &Path) -> Vec<Finding> {
    let Ok(text) = std::fs::read_to_string(folder.join(FILE)) else {
        let text = "no vercel.json here, so not looked at: run this in the bundle's folder";
        return vec![Finding::new(Level::Warning, SUBJECT, text)];
    };
    match serde_json::from_str(&text) {
        Ok(deployment) => judge(plan, &deployment, Endpoint::ALL.len()),
        Err(error) => {
            let text = format!("vercel.json cannot be read: {error}");
            vec![Finding::new(Level::Error, SUBJECT, text)]
        }
    }
}

fn judge(plan: Plan, deployment: &Deployment, functions: usize) -> Vec<Finding> {
    let limits = plan.limits();
    let name = plan.as_str();
    let mut over = Vec::new();
    if functions > limits.functions {
        over.push(format!(
            "{functions} functions, and {name} bears {}",
            limits.functions
        ));
    }
    let crons = deployment.crons.len();
    if crons > limits.crons {
        over.push(format!(
            "{crons} crons, and a project may have {}",
            limits.crons
        ));
    }
    for (pattern, function) in &deployment.functions {
        if let Some(memory) = function.memory.filter(|memory| *memory > limits.memory_mb) {
            over.push(format!(
                "{pattern} asks for {memory} MB, and {name} gives {}: lower it in vercel.json",
                limits.memory_mb
            ));
        }
        let duration = function.max_duration;
        if let Some(duration) = duration.filter(|duration| *duration > limits.duration_s) {
            over.push(format!(
                "{pattern} asks for {duration} s, and {name} gives {}: lower it in vercel.json",
                limits.duration_s
            ));
        }
    }
    if !limits.is_frequent {
        let frequent = deployment
            .crons
            .iter()
            .filter(|cron| !is_daily(&cron.schedule));
        over.extend(frequent.map(|cron| {
            format!(
                "{} runs at {}, and {name} allows once a day: deploy vercel.hobby.json, and let the database call instead (pourtrait schedule install)",
                cron.path, cron.schedule
            )
        }));
    }
    if over.is_empty() {
        let text = format!("{name} bears {functions} functions and {crons} crons");
        return vec![Finding::new(Level::Ok, SUBJECT, text)];
    }
    over.into_iter()
        .map(|text| Finding::new(Level::Error, SUBJECT, text))
        .collect()
}

/// Whether a schedule names one minute and one hour.
fn is_daily(schedule: &str) -> bool {
    let mut fields = schedule.split_whitespace();
    let is_one = |field: Option<&str>| {
        field.is_some_and(|field| field.bytes().all(|byte| byte.is_ascii_digit()))
    };
    is_one(fields.next()) && is_one(fields.next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(plan: Plan, text: &str, functions: usize) -> Vec<String> {
        let deployment = serde_json::from_str(text).unwrap();
        let bad = judge(plan, &deployment, functions).into_iter();
        bad.filter(|finding| finding.level == Level::Error)
            .map(|finding| finding.text)
            .collect()
    }

    #[test]
    fn what_ships_is_for_pro_and_its_variant_for_hobby() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
        let functions = Endpoint::ALL.len();
        assert_eq!(
            findings(Plan::Pro, &read("vercel.json"), functions),
            [""; 0]
        );
        assert_eq!(
            findings(Plan::Hobby, &read("vercel.hobby.json"), functions),
            [""; 0]
        );
        let frequent = findings(Plan::Hobby, &read("vercel.json"), functions);
        assert!(
            frequent[0].contains("/api/cron/monitor runs at * * * * *"),
            "{frequent:?}"
        );
    }

    #[test]
    fn each_limit_is_named() {
        let text = r#"{"functions": {"api/x.rs": {"memory": 3009, "maxDuration": 301}}}"#;
        assert_eq!(findings(Plan::Pro, text, 13), [""; 0]);
        let over = findings(Plan::Hobby, text, 13);
        assert_eq!(over.len(), 3, "{over:?}");
        assert!(over[0].starts_with("13 functions"), "{over:?}");
    }

    #[test]
    fn a_day_has_one_minute_of_one_hour() {
        for (schedule, daily) in [
            ("0 5 * * *", true),
            ("30 23 * * 1", true),
            ("* * * * *", false),
            ("0 * * * *", false),
            ("0,30 5 * * *", false),
            ("0 */2 * * *", false),
            ("", false),
        ] {
            assert_eq!(is_daily(schedule), daily, "{schedule}");
        }
    }
}
