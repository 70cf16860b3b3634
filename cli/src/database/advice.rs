//! Advice about the database as text.

use jiff::Timestamp;
use ops::{
    messages::{plain_text, quantities::count},
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::statistics::bytes;
use crate::{
    answered::{Answered, known, oddities},
    times::to_the_minute,
};

#[derive(Debug, Serialize)]
pub(super) struct AdviseDatabase {}

impl Call for AdviseDatabase {
    const NAME: &'static str = "ops_advise_database";
    const RETRY: Retry = Retry::Read;
    type Output = Answered<Advised>;
}

/// All advice there is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Advised {
    since: Timestamp,
    /// Whether it was counted for long enough to say what nobody uses.
    unused_known: bool,
    advice: Vec<Answered<Advice>>,
}

/// A piece of advice.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Advice {
    kind: Kind,
    object: String,
    /// The statement that changes it; null where it is not known.
    sql: Option<String>,
    gain_bytes: Option<u64>,
    gain_rows: Option<u64>,
    facts: Value,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    DeadRows,
    StaleStatistics,
    UnusedIndex,
    DuplicateIndex,
    MissingKeyIndex,
    MissingIndex,
}

pub(super) fn describe(advised: &Advised) -> String {
    let mut lines: Vec<_> = known(&advised.advice).map(Advice::describe).collect();
    lines.extend(oddities("pieces of advice", &advised.advice));
    if lines.is_empty() {
        lines.push("nothing to advise".to_owned());
    }
    let since = to_the_minute(advised.since);
    lines.push(if advised.unused_known {
        format!("The server has counted since {since}.")
    } else {
        format!("What nobody uses is not known yet: the server has counted since {since}, less than 14 days.")
    });
    lines.join("\n")
}

impl Advice {
    fn describe(&self) -> String {
        let sql = match &self.sql {
            Some(sql) => format!("{};", plain_text::line(sql)),
            None => format!(
                "-- {}",
                plain_text::line(self.text("reason").unwrap_or("no statement is known"))
            ),
        };
        format!(
            "{}: {}\n  {sql}",
            plain_text::line(&self.object),
            self.why()
        )
    }

    fn why(&self) -> String {
        let gained = bytes(self.gain_bytes.unwrap_or_default());
        let rows = self.gain_rows.unwrap_or_default();
        match self.kind {
            Kind::DeadRows => format!(
                "{} of {} are dead, {gained} to be used again",
                count(rows, "row"),
                self.total(rows)
            ),
            Kind::StaleStatistics => format!(
                "{} of {} changed since it was analyzed",
                count(rows, "row"),
                self.number("rows")
            ),
            Kind::UnusedIndex => format!("nobody used it, {gained} to be had"),
            Kind::DuplicateIndex => {
                let same = plain_text::line(self.text("sameAs").unwrap_or("another"));
                format!("{same} does the same, {gained} to be had")
            }
            Kind::MissingKeyIndex => {
                let key = plain_text::line(self.text("constraint").unwrap_or("a key"));
                let referred = plain_text::line(self.text("references").unwrap_or("its table"));
                format!(
                    "a row of {referred} that is deleted has {} read here, for {key}",
                    count(rows, "row")
                )
            }
            Kind::MissingIndex => {
                let reads = self.facts["wholeReads"].as_u64().unwrap_or_default();
                format!(
                    "read whole {}, {} each",
                    count(reads, "time"),
                    count(rows, "row")
                )
            }
        }
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.facts[key].as_str()
    }

    fn number(&self, key: &str) -> u64 {
        self.facts[key].as_u64().unwrap_or_default()
    }

    fn total(&self, dead: u64) -> u64 {
        self.number("rows").saturating_add(dead)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn described(unused: bool, advice: &Value) -> String {
        let advised =
            json!({"since": "2026-11-01T12:00:00Z", "unusedKnown": unused, "advice": advice});
        describe(&serde_json::from_value(advised).unwrap())
    }

    fn advice(
        kind: &str,
        sql: Option<&str>,
        gains: (Option<u64>, Option<u64>),
        facts: &Value,
    ) -> Value {
        json!({"kind": kind, "object": "public.wines", "sql": sql, "gainBytes": gains.0, "gainRows": gains.1, "facts": facts})
    }

    #[test]
    fn each_piece_says_why_and_the_statement() {
        let all = json!([
            advice(
                "dead_rows",
                Some("vacuum (analyze) public.wines"),
                (Some(2_000_000), Some(500)),
                &json!({"rows": 1500})
            ),
            advice(
                "stale_statistics",
                Some("analyze public.wines"),
                (None, Some(1)),
                &json!({"rows": 2})
            ),
            advice(
                "unused_index",
                Some("drop index concurrently public.a"),
                (Some(8_192), None),
                &json!({})
            ),
            advice(
                "duplicate_index",
                Some("drop index concurrently public.a"),
                (Some(8_192), None),
                &json!({"sameAs": "public.b"})
            ),
            advice(
                "missing_key_index",
                Some("create index concurrently on public.wines (a)"),
                (None, Some(9)),
                &json!({"constraint": "wines_a_fkey", "references": "public.a"})
            ),
            advice(
                "missing_index",
                None,
                (None, Some(10_000)),
                &json!({"wholeReads": 60, "reason": "who knows\u{1b}"})
            ),
            advice("invented", None, (None, None), &json!({})),
        ]);
        let text = described(true, &all);
        for line in [
            "public.wines: 500 rows of 2000 are dead, 2.0 MB to be used again\n  vacuum (analyze) public.wines;",
            "public.wines: 1 row of 2 changed since it was analyzed\n  analyze public.wines;",
            "public.wines: nobody used it, 8.1 kB to be had\n  drop index concurrently public.a;",
            "public.wines: public.b does the same, 8.1 kB to be had",
            "public.wines: a row of public.a that is deleted has 9 rows read here, for wines_a_fkey",
            "public.wines: read whole 60 times, 10,000 rows each\n  -- who knows",
            "1 of 7 pieces of advice cannot be read",
            "The server has counted since 2026-11-01 12:00 UTC.",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn where_it_was_not_counted_for_long_enough_that_is_said() {
        let text = described(false, &json!([]));
        assert!(
            text.starts_with("nothing to advise\nWhat nobody uses is not known yet"),
            "{text}"
        );
    }
}
