//! What a person may ask for: everything about them handed out, and erased, in whatever way an
//! application's tables name them.

use std::{collections::BTreeMap, fs::File, io::Read, path::PathBuf, time::Duration};

use ops::privacy::{
    Person, PrivacyError,
    erasure::{self, Order},
    export,
    marks::{self, Marked},
    ways::Ways,
};
use outside::clock;
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::support::{World, at};

const SUBJECT: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// An application with so many people alike.
async fn people(count: u32) -> (World, Client) {
    let world = World::migrated().await;
    let owner = world.owner().await;
    owner
        .batch_execute(include_str!("privacy.sql"))
        .await
        .unwrap();
    for number in 1..=count {
        let sql = format!("select public.add_person({number})");
        owner.batch_execute(&sql).await.unwrap();
    }
    owner
        .batch_execute("select ops.roll_up_figures(100000, now())")
        .await
        .unwrap();
    (world, owner)
}

fn number(n: u32) -> Uuid {
    format!("00000000-0000-4000-8000-{n:012}").parse().unwrap()
}

fn order(person: &Person) -> Order<'_> {
    Order {
        id: Uuid::new_v4(),
        person,
        subject: SUBJECT,
        subscriber: None,
        decided_at: clock::now(),
        by: "anna",
    }
}

/// How many rows each table holds, those of ours aside that say what was done.
async fn counts(client: &Client) -> BTreeMap<String, i64> {
    let sql = "
select format('%I.%I', nspname, relname) from pg_class join pg_namespace as schema on schema.oid = relnamespace
where relkind = 'r' and nspname in ('public', 'auth', 'ops') and relname not in ('erasures', 'migrations') and relname not like 'audit%'";
    let mut counts = BTreeMap::new();
    for row in client.query(sql, &[]).await.unwrap() {
        let table: String = row.get(0);
        let sql = format!("select count(*) from {table}");
        let count = client.query_one(&sql, &[]).await.unwrap();
        counts.insert(table, count.get(0));
    }
    counts
}

async fn erase(client: &mut Client, n: u32, delete: &[String]) -> Marked {
    let ways = Ways::find(client, delete).await.unwrap();
    let person = Person::find(client, number(n)).await.unwrap();
    let order = order(&person);
    erasure::erase(client, &order, &ways).await.unwrap();
    marks::find(client, &person).await.unwrap()
}

#[tokio::test]
async fn all_of_a_person_goes_in_whatever_way_tables_name_them_and_nothing_of_others() {
    let (world, mut owner) = people(2).await;
    let both = counts(&owner).await;
    let fresh = people(1).await;
    let alone = counts(&fresh.1).await;
    let left = erase(&mut owner, 2, &[]).await;
    assert_eq!(left, Marked::default(), "no mark is left");
    let mut after = counts(&owner).await;
    // What names somebody and stays is released: as many rows as before, without them.
    for (table, count) in [
        ("public.\"Odd \"\"notes\"\"\"", 2),
        ("public.analytics_events", 2),
        ("public.api_usage_metrics", 2),
        ("public.decisions", 2),
        ("public.error_logs", 2),
    ] {
        assert_eq!(after.remove(table), Some(count), "{table}");
        assert_eq!(both[table], count, "{table}");
    }
    after.retain(|table, _| table.starts_with("public.") || table.starts_with("auth."));
    for (table, count) in after {
        assert_eq!(count, alone[&table], "{table}");
    }
    let decision = world
        .value("(select to_jsonb(one) from public.decisions as one where id = 2)")
        .await;
    assert_eq!(
        decision,
        json!({"id": 2, "decided_by": null, "what": "[erased] said yes", "ip_address": null,
            "detail": {"by": ["[erased]", "[erased]"]}})
    );
    let other = world
        .value("(select to_jsonb(one) from public.decisions as one where id = 1)")
        .await;
    assert_eq!(other["what"], "Person.1@Wine.example said yes");
    assert_eq!(other["ip_address"], "192.0.2.7");
    let people = "(select count(*) from ops.people)";
    assert_eq!(world.value(people).await, fresh.0.value(people).await);
}

/// An address may end or begin another one, and a telephone may be a number of somebody's.
#[tokio::test]
async fn what_only_holds_a_mark_within_another_word_is_left_as_it_is() {
    let (world, mut owner) = people(1).await;
    world
        .execute(
            "update auth.users set phone = '4917012345';
             insert into ops.contacts (id, name, email, role, updated_at, updated_by)
             select gen_random_uuid(), 'Jo', 'jo.Person.1@Wine.example', role, now(), 'anna' from ops.contact_roles limit 1;
             update public.decisions set what = 'not of xPerson.1@Wine.example.com, call 4917012345, not 49170123456',
                 detail = '{\"number\": 4917012345, \"of\": \"person.1@wine.example.\"}'",
        )
        .await;
    let left = erase(&mut owner, 1, &[]).await;
    let decision = world
        .value("(select to_jsonb(one) from public.decisions as one)")
        .await;
    assert_eq!(
        decision["what"],
        "not of xPerson.1@Wine.example.com, call [erased], not 49170123456"
    );
    assert_eq!(
        decision["detail"],
        json!({"number": 4_917_012_345_u64, "of": "[erased]."})
    );
    let email = world.value("(select email from ops.contacts)").await;
    assert_eq!(email, "jo.Person.1@Wine.example");
    let left = serde_json::to_value(&left).unwrap();
    assert_eq!(
        left["tables"],
        json!([["public.decisions", 1]]),
        "the number in JSON is told"
    );
}

#[tokio::test]
async fn what_names_somebody_otherwise_is_said_and_left() {
    let (world, mut owner) = people(1).await;
    world
        .execute(&format!(
            "insert into public.imports (id, detail)
             values (1, '{{\"of\": \"{}\"}}'), (2, '{{\"of\": \"PERSON.1@WINE.EXAMPLE\"}}'), (3, '{{}}')",
            number(1)
        ))
        .await;
    let left = erase(&mut owner, 1, &[]).await;
    let left = serde_json::to_value(&left).unwrap();
    assert_eq!(left["tables"], json!([["public.imports", 2]]));
    let rows = world.value("(select count(*) from public.imports)").await;
    assert_eq!(rows, 3);
}

#[tokio::test]
async fn a_table_that_is_named_loses_the_rows_that_its_keys_would_keep() {
    let (world, mut owner) = people(2).await;
    let table = "public.Odd \"notes\"".to_owned();
    erase(&mut owner, 1, std::slice::from_ref(&table)).await;
    let left = world
        .value("(select jsonb_agg(id) from public.\"Odd \"\"notes\"\"\")")
        .await;
    assert_eq!(left, json!([2]));
    let unknown = Ways::find(&owner, &["public.imports".to_owned()]).await;
    assert!(matches!(unknown, Err(PrivacyError::UnknownTable(name)) if name == "public.imports"));
}

#[tokio::test]
async fn a_second_time_and_without_an_account_nothing_more_happens() {
    let (world, mut owner) = people(2).await;
    erase(&mut owner, 1, &[]).await;
    let once = counts(&owner).await;
    let ways = Ways::find(&owner, &[]).await.unwrap();
    let person = Person::find(&owner, number(1)).await.unwrap();
    assert!(!person.has_account);
    let order = order(&person);
    let again = erasure::erase(&mut owner, &order, &ways).await.unwrap();
    assert!(again.tables.is_empty() && !again.account, "{again:?}");
    assert_eq!(counts(&owner).await, once);
    let log = world
        .rows("select actor, subject from ops.audit where action = 'data.erased' order by seq")
        .await;
    let row = json!({"actor": log[0]["actor"], "subject": SUBJECT});
    assert_eq!(log, json!([row, row]));
    let former = erasure::former(&owner, Some(SUBJECT)).await.unwrap();
    assert_eq!(former.len(), 2);
    assert!(former.iter().all(|one| one.proof.is_none()));
}

#[tokio::test]
async fn a_plan_says_what_would_go_and_changes_nothing() {
    let (_world, mut owner) = people(2).await;
    let before = counts(&owner).await;
    let ways = Ways::find(&owner, &[]).await.unwrap();
    let person = Person::find(&owner, number(1)).await.unwrap();
    let planned = erasure::plan(&mut owner, &person, &ways).await.unwrap();
    assert_eq!(counts(&owner).await, before);
    let order = order(&person);
    let done = erasure::erase(&mut owner, &order, &ways).await.unwrap();
    assert_eq!(done, planned);
    let [of, to, released] =
        ["public.pairs_of", "public.pairs_to", "public.decisions"].map(|name| {
            let found = planned
                .tables
                .iter()
                .find(|one| one.table.to_string() == name);
            found.map(|one| (one.deleted, one.released))
        });
    assert_eq!((of, released), (Some((1, 0)), Some((0, 1))));
    assert_eq!(to, Some((1, 0)), "{planned:?}");
    assert!(planned.tables.len() > 36, "{}", planned.tables.len());
}

#[tokio::test]
async fn killed_at_any_instant_all_of_it_is_done_or_nothing() {
    let (world, owner) = people(8).await;
    let ways = Ways::find(&owner, &[]).await.unwrap();
    let mut done = 0;
    for n in 1..=8 {
        let person = Person::find(&owner, number(n)).await.unwrap();
        let before = counts(&owner).await;
        let mut session = world.owner().await;
        let pid: i32 = session
            .query_one("select pg_backend_pid()", &[])
            .await
            .unwrap()
            .get(0);
        let killed = async {
            clock::wait(Duration::from_millis(u64::from(n) * 12)).await;
            world
                .execute(&format!("select pg_terminate_backend({pid})"))
                .await;
        };
        let order = order(&person);
        let (erased, ()) = tokio::join!(erasure::erase(&mut session, &order, &ways), killed);
        let left = marks::find(&owner, &person).await.unwrap();
        if left.is_empty() {
            done += 1;
        } else {
            assert!(erased.is_err());
            assert_eq!(counts(&owner).await, before, "person {n}");
        }
    }
    assert!(done < 8, "nothing was killed in time");
}

/// The files of an archive by name.
fn unpacked(path: &PathBuf) -> BTreeMap<String, String> {
    let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    (0..archive.len())
        .map(|nth| {
            let mut file = archive.by_index(nth).unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            (file.name().unwrap().into_owned(), text)
        })
        .collect()
}

#[tokio::test]
async fn an_export_holds_all_of_a_person_and_nothing_of_others_nor_secrets() {
    let (_world, mut owner) = people(2).await;
    let path = std::env::temp_dir().join(format!("export-{}.zip", Uuid::new_v4()));
    let ways = Ways::find(&owner, &[]).await.unwrap();
    let person = Person::find_by_email(&owner, "person.2@wine.EXAMPLE").await;
    let person = person.unwrap().unwrap();
    assert_eq!(person.id, number(2));
    let file = File::create(&path).unwrap();
    let exported = export::export(&mut owner, &person, &ways, None, clock::now(), file);
    let (exported, _) = exported.await.unwrap();
    let files = unpacked(&path);
    std::fs::remove_file(&path).unwrap();
    let rows = |table: &str| -> Value {
        serde_json::from_str(&files[&format!("data/{table}.json")]).unwrap()
    };
    assert_eq!(rows("public.wines").as_array().unwrap().len(), 2);
    assert_eq!(rows("public.diary").as_array().unwrap().len(), 2);
    assert_eq!(rows("public.part_24"), json!([{"id": 2, "above": 2}]));
    assert_eq!(rows("auth.users")[0]["email"], "Person.2@Wine.example");
    assert_eq!(rows("auth.identities").as_array().unwrap().len(), 1);
    assert!(!rows("ops.people").as_array().unwrap().is_empty());
    assert_eq!(
        files["data/public.wines.csv"],
        format!("id,owner,label\n20,{0},red\n21,{0},white\n", number(2))
    );
    let whole = files.values().cloned().collect::<String>();
    for foreign in [
        number(1).to_string(),
        "Person.1@".to_owned(),
        "hashed".to_owned(),
    ] {
        assert!(!whole.contains(&foreign), "{foreign}");
    }
    assert!(exported.left_out["auth.users"].contains(&"encrypted_password".to_owned()));
    let overview: Value = serde_json::from_str(&files["overview.json"]).unwrap();
    assert_eq!(overview["tables"]["public.wines"], 2);
    assert_eq!(
        overview["tables"].as_object().unwrap().len(),
        exported.tables.len()
    );
}

#[tokio::test]
async fn consent_is_what_was_said_last_and_the_door_obeys_it() {
    let world = World::migrated().await;
    world
        .execute(
            "insert into ops.door_keys (id, name, items_a_minute, items_a_day, created_at, created_by)
             values (1, 'web', 100, 100, '2026-01-01T00:00:00Z', 'anna')",
        )
        .await;
    let said = async |granted: bool, time: &str| {
        let arguments = json!({"p_person": "u1", "p_purpose": "analytics", "p_granted": granted,
            "p_said_by": "user", "p_now": at(time)});
        world.call("ops_set_consent", arguments).await
    };
    let take = async |minute: u32| {
        let item = |nth: u32, kind: &str, person: &str| {
            json!({"id": format!("00000000-0000-4000-8000-{minute:06}{nth:06}"), "kind": kind, "name": "x",
                "environment": "production", "person": person, "session": "s1", "detail": {}})
        };
        let items = [
            item(1, "event", "u1"),
            item(2, "error", "u1"),
            item(3, "event", "u2"),
        ];
        let arguments = json!({"p_key": 1, "p_source": "own", "p_origin": null, "p_visitor": null,
            "p_items": items, "p_now": at(&format!("12:{minute:02}:00"))});
        world.call("ops_take_items", arguments).await["taken"].clone()
    };
    assert_eq!(take(1).await, 3, "who said nothing has refused nothing");
    said(true, "12:02:00").await;
    assert_eq!(take(3).await, 3);
    let refused = said(false, "12:04:00").await;
    assert_eq!(refused["consents"][0]["granted"], false);
    assert_eq!(take(5).await, 2);
    let kept = world
        .rows("select kind, person, session from ops.items where received_at = '2026-11-24T12:05:00Z' order by id")
        .await;
    assert_eq!(
        kept,
        json!([{"kind": "error", "person": null, "session": null}, {"kind": "event", "person": "u2", "session": "s1"}])
    );
    let dropped = world
        .value("(select items from ops.door_drops where reason = 'consent refused')")
        .await;
    assert_eq!(dropped, 1);
    said(true, "12:06:00").await;
    assert_eq!(take(7).await, 3);
    let words = world.refusal(
        "ops_set_consent",
        json!({"p_person": "u1", "p_purpose": "Odd words",
        "p_granted": true, "p_said_by": "user"}),
    );
    assert_eq!(words.await[0], "22023");
}
