//! `/auth/v1` as far as an app's server uses it: public keys, who a token
//! belongs to, signing in with a password, signing out.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use super::{Project, connect};
use crate::{answer, clock};

/// How long an access token is valid, in seconds: Supabase's default.
const TOKEN_LIFE_S: i64 = 3600;

/// Why Auth refuses: status, code, message.
struct Refusal(StatusCode, &'static str, String);

impl From<tokio_postgres::Error> for Refusal {
    fn from(error: tokio_postgres::Error) -> Self {
        Self(
            StatusCode::INTERNAL_SERVER_ERROR,
            "unexpected_failure",
            format!("Database error: {error}"),
        )
    }
}

fn refuse(status: u16, code: &'static str, message: &str) -> Refusal {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    Refusal(status, code, message.to_owned())
}

pub(super) async fn answer(project: &Project, request: &Request<Bytes>) -> Response<Bytes> {
    let path = request.uri().path().trim_start_matches("/auth/v1");
    if path == "/.well-known/jwks.json" {
        return answer::json(StatusCode::OK, &project.keys.jwks());
    }
    if let Err(refusal) = project.token(request) {
        return refusal.answer();
    }
    let answered = match (request.method(), path) {
        (&Method::GET, "/health") => Ok(json!({
            "version": "v2.180.0",
            "name": "GoTrue",
            "description": "GoTrue is a user registration and authentication API",
        })),
        (&Method::GET, "/settings") => Ok(settings()),
        (&Method::GET, "/user") => user(project, request).await,
        (&Method::POST, "/token") => token(project, request).await,
        (&Method::POST, "/logout") => match sign_out(project, request).await {
            Ok(()) => return answer::empty(StatusCode::NO_CONTENT),
            Err(refusal) => Err(refusal),
        },
        _ => Err(refuse(404, "not_found", "404 page not found")),
    };
    match answered {
        Ok(body) => answer::json(StatusCode::OK, &body),
        Err(refusal) => refusal.answer(request),
    }
}

impl Refusal {
    /// The body's form follows the API version that the client names.
    fn answer(self, request: &Request<Bytes>) -> Response<Bytes> {
        let Self(status, code, message) = self;
        let body = if request.headers().contains_key("x-supabase-api-version") {
            json!({ "code": code, "message": message })
        } else {
            json!({ "code": status.as_u16(), "error_code": code, "msg": message })
        };
        answer::json(status, &body)
    }
}

pub(super) async fn create_user(
    admin: &Client,
    email: &str,
    password: &str,
    app_metadata: &Value,
) -> anyhow::Result<Uuid> {
    let id = Uuid::new_v4();
    let mut metadata = json!({ "provider": "email", "providers": ["email"] });
    if let (Some(all), Some(more)) = (metadata.as_object_mut(), app_metadata.as_object()) {
        all.extend(more.clone());
    }
    admin
        .execute(
            "with created as (
                insert into auth.users (
                    instance_id, id, aud, role, email, encrypted_password, email_confirmed_at,
                    raw_app_meta_data, raw_user_meta_data, created_at, updated_at,
                    confirmation_token, recovery_token, email_change_token_new, email_change
                )
                values (
                    '00000000-0000-0000-0000-000000000000', $1::text::uuid, 'authenticated',
                    'authenticated', $2, extensions.crypt($3, extensions.gen_salt('bf', 4)), now(),
                    $4::text::jsonb, '{}', now(), now(), '', '', '', ''
                )
                returning id, email
            )
            insert into auth.identities (
                provider_id, user_id, identity_data, provider, created_at, updated_at
            )
            select
                id::text, id, jsonb_build_object('sub', id, 'email', email, 'email_verified', true),
                'email', now(), now()
            from created",
            &[&id.to_string(), &email, &password, &metadata.to_string()],
        )
        .await?;
    Ok(id)
}

/// What the token's user looks like to themselves.
async fn user(project: &Project, request: &Request<Bytes>) -> Result<Value, Refusal> {
    let claims = claims(project, request)?;
    let client = connect(&project.admin).await?;
    if let Some(session) = claims["session_id"].as_str() {
        let known = client
            .query_opt(
                "select 1 from auth.sessions where id::text = $1",
                &[&session],
            )
            .await?;
        if known.is_none() {
            let message = "Session from session_id claim in JWT does not exist";
            return Err(refuse(403, "session_not_found", message));
        }
    }
    let subject = claims["sub"].as_str().unwrap_or_default();
    document(&client, subject).await?.ok_or_else(|| {
        refuse(
            403,
            "user_not_found",
            "User from sub claim in JWT does not exist",
        )
    })
}

async fn token(project: &Project, request: &Request<Bytes>) -> Result<Value, Refusal> {
    #[derive(Deserialize)]
    struct Credentials {
        email: String,
        password: String,
    }

    if answer::query(request, "grant_type").as_deref() != Some("password") {
        return Err(refuse(400, "invalid_credentials", "unsupported_grant_type"));
    }
    let credentials: Credentials = serde_json::from_slice(request.body())
        .map_err(|_| refuse(400, "bad_json", "Could not parse request body as JSON"))?;
    let client = connect(&project.admin).await?;
    let row = client
        .query_opt(
            "select id::text
            from auth.users
            where email = lower($1) and encrypted_password = extensions.crypt($2, encrypted_password)",
            &[&credentials.email, &credentials.password],
        )
        .await?;
    let id: String = match row {
        Some(row) => row.get(0),
        None => {
            return Err(refuse(
                400,
                "invalid_credentials",
                "Invalid login credentials",
            ));
        }
    };
    sign_in(project, &client, &id).await
}

/// Opens a session and gives out its tokens.
async fn sign_in(project: &Project, client: &Client, id: &str) -> Result<Value, Refusal> {
    let session = Uuid::new_v4().to_string();
    let refresh_token = Uuid::new_v4().simple().to_string()[..12].to_owned();
    client
        .execute(
            "with signed_in as (
                update auth.users set last_sign_in_at = now() where id = $1::text::uuid
            ), opened as (
                insert into auth.sessions (id, user_id, created_at, updated_at, aal)
                values ($2::text::uuid, $1::text::uuid, now(), now(), 'aal1')
                returning id
            )
            insert into auth.refresh_tokens (token, user_id, revoked, created_at, updated_at, session_id)
            select $3, $1::text, false, now(), now(), id from opened",
            &[&id, &session, &refresh_token],
        )
        .await?;
    let user = document(client, id).await?.unwrap_or_default();
    let now = clock::now();
    let expires = Timestamp::from_second(now.as_second() + TOKEN_LIFE_S).unwrap_or(now);
    let email = user["email"].as_str().unwrap_or_default();
    let mut claims = project
        .keys
        .user_claims(id, email, &user["app_metadata"], expires);
    claims["session_id"] = session.into();
    claims["user_metadata"] = user["user_metadata"].clone();
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

async fn sign_out(project: &Project, request: &Request<Bytes>) -> Result<(), Refusal> {
    let claims = claims(project, request)?;
    let session = claims["session_id"].as_str().unwrap_or_default();
    connect(&project.admin)
        .await?
        .execute("delete from auth.sessions where id::text = $1", &[&session])
        .await?;
    Ok(())
}

/// The claims of the request's user token; an API key is none.
fn claims(project: &Project, request: &Request<Bytes>) -> Result<Value, Refusal> {
    let token = answer::bearer(request).filter(|token| !token.starts_with("sb_"));
    let Some(token) = token else {
        let message = "This endpoint requires a valid Bearer token";
        return Err(refuse(401, "no_authorization", message));
    };
    let claims = project.gateway.verify_token(token).map_err(|refused| {
        let message = format!("invalid JWT: unable to parse or verify signature, {refused}");
        refuse(403, "bad_jwt", &message)
    })?;
    let claims = Value::Object(claims);
    if claims["sub"]
        .as_str()
        .is_none_or(|sub| Uuid::parse_str(sub).is_err())
    {
        return Err(refuse(403, "bad_jwt", "invalid claim: missing sub claim"));
    }
    Ok(claims)
}

/// A user as the API shows them.
async fn document(client: &Client, id: &str) -> Result<Option<Value>, Refusal> {
    let row = client
        .query_opt(
            "select jsonb_build_object(
                'id', users.id, 'aud', users.aud, 'role', users.role, 'email', users.email,
                'email_confirmed_at', users.email_confirmed_at, 'phone', coalesce(users.phone, ''),
                'confirmed_at', users.confirmed_at, 'last_sign_in_at', users.last_sign_in_at,
                'app_metadata', users.raw_app_meta_data, 'user_metadata', users.raw_user_meta_data,
                'identities', (
                    select coalesce(jsonb_agg(to_jsonb(identities)), '[]'::jsonb)
                    from auth.identities
                    where identities.user_id = users.id
                ),
                'created_at', users.created_at, 'updated_at', users.updated_at,
                'is_anonymous', users.is_anonymous
            )::text
            from auth.users
            where users.id::text = $1 and users.deleted_at is null",
            &[&id],
        )
        .await?;
    Ok(row.and_then(|row| serde_json::from_str(row.get(0)).ok()))
}

fn settings() -> Value {
    json!({
        "external": { "email": true, "phone": false, "anonymous_users": false },
        "disable_signup": true,
        "mailer_autoconfirm": true,
        "phone_autoconfirm": false,
        "sms_provider": "",
        "saml_enabled": false,
    })
}
