//! What a backup does not hold, for people to read.

use std::fmt::Write;

use backup::schema::Exclusion;

/// Gaps first: what of the app's is nowhere. Then what comes from elsewhere.
/// Each list begins with an empty line and a heading, and is absent when empty.
pub(super) fn text(gaps: &[Exclusion], excluded: &[Exclusion]) -> String {
    let mut text = String::new();
    for (heading, list) in [
        ("GAPS, which this backup cannot hold", gaps),
        ("Not covered", excluded),
    ] {
        if list.is_empty() {
            continue;
        }
        let _ = write!(text, "\n{heading}:\n");
        for Exclusion { what, why } in list {
            let _ = writeln!(text, "  {what}: {why}");
        }
    }
    text
}
