//! The header `Prefer`: comma lists that add up; the first of a kind wins.

use http::HeaderMap;

use super::error::{ApiError, Result};

/// What the client prefers; `None` where it does not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Preferences {
    pub(super) resolution: Option<Resolution>,
    pub(super) missing: Option<Missing>,
    pub(super) returning: Option<Returning>,
    pub(super) count: Option<Count>,
    pub(super) handling: Option<Handling>,
    pub(super) timezone: Option<String>,
    /// How many rows a change may affect; counts with strict handling only.
    pub(super) max_affected: Option<u64>,
    /// What this server does not know.
    pub(super) unknown: Vec<String>,
}

/// What happens to rows that exist already.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Resolution {
    MergeDuplicates,
    IgnoreDuplicates,
}

/// What a key that a row lacks means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Missing {
    Null,
    Default,
}

/// What a change returns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Returning {
    Representation,
    Minimal,
    HeadersOnly,
}

/// How the rows of the whole result are counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Count {
    Exact,
    Planned,
    Estimated,
}

/// What becomes of unknown preferences.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Handling {
    Strict,
    Lenient,
}

impl Preferences {
    /// Reads all `Prefer` headers; nothing is refused yet.
    pub(super) fn parse(headers: &HeaderMap) -> Self {
        let mut preferences = Self::default();
        headers
            .get_all("prefer")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .for_each(|item| preferences.add(item));
        preferences
    }

    /// Refuses unknown preferences where the client wants that.
    pub(super) fn check(&self) -> Result<()> {
        if self.handling == Some(Handling::Strict) && !self.unknown.is_empty() {
            return Err(ApiError::bad_request(
                "PGRST122",
                "Invalid preferences given with handling=strict",
            )
            .details(format!("Invalid preferences: {}", self.unknown.join(", "))));
        }
        Ok(())
    }

    /// How many rows a change may affect.
    pub(super) fn row_limit(&self) -> Option<u64> {
        self.max_affected
            .filter(|_| self.handling == Some(Handling::Strict))
    }

    /// Whether the total is counted rather than estimated.
    pub(super) fn counts_rows(&self) -> bool {
        matches!(self.count, Some(Count::Exact | Count::Estimated))
    }

    /// The header `Preference-Applied` for exactly these preferences.
    pub(super) fn applied(&self) -> Option<String> {
        let words = [
            self.resolution.map(|resolution| match resolution {
                Resolution::MergeDuplicates => "resolution=merge-duplicates",
                Resolution::IgnoreDuplicates => "resolution=ignore-duplicates",
            }),
            self.missing.map(|missing| match missing {
                Missing::Null => "missing=null",
                Missing::Default => "missing=default",
            }),
            self.returning.map(|returning| match returning {
                Returning::Representation => "return=representation",
                Returning::Minimal => "return=minimal",
                Returning::HeadersOnly => "return=headers-only",
            }),
            self.count.map(|count| match count {
                Count::Exact => "count=exact",
                Count::Planned => "count=planned",
                Count::Estimated => "count=estimated",
            }),
            self.handling.map(|handling| match handling {
                Handling::Strict => "handling=strict",
                Handling::Lenient => "handling=lenient",
            }),
        ];
        let timezone = self
            .timezone
            .as_ref()
            .map(|zone| format!("timezone={zone}"));
        let max_affected = self
            .row_limit()
            .map(|limit| format!("max-affected={limit}"));
        let applied: Vec<String> = words
            .into_iter()
            .flatten()
            .map(str::to_owned)
            .chain(timezone)
            .chain(max_affected)
            .collect();
        (!applied.is_empty()).then(|| applied.join(", "))
    }

    fn add(&mut self, item: &str) {
        let (kind, value) = item.split_once('=').unwrap_or((item, ""));
        match (kind, value) {
            ("resolution", "merge-duplicates") => {
                self.resolution.get_or_insert(Resolution::MergeDuplicates);
            }
            ("resolution", "ignore-duplicates") => {
                self.resolution.get_or_insert(Resolution::IgnoreDuplicates);
            }
            ("missing", "default") => {
                self.missing.get_or_insert(Missing::Default);
            }
            ("missing", "null") => {
                self.missing.get_or_insert(Missing::Null);
            }
            ("return", "representation") => {
                self.returning.get_or_insert(Returning::Representation);
            }
            ("return", "minimal") => {
                self.returning.get_or_insert(Returning::Minimal);
            }
            ("return", "headers-only") => {
                self.returning.get_or_insert(Returning::HeadersOnly);
            }
            ("count", "exact") => {
                self.count.get_or_insert(Count::Exact);
            }
            ("count", "planned") => {
                self.count.get_or_insert(Count::Planned);
            }
            ("count", "estimated") => {
                self.count.get_or_insert(Count::Estimated);
            }
            ("handling", "strict") => {
                self.handling.get_or_insert(Handling::Strict);
            }
            ("handling", "lenient") => {
                self.handling.get_or_insert(Handling::Lenient);
            }
            ("timezone", zone) => {
                self.timezone.get_or_insert_with(|| zone.to_owned());
            }
            ("max-affected", number) if number.parse::<u64>().is_ok() => {
                self.max_affected = self.max_affected.or(number.parse().ok());
            }
            // Known, but only where a server lets clients override the end of
            // the transaction, which Supabase does not.
            ("tx", "commit" | "rollback") => {}
            _ => self.unknown.push(item.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(values: &[&str]) -> Preferences {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("prefer", value.parse().unwrap());
        }
        Preferences::parse(&headers)
    }

    #[test]
    fn several_headers_add_up_and_the_first_of_a_kind_wins() {
        let preferences = parse(&[
            "max-affected=3, timezone=Europe/Berlin,handling=strict",
            "count=exact, return=minimal, count=planned, tx=rollback",
            "missing=default, resolution=ignore-duplicates",
        ]);
        assert_eq!(preferences.count, Some(Count::Exact));
        assert_eq!(preferences.row_limit(), Some(3));
        assert_eq!(
            preferences.applied().unwrap(),
            "resolution=ignore-duplicates, missing=default, return=minimal, count=exact, \
             handling=strict, timezone=Europe/Berlin, max-affected=3"
        );
        assert_eq!(preferences.check(), Ok(()));
    }

    #[test]
    fn unknown_preferences_are_refused_by_strict_handling_alone() {
        assert_eq!(parse(&["a=b, count=some"]).check(), Ok(()));
        assert_eq!(parse(&["a=b, handling=lenient"]).check(), Ok(()));
        let refusal = parse(&["a=b, handling=strict", "count=some"]).check();
        assert_eq!(
            refusal,
            Err(ApiError::bad_request(
                "PGRST122",
                "Invalid preferences given with handling=strict"
            )
            .details("Invalid preferences: a=b, count=some"))
        );
        assert_eq!(parse(&["max-affected=3"]).row_limit(), None);
        assert_eq!(parse(&[]).applied(), None);
    }
}
