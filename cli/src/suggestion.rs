//! What was probably meant where a name is not known.

/// From which likeness on a name is suggested, of 1: one letter too many, too few, wrong or in
/// another place.
const LIKE: f64 = 0.85;

/// The known name that is most like a given one, if any is like it.
pub(crate) fn closest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (strsim::normalized_damerau_levenshtein(given, name), name))
        .filter(|(likeness, _)| *likeness >= LIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_nonsense_is_not() {
        let known = ["alert.bad_after", "alert.good_after", "links.runbook"];
        for (given, meant) in [
            ("alert.bad_aftr", Some("alert.bad_after")),
            ("alert.bda_after", Some("alert.bad_after")),
            ("alert.god_after", Some("alert.good_after")),
            ("alert-bad-after", Some("alert.bad_after")),
            ("alert.nonsense", None),
            ("", None),
        ] {
            assert_eq!(closest(given, known.into_iter()), meant, "{given}");
        }
    }
}
