//! `pourtrait retention`: of the people who were first there in a week or on a day, how many
//! came back later. The database counts.

use clap::Args;
use jiff::Timestamp;
use ops::{
    messages::quantities::quantity,
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};

use crate::{answered::Answered, environment::Environment, project::Project};
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

/// What `retention` shows.
#[derive(Debug, Args)]
pub(crate) struct Retention {
    /// How many weeks back, at most 13
    #[arg(long, default_value_t = 8, conflicts_with = "days")]
    weeks: u32,
    /// By days instead, and how many back, at most 31
    #[arg(long)]
    days: Option<u32>,
    /// The environment of the app
    #[arg(long, default_value = "production")]
    environment: String,
}

#[derive(Debug, Serialize)]
struct CountRetention<'a> {
    p_unit: &'static str,
    p_count: u32,
    p_environment: &'a str,
}

impl Call for CountRetention<'_> {
    const NAME: &'static str = "ops_retention";
    const RETRY: Retry = Retry::Read;
    type Output = Answered<Counted>;
}

#[derive(Debug, Deserialize)]
struct Counted {
    unit: String,
    cohorts: Vec<Cohort>,
}

/// Who was first there at that time.
#[derive(Debug, Deserialize)]
struct Cohort {
    from: Timestamp,
    people: u64,
    /// How many came back in each later week or on each later day; null where that is not
    /// known any more.
    returned: Vec<Option<u64>>,
}

pub(crate) async fn run(
    retention: Retention,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    let (unit, count) = match retention.days {
        Some(days) => ("day", days),
        None => ("week", retention.weeks),
    };
    let call = CountRetention {
        p_unit: unit,
        p_count: count,
        p_environment: &retention.environment,
    };
    let counted = project.call(&call).await?;
    output.result(counted.document(), &counted.describe(Counted::describe));
    Ok(Verdict::Good)
}

impl Counted {
    fn describe(&self) -> String {
        let returned = format!("came back 1, 2, … {}s later", self.unit);
        let heading = ["first there from", "people", &returned];
        let rows: Vec<_> = self.cohorts.iter().map(Cohort::row).collect();
        format!(
            "{}\nThe last {} of each line is not over. Times are UTC.",
            output::table(heading, &rows),
            self.unit
        )
    }
}

impl Cohort {
    fn row(&self) -> [String; 3] {
        let cells = self.returned.iter().map(|returned| self.cell(*returned));
        let cells: Vec<_> = cells.map(|cell| format!("{cell:>7}")).collect();
        [
            self.from.strftime("%Y-%m-%d").to_string(),
            self.people.to_string(),
            cells.join(" ").trim_end().to_owned(),
        ]
    }

    /// How many of a hundred came back.
    fn cell(&self, returned: Option<u64>) -> String {
        match (returned, self.people) {
            (None, _) => "?".to_owned(),
            (_, 0) => "-".to_owned(),
            (Some(returned), people) => {
                #[expect(clippy::cast_precision_loss, reason = "nobody has so many people")]
                let share = 100.0 * returned as f64 / people as f64;
                quantity((share * 10.0).round() / 10.0, Some("%"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cohort_is_a_line_whose_cells_are_below_each_other() {
        let counted: Counted = serde_json::from_value(json!({
            "unit": "week", "cohorts": [
                {"from": "2026-11-09T00:00:00Z", "people": 3, "returned": [null, 1]},
                {"from": "2026-11-16T00:00:00Z", "people": 0, "returned": [0]},
                {"from": "2026-11-23T00:00:00Z", "people": 12, "returned": []},
            ],
        }))
        .unwrap();
        assert_eq!(
            counted.describe(),
            "FIRST THERE FROM  PEOPLE  CAME BACK 1, 2, … WEEKS LATER\n\
             2026-11-09        3             ?  33.3 %\n\
             2026-11-16        0             -\n\
             2026-11-23        12\n\
             The last week of each line is not over. Times are UTC."
        );
    }
}
