//! The project's own Auth, `<SUPABASE_URL>/auth/v1`, asked as its clients ask it.

use std::time::Duration;

use http::{Method, StatusCode};
use outside::{
    clock::Deadline,
    failure::Failure,
    outbound::{self, Outbound},
};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::{
    auth_answer::{self, Said, Tokens},
    requested::Email,
};
use crate::config::Config;

/// How long Auth may take for one answer: it hands a mail over before it gives one.
const TIMEOUT: Duration = Duration::from_secs(6);
/// How long it may take for a mail, which nobody waits for.
const MAIL_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer that is read, in bytes.
const ANSWER_LIMIT: usize = 256 * 1024;
/// The form of its errors.
const API_VERSION: (&str, &str) = ("X-Supabase-Api-Version", "2024-01-01");

/// What a request to it needs.
#[derive(Debug, Clone)]
pub(super) struct ProjectAuth {
    client: reqwest::Client,
    base: String,
    key: String,
    deadline: Deadline,
}

/// An answer as it came.
struct Came {
    status: StatusCode,
    headers: http::HeaderMap,
    body: bytes::Bytes,
}

impl ProjectAuth {
    /// Nothing where it is not configured, or no connection could be made to anybody.
    pub(super) fn of(config: &Config, outbound: &Outbound, deadline: Deadline) -> Option<Self> {
        let supabase = config.supabase.as_ref()?;
        Some(Self {
            client: outbound.client().ok()?.clone(),
            base: format!("{}/auth/v1", supabase.url.as_str().trim_end_matches('/')),
            key: config.publishable_key.clone()?,
            deadline,
        })
    }

    /// Tokens for a password.
    pub(super) async fn password(&self, Email(email): &Email, password: &str) -> Said<Tokens> {
        let body = json!({ "email": email, "password": password });
        self.tokens("/token?grant_type=password", &body).await
    }

    /// Tokens for a code.
    pub(super) async fn verify(&self, Email(email): &Email, code: &str) -> Said<Tokens> {
        let body = json!({ "type": "email", "email": email, "token": code });
        self.tokens("/verify", &body).await
    }

    /// The next tokens of a session. An answer that was lost is asked for once more: within
    /// its reuse interval Auth takes the same token again, and returns what it gave before.
    pub(super) async fn refresh(&self, token: &str) -> Said<Tokens> {
        let body = json!({ "refresh_token": token });
        let path = "/token?grant_type=refresh_token";
        match self.post(path, &body).await {
            Ok(Came {
                status,
                headers,
                body,
            }) if !status.is_server_error() => auth_answer::of_tokens(status, &headers, &body),
            first => {
                if let Err(error) = first {
                    tracing::warn!(%error, "a refreshed session was lost on its way; asking again");
                }
                self.tokens(path, &body).await
            }
        }
    }

    /// Has a code mailed to whoever has that address; what Auth says is for the log alone.
    ///
    /// # Errors
    /// Where Auth was not reached at all, which tells nothing of an address.
    pub(super) async fn send_code(&self, Email(email): &Email) -> Result<(), Failure> {
        let body = json!({ "email": email, "data": {}, "create_user": false });
        let request = self.with_body("/otp", &body).timeout(MAIL_TIMEOUT);
        match self.send(request).await {
            Ok(came) if came.status.is_success() => Ok(()),
            Ok(came) => {
                // Which of these it is would tell who has an account; the log may know.
                let unknown = came.status == StatusCode::UNPROCESSABLE_ENTITY;
                if unknown || came.status == StatusCode::TOO_MANY_REQUESTS {
                    tracing::info!(status = came.status.as_u16(), "no code was sent");
                } else {
                    tracing::error!(status = came.status.as_u16(), "Auth cannot send a code");
                }
                Ok(())
            }
            Err(failure @ (Failure::Timeout | Failure::Reset | Failure::TooLarge)) => {
                tracing::error!(%failure, "nobody knows whether a code was sent");
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }

    /// Ends a session, whose tokens are of no use from then on.
    pub(super) async fn sign_out(&self, access_token: &str) -> bool {
        let request = self
            .request(Method::POST, "/logout?scope=local")
            .bearer_auth(access_token);
        match self.send(request).await {
            // Where it is gone already, somebody else has ended it.
            Ok(came) => came.status.is_success() || matches!(came.status.as_u16(), 401 | 403 | 404),
            Err(error) => {
                tracing::warn!(%error, "a session may go on: Auth did not say that it ended");
                false
            }
        }
    }

    async fn tokens(&self, path: &str, body: &Value) -> Said<Tokens> {
        match self.post(path, body).await {
            Ok(came) => {
                let said = auth_answer::of_tokens(came.status, &came.headers, &came.body);
                if matches!(said, Said::Nothing) {
                    let status = came.status.as_u16();
                    tracing::error!(status, "Auth answered what says nothing of a sign-in");
                }
                said
            }
            Err(error) => {
                tracing::error!(%error, "Auth cannot be asked");
                Said::Nothing
            }
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Came, Failure> {
        self.send(self.with_body(path, body)).await
    }

    fn with_body(&self, path: &str, body: &Value) -> RequestBuilder {
        self.request(Method::POST, path)
            .header("content-type", "application/json;charset=UTF-8")
            .body(body.to_string())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let (name, version) = API_VERSION;
        self.client
            .request(method, format!("{}{path}", self.base))
            .header("apikey", &self.key)
            .header(name, version)
            .timeout(TIMEOUT.min(self.deadline.remaining()))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Came, Failure> {
        let response = request.send().await.map_err(|error| Failure::of(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = outbound::body(response, ANSWER_LIMIT).await?;
        Ok(Came {
            status,
            headers,
            body,
        })
    }
}
