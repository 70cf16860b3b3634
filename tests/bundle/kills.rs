//! A function killed at each of its outgoing requests, before it is sent and
//! after it was answered: no alert is lost, none is opened twice, and no message
//! is marked sent that was not.

use std::{
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use local_supabase::{
    capture::Channel,
    fault::{Mode, Service},
    port,
    server::{Answer, Server},
};
use ops::endpoint::Endpoint;
use outside::{clock, outbound::Outbound};

use crate::{
    proxy,
    support::{Bundle, get},
};

/// When the process dies, relative to one of its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    BeforeSending,
    AfterAnswer,
}

/// Counts the function's requests over all proxies, and kills it at one.
#[derive(Default)]
struct Executioner {
    child: Mutex<Option<Child>>,
    requests: AtomicUsize,
}

impl Executioner {
    /// The number of a request of the process; 0 while there is none.
    fn count(&self) -> usize {
        if self.child.lock().unwrap().is_none() {
            return 0;
        }
        self.requests.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

/// Everything that the function reaches, behind proxies.
async fn proxies(
    bundle: &mut Bundle,
    executioner: &Arc<Executioner>,
    moment: Moment,
    at: usize,
) -> Vec<Server> {
    let mut servers = Vec::new();
    for name in [
        "SUPABASE_URL",
        "NEXT_PUBLIC_APP_URL",
        "OPENAI_BASE_URL",
        "GOOGLE_VISION_BASE_URL",
        "RESEND_BASE_URL",
        "SLACK_WEBHOOK_URL",
    ] {
        let url: url::Url = bundle.env[name].parse().unwrap();
        let upstream = url.origin().ascii_serialization();
        let (executioner, outbound) = (Arc::clone(executioner), Arc::new(Outbound::default()));
        let target = upstream.clone();
        let server = Server::bind(None, move |request| {
            let number = executioner.count();
            let (executioner, outbound) = (Arc::clone(&executioner), Arc::clone(&outbound));
            let target = target.clone();
            async move {
                if number == at && moment == Moment::BeforeSending {
                    executioner.kill();
                    return Answer::Drop;
                }
                let answer = proxy::forward(&outbound, &target, request).await;
                if number == at && moment == Moment::AfterAnswer {
                    executioner.kill();
                    return Answer::Drop;
                }
                answer
            }
        })
        .await
        .unwrap();
        let proxied = bundle.env[name].replace(&upstream, &server.url());
        bundle.env.insert(name.to_owned(), proxied);
        servers.push(server);
    }
    servers
}

/// Runs one tick in a process of its own; whether it lived to answer.
async fn tick_in_a_process(bundle: &Bundle, executioner: &Executioner) -> bool {
    let port = port::free();
    let child = Command::new(env!("CARGO_BIN_EXE_cron_monitor"))
        .env_clear()
        .envs(&bundle.env)
        .env("VERCEL_DEV_PORT", port.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    *executioner.child.lock().unwrap() = Some(child);
    let outbound = Outbound::default();
    let client = outbound.client().unwrap();
    let request = || {
        client
            .get(format!("http://127.0.0.1:{port}/api/cron/monitor"))
            .bearer_auth(bundle.secret("MONITORING_API_KEY"))
            .send()
    };
    loop {
        match request().await {
            Ok(response) => return response.status().is_success(),
            // Not listening yet, unless it was killed already.
            Err(error) if error.is_connect() && executioner.child.lock().unwrap().is_some() => {
                clock::wait(Duration::from_millis(5)).await;
            }
            Err(_) => return false,
        }
    }
}

/// Ticks until everything is delivered, as the following minutes would.
async fn recover(bundle: &Bundle) {
    let admin = bundle.admin().await;
    let app = bundle.instance(Endpoint::Monitor);
    for _ in 0..3 {
        // What the killed process held is given up when its lease ends.
        admin
            .batch_execute(
                "update ops.jobs set lease_until = now() - interval '1 second' where lease_until is not null;
                 update ops.runs set lease_until = now() - interval '1 second' where lease_until is not null;
                 update ops.outbox set leased_until = now() - interval '1 second' where leased_until is not null;
                 update ops.outbox set next_attempt_at = now() where status = 'pending'",
            )
            .await
            .unwrap();
        let key = bundle.secret("MONITORING_API_KEY");
        let answer = get(&app, "/api/cron/monitor").bearer(key).send().await;
        assert!(answer.status.is_success(), "{:?}", answer.json());
    }
}

async fn numbers(bundle: &Bundle, sql: &str) -> Vec<i64> {
    let row = bundle.admin().await.query_one(sql, &[]).await.unwrap();
    (0..row.len()).map(|column| row.get(column)).collect()
}

async fn survive(moment: Moment, at: usize) -> usize {
    let mut bundle = Bundle::start().await;
    bundle.fault(Service::App, Mode::Status).await;
    let executioner = Arc::new(Executioner::default());
    let _proxies = proxies(&mut bundle, &executioner, moment, at).await;
    let app = bundle.instance(Endpoint::Monitor);
    for _ in 0..2 {
        let key = bundle.secret("MONITORING_API_KEY");
        get(&app, "/api/cron/monitor").bearer(key).send().await;
    }
    let lived = tick_in_a_process(&bundle, &executioner).await;
    let requests = executioner.requests.load(Ordering::SeqCst);
    executioner.kill();
    if !lived {
        recover(&bundle).await;
    }

    let what = format!("{moment:?} request {at}");
    let alerts = numbers(
        &bundle,
        "select count(*), count(*) filter (where status = 'firing') from ops.alerts",
    )
    .await;
    assert_eq!(alerts, [1, 1], "{what}: opened once");
    let messages = bundle.stack.inbox().messages();
    let on = |channel| {
        messages
            .iter()
            .filter(|message| message.channel == channel)
            .count()
    };
    assert_eq!(
        on(Channel::Email),
        1,
        "{what}: the provider knows a repeated mail by its key"
    );
    assert!(
        (1..=2).contains(&on(Channel::Slack)),
        "{what}: {}",
        on(Channel::Slack)
    );
    let sent = numbers(
        &bundle,
        "select count(*) filter (where status = 'sent'), count(*) from ops.outbox",
    )
    .await;
    assert_eq!(sent, [2, 2], "{what}: everything is delivered");
    requests
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_tick_killed_at_any_request_loses_nothing_and_opens_nothing_twice() {
    let requests = survive(Moment::BeforeSending, usize::MAX).await;
    assert!(
        requests >= 12,
        "a tick that alerts makes at least a dozen requests: {requests}"
    );
    for at in 1..=requests {
        for moment in [Moment::BeforeSending, Moment::AfterAnswer] {
            survive(moment, at).await;
        }
    }
}
