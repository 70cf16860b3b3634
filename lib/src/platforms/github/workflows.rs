//! Workflows that are started by whoever asks.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::GitHub;
use crate::platforms::api::{ApiError, Call};

impl GitHub {
    /// The branch that the repository's workflows run from, unless somebody says otherwise.
    pub async fn default_branch(&self) -> Result<String, ApiError> {
        let Repository { default_branch } = self.api.read(&Call::get(self.path([]))).await?;
        Ok(default_branch)
    }

    /// Asks for a run of a workflow on a branch. The token needs to write actions.
    pub async fn start_workflow(
        &self,
        file: &str,
        branch: &str,
        inputs: &Value,
    ) -> Result<(), ApiError> {
        let path = self.path(["actions", "workflows", file, "dispatches"]);
        let body = json!({ "ref": branch, "inputs": inputs });
        let call = Call::new(Method::POST, path).json(body);
        self.api.send(&call).await.map(drop)
    }
}

#[derive(Deserialize)]
struct Repository {
    default_branch: String,
}
