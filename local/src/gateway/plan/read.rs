//! Reading a table or view.

use http::header::CONTENT_LOCATION;

use super::{Estimate, Plan, SOURCE, Shape, begin_result, common_applied, end_result};
use crate::gateway::{
    catalog::Relation,
    error::Result,
    media::Media,
    plan::Outcome,
    preferences::Count,
    render::{self, Source},
    request::ApiRequest,
    response::Answer,
    sql::{Sql, qualified},
    window,
};

/// What to run to read a relation.
pub(in crate::gateway) fn plan(
    request: &ApiRequest,
    relation: &Relation,
    max_rows: u32,
) -> Result<Plan> {
    request.preferences.check()?;
    let media = Media::negotiate(&request.headers)?;
    let table = qualified(&request.schema, &request.name);
    let source = Source {
        sql: &table,
        relation: Some(relation),
    };
    let max_rows = u64::from(max_rows);

    let mut sql = Sql::new("WITH ");
    sql.push(SOURCE).push(" AS (SELECT ");
    render::select(&mut sql, source, &request.query.select);
    sql.push(" FROM ").push(&table);
    render::filter(&mut sql, source, &request.query.conditions);
    render::order(&mut sql, source, &request.query.order);
    render::window(&mut sql, request.window.capped(max_rows));
    sql.push(")");
    let total = match request.preferences.count {
        Some(Count::Exact) => {
            add_count(&mut sql, source, request, None);
            "(SELECT count(*) FROM pgrst_count)"
        }
        Some(Count::Estimated) => {
            add_count(&mut sql, source, request, Some(max_rows + 1));
            "(SELECT count(*) FROM pgrst_count)"
        }
        Some(Count::Planned) | None => "null",
    };
    begin_result(&mut sql, total, Shape::of(media));
    sql.push("SELECT * FROM ").push(SOURCE);
    end_result(&mut sql);

    let estimate = super::wants_estimate(&request.preferences).then(|| {
        let mut statement = Sql::new("EXPLAIN (FORMAT JSON) ");
        all_rows(&mut statement, source, request);
        Estimate {
            statement,
            above: max_rows,
        }
    });
    Ok(Plan {
        statement: sql,
        read_only: true,
        settings: Vec::new(),
        estimate,
        single: media == Media::Object,
        row_limit: None,
    })
}

fn add_count(sql: &mut Sql, source: Source<'_>, request: &ApiRequest, limit: Option<u64>) {
    sql.push(", pgrst_count AS (");
    all_rows(sql, source, request);
    if let Some(limit) = limit {
        sql.push(" LIMIT ").value(limit.to_string());
    }
    sql.push(")");
}

/// Every row that the filters let through, without its columns.
fn all_rows(sql: &mut Sql, source: Source<'_>, request: &ApiRequest) {
    sql.push("SELECT 1 FROM ").push(source.sql);
    render::filter(sql, source, &request.query.conditions);
}

/// The answer with what was read.
pub(in crate::gateway) fn answer(request: &ApiRequest, outcome: &Outcome) -> Result<Answer> {
    let first = request.window.offset;
    let status = window::status(first, outcome.rows, outcome.total)?;
    let canonical = &request.query.canonical;
    let separator = if canonical.is_empty() { "" } else { "?" };
    Ok(Answer::new(status)
        .body(Media::negotiate(&request.headers)?, &outcome.body)
        .range(&window::content_range(first, outcome.rows, outcome.total))
        .header(
            CONTENT_LOCATION,
            &format!("{}{separator}{canonical}", request.path),
        )
        .applied(&common_applied(&request.preferences, outcome)))
}
