//! The ways by which rows refer to a person: foreign keys, from `auth.users` outwards.

use std::{collections::BTreeSet, fmt};

use serde::{Serialize, Serializer};
use tokio_postgres::Client;

use super::PrivacyError;

/// A table, by its schema and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Table {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
}

impl Table {
    /// That table.
    #[must_use]
    pub fn new(schema: &str, name: &str) -> Self {
        Self {
            schema: schema.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Where accounts are.
    #[must_use]
    pub fn of_users() -> Self {
        Self::new("auth", "users")
    }

    /// As SQL names it.
    pub(super) fn quoted(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.name))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.schema, self.name)
    }
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A name as SQL takes it, whatever is in it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A column of a foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The column that it refers to.
    pub to: String,
    /// Whether it may be null.
    pub nullable: bool,
}

/// What becomes of a row when the row goes that it refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It goes too.
    Deleted,
    /// It stays, and refers to nobody.
    Released,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The table that refers.
    pub from: Table,
    /// By what.
    pub columns: Vec<Column>,
    /// The table that is referred to.
    pub to: Table,
    /// What becomes of a row.
    pub fate: Fate,
}

impl Way {
    /// What the key says becomes of a row, and where it says nothing, what has to: a row that
    /// must refer to somebody goes with them, one that need not is released.
    fn fate(on_delete: i8, columns: &[Column]) -> Fate {
        let must_refer = columns.iter().all(|column| !column.nullable);
        match u8::try_from(on_delete) {
            Ok(b'c') => Fate::Deleted,
            _ if must_refer => Fate::Deleted,
            _ => Fate::Released,
        }
    }
}

/// Every foreign key of a table that is the application's. What the platform keeps of an
/// account goes with the account.
const KEYS: &str = r"
select
    child_schema.nspname::text, child.relname::text, parent_schema.nspname::text, parent.relname::text,
    con.confdeltype,
    array(
        select att.attname::text
        from unnest(con.conkey) with ordinality as key (attnum, nth)
        join pg_catalog.pg_attribute as att on att.attrelid = con.conrelid and att.attnum = key.attnum
        order by key.nth
    ),
    array(
        select not att.attnotnull
        from unnest(con.conkey) with ordinality as key (attnum, nth)
        join pg_catalog.pg_attribute as att on att.attrelid = con.conrelid and att.attnum = key.attnum
        order by key.nth
    ),
    array(
        select att.attname::text
        from unnest(con.confkey) with ordinality as key (attnum, nth)
        join pg_catalog.pg_attribute as att on att.attrelid = con.confrelid and att.attnum = key.attnum
        order by key.nth
    )
from pg_catalog.pg_constraint as con
join pg_catalog.pg_class as child on child.oid = con.conrelid
join pg_catalog.pg_namespace as child_schema on child_schema.oid = child.relnamespace
join pg_catalog.pg_class as parent on parent.oid = con.confrelid
join pg_catalog.pg_namespace as parent_schema on parent_schema.oid = parent.relnamespace
where
    con.contype = 'f'
    -- Those of partitions are their parent's.
    and con.conparentid = 0
    and child_schema.nspname <> all ($1)
order by 1, 2, con.conname";

/// Schemas that the platform keeps, and ours, whose tables refer to nobody by a key.
pub(super) const OF_THE_PLATFORM: [&str; 14] = [
    "auth",
    "cron",
    "extensions",
    "graphql",
    "information_schema",
    "net",
    "ops",
    "pg_catalog",
    "pgsodium",
    "realtime",
    "storage",
    "supabase_functions",
    "supabase_migrations",
    "vault",
];

/// Every way to a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ways(pub Vec<Way>);

impl Ways {
    /// Those of a database. Rows of tables that are named in `delete`, as `schema.table`, go
    /// whatever their keys say.
    ///
    /// # Errors
    /// [`PrivacyError::UnknownTable`] for a name that no way begins at.
    pub async fn find(client: &Client, delete: &[String]) -> Result<Self, PrivacyError> {
        let ways = Self::read(client, delete).await?;
        let known: Vec<_> = ways.tables().iter().map(ToString::to_string).collect();
        match delete.iter().find(|name| !known.contains(name)) {
            Some(name) => Err(PrivacyError::UnknownTable(name.clone())),
            None => Ok(ways),
        }
    }

    /// The same of a database that may lack tables.
    pub async fn read(client: &Client, delete: &[String]) -> Result<Self, PrivacyError> {
        let mut keys = Vec::new();
        for row in client.query(KEYS, &[&OF_THE_PLATFORM.as_slice()]).await? {
            let names: Vec<String> = row.try_get(5)?;
            let nullable: Vec<bool> = row.try_get(6)?;
            let to: Vec<String> = row.try_get(7)?;
            let columns: Vec<_> = names
                .into_iter()
                .zip(nullable)
                .zip(to)
                .map(|((name, nullable), to)| Column { name, to, nullable })
                .collect();
            keys.push(Way {
                from: Table::new(row.try_get(0)?, row.try_get(1)?),
                fate: Way::fate(row.try_get(4)?, &columns),
                columns,
                to: Table::new(row.try_get(2)?, row.try_get(3)?),
            });
        }
        for way in &mut keys {
            if delete.contains(&way.from.to_string()) {
                way.fate = Fate::Deleted;
            }
        }
        Ok(Self::reaching_users(keys))
    }

    /// The tables that ways begin at, each once.
    #[must_use]
    pub fn tables(&self) -> BTreeSet<&Table> {
        self.0.iter().map(|way| &way.from).collect()
    }

    /// Those keys by which accounts are reached. A row that is released is somebody else's, and
    /// what refers to it is not followed.
    fn reaching_users(keys: Vec<Way>) -> Self {
        let mut owned = BTreeSet::from([Table::of_users()]);
        loop {
            let more: Vec<_> = keys
                .iter()
                .filter(|way| way.fate == Fate::Deleted && owned.contains(&way.to))
                .map(|way| way.from.clone())
                .collect();
            let before = owned.len();
            owned.extend(more);
            if owned.len() == before {
                break;
            }
        }
        Self(
            keys.into_iter()
                .filter(|way| owned.contains(&way.to))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, nullable: bool) -> Column {
        Column {
            name: name.to_owned(),
            to: "id".to_owned(),
            nullable,
        }
    }

    fn way(from: &str, to: &Table, fate: Fate) -> Way {
        Way {
            from: Table::new("public", from),
            columns: vec![column("of", true)],
            to: to.clone(),
            fate,
        }
    }

    #[test]
    fn a_key_says_what_becomes_of_a_row_and_what_must_refer_goes() {
        for (on_delete, nullable, expected) in [
            ('c', true, Fate::Deleted),
            ('c', false, Fate::Deleted),
            ('n', true, Fate::Released),
            ('d', true, Fate::Released),
            ('d', false, Fate::Deleted),
            ('a', true, Fate::Released),
            ('a', false, Fate::Deleted),
            ('r', true, Fate::Released),
            ('r', false, Fate::Deleted),
        ] {
            let on_delete_code = i8::try_from(u32::from(on_delete)).unwrap();
            let fate = Way::fate(on_delete_code, &[column("user_id", nullable)]);
            assert_eq!(fate, expected, "{on_delete} {nullable}");
        }
    }

    #[test]
    fn what_refers_to_rows_that_stay_is_somebody_elses() {
        let users = Table::of_users();
        let table = |name| Table::new("public", name);
        let keys = vec![
            way("comments", &table("wines"), Fate::Deleted),
            way("wines", &table("profiles"), Fate::Deleted),
            way("profiles", &users, Fate::Deleted),
            way("alerts", &users, Fate::Released),
            way("alert_notes", &table("alerts"), Fate::Deleted),
            way("grapes", &table("regions"), Fate::Deleted),
            way("profiles", &table("wines"), Fate::Released),
        ];
        let ways = Ways::reaching_users(keys.clone());
        let names: Vec<_> = ways.tables().iter().map(|one| one.name.clone()).collect();
        assert_eq!(names, ["alerts", "comments", "profiles", "wines"]);
        assert_eq!(ways.0.len(), 5, "a cycle is a way like any other");
    }

    #[test]
    fn names_are_quoted_whatever_is_in_them() {
        let table = Table::new("Odd \"schema\"", "t;--");
        assert_eq!(table.quoted(), r#""Odd ""schema"""."t;--""#);
    }
}
