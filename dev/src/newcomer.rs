//! The sample admin, and the link that signs a newcomer in as them: once, for whoever reads
//! the terminal. It asks `/api/account` as the sign-in form does.

use std::sync::Mutex;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use local_supabase::stack::Stack;
use serde_json::json;
use tokio_postgres::Client;
use uuid::Uuid;

/// Who is signed in.
pub(super) const EMAIL: &str = "admin@pourtrait.test";
/// Where the link leads.
const PATH: &str = "/_local/sign-in";
/// Whoever comes there so is asked who they are; others are not, because nobody may be there.
const PAGE: &str = "/dashboard#signed-in";

/// The link, until it is used.
pub(super) struct Newcomer {
    password: String,
    token: Mutex<Option<String>>,
}

impl Newcomer {
    /// Makes the sample admin, or gives them another password where they are there.
    pub(super) async fn welcome(stack: &Stack, client: &Client) -> anyhow::Result<Self> {
        let password = Uuid::new_v4().to_string();
        let changed = client
            .execute(
                "update auth.users
                set encrypted_password = extensions.crypt($2, extensions.gen_salt('bf', 4))
                where email = $1",
                &[&EMAIL, &password],
            )
            .await?;
        if changed == 0 {
            let role = json!({ "role": "admin" });
            stack.create_user(EMAIL, &password, &role).await?;
        }
        Ok(Self {
            password,
            token: Mutex::new(Some(Uuid::new_v4().to_string())),
        })
    }

    /// The link, from where everything answers.
    pub(super) fn link(&self, base_url: &str) -> Option<String> {
        let token = self.token.lock().ok()?.clone()?;
        Some(format!("{base_url}{PATH}?token={token}"))
    }

    /// The sign-in that a request asks for by the link, which is used up by it; `None` where
    /// the request is no such.
    pub(super) fn sign_in(&self, request: &Request<Bytes>) -> Option<Request<Bytes>> {
        if request.uri().path() != PATH || request.method() != Method::GET {
            return None;
        }
        let given = request.uri().query()?.strip_prefix("token=")?;
        self.token.lock().ok()?.take_if(|token| token == given)?;
        let body = json!({ "action": "password", "email": EMAIL, "password": self.password });
        let mut asked = Request::new(Bytes::from(body.to_string()));
        *asked.method_mut() = Method::POST;
        *asked.uri_mut() = http::Uri::from_static("/api/account");
        let host = request.headers().get(header::HOST)?.clone();
        let origin = format!("http://{}", host.to_str().ok()?);
        let headers = asked.headers_mut();
        headers.insert(header::HOST, host);
        headers.insert(header::ORIGIN, origin.parse().ok()?);
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        asked.extensions_mut().clone_from(request.extensions());
        Some(asked)
    }
}

/// On to the page, with what the sign-in gave the browser to keep.
pub(super) fn onwards(signed_in: Response<Bytes>) -> Response<Bytes> {
    if !signed_in.status().is_success() {
        return signed_in;
    }
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    for cookie in signed_in.headers().get_all(header::SET_COOKIE) {
        headers.append(header::SET_COOKIE, cookie.clone());
    }
    headers.insert(header::LOCATION, HeaderValue::from_static(PAGE));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
