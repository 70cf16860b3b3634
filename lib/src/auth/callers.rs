//! The kinds of callers, each with what proves one.

use http::{HeaderMap, header, uri::PathAndQuery};
use url::Url;

use super::{
    Accepted, Attempt, Caller, Client, People, User, WrongProof, bearer,
    cookies::Jar,
    door_key::{self, KeySigner},
    field,
    heartbeat_token::{self, TokenSigner},
    roles::{Permission, Role},
    scheduled_call::ScheduledCall,
    signed_link::{Grant, Signer},
    site, vercel_signature,
};
use crate::{
    media_type,
    messages::channels::{
        Channel,
        callback::{Callback, CalledBack, Refused},
    },
    own_reports,
    problem::Problem,
};

/// The only path that a scraper may read; the dashboard's function answers it.
pub const METRICS: &str = "/api/metrics";

/// Anybody. Nobody has to prove anything; whoever tries has to succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visitor {
    /// Somebody who proved nothing.
    Stranger,
    /// An operator, or CI.
    Operator,
}

/// Whoever may start a run of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Starter {
    /// A clock, by `CRON_SECRET`.
    Scheduler(ScheduledCall),
    /// An operator, or CI, by `MONITORING_API_KEY`.
    Operator,
}

/// An operator, or CI, by `MONITORING_API_KEY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator;

/// Somebody who may do what they ask for. It is no caller by itself: each kind of caller
/// that is a person says which permission it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Person {
    /// An operator, or CI, by `MONITORING_API_KEY`.
    Operator,
    /// Somebody who is signed in, by the project's token or by our cookie.
    User(User),
}

impl Person {
    /// Under what name what they do is remembered.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Operator => "operator".to_owned(),
            Self::User(user) => user.name(),
        }
    }

    /// The role by which they may; an operator needs none.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        match self {
            Self::Operator => None,
            Self::User(user) => user.role,
        }
    }
}

/// Whoever is signed in, whatever they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn(pub Person);

/// Somebody at one of our own pages who wants to sign in, to stay so, or to sign out.
#[derive(Debug)]
pub struct Newcomer {
    pub(crate) jar: Jar,
    pub(crate) network: String,
    /// Who they are already, where they prove it by a bearer.
    pub(crate) person: Option<Person>,
    wrong: WrongProof,
}

/// Somebody who reads what is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reader {
    /// Somebody who may read the dashboard.
    Person(Person),
    /// A scraper, by `METRICS_TOKEN`, which opens the metrics and nothing else.
    Scraper,
}

/// Whoever followed a link that stood in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The token that the link carries.
    pub token: String,
    /// What the link may do; `None` where it is none of ours. That is counted as a
    /// wrong proof, and the person gets a page instead of a problem.
    pub grant: Option<Grant>,
}

/// Whoever does something about an alert.
#[derive(Debug)]
pub enum Answerer {
    /// Somebody who answered by way of a channel's provider, which proved itself.
    Provider(Channel, CalledBack),
    /// Somebody who filled in the form behind a link.
    Link(Link),
    /// Somebody who sent JSON, with a proof of their own.
    Person(Person),
}

/// A job, by the token of its heartbeat. The token has proven that it is one of
/// ours; whether it still is some heartbeat's, the database says in the same call
/// that notes the report.
#[derive(Debug)]
pub struct HeartbeatToken {
    token: String,
    wrong: WrongProof,
}

/// An app or a platform, by its project key. The key has proven that it is one of ours;
/// whether the door is still open to it, the database says in the same call that takes what
/// it brings.
#[derive(Debug)]
pub struct DoorKey {
    id: u32,
    wrong: WrongProof,
}

/// Whoever brings something to the door.
#[derive(Debug)]
pub enum DoorSender {
    /// An app or a platform, by its project key.
    Key(DoorKey),
    /// A browser, with what it reports of a page of ours. It proves nothing: what it brings
    /// is bounded, counted by client, and has to be of such a page.
    OwnPage {
        /// The origin of our pages, by `BASE_URL`.
        origin: String,
    },
}

impl Caller for Visitor {
    async fn prove(attempt: &Attempt<'_>) -> Result<Self, Problem> {
        let presented = attempt
            .request
            .headers()
            .contains_key(header::AUTHORIZATION);
        if presented && attempt.config.monitoring_api_key.is_some() {
            let Operator = Operator::prove(attempt).await?;
            return Ok(Self::Operator);
        }
        Ok(Self::Stranger)
    }
}

impl Caller for Starter {
    async fn prove(attempt: &Attempt<'_>) -> Result<Self, Problem> {
        let config = attempt.config;
        let accepted = Accepted {
            secrets: vec![
                (
                    config.cron_secret.as_ref(),
                    Self::Scheduler(ScheduledCall::of(attempt.request)),
                ),
                (config.monitoring_api_key.as_ref(), Self::Operator),
            ],
            people: People::Nobody,
        };
        attempt.caller(accepted).await
    }
}

impl Caller for Operator {
    async fn prove(attempt: &Attempt<'_>) -> Result<Self, Problem> {
        let accepted = Accepted {
            secrets: vec![(attempt.config.monitoring_api_key.as_ref(), Self)],
            people: People::Nobody,
        };
        attempt.caller(accepted).await
    }
}

impl Person {
    /// An operator, or somebody whose role allows that.
    async fn prove(attempt: &Attempt<'_>, permission: Permission) -> Result<Self, Problem> {
        let accepted = Accepted {
            secrets: vec![(attempt.config.monitoring_api_key.as_ref(), Self::Operator)],
            people: People::Whoever(permission, Self::User),
        };
        attempt.caller(accepted).await
    }
}

impl Caller for SignedIn {
    async fn prove(attempt: &Attempt<'_>) -> Result<Self, Problem> {
        let operator = Self(Person::Operator);
        let accepted = Accepted {
            secrets: vec![(attempt.config.monitoring_api_key.as_ref(), operator)],
            people: People::Anybody(|user| Self(Person::User(user))),
        };
        attempt.caller(accepted).await
    }
}

impl Caller for Newcomer {
    async fn prove(attempt: &Attempt<'_>) -> Result<Self, Problem> {
        let Some(jar) = Jar::of(attempt.config, attempt.request) else {
            tracing::error!("no project is configured; nobody can sign in");
            return Err(Problem::Unavailable("sign-in is not configured"));
        };
        // Nobody needs a bearer here; whoever sends one has to be right. No page of somebody
        // else's can make a browser send one.
        let headers = attempt.request.headers();
        let person = if headers.contains_key(header::AUTHORIZATION) {
            Some(SignedIn::prove(attempt).await?.0)
        } else if jar.may_act(attempt.request.method()) {
            None
        } else {
            return Err(Problem::Forbidden);
        };
        Ok(Self {
            jar,
            network: Client::at(attempt.request.extensions().get()).network(),
            person,
            wrong: attempt.wrong_proof(),
        })
    }
}

impl Newcomer {
    /// Counts what they tried as a wrong proof of this instance's.
    ///
    /// # Errors
    /// 429 if it was one too many.
    pub(crate) fn count(&self) -> Result<(), Problem> {
        self.wrong.count()
    }
}

impl Caller for Reader {
    async fn prove(attempt: &Attempt<'_>) -> Result<Self, Problem> {
        let config = attempt.config;
        let operator = Self::Person(Person::Operator);
        let mut accepted = Accepted {
            secrets: vec![(config.monitoring_api_key.as_ref(), operator)],
            people: People::Whoever(Permission::ReadDashboard, |user| {
                Self::Person(Person::User(user))
            }),
        };
        if attempt.request.uri().path() == METRICS {
            let scraper = (config.metrics_token.as_ref(), Self::Scraper);
            accepted.secrets.push(scraper);
        }
        attempt.caller(accepted).await
    }
}

impl Caller for Link {
    async fn prove(attempt: &Attempt<'_>) -> Result<Self, Problem> {
        let query = attempt.request.uri().query().unwrap_or_default();
        Self::verify(
            attempt,
            field(query.as_bytes(), "token").unwrap_or_default(),
        )
    }
}

impl Link {
    fn verify(attempt: &Attempt<'_>, token: String) -> Result<Self, Problem> {
        let Some(key) = &attempt.config.monitoring_api_key else {
            tracing::error!("MONITORING_API_KEY is not set: links in messages stay closed");
            return Err(Problem::Unavailable("links are not configured"));
        };
        let grant = Signer::new(key).verify(&token);
        if grant.is_none() && !token.is_empty() {
            attempt.wrong_proof().count()?;
        }
        Ok(Self { token, grant })
    }
}

impl Caller for Answerer {
    async fn prove(attempt: &Attempt<'_>) -> Result<Self, Problem> {
        let query = attempt.request.uri().query().unwrap_or_default();
        if let Some(word) = field(query.as_bytes(), "channel") {
            return provider(attempt, &word);
        }
        match media_type::of(attempt.request.headers()).as_deref() {
            Some(media_type::FORM) => {
                let token = field(attempt.request.body(), "token").unwrap_or_default();
                Link::verify(attempt, token).map(Self::Link)
            }
            Some(media_type::JSON) => {
                let person = Person::prove(attempt, Permission::AnswerAlerts).await;
                person.map(Self::Person)
            }
            _ => Err(Problem::UnsupportedMediaType),
        }
    }
}

/// What a channel's provider brings back, by a proof that the channel knows.
fn provider(attempt: &Attempt<'_>, word: &str) -> Result<Answerer, Problem> {
    let channel = Channel::parse(word);
    let sender = channel.and_then(|channel| attempt.config.channels.sender(channel));
    let (Some(channel), Some(sender)) = (channel, sender) else {
        return Err(Problem::Unavailable("this channel is not configured"));
    };
    let request = attempt.request;
    let place = request.uri().path_and_query();
    let base = attempt.config.base_url.as_ref().map_or("", Url::as_str);
    let url = format!(
        "{}{}",
        base.trim_end_matches('/'),
        place.map_or("", PathAndQuery::as_str)
    );
    let call = Callback {
        url: &url,
        headers: request.headers(),
        body: request.body(),
    };
    match sender.called_back(&call) {
        Ok(called_back) => Ok(Answerer::Provider(channel, called_back)),
        Err(Refused::Closed) => Err(Problem::Unavailable(
            "what would prove this channel's callbacks is not configured",
        )),
        Err(Refused::Wrong) => Err(attempt.wrong_proof().refuse()),
        Err(Refused::Unreadable) => Err(Problem::BadRequest(
            "the body is not what the provider documents".to_owned(),
        )),
    }
}

impl Caller for HeartbeatToken {
    async fn prove(attempt: &Attempt<'_>) -> Result<Self, Problem> {
        // Without a database there is nobody to prove anything to.
        if attempt.config.supabase.is_none() {
            return Err(Problem::Unavailable("the database is not configured"));
        }
        let Some(key) = &attempt.config.monitoring_api_key else {
            tracing::error!("MONITORING_API_KEY is not set: heartbeats stay closed");
            return Err(Problem::Unavailable("heartbeats are not configured"));
        };
        let query = attempt.request.uri().query().unwrap_or_default();
        let token = presented_token(query, attempt.request.headers());
        let token = token.ok_or(Problem::Unauthorized)?;
        let wrong = attempt.wrong_proof();
        if TokenSigner::new(key).has_signed(&token) {
            Ok(Self { token, wrong })
        } else {
            Err(wrong.refuse())
        }
    }
}

impl Caller for DoorKey {
    async fn prove(attempt: &Attempt<'_>) -> Result<Self, Problem> {
        if attempt.config.supabase.is_none() {
            return Err(Problem::Unavailable("the database is not configured"));
        }
        let Some(key) = &attempt.config.monitoring_api_key else {
            tracing::error!("MONITORING_API_KEY is not set: the door stays closed");
            return Err(Problem::Unavailable("the door is not configured"));
        };
        let presented = door_key::presented(attempt.request).ok_or(Problem::Unauthorized)?;
        let wrong = attempt.wrong_proof();
        let Some(id) = KeySigner::new(key).number_of(&presented) else {
            return Err(wrong.refuse());
        };
        // What a platform signs has to prove that too, where its secret is known.
        let signed = vercel_signature::secret(attempt.config, attempt.request.uri().path());
        if signed.is_some_and(|secret| !vercel_signature::is_right(secret, attempt.request)) {
            return Err(wrong.refuse());
        }
        Ok(Self { id, wrong })
    }
}

impl Caller for DoorSender {
    async fn prove(attempt: &Attempt<'_>) -> Result<Self, Problem> {
        let request = attempt.request;
        if request.uri().path() != own_reports::PATH {
            return DoorKey::prove(attempt).await.map(Self::Key);
        }
        let config = attempt.config;
        let base_url = config.base_url.as_ref();
        let base_url = base_url.filter(|_| config.supabase.is_some());
        let (Some(base_url), Some(_)) = (base_url, &config.monitoring_api_key) else {
            return Err(Problem::Unavailable("the door is not configured"));
        };
        let origin = base_url.origin().ascii_serialization();
        if site::is_of_another(request.headers(), &origin) {
            return Err(Problem::Forbidden);
        }
        Ok(Self::OwnPage { origin })
    }
}

impl DoorKey {
    /// Its number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The refusal of a key to which the door is closed: 401, or 429 after too many.
    #[must_use]
    pub fn refused(self) -> Problem {
        self.wrong.refuse()
    }
}

impl HeartbeatToken {
    /// SHA-256 in hexadecimal, as the database keeps it.
    #[must_use]
    pub fn hash(&self) -> String {
        heartbeat_token::hash(&self.token)
    }

    /// The refusal of a token that no heartbeat has any more: 401, or 429 after too
    /// many.
    #[must_use]
    pub fn refused(self) -> Problem {
        self.wrong.refuse()
    }
}

/// The token in the query, else the one in the header.
fn presented_token(query: &str, headers: &HeaderMap) -> Option<String> {
    field(query.as_bytes(), "token").or_else(|| {
        let value = headers.get(header::AUTHORIZATION)?;
        bearer(value.as_bytes()).map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heartbeats_token_stands_in_the_query_or_in_the_header() {
        let mut bearing = HeaderMap::new();
        bearing.insert(header::AUTHORIZATION, "Bearer abc".parse().unwrap());
        let none = HeaderMap::new();
        for (query, headers, expected) in [
            ("token=abc", &none, Some("abc")),
            ("token=abc&event=start", &none, Some("abc")),
            ("event=failure", &bearing, Some("abc")),
            ("token=other", &bearing, Some("other")),
            ("event=success", &none, None),
        ] {
            let token = presented_token(query, headers);
            assert_eq!(token.as_deref(), expected, "{query}");
        }
    }
}
