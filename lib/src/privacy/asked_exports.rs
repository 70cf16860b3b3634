//! Exports that people asked for are made, mailed and deleted again without an operator: one a
//! call of the maintenance.

use std::time::Duration;

use outside::{clock::Deadline, database};
use serde::Serialize;
use tokio_postgres::Client;
use url::Url;
use uuid::Uuid;

use super::{
    Person, export, export_bucket,
    export_links::{Due, DueExports, NoteRemoved},
    prepared_export::{Maker, Prepared},
    proof::ProofKeys,
    requests::{CloseRequest, Kind, Outcome},
};
use crate::{
    app::App,
    backups::storage_files::storage,
    config::{Database, Supabase},
    rpc::RpcError,
};

/// What making one may take.
const MAKING: Duration = Duration::from_secs(60);

/// What deleting a file may take.
const DELETING: Duration = Duration::from_secs(5);

/// Who is noted as having handed it out.
const JOB: &str = "maintenance";

/// What was done.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many were made.
    pub made: u32,
    /// How many of them were mailed.
    pub mailed: u32,
    /// How many files were deleted.
    pub deleted: u32,
    /// Why one that is due was not made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// Does what is due.
///
/// # Errors
/// When the database cannot say what that is.
pub async fn make(app: &App, deadline: Deadline) -> Result<Report, RpcError> {
    let mut report = Report::default();
    let due = app.call(&DueExports {}, deadline).await?;
    let Some(supabase) = &app.config.supabase else {
        return Ok(report);
    };
    delete(app, supabase, &due, &mut report, deadline).await;
    let person = due.person.and_then(|person| person.parse::<Uuid>().ok());
    let (Some(person), Some(database)) = (person, &app.config.database) else {
        return Ok(report);
    };
    if deadline.remaining() <= MAKING {
        return Ok(report);
    }
    let desk = Desk {
        app,
        supabase,
        database,
    };
    if let Err(reason) = desk
        .serve(person, &mut report, deadline.within(MAKING))
        .await
    {
        tracing::error!(reason, "an export that somebody asked for is not made");
        report.trouble = Some(reason);
    }
    Ok(report)
}

/// A file that cannot be deleted is tried again by the next run.
async fn delete(
    app: &App,
    supabase: &Supabase,
    due: &Due,
    report: &mut Report,
    deadline: Deadline,
) {
    let storage = storage(supabase, &app.outbound);
    for &export in &due.past {
        if deadline.remaining() <= DELETING {
            return;
        }
        let deadline = deadline.within(DELETING);
        if let Err(error) = export_bucket::remove(&storage, export).await {
            tracing::error!(%error, "the file of an export is not deleted");
            return;
        }
        match app.call(&NoteRemoved { p_export: export }, deadline).await {
            Ok(_) => report.deleted += 1,
            Err(error) => tracing::error!(%error, "that a file is deleted is not noted"),
        }
    }
}

/// Where exports are made.
struct Desk<'a> {
    app: &'a App,
    supabase: &'a Supabase,
    database: &'a Database,
}

impl Desk<'_> {
    /// Makes one and tells the person, and then takes their request off the list: whoever is
    /// killed in between makes another one, and only its link works.
    async fn serve(
        &self,
        person: Uuid,
        report: &mut Report,
        deadline: Deadline,
    ) -> Result<(), String> {
        let mut client = self.connect(deadline).await?;
        let person = Person::find(&client, person)
            .await
            .map_err(|error| error.to_string())?;
        let maker = Maker::of(self.supabase, &self.app.outbound);
        let prepared = maker.prepare(&mut client, &person, deadline).await;
        let prepared = prepared.map_err(|error| error.to_string())?;
        report.made += 1;
        self.note(&client, &person).await;
        match self.mail(&person, &prepared, deadline).await {
            Ok(mailed) => report.mailed += u32::from(mailed),
            // They can fetch it where they asked for it.
            Err(reason) => report.trouble = Some(format!("the link is not mailed: {reason}")),
        }
        let close = CloseRequest {
            p_person: person.id.to_string(),
            p_kind: Kind::Export,
            p_outcome: Outcome::Done,
            p_by: JOB.to_owned(),
        };
        let closed = self.app.call(&close, deadline).await;
        closed.map(drop).map_err(|error| error.to_string())
    }

    async fn connect(&self, deadline: Deadline) -> Result<Client, String> {
        let Database { url, ca } = self.database;
        let connecting = database::connect(url, ca.as_deref());
        let connected = tokio::time::timeout(deadline.remaining(), connecting).await;
        let connected = connected.map_err(|_| "the database does not answer".to_owned())?;
        connected.map_err(|error| error.to_string())
    }

    async fn note(&self, client: &Client, person: &Person) {
        let keys = self.app.config.monitoring_api_key.as_ref();
        let subject = keys
            .and_then(ProofKeys::new)
            .map(|keys| keys.subject(person.id));
        if let Err(error) = export::note(client, subject.as_deref(), JOB).await {
            tracing::error!(%error, "that somebody's data were handed out is not noted");
        }
    }

    /// Whether there was anybody to write to, and a way.
    async fn mail(
        &self,
        person: &Person,
        prepared: &Prepared,
        deadline: Deadline,
    ) -> Result<bool, &'static str> {
        let config = &self.app.config;
        let (Some(mailer), Some(base), Some(address)) =
            (&config.mailer, &config.base_url, &person.email)
        else {
            return Ok(false);
        };
        let text = letter(base, prepared);
        let key = format!("export-{}", prepared.export);
        let words = ("Your data", text.as_str());
        mailer
            .write(address, words, &key, &self.app.outbound, deadline)
            .await?;
        Ok(true)
    }
}

fn letter(base: &Url, prepared: &Prepared) -> String {
    let Prepared {
        token, expires_at, ..
    } = prepared;
    format!(
        "You asked for what is held of you. It is ready:\n\n{}\n\n\
         The link works once, until {}.\n\n\
         If you did not ask for this, do not open it, and change your password: somebody else \
         asked in your name.\n",
        token.link(base),
        expires_at.strftime("%Y-%m-%d %H:%M UTC"),
    )
}
