//! Slack's incoming webhook: `POST` of JSON, answered `ok`, or with a status and
//! a word that says what is wrong. The URL is the secret.
//!
//! Slack cannot tell a repetition apart, so a message whose answer was lost may
//! be sent twice. That is better than not at all.

use http::header;
use outside::{clock::Deadline, failure::Failure, outbound::Outbound};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::Verdict;
use crate::messages::channels::{
    Delivery,
    exchange::{Answer, exchange},
};

/// Posts one payload.
pub(super) async fn attempt(
    outbound: &Outbound,
    webhook: &SecretString,
    payload: &Value,
    deadline: Deadline,
) -> Verdict {
    let answer = async {
        let request = outbound
            .client()?
            .post(webhook.expose_secret())
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .body(payload.to_string());
        exchange(request, deadline).await
    };
    match answer.await {
        Ok(answer) => judge(&answer),
        Err::<_, Failure>(failure) => Verdict::Settled(failure.into()),
    }
}

fn judge(answer: &Answer) -> Verdict {
    let word = answer.body.trim_ascii();
    Verdict::Settled(match answer.status.as_u16() {
        200 if word == b"ok" => Delivery::Sent { provider_id: None },
        200..=299 => answer.retry("something else than slack answered"),
        408 => answer.retry("timeout"),
        429 => answer.limited(),
        500..=599 => answer.retry("slack fails"),
        400 if word.starts_with(b"invalid_blocks") || word.starts_with(b"msg_") => {
            return Verdict::Layout(answer.dead("slack does not accept the message"));
        }
        400 => answer.dead("slack does not accept the message"),
        403 => answer.dead("slack forbids the webhook to post"),
        404 => answer.dead("the webhook or its channel does not exist"),
        410 => answer.dead("the channel is archived"),
        _ => answer.dead("slack refused the message"),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;
    use serde_json::json;

    use outside::outbound::Outbound;

    use super::{Answer, Deadline, Delivery, Value, judge};
    use crate::{
        fake_server::{self, Received, Reply, Server},
        messages::channels::{Place, slack::Slack},
    };

    fn slack(url: &str) -> Slack {
        fake_server::opened(&[("SLACK_WEBHOOK_URL", url)], Slack::read)
    }

    async fn send(slack: &Slack, payload: &Value, deadline: Deadline) -> Delivery {
        slack
            .post(payload, &Place::Anew, &Outbound::default(), deadline)
            .await
    }

    async fn check(reply: Reply, expected: Delivery) {
        let deadline = Deadline::after(reply.patience());
        let server = Server::start([reply]).await;
        let slack = slack(&server.url("/services/T/B/secret"));
        let payload = json!({"text": "hello"});
        let delivery = send(&slack, &payload, deadline).await;
        assert_eq!(delivery, expected);
        let requests = server.requests();
        assert_eq!(requests.len(), 1);
        assert!(requests[0].head.starts_with("POST /services/T/B/secret "));
        assert_eq!(requests[0].json(), payload);
    }

    fn dead(status: u16, error: &'static str) -> Delivery {
        Delivery::Dead {
            status: Some(status),
            error,
        }
    }

    fn retry(status: u16, after: Option<u64>, error: &'static str) -> Delivery {
        Delivery::Retry {
            after: after.map(Duration::from_secs),
            status: Some(status),
            error,
        }
    }

    #[tokio::test]
    async fn ok_is_sent_and_any_other_200_is_not() {
        check(Reply::new(200, "ok"), Delivery::Sent { provider_id: None }).await;
        check(
            Reply::new(200, "<html>login</html>"),
            retry(200, None, "something else than slack answered"),
        )
        .await;
    }

    #[tokio::test]
    async fn what_may_work_later_is_tried_again() {
        let limited = Reply::new(429, "rate_limited").header("retry-after: 7");
        let refused = Delivery::Refused {
            after: Some(Duration::from_secs(7)),
            status: Some(429),
            error: "rate limited",
        };
        check(limited, refused).await;
        check(
            Reply::new(500, "rollup_error"),
            retry(500, None, "slack fails"),
        )
        .await;
        check(Reply::Reset, Delivery::unanswered("reset")).await;
    }

    #[tokio::test]
    async fn a_message_that_was_accepted_without_an_answer_is_tried_again() {
        check(Reply::Hang, Delivery::unanswered("timeout")).await;
    }

    #[tokio::test]
    async fn what_slack_will_never_take_is_dead() {
        for (status, word, error) in [
            (400, "invalid_payload", "slack does not accept the message"),
            (
                403,
                "action_prohibited",
                "slack forbids the webhook to post",
            ),
            (
                404,
                "no_service",
                "the webhook or its channel does not exist",
            ),
            (410, "channel_is_archived", "the channel is archived"),
            (302, "", "slack refused the message"),
        ] {
            check(Reply::new(status, word), dead(status, error)).await;
        }
    }

    #[tokio::test]
    async fn a_wait_is_read_from_the_body_where_the_header_says_nothing() {
        let body = r#"{"ok":false,"error":"rate_limited","retry_after":12.4}"#;
        let refused = Delivery::Refused {
            after: Some(Duration::from_secs(13)),
            status: Some(429),
            error: "rate limited",
        };
        check(Reply::new(429, body), refused).await;
    }

    #[tokio::test]
    async fn what_slack_does_not_lay_out_is_sent_as_plain_text() {
        let server =
            Server::start([Reply::new(400, "invalid_blocks"), Reply::new(200, "ok")]).await;
        let slack = slack(&server.url("/services/T/B/secret"));
        let section = json!({"type": "section", "text": {"type": "mrkdwn", "text": "whole"}});
        let payload = json!({"text": "short", "blocks": [section]});
        let deadline = Deadline::after(Duration::from_secs(10));
        assert!(send(&slack, &payload, deadline).await.is_sent());
        let sent: Vec<_> = server.requests().iter().map(Received::json).collect();
        assert_eq!(sent, [payload, json!({"text": "whole"})]);
    }

    #[tokio::test]
    async fn nobody_listening_is_tried_again() {
        let server = Server::start([]).await;
        let url = server.url("/services/T/B/secret");
        drop(server);
        let slack = slack(&url);
        let deadline = Deadline::after(Duration::from_secs(5));
        let delivery = send(&slack, &json!({}), deadline).await;
        assert_eq!(delivery, Delivery::unsent("connect"));
    }

    #[test]
    fn every_status_has_a_verdict_and_only_200_is_sent() {
        for status in 100..=599 {
            let answer = Answer {
                status: StatusCode::from_u16(status).unwrap(),
                retry_after: None,
                body: "ok".into(),
            };
            assert_eq!(
                judge(&answer).settled().is_sent(),
                status == 200,
                "{status}"
            );
        }
    }
}
