//! A platform's API on a port: a token, a state behind a lock, and what goes wrong.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    answer,
    server::{Answer, Server},
};

/// A request, taken apart.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its method.
    pub method: Method,
    /// Its path's segments, decoded.
    pub path: Vec<String>,
    /// Its parameters, decoded, in order.
    pub query: Vec<(String, String)>,
    /// Its body; null where there is none, or none in JSON.
    pub body: Value,
}

/// What goes wrong with one request, instead of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is refused with this status, and nothing is done.
    Status {
        /// The status.
        status: u16,
        /// The seconds that `Retry-After` names.
        retry_after: Option<u64>,
    },
    /// The connection ends before anything is done.
    CutBefore,
    /// Nothing is done, and no answer ever comes.
    HangBefore,
    /// What was asked for is done, and the connection ends without an answer.
    CutAfter,
    /// What was asked for is done, and no answer ever comes.
    HangAfter,
    /// What was asked for is done, and the answer is no JSON.
    OddAfter,
}

/// A stand-in with its state.
pub struct StandIn<S> {
    server: Server,
    desk: Arc<Desk<S>>,
}

struct Desk<S> {
    token: String,
    state: Mutex<S>,
    troubles: Mutex<VecDeque<Plan>>,
    script: Mutex<Option<Script<S>>>,
    asked: Mutex<Vec<Asked>>,
    answer: fn(&mut S, &Asked) -> Response<Bytes>,
}

/// What happens as a request arrives, and what goes wrong with it.
type Script<S> = Box<dyn FnMut(&mut S, &Asked) -> Option<Trouble> + Send>;

/// What is to go wrong with the next request that `meets` says yes to.
struct Plan {
    meets: fn(&Asked) -> bool,
    trouble: Trouble,
}

impl<S: Send + 'static> StandIn<S> {
    /// Serves on 127.0.0.1, on any free port if none is named.
    pub async fn start(
        port: Option<u16>,
        token: &str,
        state: S,
        answer: fn(&mut S, &Asked) -> Response<Bytes>,
    ) -> anyhow::Result<Self> {
        let desk = Arc::new(Desk {
            token: token.to_owned(),
            state: Mutex::new(state),
            troubles: Mutex::default(),
            script: Mutex::default(),
            asked: Mutex::default(),
            answer,
        });
        let server = Server::bind(port, {
            let desk = Arc::clone(&desk);
            move |request| {
                let desk = Arc::clone(&desk);
                async move { desk.answer(request).await }
            }
        })
        .await?;
        Ok(Self { server, desk })
    }

    /// Its base URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The token that it takes.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.desk.token
    }

    /// Its state, to be looked at and changed.
    pub fn state(&self) -> MutexGuard<'_, S> {
        lock(&self.desk.state)
    }

    /// Lets the next request that `meets` says yes to go wrong; several wait in order.
    pub fn trouble(&self, meets: fn(&Asked) -> bool, trouble: Trouble) {
        lock(&self.desk.troubles).push_back(Plan { meets, trouble });
    }

    /// Lets `script` hear of every request before it is answered. It may change the state
    /// meanwhile, as others do, and say what goes wrong where nothing else does.
    pub fn script(&self, script: impl FnMut(&mut S, &Asked) -> Option<Trouble> + Send + 'static) {
        *lock(&self.desk.script) = Some(Box::new(script));
    }

    /// Every request so far, in order, those that went wrong among them.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.desk.asked).clone()
    }

    /// Stops, after the answers under way.
    pub async fn stop(&self) {
        self.server.stop().await;
    }
}

impl<S> fmt::Debug for StandIn<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StandIn")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl<S> Desk<S> {
    async fn answer(&self, request: Request<Bytes>) -> Answer {
        let asked = Asked::of(&request);
        lock(&self.asked).push(asked.clone());
        if answer::bearer(&request) != Some(self.token.as_str()) {
            return refusal(StatusCode::UNAUTHORIZED, "unauthorized", "Not authorized").into();
        }
        let trouble = {
            let mut troubles = lock(&self.troubles);
            let met = troubles.iter().position(|plan| (plan.meets)(&asked));
            met.and_then(|index| troubles.remove(index))
                .map(|plan| plan.trouble)
        };
        let scripted = lock(&self.script)
            .as_mut()
            .and_then(|script| script(&mut lock(&self.state), &asked));
        let act = || (self.answer)(&mut lock(&self.state), &asked);
        match trouble.or(scripted) {
            None => act().into(),
            Some(Trouble::Status {
                status,
                retry_after,
            }) => failing(status, retry_after).into(),
            Some(Trouble::CutBefore) => Answer::Drop,
            Some(Trouble::HangBefore) => std::future::pending().await,
            Some(Trouble::CutAfter) => {
                act();
                Answer::Drop
            }
            Some(Trouble::HangAfter) => {
                act();
                std::future::pending().await
            }
            Some(Trouble::OddAfter) => {
                act();
                answer::text(StatusCode::OK, "<html>upstream</html>").into()
            }
        }
    }
}

impl Asked {
    fn of(request: &Request<Bytes>) -> Self {
        let decoded = |segment: &str| {
            let pair = format!("{}=", segment.replace('+', "%2B"));
            url::form_urlencoded::parse(pair.as_bytes())
                .next()
                .map_or_else(String::new, |(name, _)| name.into_owned())
        };
        let query = request.uri().query().unwrap_or_default();
        Self {
            method: request.method().clone(),
            path: request
                .uri()
                .path()
                .split('/')
                .filter(|segment| !segment.is_empty())
                .map(decoded)
                .collect(),
            query: url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            body: serde_json::from_slice(request.body()).unwrap_or_default(),
        }
    }

    /// Method and path, to be matched: `("GET", ["v9", "projects", id])`.
    #[must_use]
    pub fn route(&self) -> (&str, Vec<&str>) {
        (
            self.method.as_str(),
            self.path.iter().map(String::as_str).collect(),
        )
    }

    /// A parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, _)| known == name)?;
        Some(&found.1)
    }
}

/// A refusal in the form that Vercel has, which carries what the others' do.
#[must_use]
pub fn refusal(status: StatusCode, code: &str, message: &str) -> Response<Bytes> {
    let said = json!({"error": {"code": code, "message": message}, "message": message});
    answer::json(status, &said)
}

fn failing(status: u16, retry_after: Option<u64>) -> Response<Bytes> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = refusal(status, "trouble", "as it was told to");
    if let Some(seconds) = retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
