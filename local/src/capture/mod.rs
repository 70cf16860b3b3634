//! Stand-ins for the services beside Supabase. Each checks the credential as
//! the real one does, answers in its form, and keeps what it received.

pub mod answers;
mod discord;
mod inbox;
mod ntfy;
mod openai;
mod pagerduty;
mod push;
mod resend;
mod slack;
mod slack_api;
mod stand_ins;
mod teams;
mod telegram;
mod twilio;
mod vision;
mod webhook;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};

pub use inbox::{Channel, Inbox, Message, Recorded};
pub use resend::KeyKind;

use self::stand_ins::StandIn;
use crate::{
    answer, clock,
    fault::{Faults, Mode, Passage, Service},
    server::{Answer, Server},
};

/// An answer that a test asks for, given instead of the service's own.
#[derive(Clone, Debug)]
pub enum Scripted {
    /// Answers so after the delay. A request answered with success is accepted,
    /// any other is not.
    Answer {
        /// The status.
        status: StatusCode,
        /// Headers beside those of the body.
        headers: Vec<(HeaderName, HeaderValue)>,
        /// The body, sent as plain text.
        body: &'static str,
        /// How long to wait before.
        delay: Duration,
    },
    /// Accepts the request, and never answers.
    AcceptThenHang,
    /// Accepts the request, and cuts the connection instead of an answer.
    AcceptThenCut,
    /// Cuts the connection, and accepts nothing.
    Cut,
}

impl Scripted {
    /// An answer of this status, at once and with no body.
    #[must_use]
    pub fn status(status: StatusCode) -> Self {
        Self::Answer {
            status,
            headers: Vec::new(),
            body: "",
            delay: Duration::ZERO,
        }
    }

    /// `429 Too Many Requests` with a Retry-After of so many seconds.
    #[must_use]
    pub fn too_many_requests(retry_after_s: u64) -> Self {
        Self::Answer {
            status: StatusCode::TOO_MANY_REQUESTS,
            headers: vec![(http::header::RETRY_AFTER, retry_after_s.into())],
            body: "rate_limited",
            delay: Duration::ZERO,
        }
    }
}

/// The bot that Slack knows.
#[derive(Clone, Debug)]
pub struct Bot {
    /// Its token.
    pub token: String,
    /// The id of the channel that it is in.
    pub channel: String,
}

/// How a service answers a request, and the message that it thereby accepts.
pub(crate) struct Reply {
    response: Response<Bytes>,
    message: Option<Message>,
}

impl From<Response<Bytes>> for Reply {
    fn from(response: Response<Bytes>) -> Self {
        Self {
            response,
            message: None,
        }
    }
}

/// Every alert channel that is stood in for.
pub(crate) const STAND_INS: [StandIn; 8] = [
    discord::STAND_IN,
    webhook::STAND_IN,
    pagerduty::STAND_IN,
    twilio::STAND_IN,
    ntfy::STAND_IN,
    telegram::STAND_IN,
    teams::STAND_IN,
    push::STAND_IN,
];

/// Each of them with the variable that says where it answers.
pub fn places() -> impl Iterator<Item = (Service, &'static str)> {
    STAND_INS
        .iter()
        .filter_map(|stand_in| Some((stand_in.service, (stand_in.variables)("", "").first()?.0)))
}

/// One service on its own port.
#[derive(Debug)]
pub struct Capture {
    service: Service,
    server: Server,
    faults: Arc<Faults>,
    script: Arc<Mutex<VecDeque<Scripted>>>,
}

impl Capture {
    /// Slack: takes messages at the webhook's path, which is its secret, and from
    /// the bot.
    pub async fn slack(
        port: Option<u16>,
        path: String,
        bot: Bot,
        inbox: &Arc<Inbox>,
        faults: &Arc<Faults>,
    ) -> anyhow::Result<Self> {
        let api = slack_api::Api::new(bot.token, bot.channel);
        Self::start(
            Service::Slack,
            port,
            inbox,
            faults,
            move |request| match request.uri().path().strip_prefix("/api/") {
                Some(method) => api.reply(method, request),
                None => slack::reply(&path, request),
            },
        )
        .await
    }

    /// An alert channel, which takes what is proven by that secret.
    pub(crate) async fn stand_in(
        stand_in: &StandIn,
        port: Option<u16>,
        secret: &str,
        inbox: &Arc<Inbox>,
        faults: &Arc<Faults>,
    ) -> anyhow::Result<Self> {
        let replies = (stand_in.replies)(secret);
        Self::start(stand_in.service, port, inbox, faults, replies).await
    }

    /// Resend: sends emails, and lists domains to keys that may do more.
    pub async fn resend(
        port: Option<u16>,
        key: String,
        kind: KeyKind,
        inbox: &Arc<Inbox>,
        faults: &Arc<Faults>,
    ) -> anyhow::Result<Self> {
        let resend = resend::Resend::new(key, kind);
        Self::start(Service::Resend, port, inbox, faults, move |request| {
            resend.reply(request)
        })
        .await
    }

    /// `OpenAI`: lists models.
    pub async fn openai(
        port: Option<u16>,
        key: String,
        inbox: &Arc<Inbox>,
        faults: &Arc<Faults>,
    ) -> anyhow::Result<Self> {
        Self::start(Service::Openai, port, inbox, faults, move |request| {
            openai::reply(&key, request)
        })
        .await
    }

    /// Google Vision: annotates nothing, as often as asked.
    pub async fn vision(
        port: Option<u16>,
        key: String,
        inbox: &Arc<Inbox>,
        faults: &Arc<Faults>,
    ) -> anyhow::Result<Self> {
        Self::start(Service::Vision, port, inbox, faults, move |request| {
            vision::reply(&key, request)
        })
        .await
    }

    /// Its base URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Answers the next requests as told, in this order. What was asked for
    /// before and not yet given comes first.
    pub fn script(&self, answers: impl IntoIterator<Item = Scripted>) {
        lock(&self.script).extend(answers);
    }

    /// Opens or closes the port as the service's present behaviour has it.
    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        settle(&self.server, self.faults.of(self.service).mode).await
    }

    /// Stops serving.
    pub(crate) async fn stop(&self) {
        self.server.stop().await;
    }

    async fn start(
        service: Service,
        port: Option<u16>,
        inbox: &Arc<Inbox>,
        faults: &Arc<Faults>,
        reply: impl Fn(&Request<Bytes>) -> Reply + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let script = Arc::new(Mutex::new(VecDeque::new()));
        let desk = Arc::new(Desk {
            service,
            inbox: Arc::clone(inbox),
            faults: Arc::clone(faults),
            script: Arc::clone(&script),
            reply,
        });
        let server = Server::bind(port, move |request| {
            let desk = Arc::clone(&desk);
            async move { desk.answer(request).await }
        })
        .await?;
        Ok(Self {
            service,
            server,
            faults: Arc::clone(faults),
            script,
        })
    }
}

/// Opens or closes a server's port as a behaviour has it.
pub(crate) async fn settle(server: &Server, mode: Mode) -> anyhow::Result<()> {
    if mode == Mode::Refuse {
        server.close().await;
        Ok(())
    } else {
        server.open().await
    }
}

/// Where a service's requests arrive.
struct Desk<F> {
    service: Service,
    inbox: Arc<Inbox>,
    faults: Arc<Faults>,
    script: Arc<Mutex<VecDeque<Scripted>>>,
    reply: F,
}

impl<F: Fn(&Request<Bytes>) -> Reply> Desk<F> {
    async fn answer(&self, request: Request<Bytes>) -> Answer {
        self.inbox.record(self.service, &request);
        match self.faults.pass(self.service).await {
            Passage::Through => {}
            Passage::Status(status) => return answer::empty(status).into(),
            Passage::Cut => return Answer::Drop,
        }
        let scripted = lock(&self.script).pop_front();
        match scripted {
            None => self.accept(&request).into(),
            Some(Scripted::Cut) => Answer::Drop,
            Some(Scripted::AcceptThenCut) => {
                self.accept(&request);
                Answer::Drop
            }
            Some(Scripted::AcceptThenHang) => {
                self.accept(&request);
                std::future::pending().await
            }
            Some(Scripted::Answer {
                status,
                headers,
                body,
                delay,
            }) => {
                clock::wait(delay).await;
                if status.is_success() {
                    self.accept(&request);
                }
                let mut response = answer::text(status, body);
                response.headers_mut().extend(headers);
                response.into()
            }
        }
    }

    fn accept(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let Reply { response, message } = (self.reply)(request);
        if let Some(message) = message {
            self.inbox.deliver(message);
        }
        response
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
