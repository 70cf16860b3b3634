//! From text to types, one variable at a time, collecting every fault.

use outside::secure_url;
use secrecy::SecretString;
use url::Url;

use super::{Fault, FaultKind};

/// Reads variables through a lookup and keeps what was wrong with them.
pub(crate) struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    pub(crate) faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            lookup,
            faults: Vec::new(),
        }
    }

    /// A variable's value; one that is empty or blank counts as unset.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let value = (self.lookup)(name)?;
        usable(&value).map(str::to_owned)
    }

    /// The first of several names that is set, with the name.
    pub(crate) fn first(&self, names: &[&'static str]) -> Option<(&'static str, String)> {
        names
            .iter()
            .find_map(|name| self.text(name).map(|value| (*name, value)))
    }

    /// Several parts may need one variable; what is wrong with it is told once.
    fn note(&mut self, variable: &'static str, kind: FaultKind) {
        let fault = Fault { variable, kind };
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    pub(crate) fn missing(&mut self, variable: &'static str) {
        self.note(variable, FaultKind::Missing);
    }

    /// Notes that a variable is missing, if it is.
    pub(crate) fn require(&mut self, variable: &'static str) {
        if self.text(variable).is_none() {
            self.missing(variable);
        }
    }

    fn invalid(&mut self, variable: &'static str, reason: &'static str) {
        self.note(variable, FaultKind::Invalid(reason));
    }

    /// Keeps the value, or notes why it is of no use. The reason never carries
    /// the value, which may be a secret in the wrong place.
    pub(crate) fn keep<T>(
        &mut self,
        variable: &'static str,
        parsed: Result<T, &'static str>,
    ) -> Option<T> {
        parsed.map_err(|reason| self.invalid(variable, reason)).ok()
    }

    pub(crate) fn url(&mut self, names: &[&'static str]) -> Option<Url> {
        let (name, value) = self.first(names)?;
        self.keep(name, secure_url::parse(&value))
    }

    pub(crate) fn url_or(&mut self, name: &'static str, default: &'static str) -> Option<Url> {
        let value = self.text(name).unwrap_or_else(|| default.to_owned());
        self.keep(name, secure_url::parse(&value))
    }

    /// A secret that guards an endpoint.
    pub(crate) fn guard(&mut self, name: &'static str) -> Option<SecretString> {
        let value = self.text(name)?;
        let parsed = if value.len() >= 16 {
            Ok(value.into())
        } else {
            Err("shorter than 16 characters")
        };
        self.keep(name, parsed)
    }

    /// A secret that is sent in a header.
    pub(crate) fn key(&mut self, name: &'static str) -> Option<SecretString> {
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

impl Reader<'_> {
    /// Nothing if none of several variables is set; where one is, all of them have to be.
    pub(crate) fn requires_all(&mut self, names: &[&'static str]) -> Option<()> {
        self.first(names)?;
        for name in names {
            self.require(name);
        }
        Some(())
    }

    /// A URL that is itself the proof of who calls it.
    pub(crate) fn secret_url(&mut self, name: &'static str) -> Option<SecretString> {
        let value = self.text(name)?;
        self.keep(name, secure_url::parse(&value).map(|_| value.into()))
    }
}

/// What counts of a value; nothing where it is empty or blank.
pub(super) fn usable(value: &str) -> Option<&str> {
    let value = value.trim();
    (!value.is_empty()).then_some(value)
}

/// One address or several with commas between.
pub(crate) fn addresses(text: &str) -> Result<Vec<String>, &'static str> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(address)
        .collect()
}

/// `user@host`, or `Name <user@host>`. The mail service has the last word.
pub(crate) fn address(text: &str) -> Result<String, &'static str> {
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
