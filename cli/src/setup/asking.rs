//! Who is asked: a person at a terminal, or nobody.

use std::io::IsTerminal;

use console::Term;

/// Whom questions go to.
pub(super) enum Asking {
    /// Somebody who reads and types.
    Person(Term),
    /// A script.
    Nobody,
}

impl Asking {
    /// A person, where both ends are a terminal.
    pub(super) fn find() -> Self {
        let term = Term::stderr();
        if term.is_term() && std::io::stdin().is_terminal() {
            Self::Person(term)
        } else {
            Self::Nobody
        }
    }

    /// Whether there is somebody to be asked.
    pub(super) fn is_person(&self) -> bool {
        matches!(self, Self::Person(_))
    }

    /// An answer as it was typed, hidden where it is secret; nothing where it was skipped
    /// or nobody is there.
    pub(super) fn line(&self, question: &str, secret: bool) -> std::io::Result<Option<String>> {
        let Self::Person(term) = self else {
            return Ok(None);
        };
        term.write_str(&format!("{question}: "))?;
        let line = if secret {
            term.read_secure_line()?
        } else {
            term.read_line()?
        };
        let line = line.trim();
        Ok((!line.is_empty()).then(|| line.to_owned()))
    }

    /// Whether somebody says yes. Nobody says no.
    pub(super) fn agrees(&self, question: &str) -> std::io::Result<bool> {
        let answer = self.line(&format!("{question} [y/N]"), false)?;
        Ok(answer.is_some_and(|answer| matches!(answer.as_str(), "y" | "Y" | "yes")))
    }

    /// Says something to a person.
    pub(super) fn say(&self, text: &str) -> std::io::Result<()> {
        match self {
            Self::Person(term) => term.write_line(text),
            Self::Nobody => Ok(()),
        }
    }
}
