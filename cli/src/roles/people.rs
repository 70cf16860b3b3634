//! The project's users, over a direct session: their roles lie in `auth.users`, which no
//! function of ours may write.

use anyhow::Context;
use ops::auth::roles::Role;
use serde::Serialize;
use tokio_postgres::{Client, Row, Transaction};

use crate::project::author;
use terminal::failure::Misuse;

/// A user, as far as the command looks at them.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) email: Option<String>,
    /// The word that stands there, whether it is a role of ours or not.
    pub(super) role: Option<String>,
    pub(super) last_sign_in_at: Option<String>,
}

impl Person {
    /// What people call them.
    pub(super) fn name(&self) -> &str {
        self.email.as_deref().unwrap_or(&self.id)
    }

    fn of(row: &Row) -> Self {
        Self {
            id: row.get(0),
            email: row.get(1),
            role: row.get(2),
            last_sign_in_at: row.get(3),
        }
    }
}

/// What a change came to.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Changed {
    #[serde(flatten)]
    pub(super) person: Person,
    pub(super) previous_role: Option<String>,
    pub(super) changed: bool,
}

const COLUMNS: &str = "id::text, email::text, raw_app_meta_data ->> 'role',
    to_char(last_sign_in_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";

/// Everybody with a role of ours, those who may most first.
pub(super) async fn list(client: &Client) -> anyhow::Result<Vec<Person>> {
    let roles = Role::ALL.map(Role::as_str);
    let rows = client
        .query(
            &format!(
                "select {COLUMNS} from auth.users
                where raw_app_meta_data ->> 'role' = any ($1) and deleted_at is null
                order by array_position($1, raw_app_meta_data ->> 'role') desc, email, id"
            ),
            &[&roles.as_slice()],
        )
        .await
        .context("the users of the project cannot be read")?;
    Ok(rows.iter().map(Person::of).collect())
}

/// Gives a person that role, or none.
pub(super) async fn set_role(
    client: &mut Client,
    person: &str,
    role: Option<Role>,
    consents: bool,
) -> anyhow::Result<Changed> {
    let transaction = client.transaction().await?;
    // So that two admins who take each other's role away do not both succeed.
    transaction
        .execute(
            "select pg_advisory_xact_lock(hashtextextended('pourtrait roles', 0))",
            &[],
        )
        .await?;
    let found = find(&transaction, person).await?;
    let previous_role = found.role.clone();
    let word = role.map(Role::as_str);
    if previous_role.as_deref() == word {
        return Ok(Changed {
            person: found,
            previous_role,
            changed: false,
        });
    }
    if previous_role.as_deref() == Some(Role::Admin.as_str()) && !consents {
        refuse_last_admin(&transaction, &found).await?;
    }
    write(&transaction, &found.id, word).await?;
    audit(&transaction, &found, word).await?;
    transaction.commit().await?;
    Ok(Changed {
        person: Person {
            role: word.map(str::to_owned),
            ..found
        },
        previous_role,
        changed: true,
    })
}

async fn find(transaction: &Transaction<'_>, person: &str) -> anyhow::Result<Person> {
    let person = person.trim();
    let rows = transaction
        .query(
            &format!(
                "select {COLUMNS} from auth.users
                where (lower(email) = lower($1) or id::text = lower($1)) and deleted_at is null
                for update"
            ),
            &[&person],
        )
        .await
        .context("the users of the project cannot be read")?;
    match rows.as_slice() {
        [row] => Ok(Person::of(row)),
        [] => Err(Misuse(format!(
            "{person} is no user of the project: add them first (Supabase → Authentication → \
             Users → Add user, or Invite)"
        ))
        .into()),
        several => {
            let ids: Vec<String> = several.iter().map(|row| row.get(0)).collect();
            Err(Misuse(format!(
                "{person} are several users; name one by its id: {}",
                ids.join(", ")
            ))
            .into())
        }
    }
}

async fn refuse_last_admin(transaction: &Transaction<'_>, person: &Person) -> anyhow::Result<()> {
    let others = transaction
        .query_one(
            "select count(*) from auth.users
            where raw_app_meta_data ->> 'role' = $1 and id::text <> $2 and deleted_at is null",
            &[&Role::Admin.as_str(), &person.id],
        )
        .await?;
    if others.get::<_, i64>(0) > 0 {
        return Ok(());
    }
    Err(Misuse(format!(
        "{} is the last admin; --yes takes the role away all the same",
        person.name()
    ))
    .into())
}

/// Writes the change into the audit log, where there is one: the first admin may be made
/// before the schema is.
async fn audit(
    transaction: &Transaction<'_>,
    person: &Person,
    role: Option<&str>,
) -> anyhow::Result<()> {
    const EXISTS: &str = "select to_regprocedure('ops.audit_role(text, text, text, text, text)')";
    let found = transaction
        .query_one(&format!("{EXISTS} is not null"), &[])
        .await?;
    if !found.get::<_, bool>(0) {
        return Ok(());
    }
    let former = person.role.as_deref();
    transaction
        .execute(
            "select ops.audit_role($1, $2, $3, $4, $5)",
            &[&author(), &person.id, &person.name(), &former, &role],
        )
        .await
        .context("the change cannot be written into the audit log")?;
    Ok(())
}

async fn write(transaction: &Transaction<'_>, id: &str, role: Option<&str>) -> anyhow::Result<()> {
    let written = transaction
        .execute(
            "update auth.users
            set raw_app_meta_data = case
                    when $2::text is null then coalesce(raw_app_meta_data, '{}') - 'role'
                    else coalesce(raw_app_meta_data, '{}') || jsonb_build_object('role', $2::text)
                end,
                updated_at = now()
            where id::text = $1",
            &[&id, &role],
        )
        .await
        .context("the role cannot be written")?;
    anyhow::ensure!(written == 1, "the role was not written: the user is gone");
    Ok(())
}
