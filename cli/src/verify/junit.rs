//! A report as `JUnit`'s XML, which CI systems read: a suite for each group.

use std::fmt::Write;

use ops::verification::{
    report::{Finding, Outcome, Report},
    subject::Group,
};

/// The whole report as a document.
pub(super) fn of(report: &Report) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" {}>\n",
        escaped(&format!("pourtrait verify {}", report.url)),
        counts(report.findings.iter()),
    );
    for group in Group::ALL {
        let of_group = || {
            report
                .findings
                .iter()
                .filter(move |finding| finding.group == group)
        };
        if of_group().next().is_none() {
            continue;
        }
        let _ = writeln!(
            text,
            "  <testsuite name=\"{}\" timestamp=\"{}\" {}>",
            group.as_str(),
            report.at,
            counts(of_group()),
        );
        for finding in of_group() {
            text.push_str(&case(finding));
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>");
    text
}

fn case(finding: &Finding) -> String {
    let said = escaped(&finding.text);
    let inside = match finding.outcome {
        _ if finding.counts() => format!(
            "<failure type=\"{}\" message=\"{said}\">{}</failure>",
            finding.importance.as_str(),
            escaped(finding.mend.as_deref().unwrap_or_default()),
        ),
        // What is optional fails nothing, and must not fail a pipeline either.
        Outcome::Failed => format!("<skipped message=\"optional, and bad: {said}\"/>"),
        Outcome::Skipped => format!("<skipped message=\"{said}\"/>"),
        Outcome::Passed => format!("<system-out>{said}</system-out>"),
    };
    format!(
        "    <testcase classname=\"verify.{}\" name=\"{}\" time=\"0\">{inside}</testcase>\n",
        finding.group.as_str(),
        finding.look,
    )
}

fn counts<'a>(findings: impl Iterator<Item = &'a Finding>) -> String {
    let (mut tests, mut failures, mut skipped) = (0, 0, 0);
    for finding in findings {
        tests += 1;
        if finding.counts() {
            failures += 1;
        } else if finding.outcome != Outcome::Passed {
            skipped += 1;
        }
    }
    format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\"")
}

/// A text as XML takes it: what has no place in a document at all becomes a space.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
                escaped.push(' ');
            }
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use ops::verification::{report::Importance, subject::Project};

    use super::*;

    fn finding(importance: Importance, outcome: Outcome, text: &str) -> Finding {
        Finding {
            look: "load",
            group: Group::Speed,
            importance,
            outcome,
            text: text.to_owned(),
            mend: (outcome == Outcome::Failed).then(|| "mend <it>".to_owned()),
        }
    }

    #[test]
    fn what_a_server_says_cannot_leave_its_place() {
        let hostile = "\"/></testsuites>\u{0}<!-- ]]> & 'x'\u{1b}[31m";
        let report = Report {
            url: "https://ops.wine.example/?a=1&b=<2>".parse().unwrap(),
            project: Project::Ops,
            at: "2026-11-30T12:00:00Z".parse().unwrap(),
            findings: vec![
                finding(Importance::Critical, Outcome::Failed, hostile),
                finding(Importance::Optional, Outcome::Failed, "meh"),
                finding(Importance::Important, Outcome::Skipped, "no key"),
                finding(Importance::Important, Outcome::Passed, "fine"),
            ],
        };
        assert_eq!(
            of(&report),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <testsuites name=\"pourtrait verify https://ops.wine.example/?a=1&amp;b=%3C2%3E\" tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"2\">\n  \
             <testsuite name=\"speed\" timestamp=\"2026-11-30T12:00:00Z\" tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"2\">\n    \
             <testcase classname=\"verify.speed\" name=\"load\" time=\"0\"><failure type=\"critical\" message=\"&quot;/&gt;&lt;/testsuites&gt; &lt;!-- ]]&gt; &amp; &apos;x&apos; [31m\">mend &lt;it&gt;</failure></testcase>\n    \
             <testcase classname=\"verify.speed\" name=\"load\" time=\"0\"><skipped message=\"optional, and bad: meh\"/></testcase>\n    \
             <testcase classname=\"verify.speed\" name=\"load\" time=\"0\"><skipped message=\"no key\"/></testcase>\n    \
             <testcase classname=\"verify.speed\" name=\"load\" time=\"0\"><system-out>fine</system-out></testcase>\n  \
             </testsuite>\n</testsuites>"
        );
    }
}
