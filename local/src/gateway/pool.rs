//! Connections of the login role, opened when first needed.

use std::time::Duration;

use anyhow::Context;
use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, QueueMode, RecyclingMethod, Runtime,
};
use http::StatusCode;
use tokio_postgres::{Config, NoTls};

use super::{
    config::GatewayConfig,
    error::{ApiError, Result},
};

/// Opens nothing yet.
pub(super) fn lazy(config: &GatewayConfig) -> anyhow::Result<Pool> {
    let manager = Manager::from_config(
        session(&config.database, config.statement_timeout),
        NoTls,
        ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        },
    );
    Pool::builder(manager)
        .max_size(config.pool_size)
        // The session that worked last has its plans at hand.
        .queue_mode(QueueMode::Lifo)
        .wait_timeout(Some(config.pool_timeout))
        .create_timeout(Some(config.pool_timeout))
        .runtime(Runtime::Tokio1)
        .build()
        .context("cannot make the gateway's pool")
}

/// Every session has a time limit, and an empty search path so that names read
/// from the catalog come with their schema.
fn session(database: &Config, statement_timeout: Duration) -> Config {
    let mut session = database.clone();
    session.options(format!(
        "{} -c search_path= -c statement_timeout={}",
        database.get_options().unwrap_or_default(),
        statement_timeout.as_millis()
    ));
    session
}

/// A connection, or why there is none.
pub(super) async fn connect(pool: &Pool) -> Result<Object> {
    pool.get().await.map_err(|error| match error {
        PoolError::Timeout(_) => ApiError::new(
            StatusCode::GATEWAY_TIMEOUT,
            "PGRST003",
            "Timed out acquiring connection from connection pool.",
        ),
        error => ApiError::unreachable(
            "PGRST000",
            "Database connection error. Retrying the connection.",
            &error,
        ),
    })
}
