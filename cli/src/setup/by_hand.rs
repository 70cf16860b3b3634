//! What only a person can do, and where.

use serde::Serialize;

use super::book::Book;

/// Something for a person to do.
#[derive(Debug, Serialize)]
pub(super) struct Task {
    what: String,
    /// Where it is done: an address, or a command.
    #[serde(rename = "where")]
    place: String,
}

impl Task {
    fn new(what: &str, place: impl Into<String>) -> Self {
        Self {
            what: what.to_owned(),
            place: place.into(),
        }
    }

    /// One line for people.
    pub(super) fn line(&self) -> String {
        format!("  - {}: {}", self.what, self.place)
    }
}

/// What a person is left with, given what is known.
pub(super) fn tasks(book: &Book, vercel_is_linked: bool) -> Vec<Task> {
    let mut tasks = tokens(book, vercel_is_linked);
    tasks.extend(of_the_database(book));
    tasks.extend(of_backups(book));
    tasks.extend(of_messages(book));
    tasks
}

fn tokens(book: &Book, vercel_is_linked: bool) -> Vec<Task> {
    let mut tasks = Vec::new();
    if book.get("VERCEL_TOKEN").is_none() {
        tasks.push(Task::new(
            "make a token for the team, with an end, and run this again with VERCEL_TOKEN",
            "https://vercel.com/account/settings/tokens",
        ));
    } else if !vercel_is_linked {
        tasks.push(Task::new(
            "give the variables to the functions",
            "pourtrait setup --create-vercel-project NAME, or with VERCEL_PROJECT_ID",
        ));
    }
    match (book.get("GITHUB_TOKEN"), book.get("GITHUB_REPOSITORY")) {
        (Some(_), Some(repository)) => {
            tasks.push(Task::new(
                "say who has to approve a release (environment production)",
                format!("https://github.com/{repository}/settings/environments"),
            ));
            tasks.push(Task::new(
                "give the workflows what only you hold: BACKUP_IDENTITY, of a key pair of its own, for drills; VERCEL_AUTOMATION_BYPASS_SECRET, where deployments are protected and do not trust the repository (Trusted Sources)",
                format!("https://github.com/{repository}/settings/secrets/actions"),
            ));
        }
        _ => tasks.push(Task::new(
            "make a fine-grained token for the repository (secrets and variables: write), and run this again with GITHUB_TOKEN and GITHUB_REPOSITORY",
            "https://github.com/settings/personal-access-tokens/new",
        )),
    }
    if book.get("SUPABASE_ACCESS_TOKEN").is_none() {
        tasks.push(Task::new(
            "make an access token, so that the provider's own backups can be watched",
            "https://supabase.com/dashboard/account/tokens",
        ));
    }
    tasks
}

fn of_the_database(book: &Book) -> Vec<Task> {
    let mut tasks = Vec::new();
    let url = book.get("DATABASE_URL").unwrap_or_default();
    let is_supabase = url.contains(".supabase.co");
    if is_supabase && book.get("DATABASE_CA").is_none() {
        let project = book.config().platforms.supabase_project;
        let project = project.unwrap_or_else(|| "_".to_owned());
        tasks.push(Task::new(
            "download the server's certificate (SSL Configuration), and run this again with DATABASE_CA",
            format!("https://supabase.com/dashboard/project/{project}/database/settings"),
        ));
    }
    tasks.push(Task::new(
        "bring the database to the schema, then look at everything",
        "pourtrait migrate && pourtrait check --all",
    ));
    tasks.push(Task::new(
        "make somebody an admin of the pages",
        "pourtrait roles grant admin EMAIL",
    ));
    tasks
}

fn of_backups(book: &Book) -> Vec<Task> {
    match book.get("BACKUP_URL") {
        None => vec![Task::new(
            "choose a bucket with another provider, and run this again with BACKUP_URL",
            "docs/backup-recovery.md",
        )],
        Some(url) => {
            let mut tasks = vec![
                Task::new(
                    "give the private backup key to two people, each a copy of their own, offline",
                    "docs/backup-recovery.md",
                ),
                Task::new(
                    "make the repository of the backups, then try one",
                    "pourtrait backup init && pourtrait backup run",
                ),
            ];
            if url.starts_with("file:") {
                tasks.push(Task::new(
                    "name a bucket before you deploy, because functions refuse a folder",
                    "BACKUP_URL",
                ));
            }
            tasks
        }
    }
}

fn of_messages(book: &Book) -> Vec<Task> {
    let mut tasks = Vec::new();
    if book.config().channels.list().is_empty() {
        tasks.push(Task::new(
            "open a way to tell people, such as a webhook of Slack's, and run this again with SLACK_WEBHOOK_URL",
            "https://api.slack.com/apps",
        ));
    } else {
        tasks.push(Task::new(
            "prove that messages arrive",
            "pourtrait alerts prove",
        ));
    }
    tasks.push(Task::new(
        "say who is asked when nobody answers",
        "pourtrait contacts add NAME --role on_call_primary",
    ));
    if book.get("HEARTBEAT_URL").is_none() {
        tasks.push(Task::new(
            "let somebody outside notice when the monitor stops, and run this again with HEARTBEAT_URL",
            "https://healthchecks.io",
        ));
    }
    tasks
}
