//! A report as the body of a letter: a table a section, of which each line leads on.

use std::fmt::Write;

use super::super::palette::{ACCENT, Colour, DOWN, MUTED, TEXT, UP};
use crate::messages::{
    plain_text,
    report::{Line, Report, SECTIONS, Verdict},
};

const TEXT_LIMIT: usize = 200;

/// The whole report, below its headline.
pub(super) fn html(report: &Report) -> String {
    let mut html = paragraph(&report.comparison());
    for section in SECTIONS {
        let rows: String = report.section(section).map(row).collect();
        if rows.is_empty() {
            continue;
        }
        let Colour { class, light, .. } = TEXT;
        let _ = write!(
            html,
            r#"<h3 class="{class}" style="margin:24px 0 4px;color:{light};font-size:16px">{}</h3><table style="border-collapse:collapse;width:100%;font-size:14px">{}{rows}</table>"#,
            section.heading(),
            heading(),
        );
    }
    if !report.cost_unknown.is_empty() {
        let unknown = report.cost_unknown.join(", ");
        html.push_str(&paragraph(&format!(
            "No part of the cost, because nobody tells: {unknown}."
        )));
    }
    for said in report.security_words() {
        html.push_str(&paragraph(&said));
    }
    html
}

fn paragraph(text: &str) -> String {
    let Colour { class, light, .. } = MUTED;
    let text = plain_text::html(&plain_text::line(text), 10 * TEXT_LIMIT);
    format!(r#"<p class="{class}" style="margin:16px 0;color:{light}">{text}</p>"#)
}

fn heading() -> String {
    let cells: String = ["", "now", "before", "mean", ""]
        .into_iter()
        .map(|name| cell(MUTED, name, "th"))
        .collect();
    format!("<tr>{cells}</tr>")
}

fn row(line: &Line) -> String {
    let verdict = line.verdict();
    let way = cell(MUTED, line.way(), "td");
    let [label, now, before, mean] = [line.label(), line.figure(), line.former(), line.mean()]
        .map(|text| cell(TEXT, &text, "td"));
    let judged = match &line.note {
        Some(note) if line.value.is_some() => format!("{}, {note}", line.verdict_words()),
        Some(_) | None => line.verdict_words(),
    };
    let judged = cell(colour(verdict), &judged, "td");
    format!(
        "<tr>{label}{now}{before}{mean}{judged}</tr><tr><td></td>{}</tr>",
        spanning(&way)
    )
}

/// The way on, below the figures of its line.
fn spanning(cell: &str) -> String {
    cell.replacen("<td ", r#"<td colspan="4" "#, 1)
}

fn cell(colour: Colour, text: &str, tag: &str) -> String {
    let Colour { class, light, .. } = colour;
    let text = plain_text::html(&plain_text::line(text), TEXT_LIMIT);
    format!(
        r#"<{tag} class="{class}" style="padding:3px 12px 3px 0;color:{light};text-align:left;vertical-align:top;font-weight:400">{text}</{tag}>"#
    )
}

fn colour(verdict: Verdict) -> Colour {
    match verdict {
        Verdict::BeyondBound | Verdict::Worse => DOWN,
        Verdict::Better => UP,
        Verdict::Higher | Verdict::Lower => ACCENT,
        Verdict::NoData | Verdict::TooLittle | Verdict::AsUsual => MUTED,
    }
}
