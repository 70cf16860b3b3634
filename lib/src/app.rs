//! What every function stands on: its configuration and the clients made from it.
//!
//! Nothing of any domain is here. What a domain remembers between requests lives
//! with that domain's handlers.

use std::sync::{Arc, OnceLock};

use crate::{
    config::Config,
    rpc::{Call, Rpc, RpcError},
};
use outside::{clock::Deadline, outbound::Outbound};

/// The environment of an instance, and its connections to the outside.
#[derive(Debug)]
pub struct App {
    /// The environment, parsed.
    pub config: Config,
    /// The one HTTP client, which the platforms' clients share.
    pub outbound: Arc<Outbound>,
    rpc: OnceLock<Option<Rpc>>,
}

impl App {
    /// Opens nothing: the first request that needs a connection pays for it.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self::with_outbound(config, Outbound::default())
    }

    /// The same, reaching the network through `outbound`.
    #[must_use]
    pub fn with_outbound(config: Config, outbound: Outbound) -> Self {
        Self {
            config,
            outbound: Arc::new(outbound),
            rpc: OnceLock::new(),
        }
    }

    /// Calls a function of the database.
    ///
    /// # Errors
    /// See [`RpcError`].
    pub async fn call<C: Call>(&self, call: &C, deadline: Deadline) -> Result<C::Output, RpcError> {
        let rpc = self
            .rpc
            .get_or_init(|| self.config.supabase.clone().map(Rpc::new));
        let rpc = rpc.as_ref().ok_or(RpcError::Unconfigured)?;
        rpc.call(&self.outbound, call, deadline).await
    }
}
