//! A report as plain text: for terminals, and for readers of mail that show no HTML.

use std::fmt::Write;

use super::{Line, Report, SECTIONS};
use crate::messages::plain_text;

/// No subject of a line is worth more of its width.
const LABEL_LIMIT: usize = 48;

/// The whole report.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut text = format!("{}\n{}\n", report.headline(), report.comparison());
    for section in SECTIONS {
        let lines: Vec<&Line> = report.section(section).collect();
        if lines.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{}", section.heading());
        for line in lines {
            let _ = writeln!(text, "  {}", words(line));
        }
    }
    if !report.cost_unknown.is_empty() {
        let unknown: Vec<String> = report
            .cost_unknown
            .iter()
            .map(|name| plain_text::line(name))
            .collect();
        let _ = writeln!(
            text,
            "\nNo part of the cost, because nobody tells: {}.",
            unknown.join(", ")
        );
    }
    for (nth, said) in report.security_words().iter().enumerate() {
        let before = if nth == 0 { "\n" } else { "  " };
        let _ = writeln!(text, "{before}{}", plain_text::line(said));
    }
    text
}

/// `Uptime: app: 99.98 % (before 99.9 %, mean 99.93 %): as usual. pourtrait checks list`
fn words(line: &Line) -> String {
    let label = plain_text::cut(&plain_text::line(&line.label()), LABEL_LIMIT);
    if line.value.is_none() {
        return format!("{label}: {} | {}", line.figure(), line.way());
    }
    let note = line
        .note
        .as_ref()
        .map(|note| format!(", {note}"))
        .unwrap_or_default();
    format!(
        "{label}: {}{note} (before {}, mean {}): {} | {}",
        line.figure(),
        line.former(),
        line.mean(),
        line.verdict_words(),
        line.way()
    )
}
