//! Whether only what is public was published.

use super::BOTH;
use crate::verification::{
    judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
};

pub(super) const LOOK: Look = Look {
    name: "sources",
    group: Group::Access,
    importance: Importance::Critical,
    of: BOTH,
    mend: "delete the deployment, rotate every secret that lay in it, and look at \
           outputDirectory: without public/ the platform publishes the sources",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    let bad: Vec<_> = seen
        .sources
        .iter()
        .filter_map(|(path, reply)| {
            let answer = reply.as_ref().ok()?;
            // An app with pages for every path answers with a page.
            let is_page = answer
                .header("content-type")
                .is_some_and(|kind| kind.starts_with("text/html"));
            (answer.status == 200 && !is_page).then(|| format!("{path} can be read"))
        })
        .collect();
    Judgement::unless(&bad, "no source and no secret can be read")
}
