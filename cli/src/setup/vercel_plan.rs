//! What a project on Vercel has to get so that it holds what is wanted. Pure: a list of
//! what is there, a list of what shall be there, and the changes between them.
//!
//! A value that is kept as sensitive is never shown again, so each variable carries a
//! fingerprint of its value in its comment, by which a second run finds nothing to do.

use ops::{
    config::Fingerprinter,
    platforms::vercel::environment::{Kind, Listed, Set},
};
use secrecy::{ExposeSecret, SecretString};

use super::placement::{is_for_functions, is_secret, portable};

/// The environments that get every variable. A laptop has its own file.
pub(crate) const TARGETS: [&str; 2] = ["production", "preview"];

/// What a comment of ours begins with.
const MARK: &str = "pourtrait ";

/// A variable as it shall be there.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    value: SecretString,
    kind: Kind,
    comment: String,
}

/// What is done about one variable.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) wanted: Wanted,
    pub(crate) why: Why,
    /// The variables that are in the way, by id.
    pub(crate) removes: Vec<String>,
    /// Whether what is there was not set by us.
    pub(crate) is_foreign: bool,
}

/// Why something is done about a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is not there.
    Absent,
    /// It was set by us, to another value.
    OtherValue,
    /// It was set by somebody, to a value that nobody can compare.
    UnknownValue,
    /// It is kept in another way, or for other environments, or several times.
    OtherShape,
}

impl Why {
    /// In words that follow the variable's name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "is not there",
            Self::OtherValue => "has another value",
            Self::UnknownValue => "was set by somebody else, so its value cannot be compared",
            Self::OtherShape => {
                "is not kept once, for production and preview, in the way that fits its secrecy"
            }
        }
    }
}

impl Wanted {
    /// What the functions are to be given of these variables.
    pub(crate) fn of<'a>(
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
        fingerprinter: &Fingerprinter,
    ) -> Result<Vec<Self>, String> {
        let ours = variables
            .into_iter()
            .filter(|(name, _)| is_for_functions(name));
        ours.map(|(name, value)| {
            let value = portable(name, value)?;
            Ok(Self {
                name: name.to_owned(),
                kind: if is_secret(name) {
                    Kind::Sensitive
                } else {
                    Kind::Encrypted
                },
                comment: format!("{MARK}{}", fingerprinter.of(name, &value)),
                value: value.into(),
            })
        })
        .collect()
    }

    /// As a request names it.
    pub(crate) fn to_set(&self) -> Set<'_> {
        Set {
            key: &self.name,
            value: self.value.expose_secret(),
            kind: self.kind,
            target: &TARGETS,
            comment: &self.comment,
        }
    }
}

/// The changes that make `listed` what is wanted. Variables that nobody wants stay.
pub(crate) fn plan(wanted: Vec<Wanted>, listed: &[Listed]) -> Vec<Change> {
    wanted
        .into_iter()
        .filter_map(|wanted| change(wanted, listed))
        .collect()
}

fn change(wanted: Wanted, listed: &[Listed]) -> Option<Change> {
    let there: Vec<&Listed> = listed
        .iter()
        .filter(|one| one.key == wanted.name && one.is_general())
        .collect();
    let why = match there[..] {
        [] => Why::Absent,
        [one] if has_shape(one, &wanted) => match one.comment.as_deref() {
            Some(comment) if comment == wanted.comment => return None,
            Some(comment) if comment.starts_with(MARK) => Why::OtherValue,
            _ => Why::UnknownValue,
        },
        _ => Why::OtherShape,
    };
    // One of another shape is in the way of what is set over it.
    let removes = if why == Why::OtherShape {
        there.iter().filter_map(|one| one.id.clone()).collect()
    } else {
        Vec::new()
    };
    Some(Change {
        is_foreign: there.iter().any(|one| !is_ours(one)),
        wanted,
        why,
        removes,
    })
}

/// Whether it is kept as it should be.
fn has_shape(one: &Listed, wanted: &Wanted) -> bool {
    one.kind == wanted.kind
        && one.target.len() == TARGETS.len()
        && TARGETS
            .iter()
            .all(|target| one.target.iter().any(|one| one == target))
}

/// Whether its comment says that it was set by us.
fn is_ours(one: &Listed) -> bool {
    let comment = one.comment.as_deref();
    comment.is_some_and(|comment| comment.starts_with(MARK))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn wanted() -> Vec<Wanted> {
        let fingerprinter = Fingerprinter::new(&"0123456789abcdef".into());
        let variables = [
            ("CRON_SECRET", "0123456789abcdef"),
            ("VERCEL_TOKEN", "never given away"),
        ];
        Wanted::of(variables, &fingerprinter).unwrap()
    }

    fn listed(changes: &[(&str, Value)]) -> Listed {
        let mut document = json!({
            "id": "e1", "key": "CRON_SECRET", "type": "sensitive",
            "target": ["preview", "production"], "comment": wanted()[0].comment,
        });
        for (name, value) in changes {
            document[*name] = value.clone();
        }
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn what_is_there_as_wanted_is_left_alone_and_all_else_has_a_reason() {
        let production = json!("production");
        for (name, there, expected) in [
            ("nothing", vec![], Some((Why::Absent, 0, false))),
            ("the same", vec![listed(&[])], None),
            (
                "an older value",
                vec![listed(&[("comment", json!("pourtrait 0000000000000000"))])],
                Some((Why::OtherValue, 0, false)),
            ),
            (
                "somebody's",
                vec![listed(&[("comment", Value::Null)])],
                Some((Why::UnknownValue, 0, true)),
            ),
            (
                "in the clear",
                vec![listed(&[("type", json!("plain"))])],
                Some((Why::OtherShape, 1, false)),
            ),
            (
                "production alone",
                vec![listed(&[("target", production.clone())])],
                Some((Why::OtherShape, 1, false)),
            ),
            (
                "once each",
                vec![
                    listed(&[("target", production)]),
                    listed(&[("target", json!("preview")), ("comment", Value::Null)]),
                ],
                Some((Why::OtherShape, 2, true)),
            ),
            (
                "a branch's own",
                vec![listed(&[]), listed(&[("gitBranch", json!("x"))])],
                None,
            ),
        ] {
            let changes = plan(wanted(), &there);
            let found = changes
                .first()
                .map(|change| (change.why, change.removes.len(), change.is_foreign));
            assert_eq!(found, expected, "{name}");
            assert!(changes.len() <= 1, "{name}");
        }
    }
}
