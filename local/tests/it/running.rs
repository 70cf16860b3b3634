//! A running stack, and one request to each of its services.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{Method, Request};
use local_supabase::{
    capture::KeyKind,
    fault::Service,
    postgres::{Cluster, TestDatabase},
    stack::{Channels, Stack, StackOptions},
};
use ring::hmac;
use serde_json::{Value, json};

use crate::client::{Outcome, send_within};

/// Too short for an answer that is late.
pub(crate) const SOON: Duration = Duration::from_millis(300);
/// Long enough for any answer.
pub(crate) const LONG: Duration = Duration::from_secs(10);

const PING: &str = "create function ping() returns text language sql stable as 'select version()'";

async fn with_ping(cluster: &Cluster, database: &str) -> anyhow::Result<()> {
    let client = cluster.connect_postgres(database).await?;
    Ok(client.batch_execute(PING).await?)
}

/// A stack on a database of its own.
pub(crate) struct Running {
    pub(crate) stack: Stack,
    env: BTreeMap<String, String>,
    _database: TestDatabase,
}

impl Running {
    pub(crate) async fn start(resend_key: KeyKind) -> Self {
        let database = TestDatabase::create("ping", PING, with_ping).await.unwrap();
        let options = StackOptions {
            database: database.name().to_owned(),
            resend_key,
            channels: Channels::All,
            ..StackOptions::default()
        };
        let cluster = Cluster::shared().await.unwrap();
        let stack = Stack::start(cluster, options).await.unwrap();
        Self {
            env: stack.env(),
            stack,
            _database: database,
        }
    }

    pub(crate) fn var(&self, name: &str) -> &str {
        &self.env[name]
    }

    /// A request that the service answers with success while it is healthy.
    pub(crate) async fn ask(&self, service: Service, limit: Duration) -> Outcome {
        let supabase = self.var("SUPABASE_URL");
        let secret = self.var("SUPABASE_SECRET_KEY");
        let bearer = |name| format!("Bearer {}", self.var(name));
        let get = |url: String, header: (&'static str, String)| async move {
            send_within(limit, Method::GET, &url, &[(header.0, &header.1)], "").await
        };
        match service {
            Service::Database => {
                get(
                    format!("{supabase}/rest/v1/rpc/ping"),
                    ("apikey", secret.to_owned()),
                )
                .await
            }
            Service::Storage => {
                let url = format!("{supabase}/storage/v1/bucket?limit=1");
                get(url, ("apikey", secret.to_owned())).await
            }
            Service::Openai => {
                let url = format!("{}/v1/models", self.var("OPENAI_BASE_URL"));
                get(url, ("authorization", bearer("OPENAI_API_KEY"))).await
            }
            Service::Vision => {
                let url = format!("{}/v1/images:annotate", self.var("GOOGLE_VISION_BASE_URL"));
                let key = ("x-goog-api-key", self.var("GOOGLE_VISION_API_KEY"));
                send_within(limit, Method::POST, &url, &[key], r#"{"requests":[]}"#).await
            }
            Service::Resend => {
                let url = format!("{}/domains", self.var("RESEND_BASE_URL"));
                get(url, ("authorization", bearer("RESEND_API_KEY"))).await
            }
            Service::Slack => {
                let url = self.var("SLACK_WEBHOOK_URL");
                send_within(limit, Method::POST, url, &[], r#"{"text":"hello"}"#).await
            }
            Service::Discord => {
                let url = format!("{}?wait=true", self.var("DISCORD_WEBHOOK_URL"));
                send_within(limit, Method::POST, &url, &[], r#"{"content":"hello"}"#).await
            }
            Service::Webhook => {
                let headers = self.signed("{}");
                let headers = headers
                    .each_ref()
                    .map(|(name, value)| (*name, value.as_str()));
                let url = self.var("ALERT_WEBHOOK_URL");
                send_within(limit, Method::POST, url, &headers, "{}").await
            }
            Service::Pagerduty => {
                let url = format!("{}/v2/enqueue", self.var("PAGERDUTY_EVENTS_URL"));
                let key = self.var("PAGERDUTY_ROUTING_KEY");
                let event = json!({
                    "routing_key": key, "event_action": "resolve", "dedup_key": "d",
                });
                send_within(limit, Method::POST, &url, &[], event.to_string()).await
            }
            Service::Twilio => {
                let account = self.var("TWILIO_ACCOUNT_SID");
                let credentials = format!("{account}:{}", self.var("TWILIO_AUTH_TOKEN"));
                let basic = format!("Basic {}", BASE64_STANDARD.encode(credentials));
                let api = self.var("TWILIO_API_URL");
                let url = format!("{api}/2010-04-01/Accounts/{account}.json");
                get(url, ("authorization", basic)).await
            }
            Service::Ntfy => {
                let (server, topic) = self.var("NTFY_URL").rsplit_once('/').expect("a topic");
                let token = bearer("NTFY_TOKEN");
                let message = json!({ "topic": topic, "message": "hello" }).to_string();
                let headers = [("authorization", token.as_str())];
                send_within(limit, Method::POST, server, &headers, message).await
            }
            Service::Telegram => {
                let api = self.var("TELEGRAM_API_URL");
                let url = format!("{api}/bot{}/getMe", self.var("TELEGRAM_BOT_TOKEN"));
                send_within(limit, Method::POST, &url, &[], "{}").await
            }
            Service::Teams => {
                let block = json!({ "type": "TextBlock", "text": "hello" });
                let card = json!({ "type": "AdaptiveCard", "body": [block] });
                let attachment = json!({
                    "contentType": "application/vnd.microsoft.card.adaptive", "content": card,
                });
                let message = json!({ "type": "message", "attachments": [attachment] });
                let url = self.var("TEAMS_WORKFLOW_URL");
                send_within(limit, Method::POST, url, &[], message.to_string()).await
            }
            Service::Push => {
                let url = format!("{}/subscriptions", self.var("PUSH_SERVICE_URL"));
                send_within(limit, Method::POST, &url, &[], "").await
            }
            Service::App => {
                get(
                    self.var("NEXT_PUBLIC_APP_URL").to_owned(),
                    ("accept", "*/*".to_owned()),
                )
                .await
            }
        }
    }

    /// What proves that body to the machine.
    #[expect(clippy::disallowed_methods, reason = "the machine looks at its clock")]
    fn signed(&self, body: &str) -> [(&'static str, String); 3] {
        let secret = self
            .var("ALERT_WEBHOOK_SECRET")
            .trim_start_matches("whsec_");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &BASE64_STANDARD.decode(secret).unwrap());
        let now = jiff::Timestamp::now().as_second();
        let tag = hmac::sign(&key, format!("id.{now}.{body}").as_bytes());
        [
            ("webhook-id", "id".to_owned()),
            ("webhook-timestamp", now.to_string()),
            (
                "webhook-signature",
                format!("v1,{}", BASE64_STANDARD.encode(tag)),
            ),
        ]
    }

    pub(crate) async fn local(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(body.into())
            .unwrap();
        let response = self.stack.local_routes(&request).await.unwrap();
        let body = serde_json::from_slice(response.body()).unwrap_or_default();
        (response.status().as_u16(), body)
    }
}
