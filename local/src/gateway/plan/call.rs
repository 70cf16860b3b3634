//! Calling a function.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use jiff::Timestamp;

use super::{Plan, SOURCE, Shape, begin_result, common_applied, end_result, values};
use crate::gateway::{
    catalog::{Function, Parameter, Returns},
    error::{ApiError, Result},
    media::Media,
    overload::{self, Arguments},
    plan::Outcome,
    preferences::Preferences,
    render::{self, Source},
    request::ApiRequest,
    response::Answer,
    sql::{self, Sql, qualified},
    window,
};

/// Settings of a function that hold for the whole transaction, because inside
/// the function they would come too late.
const HOISTED: [&str; 3] = [
    "statement_timeout",
    "plan_filter.statement_cost_limit",
    "default_transaction_isolation",
];

/// The parameter by which a function is told the time; without it, it takes the server's.
const TIME: &str = "p_now";

/// What to run to call the overload that the arguments choose. `now` is the time that it is
/// told if it asks for one and the caller names none.
pub(in crate::gateway) fn plan<'a>(
    request: &ApiRequest,
    overloads: &'a [Function],
    arguments: &Arguments,
    max_rows: u32,
    now: Option<Timestamp>,
) -> Result<(Plan, &'a Function)> {
    let function = overload::choose(request, overloads, arguments)?;
    let now = now.filter(|_| takes_time(function, arguments));
    request.preferences.check()?;
    let row_limit = request.preferences.row_limit();
    if row_limit.is_some() && !function.is_set {
        return Err(ApiError::bad_request(
            "PGRST128",
            "Function must return SETOF or TABLE when max-affected preference is used with handling=strict",
        ));
    }
    let media = Media::negotiate(&request.headers)?;
    let mut sql = Sql::new("WITH ");
    sql.push(SOURCE).push(" AS (");
    call(&mut sql, request, function, arguments, now);
    sql.push(")");
    let total = count(&mut sql, request, function);
    begin_result(&mut sql, total, shape(function, media));
    result(&mut sql, request, function, max_rows);
    end_result(&mut sql);
    let hoisted = function
        .settings
        .iter()
        .filter(|(name, _)| HOISTED.contains(&name.as_str()));
    let plan = Plan {
        statement: sql,
        read_only: request.method != Method::POST || !function.is_volatile,
        settings: hoisted.cloned().collect(),
        estimate: None,
        single: media == Media::Object && function.returns != Returns::Void,
        row_limit,
    };
    Ok((plan, function))
}

fn shape(function: &Function, media: Media) -> Shape {
    match (function.returns, function.is_set, media) {
        (Returns::Void, _, _) => Shape::Nothing,
        (Returns::Scalar, true, Media::Array) => Shape::Values,
        (Returns::Scalar, _, _) => Shape::Value,
        (Returns::Composite, true, Media::Array) => Shape::Rows,
        (Returns::Composite, _, _) => Shape::Row,
    }
}

/// Whether a function could be told the time and is not.
fn takes_time(function: &Function, arguments: &Arguments) -> bool {
    let mut parameters = function.parameters.iter();
    parameters.any(|parameter| parameter.name == TIME) && !arguments.has(TIME)
}

/// The call itself: one column named `pgrst_scalar`, or the function's own.
fn call(
    sql: &mut Sql,
    request: &ApiRequest,
    function: &Function,
    arguments: &Arguments,
    now: Option<Timestamp>,
) {
    let scalar = function.returns != Returns::Composite;
    sql.push(if scalar {
        "SELECT pgrst_call.pgrst_scalar FROM "
    } else {
        "SELECT pgrst_call.* FROM "
    });
    if let Arguments::Json(payload) = arguments
        && !overload::takes_whole_body(function)
    {
        let given: Vec<&Parameter> = given(function, arguments).collect();
        if !given.is_empty() {
            sql.push("json_to_record(");
            values::first_object(sql, payload, "json");
            sql.push(") AS pgrst_body(")
                .list(", ", given, |sql, parameter| {
                    sql.name(&parameter.name)
                        .push(" ")
                        .push(&parameter.sql_type);
                });
            sql.push("), LATERAL ");
        }
    }
    sql.push(if scalar { "(SELECT " } else { "" });
    sql.push(&qualified(&request.schema, &request.name))
        .push("(");
    add_arguments(sql, function, arguments);
    if let Some(now) = now {
        let mut others = given(function, arguments);
        sql.push(if others.next().is_some() { ", " } else { "" });
        sql.name(TIME).push(" := ").value(now.to_string());
        sql.push("::timestamptz");
    }
    sql.push(if scalar {
        ") AS pgrst_scalar) AS pgrst_call"
    } else {
        ") AS pgrst_call"
    });
}

fn given<'a>(
    function: &'a Function,
    arguments: &'a Arguments,
) -> impl Iterator<Item = &'a Parameter> {
    function
        .parameters
        .iter()
        .filter(|parameter| arguments.has(&parameter.name))
}

fn add_arguments(sql: &mut Sql, function: &Function, arguments: &Arguments) {
    match arguments {
        Arguments::Json(payload) if overload::takes_whole_body(function) => {
            sql.value(payload.json.as_str());
            sql.push("::").push(&function.parameters[0].sql_type);
        }
        Arguments::Json(_) => {
            sql.list(", ", given(function, arguments), |sql, parameter| {
                add_name(sql, parameter);
                sql.push("pgrst_body.").name(&parameter.name);
            });
        }
        Arguments::Texts(texts) => {
            sql.list(", ", given(function, arguments), |sql, parameter| {
                add_name(sql, parameter);
                sql.value(text_of(parameter, texts));
                sql.push("::").push(&parameter.sql_type);
            });
        }
    }
}

fn add_name(sql: &mut Sql, parameter: &Parameter) {
    sql.push(if parameter.variadic { "VARIADIC " } else { "" });
    sql.name(&parameter.name).push(" := ");
}

/// The last repetition; all of them where the parameter takes any number.
fn text_of(parameter: &Parameter, texts: &BTreeMap<String, Vec<String>>) -> String {
    let values = texts
        .get(&parameter.name)
        .map(Vec::as_slice)
        .unwrap_or_default();
    if parameter.variadic {
        sql::array_literal(values)
    } else {
        values.last().cloned().unwrap_or_default()
    }
}

/// Adds a count of the whole result where it is wanted; gives the SQL for it.
fn count(sql: &mut Sql, request: &ApiRequest, function: &Function) -> &'static str {
    if !request.preferences.counts_rows() {
        return "null";
    }
    if !function.is_set {
        return "1";
    }
    sql.push(", pgrst_count AS (SELECT 1 FROM ").push(SOURCE);
    if function.returns == Returns::Composite {
        render::filter(sql, result_source(), &request.query.conditions);
    }
    sql.push(")");
    "(SELECT count(*) FROM pgrst_count)"
}

/// The part of the result that the answer holds.
fn result(sql: &mut Sql, request: &ApiRequest, function: &Function, max_rows: u32) {
    let query = &request.query;
    if function.returns == Returns::Composite {
        sql.push("SELECT ");
        render::select(sql, result_source(), &query.select);
        sql.push(" FROM ").push(SOURCE);
        render::filter(sql, result_source(), &query.conditions);
        render::order(sql, result_source(), &query.order);
    } else {
        sql.push("SELECT * FROM ").push(SOURCE);
    }
    if function.is_set {
        render::window(sql, request.window.capped(u64::from(max_rows)));
    }
}

fn result_source() -> Source<'static> {
    Source {
        sql: SOURCE,
        relation: None,
    }
}

/// The answer with what the function returned.
pub(in crate::gateway) fn answer(
    request: &ApiRequest,
    function: &Function,
    outcome: &Outcome,
) -> Result<Answer> {
    let first = if function.is_set {
        request.window.offset
    } else {
        0
    };
    let status = window::status(first, outcome.rows, outcome.total)?;
    let range = window::content_range(first, outcome.rows, outcome.total);
    let applied = Preferences {
        max_affected: request.preferences.max_affected,
        ..common_applied(&request.preferences, outcome)
    };
    let answer = if function.returns == Returns::Void {
        Answer::new(StatusCode::NO_CONTENT)
    } else {
        Answer::new(status).body(Media::negotiate(&request.headers)?, &outcome.body)
    };
    Ok(answer.range(&range).applied(&applied))
}
