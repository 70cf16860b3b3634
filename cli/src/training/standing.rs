//! How exercises stand: when each was done last, and whether it is due.

use jiff::Timestamp;
use ops::{
    messages::plain_text,
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};

use super::arguments::Exercise;
use crate::{
    answered::{self, Answered, known, word},
    times::{for_seconds, to_the_minute},
};

#[derive(Debug, Serialize)]
pub(crate) struct ListExercises {}

impl Call for ListExercises {
    const NAME: &'static str = "ops_list_exercises";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

/// Every exercise.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listed {
    every_days: u32,
    exercises: Vec<Answered<Standing>>,
}

/// One exercise.
#[derive(Debug, Deserialize)]
pub(crate) struct Standing {
    exercise: Exercise,
    status: Status,
    due: Option<Timestamp>,
    last: Option<Done>,
}

/// How an exercise stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Never,
    Overdue,
    Ok,
}

/// How an exercise went.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Done {
    by: String,
    finished_at: Timestamp,
    seconds: f64,
}

impl Listed {
    /// The exercises that are to be done, by name.
    pub(crate) fn due(&self) -> Vec<String> {
        known(&self.exercises)
            .filter(|standing| standing.status != Status::Ok)
            .map(|standing| word(standing.exercise))
            .collect()
    }

    pub(super) fn table(&self) -> String {
        const HEADING: [&str; 6] = ["exercise", "status", "done", "by", "took", "due"];
        let table = answered::table("exercises", &self.exercises, HEADING, Standing::row);
        format!("{table}\neach is due every {} days", self.every_days)
    }
}

impl Standing {
    fn row(&self) -> [String; 6] {
        let last = self.last.as_ref();
        let shown = |text: Option<String>| text.unwrap_or_default();
        [
            word(self.exercise),
            word(self.status),
            shown(last.map(|done| to_the_minute(done.finished_at))),
            shown(last.map(|done| plain_text::line(&done.by))),
            shown(last.map(|done| for_seconds(done.seconds))),
            shown(self.due.map(to_the_minute)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn listed(statuses: [&str; 2]) -> Listed {
        let [alert, restore] = statuses;
        serde_json::from_value(json!({"everyDays": 90, "exercises": [
            {"exercise": "alert", "status": alert, "due": "2027-02-28T12:20:00Z",
             "last": {"by": "Anna", "finishedAt": "2026-11-30T12:20:00Z", "seconds": 1200}},
            {"exercise": "restore", "status": restore, "due": null, "last": null},
        ]}))
        .unwrap()
    }

    #[test]
    fn what_was_never_done_is_due_as_well() {
        let listed = listed(["ok", "never"]);
        assert_eq!(listed.due(), ["restore"]);
        assert_eq!(
            listed.table(),
            "EXERCISE  STATUS  DONE                  BY    TOOK    DUE\n\
             alert     ok      2026-11-30 12:20 UTC  Anna  20 min  2027-02-28 12:20 UTC\n\
             restore   never\n\
             each is due every 90 days"
        );
    }

    #[test]
    fn nothing_is_due_while_all_are_fresh() {
        assert!(listed(["ok", "ok"]).due().is_empty());
        assert_eq!(listed(["overdue", "ok"]).due(), ["alert"]);
    }
}
