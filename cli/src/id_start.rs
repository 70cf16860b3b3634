//! Alerts, messages and errors are named by the start of their id, as lists show it.

use uuid::Uuid;

use terminal::failure::Misuse;

/// How many characters of an id a list shows.
const SHOWN: usize = 8;

/// The start of an id, for a list.
pub(crate) fn shown(id: Uuid) -> String {
    id.to_string().chars().take(SHOWN).collect()
}

/// The one id that begins so. `what` says what the ids are of: "open alert".
pub(crate) fn find(
    what: &str,
    start: &str,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Uuid, Misuse> {
    let start = start.to_lowercase();
    let begins_so = |id: &Uuid| !start.is_empty() && id.to_string().starts_with(&start);
    let found: Vec<Uuid> = ids.into_iter().filter(begins_so).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        others => Err(Misuse(format!(
            "the id must be the start of exactly one {what}'s id, got `{start}`, with which {} begin",
            others.len()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_of_an_id_is_enough_if_no_other_begins_so() {
        let ids = [
            "abc00000-0000-4000-8000-000000000001",
            "abd00000-0000-4000-8000-000000000002",
        ]
        .map(|id| id.parse::<Uuid>().unwrap());
        assert_eq!(find("open alert", "ABC", ids).unwrap(), ids[0]);
        for start in ["ab", "x", ""] {
            assert!(find("open alert", start, ids).is_err(), "{start}");
        }
        assert!(
            find("open alert", "", [ids[0]]).is_err(),
            "no id names none"
        );
        assert_eq!(shown(ids[0]), "abc00000");
    }
}
