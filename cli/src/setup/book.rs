//! What is known of the variables so far: what the local file holds, and what was
//! answered, made or found since.

use std::collections::BTreeMap;

use ops::config::{CHECK_PREFIX, Config, Fault, FaultKind, variables};
use terminal::env_file::Variables;

use super::placement::is_set_by_the_platform;

/// The variables, with what is new among them.
#[derive(Debug, Default)]
pub(super) struct Book {
    kept: Variables,
    new: Variables,
}

impl Book {
    /// What the local file holds.
    pub(super) fn of(kept: Variables) -> Self {
        Self {
            kept,
            new: Variables::new(),
        }
    }

    /// A variable; one that is blank counts as unset.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let known = self.new.get(name).or_else(|| self.kept.get(name))?;
        Some(known.trim()).filter(|value| !value.is_empty())
    }

    /// Writes a value down, unless it is there already.
    pub(super) fn put(&mut self, name: &str, value: &str) {
        if self.get(name) != Some(value.trim()) {
            self.new.insert(name.to_owned(), value.trim().to_owned());
        }
    }

    /// Whether the local file holds another value.
    pub(super) fn differs(&self, name: &str, value: &str) -> bool {
        let kept = self.kept.get(name).map(|kept| kept.trim());
        kept.is_some_and(|kept| !kept.is_empty() && kept != value.trim())
    }

    /// What is not in the local file yet, or otherwise.
    pub(super) fn additions(&self) -> &Variables {
        &self.new
    }

    /// Every variable that is set.
    pub(super) fn all(&self) -> BTreeMap<&str, &str> {
        let names = self.kept.keys().chain(self.new.keys());
        names
            .filter_map(|name| Some((name.as_str(), self.get(name)?)))
            .collect()
    }

    /// The bundle's configuration as it is known so far.
    pub(super) fn config(&self) -> Config {
        Config::from_lookup(&|name| self.get(name).map(str::to_owned))
    }

    /// What is wrong with a value that a variable is to have.
    pub(super) fn objection(&self, name: &str, value: &str) -> Option<&'static str> {
        let config = Config::from_lookup(&|known| {
            if known == name {
                return Some(value.to_owned());
            }
            self.get(known).map(str::to_owned)
        });
        invalid(&config)
            .find(|(variable, _)| *variable == name)
            .map(|(_, reason)| reason)
    }
}

/// What is set and cannot be used, with the reason.
pub(super) fn invalid(config: &Config) -> impl Iterator<Item = (&'static str, &'static str)> {
    let unusable = |Fault { variable, kind }: &Fault| match kind {
        FaultKind::Invalid(reason) => Some((*variable, *reason)),
        FaultKind::Missing | FaultKind::Warning(_) => None,
    };
    config.faults.iter().filter_map(unusable)
}

/// What an answer to a variable of that name is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// One that somebody sets.
    Settable,
    /// One that the platform sets.
    Platform,
    /// None of the bundle's.
    Unknown,
}

impl Known {
    /// What the documentation says of the name.
    pub(super) fn of(name: &str) -> Self {
        let is_check = name.starts_with(CHECK_PREFIX) && name.len() > CHECK_PREFIX.len();
        match () {
            () if is_set_by_the_platform(name) => Self::Platform,
            () if is_check || variables::all().any(|variable| variable.name == name) => {
                Self::Settable
            }
            () => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_already_is_not_new_and_blank_counts_as_unset() {
        let kept = Variables::from([
            ("A".to_owned(), "x".to_owned()),
            ("B".to_owned(), " ".to_owned()),
        ]);
        let mut book = Book::of(kept);
        book.put("A", "x ");
        assert!(book.additions().is_empty());
        assert!(!book.differs("A", "x") && book.differs("A", "y") && !book.differs("B", "y"));
        book.put("B", "y");
        assert_eq!(book.get("B"), Some("y"));
        assert_eq!(book.all(), BTreeMap::from([("A", "x"), ("B", "y")]));
    }

    #[test]
    fn a_value_is_judged_by_what_will_read_it() {
        let book = Book::default();
        let secret = "SUPABASE_SECRET_KEY";
        let objection = book.objection(secret, "sb_publishable_x").unwrap();
        assert!(objection.starts_with("not a secret key"), "{objection}");
        assert_eq!(book.objection(secret, "sb_secret_x"), None);
        assert_eq!(
            book.objection("CRON_SECRET", "short"),
            Some("shorter than 16 characters")
        );
    }

    #[test]
    fn names_are_those_of_the_documentation() {
        assert_eq!(Known::of("CRON_SECRET"), Known::Settable);
        assert_eq!(Known::of("CHECK_SHOP"), Known::Settable);
        assert_eq!(Known::of("VERCEL_ENV"), Known::Platform);
        assert_eq!(Known::of("CRON_SECRETS"), Known::Unknown);
    }
}
