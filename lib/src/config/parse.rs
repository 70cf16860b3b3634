//! From text to types, one variable at a time, collecting every fault.

use outside::secure_url;
use secrecy::SecretString;
use url::Url;

use super::{Fault, FaultKind};

/// Reads variables through a lookup and keeps what was wrong with them.
pub(super) struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    pub(super) faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            lookup,
            faults: Vec::new(),
        }
    }

    /// A variable's value; one that is empty or blank counts as unset.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let value = (self.lookup)(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// The first of several names that is set, with the name.
    pub(super) fn first(&self, names: &[&'static str]) -> Option<(&'static str, String)> {
        names
            .iter()
            .find_map(|name| self.text(name).map(|value| (*name, value)))
    }

    pub(super) fn missing(&mut self, variable: &'static str) {
        self.faults.push(Fault {
            variable,
            kind: FaultKind::Missing,
        });
    }

    /// Notes that a variable is missing, if it is.
    pub(super) fn require(&mut self, variable: &'static str) {
        if self.text(variable).is_none() {
            self.missing(variable);
        }
    }

    fn invalid(&mut self, variable: &'static str, reason: &'static str) {
        self.faults.push(Fault {
            variable,
            kind: FaultKind::Invalid(reason),
        });
    }

    /// Keeps the value, or notes why it is of no use. The reason never carries
    /// the value, which may be a secret in the wrong place.
    pub(super) fn keep<T>(
        &mut self,
        variable: &'static str,
        parsed: Result<T, &'static str>,
    ) -> Option<T> {
        parsed.map_err(|reason| self.invalid(variable, reason)).ok()
    }

    pub(super) fn url(&mut self, names: &[&'static str]) -> Option<Url> {
        let (name, value) = self.first(names)?;
        self.keep(name, secure_url::parse(&value))
    }

    pub(super) fn url_or(&mut self, name: &'static str, default: &'static str) -> Option<Url> {
        let value = self.text(name).unwrap_or_else(|| default.to_owned());
        self.keep(name, secure_url::parse(&value))
    }

    /// A secret that guards an endpoint.
    pub(super) fn guard(&mut self, name: &'static str) -> Option<SecretString> {
        let value = self.text(name)?;
        let parsed = if value.len() >= 16 {
            Ok(value.into())
        } else {
            Err("shorter than 16 characters")
        };
        self.keep(name, parsed)
    }

    /// A secret that is sent in a header.
    pub(super) fn key(&mut self, name: &'static str) -> Option<SecretString> {
        let value = self.text(name)?;
        let sendable = value.bytes().all(|byte| byte.is_ascii_graphic());
        let parsed = if sendable {
            Ok(value.into())
        } else {
            Err("contains blanks or non-ASCII characters")
        };
        self.keep(name, parsed)
    }
}

/// One address or several with commas between.
pub(super) fn addresses(text: &str) -> Result<Vec<String>, &'static str> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(address)
        .collect()
}

/// `user@host`, or `Name <user@host>`. The mail service has the last word.
pub(super) fn address(text: &str) -> Result<String, &'static str> {
    let bare = match text.rsplit_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').ok_or("not an email address")?,
        None => text,
    };
    let plausible = bare.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty()
            && host.contains('.')
            && !bare.contains(char::is_whitespace)
            && !host.contains('@')
    });
    if plausible && !text.contains(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("not an email address")
    }
}
