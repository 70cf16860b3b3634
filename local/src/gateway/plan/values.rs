//! The rows of a body as a source of typed columns, `pgrst_body`.

use crate::gateway::{
    catalog::Column,
    payload::{Layout, Payload},
    sql::Sql,
};

/// How many defaults one call of `jsonb_build_object` takes: it has at most 100
/// arguments, two for each.
const DEFAULTS_AT_ONCE: usize = 50;

/// Adds all rows of a body, in their order.
pub(super) fn all(sql: &mut Sql, payload: &Payload, columns: &[&Column], with_defaults: bool) {
    let rows = match payload.layout {
        Layout::Array => payload.json.clone(),
        Layout::Object => format!("[{}]", payload.json),
        Layout::Empty => "[]".to_owned(),
    };
    if columns.is_empty() {
        sql.push("json_array_elements(").value(rows);
        sql.push("::json) AS pgrst_body");
    } else if with_defaults {
        sql.push("jsonb_array_elements(").value(rows);
        sql.push("::jsonb) AS pgrst_item, LATERAL jsonb_to_record(");
        add_defaults(sql, columns);
        sql.push("pgrst_item.value)");
        add_types(sql, columns);
    } else {
        sql.push("json_to_recordset(").value(rows).push("::json)");
        add_types(sql, columns);
    }
}

/// Adds the first row of a body, or an empty one. There must be a column.
pub(super) fn first(sql: &mut Sql, payload: &Payload, columns: &[&Column], with_defaults: bool) {
    if with_defaults {
        sql.push("jsonb_to_record(");
        add_defaults(sql, columns);
        first_object(sql, payload, "jsonb");
    } else {
        sql.push("json_to_record(");
        first_object(sql, payload, "json");
    }
    sql.push(")");
    add_types(sql, columns);
}

/// Adds the first row itself, as `json` or `jsonb`.
pub(super) fn first_object(sql: &mut Sql, payload: &Payload, sql_type: &str) {
    match payload.layout {
        Layout::Object => sql.value(payload.json.as_str()).push("::").push(sql_type),
        Layout::Array => sql
            .push("(")
            .value(payload.json.as_str())
            .push("::")
            .push(sql_type)
            .push("->0)"),
        Layout::Empty => sql.push("'{}'::").push(sql_type),
    };
}

/// Adds the defaults that the keys of a row are laid over.
fn add_defaults(sql: &mut Sql, columns: &[&Column]) {
    let defaults: Vec<(&str, &str)> = columns
        .iter()
        .filter_map(|column| Some((column.name.as_str(), column.default_sql.as_deref()?)))
        .collect();
    for some in defaults.chunks(DEFAULTS_AT_ONCE) {
        sql.push("jsonb_build_object(")
            .list(", ", some, |sql, (name, default)| {
                sql.value(*name).push("::text, ").push(default);
            })
            .push(") || ");
    }
}

fn add_types(sql: &mut Sql, columns: &[&Column]) {
    sql.push(" AS pgrst_body(")
        .list(", ", columns, |sql, column| {
            sql.name(&column.name).push(" ").push(&column.sql_type);
        })
        .push(")");
}
