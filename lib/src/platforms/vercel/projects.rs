//! Projects: looked up by id or name, and made.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::Vercel;
use crate::platforms::api::{ApiError, Call};

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Project {
    /// `prj_…`.
    pub id: String,
    /// What people call it.
    pub name: String,
}

impl Vercel {
    /// The project of that id or name; `None` where the token sees none.
    pub async fn find_project(&self, id_or_name: &str) -> Result<Option<Project>, ApiError> {
        let call = self.of_team(Call::get(["v9", "projects", id_or_name]));
        match self.api.read(&call).await {
            Ok(project) => Ok(Some(project)),
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a project of that name, which no other of the team may have.
    pub async fn create_project(&self, name: &str) -> Result<Project, ApiError> {
        let call = Call::new(Method::POST, ["v11", "projects"]).json(json!({ "name": name }));
        self.api.write(&self.of_team(call)).await
    }
}
