//! The night of docs/alerting.md, "Try a night": an outage at two on a Saturday, told, asked
//! about, taken by a digit, and over. The time is given.

use std::collections::BTreeMap;

use dev::{DevOptions, Running};
use http::Method;
use local_supabase::stack::Channels;
use outside::outbound::Outbound;
use serde_json::{Value, json};

use crate::support::{Called, bundle, call_with};

struct Night {
    running: Running,
    env: BTreeMap<String, String>,
}

impl Night {
    async fn pourtrait(&self, line: &str) -> Called {
        let arguments: Vec<_> = line.split(' ').collect();
        let called = call_with(&self.env, &arguments).await;
        assert_eq!(called.status, 0, "{line}: {called:?}");
        called
    }

    async fn local(&self, route: &str, body: &Value) -> Value {
        let url = format!("{}/_local/{route}", self.running.base_url);
        let client = Outbound::default();
        let request = client.client().unwrap().request(Method::POST, url);
        let response = request.body(body.to_string()).send().await.unwrap();
        let bytes = response.bytes().await.unwrap();
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    }

    /// Makes it that time in Berlin and runs the tick of its minute.
    async fn tick(&self, time: &str) {
        let now = format!("2026-12-05T{time}:00+01:00");
        self.local("clock", &json!({ "now": now })).await;
        let url = format!("{}/api/cron/monitor", self.running.base_url);
        let client = Outbound::default();
        let response = client
            .client()
            .unwrap()
            .get(url)
            .bearer_auth(&self.env["CRON_SECRET"])
            .send()
            .await
            .unwrap();
        let tick: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        assert_eq!(tick["outcome"], "done", "{time}: {tick}");
    }

    /// The channels on which something of that alert was said since the last look.
    fn heard(&self, seen: &mut usize) -> Vec<String> {
        let messages = self.running.stack().inbox().messages();
        let new = messages.iter().skip(*seen);
        // Between ticks that are minutes apart nobody watches, which is told as well.
        let about = new.filter(|message| {
            let whole = format!("{} {}", message.text, message.raw);
            !whole.contains("Monitoring was") && !whole.contains("Monitoring sees")
        });
        let mut channels: Vec<_> = about
            .map(|message| json!(message.channel).as_str().unwrap().to_owned())
            .collect();
        *seen = messages.len();
        channels.sort();
        channels.dedup();
        channels
    }
}

const PEOPLE: [&str; 3] = [
    "contacts add Anna --role on_call_primary --email anna@wine.example --address sms=+4915112345678 --address voice=+4915112345678 --way critical=sms,voice+5 --quiet daily\u{a0}22:00-07:00 --zone Europe/Berlin",
    "contacts add Max --role engineering_manager --email max@wine.example",
    "oncall rotate Primary --members Anna --weekly --on monday --at 09:00 --zone Europe/Berlin",
];

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_on_a_saturday_at_two_is_told_asked_about_taken_by_a_digit_and_over() {
    let (running, _database) = bundle(DevOptions {
        channels: Channels::All,
        ..DevOptions::default()
    })
    .await;
    let env = running.env.clone();
    let night = Night { running, env };
    let mut seen = 0;

    night
        .local("clock", &json!({"now": "2026-12-05T01:59:00+01:00"}))
        .await;
    for line in PEOPLE {
        let arguments: Vec<_> = line
            .split(' ')
            .map(|word| word.replace('\u{a0}', " "))
            .collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let called = call_with(&night.env, &arguments).await;
        assert_eq!(called.status, 0, "{line}: {called:?}");
    }
    night.tick("01:59").await;
    night
        .local("faults", &json!({"service": "app", "mode": "refuse"}))
        .await;
    for time in ["02:00", "02:01", "02:02"] {
        night.tick(time).await;
    }
    let told = night.heard(&mut seen);
    assert_eq!(
        told,
        [
            "discord",
            "email",
            "ntfy",
            "pagerduty",
            "slack",
            "sms",
            "teams",
            "telegram",
            "webhook"
        ]
    );
    let open = night.pourtrait("alerts list").await.stdout;
    assert!(open.contains("Max at 2026-12-05 01:32 UTC"), "{open}");

    night.tick("02:07").await;
    assert_eq!(night.heard(&mut seen), ["voice"], "nobody has answered");
    let digit = json!({"channel": "voice", "says": "1"});
    night.local("answers", &digit).await;
    let open = night.pourtrait("alerts list").await.stdout;
    assert!(
        open.contains("acknowledged by Anna (by phone call)"),
        "{open}"
    );

    night
        .local("faults", &json!({"service": "app", "mode": "ok"}))
        .await;
    night.tick("02:08").await;
    night.heard(&mut seen);
    night.tick("02:09").await;
    let over = night.heard(&mut seen);
    assert!(over.contains(&"sms".to_owned()), "{over:?}");
    assert!(!over.contains(&"voice".to_owned()), "{over:?}");
    let open = night.pourtrait("alerts list").await.stdout;
    assert!(open.starts_with("nothing is open"), "{open}");
    night.running.stop().await.unwrap();
}
