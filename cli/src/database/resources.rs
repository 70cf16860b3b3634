//! What may run out, as text.

use ops::{
    messages::{
        plain_text,
        quantities::{self, quantity},
    },
    monitoring::document::Resource,
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};

use super::statistics;
use crate::answered::{self, Answered};

#[derive(Debug, Serialize)]
pub(super) struct ListResources {}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Listed {
    pub(super) resources: Vec<Answered<Resource>>,
}

impl Call for ListResources {
    const NAME: &'static str = "ops_list_resources";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

pub(super) fn describe(listed: &Listed) -> String {
    const HEADING: [&str; 6] = ["what", "used", "of", "a day", "full in", "why not"];
    if listed.resources.is_empty() {
        return "nothing is known yet: the maintenance reads it".to_owned();
    }
    answered::table("resources", &listed.resources, HEADING, row)
}

fn row(one: &Resource) -> [String; 6] {
    let percent = one
        .percent
        .map(|percent| format!(" ({})", quantity(percent, Some("%"))));
    let note = [one.note.as_deref(), one.reason.as_deref()];
    [
        plain_text::line(&one.resource.replace('_', " ")),
        amount(one.used, &one.unit) + &percent.unwrap_or_default(),
        amount(one.capacity, &one.unit),
        amount(one.per_day, &one.unit),
        one.days_to_full
            .map_or_else(String::new, |days| quantities::days(days.floor())),
        plain_text::line(&note.into_iter().flatten().collect::<Vec<_>>().join("; ")),
    ]
}

fn amount(value: Option<f64>, unit: &str) -> String {
    let Some(value) = value else {
        return "?".to_owned();
    };
    if unit != "B" {
        return quantity(value, Some(unit));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the size of a disk, without its sign"
    )]
    let size = statistics::bytes(value.abs() as u64);
    if value < 0.0 {
        format!("-{size}")
    } else {
        size
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_known_is_told_with_its_share_and_the_rest_with_its_reason() {
        let listed: Listed = serde_json::from_value(json!({"resources": [
            {"resource": "database_disk", "used": 6.4e9, "capacity": 8e9, "unit": "B", "percent": 80.0, "perDay": 5e7,
             "daysToFull": 32.9, "note": null, "reason": null, "readAt": "2026-11-24T12:00:00Z", "days": []},
            {"resource": "egress", "used": null, "capacity": null, "unit": "B", "percent": null, "perDay": null,
             "daysToFull": null, "note": null, "reason": "no API tells it", "readAt": "2026-11-24T12:00:00Z", "days": []},
        ]}))
        .unwrap();
        assert_eq!(
            describe(&listed),
            "WHAT           USED           OF      A DAY    FULL IN  WHY NOT\n\
             database disk  6.4 GB (80 %)  8.0 GB  50.0 MB  32 days\n\
             egress         ?              ?       ?                 no API tells it"
        );
    }
}
