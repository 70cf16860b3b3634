//! Who is calling, and whether they may.
//!
//! Closed by default: each kind of caller names the proofs that make one, and
//! where all of its secrets are missing nobody is one: 503. Proofs are compared in
//! constant time. Wrong ones are limited per client, right ones never are.

mod callers;
mod claims;
pub(crate) mod cookies;
pub(crate) mod derived_key;
pub mod door_key;
pub mod heartbeat_token;
mod limiter;
mod project_keys;
mod refusals;
pub mod roles;
mod scheduled_call;
mod sealed;
pub mod signed_link;
mod site;
pub mod subscriber_keys;
pub(crate) mod try_keys;
mod user;
mod user_token;
mod vercel_signature;

use std::{
    fmt::Debug,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use http::{Request, header};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use url::form_urlencoded;

pub use callers::{
    Answerer, DoorKey, DoorSender, HeartbeatToken, Link, METRICS, Newcomer, Operator, Person,
    Reader, SignedIn, Starter, Visitor,
};
pub use scheduled_call::ScheduledCall;
pub use user::User;

use crate::{config::Config, problem::Problem};
use cookies::{Forged, Jar};
use limiter::{Client, Limiter};
use outside::{
    clock::{self, Deadline},
    outbound::Outbound,
};
use project_keys::ProjectKeys;
use refusals::Refusals;
use roles::Permission;

/// A kind of caller, and what it takes to be one.
pub(crate) trait Caller: Debug + Sized + Send + 'static {
    /// Finds out whether a request comes from such a caller.
    ///
    /// # Errors
    /// 503 if none of the accepted proofs is configured or one cannot be checked
    /// now, 401 without a proof or with a wrong one, 403 if proven and not allowed,
    /// 429 after too many wrong ones.
    fn prove(attempt: &Attempt<'_>) -> impl Future<Output = Result<Self, Problem>> + Send;
}

/// The client as the platform names it, which no caller can choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAddress(pub String);

/// What an instance remembers about its callers: how many wrong proofs each client
/// sent, the project's public keys, and whose refusal is in the audit log.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    limiter: Arc<Limiter>,
    project_keys: ProjectKeys,
    refusals: Refusals,
}

impl Gate {
    /// Finds out whether a request comes from a caller of that kind.
    ///
    /// # Errors
    /// See [`Caller::prove`].
    pub(crate) async fn admit<C: Caller>(
        &self,
        config: &Config,
        outbound: &Outbound,
        request: &Request<Bytes>,
        deadline: Deadline,
    ) -> Result<C, Problem> {
        let attempt = Attempt {
            gate: self,
            config,
            outbound,
            request,
            deadline,
            refused: OnceLock::new(),
        };
        let proven = C::prove(&attempt).await;
        if let Some(user) = attempt.refused.get() {
            self.refusals.note(&attempt, user).await;
        }
        proven
    }
}

/// A request whose caller is to be found out, and what that takes.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    gate: &'a Gate,
    config: &'a Config,
    outbound: &'a Outbound,
    request: &'a Request<Bytes>,
    deadline: Deadline,
    /// Who was proven and is not allowed.
    refused: OnceLock<User>,
}

/// What makes a caller of some kind: a secret, or being signed in.
struct Accepted<'a, C> {
    /// Secrets as configured, each with the caller that it proves.
    secrets: Vec<(Option<&'a SecretString>, C)>,
    /// The people who are accepted, by the project's token or by our cookie.
    people: People<C>,
}

/// Which people are callers of some kind. Every kind has to say it.
enum People<C> {
    /// None, whoever they are.
    Nobody,
    /// Whoever is signed in.
    Anybody(fn(User) -> C),
    /// Those whose role allows that.
    Whoever(Permission, fn(User) -> C),
}

/// What a presented proof turned out to be.
enum Verdict<C> {
    Right(C),
    Forbidden(User),
    Wrong,
    /// Whether it is right could not be found out.
    Unproven,
}

impl Attempt<'_> {
    /// The caller that the request proves: by its bearer, else by the cookie of whoever is
    /// signed in.
    async fn caller<C>(&self, mut accepted: Accepted<'_, C>) -> Result<C, Problem> {
        accepted.secrets.retain(|(secret, _)| secret.is_some());
        if self.config.supabase.is_none() {
            accepted.people = People::Nobody;
        }
        if accepted.secrets.is_empty() && matches!(accepted.people, People::Nobody) {
            tracing::error!("no proof that this endpoint accepts is configured; it stays closed");
            return Err(Problem::Unavailable("this endpoint is not configured"));
        }
        let verdict = match self.request.headers().get(header::AUTHORIZATION) {
            Some(presented) => match bearer(presented.as_bytes()) {
                Some(presented) => self.examine(presented, accepted).await,
                None => Verdict::Wrong,
            },
            None => self.examine_cookie(accepted.people)?,
        };
        match verdict {
            Verdict::Right(caller) => Ok(caller),
            Verdict::Forbidden(user) => {
                let _ = self.refused.set(user);
                Err(Problem::Forbidden)
            }
            Verdict::Unproven => Err(Problem::Unavailable("the proof cannot be checked now")),
            Verdict::Wrong => Err(self.wrong_proof().refuse()),
        }
    }

    async fn examine<C>(&self, presented: &str, accepted: Accepted<'_, C>) -> Verdict<C> {
        let known = accepted
            .secrets
            .into_iter()
            .find(|(secret, _)| equals(*secret, presented));
        if let Some((_, caller)) = known {
            return Verdict::Right(caller);
        }
        if matches!(accepted.people, People::Nobody) || !user_token::looks_like(presented) {
            return Verdict::Wrong;
        }
        match user_token::examine(self, presented).await {
            Verdict::Right(user) => accepted.people.admit(user),
            Verdict::Forbidden(user) => Verdict::Forbidden(user),
            Verdict::Wrong => Verdict::Wrong,
            Verdict::Unproven => Verdict::Unproven,
        }
    }

    /// Whoever the access cookie names. One that has ended is no proof, and no wrong one
    /// either: it is what a browser has that was asleep.
    ///
    /// # Errors
    /// 401 without a cookie, 403 where a page of another site makes the browser write.
    fn examine_cookie<C>(&self, people: People<C>) -> Result<Verdict<C>, Problem> {
        let jar = match people {
            People::Nobody => None,
            People::Anybody(_) | People::Whoever(..) => Jar::of(self.config, self.request),
        };
        let jar = jar.ok_or(Problem::Unauthorized)?;
        match jar.user(clock::now()) {
            Err(Forged) => Ok(Verdict::Wrong),
            Ok(None) => Err(Problem::Unauthorized),
            Ok(Some(_)) if !jar.may_act(self.request.method()) => Err(Problem::Forbidden),
            Ok(Some(user)) => Ok(people.admit(user)),
        }
    }

    /// What a wrong proof of this client comes to.
    fn wrong_proof(&self) -> WrongProof {
        WrongProof {
            limiter: Arc::clone(&self.gate.limiter),
            client: Client::at(self.request.extensions().get()),
        }
    }
}

impl<C> People<C> {
    fn admit(self, user: User) -> Verdict<C> {
        match self {
            Self::Nobody => Verdict::Wrong,
            Self::Anybody(caller) => Verdict::Right(caller(user)),
            Self::Whoever(permission, caller) => {
                if user.role.is_some_and(|role| role.may(permission)) {
                    Verdict::Right(caller(user))
                } else {
                    Verdict::Forbidden(user)
                }
            }
        }
    }
}

/// The refusal of a wrong proof, which has yet to be counted.
#[derive(Debug)]
struct WrongProof {
    limiter: Arc<Limiter>,
    client: Client,
}

impl WrongProof {
    /// Counts it.
    ///
    /// # Errors
    /// 429 if it was one too many.
    fn count(&self) -> Result<(), Problem> {
        match self.limiter.count(self.client) {
            Some(retry_after) => Err(Problem::TooManyRequests { retry_after }),
            None => Ok(()),
        }
    }

    /// Counts it and refuses: 401, or 429 if it was one too many.
    fn refuse(&self) -> Problem {
        self.count().err().unwrap_or(Problem::Unauthorized)
    }
}

/// Who shares one count with whoever sent a request, as text: an address, or a network of
/// version 6.
pub(crate) fn client_of(request: &Request<Bytes>) -> String {
    format!("{:?}", Client::at(request.extensions().get()))
}

fn bearer(value: &[u8]) -> Option<&str> {
    let (scheme, token) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A field of a form or a query; the last one counts.
fn field(form: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(form)
        .filter(|(known, _)| known == name)
        .last()
        .map(|(_, value)| value.into_owned())
}

/// Constant-time whatever is presented; lengths may differ and are not secret.
fn equals(secret: Option<&SecretString>, presented: &str) -> bool {
    secret.is_some_and(|secret| {
        let secret = secret.expose_secret().as_bytes();
        secret.ct_eq(presented.as_bytes()).into()
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use cookies::{Access, Kept};
    use http::{Method, StatusCode};
    use ring::hmac;
    use roles::Role;
    use serde_json::json;

    use super::*;

    const JWT_SECRET: &str = "a-shared-secret-of-more-than-32-letters";
    const HOST: &str = "ops.wine.example";

    fn config() -> Config {
        Config::from_lookup(&|name| {
            let value = match name {
                "SUPABASE_URL" => "https://project.supabase.co",
                "SUPABASE_SECRET_KEY" => "sb_secret_x",
                "SUPABASE_JWT_SECRET" => JWT_SECRET,
                "MONITORING_API_KEY" => "monitoring-key-of-sixteen",
                _ => return None,
            };
            Some(value.to_owned())
        })
    }

    /// Whoever may do what stands at that place of the list.
    #[derive(Debug)]
    struct Needs<const PERMISSION: usize>;

    impl<const PERMISSION: usize> Caller for Needs<PERMISSION> {
        async fn prove(attempt: &Attempt<'_>) -> Result<Self, Problem> {
            let accepted = Accepted {
                secrets: vec![(attempt.config.monitoring_api_key.as_ref(), Self)],
                people: People::Whoever(Permission::ALL[PERMISSION], |_| Self),
            };
            attempt.caller(accepted).await
        }
    }

    /// A token of a user of the project.
    fn token(role: Option<Role>) -> String {
        let claims = json!({
            "iss": "https://project.supabase.co/auth/v1", "sub": "u", "aud": "authenticated",
            "role": "authenticated", "exp": clock::now().as_second() + 600,
            "app_metadata": {"role": role}, "user_metadata": {"role": "admin"},
        });
        let parts = [json!({"alg": "HS256"}), claims];
        let signed = parts
            .map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()))
            .join(".");
        let key = hmac::Key::new(hmac::HMAC_SHA256, JWT_SECRET.as_bytes());
        let tag = BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()));
        format!("{signed}.{tag}")
    }

    /// The access cookie of somebody with that role.
    fn cookie(role: Option<Role>, request: &Request<Bytes>) -> String {
        let user = User {
            subject: "u".to_owned(),
            email: Some("anna@wine.example".to_owned()),
            role,
            expires_at: clock::now() + Duration::from_secs(600),
            idle_until: None,
        };
        let jar = Jar::of(&config(), request).unwrap();
        let access = Access::of(&user, user.expires_at);
        let set = jar
            .keep(Kept::Access, &access, Duration::from_secs(600))
            .unwrap();
        set.to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    fn request(method: Method, headers: &[(&'static str, &str)]) -> Request<Bytes> {
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = method;
        request
            .headers_mut()
            .insert(header::HOST, HOST.parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        request
    }

    /// What comes of a request that needs the permission at that place.
    async fn needing<const PERMISSION: usize>(request: &Request<Bytes>) -> StatusCode {
        let (gate, outbound) = (Gate::default(), Outbound::default());
        let deadline = Deadline::after(Duration::from_secs(5));
        let admitted = gate
            .admit::<Needs<PERMISSION>>(&config(), &outbound, request, deadline)
            .await;
        admitted.map_or_else(|problem| problem.status(), |_| StatusCode::OK)
    }

    async fn needing_each(request: &Request<Bytes>) -> [StatusCode; Permission::ALL.len()] {
        [
            needing::<0>(request).await,
            needing::<1>(request).await,
            needing::<2>(request).await,
            needing::<3>(request).await,
            needing::<4>(request).await,
            needing::<5>(request).await,
            needing::<6>(request).await,
        ]
    }

    #[tokio::test]
    async fn every_role_is_let_in_by_token_and_by_cookie_to_what_its_permissions_say() {
        let roles = Role::ALL.map(Some).into_iter().chain([None]);
        for role in roles {
            let expected = Permission::ALL.map(|permission| {
                if role.is_some_and(|role| role.may(permission)) {
                    StatusCode::OK
                } else {
                    StatusCode::FORBIDDEN
                }
            });
            let bearer = format!("Bearer {}", token(role));
            let by_token = request(Method::GET, &[("authorization", &bearer)]);
            assert_eq!(needing_each(&by_token).await, expected, "token of {role:?}");
            let cookie = cookie(role, &request(Method::GET, &[]));
            let by_cookie = request(Method::GET, &[("cookie", &cookie)]);
            assert_eq!(
                needing_each(&by_cookie).await,
                expected,
                "cookie of {role:?}"
            );
        }
        let key = "Bearer monitoring-key-of-sixteen";
        let operator = request(Method::GET, &[("authorization", key)]);
        assert_eq!(needing_each(&operator).await, [StatusCode::OK; 7]);
    }

    #[tokio::test]
    async fn a_cookie_writes_from_a_page_of_ours_alone_and_a_bearer_from_anywhere() {
        let cookie = cookie(Some(Role::Admin), &request(Method::GET, &[]));
        let bearer = format!("Bearer {}", token(Some(Role::Admin)));
        let by_cookie = ("cookie", cookie.as_str());
        let by_token = ("authorization", bearer.as_str());
        let own = ("origin", "https://ops.wine.example");
        let foreign = ("origin", "https://evil.example");
        for (method, headers, expected) in [
            (Method::GET, vec![by_cookie], StatusCode::OK),
            (Method::HEAD, vec![by_cookie, foreign], StatusCode::OK),
            (Method::POST, vec![by_cookie, own], StatusCode::OK),
            (Method::POST, vec![by_cookie], StatusCode::FORBIDDEN),
            (
                Method::POST,
                vec![by_cookie, foreign],
                StatusCode::FORBIDDEN,
            ),
            (
                Method::DELETE,
                vec![by_cookie, foreign],
                StatusCode::FORBIDDEN,
            ),
            (Method::POST, vec![by_token], StatusCode::OK),
            (
                Method::POST,
                vec![by_token, by_cookie, foreign],
                StatusCode::OK,
            ),
            (Method::POST, vec![own], StatusCode::UNAUTHORIZED),
        ] {
            let request = request(method.clone(), &headers);
            assert_eq!(
                needing::<0>(&request).await,
                expected,
                "{method} {headers:?}"
            );
        }
    }

    #[test]
    fn a_bearer_is_read_whatever_the_case_of_its_scheme() {
        assert_eq!(bearer(b"Bearer abc"), Some("abc"));
        assert_eq!(bearer(b"bearer  abc "), Some("abc"));
        assert_eq!(bearer(b"Basic abc"), None);
        assert_eq!(bearer(b"abc"), None);
        assert_eq!(bearer(b"Bearer \xff"), None);
    }

    #[test]
    fn a_missing_secret_equals_nothing() {
        assert!(!equals(None, ""));
        assert!(!equals(Some(&"right".into()), "wrong"));
        assert!(!equals(Some(&"right".into()), "right "));
        assert!(equals(Some(&"right".into()), "right"));
    }
}
