//! What is left out of a backup, and why.

use tokio_postgres::Client;

use super::{
    Exclusion, Name, SchemaError,
    catalog::{self, Found, Key, Stranger},
    object_kind::Kind,
    ownership::{Ownership, Whose},
    supabase,
};

const PLATFORM: &str = "the platform makes it in every project";

/// What the catalogs hold besides objects.
#[derive(Debug)]
pub(super) struct Leftovers {
    /// Indexes that a failed or running build left, with their owners.
    indexes: Vec<(Name, String)>,
    remarks: Vec<Remark>,
    /// Extensions and the tables whose rows they want kept.
    configuration: Vec<(String, String)>,
    /// What of the server's own has other privileges than initdb gave it.
    catalogs: Vec<String>,
}

/// What is not as it was about an object that is in the backup.
#[derive(Debug)]
struct Remark {
    key: Key,
    schema: Option<String>,
    owner: String,
    gap: bool,
    exclusion: Exclusion,
}

impl Leftovers {
    pub(super) async fn read(client: &Client) -> Result<Self, SchemaError> {
        let pair = |row: &tokio_postgres::Row| Ok((row.try_get(0)?, row.try_get(1)?));
        Ok(Self {
            indexes: catalog::read(client, include_str!("sql/invalid_indexes.sql"), |row| {
                let name = Name {
                    schema: row.try_get(0)?,
                    name: row.try_get(1)?,
                };
                Ok((name, row.try_get(2)?))
            })
            .await?,
            remarks: catalog::read(client, include_str!("sql/remarks.sql"), |row| {
                Ok(Remark {
                    key: catalog::key(row)?,
                    schema: row.try_get("schema")?,
                    owner: row.try_get("owner")?,
                    gap: row.try_get("gap")?,
                    exclusion: Exclusion {
                        what: row.try_get("what")?,
                        why: row.try_get("why")?,
                    },
                })
            })
            .await?,
            configuration: catalog::read(
                client,
                include_str!("sql/configuration_tables.sql"),
                pair,
            )
            .await?,
            catalogs: catalog_privileges(client).await?,
        })
    }

    /// What of it is not in the backup.
    pub(super) fn excluded(&self, ownership: &Ownership<'_>) -> Vec<Exclusion> {
        let indexes = self
            .indexes
            .iter()
            .filter(|(name, owner)| ownership.of_place(Some(&name.schema), owner) == Whose::App)
            .map(|(name, _)| {
                exclusion(
                    format!("index {}.{}", name.schema, name.name),
                    "it is invalid: its build failed or has not ended",
                )
            });
        let configuration = self.configuration.iter().map(|(extension, table)| {
            exclusion(
                format!("rows of {table}"),
                &format!("the table belongs to the extension {extension}"),
            )
        });
        let catalogs = self.catalogs.iter().map(|what| {
            exclusion(
                format!("privileges of {what}"),
                "it is the server's own, as every database has it; change them again by hand",
            )
        });
        let remarks = self.remarks(ownership, false);
        let named = indexes.chain(configuration).chain(catalogs);
        named.chain(remarks).collect()
    }

    /// What of the app's has to be made good by hand.
    pub(super) fn gaps(&self, ownership: &Ownership<'_>) -> Vec<Exclusion> {
        self.remarks(ownership, true).collect()
    }

    fn remarks(&self, ownership: &Ownership<'_>, gaps: bool) -> impl Iterator<Item = Exclusion> {
        let remarks = self.remarks.iter().filter(move |remark| remark.gap == gaps);
        let of_app = remarks.filter(|remark| {
            !ownership.is_member(remark.key)
                && ownership.of_place(remark.schema.as_deref(), &remark.owner) == Whose::App
        });
        of_app.map(|remark| remark.exclusion.clone())
    }
}

/// What of the server's own has other privileges than initdb gave it, but for those of
/// the platform's owners.
async fn catalog_privileges(client: &Client) -> Result<Vec<String>, SchemaError> {
    let owners: Vec<&str> = supabase::owners().collect();
    let rows = client
        .query(include_str!("sql/catalog_privileges.sql"), &[&owners])
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// An object of the platform, unless its whole schema is named already.
pub(super) fn platform_object(found: &Found, ownership: &Ownership<'_>) -> Option<Exclusion> {
    let place = found.schema.as_deref();
    let in_named = found.kind != Kind::Schema && place.is_some_and(|it| ownership.is_left_out(it));
    let part = found.relation.is_some() || found.kind.is_addition();
    let named = in_named || part && place.is_some();
    (!named).then(|| exclusion(found.described(), PLATFORM))
}

/// A gap: rows of the team in a schema that is not the team's.
pub(super) fn rows_among_the_platforms(found: &Found) -> Exclusion {
    exclusion(
        found.described(),
        "it lies in a schema of the platform, where a restore has no place for it",
    )
}

/// A gap: an object that no query covers.
pub(super) fn stranger(stranger: &Stranger) -> Exclusion {
    exclusion(
        stranger.described(),
        "a backup has no statements that make it; make it again by hand",
    )
}

/// A gap: a comment on something that no query covers.
pub(super) fn comment_on(of: &str) -> Exclusion {
    exclusion(
        of.escape_debug().to_string(),
        "a backup has no statements that make what it is about",
    )
}

/// A gap: large objects that are too many, too big, or not to be read.
pub(super) fn large_object(oid: u32, why: &str) -> Exclusion {
    exclusion(format!("large object {oid}"), why)
}

/// What was granted and revoked on an extension's own object.
pub(super) fn privileges_of_member(address: &str) -> Exclusion {
    exclusion(
        format!("privileges of {address}"),
        "an extension makes it; a restore sets them again if whoever restores may",
    )
}

/// Default privileges of one of the platform's roles, or in its schemas.
pub(super) fn default_privileges(role: &str, schema: Option<&str>) -> Exclusion {
    let place = schema
        .map(|schema| format!(" in {schema}"))
        .unwrap_or_default();
    exclusion(format!("default privileges of {role}{place}"), PLATFORM)
}

/// The rows of a managed table that is not among those backed up.
pub(super) fn managed_rows(table: &Name) -> Exclusion {
    exclusion(
        format!("rows of {}.{}", table.schema, table.name),
        "the platform makes them itself, or they end with a session",
    )
}

/// Something in a managed schema that cannot be described.
pub(super) fn managed_stranger(what: String) -> Exclusion {
    exclusion(what, "the platform makes it together with the schema")
}

/// The owner of an object that the app uses and a role of the platform owns.
pub(super) fn owner(found: &Found) -> Exclusion {
    exclusion(
        format!("owner {} of {}", found.owner, found.described()),
        "only the platform can make objects for it; whoever restores owns it",
    )
}

fn exclusion(what: String, why: &str) -> Exclusion {
    Exclusion {
        what,
        why: why.to_owned(),
    }
}
