//! The section of `docs/configuration.md` that says what keeps callers from asking
//! too much: the table of endpoints, in words.

use std::fmt::Write;

use ops::endpoint::Endpoint;

const HEADING: &str = "\n## Limits\n\n\
Who is limited at which endpoint, by what, and where that is counted. What each instance counts \
for itself, as many instances as there are count apart. A body that is larger than its endpoint \
takes is refused with 413, before anybody looks at who sent it.\n\n\
| endpoint | limited | counted | body |\n| --- | --- | --- | --- |\n";

/// The section.
pub(super) fn markdown() -> String {
    let mut text = HEADING.to_owned();
    for endpoint in Endpoint::ALL {
        let spec = endpoint.spec();
        let body = match spec.body_limit {
            0 => "not read".to_owned(),
            bytes => format!("{} KiB", bytes / 1024),
        };
        for limit in spec.limits {
            let (rule, counted) = (limit.rule(), limit.counted());
            let _ = writeln!(text, "| `{}` | {rule} | {counted} | {body} |", spec.path);
        }
    }
    text
}
