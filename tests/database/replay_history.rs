//! A random history of ticks, and what a replay says of it.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    chance::Dice,
    support::{World, array, at, certificate, dependency, page},
};

const TICKS: usize = 110;

/// What a subject of the history is like until it changes.
const STATUSES: [&str; 4] = ["up", "down", "unknown", "degraded"];

/// A history in the making: each subject stays for a while as it is.
struct History<'a> {
    world: &'a World,
    dice: Dice,
    now: Timestamp,
    kept: Vec<u64>,
}

impl History<'_> {
    /// A number below `sides` that is mostly the same as at the last tick.
    fn lasting(&mut self, nth: usize, sides: u64) -> usize {
        if self.dice.roll(5) == 0 {
            self.kept[nth] = self.dice.roll(sides);
        }
        usize::try_from(self.kept[nth] % sides).unwrap()
    }

    /// Mostly a minute later, now and then after a silence.
    fn advance(&mut self) {
        let minutes = if self.dice.roll(25) == 0 {
            2 + self.dice.roll(20)
        } else {
            1
        };
        self.now += SignedDuration::from_mins(minutes.try_into().unwrap());
    }

    fn checks(&mut self) -> Vec<Value> {
        let mut checks = Vec::new();
        for (nth, url) in ["https://app.example/", "https://app.example/shop"]
            .iter()
            .enumerate()
        {
            let status = STATUSES[self.lasting(nth, 4)];
            let latency = [120, 6_000][self.lasting(2 + nth, 2)];
            checks.push(page(url, status, Some(latency)));
        }
        for (nth, service) in ["database", "ai"].iter().enumerate() {
            // What is not set up any more is not reported.
            if let Some(status) = STATUSES.get(self.lasting(4 + nth, 5)) {
                checks.push(dependency(service, status));
            }
        }
        let days = [Some(90), Some(20), Some(3), None][self.lasting(6, 4)];
        checks.push(certificate(days));
        // A kept check is not due at every tick.
        if self.dice.roll(3) > 0 {
            let status = STATUSES[self.lasting(7, 4)];
            let latency = [100, 900][self.lasting(8, 2)];
            checks.push(json!({
                "name": "check:search", "kind": "http", "service": "app", "critical": false,
                "status": status, "latencyMs": latency, "reason": null, "detail": {},
            }));
        }
        checks
    }

    async fn traffic(&mut self) {
        let count = [0, 5, 45][self.lasting(9, 3)];
        let failures = [0, 4, 20][self.lasting(10, 3)];
        let milliseconds = [50, 800, 7_000][self.lasting(11, 3)];
        let endpoint = ["/api/a?x=1", "/api/b"][self.lasting(12, 2)];
        let load = [900, 4_000][self.lasting(13, 2)];
        let errors = u64::from(self.dice.roll(20) == 0);
        let now = self.now;
        self.world
            .execute(&format!(
                "insert into public.api_usage_metrics (endpoint, method, status_code, response_time, timestamp)
                 select '{endpoint}', 'GET', case when n <= {failures} then 500 else 200 end, {milliseconds},
                     '{now}'::timestamptz - interval '20 seconds'
                 from generate_series(1, {count}) as n;
                 insert into public.performance_metrics (name, value, unit, environment, timestamp)
                 select 'page_load_time', {load}, 'ms', 'production', '{now}'::timestamptz - interval '20 seconds'
                 from generate_series(1, {count});
                 insert into public.error_logs (message, severity, timestamp)
                 select 'boom', 'critical', '{now}'::timestamptz - interval '20 seconds'
                 from generate_series(1, {errors})"
            ))
            .await;
    }
}

/// Ticks of two hours or so, at random.
pub(crate) async fn live(world: &World, seed: u64) {
    let check = json!({"kind": "http", "url": "https://a.example/", "maxLatencyMs": 500, "severity": "medium"});
    world
        .call(
            "ops_add_check",
            json!({"p_name": "search", "p_check": check, "p_by": "anna"}),
        )
        .await;
    let mut history = History {
        world,
        dice: Dice(seed),
        now: at("12:00:00").parse().unwrap(),
        kept: vec![0; 14],
    };
    for _ in 0..TICKS {
        history.advance();
        history.traffic().await;
        let checks = history.checks();
        world.tick(&history.now.to_string(), &checks).await;
    }
}

/// What a replay found.
pub(crate) struct Replayed {
    /// Alerts, each as one line that tells all of it.
    pub(crate) firings: BTreeSet<String>,
    pub(crate) ticks: u64,
}

/// Replays all that there is since then under those rules, in parts whose
/// lengths are rolled.
pub(crate) async fn replay(world: &World, since: &str, rules: &Value, dice: &mut Dice) -> Replayed {
    let arguments =
        json!({"p_since": at(since), "p_rules": rules, "p_now": at("2026-11-25T12:00:00Z")});
    let plan = world.call("ops_plan_replay", arguments).await;
    let time = |key: &str| plan[key].as_str().unwrap().parse::<Timestamp>().unwrap();
    let (mut from, to) = (time("from"), time("to"));
    let mut states = plan["states"].clone();
    let mut firings = Vec::new();
    let mut ticks = 0;
    while from < to {
        let length = SignedDuration::from_mins((1 + dice.roll(200)).try_into().unwrap());
        let until = (from + length).min(to);
        let arguments = json!({
            "p_from": from.to_string(), "p_to": until.to_string(), "p_rules": rules, "p_states": states,
        });
        let part = world.call("ops_replay", arguments).await;
        firings.extend(array(&part["firings"]).clone());
        ticks += part["ticks"].as_u64().unwrap();
        states = part["states"].clone();
        from = until;
    }
    let open = array(&states)
        .iter()
        .filter(|state| state["openedAt"].is_string());
    firings.extend(open.cloned());
    Replayed {
        firings: firings.iter().map(line).collect(),
        ticks,
    }
}

/// What the monitor really opened of the rules that a replay decides anew.
pub(crate) async fn really(world: &World) -> BTreeSet<String> {
    let rows = world
        .rows(
            "select rule, subject, severity, first_bad_at as \"firstBadAt\", opened_at as \"openedAt\",
                    resolved_at as \"resolvedAt\"
             from ops.alerts where source = 'monitor' and rule <> 'critical_error'",
        )
        .await;
    array(&rows).iter().map(line).collect()
}

fn line(firing: &Value) -> String {
    [
        "openedAt",
        "rule",
        "subject",
        "severity",
        "firstBadAt",
        "resolvedAt",
    ]
    .map(|key| firing[key].to_string())
    .join(" ")
}
