//! The app that is watched, in small: a page with its name, a page for guests
//! and an answer for machines.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::json;

use crate::{
    answer,
    capture::settle,
    fault::{Faults, Passage, Service},
    server::{Answer, Server},
};

/// The sample app on its port.
#[derive(Debug)]
pub struct SampleApp {
    server: Server,
    faults: Arc<Faults>,
}

impl SampleApp {
    /// Starts the app, on any free port if none is named.
    pub async fn start(port: Option<u16>, faults: &Arc<Faults>) -> anyhow::Result<Self> {
        let behaviour = Arc::clone(faults);
        let server = Server::bind(port, move |request| {
            let behaviour = Arc::clone(&behaviour);
            async move {
                match behaviour.pass(Service::App).await {
                    Passage::Through => page(&request).into(),
                    Passage::Status(status) => answer::empty(status).into(),
                    Passage::Cut => Answer::Drop,
                }
            }
        })
        .await?;
        Ok(Self {
            server,
            faults: Arc::clone(faults),
        })
    }

    /// Its URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        settle(&self.server, self.faults.of(Service::App).mode).await
    }

    pub(crate) async fn stop(&self) {
        self.server.stop().await;
    }
}

fn page(request: &Request<Bytes>) -> Response<Bytes> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return answer::method_not_allowed("GET, HEAD");
    }
    match request.uri().path() {
        "/" => html(
            StatusCode::OK,
            "Pourtrait",
            "Your wardrobe, and what to wear today.",
        ),
        "/login" => html(
            StatusCode::OK,
            "Sign in to Pourtrait",
            "A link comes by email.",
        ),
        "/api/ping" => answer::json(StatusCode::OK, &json!({ "ok": true })),
        _ => html(StatusCode::NOT_FOUND, "Not found", "There is no such page."),
    }
}

fn html(status: StatusCode, title: &str, text: &str) -> Response<Bytes> {
    let body = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <title>{title}</title>\n<h1>{title}</h1>\n<p>{text}</p>\n</html>\n"
    );
    answer::with_type(status, "text/html; charset=utf-8", Bytes::from(body))
}
