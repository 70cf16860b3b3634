//! What the catalogs held at one instant.
//!
//! `pg_get_viewdef` and its like answer by the catalogs of now, not of the
//! snapshot. So both have to be the same until the schema has been read.

use std::collections::BTreeMap;

use tokio_postgres::Client;

/// Every catalog that the SQL of an object comes from, and which of its rows
/// count: those of temporary objects come and go and are nobody's.
const CATALOGS: &[(&str, &str)] = &[
    ("pg_namespace", "nspname !~ '^pg_(toast_)?temp_'"),
    ("pg_class", "relpersistence <> 't'"),
    ("pg_type", "typnamespace not in (select oid from temporary)"),
    ("pg_proc", "pronamespace not in (select oid from temporary)"),
    (
        "pg_constraint",
        "connamespace not in (select oid from temporary)",
    ),
    ("pg_attribute", "attrelid not in (select oid from fleeting)"),
    ("pg_attrdef", "adrelid not in (select oid from fleeting)"),
    ("pg_index", "indrelid not in (select oid from fleeting)"),
    ("pg_inherits", "inhrelid not in (select oid from fleeting)"),
    (
        "pg_partitioned_table",
        "partrelid not in (select oid from fleeting)",
    ),
    ("pg_policy", "polrelid not in (select oid from fleeting)"),
    ("pg_rewrite", "ev_class not in (select oid from fleeting)"),
    ("pg_sequence", "seqrelid not in (select oid from fleeting)"),
    (
        "pg_statistic_ext",
        "stxrelid not in (select oid from fleeting)",
    ),
    ("pg_trigger", "tgrelid not in (select oid from fleeting)"),
    ("pg_description", "objoid not in (select oid from fleeting)"),
    (
        "pg_enum",
        "enumtypid not in (select oid from pg_type where typnamespace in (select oid from temporary))",
    ),
    (
        "pg_range",
        "rngtypid not in (select oid from pg_type where typnamespace in (select oid from temporary))",
    ),
    ("pg_aggregate", "true"),
    ("pg_cast", "true"),
    ("pg_collation", "true"),
    ("pg_conversion", "true"),
    ("pg_default_acl", "true"),
    ("pg_event_trigger", "true"),
    ("pg_extension", "true"),
    ("pg_foreign_data_wrapper", "true"),
    ("pg_foreign_server", "true"),
    ("pg_foreign_table", "true"),
    ("pg_language", "true"),
    ("pg_opclass", "true"),
    ("pg_operator", "true"),
    ("pg_opfamily", "true"),
    ("pg_publication", "true"),
    ("pg_publication_namespace", "true"),
    ("pg_publication_rel", "true"),
    ("pg_transform", "true"),
    ("pg_ts_config", "true"),
    ("pg_ts_dict", "true"),
    ("pg_ts_parser", "true"),
    ("pg_ts_template", "true"),
];

/// Count and hash of every catalog. Any change of a row gives it another
/// `xmin`; statistics, which are written in place, do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fingerprint(BTreeMap<String, (i64, String)>);

impl Fingerprint {
    /// Reads it as the session sees the catalogs.
    pub(super) async fn read(client: &Client) -> Result<Self, tokio_postgres::Error> {
        let rows = client.query(&query(), &[]).await?;
        let catalogs = rows
            .iter()
            .map(|row| (row.get(0), (row.get(1), row.get(2))))
            .collect();
        Ok(Self(catalogs))
    }

    /// The catalogs that differ, for people.
    pub(super) fn differing(&self, other: &Self) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(catalog, state)| other.0.get(*catalog) != Some(state))
            .map(|(catalog, _)| catalog.as_str())
            .collect()
    }
}

fn query() -> String {
    let parts: Vec<String> = CATALOGS
        .iter()
        .map(|(catalog, condition)| {
            format!(
                "select '{catalog}', count(*), \
                 coalesce(sum(hashtextextended(xmin::text, 0)), 0)::text \
                 from pg_catalog.{catalog} where {condition}"
            )
        })
        .collect();
    format!(
        "with temporary as (
             select oid from pg_catalog.pg_namespace where nspname ~ '^pg_(toast_)?temp_'
         ), fleeting as (
             select oid from pg_catalog.pg_class where relpersistence = 't'
         ) {}",
        parts.join(" union all ")
    )
}
