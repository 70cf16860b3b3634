//! What two months are compared by: facts, a name and a value each, by area. A value is what
//! stays the same while nothing changes: no age, no count of days, no time of a look.
//!
//! Of an area of which nothing is known in one of the two, no difference is claimed.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// How many differences are told of an area; a table that was made anew has hundreds.
const TOLD: usize = 30;

/// All areas, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(BTreeMap<String, Area>);

/// One area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Area {
    /// Values by their names.
    Known(BTreeMap<String, String>),
    /// Nothing, for that reason.
    Unknown(String),
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It was not there.
    Added {
        /// Where.
        area: String,
        /// What.
        name: String,
        /// What it says.
        value: String,
    },
    /// It is not there any more.
    Gone {
        /// Where.
        area: String,
        /// What.
        name: String,
        /// What it said.
        value: String,
    },
    /// It says something else.
    Changed {
        /// Where.
        area: String,
        /// What.
        name: String,
        /// What it said.
        from: String,
        /// What it says.
        to: String,
    },
    /// More of that area differs.
    More {
        /// Where.
        area: String,
        /// How many.
        count: usize,
    },
    /// Whether something differs is not known.
    NotCompared {
        /// Where.
        area: String,
        /// Why.
        reason: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added { area, name, value } => {
                write!(formatter, "{area}: new is {name}: {value}")
            }
            Self::Gone { area, name, value } => {
                write!(formatter, "{area}: gone is {name}: {value}")
            }
            Self::Changed {
                area,
                name,
                from,
                to,
            } => write!(formatter, "{area}: {name} was {from} and is {to}"),
            Self::More { area, count } => write!(formatter, "{area}: and {count} more"),
            Self::NotCompared { area, reason } => {
                write!(formatter, "{area}: not compared, because {reason}")
            }
        }
    }
}

impl Facts {
    /// All areas, by their names.
    #[must_use]
    pub fn new(areas: impl IntoIterator<Item = (&'static str, Area)>) -> Self {
        let areas = areas.into_iter();
        Self(areas.map(|(name, area)| (name.to_owned(), area)).collect())
    }

    /// What differs from an earlier report.
    #[must_use]
    pub fn differences(&self, former: &Self) -> Vec<Difference> {
        self.0
            .iter()
            .flat_map(|(area, now)| match (former.0.get(area), now) {
                (_, Area::Unknown(reason)) => vec![not_compared(area, reason.clone())],
                (None, _) => vec![not_compared(
                    area,
                    "the report before did not have it".into(),
                )],
                (Some(Area::Unknown(reason)), _) => {
                    vec![not_compared(
                        area,
                        format!("it was not known then: {reason}"),
                    )]
                }
                (Some(Area::Known(then)), Area::Known(now)) => differences(area, then, now),
            })
            .collect()
    }
}

fn not_compared(area: &str, reason: String) -> Difference {
    Difference::NotCompared {
        area: area.to_owned(),
        reason,
    }
}

fn differences(
    area: &str,
    then: &BTreeMap<String, String>,
    now: &BTreeMap<String, String>,
) -> Vec<Difference> {
    let area = || area.to_owned();
    let gone = then
        .iter()
        .filter(|(name, _)| !now.contains_key(*name))
        .map(|(name, value)| Difference::Gone {
            area: area(),
            name: name.clone(),
            value: value.clone(),
        });
    let new = now.iter().filter_map(|(name, to)| match then.get(name) {
        None => Some(Difference::Added {
            area: area(),
            name: name.clone(),
            value: to.clone(),
        }),
        Some(from) if from != to => Some(Difference::Changed {
            area: area(),
            name: name.clone(),
            from: from.clone(),
            to: to.clone(),
        }),
        Some(_) => None,
    });
    let mut all: Vec<_> = gone.chain(new).collect();
    let count = all.len().saturating_sub(TOLD);
    if count > 0 {
        all.truncate(TOLD);
        all.push(Difference::More {
            area: area(),
            count,
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(areas: &[(&str, &[(&str, &str)])]) -> Facts {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let area = |(area, known): &(&str, &[(&str, &str)])| {
            let known = known.iter().map(owned).collect();
            ((*area).to_owned(), Area::Known(known))
        };
        Facts(areas.iter().map(area).collect())
    }

    fn told(now: &Facts, then: &Facts) -> Vec<String> {
        let differences = now.differences(then);
        differences.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn facts_are_compared_by_name_and_the_same_says_nothing() {
        let then = facts(&[(
            "grants",
            &[("a to anon", "select"), ("b to anon", "select")],
        )]);
        let now = facts(&[(
            "grants",
            &[("a to anon", "insert, select"), ("c to anon", "select")],
        )]);
        assert_eq!(told(&then, &then), [""; 0]);
        assert_eq!(
            told(&now, &then),
            [
                "grants: gone is b to anon: select",
                "grants: a to anon was select and is insert, select",
                "grants: new is c to anon: select",
            ]
        );
    }

    #[test]
    fn of_what_was_not_known_no_difference_is_claimed() {
        let known = facts(&[("people", &[("person 1", "admin")])]);
        let unknown = Facts([("people".to_owned(), Area::Unknown("it is closed".into()))].into());
        assert_eq!(
            told(&unknown, &known),
            ["people: not compared, because it is closed"]
        );
        assert_eq!(
            told(&known, &unknown),
            ["people: not compared, because it was not known then: it is closed"]
        );
        assert_eq!(
            told(&known, &Facts::default()),
            ["people: not compared, because the report before did not have it"]
        );
    }

    #[test]
    fn of_very_many_the_first_are_told_and_the_rest_is_counted() {
        let names: Vec<_> = (0..100).map(|nth| format!("{nth:03}")).collect();
        let all: Vec<_> = names.iter().map(|name| (name.as_str(), "x")).collect();
        let differences = told(&facts(&[("grants", &all)]), &facts(&[("grants", &[])]));
        assert_eq!(differences.len(), TOLD + 1);
        assert_eq!(differences[TOLD], "grants: and 70 more");
    }

    #[test]
    fn facts_are_read_as_they_were_kept() {
        let facts = facts(&[("grants", &[("a", "b")])]);
        let kept = serde_json::to_value(&facts).unwrap();
        assert_eq!(kept, serde_json::json!({"grants": {"known": {"a": "b"}}}));
        assert_eq!(serde_json::from_value::<Facts>(kept).unwrap(), facts);
    }
}
