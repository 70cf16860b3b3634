use serde_json::json;

use super::{
    super::{summary::tests::incident, timeline::tests::entry},
    *,
};
use crate::answered::Answered;

fn story(timeline: Vec<Answered<Entry>>) -> Story {
    Story {
        incident: incident(&json!({})),
        timeline,
        timeline_left_out: 0,
        open_alerts: Vec::new(),
    }
}

#[test]
fn what_is_known_is_written_and_the_rest_is_asked_for() {
    let action = json!({"owner": "Bo", "due": "2026-12-01"});
    let written = write(&story(vec![
        entry("alert", "opened", None, None, &json!({})),
        entry(
            "incident",
            "lesson",
            Some("Anna"),
            Some("Retry *once*"),
            &json!({}),
        ),
        entry(
            "incident",
            "action",
            Some("Anna"),
            Some("Add a | to the test"),
            &action,
        ),
    ]));
    assert_eq!(written, include_str!("tests/whole.md"));
}

#[test]
fn without_lessons_and_actions_it_says_how_to_add_them() {
    let written = write(&story(Vec::new()));
    for text in [
        "## Lessons\n\n_To be filled in: what we know now that we did not know then; `pourtrait incidents note NUMBER --lesson`._\n",
        "## Actions\n\n_To be filled in: what is done, by whom, until when; `pourtrait incidents action NUMBER`._\n",
    ] {
        assert!(written.contains(text), "{written}");
    }
}

#[test]
fn what_others_wrote_is_neither_markdown_nor_html() {
    let note = "<img src=x>|\n# [a](b) `c` \\ \u{202e}";
    let hostile = entry("incident", "note", Some("*x*"), Some(note), &json!({}));
    let written = write(&story(vec![hostile]));
    let row = written.lines().find(|line| line.contains("img")).unwrap();
    assert_eq!(
        row,
        "| 2026-11-24 12:02:00 UTC | note: \\<img src=x\\>\\| \\# \\[a\\](b) \\`c\\` \\\\ | \\*x\\* |"
    );
}
