//! `/api/account`: people sign in, stay so, and sign out.
//!
//! Passwords and codes are judged by the project's own Auth, which is asked from here, so
//! that no token is ever in reach of a script: what a browser keeps are sealed cookies. What
//! Auth says of an address is not passed on. An address that nobody has gets the same answer
//! as one that somebody has, in the same time, and tries are counted before Auth is asked.

mod answer_pace;
mod auth_answer;
mod kept_session;
mod own_data;
mod project_auth;
mod requested;
mod sign_in;
mod tries;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    app::App,
    auth::{
        Newcomer, Person, SignedIn, User,
        cookies::{Jar, Kept},
        roles::{Permission, Role},
    },
    config::Config,
    endpoint::Route,
    function::RequestId,
    handler::{self, Answer, Handler, Routes},
    media_type,
    problem::Problem,
};
use outside::clock::Deadline;
use requested::Requested;

/// What answers `/api/account`: GET says who is signed in, POST changes it.
#[must_use]
pub fn routes() -> Routes {
    Routes::new(Route::WHO, SaysWho).and(Route::SIGN_IN, ChangesWho)
}

/// Who is signed in, as pages see it.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    signed_in: bool,
    email: Option<String>,
    /// `operator` is nobody's role but that of the key.
    role: Option<&'static str>,
    permissions: Vec<Permission>,
    expires_at: Option<Timestamp>,
    idle_until: Option<Timestamp>,
    /// Whom browsers let push messages to this person; nothing where none are sent.
    push_key: Option<String>,
}

impl Session {
    fn of(person: Person, config: &Config) -> Self {
        let web_push = config.web_push.as_ref();
        let push_key = web_push.map(|web_push| web_push.public_key().to_owned());
        match person {
            Person::Operator => Self {
                signed_in: true,
                email: None,
                role: Some("operator"),
                permissions: Permission::ALL.to_vec(),
                expires_at: None,
                idle_until: None,
                // A key is nobody who could be asked.
                push_key: None,
            },
            Person::User(User {
                email,
                role,
                expires_at,
                idle_until,
                ..
            }) => Self {
                signed_in: true,
                email,
                role: role.map(Role::as_str),
                permissions: role.map(Role::permissions).unwrap_or_default(),
                expires_at: Some(expires_at),
                idle_until,
                push_key: role.and(push_key),
            },
        }
    }
}

/// Answers 401 where nobody is signed in.
#[derive(Debug)]
struct SaysWho;

impl Handler<SignedIn> for SaysWho {
    async fn handle(
        &self,
        app: &App,
        SignedIn(person): SignedIn,
        _: Request<Bytes>,
        _: Deadline,
    ) -> Answer {
        handler::json(StatusCode::OK, &Session::of(person, &app.config))
    }
}

/// Answers 401 to what is not right, 429 to what comes too often, and 503 if Auth or the
/// database cannot be asked.
#[derive(Debug)]
struct ChangesWho;

impl Handler<Newcomer> for ChangesWho {
    async fn handle(
        &self,
        app: &App,
        newcomer: Newcomer,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Answer {
        if media_type::of(request.headers()).as_deref() != Some(media_type::JSON) {
            return Err(Problem::UnsupportedMediaType);
        }
        let requested = requested::parse(request.body()).map_err(Problem::BadRequest)?;
        if let Requested::OwnData(wanted) = requested {
            return wanted.answer(app, &newcomer, deadline).await;
        }
        let desk = sign_in::Desk::open(app, &newcomer, deadline)?;
        let Changed { answer, cookies } = match requested {
            Requested::Password { email, password } => desk.password(&email, &password).await?,
            Requested::Code { email } => desk.send_code(&email).await?,
            Requested::Verify { email, code } => desk.verify(&email, &code).await?,
            Requested::Refresh => desk.refresh().await?,
            Requested::SignOut => desk.sign_out().await?,
            Requested::Push {
                subscription,
                device,
            } => desk.push(&subscription, &device).await?,
            Requested::EndPush { endpoint } => desk.end_push(&endpoint).await?,
            // Answered above: it needs nothing of Auth.
            Requested::OwnData(_) => return Err(Problem::Internal),
        };
        let mut response = answer
            .or_else(|problem| Ok::<_, Problem>(problem.response(&RequestId::of(&request).0)))?;
        give(&mut response, cookies);
        Ok(response)
    }
}

/// An answer, and what the browser is to keep or to forget with it.
struct Changed {
    answer: Answer,
    cookies: Vec<Option<HeaderValue>>,
}

impl Changed {
    fn answer(answer: Answer) -> Self {
        Self {
            answer,
            cookies: Vec::new(),
        }
    }

    /// An answer after which nobody is signed in.
    fn signed_out(jar: &Jar, answer: Answer) -> Self {
        Self {
            answer,
            cookies: vec![jar.forget(Kept::Access), jar.forget(Kept::Refresh)],
        }
    }
}

fn give(response: &mut Response<Bytes>, cookies: Vec<Option<HeaderValue>>) {
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Method;
    use jiff::SignedDuration;
    use outside::clock;
    use uuid::Uuid;

    use super::*;
    use crate::function::Function;
    use kept_session::KeptSession;

    fn config() -> Config {
        Config::from_lookup(&|name| {
            let value = match name {
                // Nobody listens: whoever asks Auth or the database gets a 503.
                "SUPABASE_URL" => "http://127.0.0.1:9",
                "SUPABASE_SECRET_KEY" => "sb_secret_x",
                "SUPABASE_PUBLISHABLE_KEY" => "sb_publishable_x",
                _ => return None,
            };
            Some(value.to_owned())
        })
    }

    fn request(cookie: Option<&str>) -> Request<Bytes> {
        let mut request = Request::new(Bytes::from_static(br#"{"action":"refresh"}"#));
        *request.method_mut() = Method::POST;
        let headers = request.headers_mut();
        for (name, value) in [
            (header::HOST, "ops.wine.example"),
            (header::ORIGIN, "https://ops.wine.example"),
            (header::CONTENT_TYPE, "application/json"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Some(cookie) = cookie {
            headers.insert(header::COOKIE, cookie.parse().unwrap());
        }
        request
    }

    #[tokio::test]
    async fn a_session_whose_owner_stayed_away_is_over_whoever_shows_the_cookie() {
        let jar = Jar::of(&config(), &request(None)).unwrap();
        for (hours, expected) in [(11, 503), (12, 401), (1_000, 401)] {
            let given = clock::now() - SignedDuration::from_hours(hours);
            let kept = KeptSession::new("r".to_owned(), Uuid::nil(), given);
            // The browser would have forgotten it; whoever copied it may show it for ever.
            let set = jar
                .keep(Kept::Refresh, &kept, Duration::from_secs(60))
                .unwrap();
            let cookie = set.to_str().unwrap().split(';').next().unwrap().to_owned();
            let function = Function::new(App::new(config()), routes());
            let answer = function.handle(request(Some(&cookie))).await;
            assert_eq!(answer.status(), expected, "{hours} h");
            let forgotten = answer.headers().get_all(header::SET_COOKIE).iter().count();
            assert_eq!(forgotten, if expected == 401 { 2 } else { 0 }, "{hours} h");
        }
    }
}
