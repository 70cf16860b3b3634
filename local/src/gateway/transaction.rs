//! One transaction for each request, of which nothing survives on the
//! connection: role, claims and settings are all set for the transaction only.

use std::collections::BTreeMap;

use deadpool_postgres::Object;
use http::{HeaderMap, StatusCode, header::COOKIE};
use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::{
    IsolationLevel, Row,
    types::{FromSql, Type},
};

use super::{
    error::{ApiError, Result},
    plan::{Estimate, Outcome, Plan},
    request::ApiRequest,
    sql::{Sql, quoted},
};

/// The settings of a transaction beyond those of the request itself.
pub(super) struct Surroundings<'a> {
    pub(super) extra_search_path: &'a [String],
    pub(super) role_settings: &'a [(String, String)],
}

/// Runs a plan and commits; any error rolls everything back.
pub(super) async fn run(
    client: &mut Object,
    request: &ApiRequest,
    surroundings: &Surroundings<'_>,
    plan: &Plan,
) -> Result<Outcome> {
    let role = request.caller.role.as_str();
    let refused = |error: tokio_postgres::Error| ApiError::from_postgres(&error, role);
    let mut begin = client.build_transaction().read_only(plan.read_only);
    if let Some(level) = isolation(surroundings.role_settings, &plan.settings) {
        begin = begin.isolation_level(level);
    }
    let transaction = begin.start().await.map_err(refused)?;
    let execute = async |sql: &Sql| {
        transaction
            .query_typed(sql.text(), &sql.parameters())
            .await
            .map_err(refused)
    };

    execute(&set_up(request, surroundings, plan)).await?;
    let timezone_set = match &request.preferences.timezone {
        Some(zone) => !execute(&set_timezone(zone)).await?.is_empty(),
        None => false,
    };
    let rows = execute(&plan.statement).await?;
    let mut outcome = rows
        .first()
        .ok_or_else(|| internal("the main statement gave no row"))
        .and_then(|row| outcome(row, timezone_set).map_err(refused))?;
    if let Some(estimate) = plan
        .estimate
        .as_ref()
        .filter(|one| one.is_due(outcome.total))
    {
        let planned = planned_rows(&execute(&estimate.statement).await?)?;
        outcome.total = outcome.total.max(Some(planned));
    }
    plan.check(&outcome)?;
    transaction.commit().await.map_err(refused)?;
    Ok(outcome)
}

impl Estimate {
    fn is_due(&self, counted: Option<u64>) -> bool {
        counted.is_none_or(|counted| counted > self.above)
    }
}

/// Everything that the transaction's functions and policies may read. The role
/// comes after its settings, which it might not be allowed to make itself.
fn set_up(request: &ApiRequest, surroundings: &Surroundings<'_>, plan: &Plan) -> Sql {
    let search_path: Vec<String> = std::iter::once(&request.schema)
        .chain(surroundings.extra_search_path)
        .map(|schema| quoted(schema))
        .collect();
    let mut settings = vec![("search_path", search_path.join(", "))];
    let named = surroundings.role_settings.iter().chain(&plan.settings);
    settings.extend(named.map(|(name, value)| (name.as_str(), value.clone())));
    let caller = &request.caller;
    settings.extend([
        ("role", caller.role.clone()),
        (
            "request.jwt.claims",
            Value::Object(caller.claims.clone()).to_string(),
        ),
        ("request.method", request.method.to_string()),
        ("request.path", request.path.clone()),
        ("request.headers", headers(&request.headers)),
        ("request.cookies", cookies(&request.headers)),
    ]);
    let mut sql = Sql::new("select ");
    sql.list(", ", settings, |sql, (name, value)| {
        sql.push("set_config(").value(name);
        sql.push(", ").value(value).push(", true)");
    });
    sql
}

/// Sets a time zone that PostgreSQL knows; gives no row for another.
fn set_timezone(zone: &str) -> Sql {
    let mut sql = Sql::new(
        "select set_config('timezone', name, true) from pg_catalog.pg_timezone_names where name = ",
    );
    sql.value(zone);
    sql
}

/// All headers but cookies, by their lower-case names.
fn headers(headers: &HeaderMap) -> String {
    let headers: BTreeMap<&str, String> = headers
        .keys()
        .filter(|name| *name != COOKIE)
        .map(|name| {
            let values = headers.get_all(name).iter();
            let values: Vec<_> = values
                .map(|value| String::from_utf8_lossy(value.as_bytes()))
                .collect();
            (name.as_str(), values.join(", "))
        })
        .collect();
    serde_json::json!(headers).to_string()
}

fn cookies(headers: &HeaderMap) -> String {
    let cookies: BTreeMap<&str, &str> = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .collect();
    serde_json::json!(cookies).to_string()
}

/// The isolation that a role or, above it, a function asks for.
fn isolation(role: &[(String, String)], function: &[(String, String)]) -> Option<IsolationLevel> {
    let setting = function
        .iter()
        .rev()
        .chain(role.iter().rev())
        .find(|(name, _)| name == "default_transaction_isolation");
    match setting?.1.as_str() {
        "serializable" => Some(IsolationLevel::Serializable),
        "repeatable read" => Some(IsolationLevel::RepeatableRead),
        _ => None,
    }
}

fn outcome(row: &Row, timezone_set: bool) -> std::result::Result<Outcome, tokio_postgres::Error> {
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    Ok(Outcome {
        total: row.try_get::<_, Option<i64>>("total")?.map(count),
        rows: count(row.try_get("rows")?),
        body: row.try_get("body")?,
        headers: row.try_get("headers")?,
        status: row.try_get("status")?,
        inserted: row
            .try_get::<_, Option<&str>>("inserted")?
            .and_then(|number| number.parse().ok()),
        timezone_set,
    })
}

/// JSON as text.
struct Json<'a>(&'a str);

impl<'a> FromSql<'a> for Json<'a> {
    fn from_sql(
        _type: &Type,
        raw: &'a [u8],
    ) -> std::result::Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(std::str::from_utf8(raw)?))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::JSON
    }
}

/// The part of `explain (format json)` that counts.
#[derive(Deserialize)]
struct Explained {
    #[serde(rename = "Plan")]
    plan: ExplainedPlan,
}

#[derive(Deserialize)]
struct ExplainedPlan {
    #[serde(rename = "Plan Rows")]
    rows: u64,
}

fn planned_rows(rows: &[Row]) -> Result<u64> {
    rows.first()
        .and_then(|row| row.try_get::<_, Json>(0).ok())
        .and_then(|json| serde_json::from_str::<[Explained; 1]>(json.0).ok())
        .map(|[explained]| explained.plan.rows)
        .ok_or_else(|| internal("the planner's estimate is unreadable"))
}

fn internal(message: &str) -> ApiError {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "PGRSTX00", message)
}
