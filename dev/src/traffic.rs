//! Light sample traffic: what the app would write while a few people use it, through the
//! project's API with the secret key, as the app does, and what its pages send to the door.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Context;
use outside::{clock, outbound::Outbound};
use serde_json::{Value, json};

use super::sample::{ENDPOINTS, EVENTS, USERS, user};

/// How long one insert may take. A database that is away is tried again with
/// the next second's rows.
const TIMEOUT: Duration = Duration::from_secs(5);

const PAGES: [&str; 4] = ["/", "/wines", "/wines/[id]", "/recommendations"];

const USER_AGENT: &str = "Mozilla/5.0 (sample traffic)";

/// Writes a few rows a second until it is dropped.
pub(super) async fn run(variables: BTreeMap<String, String>, door: Option<String>) {
    let outbound = Outbound::default();
    let mut reachable = true;
    loop {
        let mut written = write(&outbound, &variables, &rows()).await;
        if let (Ok(()), Some(door)) = (&written, &door) {
            written = send(&outbound, door, &items()).await;
        }
        if let (Err(error), true) = (&written, reachable) {
            tracing::warn!("sample traffic cannot be written for now: {error:#}");
        }
        reachable = written.is_ok();
        clock::wait(Duration::from_secs(1)).await;
    }
}

async fn write(
    outbound: &Outbound,
    variables: &BTreeMap<String, String>,
    rows: &[(&str, Value)],
) -> anyhow::Result<()> {
    let url = variables
        .get("SUPABASE_URL")
        .context("SUPABASE_URL is not set")?;
    let key = variables
        .get("SUPABASE_SECRET_KEY")
        .context("SUPABASE_SECRET_KEY is not set")?;
    for (table, rows) in rows {
        let response = outbound
            .client()?
            .post(format!("{url}/rest/v1/{table}"))
            .header("apikey", key)
            .header("prefer", "return=minimal")
            .json(rows)
            .timeout(TIMEOUT)
            .send()
            .await?;
        response.error_for_status()?;
    }
    Ok(())
}

async fn send(outbound: &Outbound, door: &str, items: &Value) -> anyhow::Result<()> {
    let client = outbound.client()?;
    let request = client.post(door).header("user-agent", USER_AGENT);
    let response = request.json(items).timeout(TIMEOUT).send().await?;
    response.error_for_status()?;
    Ok(())
}

/// What pages and their servers send in one second: a view and how it felt, often a request of
/// somebody else, and rarely an error.
fn items() -> Value {
    let page = pick(PAGES);
    let mut items = vec![
        json!({ "type": "page_view", "name": page }),
        json!({
            "type": "web_vital", "name": "LCP", "value": 900 + roll(1400),
            "properties": { "path": page },
        }),
    ];
    if roll(2) == 0 {
        items.push(json!({
            "type": "span", "name": "api.openai.com", "method": "POST",
            "status": if roll(50) == 0 { 503 } else { 200 }, "value": 300 + roll(1500),
        }));
    }
    if roll(90) == 0 {
        items.push(json!({
            "type": "error",
            "name": "TypeError",
            "message": format!("Cannot read properties of undefined (reading '{}')", roll(100)),
            "stack": format!("TypeError\n    at showWine (https://wine.example/_next/static/chunks/app{page}/page-1a2b3c4d5e6f.js:1:17)"),
            "handled": false,
        }));
    }
    json!({
        "release": "sample", "user": user(1 + roll(USERS)), "session": format!("s{}", roll(40)),
        "items": items,
    })
}

/// A number from 0 up to, not including, `sides`. It need not be fair.
fn roll(sides: u32) -> u32 {
    uuid::Uuid::new_v4().as_fields().0 % sides
}

fn pick<T: Copy, const N: usize>(of: [T; N]) -> T {
    of[uuid::Uuid::new_v4().as_fields().0 as usize % N]
}

/// What one second brings: requests, now and then an event, a page view, and
/// rarely an error. Never enough of anything bad to break a threshold.
fn rows() -> Vec<(&'static str, Value)> {
    let mut rows = vec![("api_usage_metrics", request())];
    if roll(3) == 0 {
        rows.push(("analytics_events", event()));
    }
    if roll(4) == 0 {
        let value = 600 + roll(900);
        rows.push((
            "performance_metrics",
            json!({ "name": "page_load_time", "value": value, "unit": "ms" }),
        ));
    }
    if roll(60) == 0 {
        rows.push(("error_logs", error()));
    }
    rows
}

fn request() -> Value {
    let (method, endpoint, usual_ms) = pick(ENDPOINTS);
    let status = match roll(2000) {
        0 => 500,
        1..=60 => 404,
        _ => 200,
    };
    json!({
        "endpoint": endpoint,
        "method": method,
        "status_code": status,
        "response_time": usual_ms / 2 + roll(usual_ms),
        "user_id": user(1 + roll(USERS)),
        "user_agent": USER_AGENT,
    })
}

fn event() -> Value {
    json!({
        "event_name": pick(EVENTS),
        "user_id": user(1 + roll(USERS)),
        "properties": { "source": "sample" },
        "user_agent": USER_AGENT,
    })
}

fn error() -> Value {
    const ERRORS: [(&str, &str, &str); 3] = [
        ("Label could not be read", "low", "image_processing"),
        (
            "Recommendation took longer than 20 s",
            "medium",
            "ai_service",
        ),
        (
            "Wine search failed: upstream answered 502",
            "high",
            "api_external",
        ),
    ];
    let (message, severity, category) = pick(ERRORS);
    json!({
        "message": message,
        "severity": severity,
        "context": { "category": category, "requestId": uuid::Uuid::new_v4() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_brings_rows_that_the_tables_take() {
        for _ in 0..200 {
            for (table, row) in rows() {
                match table {
                    "api_usage_metrics" => {
                        assert!(row["response_time"].as_u64().unwrap() < 2_000, "{row}");
                    }
                    "analytics_events" => {
                        assert!(EVENTS.contains(&row["event_name"].as_str().unwrap()));
                    }
                    "performance_metrics" => {
                        assert!(row["value"].as_u64().unwrap() < 2_000, "{row}");
                    }
                    "error_logs" => assert_ne!(row["severity"], "critical"),
                    other => panic!("{other}"),
                }
            }
        }
    }
}
