//! The proof for what no checksum holds: the target's objects, described as the source's
//! were, against the backup's text.

use std::collections::{HashMap, HashSet};

use super::{Cause, Work, object_statements::Statements, refusals::Missing};
use crate::schema::{self, Scope, Stage};

/// Kinds that are a server's and not a database's.
const ELSEWHERE: [&str; 2] = ["role", "setting"];

impl Work<'_> {
    /// Names the app's objects that the target does not describe as the source did, but
    /// for those that are known to be missing. A newer server may word things otherwise,
    /// so there only kinds and names count. Says how many were compared; `None` where the target cannot be described.
    pub(super) async fn unlike(
        &self,
        known: &[Missing],
    ) -> Result<Option<(u64, Vec<Missing>)>, Cause> {
        let Some(there) = self.described().await? else {
            return Ok(None);
        };
        let known: HashSet<&str> = known.iter().map(|missing| missing.what.as_str()).collect();
        let is_known = |what: &String| {
            known.contains(what.as_str()) || known.contains(format!("validity of {what}").as_str())
        };
        let (mut compared, mut unlike) = (0, Vec::new());
        for stage in [Stage::Before, Stage::After] {
            let scripts = self.plan.chosen.scripts(stage);
            let app = scripts.filter(|chosen| chosen.script.scope == Scope::App);
            let statements = Statements::read(self.source, app).await?;
            for (object, sql) in statements.each() {
                let what = object.described();
                if ELSEWHERE.contains(&object.kind.as_str()) || is_known(&what) {
                    continue;
                }
                compared += 1;
                let reason = match there.get(&what) {
                    None => "the target does not have it",
                    Some(texts)
                        if self.is_same_version() && !texts.iter().any(|text| text == sql) =>
                    {
                        "the target has it otherwise than the source had"
                    }
                    Some(_) => continue,
                };
                unlike.push(Missing {
                    what: format!("likeness of {what}"),
                    reason: reason.to_owned(),
                    statement: sql.to_owned(),
                });
            }
        }
        Ok(Some((compared, unlike)))
    }

    fn is_same_version(&self) -> bool {
        self.major == self.source.manifest.server.version_num / 10_000
    }

    /// The texts of the target's objects, by kind and name.
    async fn described(&self) -> Result<Option<HashMap<String, Vec<String>>>, Cause> {
        let session = self.sessions.main();
        let Ok(described) = schema::describe(session).await else {
            return Ok(None);
        };
        let mut texts: HashMap<String, Vec<String>> = HashMap::new();
        for object in described.objects {
            let what = format!("{} {}", object.kind, object.name);
            texts.entry(what).or_default().push(object.sql);
        }
        Ok(Some(texts))
    }
}
