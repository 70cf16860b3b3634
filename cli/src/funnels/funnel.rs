//! A funnel, what it came to, and how both are shown.

use jiff::Timestamp;
use ops::{
    messages::{
        plain_text,
        quantities::{duration, quantity},
    },
    monitoring::document::FunnelStep,
};
use serde::Deserialize;

use crate::{
    answered::{self, Answered},
    times::{for_seconds, to_the_minute},
};
use terminal::output;

/// A funnel, as far as a list shows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Funnel {
    name: String,
    steps: Vec<String>,
    within_seconds: u64,
    updated_at: Timestamp,
    updated_by: String,
}

/// A funnel as it was counted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Counted {
    name: String,
    environment: String,
    days: u32,
    within_seconds: u64,
    as_of: Timestamp,
    conversion_rate: Option<f64>,
    steps: Vec<FunnelStep>,
    by: Option<String>,
    parts: Vec<Part>,
    items_kept_days: Option<u32>,
}

/// Some of the people.
#[derive(Debug, Deserialize)]
struct Part {
    part: String,
    steps: Vec<FunnelStep>,
}

impl Funnel {
    pub(super) fn line(&self) -> String {
        format!("{}: {}", self.name, self.way())
    }

    fn row(&self) -> [String; 4] {
        [
            self.name.clone(),
            self.way(),
            duration(self.within_seconds),
            format!(
                "{} by {}",
                to_the_minute(self.updated_at),
                plain_text::line(&self.updated_by)
            ),
        ]
    }

    fn way(&self) -> String {
        let steps: Vec<_> = self
            .steps
            .iter()
            .map(|step| plain_text::line(step))
            .collect();
        steps.join(" > ")
    }
}

impl Counted {
    pub(super) fn describe(&self) -> String {
        const HEADING: [&str; 6] = [
            "step",
            "people",
            "of the first",
            "of the one before",
            "lost",
            "median time",
        ];
        let rows: Vec<_> = self.steps.iter().map(row).collect();
        let mut lines = vec![
            format!(
                "{} in {}, the {} days up to {}; steps count for {} after the first",
                self.name,
                plain_text::line(&self.environment),
                self.days,
                to_the_minute(self.as_of),
                duration(self.within_seconds)
            ),
            output::table(HEADING, &rows),
            format!("conversion: {}", percent(self.conversion_rate)),
        ];
        if let Some(by) = &self.by {
            let rows: Vec<_> = self.parts.iter().map(Part::row).collect();
            lines.push(String::new());
            lines.push(output::table(
                [by, "people step by step", "conversion"],
                &rows,
            ));
        }
        if let Some(kept) = self.items_kept_days.filter(|kept| *kept < self.days) {
            lines.push(format!(
                "note: what came in by the door is kept for {kept} days, so older days count what the app wrote itself"
            ));
        }
        lines.join("\n")
    }
}

impl Part {
    fn row(&self) -> [String; 3] {
        let people: Vec<_> = self
            .steps
            .iter()
            .map(|step| step.people.to_string())
            .collect();
        [
            plain_text::line(&self.part),
            people.join(" > "),
            percent(self.steps.last().and_then(|step| step.of_first)),
        ]
    }
}

fn row(step: &FunnelStep) -> [String; 6] {
    [
        plain_text::line(&step.step),
        step.people.to_string(),
        percent(step.of_first),
        step.of_previous
            .map_or_else(String::new, |share| percent(Some(share))),
        step.dropped_off
            .map_or_else(String::new, |lost| lost.to_string()),
        step.median_seconds.map_or_else(String::new, for_seconds),
    ]
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(
        || "nobody began".to_owned(),
        |share| quantity(share, Some("%")),
    )
}

pub(super) fn table(funnels: &[Answered<Funnel>]) -> String {
    if funnels.is_empty() {
        return "no funnels: `pourtrait funnels set NAME step1 step2` makes one".to_owned();
    }
    let heading = ["funnel", "steps", "within", "changed"];
    answered::table("funnels", funnels, heading, Funnel::row)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_has_a_line_for_each() {
        let funnel = json!({
            "name": "first-wine", "steps": ["user_registered", "page:/wines\u{1b}", "wine_added"],
            "withinSeconds": 604_800, "updatedAt": "2026-11-24T09:00:00Z", "updatedBy": "anna",
        });
        let text = table(&[funnel, json!({"name": "odd"})].map(Answered::read));
        let expected = "FUNNEL      STEPS                                       WITHIN  CHANGED\n\
             first-wine  user_registered > page:/wines  > wine_added  7 d     2026-11-24 09:00 UTC by anna";
        assert!(
            text.replace("  >", " >")
                .starts_with(&expected.replace("  >", " >")),
            "{text}"
        );
        assert!(text.contains("1 of 2 funnels cannot be read"), "{text}");
        assert!(table(&[]).starts_with("no funnels"));
    }

    #[test]
    fn what_was_counted_says_where_people_were_lost() {
        let step = |step: &str, people: u32, rest: serde_json::Value| {
            let mut document = json!({"step": step, "people": people, "ofFirst": 100.0, "ofPrevious": null,
                                      "droppedOff": null, "medianSeconds": null});
            let fields = document.as_object_mut().unwrap();
            fields.extend(rest.as_object().unwrap().clone());
            document
        };
        let second =
            json!({"ofFirst": 25.0, "ofPrevious": 25.0, "droppedOff": 3, "medianSeconds": 5400.0});
        let counted: Counted = serde_json::from_value(json!({
            "name": "first-wine", "environment": "production", "days": 90, "withinSeconds": 3600,
            "asOf": "2026-11-24T12:00:00Z", "conversionRate": 25.0, "by": "release", "itemsKeptDays": 30,
            "steps": [step("a", 4, json!({})), step("b", 1, second)],
            "parts": [{"part": "1.4", "steps": [step("a", 4, json!({})), step("b", 0, json!({"ofFirst": 0.0}))]}],
        }))
        .unwrap();
        assert_eq!(
            counted.describe(),
            "first-wine in production, the 90 days up to 2026-11-24 12:00 UTC; steps count for 1 h after the first\n\
             STEP  PEOPLE  OF THE FIRST  OF THE ONE BEFORE  LOST  MEDIAN TIME\n\
             a     4       100 %\n\
             b     1       25 %          25 %               3     1 h 30 min\n\
             conversion: 25 %\n\
             \n\
             RELEASE  PEOPLE STEP BY STEP  CONVERSION\n\
             1.4      4 > 0                0 %\n\
             note: what came in by the door is kept for 30 days, so older days count what the app wrote itself"
        );
    }
}
