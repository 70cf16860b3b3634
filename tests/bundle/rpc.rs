//! Calls of the database's functions, over a wire that fails.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Response, StatusCode};
use local_supabase::server::{Answer, Server};
use ops::{
    config::{Supabase, SupabaseKey},
    rpc::{Call, Retry, Rpc, RpcError},
};
use outside::{
    clock::{self, Deadline},
    failure::Failure,
    outbound::Outbound,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::support::Bundle;

#[derive(Debug, Serialize)]
struct Read {}

#[derive(Debug, Serialize)]
struct Write {}

#[derive(Debug, Serialize)]
struct Once {}

impl Call for Read {
    const NAME: &'static str = "ops_ping";
    const RETRY: Retry = Retry::Read;
    type Output = Value;
}

impl Call for Write {
    const NAME: &'static str = "ops_ping";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Value;
}

impl Call for Once {
    const NAME: &'static str = "ops_ping";
    const RETRY: Retry = Retry::Never;
    type Output = Value;
}

/// A service whose first answers are scripted and whose later ones are good.
struct Scripted {
    server: Server,
    calls: Arc<AtomicUsize>,
}

impl Scripted {
    async fn failing(times: usize, status: u16, body: &'static str) -> Self {
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&calls);
        let server = Server::bind(None, move |_| {
            let failing = counter.fetch_add(1, Ordering::SeqCst) < times;
            let mut response = Response::new(Bytes::from(if failing { body } else { "{}" }));
            if failing {
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
            }
            async move { Answer::Response(response) }
        })
        .await
        .unwrap();
        Self { server, calls }
    }

    async fn call<C: Call>(&self, call: C) -> Result<C::Output, RpcError> {
        self.call_within(call, Duration::from_secs(5)).await
    }

    async fn call_within<C: Call>(&self, call: C, limit: Duration) -> Result<C::Output, RpcError> {
        client(&self.server.url())
            .call(&Outbound::default(), &call, Deadline::after(limit))
            .await
    }

    fn count(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

fn client(url: &str) -> Rpc {
    Rpc::new(Supabase {
        url: url.parse().unwrap(),
        key: SupabaseKey::Opaque("sb_secret_x".into()),
    })
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_as_often_as_the_call_allows() {
    let down = Scripted::failing(9, 503, "").await;
    assert!(down.call(Once {}).await.is_err());
    assert_eq!(down.count(), 1);
    assert!(down.call(Write {}).await.is_err());
    assert_eq!(down.count(), 1 + 2);
    assert!(down.call(Read {}).await.is_err());
    assert_eq!(down.count(), 3 + 3);
    let recovering = Scripted::failing(2, 502, "<html>").await;
    assert_eq!(recovering.call(Read {}).await.unwrap(), json!({}));
}

#[tokio::test]
async fn what_was_refused_is_not_asked_for_again() {
    let body = r#"{"code":"23505","message":"duplicate","details":null,"hint":"look"}"#;
    let refusing = Scripted::failing(9, 409, body).await;
    let error = refusing.call(Read {}).await.unwrap_err();
    assert_eq!(refusing.count(), 1);
    assert_eq!(error.code(), Some("23505"));
    assert!(
        matches!(&error, RpcError::Refused { hint: Some(hint), .. } if hint == "look"),
        "{error}"
    );
}

#[tokio::test]
async fn garbage_is_told_apart_from_an_outage() {
    for body in ["", "<html>", "{\"now\":"] {
        let rubbish = Scripted::failing(9, 200, body).await;
        let error = rubbish.call(Read {}).await.unwrap_err();
        assert!(
            matches!(error, RpcError::Garbage { .. }),
            "{body:?}: {error}"
        );
        assert_eq!(rubbish.count(), 1, "{body:?}");
    }
}

#[tokio::test]
async fn a_call_never_outlasts_its_deadline() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let started = clock::instant();
    let limit = Duration::from_millis(300);
    let call = client(&url);
    let error = call
        .call(&Outbound::default(), &Read {}, Deadline::after(limit))
        .await
        .unwrap_err();
    assert!(
        matches!(error, RpcError::Unreachable(Failure::Timeout)),
        "{error}"
    );
    assert!(clock::instant().duration_since(started) < limit * 2);
    let failing = Scripted::failing(9, 503, "").await;
    assert!(
        failing
            .call_within(Read {}, Duration::from_millis(50))
            .await
            .is_err()
    );
    assert_eq!(failing.count(), 1, "no time for another try");
}

#[tokio::test]
async fn an_error_of_a_function_keeps_its_sqlstate() {
    let bundle = Bundle::start().await;
    let raise = "create or replace function public.ops_ping() returns jsonb language plpgsql as
                 $$ begin raise exception 'no such cellar' using errcode = '22023', hint = 'ask the owner'; end $$";
    bundle.admin().await.batch_execute(raise).await.unwrap();
    let key = SupabaseKey::Opaque(bundle.secret("SUPABASE_SECRET_KEY").into());
    let rpc = Rpc::new(Supabase {
        url: bundle.stack.supabase_url().parse().unwrap(),
        key,
    });
    let deadline = Deadline::after(Duration::from_secs(5));
    let error = rpc
        .call(&Outbound::default(), &Read {}, deadline)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("22023"), "{error}");
}

/// The `postgrest` crate's own client rests on an HTTP stack with open
/// advisories. It builds requests here, and only here, and never sends one.
#[test]
fn the_request_builders_own_client_is_never_used() {
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/lib/src");
    let mut folders = vec![std::path::PathBuf::from(sources)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let is_the_client = path.ends_with("src/rpc.rs");
            assert!(
                is_the_client || !text.contains("postgrest::"),
                "{}",
                path.display()
            );
            assert!(
                !(is_the_client && text.contains(".execute(")),
                "{}",
                path.display()
            );
        }
    }
}
