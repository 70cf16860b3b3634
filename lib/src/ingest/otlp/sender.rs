//! Who sends: what the resource tells of everything that comes from it.

use super::{attributes::Attributes, messages::Resource};
use crate::{hexadecimal::hexadecimal, ingest::item::Item};

/// The service that sends.
#[derive(Debug)]
pub(super) struct Sender<'a> {
    environment: Option<&'a str>,
    release: Option<&'a str>,
}

impl<'a> Sender<'a> {
    /// What a resource tells.
    pub(super) fn new(resource: Option<&'a Resource>) -> Self {
        let said = Attributes::of(resource);
        Self {
            environment: said.text(&[
                "deployment.environment.name",
                "deployment.environment",
                "vercel.environment",
                "env",
            ]),
            release: said.text(&[
                "service.version",
                "vercel.deployment_id",
                "vercel.deploymentId",
                "deployment.id",
                "vercel.sha",
                "vcs.ref.head.revision",
            ]),
        }
    }

    /// An item with where it comes from, and who did it as far as its attributes tell.
    pub(super) fn sign(&self, item: Item, said: Attributes<'_>) -> Item {
        item.environment(self.environment).release(self.release).by(
            said.text(&["user.id", "enduser.id"]),
            said.text(&["session.id"]),
        )
    }
}

/// The id of a trace in hexadecimal digits; none where it is of another length or nothing.
pub(super) fn trace_of(id: &[u8]) -> Option<String> {
    let some = id.len() == 16 && id.iter().any(|byte| *byte > 0);
    some.then(|| hexadecimal(id))
}
