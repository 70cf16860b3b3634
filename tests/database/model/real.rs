//! The same schedule done to the database, by the calls that the functions make,
//! with a provider that remembers what it was given.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio_postgres::{Client, Statement};
use uuid::Uuid;

use super::{
    reference::{SILENCED, SNOOZED},
    schedule::{Action, Answer, SUBJECTS, Seen, Verdict},
};
use crate::support::{World, array, dependency, page};

pub(super) const CHANNELS: [&str; 2] = ["slack", "email"];

/// Seconds by which the others of a bundle can be due later: pauses between
/// attempts are up to an hour, 20 % shorter or longer by chance.
const LONGEST_WAIT: i64 = 1440;

/// A run of the monitor that was claimed.
#[derive(Debug, Clone)]
pub(super) struct Run {
    id: String,
    fence: i64,
}

/// The database under test, in a transaction that is rolled back: every
/// schedule finds it as the one before did.
pub(super) struct Real {
    client: Client,
    claim_run: Statement,
    commit: Statement,
    claim_messages: Statement,
    settle: Statement,
    advance: Statement,
    act: Statement,
    start: Timestamp,
    /// What providers were given, whatever became of our knowing.
    pub(super) received: BTreeSet<String>,
}

impl Real {
    pub(super) async fn new(world: &World) -> Self {
        let client = world.session().await;
        client
            .batch_execute("set session authorization authenticator; set role service_role")
            .await
            .unwrap();
        let prepare = async |call: &str| {
            let sql = format!("select (public.{call})::text");
            client.prepare(&sql).await.unwrap()
        };
        Self {
            claim_run: prepare(
                "ops_claim_run($1::text::uuid, 'monitor', 60, 55, false, $2::text::timestamptz)",
            )
            .await,
            commit: prepare(
                "ops_commit_tick($1::text::uuid, $2::text::bigint, $3::text::jsonb, $4::text::timestamptz)",
            )
            .await,
            claim_messages: prepare(
                "ops_claim_messages($1::text::uuid, array[$2::text], 20, 60, $3::text::timestamptz)",
            )
            .await,
            settle: prepare(
                "ops_settle_messages($1::text::uuid, $2::text::jsonb, $3::text::timestamptz)",
            )
            .await,
            advance: prepare("ops_advance_ladder('{slack,email}', $1::text::timestamptz)").await,
            act: prepare(
                "ops_act_on_alert($1::text::uuid, (
                     select id from ops.alerts where subject = $2::text and status <> 'resolved'
                 ), $3::text, $4::text::timestamptz, 'a note', 'Anna', null, $5::text::timestamptz)",
            )
            .await,
            start: "2026-12-01T00:00:00Z".parse().unwrap(),
            received: BTreeSet::new(),
            client,
        }
    }

    /// Begins a schedule: pauses between attempts differ by chance, and the same
    /// seed brings the same ones.
    pub(super) async fn begin(&mut self, seed: u64) {
        self.received.clear();
        let sql = format!("begin; select setseed({} / 1e6)", seed % 1_000_000);
        self.client.batch_execute(&sql).await.unwrap();
    }

    pub(super) async fn end(&self) {
        self.client.batch_execute("rollback").await.unwrap();
    }

    fn at(&self, now: i64) -> String {
        (self.start + SignedDuration::from_secs(now)).to_string()
    }

    async fn call(&self, statement: &Statement, arguments: &[&str]) -> Value {
        let arguments: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = arguments
            .iter()
            .map(|argument| argument as &(dyn tokio_postgres::types::ToSql + Sync))
            .collect();
        let row = self.client.query_one(statement, &arguments).await.unwrap();
        serde_json::from_str(row.get(0)).unwrap()
    }

    /// Claims the slot of that time, unless somebody has it or did it.
    pub(super) async fn claim(&self, now: i64) -> Option<Run> {
        let id = Uuid::new_v4().to_string();
        let claimed = self.call(&self.claim_run, &[&id, &self.at(now)]).await;
        (claimed["outcome"] == "claimed").then(|| Run {
            id,
            fence: claimed["fence"].as_i64().unwrap(),
        })
    }

    /// Commits what a run saw; the whole answer.
    pub(super) async fn commit(&self, run: &Run, seen: Seen, now: i64) -> Value {
        let tick = json!({
            "environment": "production", "deployment": null, "everySeconds": 60,
            "checks": checks(seen), "channels": CHANNELS, "emergency": null,
        });
        let (fence, tick, now) = (run.fence.to_string(), tick.to_string(), self.at(now));
        self.call(&self.commit, &[&run.id, &fence, &tick, &now])
            .await
    }

    pub(super) async fn advance(&self, now: i64) {
        self.call(&self.advance, &[&self.at(now)]).await;
    }

    pub(super) async fn act(&self, action: Action, subject: usize, now: i64) {
        let (word, until) = match action {
            Action::Acknowledge => ("acknowledge", None),
            Action::Snooze => ("snooze", Some(now + SNOOZED)),
            Action::Unacknowledge => ("unacknowledge", None),
            Action::Silence => ("silence", Some(now + SILENCED)),
            Action::Resolve => ("resolve", None),
        };
        let until = until.map(|until| self.at(until));
        let (request, now) = (Uuid::new_v4().to_string(), self.at(now));
        self.client
            .query_one(
                &self.act,
                &[&request, &SUBJECTS[subject], &word, &until, &now],
            )
            .await
            .unwrap();
    }

    /// The times at which the open alert about a subject asked people by messages that
    /// nobody has tried to send, and that call for no other alert.
    pub(super) async fn unheard(&self, subject: usize) -> Vec<i64> {
        let asked = format!(
            "select message.created_at
             from ops.outbox as message
             join ops.alerts as alert on alert.id = message.alert and alert.status <> 'resolved'
             where alert.subject = '{}' and message.kind = 'escalation'
             group by message.created_at
             having bool_and(
                 message.status in ('pending', 'superseded') and message.attempts = 0
                 and not message.facts -> 'escalation' ? 'others'
             )",
            SUBJECTS[subject]
        );
        let asked = self.rows(&asked).await;
        let times = asked.iter().map(|row| self.second(&row["created_at"]));
        times.map(Option::unwrap).collect()
    }

    /// Nothing that is handed out says that something goes on which is over,
    /// and no end before its beginning.
    async fn is_true(&self, claim: &str, now: i64) {
        let untrue = format!(
            "select message.kind, message.channel, alert.subject
             from ops.outbox as message
             join ops.alerts as alert on alert.id = message.alert and alert.status = 'resolved'
             where message.lease = '{claim}' and message.kind not in ('resolved', 'change')
                 and message.bundle is null and not coalesce(message.facts -> 'escalation' ? 'others', false)"
        );
        let untrue = self.rows(&untrue).await;
        assert_eq!(untrue, [] as [Value; 0], "not true any more");
        let early = format!(
            "select ending.channel, ending.facts ->> 'subject' as subject
             from ops.outbox as ending
             join ops.outbox as beginning
                 on beginning.alert = ending.alert
                 and beginning.channel = ending.channel
                 and beginning.digest = ending.digest
                 and beginning.kind in ('firing', 'escalation', 'reminder')
                 and beginning.status = 'pending'
                 and beginning.leased_until > '{}'
                 -- A worker sends what it holds in the order in which it was queued.
                 and beginning.lease <> ending.lease
                 and (beginning.facts #> '{{recipients,usual}}' is distinct from 'false'
                     or beginning.facts #> '{{recipients,people}}' = ending.facts #> '{{recipients,people}}')
                 and (ending.facts #> '{{recipients,usual}}' is distinct from 'false'
                     or beginning.facts #> '{{recipients,usual}}' = 'false')
             where ending.lease = '{claim}' and ending.kind = 'resolved'",
            self.at(now)
        );
        let early = self.rows(&early).await;
        assert_eq!(early, [] as [Value; 0], "a beginning is being sent");
    }

    /// One round of delivery on a channel; whether anything was due.
    pub(super) async fn deliver(&mut self, channel: &str, answer: Answer, now: i64) -> bool {
        let claim = Uuid::new_v4().to_string();
        let claimed = self
            .call(&self.claim_messages, &[&claim, channel, &self.at(now)])
            .await;
        let ids = claimed_ids(&claimed);
        self.is_true(&claim, now).await;
        if matches!(answer, Answer::Takes | Answer::DiesAfter) {
            self.received.extend(ids.iter().cloned());
        }
        let outcome = match answer {
            Answer::Takes => "sent",
            Answer::Jams => "retry",
            Answer::Bounces => "refused",
            Answer::Refuses => "dead",
            Answer::DiesBefore | Answer::DiesAfter => return !ids.is_empty(),
        };
        let results: Vec<Value> = ids
            .iter()
            .map(|id| json!({"id": id, "outcome": outcome, "error": "as the schedule says"}))
            .collect();
        let results = Value::from(results).to_string();
        self.call(&self.settle, &[&claim, &results, &self.at(now)])
            .await;
        !ids.is_empty()
    }

    /// Delivers by channels that take everything until nothing waits any more;
    /// returns when that was.
    ///
    /// A message may be due before the others of its bundle are: it waits for
    /// them, but not for ever.
    pub(super) async fn drain(&mut self, mut now: i64) -> i64 {
        let mut waited = 0;
        while let Some(due) = self.next_due(now).await {
            now = now.max(due);
            if self.deliver_all(now).await {
                waited = 0;
            } else {
                now += 1;
                waited += 1;
            }
            assert!(waited < LONGEST_WAIT, "due and claimed by nobody");
        }
        now
    }

    /// Delivers by each channel until it has nothing more; whether any had.
    async fn deliver_all(&mut self, now: i64) -> bool {
        let mut delivered = false;
        for channel in CHANNELS {
            while self.deliver(channel, Answer::Takes, now).await {
                delivered = true;
            }
        }
        delivered
    }

    /// When the next message can be sent; none if none waits.
    async fn next_due(&self, now: i64) -> Option<i64> {
        let next = "select ceil(extract(epoch from
                        min(greatest(next_attempt_at, leased_until)) - $1::text::timestamptz
                    ))::bigint
                    from ops.outbox
                    where status = 'pending' and (
                        after is null or after in (select id from ops.outbox where status in ('sent', 'superseded'))
                    )";
        let row = self.client.query_one(next, &[&self.at(now)]).await.unwrap();
        row.get::<_, Option<i64>>(0).map(|seconds| now + seconds)
    }

    /// Reads rows as an array of objects.
    pub(super) async fn rows(&self, query: &str) -> Vec<Value> {
        let sql = format!("select coalesce(jsonb_agg(r), '[]')::text from ({query}) as r");
        let row = self.client.query_one(&sql, &[]).await.expect(query);
        serde_json::from_str(row.get(0)).unwrap()
    }

    /// The second of the schedule at which a time of the database was.
    pub(super) fn second(&self, time: &Value) -> Option<i64> {
        let time: Timestamp = time.as_str()?.parse().unwrap();
        Some(time.duration_since(self.start).as_secs())
    }
}

fn checks(seen: Seen) -> Vec<Value> {
    let subjects = SUBJECTS.into_iter().zip(seen);
    let checks = subjects.map(|(subject, verdict)| {
        let status = match verdict {
            Verdict::Good => "up",
            Verdict::Bad => "down",
            Verdict::Insufficient => "unknown",
        };
        if subject.starts_with("https") {
            page(subject, status, Some(120))
        } else {
            dependency(subject, status)
        }
    });
    checks.collect()
}

fn claimed_ids(claimed: &Value) -> Vec<String> {
    let single = array(&claimed["messages"])
        .iter()
        .map(|message| &message["id"]);
    let bundled = array(&claimed["digests"])
        .iter()
        .flat_map(|digest| array(&digest["ids"]));
    let ids = single.chain(bundled);
    ids.map(|id| id.as_str().unwrap().to_owned()).collect()
}
