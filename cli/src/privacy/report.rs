//! `pourtrait privacy report`: what is held of people, where, for how long, who may read it, and
//! who did.

use crate::{
    audit::report::{self, Asked, markdown::Document, sections},
    environment::Environment,
    project::Project,
};
use terminal::{failure::Verdict, output::Output};

/// What of the audit log tells of data of people.
fn is_of_people(action: &str) -> bool {
    action.starts_with("data.")
        || matches!(
            action,
            "details.erased"
                | "consent.changed"
                | "request.refused"
                | "contact.changed"
                | "database.restored"
                | "rows.restored"
                | "access.refused"
        )
}

pub(super) async fn run(
    asked: &Asked,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    let gathered = report::gather(asked, &project, environment).await?;
    let answer = &gathered.answer;
    let mut text = Document::new(
        "Privacy report",
        &format!(
            "Of {}, from {:.0} to {:.0}. What each kind of data is, and why it is kept: docs/privacy.md.",
            gathered.host, answer.from, answer.to
        ),
    );
    let read = format!(
        "Data that were handed out, shown or erased, and access that was refused:\n\n{}\n{}\n\nWho read the dashboard \
         is not written down; what it shows, docs/dashboard.md says.",
        sections::told(answer, is_of_people),
        sections::sign_ins(answer)
    );
    for (title, body) in [
        ("What differs", sections::differences(&gathered)),
        ("What is kept, and how long", sections::kept(answer)),
        ("Where it lies", sections::places(&gathered)),
        ("Who may read it by role", sections::people(answer)),
        ("Who may read it in the database", sections::readers(answer)),
        ("Who read it", read),
        ("What people asked for", sections::requests(answer)),
        ("How it travels", sections::transport(&gathered)),
    ] {
        text.section(title, &body);
    }
    report::show(asked, &gathered.document(), &text.text(), output)?;
    Ok(if gathered.is_somewhere_wrong() {
        Verdict::Bad
    } else {
        Verdict::Good
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_keys_are_no_data_of_people() {
        for (action, is) in [
            ("data.exported", true),
            ("data.shown", true),
            ("access.refused", true),
            ("setting.changed", false),
            ("key.rotated", false),
        ] {
            assert_eq!(is_of_people(action), is, "{action}");
        }
    }
}
