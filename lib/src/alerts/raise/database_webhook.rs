//! Supabase's database webhooks: a row was inserted. The payload is a hint and
//! never content: what the row says is read from the database.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    messages::channels::Channel,
    rpc::{Call, Retry},
};

/// A row of the application that may be an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    table: Table,
    id: Uuid,
}

/// The tables whose rows are events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Table {
    ErrorLogs,
    Alerts,
}

/// Reads one row and does with it what a tick would. A row is noticed once, so
/// that repeating the call changes nothing.
#[derive(Debug, Serialize)]
pub(super) struct NoticeEvent {
    p_table: Table,
    p_id: Uuid,
    p_environment: &'static str,
    p_channels: Vec<Channel>,
}

impl Call for NoticeEvent {
    const NAME: &'static str = "ops_notice_event";
    const RETRY: Retry = Retry::Idempotent;
    /// A result like those of alerts that were raised.
    type Output = Value;
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Change {
    Insert,
    Update,
    Delete,
}

#[derive(Debug, Deserialize)]
struct Payload {
    r#type: Change,
    table: String,
    schema: String,
    record: Option<Record>,
}

#[derive(Debug, Deserialize)]
struct Record {
    id: Uuid,
}

/// Whether a body has the shape of a database webhook, be it right or wrong.
pub(super) fn is_webhook(body: &Map<String, Value>) -> bool {
    ["type", "table", "schema", "record"]
        .iter()
        .all(|key| body.contains_key(*key))
}

/// The row that a webhook names; `None` if nothing was inserted.
///
/// # Errors
/// What is wrong with it, as a text for the caller.
pub(super) fn parse(body: Value) -> Result<Option<Row>, String> {
    // Serde's text might repeat what stands in the record.
    let payload: Payload = serde_json::from_value(body).map_err(|_| {
        "expected a database webhook: type, table, schema and a record with its id".to_owned()
    })?;
    let table = match (payload.schema.as_str(), payload.table.as_str()) {
        ("public", "error_logs") => Table::ErrorLogs,
        ("public", "alerts") => Table::Alerts,
        _ => return Err("table: expected public.error_logs or public.alerts".to_owned()),
    };
    match (payload.r#type, payload.record) {
        (Change::Insert, Some(Record { id })) => Ok(Some(Row { table, id })),
        (Change::Insert, None) => Err("record: missing".to_owned()),
        (Change::Update | Change::Delete, _) => Ok(None),
    }
}

impl Row {
    /// The call that has it read.
    pub(super) fn notice(self, environment: &'static str, channels: Vec<Channel>) -> NoticeEvent {
        NoticeEvent {
            p_table: self.table,
            p_id: self.id,
            p_environment: environment,
            p_channels: channels,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::messages::channels::slack;

    const ID: &str = "7e0c0f5e-0000-4000-8000-000000000001";

    fn payload(kind: &str, schema: &str, table: &str, record: &Value) -> Value {
        json!({"type": kind, "table": table, "schema": schema, "record": record, "old_record": null})
    }

    #[test]
    fn an_inserted_row_is_its_table_and_id() {
        let record = json!({"id": ID, "message": "never read", "severity": "critical"});
        for (table, expected) in [("error_logs", Table::ErrorLogs), ("alerts", Table::Alerts)] {
            let body = payload("INSERT", "public", table, &record);
            assert!(is_webhook(body.as_object().unwrap()));
            let id = ID.parse().unwrap();
            assert_eq!(
                parse(body),
                Ok(Some(Row {
                    table: expected,
                    id
                }))
            );
        }
        let call = Row {
            table: Table::ErrorLogs,
            id: ID.parse().unwrap(),
        };
        assert_eq!(
            json!(call.notice("production", vec![slack::CHANNEL])),
            json!({"p_table": "error_logs", "p_id": ID, "p_environment": "production", "p_channels": ["slack"]}),
        );
    }

    #[test]
    fn what_is_no_insertion_is_nothing_and_what_is_no_event_is_refused() {
        let record = json!({"id": ID});
        for kind in ["UPDATE", "DELETE"] {
            let record = if kind == "DELETE" {
                &Value::Null
            } else {
                &record
            };
            assert_eq!(parse(payload(kind, "public", "alerts", record)), Ok(None));
        }
        for body in [
            payload("INSERT", "public", "wines", &record),
            payload("INSERT", "ops", "alerts", &record),
            payload("UPDATE", "public", "wines", &record),
            payload("TRUNCATE", "public", "alerts", &record),
            payload("INSERT", "public", "alerts", &Value::Null),
            payload("INSERT", "public", "alerts", &json!({"id": 7})),
            payload("INSERT", "public", "alerts", &json!({"message": "secret"})),
        ] {
            let problem = parse(body.clone()).expect_err(&body.to_string());
            assert!(!problem.contains("secret"), "{problem}");
        }
    }
}
