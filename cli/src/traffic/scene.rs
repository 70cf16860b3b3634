//! What a look at production showed: which deployment holds each domain, and whether later
//! releases will get them. What was asked for says nothing of that.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ops::platforms::{
    api::ApiError,
    vercel::{AliasRequest, Held, Project, Traffic, Vercel},
};
use serde_json::{Value, json};

/// What a look showed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scene {
    pub(crate) project: Project,
    /// Each production domain, with what holds it.
    pub(crate) domains: BTreeMap<String, Option<Held>>,
}

/// Who serves production.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serving<'a> {
    /// One deployment, at every domain.
    One(&'a str),
    /// Not the same everywhere.
    Several,
    /// No domain, or none of them held.
    Nobody,
}

/// Whether later releases get the domains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pin {
    /// They do.
    Free,
    /// They do not, since then if that is known.
    Pinned(Option<Timestamp>),
    /// Vercel does not say.
    Unsaid,
}

impl Scene {
    /// Looks: the aliases last, since they alone say what serves.
    pub(crate) async fn look(vercel: &Vercel, project: &str) -> Result<Self, ApiError> {
        let project = vercel.project(project).await?;
        let mut domains = BTreeMap::new();
        for domain in vercel.production_domains(&project.id).await? {
            let held = vercel.holder(&project.id, &domain).await?;
            domains.insert(domain, held);
        }
        Ok(Self { project, domains })
    }

    /// Who serves.
    pub(crate) fn serving(&self) -> Serving<'_> {
        let holders: BTreeSet<Option<&str>> = self.holders().map(|(_, holder)| holder).collect();
        let mut holders = holders.into_iter();
        match (holders.next(), holders.next()) {
            (Some(Some(one)), None) => Serving::One(one),
            (None | Some(None), None) => Serving::Nobody,
            (_, Some(_)) => Serving::Several,
        }
    }

    /// The deployment that serves alone.
    pub(crate) fn alone(&self) -> Option<&str> {
        match self.serving() {
            Serving::One(deployment) => Some(deployment),
            Serving::Several | Serving::Nobody => None,
        }
    }

    /// Each domain, with the deployment that holds it.
    pub(crate) fn holders(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.domains.iter().map(|(domain, held)| {
            let holder = held.as_ref().and_then(|held| held.deployment.as_deref());
            (domain.as_str(), holder)
        })
    }

    /// Since when the domains are held as they are.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        let times = self.domains.values().flatten();
        times.filter_map(Held::since).max()
    }

    /// Whether later releases get the domains.
    pub(crate) fn pin(&self) -> Pin {
        match self.project.assigns_domains {
            Some(true) => Pin::Free,
            Some(false) => Pin::Pinned(self.rolled_back().and_then(AliasRequest::requested_at)),
            None => Pin::Unsaid,
        }
    }

    /// The change of traffic that is under way.
    pub(crate) fn open_request(&self) -> Option<&AliasRequest> {
        let last = self.project.last_request.as_ref();
        last.filter(|request| request.is_open())
    }

    fn rolled_back(&self) -> Option<&AliasRequest> {
        let last = self.project.last_request.as_ref();
        last.filter(|request| request.kind == Some(Traffic::Rollback))
    }

    /// Who serves, in words.
    pub(crate) fn words(&self) -> String {
        match self.serving() {
            Serving::One(deployment) => format!("{deployment} serves production"),
            Serving::Nobody => "nothing serves production".to_owned(),
            Serving::Several => {
                let held = self
                    .holders()
                    .map(|(domain, holder)| format!("{domain} by {}", holder.unwrap_or("nothing")));
                let held: Vec<_> = held.collect();
                format!("production is served in parts: {}", held.join(", "))
            }
        }
    }

    /// Who serves, for scripts.
    pub(crate) fn document(&self) -> Value {
        let domains: BTreeMap<_, _> = self.holders().collect();
        json!({
            "deployment": self.alone(),
            "since": self.since(),
            "domains": domains,
            "pinned": match self.pin() {
                Pin::Free => Some(false),
                Pin::Pinned(_) => Some(true),
                Pin::Unsaid => None,
            },
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A look at a project, with what holds each domain.
    pub(crate) fn scene(holders: &[(&str, Option<&str>)], pinned: Option<bool>) -> Scene {
        let project = json!({"id": "prj_1", "name": "wine", "autoAssignCustomDomains":
            pinned.map(|pinned| !pinned)});
        let held = |holder: &str| {
            let held = json!({"deploymentId": holder, "updatedAt": 1_795_521_600_000_i64});
            serde_json::from_value(held).unwrap()
        };
        Scene {
            project: serde_json::from_value(project).unwrap(),
            domains: holders
                .iter()
                .map(|(domain, holder)| ((*domain).to_owned(), holder.map(held)))
                .collect(),
        }
    }

    #[test]
    fn one_serves_only_where_every_domain_says_so() {
        for (holders, serving) in [
            (
                vec![("a", Some("d1")), ("b", Some("d1"))],
                Serving::One("d1"),
            ),
            (vec![("a", Some("d1")), ("b", Some("d2"))], Serving::Several),
            (vec![("a", Some("d1")), ("b", None)], Serving::Several),
            (vec![("a", None)], Serving::Nobody),
            (vec![], Serving::Nobody),
        ] {
            assert_eq!(scene(&holders, None).serving(), serving, "{holders:?}");
        }
    }

    #[test]
    fn a_project_that_does_not_say_is_not_taken_as_free() {
        for (said, pin) in [
            (Some(false), Pin::Free),
            (Some(true), Pin::Pinned(None)),
            (None, Pin::Unsaid),
        ] {
            assert_eq!(scene(&[], said).pin(), pin);
        }
    }
}
