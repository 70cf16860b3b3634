//! `pourtrait checks history`: what was seen of a check, newest first.

use ops::{
    monitoring::sample::Status,
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    answered::{self, Answered, word},
    project::Project,
};
use terminal::output::Output;

#[derive(Debug, Serialize)]
struct ListSamples {
    p_name: String,
    p_limit: u32,
}

#[derive(Debug, Deserialize)]
struct Listed {
    samples: Vec<Answered<Seen>>,
}

impl Call for ListSamples {
    const NAME: &'static str = "ops_list_samples";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

/// One sample of a check.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seen {
    at: jiff::Timestamp,
    status: Status,
    reason: Option<String>,
    latency_ms: Option<f64>,
    detail: Value,
}

pub(super) async fn run(
    project: &Project,
    name: String,
    limit: u32,
    output: Output,
) -> anyhow::Result<()> {
    let call = ListSamples {
        p_name: name,
        p_limit: limit,
    };
    let samples = project.call(&call).await?.samples;
    output.result(&json!({ "samples": samples }), &table(&samples));
    Ok(())
}

fn table(samples: &[Answered<Seen>]) -> String {
    const HEADING: [&str; 5] = ["at", "seen", "ms", "code", "found"];
    answered::table("samples", samples, HEADING, Seen::row)
}

impl Seen {
    fn row(&self) -> [String; 5] {
        let Self { at, status, .. } = self;
        let seen = match &self.reason {
            Some(reason) => format!("{} ({reason})", word(status)),
            None => word(status),
        };
        let latency = self.latency_ms.map(|latency| format!("{latency:.0}"));
        let code = self.detail["statusCode"].as_u64();
        [
            at.to_string(),
            seen,
            latency.unwrap_or_default(),
            code.map(|code| code.to_string()).unwrap_or_default(),
            self.detail["found"].as_str().unwrap_or_default().to_owned(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_a_line() {
        let samples = [
            json!({"at": "2026-11-24T12:01:00+00:00", "status": "down", "reason": "tls_expired",
                   "latencyMs": 12.4, "detail": {"found": "CN=a ended"}}),
            json!({"at": "2026-11-24T12:00:00+00:00", "status": "up", "reason": null,
                   "latencyMs": 80, "detail": {"statusCode": 200}}),
            json!({"at": "2026-11-24T11:59:00+00:00", "status": "asleep"}),
        ]
        .map(Answered::read);
        let table = table(&samples);
        let lines: Vec<_> = table.lines().skip(1).collect();
        assert_eq!(
            lines[0],
            "2026-11-24T12:01:00Z  down (tls_expired)  12        CN=a ended"
        );
        assert_eq!(
            lines[1],
            "2026-11-24T12:00:00Z  up                  80  200"
        );
        assert!(lines[2].contains("unknown variant `asleep`"), "{table}");
    }
}
