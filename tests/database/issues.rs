//! Errors as issues: counted once, resolved, ignored, and back again.

use serde_json::{Value, json};

use crate::support::{World, array, at, transitions};

struct Door {
    world: World,
    key: i64,
    sent: u32,
}

impl Door {
    async fn open() -> Self {
        let world = World::migrated().await;
        let arguments = json!({
            "p_name": "web", "p_origins": [], "p_items_a_minute": 100_000, "p_items_a_day": 1_000_000,
            "p_by": "anna", "p_now": at("09:00:00"),
        });
        let key = world.call("ops_add_door_key", arguments).await;
        Self {
            key: key["id"].as_i64().unwrap(),
            world,
            sent: 0,
        }
    }

    /// An error of an issue, from somebody with a release.
    fn error(&mut self, key: &str, now: &str, fields: &Value) -> Value {
        self.sent += 1;
        let mut error = json!({
            "id": uuid::Uuid::from_u128(u128::from(self.sent)), "kind": "error", "time": at(now),
            "environment": "production", "name": "TypeError", "release": "1.0", "person": "u1",
            "detail": {"message": "x", "issue": {"key": key, "title": format!("TypeError: {key}"), "culprit": "addWine"}},
        });
        error
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        error
    }

    async fn send(&self, items: &[Value], now: &str) {
        let arguments = json!({
            "p_key": self.key, "p_source": "own", "p_origin": null, "p_visitor": null,
            "p_items": items, "p_now": at(now),
        });
        let taken = self.world.call("ops_take_items", arguments).await;
        assert_eq!(taken["overQuota"], 0, "{taken}");
    }

    async fn list(&self, status: &str, now: &str) -> Value {
        let arguments =
            json!({"p_environment": "production", "p_status": status, "p_now": at(now)});
        self.world.call("ops_list_errors", arguments).await["errors"].clone()
    }

    async fn act(&self, issue: &Value, action: &str, until: Option<&str>, now: &str) -> Value {
        let arguments = json!({
            "p_error": issue["id"], "p_action": action, "p_until": until.map(at), "p_by": "anna",
            "p_now": at(now),
        });
        self.world.call("ops_act_on_error", arguments).await
    }
}

#[tokio::test]
async fn errors_that_are_the_same_are_one_issue_counted_once() {
    let mut door = Door::open().await;
    let errors = [
        door.error("a", "10:59:00", &json!({"person": "u1"})),
        door.error("a", "11:01:00", &json!({"person": "u2", "release": "1.1"})),
        door.error("b", "11:02:00", &json!({"person": null})),
        door.error("a", "11:03:00", &json!({"environment": "preview"})),
    ];
    door.send(&errors, "11:05:00").await;
    door.send(&errors, "11:06:00").await;
    let listed = door.list("open", "11:30:00").await;
    let [b, a] = array(&listed).as_slice() else {
        panic!("{listed}")
    };
    assert_eq!((&a["events"], &a["people"]), (&json!(2), &json!(2)));
    assert_eq!((&b["events"], &b["people"]), (&json!(1), &json!(0)));
    assert_eq!(a["firstSeen"], "2026-11-24T10:59:00+00:00");
    assert_eq!(
        (&a["firstRelease"], &a["lastRelease"]),
        (&json!("1.1"), &json!("1.1"))
    );
    let hours = array(&a["hours"]);
    assert_eq!(
        (hours.len(), &hours[22], &hours[23]),
        (24, &json!(1), &json!(1))
    );
    assert_eq!(a["severity"], "medium");
}

#[tokio::test]
async fn a_resolved_issue_comes_back_by_a_new_version_and_not_by_an_old_page() {
    let mut door = Door::open().await;
    let first = door.error("a", "10:00:00", &json!({}));
    door.send(&[first], "10:00:01").await;
    let issue = door.list("open", "10:10:00").await[0].clone();
    let resolved = door.act(&issue, "resolve", None, "10:30:00").await;
    assert_eq!(
        (&resolved["status"], &resolved["changedBy"]),
        (&json!("resolved"), &json!("anna"))
    );

    let old_page = door.error("a", "10:40:00", &json!({"release": "1.0"}));
    door.send(&[old_page], "10:40:01").await;
    assert_eq!(door.list("open", "10:41:00").await, json!([]));
    assert_eq!(door.list("resolved", "10:41:00").await[0]["events"], 2);
    // It happened before, and comes late.
    let late = door.error("a", "10:20:00", &json!({"release": null}));
    door.send(&[late], "10:42:00").await;
    assert_eq!(door.list("open", "10:43:00").await, json!([]));

    let new_version = door.error("a", "11:00:00", &json!({"release": "1.1"}));
    door.send(&[new_version], "11:00:01").await;
    let back = door.list("open", "11:01:00").await[0].clone();
    assert_eq!(back["regressedAt"], "2026-11-24T11:00:01+00:00");
    assert_eq!(
        (&back["changedBy"], &back["events"]),
        (&json!(null), &json!(4))
    );
}

#[tokio::test]
async fn an_ignored_issue_is_quiet_until_its_time() {
    let mut door = Door::open().await;
    let first = door.error("a", "10:00:00", &json!({}));
    door.send(&[first], "10:00:01").await;
    let issue = door.list("open", "10:10:00").await[0].clone();
    door.act(&issue, "ignore", Some("12:00:00"), "10:30:00")
        .await;
    let before = door.error("a", "11:59:00", &json!({}));
    door.send(&[before], "11:59:01").await;
    assert_eq!(door.list("open", "11:59:30").await, json!([]));
    let after = door.error("a", "12:00:00", &json!({}));
    door.send(&[after], "12:00:01").await;
    let back = door.list("open", "12:01:00").await[0].clone();
    assert_eq!(
        (&back["ignoredUntil"], &back["regressedAt"]),
        (&json!(null), &json!(null))
    );

    door.act(&back, "ignore", None, "12:30:00").await;
    let again = door.error("a", "18:00:00", &json!({"release": "9.9"}));
    door.send(&[again], "18:00:01").await;
    assert_eq!(door.list("open", "18:01:00").await, json!([]));
    let reopened = door.act(&issue, "reopen", None, "18:02:00").await;
    assert_eq!(reopened["status"], "open");
}

#[tokio::test]
async fn the_worst_severity_and_a_known_category_stay() {
    let mut door = Door::open().await;
    let detail = |severity: Value, handled: Value, category: &str| {
        json!({"detail": {"severity": severity, "handled": handled, "category": category,
                          "issue": {"key": "a", "title": "T"}}})
    };
    let errors = [
        door.error(
            "a",
            "10:00:00",
            &detail(json!("critical"), json!(true), "database"),
        ),
        door.error("a", "10:01:00", &detail(json!("odd"), json!(false), "odd")),
    ];
    for error in &errors {
        door.send(std::slice::from_ref(error), "10:02:00").await;
    }
    let issue = door.list("all", "10:10:00").await[0].clone();
    assert_eq!(
        (&issue["severity"], &issue["category"]),
        (&json!("critical"), &json!("database"))
    );
    assert_eq!(issue["culprit"], "");
}

#[tokio::test]
async fn the_newest_of_an_issue_are_shown_whole() {
    let mut door = Door::open().await;
    let errors: Vec<_> = (0..7)
        .map(|nth| door.error("a", &format!("10:0{nth}:00"), &json!({})))
        .collect();
    door.send(&errors, "10:10:00").await;
    let issue = door.list("open", "10:10:00").await[0].clone();
    let shown = door
        .world
        .call(
            "ops_show_error",
            json!({"p_error": issue["id"], "p_now": at("10:11:00")}),
        )
        .await;
    let newest = array(&shown["newest"]);
    assert_eq!(
        (newest.len(), &newest[0]["at"]),
        (5, &json!("2026-11-24T10:06:00+00:00"))
    );
    assert_eq!(newest[0]["detail"], json!({"message": "x"}));
    let [state, _, _] = door
        .world
        .refusal("ops_show_error", json!({"p_error": uuid::Uuid::nil()}))
        .await;
    assert_eq!(state, "22023");
}

#[tokio::test]
async fn a_flood_of_different_errors_becomes_one_issue() {
    let mut door = Door::open().await;
    door.world
        .execute(
            "insert into ops.issues (id, environment, key, title, culprit, category, severity, status, events,
                 people, first_seen, last_seen, changed_at)
             select gen_random_uuid(), 'production', 'k' || nth, 't', '', 'unknown', 'low', 'resolved', 1, 0,
                 '2026-11-24T09:00:00Z', '2026-11-24T09:00:00Z', '2026-11-24T09:00:00Z'
             from generate_series(1, 2000) as nth",
        )
        .await;
    let errors = [
        door.error("x", "10:00:00", &json!({})),
        door.error("y", "10:00:00", &json!({})),
        door.error("k7", "10:00:00", &json!({"release": "2.0"})),
    ];
    door.send(&errors, "10:00:01").await;
    let listed = door.list("open", "10:01:00").await;
    let mut titles: Vec<_> = array(&listed)
        .iter()
        .map(|issue| format!("{} {}", issue["title"].as_str().unwrap(), issue["events"]))
        .collect();
    titles.sort();
    assert_eq!(titles, ["Other errors 2", "TypeError: k7 2"]);
}

#[tokio::test]
async fn what_is_over_for_long_is_forgotten() {
    let mut door = Door::open().await;
    let errors = [
        door.error("a", "10:00:00", &json!({})),
        door.error("b", "10:00:00", &json!({})),
    ];
    door.send(&errors, "10:00:01").await;
    let issue = door.list("open", "10:10:00").await[0].clone();
    door.act(&issue, "resolve", None, "10:30:00").await;
    door.world
        .execute("select ops.forget_issues(ops.read_settings(), '2026-12-31T10:00:00Z')")
        .await;
    let left = door.list("all", "10:10:00").await;
    assert_eq!(
        (array(&left).len(), &left[0]["status"]),
        (1, &json!("open"))
    );
}

#[tokio::test]
async fn versions_are_noted_once_a_day_and_forgotten_after_a_year() {
    let mut door = Door::open().await;
    let event = |door: &mut Door, release: &str, now: &str| {
        door.error("a", now, &json!({"kind": "event", "release": release}))
    };
    let noted = async |door: &Door| {
        door.world
            .rows(
                "select release, first_seen, last_seen, last_error_at from ops.releases
                 where environment = 'production' order by 1",
            )
            .await
    };
    let first = event(&mut door, "1.0", "10:00:00");
    door.send(&[first], "10:00:01").await;
    let before = noted(&door).await;
    assert_eq!(
        (&before[0]["last_seen"], &before[0]["last_error_at"]),
        (&before[0]["first_seen"], &Value::Null)
    );
    // An hour later it is the same day: nothing is written.
    let later = event(&mut door, "1.0", "11:00:00");
    door.send(&[later], "11:00:01").await;
    assert_eq!(noted(&door).await, before);
    let error = door.error("a", "11:30:00", &json!({"release": "1.0"}));
    door.send(&[error], "11:30:01").await;
    let after = noted(&door).await;
    assert_eq!(after[0]["first_seen"], before[0]["first_seen"]);
    assert_eq!(after[0]["last_error_at"], after[0]["last_seen"]);
    assert_ne!(after[0]["last_seen"], before[0]["last_seen"]);

    // Whoever makes up versions cannot make up more than that.
    door.world
        .execute(
            "insert into ops.releases (environment, release, first_seen)
             select 'production', 'made-up-' || nth, '2026-11-24T10:00:00Z' from generate_series(1, 1999) as nth",
        )
        .await;
    let items = [
        event(&mut door, "made-up", "12:00:00"),
        event(&mut door, "made-up-1", "12:00:00"),
    ];
    door.send(&items, "12:00:01").await;
    let known = noted(&door).await;
    assert_eq!(array(&known).len(), 2_000);
    for (now, forgotten) in [("2027-12-29T09:00:00Z", 0), ("2027-12-29T11:00:00Z", 500)] {
        let forget = format!("ops.forget_releases(500, '{now}')");
        assert_eq!(door.world.value(&forget).await, forgotten, "{now}");
    }
}

/// What a tick opens and resolves about errors.
async fn tick(door: &Door, now: &str) -> Vec<String> {
    let tick = door.world.tick(now, &[]).await;
    let all = transitions(&tick).into_iter();
    all.filter(|line| line.contains(" error_")).collect()
}

fn subject(issue: &Value) -> &str {
    &issue["id"].as_str().unwrap()[..8]
}

#[tokio::test]
async fn a_new_critical_error_is_told_until_it_is_dealt_with() {
    let mut door = Door::open().await;
    let critical =
        json!({"detail": {"severity": "critical", "issue": {"key": "a", "title": "No wine"}}});
    let errors = [
        door.error("a", "10:00:00", &critical),
        door.error("b", "10:00:00", &json!({})),
        door.error(
            "c",
            "10:00:00",
            &json!({
                "environment": "preview",
                "detail": {"severity": "critical", "issue": {"key": "c", "title": "T"}},
            }),
        ),
    ];
    door.send(&errors, "10:00:01").await;
    let listed = door.list("open", "10:01:00").await;
    let issue = array(&listed)
        .iter()
        .find(|issue| issue["title"] == "No wine")
        .unwrap()
        .clone();
    let about = subject(&issue);
    assert_eq!(
        tick(&door, "10:01:00").await,
        [format!("opened error_new {about}")]
    );
    assert!(tick(&door, "10:30:00").await.is_empty());
    door.act(&issue, "resolve", None, "10:31:00").await;
    assert_eq!(
        tick(&door, "10:32:00").await,
        [format!("resolved error_new {about}")]
    );

    let back = door.error(
        "a",
        "10:40:00",
        &json!({"release": "2.0", "detail": {"issue": {"key": "a", "title": "No wine"}}}),
    );
    door.send(&[back], "10:40:01").await;
    let opened = tick(&door, "10:41:00").await;
    assert_eq!(
        opened,
        [
            format!("opened error_new {about}"),
            format!("opened error_regressed {about}")
        ]
    );
    // Nobody has seen it for an hour.
    let ended = tick(&door, "11:41:00").await;
    assert_eq!(ended.len(), 2, "{ended:?}");
}

#[tokio::test]
async fn a_key_that_strangers_can_read_makes_nothing_critical() {
    let mut door = Door::open().await;
    door.world
        .execute("update ops.door_keys set origins = '{https://wine.example}'")
        .await;
    let critical = json!({"detail": {"severity": "critical", "issue": {"key": "a", "title": "T"}}});
    let error = door.error("a", "10:00:00", &critical);
    door.send(&[error], "10:00:01").await;
    assert_eq!(door.list("open", "10:01:00").await[0]["severity"], "high");
    assert!(tick(&door, "10:01:00").await.is_empty());
}

#[tokio::test]
async fn a_spike_is_many_times_what_was_usual() {
    let mut door = Door::open().await;
    for hour in 10..20 {
        let usual: Vec<_> = (0..10)
            .map(|_| door.error("a", &format!("{hour}:10:00"), &json!({})))
            .collect();
        door.send(&usual, &format!("{hour}:10:01")).await;
    }
    let many: Vec<_> = (0..40)
        .map(|_| door.error("a", "21:10:00", &json!({})))
        .collect();
    door.send(&many, "21:10:01").await;
    assert!(tick(&door, "21:11:00").await.is_empty(), "too few in all");
    let more: Vec<_> = (0..30)
        .map(|_| door.error("a", "21:12:00", &json!({})))
        .collect();
    door.send(&more, "21:12:01").await;
    let opened = tick(&door, "21:13:00").await;
    assert_eq!(opened.len(), 1, "{opened:?}");
    assert!(opened[0].starts_with("opened error_spike"));
    let ended = tick(&door, "22:13:00").await;
    assert!(ended[0].starts_with("resolved error_spike"), "{ended:?}");
}
