//! What a schedule is played on: a bundle of its own, an app whose pages go away, and the
//! functions as processes.

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Response, StatusCode};
use jiff::Timestamp;
use local_supabase::{port, server::Server};
use outside::{clock, outbound::Outbound};
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::{
    steps::{Fate, Fault, WATCHED},
    wire::{Process, Upstream, Wire},
};
use crate::support::Bundle;

/// A function that is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Monitor,
    Dispatch,
    Acknowledge,
}

impl Function {
    fn binary(self) -> &'static str {
        match self {
            Self::Monitor => env!("CARGO_BIN_EXE_cron_monitor"),
            Self::Dispatch => env!("CARGO_BIN_EXE_alerts_dispatch"),
            Self::Acknowledge => env!("CARGO_BIN_EXE_alerts_acknowledge"),
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Monitor => "/api/cron/monitor",
            Self::Dispatch => "/api/alerts/dispatch",
            Self::Acknowledge => "/api/alerts/acknowledge",
        }
    }
}

/// What a function is asked.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    /// By the scheduler.
    Scheduled,
    /// By somebody who has the key.
    Json(Value),
    /// By a link and its button.
    Form(String),
}

pub(super) struct Stage {
    pub(super) bundle: Bundle,
    pub(super) wire: Arc<Wire>,
    /// Whether each of what is watched is away.
    pub(super) away: Arc<[AtomicBool; 3]>,
    pub(super) database: Client,
    outbound: Outbound,
    app: Server,
}

/// Variables that name what a function reaches.
const REACHED: [(&str, Upstream); 9] = [
    ("SUPABASE_URL", Upstream::Database),
    ("NEXT_PUBLIC_SUPABASE_URL", Upstream::Database),
    ("OPENAI_BASE_URL", Upstream::Other),
    ("GOOGLE_VISION_BASE_URL", Upstream::Other),
    ("RESEND_BASE_URL", Upstream::Channel("email")),
    ("SLACK_API_URL", Upstream::Channel("slack")),
    ("SLACK_WEBHOOK_URL", Upstream::Channel("slack")),
    ("DISCORD_WEBHOOK_URL", Upstream::Channel("discord")),
    ("ALERT_WEBHOOK_URL", Upstream::Channel("webhook")),
];

impl Stage {
    /// One at that time, with every channel or with the plain two.
    pub(super) async fn start(seed: u64, start: Timestamp, all_channels: bool) -> Self {
        let bundle = if all_channels {
            Bundle::with_all_channels().await
        } else {
            Bundle::start().await
        };
        let database = bundle.admin().await;
        let wire = Arc::new(Wire::new(seed, start, timed(&database).await));
        let away = Arc::new([const { AtomicBool::new(false) }; 3]);
        let app = app(Arc::clone(&away)).await;
        let stage = Self {
            bundle,
            wire,
            away,
            database,
            outbound: Outbound::default(),
            app,
        };
        stage.watch().await;
        stage
    }

    async fn watch(&self) {
        let url = self.app.url();
        let page = |name: &str| json!({"url": format!("{url}/{name}"), "name": name});
        let pages = json!([page(WATCHED[0]), page(WATCHED[1])]);
        let check = json!({"kind": "http", "url": format!("{url}/{}", WATCHED[2])});
        self.ask(
            "select public.ops_set_setting('app.urls', $1::text::jsonb, 'test')::text",
            &[&pages.to_string()],
        )
        .await;
        self.ask(
            "select public.ops_add_check($1, $2::text::jsonb, 'test')::text",
            &[WATCHED[2], &check.to_string()],
        )
        .await;
    }

    /// Calls a function of the database that answers a document, as the operator's command
    /// does.
    pub(super) async fn ask(&self, sql: &str, arguments: &[&str]) -> Value {
        let arguments: Vec<_> = arguments
            .iter()
            .map(|argument| argument as &(dyn tokio_postgres::types::ToSql + Sync))
            .collect();
        let row = self.database.query_one(sql, &arguments).await.expect(sql);
        serde_json::from_str(row.get::<_, Option<&str>>(0).unwrap_or("null")).unwrap()
    }

    /// Asks a new process of a function, which may die over it; status and answer, if there
    /// was one.
    pub(super) async fn call(
        &self,
        function: Function,
        asked: &Asked,
        fate: Fate,
    ) -> Option<(StatusCode, Value)> {
        let process = Arc::new(Process::new(None, fate));
        let (env, _proxies) = self.environment(&process).await;
        let port = port::free();
        let child = Command::new(function.binary())
            .env_clear()
            .envs(&env)
            .env("VERCEL_DEV_PORT", port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        *process.child.lock().unwrap() = Some(child);
        let answer = self.exchange(function, asked, port, &process).await;
        process.end();
        self.wire.settle().await;
        answer
    }

    async fn exchange(
        &self,
        function: Function,
        asked: &Asked,
        port: u16,
        process: &Process,
    ) -> Option<(StatusCode, Value)> {
        let client = self.outbound.client().unwrap();
        let url = format!("http://127.0.0.1:{port}{}", function.path());
        let key = self.bundle.secret("MONITORING_API_KEY");
        loop {
            let request = match asked {
                Asked::Scheduled => client
                    .get(&url)
                    .bearer_auth(self.bundle.secret("CRON_SECRET")),
                Asked::Json(body) => client.post(&url).bearer_auth(key).json(body),
                Asked::Form(token) => client
                    .post(&url)
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(format!("token={token}")),
            };
            match request.timeout(Duration::from_secs(90)).send().await {
                Ok(response) => {
                    let status = response.status();
                    let body = response.bytes().await.ok()?;
                    return Some((status, serde_json::from_slice(&body).unwrap_or_default()));
                }
                // It does not listen yet.
                Err(error) if error.is_connect() && process.lives() => {
                    clock::wait(Duration::from_millis(5)).await;
                }
                Err(_) => return None,
            }
        }
    }

    /// The variables of a process, and the proxies that they name.
    async fn environment(
        &self,
        process: &Arc<Process>,
    ) -> (std::collections::BTreeMap<String, String>, Vec<Server>) {
        let mut env = self.bundle.env.clone();
        // What is judged is what the wire sees: these four and no others. Some channels take
        // a message in three seconds, and a schedule sends hundreds.
        env.retain(|name, _| {
            ![
                "PAGERDUTY_",
                "TWILIO_",
                "NTFY_",
                "TELEGRAM_",
                "TEAMS_",
                "VAPID_",
            ]
            .iter()
            .any(|other| name.starts_with(other))
        });
        let mut servers = Vec::new();
        for (name, upstream) in REACHED {
            let Some(value) = self.bundle.env.get(name) else {
                continue;
            };
            let url: url::Url = value.parse().unwrap();
            let origin = url.origin().ascii_serialization();
            let (wire, process) = (Arc::clone(&self.wire), Arc::clone(process));
            let target = origin.clone();
            let server = Server::bind(None, move |request| {
                let (wire, process) = (Arc::clone(&wire), Arc::clone(&process));
                let target = target.clone();
                async move { wire.carry(process, upstream, target, request).await }
            })
            .await
            .unwrap();
            if let Upstream::Channel(channel) = upstream
                && self.wire.fault(channel) == Fault::Refuses
            {
                server.close().await;
            }
            env.insert(name.to_owned(), value.replace(&origin, &server.url()));
            servers.push(server);
        }
        (env, servers)
    }
}

/// The app: three pages, each there or away.
async fn app(away: Arc<[AtomicBool; 3]>) -> Server {
    Server::bind(None, move |request| {
        let path = request.uri().path().trim_start_matches('/').to_owned();
        let place = WATCHED.iter().position(|name| *name == path);
        let there = place.is_some_and(|place| !away[place].load(Ordering::SeqCst));
        async move {
            let mut response = Response::new(Bytes::from_static(b"Pourtrait"));
            if !there {
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            }
            response
        }
    })
    .await
    .unwrap()
}

/// The public functions that take the time as an argument.
async fn timed(database: &Client) -> BTreeSet<String> {
    let timed = "select proname::text from pg_catalog.pg_proc
                 where proname like 'ops\\_%' and 'p_now' = any (proargnames)
                     and pronamespace = 'public'::regnamespace";
    let rows = database.query(timed, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}
