//! What is asked of a person, in the order in which one finds the answers.

use ops::config::variables;

use super::{asking::Asking, book::Book, placement::is_secret};

/// What is needed before the platforms are looked at.
const OF_PLATFORMS: [&str; 7] = [
    "VERCEL_TOKEN",
    "VERCEL_TEAM_ID",
    "VERCEL_PROJECT_ID",
    "GITHUB_TOKEN",
    "GITHUB_REPOSITORY",
    "SUPABASE_ACCESS_TOKEN",
    "SUPABASE_PROJECT_REF",
];

/// What is needed of the app, its project, and the ways to tell people.
const OF_THE_APP: [&str; 17] = [
    "NEXT_PUBLIC_SUPABASE_URL",
    "SUPABASE_SECRET_KEY",
    "SUPABASE_PUBLISHABLE_KEY",
    "DATABASE_URL",
    "DATABASE_CA",
    "NEXT_PUBLIC_APP_URL",
    "BASE_URL",
    "SLACK_WEBHOOK_URL",
    "RESEND_API_KEY",
    "RESEND_FROM_EMAIL",
    "ADMIN_EMAIL",
    "OPENAI_API_KEY",
    "GOOGLE_VISION_API_KEY",
    "BACKUP_URL",
    "BACKUP_ACCESS_KEY_ID",
    "BACKUP_SECRET_ACCESS_KEY",
    "HEARTBEAT_URL",
];

/// Without these there is nothing to watch, or no way to prepare it. Each may have several
/// names.
const REQUIRED: [&[&str]; 4] = [
    &["NEXT_PUBLIC_SUPABASE_URL", "SUPABASE_URL"],
    &["SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY"],
    &["DATABASE_URL"],
    &["NEXT_PUBLIC_APP_URL"],
];

/// What means the same under another name, so that it is not asked twice.
const SAME: [(&str, &str); 3] = [
    ("NEXT_PUBLIC_SUPABASE_URL", "SUPABASE_URL"),
    ("SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY"),
    ("SUPABASE_PUBLISHABLE_KEY", "NEXT_PUBLIC_SUPABASE_ANON_KEY"),
];

/// What makes no sense without another.
const ONLY_WITH: [(&str, &str); 9] = [
    ("VERCEL_TEAM_ID", "VERCEL_TOKEN"),
    ("VERCEL_PROJECT_ID", "VERCEL_TOKEN"),
    ("GITHUB_REPOSITORY", "GITHUB_TOKEN"),
    ("SUPABASE_PROJECT_REF", "SUPABASE_ACCESS_TOKEN"),
    ("RESEND_FROM_EMAIL", "RESEND_API_KEY"),
    ("ADMIN_EMAIL", "RESEND_API_KEY"),
    ("BACKUP_ACCESS_KEY_ID", "BACKUP_URL"),
    ("BACKUP_SECRET_ACCESS_KEY", "BACKUP_URL"),
    ("DATABASE_CA", "DATABASE_URL"),
];

/// Asks how the platforms are reached.
pub(super) fn of_platforms(book: &mut Book, asking: &Asking) -> std::io::Result<()> {
    ask(book, asking, &OF_PLATFORMS)
}

/// Asks for the rest.
pub(super) fn of_the_app(book: &mut Book, asking: &Asking) -> std::io::Result<()> {
    ask(book, asking, &OF_THE_APP)
}

/// The first name of everything that is required and not known.
pub(super) fn missing(book: &Book) -> Vec<&'static str> {
    REQUIRED
        .iter()
        .filter(|names| names.iter().all(|name| book.get(name).is_none()))
        .filter_map(|names| names.first().copied())
        .collect()
}

fn ask(book: &mut Book, asking: &Asking, names: &[&'static str]) -> std::io::Result<()> {
    if !asking.is_person() {
        return Ok(());
    }
    for name in names {
        if book.get(name).is_none() && makes_sense(book, name) {
            ask_one(book, asking, name)?;
        }
    }
    Ok(())
}

/// Asks until the answer can be used or is skipped.
fn ask_one(book: &mut Book, asking: &Asking, name: &'static str) -> std::io::Result<()> {
    let meaning = variables::all()
        .find(|variable| variable.name == name)
        .map_or("", |variable| variable.meaning);
    let skipping = if is_required(name) {
        "required"
    } else {
        "Enter to leave it out"
    };
    asking.say(&format!("\n{}", meaning.replace('`', "")))?;
    loop {
        let question = format!("{name} ({skipping})");
        let Some(answer) = asking.line(&question, is_secret(name))? else {
            return Ok(());
        };
        match book.objection(name, &answer) {
            None => {
                book.put(name, &answer);
                return Ok(());
            }
            Some(reason) => asking.say(&format!("  cannot be used: {reason}"))?,
        }
    }
}

fn is_required(name: &str) -> bool {
    REQUIRED.iter().any(|names| names.contains(&name))
}

fn makes_sense(book: &Book, name: &str) -> bool {
    let known_as_another = SAME
        .iter()
        .any(|(one, other)| *one == name && book.get(other).is_some());
    let lacks_its_base = ONLY_WITH
        .iter()
        .any(|(one, base)| *one == name && book.get(base).is_none());
    let is_a_folder = || {
        let url = book.get("BACKUP_URL");
        url.is_some_and(|url| url.starts_with("file:"))
    };
    let opens_a_bucket = name.starts_with("BACKUP_") && name.contains("ACCESS_KEY");
    !(known_as_another || lacks_its_base || opens_a_bucket && is_a_folder())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_is_about_a_variable_of_the_documentation() {
        for name in OF_PLATFORMS.iter().chain(&OF_THE_APP) {
            assert!(variables::all().any(|one| one.name == *name), "{name}");
        }
    }

    #[test]
    fn what_has_an_answer_under_another_name_is_not_missing() {
        let mut book = Book::default();
        assert_eq!(missing(&book).len(), 4);
        book.put("SUPABASE_URL", "https://p.supabase.co");
        book.put("SUPABASE_SERVICE_ROLE_KEY", "x");
        assert_eq!(missing(&book), ["DATABASE_URL", "NEXT_PUBLIC_APP_URL"]);
        assert!(!makes_sense(&book, "NEXT_PUBLIC_SUPABASE_URL"));
    }

    #[test]
    fn a_folder_has_no_access_key() {
        let mut book = Book::default();
        assert!(!makes_sense(&book, "BACKUP_ACCESS_KEY_ID"));
        book.put("BACKUP_URL", "s3://bucket");
        assert!(makes_sense(&book, "BACKUP_ACCESS_KEY_ID"));
        book.put("BACKUP_URL", "file:///backups");
        assert!(!makes_sense(&book, "BACKUP_SECRET_ACCESS_KEY"));
    }
}
