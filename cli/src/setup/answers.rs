//! What was answered beforehand: in a file, and on the command line.

use terminal::{
    env_file::{self, Variables},
    failure::Misuse,
    output,
};

use super::{
    arguments::Setup,
    asking::Asking,
    book::{Book, Known},
};

/// Every answer, those of the command line over those of the file.
pub(super) fn read(options: &Setup) -> Result<Variables, Misuse> {
    let mut answers = match &options.answers {
        Some(file) => env_file::read(file)?,
        None => Variables::new(),
    };
    for answer in &options.set {
        let Some((name, value)) = answer.split_once('=') else {
            return Err(Misuse(format!("--set takes NAME=VALUE, got {answer:?}")));
        };
        answers.insert(name.to_owned(), value.to_owned());
    }
    answers.retain(|_, value| !value.trim().is_empty());
    refuse_unknown(&answers)?;
    let (platform, ours) = answers
        .into_iter()
        .partition::<Variables, _>(|(name, _)| Known::of(name) == Known::Platform);
    for name in platform.keys() {
        output::note(&format!(
            "note: {name} is left out: the platform sets it itself"
        ));
    }
    Ok(ours)
}

/// A name that nobody reads is a typing error.
fn refuse_unknown(answers: &Variables) -> Result<(), Misuse> {
    let unknown: Vec<&str> = answers
        .keys()
        .filter(|name| Known::of(name) == Known::Unknown)
        .map(String::as_str)
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Misuse(format!(
        "no variable of the bundle is named {} (docs/configuration.md lists them)",
        unknown.join(", ")
    )))
}

/// Writes answers down. One that cannot be used, or that would replace what the local file
/// holds without anybody's consent, is refused, all of them together.
pub(super) fn write_down(
    book: &mut Book,
    answers: Variables,
    asking: &Asking,
    yes: bool,
) -> anyhow::Result<()> {
    let mut kept = Vec::new();
    for (name, value) in answers {
        if !book.differs(&name, &value) || yes {
            book.put(&name, &value);
        } else if !asking.is_person() {
            kept.push(name);
        } else if asking.agrees(&format!("{name} has another value here. Replace it?"))? {
            book.put(&name, &value);
        }
    }
    if kept.is_empty() {
        return Ok(());
    }
    let text = format!(
        "the local file has other values for {}: take them out of the answers, or say --yes to replace them",
        kept.join(", ")
    );
    Err(Misuse(text).into())
}
