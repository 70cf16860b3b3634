//! That somebody was shown rows of people, written down where a project is configured.

use backup::schema::Name;
use ops::privacy::export;
use outside::database;
use uuid::Uuid;

use crate::{environment::Environment, project::author};
use terminal::output;

/// Has the audit log tell of it. Backups are read where the database may be what was lost, so
/// that a log which cannot be written keeps nobody from looking, and is told.
pub(super) async fn record(environment: &Environment, subject: &str) {
    if let Err(error) = write(environment, subject).await {
        output::note(&format!("the audit log does not tell of it: {error:#}"));
    }
}

async fn write(environment: &Environment, subject: &str) -> anyhow::Result<()> {
    let (url, ca) = environment.database()?;
    let client = database::connect(&url, ca.as_deref()).await?;
    export::note_shown(&client, Some(subject), &author()).await?;
    Ok(())
}

/// A row as the log may name it: by a number, and never by what may be a name or an address.
pub(super) fn row(table: &Name, key: &[(String, String)]) -> String {
    let key: Vec<_> = key
        .iter()
        .map(|(column, value)| {
            let is_number = value.parse::<i64>().is_ok() || value.parse::<Uuid>().is_ok();
            let value = if is_number { value } else { "…" };
            format!("{column}={value}")
        })
        .collect();
    format!(
        "{}.{} {} in backups",
        table.schema,
        table.name,
        key.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_names_a_row_by_numbers_alone() {
        let table = Name {
            schema: "public".into(),
            name: "profiles".into(),
        };
        let key = |column: &str, value: &str| (column.to_owned(), value.to_owned());
        let id = "0b0e4a5e-0000-4000-8000-00000000000a";
        for (named, expected) in [
            (
                vec![key("id", "7")],
                "public.profiles id=7 in backups".to_owned(),
            ),
            (
                vec![key("email", "ada@example.org"), key("id", id)],
                format!("public.profiles email=… id={id} in backups"),
            ),
        ] {
            assert_eq!(row(&table, &named), expected);
        }
    }
}
