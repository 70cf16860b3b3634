//! Sessions and their refresh tokens: each is good for one refresh, and one that is used
//! again after a while ends its whole family.

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_postgres::{Client, Transaction};
use uuid::Uuid;

use super::{Refusal, document, refuse};
use crate::{
    clock, random,
    supabase::{Project, connect},
};

/// How long an access token is valid, in seconds: Supabase's default.
const TOKEN_LIFE_S: i64 = 3600;

/// How long a refresh token that was used may be used again, in seconds: Supabase's default.
const REUSE_INTERVAL_S: f64 = 10.0;

/// How somebody signed in, as tokens name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Password,
    Otp,
}

impl Method {
    fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Otp => "otp",
        }
    }
}

/// Opens a session and gives out its tokens. How somebody signed in is kept as the session's
/// tag, which no project of ours uses otherwise.
pub(super) async fn open(
    project: &Project,
    client: &Client,
    user: &str,
    method: Method,
) -> Result<Value, Refusal> {
    let session = Uuid::new_v4().to_string();
    let refresh_token = fresh_token()?;
    client
        .execute(
            "with signed_in as (
                update auth.users set last_sign_in_at = now() where id = $1::text::uuid
            ), opened as (
                insert into auth.sessions (id, user_id, created_at, updated_at, aal, tag)
                values ($2::text::uuid, $1::text::uuid, now(), now(), 'aal1', $4)
                returning id
            )
            insert into auth.refresh_tokens (token, user_id, revoked, created_at, updated_at, session_id)
            select $3, $1::text, false, now(), now(), id from opened",
            &[&user, &session, &refresh_token, &method.as_str()],
        )
        .await?;
    tokens(project, client, &session, user, &refresh_token).await
}

/// A refresh token as it is known.
struct Known {
    is_revoked: bool,
    is_reusable: bool,
    session: String,
    user: String,
}

/// Goes on with a session, by the same rules as the real one.
pub(super) async fn refresh(project: &Project, token: &str) -> Result<Value, Refusal> {
    if token.is_empty() {
        return Err(refuse(400, "validation_failed", "refresh_token required"));
    }
    let mut client = connect(&project.admin).await?;
    let transaction = client.transaction().await?;
    let known = find(&transaction, token).await?;
    let outcome = swap(&transaction, token, &known).await;
    // What a misuse revokes stays revoked.
    transaction.commit().await?;
    let next = outcome?;
    tokens(project, &client, &known.session, &known.user, &next).await
}

async fn find(transaction: &Transaction<'_>, token: &str) -> Result<Known, Refusal> {
    let row = transaction
        .query_opt(
            "select
                revoked, updated_at + make_interval(secs => $2) >= clock_timestamp(),
                session_id::text, user_id
            from auth.refresh_tokens
            where token = $1
            for update",
            &[&token, &REUSE_INTERVAL_S],
        )
        .await?;
    let row = row.ok_or_else(|| {
        let message = "Invalid Refresh Token: Refresh Token Not Found";
        refuse(400, "refresh_token_not_found", message)
    })?;
    let known = Known {
        is_revoked: row.get(0),
        is_reusable: row.get(1),
        session: row.get::<_, Option<String>>(2).unwrap_or_default(),
        user: row.get(3),
    };
    let session = transaction
        .query_opt(
            "select coalesce(users.banned_until > now(), false)
            from auth.sessions
            join auth.users on users.id = sessions.user_id
            where sessions.id::text = $1
            for update of sessions",
            &[&known.session],
        )
        .await?;
    match session.map(|row| row.get(0)) {
        Some(false) => Ok(known),
        Some(true) => {
            let message = "Invalid Refresh Token: User Banned";
            Err(refuse(400, "user_banned", message))
        }
        None => {
            let message = "Invalid Refresh Token: No Valid Session Found";
            Err(refuse(400, "session_not_found", message))
        }
    }
}

/// The token that follows.
async fn swap(
    transaction: &Transaction<'_>,
    token: &str,
    known: &Known,
) -> Result<String, Refusal> {
    if known.is_revoked {
        let active = transaction
            .query_opt(
                "select token, parent
                from auth.refresh_tokens
                where session_id::text = $1 and not revoked
                order by id desc
                limit 1",
                &[&known.session],
            )
            .await?;
        let parent = active
            .as_ref()
            .and_then(|row| row.get::<_, Option<String>>(1));
        // Whoever asks did not get the answer in which the active one stood.
        if let Some(row) = active.filter(|_| parent.as_deref() == Some(token)) {
            return Ok(row.get(0));
        }
        if !known.is_reusable {
            transaction
                .execute(
                    "update auth.refresh_tokens set revoked = true, updated_at = now()
                    where session_id::text = $1 and not revoked",
                    &[&known.session],
                )
                .await?;
            let message = "Invalid Refresh Token: Already Used";
            return Err(refuse(400, "refresh_token_already_used", message));
        }
    }
    let next = fresh_token()?;
    transaction
        .execute(
            "with used as (
                update auth.refresh_tokens set revoked = true, updated_at = now()
                where token = $1
                returning user_id, session_id
            ), gone_on as (
                update auth.sessions set refreshed_at = now() at time zone 'utc', updated_at = now()
                where id::text = $3
            )
            insert into auth.refresh_tokens
                (token, parent, user_id, revoked, created_at, updated_at, session_id)
            select $2, $1, user_id, false, now(), now(), session_id from used",
            &[&token, &next, &known.session],
        )
        .await?;
    Ok(next)
}

/// What a client is given.
async fn tokens(
    project: &Project,
    client: &Client,
    session: &str,
    user: &str,
    refresh_token: &str,
) -> Result<Value, Refusal> {
    let method = client
        .query_one(
            "select tag from auth.sessions where id::text = $1",
            &[&session],
        )
        .await?
        .get::<_, Option<String>>(0);
    let user = document(client, user).await?.unwrap_or_default();
    let now = clock::now();
    let expires = Timestamp::from_second(now.as_second() + TOKEN_LIFE_S).unwrap_or(now);
    let [id, email] = ["id", "email"].map(|field| user[field].as_str().unwrap_or_default());
    let mut claims = project
        .keys
        .user_claims(id, email, &user["app_metadata"], expires);
    claims["session_id"] = session.into();
    claims["user_metadata"] = user["user_metadata"].clone();
    if let Some(method) = method {
        claims["amr"][0]["method"] = method.into();
    }
    let access_token = project
        .keys
        .sign(&claims)
        .map_err(|error| refuse(500, "unexpected_failure", &error.to_string()))?;
    Ok(json!({
        "access_token": access_token,
        "token_type": "bearer",
        "expires_in": TOKEN_LIFE_S,
        "expires_at": expires.as_second(),
        "refresh_token": refresh_token,
        "user": user,
    }))
}

/// Twelve letters and digits, as theirs are.
fn fresh_token() -> Result<String, Refusal> {
    random::hex::<6>().map_err(|error| refuse(500, "unexpected_failure", &error.to_string()))
}
