//! The watched project on Supabase: found or made, with its URL, its keys and the way to
//! its database.

use std::time::Duration;

use anyhow::{anyhow, bail};
use ops::platforms::{
    api::ApiError,
    supabase::{
        Management,
        projects::{NewProject, Project, SessionPooler},
    },
};
use outside::clock::{self, Deadline};
use secrecy::{ExposeSecret, SecretString};
use terminal::{failure::Misuse, output};
use url::Url;

use super::{arguments::Setup, book::Book, local_file::LocalFile, made::random};

/// The variable that keeps the password of a project that is made.
const PASSWORD: &str = "SUPABASE_DB_PASSWORD";

/// How long a new project may take to come up.
const COMING_UP: Duration = Duration::from_secs(180);

/// The longest wait between two looks at it.
const LONGEST_STEP: Duration = Duration::from_secs(8);

/// What a project is called once it works.
const WORKS: &str = "ACTIVE_HEALTHY";

/// Finds the project, or makes the one that is asked for, and writes down what it says of
/// itself. What is known already stays.
pub(super) async fn link(
    management: &Management,
    book: &mut Book,
    file: &LocalFile,
    options: &Setup,
) -> anyhow::Result<()> {
    let named = book.config().platforms.supabase_project;
    let mut project = match (named, options.create_supabase_project.as_deref()) {
        (Some(reference), _) => existing(management, &reference).await?,
        (None, Some(name)) => match made(management, name, book, file, options).await? {
            Some(project) => project,
            None => return Ok(()),
        },
        (None, None) => return Ok(()),
    };
    book.put("SUPABASE_PROJECT_REF", &project.id);
    let password = book.config().platforms.database_password;
    let password = password.filter(|_| book.get("DATABASE_URL").is_none());
    if password.is_some() {
        project = come_up(management, project).await?;
    }
    fill(management, book, &project, password.as_ref()).await
}

async fn existing(management: &Management, reference: &str) -> anyhow::Result<Project> {
    let found = management.find_project(reference).await;
    let found = found.map_err(|error| told(&error, "look the project up"))?;
    found.ok_or_else(|| {
        let text = format!(
            "the token sees no project {reference} on Supabase: check SUPABASE_PROJECT_REF, or whose token SUPABASE_ACCESS_TOKEN is"
        );
        Misuse(text).into()
    })
}

/// The project of that name, which is made where there is none; nothing where one would be
/// made and nothing may be.
async fn made(
    management: &Management,
    name: &str,
    book: &mut Book,
    file: &LocalFile,
    options: &Setup,
) -> anyhow::Result<Option<Project>> {
    let organization = options.supabase_organization.as_deref().unwrap_or_default();
    let found = named(management, name, organization).await?;
    if found.is_some() || options.dry_run {
        return Ok(found);
    }
    output::note(&format!(
        "target: Supabase, a new project {name} in {organization}"
    ));
    let wanted = NewProject {
        name,
        organization,
        region: options.supabase_region.as_deref().unwrap_or_default(),
        password: &kept_password(book, file)?,
    };
    make(management, &wanted).await.map(Some)
}

/// Makes a project; where the answer is lost, looks whether it was made all the same.
pub(crate) async fn make(
    management: &Management,
    wanted: &NewProject<'_>,
) -> anyhow::Result<Project> {
    match management.create_project(wanted).await {
        Ok(project) => Ok(project),
        Err(error) if error.is_uncertain() => {
            let found = named(management, wanted.name, wanted.organization).await?;
            found.ok_or_else(|| told(&error, "make the project"))
        }
        Err(error) => Err(told(&error, "make the project")),
    }
}

/// The password of the database, which can be said as the project is made and never be read
/// again: it is in the local file before anybody is asked.
fn kept_password(book: &mut Book, file: &LocalFile) -> anyhow::Result<SecretString> {
    if let Some(kept) = book.config().platforms.database_password {
        return Ok(kept);
    }
    let password = random()?;
    book.put(PASSWORD, &password);
    file.write(book.additions())?;
    Ok(password.into())
}

/// The project of that name in an organization, if there is one and no other.
pub(crate) async fn named(
    management: &Management,
    name: &str,
    organization: &str,
) -> anyhow::Result<Option<Project>> {
    let projects = management.projects().await;
    let projects = projects.map_err(|error| told(&error, "list the projects"))?;
    let of_organization = |project: &Project| {
        let slug = project.organization_slug.as_deref();
        slug.is_none_or(|slug| slug == organization)
    };
    let mut same = projects
        .into_iter()
        .filter(|project| project.name == name && of_organization(project));
    match (same.next(), same.next()) {
        (found, None) => Ok(found),
        (_, Some(_)) => Err(Misuse(format!(
            "there are several projects named {name} on Supabase: name one with SUPABASE_PROJECT_REF"
        ))
        .into()),
    }
}

/// Waits until the project works, looking less and less often.
pub(crate) async fn come_up(
    management: &Management,
    mut project: Project,
) -> anyhow::Result<Project> {
    let deadline = Deadline::after(COMING_UP);
    let mut step = Duration::from_millis(250);
    while project.status.as_deref() != Some(WORKS) {
        if deadline.remaining().is_zero() {
            bail!(
                "the project {} was made and has not come up yet: run this again in some minutes, which goes on from here",
                project.id
            );
        }
        clock::wait(step).await;
        step = (step * 2).min(LONGEST_STEP);
        project = existing(management, &project.id).await?;
    }
    Ok(project)
}

/// Writes down what the project says of itself, where nothing is known yet.
async fn fill(
    management: &Management,
    book: &mut Book,
    project: &Project,
    password: Option<&SecretString>,
) -> anyhow::Result<()> {
    let lacks = |book: &Book, names: [&str; 2]| names.iter().all(|name| book.get(name).is_none());
    if lacks(book, ["NEXT_PUBLIC_SUPABASE_URL", "SUPABASE_URL"]) {
        let url = format!("https://{}.supabase.co", project.id);
        book.put("NEXT_PUBLIC_SUPABASE_URL", &url);
    }
    let secret = lacks(book, ["SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY"]);
    let publishable = lacks(
        book,
        ["SUPABASE_PUBLISHABLE_KEY", "NEXT_PUBLIC_SUPABASE_ANON_KEY"],
    );
    if secret || publishable {
        let keys = management.api_keys(&project.id).await;
        let keys = keys.map_err(|error| told(&error, "read the project's keys"))?;
        if let Some(key) = keys.secret.filter(|_| secret) {
            book.put("SUPABASE_SECRET_KEY", key.expose_secret());
        }
        if let Some(key) = keys.publishable.filter(|_| publishable) {
            book.put("SUPABASE_PUBLISHABLE_KEY", &key);
        }
    }
    if let Some(password) = password {
        let url = database_url(management, &project.id, password).await?;
        book.put("DATABASE_URL", &url);
    }
    Ok(())
}

/// Where sessions of the project's database are opened.
pub(crate) async fn database_url(
    management: &Management,
    reference: &str,
    password: &SecretString,
) -> anyhow::Result<String> {
    let pooler = management.session_pooler(reference).await;
    let pooler = pooler.map_err(|error| told(&error, "read where sessions are opened"))?;
    // The project's own host is reached by IPv6 alone.
    let pooler = pooler.unwrap_or_else(|| SessionPooler {
        host: format!("db.{reference}.supabase.co"),
        user: "postgres".to_owned(),
        database: "postgres".to_owned(),
    });
    session(&pooler, password)
}

/// Port 5432 keeps a session, also of the pooler, whose 6543 does not.
fn session(pooler: &SessionPooler, password: &SecretString) -> anyhow::Result<String> {
    let SessionPooler {
        host,
        user,
        database,
    } = pooler;
    let odd = || anyhow!("Supabase names no usable host of the database: {host}");
    let mut url = Url::parse(&format!("postgresql://{host}:5432/{database}"))?;
    // A password that somebody chose is encoded.
    url.set_username(user).map_err(|()| odd())?;
    url.set_password(Some(password.expose_secret()))
        .map_err(|()| odd())?;
    Ok(url.into())
}

/// What Supabase refused, for people.
pub(crate) fn told(error: &ApiError, what: &str) -> anyhow::Error {
    let after = if error.is_uncertain() {
        "; whether it was done is not known, and running this again looks first"
    } else {
        ""
    };
    anyhow!("cannot {what} on Supabase: {error}{after}")
}
