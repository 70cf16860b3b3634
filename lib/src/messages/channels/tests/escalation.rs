//! What messages say of an escalation, and whom they call.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{content, down, email, slack, text};

/// Facts of an escalation's level, for the alert that the app is down.
fn climbed(level: &Value, over: &Value) -> Value {
    let mut facts = down();
    facts["escalation"] = json!({
        "at": "2026-11-24T03:44:08Z", "level": level, "passed": [], "told": [],
        "acknowledgedBy": null, "acknowledgedAt": null,
    });
    for (key, value) in over.as_object().unwrap() {
        facts["escalation"][key] = value.clone();
    }
    facts
}

#[test]
fn a_level_is_told_since_when_nobody_answers_and_who_was_told_before() {
    let told = json!([
        {"name": "Anna", "role": "on_call_primary", "level": 1, "at": "2026-11-24T03:14:08Z"},
        {"name": "Bo", "role": "on_call_secondary", "level": 1, "at": "2026-11-24T03:29:08Z"},
    ]);
    let mut facts = climbed(&json!(3), &json!({"told": told, "passed": [2]}));
    facts["recipients"] = json!({"usual": false, "people": [
        {"name": "Cleo", "role": "cto", "email": "cleo@wine.example"},
        {"name": "Vendors", "role": "vendor_support", "slack": "S0ABC"},
    ]});
    assert_snapshot!(text("app_down", "escalation", &facts), @r"
    [CRITICAL] Unanswered for 30 min: https://wine.example/ is down
    Critical: Unanswered for 30 min: https://wine.example/ is down

    Since: 2026-11-24 03:12 UTC
    Level: 3 of 4, because level 2 has nobody to ask now
    Asked: Cleo (CTO), Vendors (vendor support)
    Told before: Anna (level 1, 2026-11-24 03:14 UTC); Bo (level 1, 2026-11-24 03:29 UTC)
    Found: answered 503
    Affects: everybody who opens this page
    Incident: #12
    Running: production, commit 4f2a9c01d3e5, dpl_8a1

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    Runbook: https://ops.wine.example/runbook.html#app_down
    Vercel status: https://www.vercel-status.com
    Vercel support: https://vercel.com/help
    ");
    let payload = slack::payload(&content("app_down", "escalation", &facts));
    assert_eq!(payload["blocks"][0]["text"]["text"], "<!subteam^S0ABC>");
    let letter = email::letter(&content("app_down", "escalation", &facts));
    assert_eq!(
        letter.recipients.addresses(&["ops@wine.example".into()]),
        ["cleo@wine.example"]
    );
}

#[test]
fn one_call_stands_for_all_alerts_of_an_incident() {
    let facts = climbed(&json!(1), &json!({"others": 49}));
    let text = text("app_down", "escalation", &facts);
    let subject =
        "[CRITICAL] Unanswered for 30 min: https://wine.example/ is down, and 49 more alerts\n";
    assert!(text.starts_with(subject), "{text}");
}

#[test]
fn the_first_message_names_whoever_is_on_call() {
    let mut facts = climbed(&json!(1), &json!({}));
    facts["recipients"] = json!({"usual": true, "people": [
        {"name": "Anna", "role": "on_call_primary", "email": "anna@wine.example", "slack": "U0ABC"},
    ]});
    let payload = slack::payload(&content("app_down", "firing", &facts));
    assert_eq!(payload["blocks"][0]["text"]["text"], "<@U0ABC>");
    assert_eq!(payload["text"], "Critical: https://wine.example/ is down");
    let resolved = slack::payload(&content("app_down", "resolved", &facts));
    assert!(
        !resolved.to_string().contains("U0ABC"),
        "nobody is called for the end: {resolved}"
    );
}

#[test]
fn an_acknowledgement_that_ran_out_and_an_email_that_is_added_say_so() {
    let over = json!({"acknowledgedBy": "Anna", "acknowledgedAt": "2026-11-24T03:20:00Z"});
    let forgotten = text("app_down", "escalation", &climbed(&Value::Null, &over));
    assert!(
        forgotten
            .contains("[CRITICAL] Acknowledged and not resolved: https://wine.example/ is down\n"),
        "{forgotten}"
    );
    assert!(
        forgotten.contains("Acknowledged: by Anna, 2026-11-24 03:20 UTC; that has run out\n"),
        "{forgotten}"
    );
    let added = text("app_down", "escalation", &climbed(&Value::Null, &json!({})));
    assert!(
        added.starts_with("[CRITICAL] Unanswered for 30 min: https://wine.example/ is down\n"),
        "{added}"
    );
}

#[test]
fn whoever_has_taken_it_over_is_named_until_it_ends() {
    let mut facts = down();
    facts["acknowledgement"] = json!({"by": "Anna", "until": "2026-11-24T04:20:00Z"});
    let text = text("app_down", "firing", &facts);
    assert!(
        text.contains("Acknowledged: by Anna until 2026-11-24 04:20 UTC\n"),
        "{text}"
    );
}

#[test]
fn an_answer_is_not_forgotten_in_what_is_said_later() {
    let answered = climbed(&json!(2), &json!({"answered": true}));
    let text_of = |facts: &Value| text("app_down", "escalation", facts);
    let later = text_of(&answered);
    let expected = "[CRITICAL] Not resolved for 30 min: https://wine.example/ is down\n";
    assert!(later.starts_with(expected), "{later}");
}

#[test]
fn an_acknowledgement_that_ends_soon_is_a_warning_to_whoever_gave_it() {
    let mut facts = down();
    facts["acknowledgement"] = json!({"by": "Anna", "until": "2026-11-24T04:20:00Z"});
    let text = text("app_down", "reminder", &facts);
    let expected = "[CRITICAL] The acknowledgement by Anna ends at 2026-11-24 04:20 UTC: https://wine.example/ is down\n";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn who_is_on_call_and_who_comes_next_is_told() {
    let on_call = json!([
        {"rotation": "Primary", "name": "Anna", "until": "2026-11-30T08:00:00Z", "next": "Bo"},
        {"rotation": "Night", "name": null, "until": "2026-11-24T05:00:00Z", "next": null},
        {"rotation": "Boss", "name": "Cleo", "until": null, "next": null},
        {"rotation": 7},
    ]);
    let facts = climbed(&json!(1), &json!({ "onCall": on_call }));
    let text = text("app_down", "escalation", &facts);
    let expected = "On call: Primary: Anna until 2026-11-30 08:00 UTC, then Bo; \
                    Night: nobody until 2026-11-24 05:00 UTC, then nobody; Boss: Cleo\n";
    assert!(text.contains(expected), "{text}");
}
