//! Email through Resend: `POST /emails`, answered with the email's id.
//!
//! The idempotency key makes it safe to send again what may have been accepted:
//! for 24 hours Resend answers a known key with the first answer.

mod letter;
mod palette;

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::BoxFuture;
use http::header;
use outside::{clock::Deadline, failure::Failure, outbound::Outbound};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;
use uuid::Uuid;

pub use self::letter::{Letter, letter};
use super::{
    Channel, Definition, Delivery, Outgoing, Reach, Sender,
    exchange::{Answer, exchange},
    shared,
};
use crate::variables::{self, Group, Reader, plain};

/// Email.
pub const CHANNEL: Channel = Channel(&Definition {
    word: "email",
    name: "email",
    reach: Reach::Mail,
    // Resend takes two a second per account.
    pace: Duration::from_millis(500),
    knows_what_was_said: true,
    variables: Group {
        title: "Alerts by email",
        without: "Both variables are needed, and `RESEND_API_KEY`.",
        variables: &[
            plain(
                "RESEND_FROM_EMAIL",
                "",
                "The sender of alert emails, at a domain verified with Resend.",
            ),
            plain(
                "ADMIN_EMAIL",
                "",
                "Who gets alert emails; several addresses with commas between.",
            ),
        ],
    },
    open: |read| Some(shared(Email::read(read)?)),
});

/// An account with Resend, and who writes.
#[derive(Debug)]
pub struct Mailer {
    key: SecretString,
    base_url: Url,
    /// The sender.
    from: String,
}

/// Whoever tells people of alerts by email.
#[derive(Debug)]
struct Email {
    mailer: Mailer,
    /// The recipients, at least one.
    to: Vec<String>,
}

/// An email to one person.
#[derive(Debug)]
pub(crate) struct PersonalMail<'a> {
    /// The address.
    pub(crate) to: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) text: &'a str,
    /// Headers beside the usual ones.
    pub(crate) headers: BTreeMap<&'static str, &'a str>,
}

/// Resend's form of an email.
#[derive(Debug, Serialize)]
struct Posted<'a> {
    from: &'a str,
    to: Vec<String>,
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<&'a str>,
    text: &'a str,
    tags: Vec<Tag<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<&'static str, &'a str>,
}

#[derive(Debug, Serialize)]
struct Tag<'a> {
    name: &'a str,
    value: &'a str,
}

/// What an answer means, once it is read.
enum Verdict {
    Settled(Delivery),
    /// The key names another email already.
    KeyTaken(Delivery),
}

impl Sender for Email {
    fn send<'a>(
        &'a self,
        outgoing: Outgoing<'a>,
        outbound: &'a Outbound,
        deadline: Deadline,
    ) -> BoxFuture<'a, Delivery> {
        let letter = letter(outgoing.content);
        Box::pin(async move { self.mail(&letter, outgoing.key, outbound, deadline).await })
    }

    fn send_unless_said<'a>(
        &'a self,
        outgoing: Outgoing<'a>,
        outbound: &'a Outbound,
        deadline: Deadline,
    ) -> BoxFuture<'a, Option<Delivery>> {
        let letter = named(letter(outgoing.content));
        Box::pin(async move {
            self.mail_unless_said(&letter, outgoing.key, outbound, deadline)
                .await
        })
    }
}

/// A letter that no other instance would write, so that the provider tells the two apart.
fn named(mut letter: Letter) -> Letter {
    letter.tags.push(("instance", Uuid::new_v4().to_string()));
    letter
}

impl Email {
    fn read(read: &mut Reader) -> Option<Self> {
        let from = read.text("RESEND_FROM_EMAIL");
        let from = from.and_then(|text| read.keep("RESEND_FROM_EMAIL", variables::address(&text)));
        let to = read.text("ADMIN_EMAIL");
        let to = to.and_then(|text| read.keep("ADMIN_EMAIL", variables::addresses(&text)));
        let mailer = Mailer {
            key: read.key("RESEND_API_KEY")?,
            base_url: read.url_or("RESEND_BASE_URL", "https://api.resend.com")?,
            from: from?,
        };
        let to = to.filter(|to| !to.is_empty())?;
        Some(Self { mailer, to })
    }

    /// Sends a letter under a key of its own.
    ///
    /// If the key was used for other words (a deployment between two attempts may change
    /// them), nobody knows whether those ever arrived. So the letter is sent under a key
    /// of its words, because twice is better than not at all.
    async fn mail(
        &self,
        letter: &Letter,
        key: &str,
        outbound: &Outbound,
        deadline: Deadline,
    ) -> Delivery {
        match self.post(letter, key, outbound, deadline).await {
            Verdict::Settled(delivery) => delivery,
            Verdict::KeyTaken(_) => {
                let key = format!("{key}-{}", fingerprint(letter));
                match self.post(letter, &key, outbound, deadline).await {
                    Verdict::Settled(delivery) | Verdict::KeyTaken(delivery) => delivery,
                }
            }
        }
    }

    /// Sends a letter unless another one was sent under that key, so that of several
    /// instances that report the same one alone does. `None` if another one was.
    async fn mail_unless_said(
        &self,
        letter: &Letter,
        key: &str,
        outbound: &Outbound,
        deadline: Deadline,
    ) -> Option<Delivery> {
        match self.post(letter, key, outbound, deadline).await {
            Verdict::Settled(delivery) => Some(delivery),
            Verdict::KeyTaken(_) => None,
        }
    }

    async fn post(
        &self,
        letter: &Letter,
        key: &str,
        outbound: &Outbound,
        deadline: Deadline,
    ) -> Verdict {
        let posted = Posted {
            from: &self.mailer.from,
            to: letter.recipients.addresses(&self.to),
            subject: &letter.subject,
            html: Some(&letter.html),
            text: &letter.text,
            tags: letter
                .tags
                .iter()
                .map(|(name, value)| Tag { name, value })
                .collect(),
            headers: BTreeMap::new(),
        };
        self.mailer.post(&posted, key, outbound, deadline).await
    }
}

impl Mailer {
    /// Who writes, where there is a sender. What is wrong with it is told by the channel.
    pub(crate) fn open(read: &Reader, key: SecretString, base_url: Url) -> Option<Self> {
        let from = read.text("RESEND_FROM_EMAIL")?;
        Some(Self {
            key,
            base_url,
            from: variables::address(&from).ok()?,
        })
    }

    /// Writes to one person, who is none of those who are told of alerts. The same key is
    /// one letter, however often it is written.
    ///
    /// # Errors
    /// Why nobody knows that it was taken.
    pub async fn write(
        &self,
        to: &str,
        (subject, text): (&str, &str),
        key: &str,
        outbound: &Outbound,
        deadline: Deadline,
    ) -> Result<(), &'static str> {
        let to = variables::address(to)?;
        let mail = PersonalMail {
            to: &to,
            subject,
            text,
            headers: BTreeMap::new(),
        };
        self.send(&mail, key, outbound, deadline).await.accepted()
    }

    /// The same with headers, and what became of it.
    pub(crate) async fn send(
        &self,
        mail: &PersonalMail<'_>,
        key: &str,
        outbound: &Outbound,
        deadline: Deadline,
    ) -> Delivery {
        let posted = Posted {
            from: &self.from,
            to: vec![mail.to.to_owned()],
            subject: mail.subject,
            html: None,
            text: mail.text,
            tags: Vec::new(),
            headers: mail.headers.clone(),
        };
        match self.post(&posted, key, outbound, deadline).await {
            Verdict::Settled(delivery) | Verdict::KeyTaken(delivery) => delivery,
        }
    }

    async fn post(
        &self,
        posted: &Posted<'_>,
        key: &str,
        outbound: &Outbound,
        deadline: Deadline,
    ) -> Verdict {
        let answer = async {
            let base = self.base_url.as_str().trim_end_matches('/');
            let body = serde_json::to_vec(posted).map_err(|_| Failure::Request)?;
            let request = outbound
                .client()?
                .post(format!("{base}/emails"))
                .bearer_auth(self.key.expose_secret())
                .header("idempotency-key", key)
                .header(header::CONTENT_TYPE, "application/json")
                .body(body);
            exchange(request, deadline).await
        };
        match answer.await {
            Ok(answer) => judge(&answer),
            Err::<_, Failure>(failure) => Verdict::Settled(failure.into()),
        }
    }
}

fn judge(answer: &Answer) -> Verdict {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let delivery = match (answer.status.as_u16(), body["name"].as_str()) {
        (200..=299, _) => match body["id"].as_str() {
            Some(id) => Delivery::Sent {
                provider_id: Some(id.chars().take(200).collect()),
            },
            None => answer.retry("something else than resend answered"),
        },
        (409, Some("invalid_idempotent_request")) => {
            return Verdict::KeyTaken(answer.retry("the idempotency key is taken"));
        }
        (409, _) => answer.retry("resend is still at the same message"),
        // Somebody has to repair the configuration; then it works.
        (401, _) => answer.refused("resend refused the key"),
        (403, _) => answer.refused("resend refused the key, the sender or the recipient"),
        (408, _) => answer.retry("timeout"),
        (429, Some("daily_quota_exceeded" | "monthly_quota_exceeded")) => {
            answer.refused("over resend's quota")
        }
        (429, _) => answer.limited(),
        (500..=599, _) => answer.retry("resend fails"),
        (400 | 422, _) => answer.dead("resend does not accept the email"),
        (404 | 405, _) => answer.dead("resend has no such endpoint: check its base URL"),
        _ => answer.dead("resend refused the email"),
    };
    Verdict::Settled(delivery)
}

/// Sixteen characters that name a letter's words.
fn fingerprint(letter: &Letter) -> String {
    let words = Sha256::new()
        .chain_update(&letter.subject)
        .chain_update(&letter.html)
        .finalize();
    words[..8]
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        fake_server::{self, Reply, Server},
        messages::recipients::Recipients,
    };

    fn letter() -> Letter {
        Letter {
            subject: "s".into(),
            html: "<p>h</p>".into(),
            text: "t".into(),
            recipients: Recipients::default(),
            tags: vec![("rule", "app_down".into())],
        }
    }

    fn email(server: &Server) -> Email {
        let variables = [
            ("RESEND_API_KEY", "re_secret"),
            ("RESEND_BASE_URL", &server.url("")),
            ("RESEND_FROM_EMAIL", "Ops <ops@wine.example>"),
            ("ADMIN_EMAIL", "a@wine.example, b@wine.example"),
        ];
        fake_server::opened(&variables, Email::read)
    }

    async fn mail(server: &Server, deadline: Deadline) -> Delivery {
        email(server)
            .mail(&letter(), "key-1", &Outbound::default(), deadline)
            .await
    }

    async fn check(reply: Reply, expected: Delivery) {
        let deadline = Deadline::after(reply.patience());
        let server = Server::start([reply]).await;
        let delivery = mail(&server, deadline).await;
        assert_eq!(delivery, expected);
    }

    fn sent(id: &str) -> Delivery {
        Delivery::Sent {
            provider_id: Some(id.into()),
        }
    }

    fn refused(status: u16, error: &'static str) -> Delivery {
        Delivery::Refused {
            after: None,
            status: Some(status),
            error,
        }
    }

    fn retry(status: u16, error: &'static str) -> Delivery {
        Delivery::Retry {
            after: None,
            status: Some(status),
            error,
        }
    }

    #[tokio::test]
    async fn a_letter_to_one_person_goes_to_nobody_else() {
        let server = Server::start([Reply::new(200, r#"{"id":"e1"}"#)]).await;
        let mailer = email(&server).mailer;
        let write = async |to: &str| {
            let words = ("Your feedback", "Now you can.");
            let deadline = Deadline::after(Duration::from_secs(5));
            let outbound = Outbound::default();
            mailer.write(to, words, "key-2", &outbound, deadline).await
        };
        for odd in [
            "",
            "anna",
            "a@b.example,c@d.example",
            "a@b.example\nBcc: c@d.example",
        ] {
            assert_eq!(write(odd).await, Err("not an email address"), "{odd}");
        }
        assert_eq!(write("anna@wine.example").await, Ok(()));
        let requests = server.requests();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].header("idempotency-key"), Some("key-2"));
        assert_eq!(
            requests[0].json(),
            serde_json::json!({
                "from": "Ops <ops@wine.example>", "to": ["anna@wine.example"], "subject": "Your feedback",
                "text": "Now you can.", "tags": [],
            })
        );
    }

    #[tokio::test]
    async fn an_email_goes_out_with_key_sender_recipients_and_both_parts() {
        let server = Server::start([Reply::new(200, r#"{"id":"e1"}"#)]).await;
        let deadline = Deadline::after(Duration::from_secs(5));
        let delivery = mail(&server, deadline).await;
        assert_eq!(delivery, sent("e1"));
        let request = &server.requests()[0];
        assert!(request.head.starts_with("POST /emails "));
        assert_eq!(request.header("authorization"), Some("Bearer re_secret"));
        assert_eq!(request.header("idempotency-key"), Some("key-1"));
        assert_eq!(
            request.json(),
            serde_json::json!({
                "from": "Ops <ops@wine.example>", "to": ["a@wine.example", "b@wine.example"],
                "subject": "s", "html": "<p>h</p>", "text": "t",
                "tags": [{"name": "rule", "value": "app_down"}],
            })
        );
    }

    #[tokio::test]
    async fn what_may_work_later_is_tried_again() {
        for (status, body, error) in [
            (
                401,
                r#"{"name":"missing_api_key"}"#,
                "resend refused the key",
            ),
            (
                403,
                r#"{"name":"validation_error","message":"re_secret"}"#,
                "resend refused the key, the sender or the recipient",
            ),
            (429, r#"{"name":"rate_limit_exceeded"}"#, "rate limited"),
            (
                429,
                r#"{"name":"daily_quota_exceeded"}"#,
                "over resend's quota",
            ),
        ] {
            check(Reply::new(status, body), refused(status, error)).await;
        }
        for (status, body, error) in [
            (
                409,
                r#"{"name":"concurrent_idempotent_requests"}"#,
                "resend is still at the same message",
            ),
            (500, "oops", "resend fails"),
            (200, "<html>", "something else than resend answered"),
            (200, "{}", "something else than resend answered"),
        ] {
            check(Reply::new(status, body), retry(status, error)).await;
        }
        check(Reply::Reset, Delivery::unanswered("reset")).await;
        check(Reply::Hang, Delivery::unanswered("timeout")).await;
    }

    #[tokio::test]
    async fn what_resend_will_never_take_is_dead() {
        for (status, name, error) in [
            (400, "validation_error", "resend does not accept the email"),
            (
                422,
                "missing_required_field",
                "resend does not accept the email",
            ),
            (
                404,
                "not_found",
                "resend has no such endpoint: check its base URL",
            ),
            (301, "", "resend refused the email"),
        ] {
            let body: &'static str = format!(r#"{{"name":"{name}"}}"#).leak();
            let expected = Delivery::Dead {
                status: Some(status),
                error,
            };
            check(Reply::new(status, body), expected).await;
        }
    }

    #[tokio::test]
    async fn a_key_that_is_taken_by_other_words_is_changed_once() {
        let taken = Reply::new(409, r#"{"name":"invalid_idempotent_request"}"#);
        let server = Server::start([taken, Reply::new(200, r#"{"id":"e2"}"#)]).await;
        let deadline = Deadline::after(Duration::from_secs(5));
        let delivery = mail(&server, deadline).await;
        assert_eq!(delivery, sent("e2"));
        let requests = server.requests();
        let second = requests[1].header("idempotency-key").unwrap();
        assert_eq!(second, format!("key-1-{}", fingerprint(&letter())));
        assert_eq!(second.len(), "key-1-".len() + 16);
    }

    #[tokio::test]
    async fn what_was_said_under_the_key_is_not_said_again() {
        let taken = Reply::new(409, r#"{"name":"invalid_idempotent_request"}"#);
        let server = Server::start([taken]).await;
        let deadline = Deadline::after(Duration::from_secs(5));
        let delivery = email(&server)
            .mail_unless_said(&letter(), "hour", &Outbound::default(), deadline)
            .await;
        assert_eq!(delivery, None);
        assert_eq!(server.requests().len(), 1);
    }
}
