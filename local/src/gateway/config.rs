//! What a gateway is made from.

use std::time::Duration;

use serde_json::Value;

use crate::clock::GivenClock;

/// A project's database, its keys, and PostgREST's settings.
#[derive(Clone)]
pub struct GatewayConfig {
    /// How to connect as the login role `authenticator`; never with TLS.
    pub database: tokio_postgres::Config,
    /// The secret of HS256 tokens, at least 32 characters. Empty means none.
    pub jwt_secret: String,
    /// The public key of ES256 tokens as a JWK.
    pub es256_public_jwk: Option<Value>,
    /// The opaque key that stands for [`GatewayConfig::anon_jwt`].
    pub publishable_key: String,
    /// The opaque key that stands for [`GatewayConfig::service_role_jwt`].
    pub secret_key: String,
    /// The token of the role `anon`.
    pub anon_jwt: String,
    /// The token of the role `service_role`.
    pub service_role_jwt: String,
    /// The exposed schemas; the first is the one that requests mean by default.
    pub schemas: Vec<String>,
    /// Schemas that statements find unqualified names in, after the exposed one.
    pub extra_search_path: Vec<String>,
    /// How many rows a read or a call returns at most.
    pub max_rows: u32,
    /// How many connections are opened at most.
    pub pool_size: usize,
    /// How long a request waits for one of them.
    pub pool_timeout: Duration,
    /// The time limit of one statement where neither role nor function sets one.
    pub statement_timeout: Duration,
    /// The time that functions are told.
    pub clock: GivenClock,
}

impl GatewayConfig {
    /// Supabase's settings for a database, still without any key.
    #[must_use]
    pub fn new(database: tokio_postgres::Config) -> Self {
        Self {
            database,
            jwt_secret: String::new(),
            es256_public_jwk: None,
            publishable_key: String::new(),
            secret_key: String::new(),
            anon_jwt: String::new(),
            service_role_jwt: String::new(),
            schemas: vec!["public".to_owned()],
            extra_search_path: vec!["public".to_owned(), "extensions".to_owned()],
            max_rows: 1000,
            pool_size: 10,
            pool_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(8),
            clock: GivenClock::default(),
        }
    }
}
