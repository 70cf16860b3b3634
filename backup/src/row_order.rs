//! In which order a table's rows are read.
//!
//! New rows have to come last, so that everything before them is cut into the
//! same segments as last time and is not stored again.
//!
//! Where planning a query would run code of the app's, and where there is no key, rows
//! come in the order in which they lie, and no scan of ours begins in the middle. Then
//! rows that were only added lie last too, as long as nothing was deleted: VACUUM frees
//! places that new rows are put into, so that a table whose rows are updated or deleted
//! is stored again around each of them, and CLUSTER or VACUUM FULL store it anew.

use tokio_postgres::Client;

use super::schema::{Column, Name, Table, quoted};

/// How many keys tell whether a column's UUIDs grow.
const SAMPLE: usize = 100;

/// The order of a table's rows; without columns, the order in which they lie.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Order {
    /// The columns, the first being the most significant.
    pub columns: Vec<String>,
    terms: Vec<String>,
}

impl Order {
    /// As the end of a query: ` order by …`, or nothing.
    #[must_use]
    pub fn clause(&self) -> String {
        if self.terms.is_empty() {
            String::new()
        } else {
            format!(" order by {}", self.terms.join(", "))
        }
    }

    fn push(&mut self, column: &Column) {
        if !self.columns.contains(&column.name) {
            self.columns.push(column.name.clone());
            self.terms.push(term(column));
        }
    }
}

/// Whether later rows have greater keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// They have.
    Grows,
    /// They have not.
    Scatters,
}

/// Reads as much of a table as its order depends on, which mostly is nothing,
/// and plans it.
///
/// # Errors
/// When the server refuses or the session ends.
pub async fn read(client: &Client, table: &Table) -> Result<Order, tokio_postgres::Error> {
    let growth = match growth(table) {
        Ok(growth) => growth,
        Err(Unclear { column }) => sampled(&read_sample(client, &table.name, &column).await?),
    };
    Ok(plan(table, growth))
}

/// The order of a table whose key is known to grow or not.
///
/// Rows whose key scatters come in the order of the first column that holds the
/// time of their insertion, where there is one.
#[must_use]
pub fn plan(table: &Table, growth: Growth) -> Order {
    let mut order = Order::default();
    if table.primary_key.is_empty() {
        return order;
    }
    if growth == Growth::Scatters
        && let Some(column) = table.columns.iter().find(|column| tells_insertion(column))
    {
        order.push(column);
    }
    for column in key(table) {
        order.push(column);
    }
    order
}

/// The values of this column have to be looked at.
#[derive(Debug, PartialEq, Eq)]
pub struct Unclear {
    /// Which column.
    pub column: String,
}

/// What a table's definition says about its key. The first column decides.
///
/// # Errors
/// [`Unclear`] if it says nothing.
pub fn growth(table: &Table) -> Result<Growth, Unclear> {
    let Some(first) = key(table).next() else {
        return Ok(Growth::Scatters);
    };
    if ["smallint", "integer", "bigint", "date"].contains(&first.type_sql.as_str())
        || first.type_sql.starts_with("timestamp")
    {
        return Ok(Growth::Grows);
    }
    if first.type_sql != "uuid" {
        return Ok(Growth::Scatters);
    }
    let default = first.default_sql.as_deref().unwrap_or_default();
    if default.contains("v7") {
        Ok(Growth::Grows)
    } else if default.contains("gen_random_uuid()") || default.contains("uuid_generate_v4()") {
        Ok(Growth::Scatters)
    } else {
        Err(Unclear {
            column: first.name.clone(),
        })
    }
}

/// What a sample of UUIDs says: only those of version 7 grow.
#[must_use]
pub fn sampled(keys: &[String]) -> Growth {
    let version_7 = |key: &String| key.as_bytes().get(14) == Some(&b'7');
    if !keys.is_empty() && keys.iter().all(version_7) {
        Growth::Grows
    } else {
        Growth::Scatters
    }
}

async fn read_sample(
    client: &Client,
    table: &Name,
    column: &str,
) -> Result<Vec<String>, tokio_postgres::Error> {
    let query = format!(
        "select {}::text from only {table} limit {SAMPLE}",
        quoted(column)
    );
    let rows = client.query(&query, &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

fn key(table: &Table) -> impl Iterator<Item = &Column> {
    table
        .primary_key
        .iter()
        .filter_map(|name| table.columns.iter().find(|column| column.name == *name))
}

fn tells_insertion(column: &Column) -> bool {
    let is_now = |default: &str| {
        default.contains("now()")
            || default.contains("CURRENT_TIMESTAMP")
            || default.contains("_timestamp()")
    };
    !column.generated
        && column.type_sql.starts_with("timestamp")
        && column.type_sql.ends_with("with time zone")
        && column.default_sql.as_deref().is_some_and(is_now)
}

/// Text is ordered by its bytes, because what another collation makes of it
/// changes with the server's libraries.
fn term(column: &Column) -> String {
    let name = quoted(&column.name);
    let is_text = ["text", "character"]
        .iter()
        .any(|prefix| column.type_sql.starts_with(prefix));
    if is_text && !column.type_sql.ends_with("[]") {
        format!("{name} collate \"C\"")
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::Scope;
    use super::*;

    fn column(text: &str) -> Column {
        let mut parts = text.splitn(3, '|');
        let mut part = || parts.next().map(ToOwned::to_owned);
        Column {
            name: part().unwrap(),
            type_sql: part().unwrap(),
            default_sql: part(),
            generated: false,
            not_null: true,
        }
    }

    fn table(columns: &[&str], key: &[&str]) -> Table {
        Table {
            name: Name {
                schema: "public".into(),
                name: "t".into(),
            },
            oid: 1,
            scope: Scope::App,
            columns: columns.iter().map(|text| column(text)).collect(),
            primary_key: key.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[test]
    fn new_rows_come_last_wherever_the_definition_allows_it() {
        let created = "made|timestamp with time zone|now()";
        for (case, columns, key, expected) in [
            ("identity", vec!["id|bigint"], vec!["id"], r#""id""#),
            (
                "date",
                vec!["day|date", "name|text"],
                vec!["day", "name"],
                r#""day", "name" collate "C""#,
            ),
            (
                "a timestamp with a precision",
                vec!["at|timestamp(3) without time zone"],
                vec!["at"],
                r#""at""#,
            ),
            (
                "random UUID and a time",
                vec!["id|uuid|gen_random_uuid()", created],
                vec!["id"],
                r#""made", "id""#,
            ),
            (
                "a time in Supabase's older manner",
                vec![
                    "id|uuid|extensions.uuid_generate_v4()",
                    "at|timestamp with time zone|timezone('utc'::text, now())",
                ],
                vec!["id"],
                r#""at", "id""#,
            ),
            (
                "random UUID without a time",
                vec![
                    "id|uuid|gen_random_uuid()",
                    "born|timestamp with time zone",
                    "local|timestamp without time zone|now()",
                ],
                vec!["id"],
                r#""id""#,
            ),
            (
                "UUIDv7 by its default",
                vec!["id|uuid|uuid_generate_v7()", created],
                vec!["id"],
                r#""id""#,
            ),
            (
                "text",
                vec!["name|character varying(20)", "code|character(2)"],
                vec!["code", "name"],
                r#""code" collate "C", "name" collate "C""#,
            ),
            (
                "text and a time that is in the key",
                vec!["name|text", created],
                vec!["name", "made"],
                r#""made", "name" collate "C""#,
            ),
            (
                "a key that is an array",
                vec!["names|text[]"],
                vec!["names"],
                r#""names""#,
            ),
            (
                "names with quotes",
                vec![r#"a"b|integer"#],
                vec![r#"a"b"#],
                r#""a""b""#,
            ),
        ] {
            let table = table(&columns, &key);
            let order = plan(&table, growth(&table).unwrap());
            assert_eq!(order.clause(), format!(" order by {expected}"), "{case}");
        }
    }

    #[test]
    fn a_table_without_a_key_is_read_as_it_lies() {
        let table = table(&["made|timestamp with time zone|now()"], &[]);
        assert_eq!(
            plan(&table, growth(&table).unwrap()).clause(),
            String::new()
        );
    }

    #[test]
    fn a_generated_time_does_not_tell_of_the_insertion() {
        let mut table = table(
            &[
                "id|uuid|gen_random_uuid()",
                "at|timestamp with time zone|now()",
            ],
            &["id"],
        );
        table.columns[1].generated = true;
        assert_eq!(plan(&table, Growth::Scatters).columns, ["id"]);
    }

    #[test]
    fn uuids_without_a_telling_default_are_looked_at() {
        let table = table(&["id|uuid"], &["id"]);
        let column = "id".to_owned();
        assert_eq!(growth(&table), Err(Unclear { column }));
        let seventh = "01934f6e-1111-7abc-8def-000000000000".to_owned();
        let fourth = "01934f6e-1111-4abc-8def-000000000000".to_owned();
        assert_eq!(sampled(&[]), Growth::Scatters);
        assert_eq!(sampled(std::slice::from_ref(&seventh)), Growth::Grows);
        assert_eq!(sampled(&[seventh, fourth]), Growth::Scatters);
    }
}
