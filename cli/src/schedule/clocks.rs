//! The clocks that call the jobs, and how one is forgotten.

use anyhow::Context;
use ops::monitoring::document::Clock;
use serde_json::Value;
use terminal::{failure::Verdict, output::Output};
use tokio_postgres::{Client, Row};

use super::document;
use crate::answered::{self, Answered};

/// Shows every clock; one that no longer calls is found bad.
pub(super) async fn show(client: &Client, output: Output) -> anyhow::Result<Verdict> {
    let asked = client.query_one("select ops.dashboard_clocks(now())::text", &[]);
    let known = read(&document(asked.await)?)?;
    let clocks: Vec<Answered<Clock>> =
        serde_json::from_value(known.clone()).context("the database answers oddly")?;
    let text = if clocks.is_empty() {
        "no clock has called yet".to_owned()
    } else {
        let heads = ["clock", "job", "status", "last call", "every"];
        answered::table("clocks", &clocks, heads, row)
    };
    output.result(&known, &text);
    let stopped = |clock: &Value| clock["status"] == "silent" || clock["status"] == "gone";
    let bad = known.as_array().into_iter().flatten().any(stopped);
    Ok(if bad { Verdict::Bad } else { Verdict::Good })
}

/// Forgets a clock; one that nobody knows is found bad.
pub(super) async fn forget(
    client: &Client,
    clock: &str,
    output: Output,
) -> anyhow::Result<Verdict> {
    let forget = "select public.ops_forget_clock($1)::text";
    let answer = read(&document(client.query_one(forget, &[&clock]).await)?)?;
    let forgotten = answer["forgotten"] == true;
    let text = if forgotten {
        format!("{clock} is forgotten; once it calls again it is known again")
    } else {
        format!("no clock {clock:?} is known")
    };
    output.result(&answer, &text);
    Ok(if forgotten {
        Verdict::Good
    } else {
        Verdict::Bad
    })
}

fn read(answer: &Row) -> anyhow::Result<Value> {
    serde_json::from_str(answer.get(0)).context("the database answers oddly")
}

fn row(clock: &Clock) -> [String; 5] {
    let every = clock.every_seconds.map_or_else(
        || "not known yet".to_owned(),
        |seconds| format!("{seconds:.0} s"),
    );
    [
        clock.clock.clone(),
        clock.job.clone(),
        clock.status.clone(),
        clock
            .last_at
            .map_or_else(|| "never".to_owned(), |at| at.to_string()),
        every,
    ]
}
