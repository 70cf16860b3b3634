//! A report for people: a table, and below it what to do.

use std::fmt::Write;

use ops::{
    messages::plain_text,
    verification::report::{Finding, Outcome, Report},
};

use terminal::output;

/// The whole report as text.
pub(super) fn of(report: &Report) -> String {
    let rows: Vec<_> = report.findings.iter().map(row).collect();
    let mut text = output::table(["", "importance", "look", "seen"], &rows);
    for finding in &report.findings {
        if let Some(mend) = &finding.mend {
            let _ = write!(text, "\n\n{}: {mend}", finding.look);
        }
    }
    let _ = write!(
        text,
        "\n\n{} passed, {} failed, {} skipped: {}",
        report.count(Outcome::Passed),
        report.count(Outcome::Failed),
        report.count(Outcome::Skipped),
        if report.is_good() {
            "nothing critical or important is wrong"
        } else {
            "it is not as it should be"
        }
    );
    text
}

fn row(finding: &Finding) -> [String; 4] {
    [
        finding.outcome.as_str().to_owned(),
        finding.importance.as_str().to_owned(),
        finding.look.to_owned(),
        plain_text::line(&finding.text),
    ]
}
