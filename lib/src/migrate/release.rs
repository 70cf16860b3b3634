//! The order of releases.

/// A release's number. Numbers compare part by part, so that 0.10.0 is newer
/// than 0.9.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Release([u32; 3]);

impl Release {
    /// Reads `major.minor.patch`; anything else is no release.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<u32> = text
            .split('.')
            .map(|part| part.parse().ok())
            .collect::<Option<_>>()?;
        parts.try_into().ok().map(Self)
    }
}

/// Whether a release is at least the one that is needed. What cannot be read is
/// taken as newer than everything: an older build must not guess.
pub(super) fn reaches(release: &str, needed: &str) -> bool {
    match (Release::parse(release), Release::parse(needed)) {
        (Some(release), Some(needed)) => release >= needed,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_as_numbers() {
        let check = |release, needed, expected| {
            assert_eq!(reaches(release, needed), expected, "{release} {needed}");
        };
        check("0.1.0", "0.1.0", true);
        check("0.10.0", "0.9.1", true);
        check("0.9.1", "0.10.0", false);
        check("1.0.0", "0.99.99", true);
        check("0.1.0", "0.1", false);
        check("0.1.0", "soon", false);
    }
}
