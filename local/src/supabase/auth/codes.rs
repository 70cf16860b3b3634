//! Codes that are mailed and typed. They lie in the database as the real ones do, under the
//! hash of address and code.

use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::{Refusal, body, refuse, sessions};
use crate::{
    capture::{Channel, Message},
    clock, random,
    supabase::{Project, connect},
};

/// How long a code is good, in seconds: Supabase's default.
const CODE_LIFE_S: f64 = 3_600.0;
/// How long after one mail the next may be asked for, in seconds: as `supabase start` has it.
const MAIL_PAUSE_S: f64 = 1.0;

/// Mails a code to somebody who is known.
pub(super) async fn send(project: &Project, request: &Request<Bytes>) -> Result<Value, Refusal> {
    #[derive(Deserialize)]
    struct Asked {
        #[serde(default)]
        email: String,
        #[serde(default = "yes")]
        create_user: bool,
    }

    let Asked { email, create_user } = body(request)?;
    let email = address(&email)?;
    let client = connect(&project.admin).await?;
    let row = client
        .query_opt(
            "select coalesce(recovery_sent_at + make_interval(secs => $2) > now(), false)
            from auth.users
            where email = $1 and deleted_at is null",
            &[&email, &MAIL_PAUSE_S],
        )
        .await?;
    match row.map(|row| row.get(0)) {
        None if create_user => Err(refuse(
            422,
            "signup_disabled",
            "Signups not allowed for this instance",
        )),
        None => Err(refuse(422, "otp_disabled", "Signups not allowed for otp")),
        Some(true) => {
            let message = "For security purposes, you can only request this after 1 seconds.";
            Err(refuse(429, "over_email_send_rate_limit", message))
        }
        Some(false) => {
            mail(project, &client, &email).await?;
            Ok(json!({}))
        }
    }
}

async fn mail(project: &Project, client: &Client, email: &str) -> Result<(), Refusal> {
    let code = code()?;
    client
        .execute(
            "update auth.users
            set recovery_token = encode(extensions.digest($1::text || $2::text, 'sha224'::text), 'hex'),
                recovery_sent_at = now(), updated_at = now()
            where email = $1",
            &[&email, &code],
        )
        .await?;
    let (subject, text) = (
        "Your sign-in code",
        format!("Your code to sign in: {code}\nIt can be used once, within an hour."),
    );
    project.inbox.deliver(Message {
        channel: Channel::Email,
        at: clock::now(),
        to: email.to_owned(),
        subject: Some(subject.to_owned()),
        raw: json!({ "from": "auth", "to": email, "subject": subject, "text": text }),
        text,
    });
    Ok(())
}

/// Opens a session for a code, which is good once.
pub(super) async fn verify(project: &Project, request: &Request<Bytes>) -> Result<Value, Refusal> {
    #[derive(Deserialize)]
    struct Typed {
        #[serde(default, rename = "type")]
        kind: String,
        email: Option<String>,
        token: Option<String>,
        token_hash: Option<String>,
    }

    let typed: Typed = body(request)?;
    if !["email", "magiclink"].contains(&typed.kind.as_str()) {
        let message = "Verify requires a verification type";
        return Err(refuse(400, "validation_failed", message));
    }
    let (email, token) = match (typed.email, typed.token, typed.token_hash) {
        (Some(email), Some(token), None) => (Some(address(&email)?), token.replace('-', "")),
        (None, None, Some(hash)) => (None, hash),
        _ => {
            let message =
                "Only the token_hash and type should be provided, or else email and token";
            return Err(refuse(400, "validation_failed", message));
        }
    };
    let client = connect(&project.admin).await?;
    let row = client
        .query_opt(
            "update auth.users
            set recovery_token = '', email_confirmed_at = coalesce(email_confirmed_at, now())
            where recovery_token <> ''
                and recovery_token = case
                    when $1::text is null then $2
                    else encode(extensions.digest($1::text || $2::text, 'sha224'::text), 'hex')
                end
                and email = coalesce($1, email)
                and recovery_sent_at + make_interval(secs => $3) > now()
                and deleted_at is null
                and coalesce(banned_until <= now(), true)
            returning id::text",
            &[&email, &token, &CODE_LIFE_S],
        )
        .await?;
    let Some(row) = row else {
        let message = "Token has expired or is invalid";
        return Err(refuse(403, "otp_expired", message));
    };
    let id: String = row.get(0);
    sessions::open(project, &client, &id, sessions::Method::Otp).await
}

fn yes() -> bool {
    true
}

fn address(text: &str) -> Result<String, Refusal> {
    let address = text.to_lowercase();
    if address.contains('@') && !address.contains(char::is_whitespace) {
        return Ok(address);
    }
    let message = "Unable to validate email address: invalid format";
    Err(refuse(400, "validation_failed", message))
}

/// Six digits.
fn code() -> Result<String, Refusal> {
    let bytes =
        random::bytes().map_err(|error| refuse(500, "unexpected_failure", &error.to_string()))?;
    Ok(format!("{:06}", u64::from_be_bytes(bytes) % 1_000_000))
}
