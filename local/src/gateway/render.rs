//! The parts of a query string as SQL.

use super::{
    catalog::{Kind, Relation},
    query::{Condition, Field, Item, Operand, OrderTerm, Test},
    sql::Sql,
    window::Window,
};

/// Where the rows come from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// The source as SQL, which also qualifies its columns.
    pub(super) sql: &'a str,
    /// What is known of its columns; `None` for the result of a function.
    pub(super) relation: Option<&'a Relation>,
}

impl Source<'_> {
    fn kind(&self, column: &str) -> Option<Kind> {
        Some(self.relation?.column(column)?.kind)
    }
}

/// `select`, or all columns.
pub(super) fn select(sql: &mut Sql, source: Source<'_>, items: &[Item]) {
    if items.is_empty() {
        sql.push(source.sql).push(".*");
        return;
    }
    sql.list(", ", items, |sql, item| match item {
        Item::All => {
            sql.push(source.sql).push(".*");
        }
        Item::Field { field, alias, cast } => {
            match cast {
                Some(cast) => {
                    sql.push("CAST(");
                    value(sql, source, field);
                    // The grammar lets letters, digits, _, $ and blanks pass.
                    sql.push(" AS ").push(cast).push(")");
                }
                None => value(sql, source, field),
            }
            sql.push(" AS ")
                .name(alias.as_deref().unwrap_or(field.output_name()));
        }
    });
}

/// The columns that `select` and `order` read, each once; `None` for all.
pub(super) fn columns_read<'a>(items: &'a [Item], order: &'a [OrderTerm]) -> Option<Vec<&'a str>> {
    let mut columns: Vec<&str> = Vec::new();
    for item in items {
        match item {
            Item::All => return None,
            Item::Field { field, .. } => columns.push(&field.column),
        }
    }
    if columns.is_empty() {
        return None;
    }
    columns.extend(order.iter().map(|term| term.field.column.as_str()));
    columns.sort_unstable();
    columns.dedup();
    Some(columns)
}

/// ` WHERE …`, or nothing.
pub(super) fn filter(sql: &mut Sql, source: Source<'_>, conditions: &[Condition]) {
    if !conditions.is_empty() {
        sql.push(" WHERE ").list(" AND ", conditions, |sql, one| {
            condition(sql, source, one);
        });
    }
}

/// ` ORDER BY …`, or nothing.
pub(super) fn order(sql: &mut Sql, source: Source<'_>, terms: &[OrderTerm]) {
    if !terms.is_empty() {
        sql.push(" ORDER BY ").list(", ", terms, |sql, term| {
            value(sql, source, &term.field);
            sql.push(&term.suffix);
        });
    }
}

/// ` LIMIT … OFFSET …`, as far as the window is one.
pub(super) fn window(sql: &mut Sql, window: Window) {
    if let Some(limit) = window.limit {
        sql.push(" LIMIT ").value(limit.to_string());
    }
    if window.offset > 0 {
        sql.push(" OFFSET ").value(window.offset.to_string());
    }
}

fn value(sql: &mut Sql, source: Source<'_>, field: &Field) {
    let wrap = !field.path.is_empty() && source.kind(&field.column) != Some(Kind::Json);
    sql.push(if wrap { "to_jsonb(" } else { "(" });
    sql.push(source.sql).push(".").name(&field.column);
    sql.push(")");
    for step in &field.path {
        sql.push(if step.as_text { "->>" } else { "->" });
        match &step.operand {
            Operand::Key(key) => sql.value(key.as_str()).push("::text"),
            Operand::Index(index) => sql.value(index.as_str()).push("::integer"),
        };
    }
}

fn condition(sql: &mut Sql, source: Source<'_>, condition: &Condition) {
    match condition {
        Condition::Group {
            negated,
            any,
            members,
        } => {
            sql.push(if *negated { "NOT (" } else { "(" });
            let joint = if *any { " OR " } else { " AND " };
            sql.list(joint, members, |sql, member| {
                self::condition(sql, source, member);
            });
            sql.push(")");
        }
        Condition::Field {
            field,
            negated,
            test,
        } => {
            sql.push(if *negated { "NOT (" } else { "(" });
            self::test(sql, source, field, test);
            sql.push(")");
        }
    }
}

fn test(sql: &mut Sql, source: Source<'_>, field: &Field, test: &Test) {
    match test {
        Test::Binary {
            operator,
            value: operand,
        } => {
            value(sql, source, field);
            sql.push(" ")
                .push(operator)
                .push(" ")
                .value(operand.as_str());
        }
        Test::Quantified {
            operator,
            quantifier,
            array,
        } => {
            value(sql, source, field);
            sql.push(" ").push(operator).push(" ").push(quantifier);
            sql.push(" (").value(array.as_str()).push(")");
        }
        Test::In(elements) => {
            value(sql, source, field);
            sql.push(" = ANY (")
                .value(super::sql::array_literal(elements))
                .push(")");
        }
        Test::Is(state) => {
            value(sql, source, field);
            sql.push(" IS ").push(state);
        }
        Test::TextSearch {
            function,
            config,
            query,
        } => {
            document(sql, source, field, config.as_deref());
            sql.push(" @@ ").push(function).push("(");
            if let Some(config) = config {
                sql.value(config.as_str()).push(", ");
            }
            sql.value(query.as_str()).push(")");
        }
    }
}

/// What is searched: the column itself if it is prepared for that, else its
/// words.
fn document(sql: &mut Sql, source: Source<'_>, field: &Field, config: Option<&str>) {
    let kind = source.kind(&field.column);
    if field.path.is_empty() && matches!(kind, Some(Kind::TextSearch) | None) {
        return value(sql, source, field);
    }
    sql.push("to_tsvector(");
    if let Some(config) = config {
        sql.value(config).push(", ");
    }
    value(sql, source, field);
    sql.push(")");
}
