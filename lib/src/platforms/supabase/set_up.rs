//! How a project is set up: documents of its configuration, and Edge Functions, put as they
//! were read from another one.

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use super::Management;
use crate::platforms::api::{ApiError, Call};

/// A document of a project's configuration that can be put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// Auth: addresses, providers, templates, limits. No secret is in it.
    Auth,
    /// The REST API: exposed schemas, rows at most.
    Postgrest,
    /// Settings of the database server.
    Postgres,
    /// Limits and features of Storage.
    Storage,
    /// Who may reach the database.
    Network,
}

impl Document {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Auth,
        Self::Postgrest,
        Self::Postgres,
        Self::Storage,
        Self::Network,
    ];

    /// What it is called in an archive of the application.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Postgrest => "postgrest",
            Self::Postgres => "postgres",
            Self::Storage => "storage",
            Self::Network => "network",
        }
    }

    fn place(self) -> (Method, &'static [&'static str]) {
        match self {
            Self::Auth => (Method::PATCH, &["config", "auth"]),
            Self::Postgrest => (Method::PATCH, &["postgrest"]),
            Self::Postgres => (Method::PUT, &["config", "database", "postgres"]),
            Self::Storage => (Method::PATCH, &["config", "storage"]),
            Self::Network => (Method::POST, &["network-restrictions", "apply"]),
        }
    }

    /// What is sent of what was read: the network's lists stand deeper there.
    fn body(self, read: &Value) -> &Value {
        match self {
            Self::Network => &read["config"],
            Self::Auth | Self::Postgrest | Self::Postgres | Self::Storage => read,
        }
    }
}

impl Management {
    /// Puts a document of the configuration. What is not in it stays as it is.
    pub async fn configure(
        &self,
        reference: &str,
        document: Document,
        read: &Value,
    ) -> Result<(), ApiError> {
        let (method, place) = document.place();
        let path = ["v1", "projects", reference]
            .into_iter()
            .chain(place.iter().copied());
        let call = Call::new(method, path).json(document.body(read));
        self.api.send(&call).await.map(drop)
    }

    /// The slugs of the project's Edge Functions.
    pub async fn functions(&self, reference: &str) -> Result<Vec<String>, ApiError> {
        let call = Call::get(["v1", "projects", reference, "functions"]);
        let listed: Vec<Value> = self.api.read(&call).await?;
        let slug = |one: &Value| one["slug"].as_str().map(str::to_owned);
        Ok(listed.iter().filter_map(slug).collect())
    }

    /// Makes an Edge Function of the bundle that another project ran, as its document says.
    pub async fn create_function(
        &self,
        reference: &str,
        function: &Value,
        code: Bytes,
    ) -> Result<(), ApiError> {
        let mut call = Call::new(Method::POST, ["v1", "projects", reference, "functions"])
            .bytes("application/vnd.denoland.eszip", code);
        for name in ["slug", "name", "entrypoint_path"] {
            if let Some(value) = function[name].as_str() {
                call = call.with(name, value);
            }
        }
        for name in ["verify_jwt", "import_map"] {
            if let Some(value) = function[name].as_bool() {
                call = call.with(name, value.to_string());
            }
        }
        self.api.send(&call).await.map(drop)
    }
}
