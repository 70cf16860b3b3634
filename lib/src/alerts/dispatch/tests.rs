use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use super::*;
use crate::fake_server::{self, Received, Reply, Server};

const FIRST: &str = "00000000-0000-4000-8000-000000000001";
const SECOND: &str = "00000000-0000-4000-8000-000000000002";
const THIRD: &str = "00000000-0000-4000-8000-000000000003";

/// A database that hands out batches per channel, then nothing, and keeps what
/// it is told of them.
#[derive(Clone, Default)]
struct Outbox {
    batches: HashMap<String, Vec<Value>>,
    claims: Arc<Mutex<Vec<Value>>>,
    settled: Arc<Mutex<Vec<Value>>>,
}

impl Outbox {
    fn with(mut self, channel: &str, batches: impl IntoIterator<Item = Value>) -> Self {
        let mut batches: Vec<Value> = batches.into_iter().collect();
        batches.reverse();
        self.batches.insert(channel.to_owned(), batches);
        self
    }

    async fn serve(&self) -> Server {
        let mut outbox = self.clone();
        Server::answering(move |request| outbox.answer(request)).await
    }

    fn answer(&mut self, request: &Received) -> Reply {
        let body = request.json();
        if request
            .head
            .starts_with("POST /rest/v1/rpc/ops_claim_messages ")
        {
            let channel = body["p_channels"][0].as_str().unwrap().to_owned();
            self.claims.lock().unwrap().push(body);
            let batch = self.batches.get_mut(&channel).and_then(Vec::pop);
            let batch = batch.unwrap_or_else(|| batch_of(&json!([])));
            return Reply::new(200, &batch.to_string());
        }
        assert!(
            request
                .head
                .starts_with("POST /rest/v1/rpc/ops_settle_messages ")
        );
        let results = body["p_results"].as_array().unwrap().clone();
        let count = |outcome: &str| {
            let hits = results.iter().filter(|result| result["outcome"] == outcome);
            hits.count()
        };
        let answer = json!({
            "settled": results.len(), "stale": 0, "sent": count("sent"),
            "retried": count("retry") + count("refused") + count("untried"),
            "dead": count("dead") + count("unread"),
        });
        self.settled.lock().unwrap().extend(results);
        Reply::new(200, &answer.to_string())
    }

    fn settled(&self) -> Vec<Value> {
        self.settled.lock().unwrap().clone()
    }
}

fn message(id: &str, facts: &Value) -> Value {
    json!({
        "id": id, "lease": id, "channel": "slack", "kind": "firing", "severity": "critical",
        "attempt": 1, "digest": false, "facts": facts, "createdAt": "2026-11-24T03:14:08Z",
    })
}

fn down(id: &str) -> Value {
    message(
        id,
        &json!({"rule": "app_down", "subject": "https://wine.example/"}),
    )
}

fn batch_of(messages: &Value) -> Value {
    json!({"now": "2026-11-24T03:14:09Z", "messages": messages, "digests": []})
}

fn app(database: &Server, slack: Option<&Server>, resend: Option<&Server>) -> App {
    let url = |server: Option<&Server>, path: &str| server.map(|server| server.url(path));
    let slack = url(slack, "/hook").unwrap_or_default();
    let from = resend.map_or("", |_| "ops@wine.example");
    let resend = url(resend, "").unwrap_or_default();
    fake_server::app(&[
        ("SUPABASE_URL", &database.url("")),
        ("SUPABASE_SECRET_KEY", "sb_secret_x"),
        ("SLACK_WEBHOOK_URL", &slack),
        ("RESEND_API_KEY", "re_x"),
        ("RESEND_BASE_URL", &resend),
        ("RESEND_FROM_EMAIL", from),
        ("ADMIN_EMAIL", "a@wine.example"),
    ])
}

async fn deliver_now(app: &App) -> Result<DeliveryReport, RpcError> {
    deliver(app, Deadline::after(Duration::from_secs(57))).await
}

fn report(sent: u64, retried: u64, dead: u64, complete: bool) -> DeliveryReport {
    DeliveryReport {
        sent,
        retried,
        dead,
        stale: 0,
        complete,
    }
}

#[tokio::test]
async fn without_a_channel_nothing_is_asked() {
    let database = Outbox::default().serve().await;
    let report = deliver_now(&app(&database, None, None)).await.unwrap();
    assert_eq!(report, DeliveryReport::NOTHING);
    assert!(database.requests().is_empty());
}

#[tokio::test]
async fn what_is_due_is_claimed_sent_and_settled_until_nothing_is() {
    let batches = [
        batch_of(&json!([down(FIRST)])),
        batch_of(&json!([down(SECOND)])),
    ];
    let outbox = Outbox::default().with("email", batches);
    let database = outbox.serve().await;
    let resend = Server::start([
        Reply::new(200, r#"{"id":"e1"}"#),
        Reply::new(200, r#"{"id":"e2"}"#),
    ])
    .await;
    let delivered = deliver_now(&app(&database, None, Some(&resend))).await;
    assert_eq!(delivered.unwrap(), report(2, 0, 0, true));

    let sent = |id: &str, provider: &str| {
        json!({
            "id": id, "outcome": "sent", "retryAfterSeconds": null, "statusCode": null,
            "providerId": provider, "error": null,
        })
    };
    assert_eq!(outbox.settled(), [sent(FIRST, "e1"), sent(SECOND, "e2")]);
    let claims = outbox.claims.lock().unwrap().clone();
    assert_eq!(claims.len(), 3);
    assert_eq!(claims[0]["p_channels"], json!(["email"]));
    assert_eq!(claims[0]["p_limit"], 5);
    assert_eq!(claims[0]["p_lease_seconds"], 60);
    assert_ne!(claims[0]["p_claim"], claims[1]["p_claim"]);
    let keys: Vec<_> = resend
        .requests()
        .iter()
        .map(|request| request.header("idempotency-key").unwrap().to_owned())
        .collect();
    assert_eq!(keys, [FIRST, SECOND]);
}

#[tokio::test]
async fn a_channel_that_fails_does_not_hold_up_the_other() {
    let outbox = Outbox::default()
        .with(
            "slack",
            [
                batch_of(&json!([down(FIRST)])),
                batch_of(&json!([down(SECOND)])),
            ],
        )
        .with("email", [batch_of(&json!([down(THIRD)]))]);
    let database = outbox.serve().await;
    let slack = Server::start([Reply::Reset]).await;
    let resend = Server::start([Reply::new(200, r#"{"id":"e"}"#)]).await;
    let delivered = deliver_now(&app(&database, Some(&slack), Some(&resend))).await;
    assert_eq!(delivered.unwrap(), report(1, 1, 0, false));
    let settled = outbox.settled();
    let first = settled.iter().find(|result| result["id"] == FIRST).unwrap();
    assert_eq!(first["outcome"], "retry");
    assert_eq!(first["error"], "reset");
    // The second batch of a channel that takes nothing stays where it is.
    assert_eq!(slack.requests().len(), 1);
}

#[tokio::test]
async fn a_channel_that_asks_to_wait_is_left_alone() {
    let outbox = Outbox::default().with("slack", [batch_of(&json!([down(FIRST), down(SECOND)]))]);
    let database = outbox.serve().await;
    let slack = Server::start([Reply::new(429, "").header("retry-after: 30")]).await;
    let delivered = deliver_now(&app(&database, Some(&slack), None)).await;
    assert_eq!(delivered.unwrap(), report(0, 2, 0, false));
    let settled = |id: &str, outcome: &str, status: Option<u16>, error: &str| {
        json!({
            "id": id, "outcome": outcome, "retryAfterSeconds": 30, "statusCode": status,
            "providerId": null, "error": error,
        })
    };
    assert_eq!(
        outbox.settled(),
        [
            settled(FIRST, "refused", Some(429), "rate limited"),
            // It loses no attempt for its neighbour.
            settled(SECOND, "untried", None, "the channel asked to wait"),
        ]
    );
    assert_eq!(slack.requests().len(), 1);
}

#[tokio::test]
async fn a_channel_that_takes_anything_goes_on_with_its_next_batch() {
    for (first, second) in [(200, 500), (500, 200)] {
        let batches = [
            batch_of(&json!([down(FIRST), down(SECOND)])),
            batch_of(&json!([down(THIRD)])),
        ];
        let outbox = Outbox::default().with("email", batches);
        let database = outbox.serve().await;
        let resend = Server::start([
            Reply::new(first, r#"{"id":"e1"}"#),
            Reply::new(second, r#"{"id":"e2"}"#),
            Reply::new(200, r#"{"id":"e3"}"#),
        ])
        .await;
        let delivered = deliver_now(&app(&database, None, Some(&resend))).await;
        assert_eq!(
            delivered.unwrap(),
            report(2, 1, 0, true),
            "{first} {second}"
        );
        assert_eq!(resend.requests().len(), 3);
    }
}

#[tokio::test]
async fn a_message_that_is_refused_or_unreadable_holds_up_no_other() {
    let odd = message(SECOND, &json!(["not", {"facts": 1}]));
    let outbox = Outbox::default().with("slack", [batch_of(&json!([down(FIRST), odd]))]);
    let database = outbox.serve().await;
    let slack = Server::start([Reply::new(404, "no_service"), Reply::new(200, "ok")]).await;
    let delivered = deliver_now(&app(&database, Some(&slack), None)).await;
    assert_eq!(delivered.unwrap(), report(1, 0, 1, true));
    assert_eq!(outbox.settled()[0]["outcome"], "dead");
    assert_eq!(outbox.settled()[1]["id"], SECOND);
    let text = &slack.requests()[1].json()["text"];
    assert_eq!(text, "High: Alert about an unnamed subject");
}

#[tokio::test]
async fn what_cannot_be_read_is_settled_as_that_with_its_reason() {
    let mut odd = down(FIRST);
    odd["kind"] = json!("a kind of tomorrow");
    let outbox = Outbox::default().with("slack", [batch_of(&json!([odd, down(SECOND)]))]);
    let database = outbox.serve().await;
    let slack = Server::start([Reply::new(200, "ok")]).await;
    let delivered = deliver_now(&app(&database, Some(&slack), None)).await;
    assert_eq!(delivered.unwrap(), report(1, 0, 1, true));
    let settled = outbox.settled();
    let [odd, sent] = settled.as_slice() else {
        panic!("{settled:?}")
    };
    assert_eq!(
        (&odd["id"], &odd["outcome"]),
        (&json!(FIRST), &json!("unread"))
    );
    let reason = odd["error"].as_str().unwrap();
    let expected = "it cannot be read: unknown variant `a kind of tomorrow`";
    assert!(reason.starts_with(expected), "{reason}");
    assert_eq!(
        (&sent["id"], &sent["outcome"]),
        (&json!(SECOND), &json!("sent"))
    );
}

#[tokio::test]
async fn facts_that_nest_deeper_than_any_parser_reads_hold_up_no_other() {
    let odd = message(
        SECOND,
        &json!({"rule": "external", "title": "Deep", "severity": "critical", "detail": "HERE"}),
    );
    let deep = "[".repeat(5_000) + &"]".repeat(5_000);
    let batch = batch_of(&json!([down(FIRST), odd, down(THIRD)])).to_string();
    let batch = batch.replace("\"HERE\"", &format!("{{\"data\":{deep},\"more\":1e999}}"));
    let claimed = Arc::new(Mutex::new(Some(batch)));
    let settled = Outbox::default();
    let mut answering = settled.clone();
    let database = Server::answering(move |request| {
        if !request.head.contains("ops_claim_messages") {
            return answering.answer(request);
        }
        let batch = claimed.lock().unwrap().take();
        Reply::new(
            200,
            &batch.unwrap_or_else(|| batch_of(&json!([])).to_string()),
        )
    })
    .await;
    let slack = Server::start([1, 2, 3].map(|_| Reply::new(200, "ok"))).await;
    let delivered = deliver_now(&app(&database, Some(&slack), None)).await;
    assert_eq!(delivered.unwrap(), report(3, 0, 0, true));
    let text = &slack.requests()[1].json()["text"];
    assert_eq!(text, "Critical: Deep");
    assert_eq!(settled.settled().len(), 3);
}

#[tokio::test]
async fn a_digest_is_sent_once_and_settles_all_its_rows() {
    let digest = json!({
        "now": "2026-11-24T09:00:00Z", "messages": [],
        "digests": [{
            "channel": "slack", "lease": FIRST, "attempt": 1, "ids": [FIRST, SECOND],
            "items": [{"rule": "endpoint_slow", "kind": "firing"}, {"rule": "endpoint_slow", "kind": "resolved"}],
        }],
    });
    let outbox = Outbox::default().with("slack", [digest]);
    let database = outbox.serve().await;
    let slack = Server::start([Reply::new(200, "ok")]).await;
    let delivered = deliver_now(&app(&database, Some(&slack), None)).await;
    assert_eq!(delivered.unwrap(), report(2, 0, 0, true));
    let text = &slack.requests()[0].json()["text"];
    assert_eq!(text, "Daily digest: 1 alert, 1 resolved");
}

#[tokio::test]
async fn a_group_is_sent_once_under_one_name_and_settles_all_its_rows() {
    let facts = json!({"rule": "check_failing", "kind": "firing", "subject": "search"});
    let group = json!({
        "now": "2026-11-24T09:00:00Z", "messages": [],
        "digests": [{
            "channel": "email", "lease": FIRST, "attempt": 1, "occasion": "group",
            "ids": [FIRST, SECOND], "items": [facts],
        }],
    });
    let outbox = Outbox::default().with("email", [group.clone(), group]);
    let database = outbox.serve().await;
    let sent = || Reply::new(200, r#"{"id": "r-1"}"#);
    let resend = Server::start([sent(), sent()]).await;
    let delivered = deliver_now(&app(&database, None, Some(&resend))).await;
    assert_eq!(delivered.unwrap(), report(4, 0, 0, true));
    let requests = resend.requests();
    assert_eq!(requests[0].json()["subject"], "[HIGH] 2 more alerts");
    let key = |n: usize| requests[n].header("idempotency-key").map(str::to_owned);
    assert!(key(0).is_some());
    assert_eq!(key(0), key(1));
    assert_eq!(outbox.settled()[1]["providerId"], "r-1");
}

#[tokio::test]
async fn nothing_is_sent_that_could_not_be_claimed() {
    let database = Server::answering(|_| Reply::new(500, r#"{"code":"XX000"}"#)).await;
    let slack = Server::start([]).await;
    let refused = deliver_now(&app(&database, Some(&slack), None)).await;
    assert!(
        matches!(refused, Err(RpcError::Refused { .. })),
        "{refused:?}"
    );
    assert!(slack.requests().is_empty());
}

#[tokio::test]
async fn what_was_sent_and_cannot_be_settled_is_an_error() {
    let database = Server::answering(|request| {
        if request.head.contains("ops_claim_messages") {
            Reply::new(200, &batch_of(&json!([down(FIRST)])).to_string())
        } else {
            Reply::new(400, r#"{"code":"22023"}"#)
        }
    })
    .await;
    let slack = Server::start([Reply::new(200, "ok")]).await;
    let delivered = deliver_now(&app(&database, Some(&slack), None)).await;
    assert!(delivered.is_err(), "{delivered:?}");
    assert_eq!(slack.requests().len(), 1);
}

#[tokio::test]
async fn nothing_is_claimed_that_could_not_be_sent_in_time() {
    let outbox = Outbox::default().with("slack", [batch_of(&json!([down(FIRST)]))]);
    let database = outbox.serve().await;
    let slack = Server::start([]).await;
    let app = app(&database, Some(&slack), None);
    let delivered = deliver(&app, Deadline::after(Duration::from_secs(14))).await;
    assert_eq!(delivered.unwrap(), report(0, 0, 0, false));
    assert!(database.requests().is_empty());
}

#[tokio::test]
async fn nothing_is_sent_whose_lease_could_end_before() {
    let outbox = Outbox::default().with("slack", [batch_of(&json!([down(FIRST), down(SECOND)]))]);
    let database = outbox.serve().await;
    let slack = Server::start([Reply::new(200, "ok"), Reply::new(200, "ok")]).await;
    let app = app(&database, Some(&slack), None);
    // Time for one, and two were handed out; the second waits for the channel's pace.
    let time = SEND_TIMEOUT + SETTLING + Duration::from_millis(900);
    let delivered = deliver(&app, Deadline::after(time)).await;
    assert_eq!(delivered.unwrap(), report(1, 1, 0, false));
    assert_eq!(slack.requests().len(), 1);
    let second = &outbox.settled()[1];
    assert_eq!(second["outcome"], "untried");
    assert_eq!(second["error"], "no time left to send it");
}

#[test]
fn a_batch_fits_into_its_time_even_if_every_send_hangs() {
    for (seconds, messages) in [(0, 0), (14, 0), (15, 1), (57, 5), (60, 5), (3_600, BATCH)] {
        let time = Duration::from_secs(seconds);
        assert_eq!(capacity(time), messages, "{seconds} s");
        let slowest = SEND_TIMEOUT * u32::try_from(messages).unwrap();
        assert!(messages == 0 || slowest + SETTLING <= time);
    }
}

#[test]
fn nothing_is_begun_that_could_outlast_its_lease() {
    let slowest = SEND_TIMEOUT + SETTLING;
    for (left, fit) in [
        (Duration::ZERO, false),
        (SEND_TIMEOUT, false),
        (Duration::from_millis(14_999), false),
        (slowest, true),
        (LEASE, true),
    ] {
        assert_eq!(fits(left), fit, "{left:?}");
    }
    for deadline in [30, 60, 3_600] {
        let left = time_of_lease(Deadline::after(Duration::from_secs(deadline))).remaining();
        let most = Duration::from_secs(deadline).min(LEASE);
        assert!(
            left <= most && left + Duration::from_secs(5) > most,
            "{deadline} s: {left:?}"
        );
    }
}

#[test]
fn what_was_sent_is_settled_past_the_deadline() {
    for deadline in [Duration::ZERO, Duration::from_secs(1)] {
        let left = time_to_settle(Deadline::after(deadline)).remaining();
        assert!(
            left + Duration::from_secs(2) > SETTLING,
            "{deadline:?}: {left:?}"
        );
    }
}
