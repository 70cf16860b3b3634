//! `vercel.hobby.json`: the same deployment on a plan that allows each cron one
//! call a day.

use anyhow::{Context, bail};
use ops::endpoint::Endpoint;
use serde::Deserialize;

/// What the list of crons begins and ends with in `vercel.json`.
const CRONS: (&str, &str) = ("\n  \"crons\": ", "\n  ]");

#[derive(Deserialize)]
struct Deployment {
    crons: Vec<Cron>,
}

#[derive(Deserialize)]
struct Cron {
    path: String,
    schedule: String,
}

/// The text of `vercel.json` with every cron on its daily schedule. Everything else
/// stays as it is written.
pub(super) fn variant(text: &str) -> anyhow::Result<String> {
    let Deployment { crons } =
        serde_json::from_str(text).context("vercel.json is no object with crons")?;
    let (begin, end) = CRONS;
    let (before, rest) = text.split_once(begin).context("vercel.json has no crons")?;
    let (_, after) = rest
        .split_once(end)
        .context("the crons of vercel.json do not end")?;
    Ok(format!("{before}{begin}{}{after}", daily(&crons)?))
}

fn daily(crons: &[Cron]) -> anyhow::Result<String> {
    let lines: Vec<String> = crons
        .iter()
        .map(|Cron { path, schedule }| {
            let job = Endpoint::at(path).and_then(|endpoint| endpoint.spec().job);
            let job =
                job.with_context(|| format!("{path} in vercel.json is not the path of a job"))?;
            if job.schedule != schedule {
                bail!(
                    "{path} runs at {schedule} in vercel.json, and at {} in the code",
                    job.schedule
                );
            }
            Ok(format!(
                "    {{ \"path\": \"{path}\", \"schedule\": \"{}\" }}",
                job.daily_schedule
            ))
        })
        .collect::<anyhow::Result<_>>()?;
    Ok(format!("[\n{}\n  ]", lines.join(",\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_schedules_change() {
        let text = r#"{
  "b": { "z": 1, "a": [ 2 ] },
  "crons": [
    { "path": "/api/cron/monitor", "schedule": "* * * * *" }
  ],
  "a": null
}
"#;
        assert_eq!(
            variant(text).unwrap(),
            text.replace("* * * * *", "0 6 * * *")
        );
    }

    #[test]
    fn a_schedule_that_is_not_the_code_s_is_refused() {
        for (path, schedule) in [
            ("/api/cron/monitor", "*/5 * * * *"),
            ("/api/health", "* * * * *"),
        ] {
            let text = format!(
                "{{\n  \"crons\": [\n    {{\"path\":\"{path}\",\"schedule\":\"{schedule}\"}}\n  ]\n}}"
            );
            assert!(variant(&text).is_err(), "{path}");
        }
    }
}
