//! Writing to a table or view: insert, upsert, update, delete.

use std::collections::BTreeMap;

use http::{StatusCode, header::LOCATION};
use url::form_urlencoded;

use super::{Plan, SOURCE, Shape, begin_result, common_applied, end_result, values};
use crate::gateway::{
    catalog::{Column, Relation},
    error::{ApiError, Result},
    media::Media,
    payload::{Layout, Payload},
    plan::Outcome,
    preferences::{Missing, Preferences, Resolution, Returning},
    render::{self, Source},
    request::{Action, ApiRequest},
    response::Answer,
    sql::{Sql, qualified},
    window,
};

/// What to run to change a relation. `payload` is there unless rows are
/// deleted.
pub(in crate::gateway) fn plan(
    request: &ApiRequest,
    relation: &Relation,
    payload: Option<&Payload>,
) -> Result<Plan> {
    let columns = payload
        .map(|payload| written(request, relation, payload))
        .transpose()?
        .unwrap_or_default();
    request.preferences.check()?;
    let media = Media::negotiate(&request.headers)?;
    let table = qualified(&request.schema, &request.name);
    let source = Source {
        sql: &table,
        relation: Some(relation),
    };
    let mut sql = Sql::new("WITH ");
    sql.push(SOURCE).push(" AS (");
    let mut unchanged = false;
    match (request.action, payload) {
        (Action::Insert, Some(payload)) => {
            insert(&mut sql, request, relation, payload, &columns, source);
        }
        (_, Some(payload)) if columns.is_empty() || payload.layout == Layout::Empty => {
            sql.push("SELECT 1 WHERE false");
            unchanged = true;
        }
        (_, Some(payload)) => update(&mut sql, request, payload, &columns, source)?,
        (_, None) => delete(&mut sql, request, source)?,
    }
    if !unchanged {
        returning(&mut sql, request, relation, &table);
    }
    sql.push(")");
    result(&mut sql, request, relation, media, unchanged);
    Ok(Plan {
        statement: sql,
        read_only: false,
        settings: Vec::new(),
        estimate: None,
        single: media == Media::Object,
        row_limit: match request.action {
            Action::Insert => None,
            _ => request.preferences.row_limit(),
        },
    })
}

/// The columns that the body is written to.
fn written<'a>(
    request: &ApiRequest,
    relation: &'a Relation,
    payload: &Payload,
) -> Result<Vec<&'a Column>> {
    let names: Vec<&String> = match &request.query.columns {
        Some(columns) => {
            let mut names: Vec<&String> = columns.iter().collect();
            names.sort_unstable();
            names.dedup();
            names
        }
        None => payload.keys.iter().collect(),
    };
    names
        .into_iter()
        .map(|name| {
            relation.column(name).ok_or_else(|| {
                ApiError::bad_request(
                    "PGRST204",
                    format!(
                        "Could not find the '{name}' column of '{}' in the schema cache",
                        request.name
                    ),
                )
            })
        })
        .collect()
}

fn insert(
    sql: &mut Sql,
    request: &ApiRequest,
    relation: &Relation,
    payload: &Payload,
    columns: &[&Column],
    source: Source<'_>,
) {
    sql.push("INSERT INTO ").push(source.sql);
    if !columns.is_empty() {
        sql.push(" (").list(", ", columns, |sql, column| {
            sql.name(&column.name);
        });
        sql.push(")");
    }
    sql.push(" SELECT ").list(", ", columns, |sql, column| {
        sql.push("pgrst_body.").name(&column.name);
    });
    sql.push(" FROM ");
    values::all(sql, payload, columns, has_defaults(request));
    let conflict = conflict_columns(request, relation);
    match request.preferences.resolution {
        Some(resolution) if !conflict.is_empty() => {
            on_conflict(sql, resolution, conflict, columns);
        }
        _ => {}
    }
}

/// The columns whose unique constraint an upsert goes by; none makes it a plain
/// insert.
fn conflict_columns<'a>(request: &'a ApiRequest, relation: &'a Relation) -> &'a [String] {
    request
        .query
        .on_conflict
        .as_ref()
        .unwrap_or(&relation.primary_key)
}

/// A merge counts its new rows in a setting: one up for each row of the body,
/// one down for each that exists.
fn on_conflict(sql: &mut Sql, resolution: Resolution, conflict: &[String], columns: &[&Column]) {
    let merge = resolution == Resolution::MergeDuplicates && !columns.is_empty();
    if resolution == Resolution::MergeDuplicates {
        sql.push(" WHERE ").push(&counted('+', "0"));
    }
    sql.push(" ON CONFLICT (")
        .list(", ", conflict, |sql, name| {
            sql.name(name);
        });
    sql.push(") DO ");
    if !merge {
        sql.push("NOTHING");
        return;
    }
    sql.push("UPDATE SET ").list(", ", columns, |sql, column| {
        sql.name(&column.name)
            .push(" = EXCLUDED.")
            .name(&column.name);
    });
    sql.push(" WHERE ").push(&counted('-', "-1"));
}

/// A condition that holds, and counts by the way.
fn counted(step: char, never: &str) -> String {
    format!(
        "set_config('pgrst.inserted', (coalesce(nullif(current_setting('pgrst.inserted', true), ''), '0')::integer {step} 1)::text, true) <> '{never}'"
    )
}

fn update(
    sql: &mut Sql,
    request: &ApiRequest,
    payload: &Payload,
    columns: &[&Column],
    source: Source<'_>,
) -> Result<()> {
    require_filter(request, "UPDATE")?;
    sql.push("UPDATE ").push(source.sql).push(" SET ");
    sql.list(", ", columns, |sql, column| {
        sql.name(&column.name)
            .push(" = pgrst_body.")
            .name(&column.name);
    });
    sql.push(" FROM ");
    values::first(sql, payload, columns, has_defaults(request));
    render::filter(sql, source, &request.query.conditions);
    Ok(())
}

fn delete(sql: &mut Sql, request: &ApiRequest, source: Source<'_>) -> Result<()> {
    require_filter(request, "DELETE")?;
    sql.push("DELETE FROM ").push(source.sql);
    render::filter(sql, source, &request.query.conditions);
    Ok(())
}

/// What the module `safeupdate` does on Supabase, as far as requests go that
/// name no row. Statements inside functions are not covered here.
fn require_filter(request: &ApiRequest, statement: &str) -> Result<()> {
    if request.query.conditions.is_empty() {
        return Err(ApiError::bad_request(
            "21000",
            format!("{statement} requires a WHERE clause"),
        ));
    }
    Ok(())
}

fn has_defaults(request: &ApiRequest) -> bool {
    request.preferences.missing == Some(Missing::Default)
}

/// Returns no more than the answer needs: what is returned must be readable.
fn returning(sql: &mut Sql, request: &ApiRequest, relation: &Relation, table: &str) {
    sql.push(" RETURNING ");
    let query = &request.query;
    let columns: Option<Vec<&str>> = match request.preferences.returning {
        Some(Returning::Representation) => render::columns_read(&query.select, &query.order),
        Some(Returning::HeadersOnly) => {
            Some(relation.primary_key.iter().map(String::as_str).collect())
        }
        Some(Returning::Minimal) | None => Some(Vec::new()),
    };
    match columns {
        None => {
            sql.push(table).push(".*");
        }
        Some(columns) if columns.is_empty() => {
            sql.push("1");
        }
        Some(columns) => {
            sql.list(", ", columns, |sql, column| {
                sql.push(table).push(".").name(column);
            });
        }
    }
}

fn result(sql: &mut Sql, request: &ApiRequest, relation: &Relation, media: Media, unchanged: bool) {
    let source = Source {
        sql: SOURCE,
        relation: Some(relation),
    };
    match request.preferences.returning {
        Some(Returning::Representation) if !unchanged => {
            begin_result(sql, "null", Shape::of(media));
            sql.push("SELECT ");
            render::select(sql, source, &request.query.select);
            sql.push(" FROM ").push(SOURCE);
            render::order(sql, source, &request.query.order);
        }
        Some(Returning::HeadersOnly) if !unchanged && !relation.primary_key.is_empty() => {
            begin_result(sql, "null", Shape::Row);
            sql.push("SELECT ")
                .list(", ", &relation.primary_key, |sql, name| {
                    sql.name(name).push("::text");
                });
            sql.push(" FROM ").push(SOURCE);
        }
        returning => {
            let shape = match returning {
                Some(Returning::Representation) => Shape::of(media),
                _ => Shape::Nothing,
            };
            begin_result(sql, "null", shape);
            sql.push("SELECT * FROM ").push(SOURCE);
        }
    }
    end_result(sql);
}

/// The answer with what was changed.
pub(in crate::gateway) fn answer(
    request: &ApiRequest,
    relation: &Relation,
    outcome: &Outcome,
) -> Result<Answer> {
    let preferences = &request.preferences;
    let represented = preferences.returning == Some(Returning::Representation);
    let upsert = preferences
        .resolution
        .filter(|_| request.action == Action::Insert)
        .filter(|_| !conflict_columns(request, relation).is_empty());
    let status = match request.action {
        Action::Insert
            if upsert == Some(Resolution::MergeDuplicates)
                && outcome.inserted.unwrap_or(0) <= 0 =>
        {
            StatusCode::OK
        }
        Action::Insert => StatusCode::CREATED,
        _ if represented => StatusCode::OK,
        _ => StatusCode::NO_CONTENT,
    };
    let total = preferences.counts_rows().then_some(outcome.rows);
    let range = match request.action {
        Action::Update => window::content_range(0, outcome.rows, total),
        _ => window::content_range(0, 0, total),
    };
    let mut answer = Answer::new(status).range(&range).applied(&Preferences {
        resolution: upsert,
        missing: preferences.missing.filter(|_| request.body.is_some()),
        returning: preferences.returning,
        max_affected: preferences
            .max_affected
            .filter(|_| request.action != Action::Insert),
        ..common_applied(preferences, outcome)
    });
    if represented {
        answer = answer.body(Media::negotiate(&request.headers)?, &outcome.body);
    }
    if request.action == Action::Insert
        && let Some(location) = location(request, relation, outcome)
    {
        answer = answer.header(LOCATION, &location);
    }
    Ok(answer)
}

/// Where the one new row can be read, if the client wants just that.
fn location(request: &ApiRequest, relation: &Relation, outcome: &Outcome) -> Option<String> {
    let wanted = request.preferences.returning == Some(Returning::HeadersOnly);
    if !wanted || outcome.rows != 1 || relation.primary_key.is_empty() {
        return None;
    }
    let key: BTreeMap<String, Option<String>> = serde_json::from_str(&outcome.body).ok()?;
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in &relation.primary_key {
        match key.get(name)? {
            Some(value) => query.append_pair(name, &format!("eq.{value}")),
            None => query.append_pair(name, "is.null"),
        };
    }
    let query = query.finish().replace('+', "%20");
    Some(format!("{}?{query}", request.path))
}
