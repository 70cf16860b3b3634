//! A report in blocks of Slack: what calls for a look first, then a block a section, within
//! Slack's 3,000 characters a block. What does not fit is counted.

use serde_json::Value;

use super::{BODY_LIMIT, safe, section};
use crate::messages::{
    plain_text,
    report::{Line, Report, SECTIONS},
};

const TEXT_LIMIT: usize = 200;

/// The blocks below the headline.
pub(super) fn blocks(report: &Report) -> Vec<Value> {
    let mut blocks = vec![section(&escaped(&report.comparison()))];
    for part in SECTIONS {
        let lines: Vec<String> = report.section(part).map(words).collect();
        if !lines.is_empty() {
            blocks.push(section(&fitting(part.heading(), &lines)));
        }
    }
    blocks
}

/// A heading and as many lines as a block takes.
fn fitting(heading: &str, lines: &[String]) -> String {
    let mut text = format!("*{heading}*");
    for (nth, line) in lines.iter().enumerate() {
        let rest = format!("\n… and {} more", lines.len() - nth);
        let length = [&text, line, &rest]
            .iter()
            .map(|part| part.encode_utf16().count())
            .sum::<usize>();
        if length + 1 > BODY_LIMIT {
            text.push_str(&rest);
            break;
        }
        text.push('\n');
        text.push_str(line);
    }
    text
}

fn words(line: &Line) -> String {
    let mark = if line.verdict().calls() {
        ":small_red_triangle: "
    } else {
        ""
    };
    let label = escaped(&line.label());
    if line.value.is_none() {
        return format!(
            "{mark}{label}: {} `{}`",
            escaped(&line.figure()),
            line.way()
        );
    }
    format!(
        "{mark}{label}: *{}* (before {}, mean {}), {} `{}`",
        escaped(&line.figure()),
        escaped(&line.former()),
        escaped(&line.mean()),
        escaped(&line.verdict_words()),
        line.way()
    )
}

fn escaped(text: &str) -> String {
    safe(&plain_text::line(text), TEXT_LIMIT)
}
