//! What to run for a request: one main statement and what must hold of its
//! result.

pub(super) mod call;
mod outcome;
pub(super) mod read;
mod values;
pub(super) mod write;

use http::StatusCode;

pub(super) use outcome::Outcome;

use super::{
    error::{ApiError, Result},
    media::Media,
    preferences::{Count, Preferences},
    sql::Sql,
};

/// The name of the main statement's rows.
const SOURCE: &str = "\"pgrst_source\"";

/// A statement and what surrounds it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) statement: Sql,
    pub(super) read_only: bool,
    /// Settings of the called function that hold for the whole transaction.
    pub(super) settings: Vec<(String, String)>,
    pub(super) estimate: Option<Estimate>,
    /// Whether the result must be one row.
    single: bool,
    /// How many rows may be changed.
    row_limit: Option<u64>,
}

/// A statement whose plan tells about how many rows there are.
#[derive(Debug)]
pub(super) struct Estimate {
    pub(super) statement: Sql,
    /// It is asked only if more rows than that were counted, or none were.
    pub(super) above: u64,
}

impl Plan {
    /// What must hold before the transaction is committed.
    pub(super) fn check(&self, outcome: &Outcome) -> Result<()> {
        let rows = outcome.rows;
        if let Some(limit) = self.row_limit
            && rows > limit
        {
            return Err(ApiError::bad_request(
                "PGRST124",
                "Query result exceeds max-affected preference constraint",
            )
            .details(format!("The query affects {rows} rows")));
        }
        if self.single && rows != 1 {
            return Err(ApiError::new(
                StatusCode::NOT_ACCEPTABLE,
                "PGRST116",
                "Cannot coerce the result to a single JSON object",
            )
            .details(format!("The result contains {rows} rows")));
        }
        Ok(())
    }
}

/// The form of the body.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Nothing,
    Rows,
    /// The first row, as an object.
    Row,
    /// The one column of each row.
    Values,
    /// The one column of the first row.
    Value,
}

impl Shape {
    fn of(media: Media) -> Self {
        match media {
            Media::Array => Self::Rows,
            Media::Object => Self::Row,
        }
    }

    /// Numbers stay as PostgreSQL writes them, because it writes the JSON.
    fn sql(self) -> &'static str {
        match self {
            Self::Nothing => "''",
            Self::Rows => "coalesce(json_agg(_postgrest_t), '[]')",
            Self::Row => "coalesce(json_agg(_postgrest_t)->0, 'null')",
            Self::Values => "coalesce(json_agg(_postgrest_t.pgrst_scalar), '[]')",
            Self::Value => "coalesce(json_agg(_postgrest_t.pgrst_scalar)->0, 'null')",
        }
    }
}

/// Begins the statement after its common table expressions: what an
/// [`Outcome`] is read from. The rows themselves must follow.
fn begin_result(sql: &mut Sql, total: &str, shape: Shape) {
    sql.push(" SELECT ")
        .push(total)
        .push("::bigint AS total, count(*) AS rows, ")
        .push(shape.sql())
        .push(
            "::text AS body, \
             nullif(current_setting('response.headers', true), '') AS headers, \
             nullif(current_setting('response.status', true), '') AS status, \
             nullif(current_setting('pgrst.inserted', true), '') AS inserted \
             FROM (",
        );
}

fn end_result(sql: &mut Sql) {
    sql.push(") AS _postgrest_t");
}

/// The preferences that any request may have followed.
fn common_applied(preferences: &Preferences, outcome: &Outcome) -> Preferences {
    let timezone = preferences.timezone.clone();
    Preferences {
        count: preferences.count,
        handling: preferences.handling,
        timezone: timezone.filter(|_| outcome.timezone_set),
        ..Preferences::default()
    }
}

/// Whether the planner is asked for the number of rows.
fn wants_estimate(preferences: &Preferences) -> bool {
    matches!(preferences.count, Some(Count::Planned | Count::Estimated))
}

/// Relations are looked up before privileges are.
pub(super) fn unknown_relation(schema: &str, name: &str) -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "PGRST205",
        format!("Could not find the table '{schema}.{name}' in the schema cache"),
    )
}
