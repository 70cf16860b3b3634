//! The gateway: the part of PostgREST, behind Supabase's key check, that an app
//! and these operations use. It answers everything under `/rest/v1`.
//!
//! A request is parsed in `request`, planned in `plan` with what
//! `catalog` knows, and run in one transaction in `transaction`. Left out
//! on purpose: embedded resources, aggregates, CSV, PUT and the
//! `OpenAPI` document.

mod catalog;
mod claims;
mod config;
mod cors;
mod credentials;
mod error;
mod jwt;
mod media;
mod overload;
mod payload;
mod plan;
mod pool;
mod preferences;
mod query;
mod render;
mod request;
mod response;
mod sql;
mod sqlstate;
mod transaction;
mod window;

use std::{collections::HashSet, fmt, sync::Arc};

use bytes::Bytes;
use deadpool_postgres::{Object, Pool};
use http::{
    Method, Request, Response, StatusCode,
    header::{ALLOW, ORIGIN},
};
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::sync::OnceCell;

use crate::clock;
pub use config::GatewayConfig;
use error::{ApiError, Result};
use jwt::Verifier;
use overload::Arguments;
use plan::Outcome;
use plan::Plan;
use request::{Action, ApiRequest};
use response::Answer;
use transaction::Surroundings;

/// The longest path and query that are answered, in bytes.
const MAX_URL: usize = 16 * 1024;

/// PostgREST's stand-in for one database. Clones share one pool.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
}

struct Shared {
    config: GatewayConfig,
    verifier: Verifier,
    pool: Pool,
    /// Which settings of a role the login role can make, a fact of the server.
    free_settings: OnceCell<HashSet<String>>,
}

/// Why a token proves nothing, in PostgREST's words.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenRefused {
    /// `PGRST301` for a token that could not be proven, `PGRST303` for one
    /// whose claims do not hold (any more).
    pub code: String,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for TokenRefused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for TokenRefused {}

impl Gateway {
    /// Makes a gateway that opens its first connection with the first request.
    ///
    /// Fails if the secret is too short for HS256, or the public key is none.
    pub fn new(config: GatewayConfig) -> anyhow::Result<Self> {
        anyhow::ensure!(
            config.jwt_secret.is_empty() || config.jwt_secret.len() >= 32,
            "the JWT secret must have at least 32 characters"
        );
        anyhow::ensure!(!config.schemas.is_empty(), "no schema is exposed");
        let verifier = Verifier::new(&config.jwt_secret, config.es256_public_jwk.as_ref())?;
        let pool = pool::lazy(&config)?;
        let shared = Shared {
            config,
            verifier,
            pool,
            free_settings: OnceCell::new(),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Answers a request under `/rest/v1`; errors are answers, too.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        if cors::is_preflight(&request) {
            return cors::preflight(request.headers());
        }
        let from_browser = request.headers().contains_key(ORIGIN);
        let without_body = request.method() == Method::HEAD;
        let mut response = self
            .answer(request)
            .await
            .unwrap_or_else(ApiError::into_response);
        response::set_length(&mut response);
        if from_browser {
            cors::open(response.headers_mut());
        }
        if without_body {
            *response.body_mut() = Bytes::new();
        }
        response
    }

    /// The claims of a token that these keys prove and that is valid now.
    pub fn verify_token(
        &self,
        token: &str,
    ) -> std::result::Result<Map<String, Value>, TokenRefused> {
        self.shared
            .verifier
            .verify(token, clock::now())
            .map_err(ApiError::into_token_refused)
    }

    async fn answer(&self, request: Request<Bytes>) -> Result<Response<Bytes>> {
        let url = request
            .uri()
            .path_and_query()
            .map_or(0, |url| url.as_str().len());
        if url > MAX_URL {
            return Ok(Answer::new(StatusCode::URI_TOO_LONG).into_response());
        }
        let (parts, body) = request.into_parts();
        let shared = &self.shared;
        let now: Timestamp = clock::now();
        let request = ApiRequest::parse(parts, &body, &shared.config, &shared.verifier, now)?;
        let answer = match request.action {
            Action::Read => self.read(&request).await?,
            Action::Insert | Action::Update | Action::Delete => self.write(&request).await?,
            Action::CallByGet | Action::CallByPost => self.call(&request).await?,
            Action::Describe => self.describe(&request).await?,
            Action::DescribeFunction => self.describe_function(&request).await?,
        };
        Ok(answer
            .profile(&request.schema, &shared.config.schemas)
            .into_response())
    }

    async fn read(&self, request: &ApiRequest) -> Result<Answer> {
        let mut client = pool::connect(&self.shared.pool).await?;
        let relation = self.relation(&client, request).await?;
        let plan = plan::read::plan(request, &relation, self.shared.config.max_rows)?;
        let outcome = self.run(&mut client, request, &plan).await?;
        plan::read::answer(request, &outcome)?.overridden(&outcome)
    }

    async fn write(&self, request: &ApiRequest) -> Result<Answer> {
        let payload = request.payload()?;
        let mut client = pool::connect(&self.shared.pool).await?;
        let relation = self.relation(&client, request).await?;
        let plan = plan::write::plan(request, &relation, payload.as_ref())?;
        let outcome = self.run(&mut client, request, &plan).await?;
        plan::write::answer(request, &relation, &outcome)?.overridden(&outcome)
    }

    async fn call(&self, request: &ApiRequest) -> Result<Answer> {
        let arguments = Arguments::of(request);
        let mut client = pool::connect(&self.shared.pool).await?;
        let overloads = self.overloads(&client, request).await?;
        let max_rows = self.shared.config.max_rows;
        let now = self.shared.config.clock.given();
        let (plan, function) = plan::call::plan(request, &overloads, &arguments, max_rows, now)?;
        let outcome = self.run(&mut client, request, &plan).await?;
        plan::call::answer(request, function, &outcome)?.overridden(&outcome)
    }

    async fn describe(&self, request: &ApiRequest) -> Result<Answer> {
        let client = pool::connect(&self.shared.pool).await?;
        self.relation(&client, request).await?;
        Ok(Answer::new(StatusCode::OK).header(ALLOW, "OPTIONS,GET,HEAD,POST,PATCH,DELETE"))
    }

    async fn describe_function(&self, request: &ApiRequest) -> Result<Answer> {
        let client = pool::connect(&self.shared.pool).await?;
        let overloads = self.overloads(&client, request).await?;
        if overloads.is_empty() {
            return Err(overload::unknown(request, &Arguments::of(request)));
        }
        let readable = overloads.iter().any(|function| !function.is_volatile);
        let allowed = if readable {
            "OPTIONS,GET,HEAD,POST"
        } else {
            "OPTIONS,POST"
        };
        Ok(Answer::new(StatusCode::OK).header(ALLOW, allowed))
    }

    async fn relation(&self, client: &Object, request: &ApiRequest) -> Result<catalog::Relation> {
        catalog::relation(client, &request.schema, &request.name)
            .await
            .map_err(|error| ApiError::from_postgres(&error, &request.caller.role))?
            .ok_or_else(|| plan::unknown_relation(&request.schema, &request.name))
    }

    async fn overloads(
        &self,
        client: &Object,
        request: &ApiRequest,
    ) -> Result<Vec<catalog::Function>> {
        catalog::functions(client, &request.schema, &request.name)
            .await
            .map_err(|error| ApiError::from_postgres(&error, &request.caller.role))
    }

    async fn run(&self, client: &mut Object, request: &ApiRequest, plan: &Plan) -> Result<Outcome> {
        let role = &request.caller.role;
        let refused = |error| ApiError::from_postgres(&error, role);
        let free_settings = self
            .shared
            .free_settings
            .get_or_try_init(|| catalog::free_settings(client))
            .await
            .map_err(refused)?;
        let mut role_settings = catalog::role_settings(client, role)
            .await
            .map_err(refused)?;
        role_settings.retain(|(name, _value)| free_settings.contains(name));
        let surroundings = Surroundings {
            extra_search_path: &self.shared.config.extra_search_path,
            role_settings: &role_settings,
        };
        transaction::run(client, request, &surroundings, plan).await
    }
}
