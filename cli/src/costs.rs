//! `pourtrait costs`: what the month costs, as far as our own figures tell.

use jiff::Timestamp;
use ops::{
    messages::{plain_text, quantities::quantity},
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};

use crate::{answered::Answered, environment::Environment, project::Project, times};
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

#[derive(Debug, Serialize)]
struct ReadCosts {}

impl Call for ReadCosts {
    const NAME: &'static str = "ops_costs";
    const RETRY: Retry = Retry::Read;
    type Output = Answered<Costs>;
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Costs {
    as_of: Timestamp,
    to: Timestamp,
    currency: String,
    cost: Option<f64>,
    projected: Option<f64>,
    limit: Option<f64>,
    items: Vec<Item>,
    prices: Vec<Price>,
}

/// One thing that costs something.
#[derive(Debug, Deserialize)]
struct Item {
    item: String,
    subject: Option<String>,
    amount: Option<f64>,
    unit: String,
    cost: Option<f64>,
    projected: Option<f64>,
    /// Why there is no projection.
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Price {
    key: String,
    value: f64,
    read_on: String,
}

pub(crate) async fn run(environment: &Environment, output: Output) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    let costs = project.call(&ReadCosts {}).await?;
    output.result(costs.document(), &costs.describe(Costs::describe));
    Ok(costs.known().map_or(Verdict::Good, Costs::verdict))
}

impl Costs {
    fn verdict(&self) -> Verdict {
        match (self.projected, self.limit) {
            (Some(projected), Some(limit)) if projected > limit => Verdict::Bad,
            _ => Verdict::Good,
        }
    }

    fn describe(&self) -> String {
        let rows: Vec<_> = self.items.iter().map(Item::row).collect();
        let prices: Vec<String> = self.prices.iter().map(Price::describe).collect();
        format!(
            "{}\nso far, {}: {} {currency}; at the end of the month, {}: {} {currency}{}\nprices: {}\n\
             What has no figure is no part of the sums.",
            output::table(["what", "amount", "so far", "month", "why not"], &rows),
            times::to_the_minute(self.as_of),
            money(self.cost),
            self.to.strftime("%Y-%m-%d"),
            money(self.projected),
            self.bound(),
            prices.join(", "),
            currency = self.currency,
        )
    }

    fn bound(&self) -> String {
        match self.limit {
            Some(limit) if self.verdict() == Verdict::Bad => {
                format!(", more than cost.monthly_limit, {}", money(Some(limit)))
            }
            Some(limit) => format!(" of {}", money(Some(limit))),
            None => "; cost.monthly_limit sets no limit".to_owned(),
        }
    }
}

impl Item {
    fn row(&self) -> [String; 5] {
        let amount = self.amount.map(|amount| quantity(amount, Some(&self.unit)));
        [
            plain_text::line(
                &[Some(self.item.as_str()), self.subject.as_deref()]
                    .map(Option::unwrap_or_default)
                    .join(" "),
            ),
            amount.unwrap_or_else(|| "?".to_owned()),
            money(self.cost),
            money(self.projected),
            self.reason.clone().unwrap_or_default(),
        ]
    }
}

impl Price {
    fn describe(&self) -> String {
        format!("{} {} ({})", self.key, self.value, self.read_on)
    }
}

/// An amount of money to the cent; `?` where nobody knows.
fn money(amount: Option<f64>) -> String {
    amount.map_or_else(|| "?".to_owned(), |amount| format!("{amount:.2}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn costs(projected: Option<f64>, limit: Option<f64>) -> Costs {
        serde_json::from_value(json!({
            "asOf": "2026-11-16T00:00:00Z", "from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z",
            "currency": "USD", "cost": 0.5, "projected": projected, "limit": limit, "unknown": ["messages email"],
            "items": [
                {"item": "invocations", "subject": "monitor", "amount": 21600, "unit": "calls", "price": 6e-7,
                 "cost": 0.01296, "projected": 0.0259, "reason": null},
                {"item": "backup_storage", "subject": null, "amount": null, "unit": "GB", "price": null,
                 "cost": null, "projected": null, "reason": "only the store knows how much it holds"},
            ],
            "prices": [{"key": "cost.database_gb", "value": 0.125, "readOn": "2026-11-30"}],
        }))
        .unwrap()
    }

    #[test]
    fn what_nobody_knows_has_a_question_mark_and_a_reason() {
        assert_eq!(
            costs(Some(1.0), None).describe(),
            "WHAT                 AMOUNT        SO FAR  MONTH  WHY NOT\n\
             invocations monitor  21,600 calls  0.01    0.03\n\
             backup_storage       ?             ?       ?      only the store knows how much it holds\n\
             so far, 2026-11-16 00:00 UTC: 0.50 USD; at the end of the month, 2026-12-01: 1.00 USD; \
             cost.monthly_limit sets no limit\n\
             prices: cost.database_gb 0.125 (2026-11-30)\n\
             What has no figure is no part of the sums."
        );
    }

    #[test]
    fn only_a_known_projection_above_a_limit_is_bad() {
        for (projected, limit, verdict) in [
            (Some(11.0), Some(10.0), Verdict::Bad),
            (Some(10.0), Some(10.0), Verdict::Good),
            (None, Some(10.0), Verdict::Good),
            (Some(11.0), None, Verdict::Good),
        ] {
            assert_eq!(
                costs(projected, limit).verdict(),
                verdict,
                "{projected:?} {limit:?}"
            );
        }
    }
}
