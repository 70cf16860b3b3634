//! `vercel.hobby.json`: the same deployment on a plan that allows each cron one
//! call a day.

use std::fmt;

use anyhow::{Context, bail};
use ops::endpoint::Endpoint;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// Entries of an object in their own order, each as it is written: the order of
/// the function patterns decides which of them counts.
struct Entries(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[derive(Deserialize)]
struct Cron {
    path: String,
    schedule: String,
}

/// The text of `vercel.json` with every cron on its daily schedule.
pub(super) fn variant(text: &str) -> anyhow::Result<String> {
    let Entries(entries) = serde_json::from_str(text).context("vercel.json is not an object")?;
    let entries: Vec<String> = entries
        .iter()
        .map(|(key, value)| {
            let value = if key == "crons" {
                daily(value.get())?
            } else {
                value.get().to_owned()
            };
            Ok(format!("  {}: {value}", serde_json::to_string(key)?))
        })
        .collect::<anyhow::Result<_>>()?;
    Ok(format!("{{\n{}\n}}\n", entries.join(",\n")))
}

fn daily(crons: &str) -> anyhow::Result<String> {
    let crons: Vec<Cron> = serde_json::from_str(crons).context("the crons of vercel.json")?;
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
            let text = format!(r#"{{"crons":[{{"path":"{path}","schedule":"{schedule}"}}]}}"#);
            assert!(variant(&text).is_err(), "{path}");
        }
    }
}
