//! Supabase's Management API: what its owner sees and changes of a project.

pub mod advisors;
pub mod backups;
pub mod host_metrics;
pub mod projects;
pub mod set_up;

use std::sync::Arc;

use outside::outbound::Outbound;
use secrecy::SecretString;
use url::Url;

use super::api::Api;

/// Where it answers unless a variable says otherwise.
pub const BASE_URL: &str = "https://api.supabase.com";

/// The Management API, as one personal access token may use it.
#[derive(Debug, Clone)]
pub struct Management {
    api: Api,
}

impl Management {
    /// A client.
    #[must_use]
    pub fn new(outbound: Arc<Outbound>, base: Url, token: SecretString) -> Self {
        Self {
            api: Api::new(outbound, base, token, &[]),
        }
    }

    /// The API itself.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }
}
