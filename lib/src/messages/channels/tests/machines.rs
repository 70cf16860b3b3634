use insta::assert_json_snapshot;
use serde_json::json;

use super::{content, digest, down, webhook};

#[test]
fn a_machine_is_told_every_fact() {
    let mut facts = down();
    facts["recipients"] = json!({"usual": true, "people": [
        {"contact": "c1", "name": "Anna", "role": "on_call_primary", "email": "anna@wine.example", "slack": null},
    ]});
    facts["escalation"] = json!({
        "at": "2026-11-24T03:14:08+00:00", "level": 1, "passed": [], "told": [],
        "acknowledgedBy": null, "acknowledgedAt": null,
    });
    assert_json_snapshot!(webhook::body(&content("app_down", "firing", &facts)), @r#"
    {
      "type": "alert.firing",
      "timestamp": "2026-11-24T03:14:08Z",
      "data": {
        "headline": "https://wine.example/ is down",
        "kind": "firing",
        "severity": "critical",
        "rule": "app_down",
        "subject": "https://wine.example/",
        "alert": "0b0e7c1e-0000-4000-8000-000000000001",
        "fingerprint": "app_down:x",
        "incident": 12,
        "since": "2026-11-24T03:12:07.123Z",
        "openedAt": "2026-11-24T03:14:08Z",
        "resolvedAt": null,
        "ended": null,
        "incidentChange": null,
        "occurrences": 3,
        "value": null,
        "threshold": null,
        "unit": null,
        "samples": null,
        "reason": "http_status",
        "service": "app",
        "affects": [
          "app"
        ],
        "environment": "production",
        "deployment": "dpl_8a1",
        "commit": "4f2a9c01d3e5b7",
        "title": null,
        "message": null,
        "detail": {
          "url": "https://wine.example/",
          "statusCode": 503
        },
        "asked": [
          {
            "name": "Anna",
            "role": "on_call_primary",
            "email": "anna@wine.example",
            "slack": null
          }
        ],
        "escalation": {
          "at": "2026-11-24T03:14:08Z",
          "level": 1,
          "passed": [],
          "told": [],
          "others": 0,
          "answered": false,
          "acknowledgedBy": null,
          "acknowledgedAt": null
        },
        "links": [
          {
            "label": "Open incident",
            "url": "https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c"
          },
          {
            "label": "Runbook",
            "url": "https://ops.wine.example/runbook.html#app_down"
          }
        ]
      }
    }
    "#);
}

#[test]
fn a_machine_learns_how_an_alert_ended_and_what_became_of_an_incident() {
    let end = json!({"ended": {"how": "closed", "by": "Anna", "note": "known"}});
    let body = webhook::body(&content("app_down", "resolved", &end));
    assert_eq!(body["type"], "alert.resolved");
    assert_eq!(body["data"]["ended"], end["ended"]);
    let change = json!({"incidentChange": {"what": "updated", "state": "monitoring", "by": "Anna", "text": "A fix is in place."}});
    let body = webhook::body(&content("", "notice", &change));
    assert_eq!(body["type"], "notice");
    assert_eq!(body["data"]["incidentChange"], change["incidentChange"]);
}

#[test]
fn a_kind_has_its_own_type_and_time() {
    let escalation = json!({"escalation": {"at": "2026-11-24T03:30:00Z", "level": 1}});
    for (kind, over, event, at) in [
        ("firing", json!({}), "alert.firing", "2026-11-24T03:14:08Z"),
        (
            "resolved",
            json!({}),
            "alert.resolved",
            "2026-11-24T03:16:19Z",
        ),
        (
            "escalation",
            escalation,
            "alert.escalation",
            "2026-11-24T03:30:00Z",
        ),
        ("notice", json!({}), "notice", "2026-11-24T03:14:08Z"),
    ] {
        let body = webhook::body(&content("app_down", kind, &over));
        assert_eq!(body["type"], event);
        assert_eq!(body["timestamp"], at, "{kind}");
    }
}

#[test]
fn every_key_is_always_there() {
    let full = webhook::body(&content("app_down", "firing", &down()));
    let empty = super::Message::new(&super::Facts::default(), super::Places::default());
    let empty = webhook::body(&super::Content::Message(empty));
    let keys = |body: &serde_json::Value| {
        let data = body["data"].as_object().unwrap();
        data.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(keys(&full), keys(&empty));
}

#[test]
fn a_digest_holds_its_messages() {
    let body = webhook::body(&digest());
    assert_eq!(body["type"], "digest");
    assert_eq!(body["timestamp"], "2026-11-24T03:16:19Z");
    let data = &body["data"];
    assert_eq!(data["headline"], "Daily digest: 1 alert, 1 resolved");
    let messages = data["messages"].as_array().unwrap().iter();
    let rules: Vec<_> = messages.map(|message| &message["rule"]).collect();
    assert_eq!(rules, ["endpoint_slow", "certificate_expiring"]);
}
