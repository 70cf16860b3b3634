//! The audit log: what is written, by whom it can be, and that whatever is done to it is found.

use backup::audit_anchors::Anchor;
use ops::audit_log::{
    row::Row,
    verifier::{Report, Verifier},
};
use outside::clock;
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::{
    chance::{Dice, any_seed, wanted},
    people::raise,
    support::{World, array, at, call},
};

/// The log as whoever verifies it reads it, in pages.
async fn read(client: &Client, page: u32) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    loop {
        let after = rows.last().map_or(0, |row| row.seq);
        let arguments = json!({"p_after": after, "p_limit": page});
        let read = call(client, "ops_read_audit", arguments).await.unwrap();
        let read: Vec<Row> = serde_json::from_value(read["rows"].clone()).unwrap();
        if read.is_empty() {
            return rows;
        }
        rows.extend(read);
    }
}

fn verified(rows: &[Row], anchors: Vec<Anchor>) -> Report {
    let mut verifier = Verifier::new(anchors);
    for row in rows {
        verifier.take(row);
    }
    verifier.finish()
}

fn anchor(row: &Row) -> Anchor {
    Anchor::new(
        row.seq.unsigned_abs(),
        row.hash.clone(),
        row.at.parse().unwrap(),
    )
}

/// What was written, as people read it: `action subject actor`.
async fn written(world: &World) -> Vec<String> {
    let listed = world.call("ops_list_audit", json!({"p_limit": 500})).await;
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let rows = array(&listed["rows"]).iter().rev();
    rows.map(|row| ["action", "subject", "actor"].map(|key| text(&row[key])))
        .map(|row| row.join(" "))
        .collect()
}

async fn set(world: &World, value: u32, by: &str) -> Result<Value, tokio_postgres::Error> {
    let arguments = json!({"p_key": "alert.event_quiet_minutes", "p_value": value, "p_by": by});
    world.try_call("ops_set_setting", arguments).await
}

/// Texts in which something could go wrong.
fn any_text(dice: &mut Dice) -> String {
    const PARTS: [&str; 12] = [
        "anna", "Müller", "🍷", "\n", ":", "-", "0", "7:", "\"", "\\", " ", "e\u{301}",
    ];
    (0..dice.roll(9))
        .map(|_| PARTS[usize::try_from(dice.roll(12)).unwrap()])
        .collect()
}

fn any_hash(dice: &mut Dice) -> String {
    (0..64)
        .map(|_| char::from_digit(u32::try_from(dice.roll(16)).unwrap(), 16).unwrap())
        .collect()
}

#[tokio::test]
async fn a_row_is_hashed_in_the_database_as_it_is_in_rust() {
    let world = World::migrated().await;
    let seed = wanted("SEED").unwrap_or_else(any_seed);
    let mut dice = Dice(seed);
    let maybe = |dice: &mut Dice| (dice.roll(4) > 0).then(|| any_text(dice));
    for _ in 0..300 {
        let mut row = Row {
            seq: i64::try_from(1 + dice.roll(1 << 31)).unwrap(),
            at: format!(
                "20{:02}-11-24T{:02}:{:02}:{:02}.{:06}Z",
                dice.roll(90) + 10,
                dice.roll(24),
                dice.roll(60),
                dice.roll(60),
                dice.roll(1_000_000)
            ),
            action: "setting.changed".to_owned(),
            actor: maybe(&mut dice),
            subject: maybe(&mut dice),
            details: any_hash(&mut dice),
            previous: any_hash(&mut dice),
            hash: any_hash(&mut dice),
            salt: Some(any_hash(&mut dice)),
            document: Some(json!({ "actor": any_text(&mut dice) }).to_string()),
        };
        let hashes = world
            .admin
            .query_one(
                "select ops.audit_hash(jsonb_populate_record(null::ops.audit, $1::text::jsonb)),
                        ops.audit_details_hash($2, $3)",
                &[&json!(row).to_string(), &row.salt, &row.document],
            )
            .await
            .unwrap();
        assert_eq!(
            hashes.get::<_, String>(0),
            row.own_hash(),
            "seed {seed}: {row:?}"
        );
        row.details = hashes.get(1);
        assert_eq!(row.details_hold(), Some(true), "seed {seed}: {row:?}");
    }
}

#[tokio::test]
async fn what_is_sensitive_is_written_with_it_and_nothing_that_was_refused() {
    let world = World::migrated().await;
    set(&world, 31, "anna@wine.example").await.unwrap();
    set(&world, 31, "ben").await.unwrap();
    assert!(set(&world, 100_000, "ben").await.is_err());
    let add = json!({"p_name": "web", "p_origins": [], "p_items_a_minute": 10, "p_items_a_day": 10, "p_by": "anna"});
    world.call("ops_add_door_key", add).await;
    let by = |key: u32| json!({"p_key": key, "p_by": "ben"});
    world.call("ops_rotate_door_key", by(1)).await;
    for _ in 0..2 {
        world.call("ops_revoke_door_key", by(1)).await;
    }
    let check = json!({"kind": "heartbeat", "periodSeconds": 3600, "graceSeconds": 60});
    let check = json!({"p_name": "import", "p_check": check, "p_by": "anna"});
    world.call("ops_add_check", check).await;
    let token = json!({"p_name": "import", "p_by": "anna", "p_token_hash": "a".repeat(64)});
    world.call("ops_issue_heartbeat_token", token).await;
    let alert = raise(&world, "12:00:00", "high", "cellar").await;
    let act = json!({
        "p_request": uuid::Uuid::new_v4(), "p_alert": alert, "p_action": "acknowledge", "p_until": null,
        "p_note": "at it", "p_actor": "anna", "p_now": at("12:01:00"),
    });
    for _ in 0..2 {
        // The second is the same call again.
        world.call("ops_act_on_alert", act.clone()).await;
    }
    let incident = world.value("(select id from ops.incidents)").await;
    let update = json!({
        "p_request": uuid::Uuid::new_v4(), "p_number": 1, "p_state": "identified", "p_severity": null,
        "p_cause": null, "p_public": "We know why.", "p_by": "anna", "p_now": at("12:02:00"),
    });
    world.call("ops_update_incident", update).await;
    let pay = json!({
        "p_slug": "pay", "p_component": {"name": "Paying"}, "p_is_new": true,
        "p_environment": "production", "p_by": "anna", "p_now": at("12:02:30"),
    });
    world.call("ops_set_component", pay).await;
    let say = json!({
        "p_slug": "pay", "p_state": "partial_outage", "p_note": null, "p_until": at("2026-11-25T12:00:00Z"),
        "p_environment": "production", "p_by": "ben", "p_now": at("12:03:00"),
    });
    world.call("ops_say_component", say).await;
    world
        .execute(
            "select ops.after_restore('20261124T110000Z-7-0badcafe', '2026-11-24T11:00:00Z', 5)",
        )
        .await;

    let incident = incident.as_str().unwrap();
    assert_eq!(
        written(&world).await,
        [
            "setting.changed alert.event_quiet_minutes anna@wine.example".to_owned(),
            "key.added door key 1 anna".to_owned(),
            "key.rotated door key 1 ben".to_owned(),
            "key.revoked door key 1 ben".to_owned(),
            "check.changed import anna".to_owned(),
            "key.rotated heartbeat import anna".to_owned(),
            format!("alert.answered {alert} anna"),
            format!("incident.changed {incident} anna"),
            format!("status.written {incident} anna"),
            "status.written pay anna".to_owned(),
            "status.written pay ben".to_owned(),
            "database.restored 20261124T110000Z-7-0badcafe -".to_owned(),
        ]
    );
    let rows = read(&world.admin, 3).await;
    assert!(verified(&rows, vec![]).is_good());
    let readable = rows.iter().any(|row| {
        let row = Row {
            salt: None,
            document: None,
            ..row.clone()
        };
        json!(row).to_string().contains("anna")
    });
    assert!(!readable, "a row names a person");
    let whose: Vec<_> = rows.iter().map(|row| row.actor.clone()).collect();
    assert_eq!(whose[1], whose[4], "one person, one hash");
    assert_ne!(whose[1], whose[2], "two people");
    let pending = world
        .value("(select count(*) from ops.audit_pending)")
        .await;
    assert_eq!(pending, 0);
}

#[tokio::test]
async fn whoever_changes_contacts_or_answers_for_others_is_written_too() {
    let world = World::migrated().await;
    let anna = uuid::Uuid::new_v4();
    let fields = json!({"name": "Anna", "role": "cto", "email": "anna@wine.example"});
    let save = json!({"p_contact": anna, "p_fields": fields, "p_by": "ben"});
    world.call("ops_save_contact", save).await;
    let file = json!([{"name": "Carla", "role": "cto", "email": "carla@wine.example"}]);
    let apply =
        |dry: bool| json!({"p_contacts": file, "p_remove": true, "p_dry_run": dry, "p_by": "dora"});
    world.call("ops_apply_contacts", apply(true)).await;
    world.call("ops_apply_contacts", apply(false)).await;
    let carla = world.value("(select id from ops.contacts)").await;
    for _ in 0..2 {
        let remove = json!({"p_contact": carla, "p_by": "ben"});
        world.call("ops_remove_contact", remove).await;
    }
    let person = "00000000-0000-4000-8000-00000000000a";
    for said_by in ["user", "operator"] {
        let said = json!({
            "p_person": person, "p_purpose": "analytics", "p_granted": false, "p_said_by": said_by, "p_by": "ben",
        });
        world.call("ops_set_consent", said).await;
    }
    let ask = json!({"p_person": person, "p_kind": "erasure"});
    world.call("ops_ask_privacy", ask).await;
    for _ in 0..2 {
        let close =
            json!({"p_person": person, "p_kind": "erasure", "p_outcome": "refused", "p_by": "ben"});
        world.call("ops_close_privacy_request", close).await;
    }
    let carla = carla.as_str().unwrap();
    let mut rows = written(&world).await;
    // Of one transaction, in whichever order it did them.
    rows[1..3].sort();
    let mut applied = [
        format!("contact.changed contact {anna} dora"),
        format!("contact.changed contact {carla} dora"),
    ];
    applied.sort();
    assert_eq!(
        rows,
        [
            format!("contact.changed contact {anna} ben"),
            applied[0].clone(),
            applied[1].clone(),
            format!("contact.changed contact {carla} ben"),
            format!("consent.changed user {person}: analytics ben"),
            format!("request.refused user {person}: erasure ben"),
        ]
    );
    let erase = format!("select ops.erase_audit_details('otto', '{person}', 'ben')");
    let erased: i64 = world.admin.query_one(&erase, &[]).await.unwrap().get(0);
    assert_eq!(erased, 2, "what is about them goes with them");
}

#[tokio::test]
async fn what_is_rolled_back_was_never_written() {
    let world = World::migrated().await;
    world
        .execute("begin; select ops.write_audit('key.added', 'anna', 'x', null); rollback")
        .await;
    assert_eq!(written(&world).await, Vec::<String>::new());
}

#[tokio::test]
async fn nobody_writes_around_the_function_whoever_they_are() {
    let world = World::migrated().await;
    set(&world, 31, "anna").await.unwrap();
    let insert = "insert into ops.audit (seq, at, action, details, previous, hash)
                  values (2, now(), 'key.added', repeat('0', 64), repeat('0', 64), repeat('0', 64))";
    let statements = [
        insert.to_owned(),
        "update ops.audit set subject = 'x'".to_owned(),
        "delete from ops.audit".to_owned(),
        "truncate ops.audit cascade".to_owned(),
        "update ops.audit_details set document = '{}'".to_owned(),
        "delete from ops.audit_details".to_owned(),
        "truncate ops.audit_details".to_owned(),
        "insert into ops.audit_details (seq, salt, document) values (1, repeat('a', 64), '{}')"
            .to_owned(),
        "insert into ops.audit_pending (action, document) values ('key.added', '{}')".to_owned(),
        "update ops.audit_key set key = sha256('x')".to_owned(),
        "delete from ops.audit_key".to_owned(),
        // In a block of its own, and by a name that looks right.
        format!("do $$ begin {insert}; end $$"),
        format!(
            "do $$ begin execute {}; end $$",
            "'delete from ops.audit /* ops.chain_audit( */'"
        ),
    ];
    let mut sessions = vec![("owner".to_owned(), world.owner().await)];
    for role in ["service_role", "authenticated", "anon"] {
        let session = world.session().await;
        let become_it = format!("set session authorization authenticator; set role {role}");
        session.batch_execute(&become_it).await.unwrap();
        sessions.push((role.to_owned(), session));
    }
    for (role, session) in &sessions {
        for statement in &statements {
            let refused = session.batch_execute(statement).await;
            let refused = refused.expect_err(&format!("{role}: {statement}"));
            let code = refused.code().expect("the server's word").code();
            assert_eq!(code, "42501", "{role}: {statement}: {refused:?}");
        }
    }
    for (role, session) in &sessions[1..] {
        let key = session.batch_execute("select key from ops.audit_key").await;
        assert!(key.is_err(), "{role} reads the key");
    }
    let rows = read(&world.admin, 100).await;
    assert_eq!(rows.len(), 1);
    assert!(verified(&rows, vec![]).is_good());
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_at_once_make_one_chain() {
    const WRITERS: u32 = 12;
    const EACH: u32 = 20;
    let world = World::migrated().await;
    let writing = (0..WRITERS).map(|writer| {
        let world = &world;
        async move {
            let session = world.session().await;
            for nth in 0..EACH {
                // One that waits for nothing but the chain, and one that writes several rows.
                let several = "select ops.write_audit('key.added', 'anna', 'x', null), ops.write_audit('key.revoked', 'anna', 'x', null)";
                let one = format!("select ops.write_audit('key.added', 'writer {writer}', '{nth}', null)");
                session.batch_execute(if nth % 5 == 0 { several } else { &one }).await.unwrap();
            }
        }
    });
    futures_util::future::join_all(writing).await;
    let rows = read(&world.admin, 100).await;
    assert_eq!(rows.len(), usize::try_from(WRITERS * EACH * 6 / 5).unwrap());
    let report = verified(&rows, vec![]);
    assert!(report.is_good(), "{report:?}");
    assert!(
        rows.windows(2).all(|pair| pair[0].at <= pair[1].at),
        "time goes back"
    );
}

/// Whoever works long in a transaction that writes keeps nobody waiting until it commits.
#[tokio::test]
async fn a_transaction_holds_the_chain_only_while_it_commits() {
    let world = World::migrated().await;
    let slow = world.session().await;
    slow.batch_execute("begin; select ops.write_audit('key.added', 'slow', 'x', null)")
        .await
        .unwrap();
    set(&world, 31, "quick").await.unwrap();
    slow.batch_execute("commit").await.unwrap();
    let whose: Vec<_> = written(&world).await;
    assert_eq!(
        whose,
        [
            "setting.changed alert.event_quiet_minutes quick",
            "key.added x slow"
        ]
    );
    assert!(verified(&read(&world.admin, 10).await, vec![]).is_good());
}

#[tokio::test]
async fn an_erasure_leaves_the_chain_valid_and_a_removal_does_not() {
    let world = World::migrated().await;
    for value in 31..41 {
        set(&world, value, ["Anna", "ben"][value as usize % 2])
            .await
            .unwrap();
    }
    world
        .execute("select ops.audit_role('ben', 'user-7', 'anna', null, 'admin')")
        .await;
    let erase = "select ops.erase_audit_details('anna', 'user-7', 'ben')";
    let erased: i64 = world.admin.query_one(erase, &[]).await.unwrap().get(0);
    assert_eq!(erased, 6, "five that she wrote, and one about her");
    let again: i64 = world.admin.query_one(erase, &[]).await.unwrap().get(0);
    assert_eq!(again, 0);
    let kept = world
        .rows("select document from ops.audit_details where document ~* 'anna'")
        .await;
    assert_eq!(kept, json!([]));
    let rows = read(&world.admin, 4).await;
    let report = verified(&rows, vec![anchor(rows.last().unwrap())]);
    assert!(report.is_good(), "{report:?}");
    assert_eq!(
        (report.rows, report.erased, report.after_anchor),
        (12, 6, 0)
    );
    let listed = written(&world).await;
    assert!(
        listed
            .iter()
            .all(|row| !row.to_lowercase().contains("anna")),
        "{listed:?}"
    );
    assert!(listed[1].contains(" hash "), "{listed:?}");

    world
        .execute(
            "begin; set local session_replication_role = replica;
             delete from ops.audit_details where seq = 3; commit",
        )
        .await;
    let report = verified(&read(&world.admin, 4).await, vec![]);
    assert_eq!(report.found, 1, "{report:?}");
}

/// Puts rows in the place of the log, as somebody does who may do everything in the database.
async fn put(session: &Client, rows: &[Row]) {
    let rows = json!(rows).to_string();
    session
        .batch_execute("set local session_replication_role = replica; delete from ops.audit_details; delete from ops.audit")
        .await
        .unwrap();
    session
        .execute(
            "insert into ops.audit select * from jsonb_populate_recordset(null::ops.audit, $1::text::jsonb)",
            &[&rows],
        )
        .await
        .unwrap();
    session
        .execute(
            "insert into ops.audit_details
             select * from jsonb_populate_recordset(null::ops.audit_details, $1::text::jsonb) as beside
             where beside.salt is not null",
            &[&rows],
        )
        .await
        .unwrap();
}

/// Makes the numbers and the hashes right again, from the first row on.
fn chain_anew(rows: &mut [Row]) {
    let mut previous = Row::no_row().to_owned();
    for (row, seq) in rows.iter_mut().zip(1..) {
        row.seq = seq;
        row.previous.clone_from(&previous);
        row.hash = row.own_hash();
        previous.clone_from(&row.hash);
    }
}

/// Says otherwise what a row says.
fn falsify(row: &mut Row, dice: &mut Dice) {
    match dice.roll(5) {
        0 => "2026-11-24T03:04:05.000006Z".clone_into(&mut row.at),
        1 => "role.granted".clone_into(&mut row.action),
        2 => row.actor = Some(any_hash(dice)),
        3 => row.subject = Some("something else".to_owned()),
        _ => row.details = any_hash(dice),
    }
}

/// Does one bad thing to the rows up to the last anchor; says what.
fn tamper(rows: &mut Vec<Row>, anchored: usize, dice: &mut Dice) -> &'static str {
    let at = usize::try_from(dice.roll(anchored as u64)).unwrap();
    match dice.roll(12) {
        0 => {
            falsify(&mut rows[at], dice);
            "changed"
        }
        1 => {
            falsify(&mut rows[at], dice);
            chain_anew(rows);
            "changed and chained anew"
        }
        2 => {
            falsify(&mut rows[at], dice);
            rows[at].hash = rows[at].own_hash();
            "changed and hashed anew"
        }
        3 => {
            rows.remove(at);
            "removed"
        }
        4 => {
            rows.remove(at);
            chain_anew(rows);
            "removed and chained anew"
        }
        5 => {
            let mut row = rows[at].clone();
            falsify(&mut row, dice);
            rows.insert(at, row);
            chain_anew(rows);
            "inserted and chained anew"
        }
        6 => {
            let other =
                (at + 1 + usize::try_from(dice.roll(anchored as u64 - 1)).unwrap()) % anchored;
            rows.swap(at, other);
            chain_anew(rows);
            "reordered and chained anew"
        }
        7 => {
            let other = (at + 1) % anchored;
            (rows[at].seq, rows[other].seq) = (rows[other].seq, rows[at].seq);
            rows.sort_by_key(|row| row.seq);
            "reordered"
        }
        8 => {
            rows.truncate(at);
            "cut off"
        }
        9 => {
            // The details of the rows that were erased are not there to be changed.
            let row = rows.iter_mut().skip(at).find(|row| row.document.is_some());
            row.unwrap().document = Some(r#"{"actor": "somebody else"}"#.to_owned());
            "details changed"
        }
        10 => {
            let row = rows
                .iter_mut()
                .skip(at)
                .find(|row| row.document.is_some())
                .unwrap();
            (row.salt, row.document) = (None, None);
            "details removed"
        }
        _ => {
            rows.truncate(at);
            let mut restored = Row {
                action: "database.restored".to_owned(),
                at: "2026-11-30T23:59:59.000000Z".to_owned(),
                ..rows
                    .first()
                    .cloned()
                    .unwrap_or_else(|| row_of_nothing(dice))
            };
            // From where no backup saw the log: else it would be told as a restore.
            restored.subject = Some("20261130T235900Z-1-0badcafe".to_owned());
            rows.push(restored);
            chain_anew(rows);
            "cut off and told as a restore"
        }
    }
}

fn row_of_nothing(dice: &mut Dice) -> Row {
    Row {
        seq: 1,
        at: String::new(),
        action: String::new(),
        actor: None,
        subject: None,
        details: any_hash(dice),
        previous: String::new(),
        hash: String::new(),
        salt: None,
        document: None,
    }
}

#[tokio::test]
async fn a_thousand_random_tamperings_are_found_and_none_where_there_is_none() {
    let world = World::migrated().await;
    for value in 0..36 {
        set(
            &world,
            20 + value,
            ["anna", "ben", "carla"][value as usize % 3],
        )
        .await
        .unwrap();
    }
    world
        .execute("select ops.erase_audit_details('carla', null, 'ben')")
        .await;
    for value in 0..6 {
        set(&world, 80 + value, "anna").await.unwrap();
    }
    let whole = read(&world.admin, 10).await;
    // As half-hourly backups see it, but for the last rows.
    let anchors: Vec<Anchor> = whole
        .iter()
        .filter(|row| row.seq % 8 == 0)
        .map(anchor)
        .collect();
    let anchored = usize::try_from(anchors.last().unwrap().seq).unwrap();
    assert!(whole.len() > anchored && anchored > 30);
    let good = verified(&whole, anchors.clone());
    assert!(good.is_good(), "{good:?}");
    assert_eq!(
        usize::try_from(good.after_anchor).unwrap(),
        whole.len() - anchored
    );

    let seed = wanted("SEED").unwrap_or_else(any_seed);
    let mut dice = Dice(seed);
    let session = world.session().await;
    let mut kinds = std::collections::BTreeMap::<&str, u32>::new();
    for round in 0..1_000 {
        let mut rows = whole.clone();
        let what = loop {
            let what = tamper(&mut rows, anchored, &mut dice);
            // A cut right behind an anchor that is told as a restore is one, for all that
            // anybody can see; it is named, which the next test looks at.
            let is_restore = what == "cut off and told as a restore" && (rows.len() - 1) % 8 == 0;
            if rows != whole && !is_restore {
                break what;
            }
            rows.clone_from(&whole);
        };
        session.batch_execute("begin").await.unwrap();
        put(&session, &rows).await;
        let read_back = read(&session, 25).await;
        session.batch_execute("rollback").await.unwrap();
        let report = verified(&read_back, anchors.clone());
        assert!(
            !report.is_good(),
            "seed {seed}, round {round}: {what}: {report:?}"
        );
        *kinds.entry(what).or_default() += 1;
        if round % 20 == 0 {
            session.batch_execute("begin").await.unwrap();
            put(&session, &whole).await;
            let untouched = read(&session, 25).await;
            session.batch_execute("rollback").await.unwrap();
            assert_eq!(untouched, whole);
            assert!(verified(&untouched, anchors.clone()).is_good());
        }
    }
    assert_eq!(kinds.len(), 12, "seed {seed}: {kinds:?}");
}

/// Dates rows from that many days ago on, an hour after each other, and chains them anew.
fn date_back(rows: &mut [Row], days: i64) {
    let first = clock::now() - jiff::SignedDuration::from_hours(24 * days);
    for (row, hours) in rows.iter_mut().zip(0..) {
        let at = first + jiff::SignedDuration::from_hours(hours);
        row.at = at.strftime("%Y-%m-%dT%H:%M:%S.000000Z").to_string();
    }
}

/// What the whole log is verified from: the row at the cut, and the rows.
async fn read_cut(client: &Client) -> (Option<Row>, Vec<Row>) {
    let arguments = json!({"p_after": 0, "p_limit": 1});
    let page = call(client, "ops_read_audit", arguments).await.unwrap();
    let checkpoint = serde_json::from_value(page["checkpoint"].clone()).unwrap();
    (checkpoint, read(client, 25).await)
}

fn verified_cut(checkpoint: Option<&Row>, rows: &[Row], anchors: &[Anchor]) -> Report {
    let anchors = anchors.to_vec();
    let mut verifier = match checkpoint {
        Some(checkpoint) => Verifier::after(checkpoint, anchors, clock::now()),
        None => Verifier::new(anchors),
    };
    for row in rows {
        verifier.take(row);
    }
    verifier.finish()
}

/// A log of which `old` rows are eight years old, and some of today.
async fn aged(world: &World, old: u32) {
    for value in 0..old {
        set(world, 20 + value, ["anna", "ben"][value as usize % 2])
            .await
            .unwrap();
    }
    let mut rows = read(&world.admin, 25).await;
    date_back(&mut rows, 8 * 365);
    chain_anew(&mut rows);
    world.admin.batch_execute("begin").await.unwrap();
    put(&world.admin, &rows).await;
    world.admin.batch_execute("commit").await.unwrap();
    for value in 0..12 {
        set(world, 90 + value, "carla").await.unwrap();
    }
}

async fn cut(world: &World, limit: u32) -> i64 {
    let deleted = format!("ops.cut_audit({limit})");
    world.value(&deleted).await.as_i64().unwrap()
}

/// Records that a backup saw everything up to now.
async fn back_up(world: &World) -> Anchor {
    let run = uuid::Uuid::new_v4();
    world
        .execute(&format!(
            "insert into ops.runs (id, job, fence, outcome, started_at, finished_at)
             values ('{run}', 'backup', 1, 'done', now(), now());
             insert into ops.backups (run, outcome, snapshot, taken_at, sealed_at, finished_at)
             values ('{run}', 'done', '{run}', clock_timestamp(), now(), now())"
        ))
        .await;
    anchor(read(&world.admin, 500).await.last().unwrap())
}

#[tokio::test]
async fn rows_go_by_age_once_it_was_told_and_anchored_and_the_log_stays_proven() {
    let world = World::migrated().await;
    aged(&world, 30).await;
    let seen = back_up(&world).await;
    // The first time it is told, and nothing goes before a backup saw that.
    assert_eq!(cut(&world, 100).await, 0);
    assert_eq!(cut(&world, 100).await, 0);
    let told = world
        .value("(select count(*) from ops.audit where action = 'log.cut')")
        .await;
    assert_eq!(told, 1, "told once");
    let later = back_up(&world).await;
    let anchors = [seen, later];
    // Whoever may write into the log tells nonsense in vain.
    world
        .execute("select ops.write_audit('log.cut', 'mallory', 'everything', null)")
        .await;
    // In parts, and whoever verifies in between finds nothing.
    for left in [20, 10, 0] {
        assert_eq!(cut(&world, 10).await, 10);
        let (checkpoint, rows) = read_cut(&world.admin).await;
        assert_eq!(rows.len(), left + 14);
        let report = verified_cut(checkpoint.as_ref(), &rows, &anchors);
        assert!(report.is_good(), "{report:?}");
        assert_eq!(report.cut.unwrap().told_by, Some(43));
    }
    assert_eq!(cut(&world, 10).await, 0, "what is young stays");
    assert_eq!(
        cut(&world, 10).await,
        0,
        "and is not told of before a week is over"
    );
    let names = world
        .rows("select document from ops.audit_details where document ~ 'anna|ben'")
        .await;
    assert_eq!(names, json!([]), "what people read of them went with them");
    // The log goes on.
    set(&world, 31, "dora").await.unwrap();
    let (checkpoint, rows) = read_cut(&world.admin).await;
    assert!(verified_cut(checkpoint.as_ref(), &rows, &anchors).is_good());
    let head = world.call("ops_list_audit", json!({})).await["head"].clone();
    assert_eq!(head["seq"], 45);
}

#[tokio::test]
async fn nothing_goes_that_the_setting_keeps_and_nobody_says_otherwise() {
    let world = World::migrated().await;
    aged(&world, 5).await;
    let years = async |days: u32| {
        let arguments = json!({"p_key": "retention.audit_days", "p_value": days, "p_by": "anna"});
        world.call("ops_set_setting", arguments).await
    };
    years(3660).await;
    assert_eq!(cut(&world, 100).await, 0);
    let told = "(select count(*) from ops.audit where action = 'log.cut')";
    assert_eq!(world.value(told).await, 0, "nothing is past");
    years(365).await;
    assert_eq!(cut(&world, 100).await, 0);
    assert_eq!(world.value(told).await, 1);
    back_up(&world).await;
    // Whoever raises it meanwhile keeps the rows.
    years(3660).await;
    assert_eq!(cut(&world, 100).await, 0);
    let rows = read(&world.admin, 100).await;
    assert_eq!(rows[0].seq, 1);
    // Nobody shortens it around its floor, be it the owner in the table.
    let all = format!("row 99999, {}", "a".repeat(64));
    world
        .execute(&format!(
            "select ops.write_audit('log.cut', 'mallory', '{all}', null)"
        ))
        .await;
    back_up(&world).await;
    world
        .execute(
            "begin; set local session_replication_role = replica;
             update ops.settings set value = '0' where key = 'retention.audit_days'; commit",
        )
        .await;
    assert_eq!(cut(&world, 100).await, 5);
    let (_, rows) = read_cut(&world.admin).await;
    assert_eq!(rows[0].action, "setting.changed");
    assert_eq!(rows[0].seq, 6, "those of today stay");
    for statement in [
        "delete from ops.audit_checkpoint",
        "update ops.audit_checkpoint set seq = 9",
        "truncate ops.audit_checkpoint",
    ] {
        let refused = world.owner().await.batch_execute(statement).await;
        let code = refused.expect_err(statement);
        assert_eq!(code.code().unwrap().code(), "42501", "{statement}");
    }
}

/// Does one bad thing to a log that was cut; says what.
fn tamper_cut(
    checkpoint: &mut Option<Row>,
    rows: &mut Vec<Row>,
    anchored: usize,
    dice: &mut Dice,
) -> &'static str {
    let forge = |rows: &mut Vec<Row>, cut: &Row| {
        let last = rows.last().unwrap().clone();
        let mut told = Row {
            seq: last.seq + 1,
            action: "log.cut".to_owned(),
            subject: Some(format!("row {}, {}", cut.seq, cut.hash)),
            previous: last.hash.clone(),
            ..last
        };
        told.hash = told.own_hash();
        rows.push(told);
    };
    let further = 1 + usize::try_from(dice.roll(anchored as u64 - 1)).unwrap();
    match dice.roll(8) {
        0 => {
            *checkpoint = Some(rows[further - 1].clone());
            rows.drain(..further);
            "cut further"
        }
        1 => {
            let cut = rows[further - 1].clone();
            rows.drain(..further);
            forge(rows, &cut);
            *checkpoint = Some(cut);
            "cut further and told of it"
        }
        2 => {
            *checkpoint = None;
            "the checkpoint removed"
        }
        3 => {
            falsify(checkpoint.as_mut().unwrap(), dice);
            "the checkpoint changed"
        }
        4 => {
            let cut = checkpoint.as_mut().unwrap();
            falsify(cut, dice);
            cut.hash = cut.own_hash();
            "the checkpoint changed and hashed anew"
        }
        5 => {
            let cut = checkpoint.as_mut().unwrap();
            falsify(cut, dice);
            cut.hash = cut.own_hash();
            let mut previous = cut.hash.clone();
            for row in rows.iter_mut() {
                row.previous.clone_from(&previous);
                row.hash = row.own_hash();
                previous.clone_from(&row.hash);
            }
            "the checkpoint changed and everything chained anew"
        }
        6 => {
            let cut = checkpoint.as_mut().unwrap();
            cut.seq += i64::try_from(1 + dice.roll(200)).unwrap();
            cut.hash = cut.own_hash();
            rows.clear();
            "everything removed behind a checkpoint"
        }
        _ => {
            let at = usize::try_from(dice.roll(anchored as u64)).unwrap();
            falsify(&mut rows[at], dice);
            let mut previous = rows[at].previous.clone();
            for row in rows.iter_mut().skip(at) {
                row.previous.clone_from(&previous);
                row.hash = row.own_hash();
                previous.clone_from(&row.hash);
            }
            "a row changed and what follows chained anew"
        }
    }
}

#[tokio::test]
async fn a_thousand_random_tamperings_of_a_log_that_was_cut_are_found() {
    let world = World::migrated().await;
    aged(&world, 30).await;
    let mut anchors: Vec<Anchor> = read(&world.admin, 25)
        .await
        .iter()
        .filter(|row| row.seq % 8 == 0)
        .map(anchor)
        .collect();
    assert_eq!(cut(&world, 100).await, 0);
    for value in 31..35 {
        set(&world, value, "dora").await.unwrap();
    }
    anchors.push(back_up(&world).await);
    assert_eq!(cut(&world, 100).await, 30);
    for value in 41..44 {
        set(&world, value, "dora").await.unwrap();
    }
    let (whole_cut, whole) = read_cut(&world.admin).await;
    let anchored = whole.len() - 3;
    let good = verified_cut(whole_cut.as_ref(), &whole, &anchors);
    assert!(good.is_good(), "{good:?}");
    assert_eq!(good.after_anchor, 3);

    let seed = wanted("SEED").unwrap_or_else(any_seed);
    let mut dice = Dice(seed);
    let session = world.session().await;
    let mut kinds = std::collections::BTreeMap::<&str, u32>::new();
    for round in 0..1_000 {
        let (mut checkpoint, mut rows) = (whole_cut.clone(), whole.clone());
        let what = tamper_cut(&mut checkpoint, &mut rows, anchored, &mut dice);
        session.batch_execute("begin").await.unwrap();
        put(&session, &rows).await;
        session
            .batch_execute("delete from ops.audit_checkpoint")
            .await
            .unwrap();
        session
            .execute(
                "insert into ops.audit_checkpoint
                 select * from jsonb_populate_recordset(null::ops.audit_checkpoint, $1::text::jsonb)",
                &[&json!(checkpoint.as_slice()).to_string()],
            )
            .await
            .unwrap();
        let (checkpoint, rows) = read_cut(&session).await;
        session.batch_execute("rollback").await.unwrap();
        let report = verified_cut(checkpoint.as_ref(), &rows, &anchors);
        assert!(
            !report.is_good(),
            "seed {seed}, round {round}: {what}: {report:?}"
        );
        *kinds.entry(what).or_default() += 1;
    }
    assert_eq!(kinds.len(), 8, "seed {seed}: {kinds:?}");
}

#[tokio::test]
async fn refusals_are_written_once_an_hour_and_never_fill_the_log() {
    let world = World::migrated().await;
    let refused = async |person: &str| {
        let arguments = json!({"p_actor": person, "p_user": person, "p_method": "GET", "p_path": "/api/monitoring/dashboard"});
        world.call("ops_note_refusal", arguments).await["written"].clone()
    };
    assert_eq!(refused("anna").await, true);
    assert_eq!(refused("anna").await, false);
    for stranger in 0..150 {
        refused(&format!("stranger {stranger}")).await;
    }
    let count = world
        .value("(select count(*) from ops.audit where action = 'access.refused')")
        .await;
    assert_eq!(count, 100);
}

#[tokio::test]
async fn a_sign_in_that_has_to_pause_is_in_the_log_without_anybodys_address() {
    let world = World::migrated().await;
    for _ in 0..8 {
        let keys = json!({"p_keys": {"code": "hmac-of-a-browser"}});
        world.call("ops_begin_sign_in", keys).await;
    }
    assert_eq!(
        written(&world).await,
        ["access.refused code hmac-of-a-browser -"]
    );
}

#[tokio::test]
async fn every_change_of_a_role_is_found_whoever_made_it() {
    let world = World::migrated().await;
    let anna = "00000000-0000-4000-8000-00000000000a";
    world
        .execute(&format!(
            "insert into auth.users (id, email) values ('{anna}', 'anna@wine.example'); analyze auth.users"
        ))
        .await;
    let become_ = async |metadata: &str, minute: &str| {
        world
            .execute(&format!(
                "update auth.users set raw_app_meta_data = {metadata} where id = '{anna}'"
            ))
            .await;
        world.tick(minute, &[]).await;
    };
    become_("null", "12:00:00").await;
    // None of these is a role.
    become_("'{\"role\": [\"admin\"]}'", "12:01:00").await;
    become_("'{\"role\": true}'", "12:02:00").await;
    become_("'{\"role\": null}'", "12:03:00").await;
    become_("'{\"role\": \"owner\"}'", "12:04:00").await;
    assert_eq!(written(&world).await, Vec::<String>::new());
    become_("'{\"role\": \"viewer\"}'", "12:05:00").await;
    become_("'{\"role\": \"viewer\"}'", "12:06:00").await;
    // By the command, which writes it itself.
    world
        .execute(&format!(
            "select ops.audit_role('ben', '{anna}', 'anna@wine.example', 'viewer', 'admin')"
        ))
        .await;
    become_("'{\"role\": \"admin\"}'", "12:07:00").await;
    become_("'{}'", "12:08:00").await;
    assert_eq!(
        written(&world).await,
        [
            format!("role.found user {anna}: viewer -"),
            format!("role.granted user {anna}: admin ben"),
            format!("role.found user {anna}: no role -"),
        ]
    );
}
