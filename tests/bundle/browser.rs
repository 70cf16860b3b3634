//! A browser as far as sign-in sees one: it keeps cookies, and names where a page comes from.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use http::{Method, header};
use ops::{endpoint::Endpoint, function::Function};
use serde_json::{Value, json};

use crate::support::{Answer, Bundle, Call, call};

pub(crate) const PATH: &str = "/api/account";
pub(crate) const ORIGIN: &str = "https://ops.wine.example";

/// A browser at some network.
pub(crate) struct Browser {
    network: String,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Browser {
    pub(crate) fn at(network: &str) -> Self {
        Self {
            network: network.to_owned(),
            cookies: Mutex::default(),
        }
    }

    /// Another one that has the same cookies: a second tab, or a thief.
    pub(crate) fn copy(&self, network: &str) -> Self {
        Self {
            network: network.to_owned(),
            cookies: Mutex::new(self.cookies()),
        }
    }

    pub(crate) fn cookies(&self) -> BTreeMap<String, String> {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.clone()
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.insert(name.to_owned(), value.to_owned());
    }

    /// A request to an instance, with everything that a browser adds.
    pub(crate) fn request<'a>(&self, app: &'a Function, method: Method, path: &str) -> Call<'a> {
        let request = call(app, method, path).from(&self.network);
        let cookies: Vec<_> = self
            .cookies()
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if cookies.is_empty() {
            return request;
        }
        request.header("cookie", &cookies.join("; "))
    }

    /// Posts as a page of ours does, to a fresh instance, and keeps what is set.
    pub(crate) async fn post(&self, bundle: &Bundle, body: &Value) -> Answer {
        let app = bundle.instance(Endpoint::Account);
        let answer = self
            .request(&app, Method::POST, PATH)
            .header("origin", ORIGIN)
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await;
        self.keep(&answer);
        answer
    }

    pub(crate) async fn password(&self, bundle: &Bundle, email: &str, password: &str) -> Answer {
        let body = json!({"action": "password", "email": email, "password": password});
        self.post(bundle, &body).await
    }

    pub(crate) async fn act(&self, bundle: &Bundle, action: &str) -> Answer {
        self.post(bundle, &json!({ "action": action })).await
    }

    /// Reads a path of an endpoint.
    pub(crate) async fn get(&self, bundle: &Bundle, endpoint: Endpoint) -> Answer {
        let app = bundle.instance(endpoint);
        self.request(&app, Method::GET, endpoint.spec().path)
            .send()
            .await
    }

    fn keep(&self, answer: &Answer) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        for set in answer.headers.get_all(header::SET_COOKIE) {
            let set = set.to_str().unwrap();
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            if set.contains("Max-Age=0;") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
