//! `/auth/v1` as far as an app's server and its pages use it: public keys, who a token
//! belongs to, signing in with a password or with a code that is mailed, sessions that are
//! refreshed, signing out. All of it is kept in the database's schema `auth`, where the
//! real one keeps it.

mod codes;
mod sessions;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use super::{Project, connect};
use crate::answer;
use sessions::Method as SignedInBy;

/// The form of errors that clients of today ask for.
const API_VERSION: (&str, &str) = ("x-supabase-api-version", "2024-01-01");

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
        (&Method::POST, "/otp") => codes::send(project, request).await,
        (&Method::POST, "/verify") => codes::verify(project, request).await,
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
    /// The body's form follows the API version that the client names, and says which it is.
    fn answer(self, request: &Request<Bytes>) -> Response<Bytes> {
        let Self(status, code, message) = self;
        let is_versioned = request.headers().contains_key(API_VERSION.0);
        let body = if is_versioned {
            json!({ "code": code, "message": message })
        } else {
            json!({ "code": status.as_u16(), "error_code": code, "msg": message })
        };
        let mut response = answer::json(status, &body);
        let headers = response.headers_mut();
        headers.insert("x-sb-error-code", HeaderValue::from_static(code));
        if is_versioned {
            headers.insert(API_VERSION.0, HeaderValue::from_static(API_VERSION.1));
        }
        response
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
    known_session(&client, &claims).await?;
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
    match answer::query(request, "grant_type").as_deref() {
        Some("password") => by_password(project, request).await,
        Some("refresh_token") => {
            #[derive(Deserialize)]
            struct Refresh {
                #[serde(default)]
                refresh_token: String,
            }
            let Refresh { refresh_token } = body(request)?;
            sessions::refresh(project, &refresh_token).await
        }
        _ => Err(refuse(400, "invalid_credentials", "unsupported_grant_type")),
    }
}

async fn by_password(project: &Project, request: &Request<Bytes>) -> Result<Value, Refusal> {
    #[derive(Deserialize)]
    struct Credentials {
        email: String,
        password: String,
    }

    let credentials: Credentials = body(request)?;
    let client = connect(&project.admin).await?;
    let row = client
        .query_opt(
            "select
                id::text, email_confirmed_at is not null, coalesce(banned_until > now(), false)
            from auth.users
            where email = lower($1) and deleted_at is null
                and encrypted_password = extensions.crypt($2, encrypted_password)",
            &[&credentials.email, &credentials.password],
        )
        .await?;
    let Some(row) = row else {
        return Err(refuse(
            400,
            "invalid_credentials",
            "Invalid login credentials",
        ));
    };
    match (row.get(1), row.get(2)) {
        (_, true) => Err(refuse(400, "user_banned", "User is banned")),
        (false, false) => Err(refuse(400, "email_not_confirmed", "Email not confirmed")),
        (true, false) => {
            let id: String = row.get(0);
            sessions::open(project, &client, &id, SignedInBy::Password).await
        }
    }
}

/// A request's body.
fn body<T: DeserializeOwned>(request: &Request<Bytes>) -> Result<T, Refusal> {
    serde_json::from_slice(request.body())
        .map_err(|_| refuse(400, "bad_json", "Could not parse request body as JSON"))
}

async fn sign_out(project: &Project, request: &Request<Bytes>) -> Result<(), Refusal> {
    let claims = claims(project, request)?;
    let [session, user] =
        ["session_id", "sub"].map(|claim| claims[claim].as_str().unwrap_or_default());
    let client = connect(&project.admin).await?;
    known_session(&client, &claims).await?;
    let statement = match answer::query(request, "scope").as_deref() {
        None | Some("" | "global") => {
            "delete from auth.sessions where user_id::text = $2 and $1::text is not null"
        }
        Some("local") => "delete from auth.sessions where id::text = $1 and user_id::text = $2",
        Some("others") => "delete from auth.sessions where id::text <> $1 and user_id::text = $2",
        Some(scope) => {
            let message = format!("Unsupported logout scope {scope:?}");
            return Err(refuse(400, "validation_failed", &message));
        }
    };
    client.execute(statement, &[&session, &user]).await?;
    Ok(())
}

/// Refuses a token whose session has ended.
async fn known_session(client: &Client, claims: &Value) -> Result<(), Refusal> {
    let Some(session) = claims["session_id"].as_str() else {
        return Ok(());
    };
    let known = client
        .query_opt(
            "select 1 from auth.sessions where id::text = $1",
            &[&session],
        )
        .await?;
    let message = "Session from session_id claim in JWT does not exist";
    known
        .map(|_| ())
        .ok_or_else(|| refuse(403, "session_not_found", message))
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
