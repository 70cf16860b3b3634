//! Whether the builder made functions, and not servers behind a proxy of its own.

use super::OPS;
use crate::verification::{
    judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
};

pub(super) const LOOK: Look = Look {
    name: "standalone",
    group: Group::Platform,
    importance: Importance::Critical,
    of: OPS,
    mend: "keep every function under api/ and vercel_runtime among the root package's own \
           dependencies, and build with the pinned command of Vercel",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    match &seen.standalone {
        Err(reason) => Judgement::skipped(*reason),
        Ok(Err(error)) => Judgement::failed(format!("the build cannot be read: {error}")),
        Ok(Ok(found)) => {
            let bad: Vec<_> = found
                .iter()
                .map(|folder| format!("{folder} holds user-server"))
                .collect();
            Judgement::unless(&bad, "no function of the build has a proxy before it")
        }
    }
}
