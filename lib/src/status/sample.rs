//! Documents for tests.

use serde_json::{Value, json};

use super::document::{Document, Incident, State};

/// A page with a component of each state.
pub(super) fn document(states: &[State]) -> Document {
    let worst = [
        State::MajorOutage,
        State::PartialOutage,
        State::Degraded,
        State::Unknown,
        State::Maintenance,
        State::Operational,
    ];
    let state = worst.into_iter().find(|state| states.contains(state));
    let components: Vec<Value> = states
        .iter()
        .enumerate()
        .map(|(number, state)| {
            component(&format!("part-{number}"), &format!("Part {number}"), *state)
        })
        .collect();
    serde_json::from_value(json!({
        "isPublic": true, "generatedAt": "2026-11-24T10:10:00Z", "name": "Wine", "state": state.unwrap_or_default(),
        "lastLookAt": "2026-11-24T10:09:30Z", "components": components, "incidents": [incident()],
        "maintenances": [maintenance("planned")],
        "trust": {"lastBackupAt": "2026-11-24T10:00:00Z", "lastRestoreAt": "2026-11-21T03:00:00Z", "lastRestoreSeconds": 660},
    }))
    .unwrap()
}

pub(super) fn component(id: &str, name: &str, state: State) -> Value {
    let days = |value: u32| {
        let known = (0..90).map(|day| (day >= 30).then_some(value));
        known.collect::<Vec<_>>()
    };
    json!({
        "id": id, "name": name, "description": "What it does", "group": null, "state": state,
        "since": null, "measured": state, "byHand": false, "note": null, "createdAt": "2026-09-26T00:00:00Z",
        "updatedAt": "2026-11-24T10:00:00Z", "days": {
            "from": "2026-08-27", "up": days(86_000), "down": days(100), "unknown": days(200),
            "maintenance": days(100), "percent": 99.8838, "lower": 99.6524, "upper": 99.8841, "coverage": 99.77,
        },
    })
}

/// An incident that began, was written about, and ended.
pub(super) fn incident() -> Incident {
    serde_json::from_value(json!({
        "id": "1c1d", "title": null, "severity": "critical", "status": "resolved",
        "startedAt": "2026-11-24T10:00:00Z", "resolvedAt": "2026-11-24T10:08:00Z", "toldAt": null,
        "components": ["part-0"], "updates": [
            {"id": "u1", "at": "2026-11-24T10:00:00Z", "status": "investigating", "kind": "began", "words": null},
            {"id": "u2", "at": "2026-11-24T10:05:00Z", "status": "identified", "kind": "words",
             "words": "We <b>found</b> it & ]]> mend it.\n\u{8}\u{202e}Second line."},
            {"id": "u3", "at": "2026-11-24T10:08:00Z", "status": "resolved", "kind": "resolved", "words": null},
        ],
    }))
    .unwrap()
}

pub(super) fn maintenance(state: &str) -> Value {
    json!({
        "id": "3a3b", "title": "Moving, house; \\ really", "words": "We move.\nÀ bientôt – it takes an hour, and all of it will be slow while we do: please be patient with us.",
        "from": "2026-11-25T20:00:00Z", "to": "2026-11-25T21:00:00Z", "state": state, "components": ["part-0"],
        "sequence": 2, "publishedAt": "2026-11-24T09:00:00Z", "updatedAt": "2026-11-24T09:30:00Z",
    })
}
