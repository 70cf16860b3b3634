//! What checks take from the environment.

use std::ffi::OsString;

use outside::secure_url;

use super::Config;

/// How the names of variables begin that the headers of checks may name: an
/// editor of checks must not be able to send any other secret anywhere.
pub const CHECK_PREFIX: &str = "CHECK_";

impl Config {
    /// The same with those of the variables that checks may name.
    #[must_use]
    pub fn with_check_variables(
        mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let named = variables
            .into_iter()
            .filter(|(name, _)| name.starts_with(CHECK_PREFIX));
        self.check_variables
            .extend(named.map(|(name, value)| (name, value.into())));
        self
    }

    /// Whether the database is on this machine, which is then nobody's production.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.supabase
            .as_ref()
            .is_some_and(|supabase| secure_url::is_loopback(&supabase.url))
    }
}

/// A variable whose name and value are text.
pub(super) fn text((name, value): (OsString, OsString)) -> Option<(String, String)> {
    Some((name.into_string().ok()?, value.into_string().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_variables_of_the_prefix_can_be_named() {
        let variables = ["CHECK_TOKEN", "CRON_SECRET", "MY_CHECK_TOKEN"]
            .map(|name| (name.to_owned(), "value".to_owned()));
        let config = Config::from_lookup(&|_| None).with_check_variables(variables);
        let names: Vec<_> = config.check_variables.keys().collect();
        assert_eq!(names, ["CHECK_TOKEN"]);
    }
}
