//! `oncall` against a running bundle: rotations, overrides, swaps, absences, calendars.

use std::collections::BTreeMap;

use dev::{DevOptions, Running};
use local_supabase::postgres::TestDatabase;
use serde_json::json;

use crate::support::{Called, bundle, call_with};

/// A bundle with two people and, of Monday's weeks in Berlin, a rotation of both.
struct Team {
    running: Running,
    env: BTreeMap<String, String>,
    _database: TestDatabase,
}

const ROTATE: [&str; 14] = [
    "oncall",
    "rotate",
    "Primary",
    "--members",
    "ada,bo",
    "--weekly",
    "--on",
    "monday",
    "--at",
    "9:00",
    "--zone",
    "Europe/Berlin",
    "--first",
    "2026-11-23",
];

impl Team {
    async fn start() -> Self {
        let (running, database) = bundle(DevOptions::default()).await;
        let mut env = running.env.clone();
        env.insert("POURTRAIT_USER".to_owned(), "Eva".to_owned());
        let team = Self {
            running,
            env,
            _database: database,
        };
        for name in ["Ada", "Bo"] {
            let email = format!("{name}@wine.example");
            let added = [
                "contacts",
                "add",
                name,
                "--role",
                "senior_engineer",
                "--email",
                &email,
            ];
            assert_eq!(team.call(&added).await.status, 0);
        }
        let rotated = team.call(&ROTATE).await;
        assert_eq!(
            rotated.stdout, "Primary, layer 1: weekly on monday at 09:00 Europe/Berlin: Ada, Bo\n",
            "{rotated:?}"
        );
        team
    }

    async fn call(&self, arguments: &[&str]) -> Called {
        call_with(&self.env, arguments).await
    }

    async fn end(self) {
        let removed = self.call(&["oncall", "remove", "Primary"]).await;
        assert_eq!(removed.status, 0, "{removed:?}");
        let none = self.call(&["oncall", "show"]).await;
        assert!(none.stdout.starts_with("no rotations"), "{none:?}");
        self.running.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_on_call_is_shown_with_the_shifts_to_come() {
    let team = Team::start().await;
    let shown = team
        .call(&[
            "oncall",
            "show",
            "--at",
            "2030-01-01T12:00Z",
            "--days",
            "20",
        ])
        .await;
    assert_eq!(
        shown.stdout,
        "on call at 2030-01-01 12:00 UTC\n\n\
         ROTATION  ROLE             NOW  UNTIL                 NEXT\n\
         Primary   on_call_primary  Ada  2030-01-07 08:00 UTC  Bo\n\n\
         Primary, layer 1: weekly on monday at 09:00 Europe/Berlin: Ada, Bo\n\
         FROM                  UNTIL                 WHO  WHY\n\
         2030-01-01 12:00 UTC  2030-01-07 08:00 UTC  Ada\n\
         2030-01-07 08:00 UTC  2030-01-14 08:00 UTC  Bo\n\
         2030-01-14 08:00 UTC  2030-01-21 08:00 UTC  Ada\n\
         2030-01-21 08:00 UTC  2030-01-21 12:00 UTC  Bo\n",
        "{shown:?}"
    );
    let alerts = team.call(&["alerts", "list"]).await;
    assert!(
        alerts.stdout.contains("on call for Primary: "),
        "{alerts:?}"
    );
    // Somebody has level 1, whatever roles the contacts have.
    let checked = team.call(&["check", "--live"]).await;
    assert!(!checked.stdout.contains("level 1 is empty"), "{checked:?}");
    team.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_is_replaced_and_what_is_not_given_stays() {
    let team = Team::start().await;
    let night = [
        "oncall",
        "rotate",
        "primary",
        "--layer",
        "2",
        "--members",
        "bo",
        "--daily",
        "--at",
        "00:00",
        "--zone",
        "Asia/Kathmandu",
        "--hours",
        "20:00-08:00",
        "--role",
        "on_call_secondary",
        "--json",
    ];
    let night = team.call(&night).await.json();
    assert_eq!(
        (&night["name"], &night["role"]),
        (&json!("Primary"), &json!("on_call_secondary"))
    );
    assert_eq!(night["layers"][0]["members"], json!(["Ada", "Bo"]));
    assert_eq!(
        night["layers"][1]["hours"],
        json!({"from": "20:00", "until": "08:00"})
    );
    let removed = team
        .call(&["oncall", "remove", "Primary", "--layer", "2"])
        .await;
    assert_eq!(
        removed.stdout, "Primary no longer has layer 2\n",
        "{removed:?}"
    );
    team.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_change_for_a_time_is_ended_once() {
    let team = Team::start().await;
    let span = [
        "--from",
        "2030-01-02T00:00Z",
        "--until",
        "2030-01-03T00:00Z",
        "--json",
    ];
    let taken = [
        &["oncall", "override", "bo", "--reason", "dentist"],
        &span[..],
    ]
    .concat();
    let taken = team.call(&taken).await.json();
    assert_eq!(
        (&taken["rotation"], &taken["name"]),
        (&json!("Primary"), &json!("Bo"))
    );
    assert_eq!(
        (&taken["reason"], &taken["createdBy"]),
        (&json!("dentist"), &json!("Eva"))
    );
    let away = team
        .call(&[&["oncall", "away", "ada"], &span[..]].concat())
        .await
        .json();
    let swap = [
        "oncall",
        "swap",
        "ada",
        "bo",
        "--at",
        "2030-02-01T00:00Z",
        "--for-shift-at",
        "2030-02-10T00:00Z",
        "--json",
    ];
    let swapped = team.call(&swap).await.json();
    assert_eq!(swapped["overrides"].as_array().unwrap().len(), 2);
    for id in [&taken["id"], &away["id"], &swapped["overrides"][0]["swap"]] {
        let end = ["oncall", "end", id.as_str().unwrap()];
        assert_eq!(team.call(&end).await.status, 0, "{id}");
        assert_eq!(team.call(&end).await.status, 2, "{id}");
    }
    team.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_is_given_and_taken_away_and_its_address_is_not_shown() {
    let team = Team::start().await;
    let address = "webcal://calendar.example/secret.ics";
    let calendar = team
        .call(&["oncall", "calendar", "Primary", address, "--json"])
        .await
        .json();
    assert_eq!(calendar["calendar"]["host"], "calendar.example");
    assert_eq!(calendar["calendar"]["zone"], "Europe/Berlin");
    assert!(!calendar.to_string().contains("secret"), "{calendar}");
    let off = team
        .call(&["oncall", "calendar", "Primary", "off", "--json"])
        .await
        .json();
    assert_eq!(off["calendar"], json!(null));
    team.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_oncall_cannot_use_is_status_2_with_what_is_expected() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let cases: [(&[&str], &str); 6] = [
        (&["rotate", "A", "--members", "ada"], "required"),
        (
            &[
                "rotate",
                "A",
                "--members",
                "ada",
                "--weekly",
                "--at",
                "09:00",
                "--zone",
                "UTC",
            ],
            "--on",
        ),
        (
            &[
                "rotate",
                "A",
                "--members",
                "ada",
                "--daily",
                "--at",
                "09:00",
                "--zone",
                "UTC",
            ],
            "no contact is called ada; there is none",
        ),
        (
            &[
                "rotate",
                "A",
                "--members",
                "",
                "--daily",
                "--at",
                "9 am",
                "--zone",
                "UTC",
            ],
            "handOver must be a time of the day such as 09:00",
        ),
        (
            &["override", "ada", "--until", "2030-01-01T00:00Z"],
            "a rotation must be named",
        ),
        (&["remove", "A"], "no rotation is called A; there is none"),
    ];
    for (arguments, text) in cases {
        let called = call_with(&running.env, &[&["oncall"], arguments].concat()).await;
        assert_eq!(called.status, 2, "{arguments:?}: {called:?}");
        assert!(called.stderr.contains(text), "{arguments:?}: {called:?}");
    }
    running.stop().await.unwrap();
}
