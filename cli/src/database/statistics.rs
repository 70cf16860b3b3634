//! The server's statistics as text.

use ops::{
    messages::{plain_text, quantities::quantity},
    monitoring::document::{Blocking, Database, Statement, Table, Transaction, Waiting},
};

use crate::times::{for_seconds, to_the_minute};
use terminal::output;

/// How long a statement may be on a line, in characters.
const STATEMENT: usize = 100;

pub(super) fn describe(database: &Database) -> String {
    let connections = &database.connections;
    let states = &connections.by_state;
    let parts = [
        format!(
            "PostgreSQL {}, {}, {} of blocks found in memory",
            plain_text::line(&database.version),
            database.size_bytes.map_or_else(unknown, bytes),
            percent(database.cache_hit_ratio)
        ),
        format!(
            "connections: {} of {} ({} active, {} idle, {} idle in a transaction)",
            connections
                .used
                .map_or_else(unknown, |used| used.to_string()),
            connections.maximum,
            states.active,
            states.idle,
            states.idle_in_transaction
        ),
        format!(
            "longest transaction: {}",
            database
                .longest_transaction
                .as_ref()
                .map_or_else(|| "none".to_owned(), transaction)
        ),
        locks(&database.locks),
        statements(database),
        tables(&database.tables),
    ];
    parts.join("\n")
}

fn transaction(open: &Transaction) -> String {
    let waits = open.waits_for.as_deref().map_or_else(String::new, |what| {
        format!(", waits for {}", plain_text::line(what))
    });
    format!(
        "{} by {}, {}{waits}: {}",
        open.seconds.map_or_else(unknown, for_seconds),
        open.pid,
        plain_text::line(open.state.as_deref().unwrap_or("unknown")),
        statement(open.query.as_deref())
    )
}

fn locks(waiting: &[Waiting]) -> String {
    if waiting.is_empty() {
        return "nobody waits for a lock".to_owned();
    }
    let lines = waiting.iter().flat_map(|one| {
        let first = format!(
            "{} waits {} for a lock ({}): {}",
            one.pid,
            one.seconds.map_or_else(unknown, for_seconds),
            plain_text::line(one.waits_for.as_deref().unwrap_or("unknown")),
            statement(one.query.as_deref())
        );
        std::iter::once(first).chain(one.blocked_by.iter().map(blocking))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn blocking(one: &Blocking) -> String {
    format!(
        "  of {}, {} in its transaction, {}: {}",
        one.pid,
        one.seconds.map_or_else(unknown, for_seconds),
        plain_text::line(one.state.as_deref().unwrap_or("unknown")),
        statement(one.query.as_deref())
    )
}

fn statements(database: &Database) -> String {
    const HEADING: [&str; 7] = [
        "total",
        "mean",
        "longest",
        "calls",
        "rows",
        "in memory",
        "statement",
    ];
    let Some(top) = &database.top_queries else {
        let reason = database
            .queries_unknown
            .as_deref()
            .unwrap_or("nobody knows why");
        return format!("statements: not known, {}", plain_text::line(reason));
    };
    let since = database.queries_since.map_or_else(String::new, |since| {
        format!(" since {}", to_the_minute(since))
    });
    let rows: Vec<_> = top.iter().map(statement_row).collect();
    let slow = database.slow_queries.as_deref().unwrap_or_default();
    let mut text = format!(
        "\nStatements that took most time{since}\n{}",
        output::table(HEADING, &rows)
    );
    if !slow.is_empty() {
        let rows: Vec<_> = slow.iter().map(statement_row).collect();
        text = format!(
            "{text}\n\nSlow statements: 500 ms or more a call\n{}",
            output::table(HEADING, &rows)
        );
    }
    text
}

fn statement_row(one: &Statement) -> [String; 7] {
    [
        quantity(one.total_ms, Some("ms")),
        quantity(one.mean_ms, Some("ms")),
        quantity(one.max_ms, Some("ms")),
        one.calls.to_string(),
        one.rows.to_string(),
        percent(one.cache_hit_percent),
        statement(Some(&one.query)),
    ]
}

fn tables(tables: &[Table]) -> String {
    const HEADING: [&str; 7] = [
        "table", "size", "rows", "dead", "empty", "vacuumed", "analyzed",
    ];
    let rows: Vec<_> = tables
        .iter()
        .map(|table| {
            [
                plain_text::line(&table.table),
                table.size_bytes.map_or_else(unknown, bytes),
                table.rows.map_or_else(unknown, |rows| rows.to_string()),
                percent(table.dead_percent),
                table.bloat_bytes.map_or_else(unknown, bytes),
                table
                    .last_vacuum
                    .map_or_else(|| "never".to_owned(), to_the_minute),
                table
                    .last_analyze
                    .map_or_else(|| "never".to_owned(), to_the_minute),
            ]
        })
        .collect();
    format!("\nLargest tables\n{}", output::table(HEADING, &rows))
}

fn statement(query: Option<&str>) -> String {
    let text = plain_text::line(query.unwrap_or("unknown"));
    if text.chars().count() > STATEMENT {
        let start: String = text.chars().take(STATEMENT).collect();
        format!("{start}…")
    } else {
        text
    }
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(unknown, |share| quantity(share, Some("%")))
}

/// Bytes in a unit that leaves few digits.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let unit = UNITS.into_iter().find(|(size, _)| bytes >= *size);
    unit.map_or_else(
        || format!("{bytes} B"),
        |(size, unit)| {
            let tenths = bytes / (size / 10);
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        },
    )
}

fn unknown() -> String {
    "unknown".to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn document() -> Value {
        json!({
            "connections": {"used": 7, "maximum": 100, "byState": {"active": 2, "idle": 5, "idleInTransaction": 0, "other": 0}},
            "cacheHitRatio": 99.5, "sizeBytes": 12_345_678, "version": "15.8",
            "slowQueries": null, "topQueries": null, "queriesSince": null,
            "queriesUnknown": "pg_stat_statements is not installed",
            "longestTransaction": null, "locks": [],
            "tables": [{"table": "public.wines", "sizeBytes": 900, "rows": 3, "deadRows": 1, "deadPercent": 25.0,
                        "bloatBytes": null, "lastVacuum": null, "lastAnalyze": "2026-11-24T12:00:00Z"}],
            "readAt": "2026-11-24T12:00:00Z",
        })
    }

    fn described(document: Value) -> String {
        describe(&serde_json::from_value(document).unwrap())
    }

    #[test]
    fn what_is_quiet_is_said_in_a_few_lines() {
        assert_eq!(
            described(document()),
            "PostgreSQL 15.8, 12.3 MB, 99.5 % of blocks found in memory\n\
             connections: 7 of 100 (2 active, 5 idle, 0 idle in a transaction)\n\
             longest transaction: none\n\
             nobody waits for a lock\n\
             statements: not known, pg_stat_statements is not installed\n\
             \n\
             Largest tables\n\
             TABLE         SIZE   ROWS  DEAD  EMPTY    VACUUMED  ANALYZED\n\
             public.wines  900 B  3     25 %  unknown  never     2026-11-24 12:00 UTC"
        );
    }

    #[test]
    fn who_waits_is_named_with_whom_they_wait_for() {
        let mut document = document();
        let statement = json!({"query": "select\u{1b} 1", "calls": 4, "totalMs": 4000.0, "meanMs": 1000.0, "maxMs": 1500.0,
                               "rows": 8, "cacheHitPercent": null});
        document["topQueries"] = json!([statement]);
        document["slowQueries"] = json!([statement]);
        document["longestTransaction"] = json!({"pid": 5, "seconds": 61.5, "state": "idle in transaction",
                                                "waitsFor": "Client ClientRead", "query": "x".repeat(300)});
        document["locks"] = json!([{"pid": 6, "seconds": 3.0, "waitsFor": "relation", "query": "lock wines", "blockedBy": [
            {"pid": 5, "seconds": 61.5, "state": "idle in transaction", "query": "select …"},
        ]}]);
        let text = described(document);
        assert!(text.contains("longest transaction: 1 min 1 s by 5, idle in transaction, waits for Client ClientRead: xxx"), "{text}");
        assert!(text.contains("6 waits 3 s for a lock (relation): lock wines\n  of 5, 1 min 1 s in its transaction, idle"), "{text}");
        assert!(
            text.contains("4 s    1 s   1.5 s    4      8     unknown    select"),
            "{text}"
        );
        assert!(
            text.contains("Slow statements") && !text.contains('\u{1b}'),
            "{text:?}"
        );
    }
}
