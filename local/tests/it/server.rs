//! The HTTP server under everything local.

use std::{io::ErrorKind, sync::Arc, time::Duration};

use crate::client::{Outcome, send, send_within};
use bytes::Bytes;
use http::{Method, Request, Response};
use local_supabase::server::{Answer, Server};
use tokio::sync::Notify;

const SOON: Duration = Duration::from_millis(300);

async fn echo(request: Request<Bytes>) -> Response<Bytes> {
    Response::new(request.into_body())
}

#[tokio::test]
async fn bodies_of_any_length_go_both_ways() {
    let server = Server::bind(None, echo).await.unwrap();
    let body = Bytes::from(vec![b'x'; 20 * 1024 * 1024]);
    let answer = send(Method::POST, &server.url(), &[], body.clone()).await;
    assert_eq!(answer.text().len(), body.len());
}

#[tokio::test]
async fn a_graceful_stop_finishes_what_is_under_way() {
    let (arrived, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (inside, gate) = (Arc::clone(&arrived), Arc::clone(&release));
    let server = Server::bind(None, move |request| {
        let (inside, gate) = (Arc::clone(&inside), Arc::clone(&gate));
        async move {
            inside.notify_one();
            gate.notified().await;
            echo(request).await
        }
    })
    .await
    .unwrap();
    let url = server.url();
    let request = send(Method::POST, &url, &[], "late");
    let stop = async {
        arrived.notified().await;
        let stopping = server.stop();
        let releasing = async { release.notify_one() };
        tokio::join!(stopping, releasing);
    };
    let (answer, ()) = tokio::join!(request, stop);
    assert_eq!(answer.text(), "late");
    assert!(matches!(
        send(Method::GET, &url, &[], "").await,
        Outcome::Refused
    ));
}

#[tokio::test]
async fn a_closed_port_cuts_what_waits_and_opens_where_it_was() {
    let arrived = Arc::new(Notify::new());
    let inside = Arc::clone(&arrived);
    let server = Server::bind(None, move |request: Request<Bytes>| {
        let inside = Arc::clone(&inside);
        async move {
            if request.uri().path() == "/wait" {
                inside.notify_one();
                std::future::pending::<()>().await;
            }
            echo(request).await
        }
    })
    .await
    .unwrap();
    let url = server.url();
    let waiting = format!("{url}/wait");
    let close = async {
        arrived.notified().await;
        server.close().await;
    };
    let (cut, ()) = tokio::join!(send(Method::GET, &waiting, &[], ""), close);
    assert!(matches!(cut, Outcome::Cut));
    assert!(matches!(
        send(Method::GET, &url, &[], "").await,
        Outcome::Refused
    ));
    let taken = std::net::TcpListener::bind(server.address()).unwrap_err();
    assert_eq!(
        taken.kind(),
        ErrorKind::AddrInUse,
        "its port is nobody else's"
    );
    server.open().await.unwrap();
    assert_eq!(send(Method::GET, &url, &[], "").await.status(), 200);
}

#[tokio::test]
async fn a_handler_may_drop_a_connection_and_a_panic_drops_one_alone() {
    let server = Server::bind(None, |request: Request<Bytes>| async move {
        match request.uri().path() {
            "/drop" => Answer::Drop,
            "/panic" => panic!("a handler's mistake"),
            _ => echo(request).await.into(),
        }
    })
    .await
    .unwrap();
    for path in ["drop", "panic"] {
        let url = format!("{}/{path}", server.url());
        let outcome = send_within(SOON * 10, Method::GET, &url, &[], "").await;
        assert!(matches!(outcome, Outcome::Cut), "{path}: {outcome:?}");
    }
    assert_eq!(
        send(Method::GET, &server.url(), &[], "").await.status(),
        200
    );
}

#[tokio::test]
async fn a_dropped_server_frees_its_port() {
    let server = Server::bind(None, echo).await.unwrap();
    let port = server.address().port();
    drop(server);
    let mut rebound = Server::bind(Some(port), echo).await;
    while rebound.is_err() {
        tokio::task::yield_now().await;
        rebound = Server::bind(Some(port), echo).await;
    }
}
