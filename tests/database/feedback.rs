//! What people write: kept beside the item that brought it, linked to what it is about,
//! answered, closed and forgotten.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{World, array, at};

struct Door {
    world: World,
    sent: u128,
}

impl Door {
    async fn open() -> Self {
        let world = World::migrated().await;
        let arguments = json!({
            "p_name": "web", "p_origins": [], "p_items_a_minute": 100_000, "p_items_a_day": 1_000_000,
            "p_by": "anna", "p_now": at("09:00:00"),
        });
        world.call("ops_add_door_key", arguments).await;
        Self { world, sent: 0 }
    }

    /// An item of that kind, with the fields that it has beside those of all.
    fn item(&mut self, kind: &str, now: &str, fields: &Value) -> Value {
        self.sent += 1;
        let mut item = json!({
            "id": Uuid::from_u128(self.sent), "kind": kind, "time": at(now), "environment": "production",
            "name": kind, "release": "1.0", "person": "u1", "detail": {"message": "I cannot pour"},
        });
        let fields = fields.as_object().unwrap().clone();
        item.as_object_mut().unwrap().extend(fields);
        item
    }

    /// Sends an error of an issue with these details, and returns its id.
    async fn error(&mut self, issue: &str, now: &str, fields: &Value) -> Value {
        let mut error = self.item("error", now, fields);
        error["detail"]["issue"] = json!({"key": issue, "title": issue, "culprit": ""});
        let id = error["id"].clone();
        self.send(&[error], now).await;
        id
    }

    async fn send(&self, items: &[Value], now: &str) -> Value {
        let arguments = json!({
            "p_key": 1, "p_source": "own", "p_origin": null, "p_visitor": null, "p_items": items, "p_now": at(now),
        });
        self.world.call("ops_take_items", arguments).await
    }

    async fn list(&self, status: &str) -> Vec<Value> {
        let arguments = json!({"p_status": status, "p_limit": 500});
        let listed = self.world.call("ops_list_feedback", arguments).await;
        array(&listed["feedback"]).clone()
    }

    async fn change(&self, id: &Value, action: &str, text: Option<&str>, now: &str) -> Value {
        let arguments = json!({
            "p_feedback": id, "p_action": action, "p_text": text, "p_by": "anna", "p_now": at(now),
        });
        self.world.call("ops_change_feedback", arguments).await
    }

    /// The title of the issue that feedback with those fields is about.
    async fn about(&mut self, now: &str, fields: &Value) -> Value {
        let feedback = self.item("feedback", now, fields);
        let id = feedback["id"].clone();
        self.send(&[feedback], now).await;
        let shown = json!({ "p_feedback": id });
        self.world.call("ops_show_feedback", shown).await["issue"]["title"].clone()
    }
}

#[tokio::test]
async fn what_somebody_writes_is_kept_once_and_outlives_its_item() {
    let mut door = Door::open().await;
    let contact = json!({"contact": " anna@wine.example ", "detail": {"message": "I cannot pour", "page": "/wines?token=x#y"}});
    let items = [
        door.item("feedback", "10:00:00", &contact),
        door.item("feedback", "10:01:00", &json!({"detail": {"message": " "}})),
        door.item("event", "10:02:00", &contact),
    ];
    for now in ["10:05:00", "10:06:00"] {
        door.send(&items, now).await;
    }
    let listed = door.list("open").await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    let written = &listed[0];
    assert_eq!(
        (&written["message"], &written["page"], &written["reachable"]),
        (&json!("I cannot pour"), &json!("/wines"), &json!(true))
    );
    assert!(!json!(listed).to_string().contains("anna@"));
    let dashboard = door.world.dashboard(3600, "10:06:00").await;
    assert_eq!(dashboard["feedback"], json!({"open": 1, "unanswered": 1}));
    let items = door
        .world
        .rows("select to_jsonb(items)::text as item from ops.items")
        .await;
    assert!(!items.to_string().contains("anna@"), "{items}");
    door.world.execute("delete from ops.items where true").await;
    assert_eq!(door.list("open").await, listed);
}

#[tokio::test]
async fn it_is_linked_to_the_error_that_its_client_names() {
    let mut door = Door::open().await;
    let traced = json!({"session": "s1", "detail": {"trace": "t1"}});
    let first = door.error("first", "10:00:00", &traced).await;
    door.error("second", "10:01:00", &json!({"session": "s1"}))
        .await;
    door.error(
        "third",
        "10:02:00",
        &json!({"session": "s2", "detail": {"trace": "t2"}}),
    )
    .await;
    door.error(
        "old",
        "08:30:00",
        &json!({"session": "s3", "detail": {"trace": "t3"}}),
    )
    .await;
    let undashed = first.as_str().unwrap().replace('-', "");
    for (fields, expected) in [
        (
            json!({"detail": {"message": "m", "event": undashed, "trace": "t2"}}),
            json!("first"),
        ),
        (
            json!({"detail": {"message": "m", "event": "odd", "trace": "t2"}}),
            json!("third"),
        ),
        (
            json!({"session": "s1", "detail": {"message": "m", "about": "last_error"}}),
            json!("second"),
        ),
        (
            json!({"session": "s1", "detail": {"message": "m", "about": "last_error", "trace": "t2"}}),
            json!("third"),
        ),
        (json!({"session": "s1"}), Value::Null),
        (
            json!({"session": "s3", "detail": {"message": "m", "about": "last_error", "trace": "t3"}}),
            Value::Null,
        ),
        (
            json!({"session": "s1", "environment": "preview", "detail": {"message": "m", "about": "last_error"}}),
            Value::Null,
        ),
        (
            json!({"detail": {"message": "m", "about": "last_error"}}),
            Value::Null,
        ),
    ] {
        assert_eq!(door.about("10:05:00", &fields).await, expected, "{fields}");
    }
    let issues = json!({"p_environment": "production", "p_now": at("10:06:00")});
    let issues = door.world.call("ops_list_errors", issues).await;
    let first = array(&issues["errors"])
        .iter()
        .find(|issue| issue["title"] == "first");
    let shown = json!({"p_error": first.unwrap()["id"], "p_now": at("10:06:00")});
    let shown = door.world.call("ops_show_error", shown).await;
    assert_eq!(array(&shown["feedback"]).len(), 1, "{shown}");
}

#[tokio::test]
async fn it_is_a_report_in_the_incident_that_was_open() {
    let mut door = Door::open().await;
    let before = door.item("feedback", "09:30:00", &json!({}));
    door.send(&[before], "09:30:00").await;
    let incident = json!({
        "p_request": Uuid::from_u128(1), "p_title": "The cellar is on fire", "p_severity": "high", "p_affects": [],
        "p_by": "anna", "p_started_at": at("10:00:00"), "p_now": at("10:00:00"),
    });
    door.world.call("ops_open_incident", incident).await;
    let elsewhere = door.item("feedback", "10:10:00", &json!({"environment": "preview"}));
    let many: Vec<_> = (0..60)
        .map(|_| door.item("feedback", "10:10:00", &json!({})))
        .chain([elsewhere])
        .collect();
    door.send(&many, "10:10:00").await;
    let incidents: Vec<_> = door.list("all").await;
    let linked = incidents.iter().filter(|written| written["incident"] == 1);
    assert_eq!(linked.count(), 60);
    let incident = json!({"p_number": 1, "p_now": at("10:20:00")});
    let incident = door.world.call("ops_show_incident", incident).await;
    let reports = array(&incident["timeline"]).iter();
    let reports: Vec<_> = reports
        .filter(|entry| entry["kind"] == "reported")
        .collect();
    assert_eq!(reports.len(), 50);
    assert_eq!(
        (&reports[0]["note"], &reports[0]["actor"]),
        (&json!("I cannot pour"), &json!("feedback"))
    );
    assert_eq!(
        (
            &incident["impact"]["reports"],
            &incident["impact"]["reporters"]
        ),
        (&json!(50), &json!(1))
    );
}

#[tokio::test]
async fn an_answer_says_where_it_goes_and_closing_forgets_that() {
    let mut door = Door::open().await;
    let feedback = door.item(
        "feedback",
        "10:00:00",
        &json!({"contact": "anna@wine.example"}),
    );
    let id = feedback["id"].clone();
    door.send(&[feedback], "10:00:00").await;
    let answered = door
        .change(&id, "answer", Some(" Now you can. "), "11:00:00")
        .await;
    assert_eq!(
        (
            &answered["contact"],
            &answered["answer"],
            &answered["mailedAt"]
        ),
        (
            &json!("anna@wine.example"),
            &json!("Now you can."),
            &Value::Null
        )
    );
    let mailed = door.change(&id, "mailed", None, "11:00:01").await;
    assert_eq!(mailed["mailedAt"], "2026-11-24T11:00:01+00:00");
    assert_eq!(mailed["contact"], Value::Null);

    for now in ["12:00:00", "13:00:00"] {
        let closed = door.change(&id, "close", Some("fixed"), now).await;
        assert_eq!(
            (&closed["closedAt"], &closed["note"], &closed["reachable"]),
            (
                &json!("2026-11-24T12:00:00+00:00"),
                &json!("fixed"),
                &json!(false)
            )
        );
    }
    assert_eq!(door.list("open").await, Vec::<Value>::new());
    for (action, text) in [
        ("answer", Some("x")),
        ("mailed", None),
        ("answer", None),
        ("reopen", None),
    ] {
        let arguments =
            json!({"p_feedback": id, "p_action": action, "p_text": text, "p_by": "anna"});
        let [state, ..] = door.world.refusal("ops_change_feedback", arguments).await;
        assert_eq!(state, "22023", "{action}");
    }
    let unknown = json!({"p_feedback": Uuid::nil()});
    let [state, ..] = door.world.refusal("ops_show_feedback", unknown).await;
    assert_eq!(state, "22023");

    let forget = async |now: &str| {
        door.world
            .value(&format!("ops.forget_feedback(10, '{now}')"))
            .await
    };
    assert_eq!(forget("2027-02-22T11:00:00Z").await, 0);
    assert_eq!(forget("2027-02-22T13:00:00Z").await, 1);
}

#[tokio::test]
async fn a_flood_of_it_is_bounded_and_what_is_odd_takes_nothing_along() {
    let mut door = Door::open().await;
    let odd = [
        json!({"detail": {"message": 7}}),
        json!({"detail": {"message": "m", "event": {"a": 1}, "trace": [1], "about": null, "page": "p".repeat(9_000)}}),
        json!({"detail": {"message": "m".repeat(9_000)}, "contact": "c".repeat(9_000)}),
        json!({"detail": null}),
        json!({"id": "odd"}),
    ];
    let odd: Vec<_> = odd
        .iter()
        .map(|fields| door.item("feedback", "10:00:00", fields))
        .collect();
    door.send(&odd, "10:00:00").await;
    assert_eq!(door.list("open").await.len(), 3);
    let many: Vec<_> = (0..300)
        .map(|_| door.item("feedback", "10:00:00", &json!({})))
        .collect();
    door.send(&many, "10:00:01").await;
    assert_eq!(
        door.world
            .value("(select count(*) from ops.feedback)")
            .await,
        200
    );
    let drops = door
        .world
        .rows("select items from ops.door_drops where reason = 'feedback of more than 200 a day'")
        .await;
    assert_eq!(drops, json!([{"items": 103}]));
}

#[tokio::test]
async fn an_error_that_comes_in_later_is_linked_by_the_maintenance() {
    let mut door = Door::open().await;
    let about = json!({"session": "s1", "detail": {"message": "m", "about": "last_error"}});
    assert_eq!(door.about("10:05:00", &about).await, Value::Null);
    let late = json!({"session": "s1"});
    door.error("first", "10:04:50", &late).await;
    let link = format!("select ops.link_late_feedback(200, '{}')", at("10:10:00"));
    for _ in 0..2 {
        door.world.execute(&link).await;
        let listed = door.list("open").await;
        assert_eq!(listed[0]["issue"]["title"], "first", "{listed:?}");
    }
}
