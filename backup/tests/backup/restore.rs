//! The way back: equal, or refused, or failed; never anything between.

use std::{path::PathBuf, sync::Mutex};

use backup::{
    checksum,
    format::RowHash,
    restore::{self, Cause, Event, Note, Request, RestoreError, Restored, Step},
    selection::{LeftOut, Selection},
};
use local_supabase::postgres::TestDatabase;
use secrecy::SecretString;

use crate::{
    handmade::{self, name},
    schema::dump,
    support::{direct, session},
    taken::Taken,
};

/// Restores everything into a database.
pub(crate) async fn restore(
    backup: &Taken,
    target: &TestDatabase,
) -> Result<Restored, RestoreError> {
    restore_some(backup, target, &Selection::default(), &|_| {}).await
}

/// The same, ending at the first thing that the target refuses.
pub(crate) async fn restore_strictly(
    backup: &Taken,
    target: &TestDatabase,
) -> Result<Restored, RestoreError> {
    let (into, ca) = direct(target).await;
    let everything = Selection::default();
    let request = Request {
        strict: true,
        ..request(backup, &into, &ca, &everything)
    };
    restore::restore(request, &|_| {}).await
}

/// With what can be missing left out.
fn request<'a>(
    backup: &'a Taken,
    into: &'a SecretString,
    ca: &'a str,
    selection: &'a Selection,
) -> Request<'a> {
    Request {
        store: &backup.store,
        snapshot: &backup.snapshot,
        identities: &backup.identities,
        into,
        ca: Some(ca),
        selection,
        jobs: 3,
        strict: false,
        masking: None,
    }
}

/// Restores what was chosen into a database.
pub(crate) async fn restore_some(
    backup: &Taken,
    target: &TestDatabase,
    selection: &Selection,
    tell: restore::Listener<'_>,
) -> Result<Restored, RestoreError> {
    let (into, ca) = direct(target).await;
    restore::restore(request(backup, &into, &ca, selection), tell).await
}

/// An error as the command prints it.
fn told(error: &RestoreError) -> String {
    format!("{error}: {}", error.cause())
}

/// What `ops.after_restore` changes, after everything was compared.
const SETTLED: [&str; 6] = [
    "audit",
    "audit_details",
    "jobs",
    "runs",
    "outbox",
    "restores",
];

/// Fails unless every table of the backup holds the same on both sides.
pub(crate) async fn assert_equal(backup: &Taken, target: &TestDatabase) {
    let target = session(target).await;
    let source = session(&backup.source).await;
    for data in &backup.manifest.tables {
        if data.table.schema == "ops" && SETTLED.contains(&data.table.name.as_str()) {
            continue;
        }
        let there = checksum::read(&source, &data.table, &data.columns, RowHash::Mixed)
            .await
            .unwrap();
        let here = checksum::read(&target, &data.table, &data.columns, RowHash::Mixed)
            .await
            .unwrap();
        assert_eq!(there, here, "{}", data.table);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_restored_is_equal_to_its_source() {
    let backup = handmade::backup().await;
    let target = TestDatabase::empty().await.unwrap();
    let steps = Mutex::new(Vec::new());
    let restored = restore_some(&backup, &target, &Selection::default(), &|event| {
        if let Event::Begun(step, _) = event {
            steps.lock().unwrap().push(step);
        }
    })
    .await
    .unwrap();
    assert_equal(&backup, &target).await;
    assert_eq!(
        (restored.tables, restored.rows),
        (3, backup.snapshot.totals.rows)
    );
    assert_eq!(
        *steps.lock().unwrap(),
        [
            Step::Objects,
            Step::Rows,
            Step::Constraints,
            Step::Statistics,
            Step::Comparison
        ]
    );
    let sequence = session(&target).await;
    let next = sequence
        .query_one("select nextval('public.people_id_seq')", &[])
        .await
        .unwrap();
    assert_eq!(next.get::<_, i64>(0), 43);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_platform_does_not_allow_is_told() {
    let backup = handmade::backup().await;
    let target = TestDatabase::empty().await.unwrap();
    let restored = restore(&backup, &target).await.unwrap();
    let [Note::NotAttached { object, reason }] = &restored.notes[..] else {
        panic!("{:?}", restored.notes);
    };
    assert_eq!(object, "policy storage.objects mine");
    assert_eq!(reason, "must be owner of table objects (42501)");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_not_empty_is_left_as_it_is() {
    let backup = handmade::backup().await;
    for (filled, found) in [
        ("create table public.there ()", "public.there"),
        ("create view public.there as select 1", "public.there"),
        ("create sequence public.there", "public.there"),
        ("create schema side", "schema side"),
        (
            "insert into auth.users (id) values (gen_random_uuid())",
            "rows in \"auth\".\"users\"",
        ),
    ] {
        let target = TestDatabase::empty().await.unwrap();
        session(&target).await.batch_execute(filled).await.unwrap();
        let before = dump(&target).await;
        let error = restore(&backup, &target).await.unwrap_err();
        let RestoreError::Untouched(Cause::NotEmpty(relations)) = &error else {
            panic!("{error}");
        };
        assert_eq!(relations, &[found]);
        assert_eq!(dump(&target).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_that_is_missing_is_named_before_anything_is_changed() {
    let backup =
        handmade::backup_with(|parts| parts.objects[0].name = "no_such_thing", |_| {}).await;
    let target = TestDatabase::empty().await.unwrap();
    let error = restore(&backup, &target).await.unwrap_err();
    assert_eq!(
        told(&error),
        "nothing was changed: not restorable here: extension no_such_thing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_opens_nothing() {
    let (backup, other) = (handmade::backup().await, handmade::backup().await);
    let wrong = Taken {
        identities: other.identities.clone(),
        ..backup
    };
    let target = TestDatabase::empty().await.unwrap();
    let error = restore(&wrong, &target).await.unwrap_err();
    assert!(
        matches!(&error, RestoreError::Untouched(Cause::Backup(_))),
        "{error}"
    );
    assert!(
        told(&error).contains("none of the given identities"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_piece_is_never_a_success() {
    damaged("truncated", |pieces| {
        let bytes = std::fs::read(&pieces[0]).unwrap();
        std::fs::write(&pieces[0], &bytes[..bytes.len() - 1]).unwrap();
    })
    .await;
    damaged("swapped", |pieces| {
        std::fs::copy(&pieces[0], &pieces[1]).unwrap();
    })
    .await;
    damaged("missing", |pieces| {
        std::fs::remove_file(&pieces[2]).unwrap();
    })
    .await;
}

async fn damaged(what: &str, damage: impl FnOnce(&[PathBuf])) {
    let backup = handmade::backup().await;
    damage(&backup.pieces(&name("public", "notes")));
    let target = TestDatabase::empty().await.unwrap();
    let error = restore(&backup, &target).await.unwrap_err();
    let partial = matches!(&error, RestoreError::Partial(Cause::Backup(_)));
    assert!(partial, "{what}: {error}");
    assert!(told(&error).contains("is to be dropped"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_differ_from_what_the_source_counted_and_hashed_are_a_failure() {
    for table in 0..3 {
        let backup = handmade::backup_with(
            |_| {},
            |manifest| manifest.tables[table].checksum.second += "1",
        )
        .await;
        let target = TestDatabase::empty().await.unwrap();
        let error = restore(&backup, &target).await.unwrap_err();
        let RestoreError::Partial(Cause::Different(tables)) = &error else {
            panic!("{error}");
        };
        assert_eq!(tables, &[backup.manifest.tables[table].table.clone()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_rows_are_in_no_message() {
    let backup = handmade::backup_with(
        |parts| {
            let notes = parts
                .objects
                .iter_mut()
                .find(|made| made.name == "public.notes");
            notes.unwrap().sql = "create table public.notes (person bigint, text date);\n";
        },
        |_| {},
    )
    .await;
    let target = TestDatabase::empty().await.unwrap();
    let error = restore_strictly(&backup, &target).await.unwrap_err();
    assert!(
        matches!(&error, RestoreError::Partial(Cause::RefusedRows { .. })),
        "{error}"
    );
    assert!(told(&error).contains("22007"), "{error}");
    assert!(!format!("{error:?}").contains("note "), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_chosen_tables_alone_rows_are_restored() {
    let backup = handmade::backup().await;
    let target = TestDatabase::empty().await.unwrap();
    let chosen = Selection {
        rows_of: Some(vec![name("public", "notes")]),
        ..Selection::default()
    };
    let restored = restore_some(&backup, &target, &chosen, &|_| {})
        .await
        .unwrap();
    assert_eq!((restored.tables, restored.rows), (1, 20_003));
    let left = Note::LeftOut(LeftOut {
        what: "foreign key public.notes notes_person_fkey".into(),
        why: "it needs the rows of public.people, which were not chosen".into(),
    });
    assert!(restored.notes.contains(&left), "{:?}", restored.notes);
    let session = session(&target).await;
    let count = async |table: &str| -> i64 {
        let count = format!("select count(*) from {table}");
        session.query_one(&count, &[]).await.unwrap().get(0)
    };
    assert_eq!(count("public.notes").await, 20_003);
    assert_eq!(count("public.people").await, 0);
    assert_eq!(count("auth.users").await, 0);
    assert_eq!(
        count("pg_constraint where contype = 'f' and conname = 'people_boss_fkey'").await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_not_in_the_backup_cannot_be_chosen() {
    let backup = handmade::backup().await;
    let target = TestDatabase::empty().await.unwrap();
    let chosen = Selection {
        tables: vec![name("public", "note")],
        ..Selection::default()
    };
    let error = restore_some(&backup, &target, &chosen, &|_| {})
        .await
        .unwrap_err();
    assert_eq!(
        told(&error),
        "nothing was changed: the backup has no table public.note; it has public.notes, public.people"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_missing_is_made_without_login() {
    // Known to this test alone, for roles are the whole server's.
    let role = "restored_role";
    let backup = handmade::backup_with(
        |parts| {
            parts.roles.push(role.into());
            parts.objects[0].kind = "role";
            parts.objects[0].name = role;
            parts.objects[0].sql = "create role restored_role nologin;\n";
        },
        |_| {},
    )
    .await;
    let target = TestDatabase::empty().await.unwrap();
    let session = session(&target).await;
    // A run that failed may have left it.
    let absent = "drop role if exists restored_role";
    session.batch_execute(absent).await.unwrap();
    let restored = restore(&backup, &target).await.unwrap();
    assert!(restored.notes.contains(&Note::RoleMade(role.into())));
    let row = session
        .query_one(
            "select rolcanlogin from pg_roles where rolname = $1",
            &[&role],
        )
        .await
        .unwrap();
    assert!(!row.get::<_, bool>(0));
    session
        .batch_execute("drop role restored_role")
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restore_would_do_is_told_and_nothing_is_done() {
    let backup = handmade::backup().await;
    let target = TestDatabase::empty().await.unwrap();
    let (into, ca) = direct(&target).await;
    let everything = Selection::default();
    let all = request(&backup, &into, &ca, &everything);
    let looked = restore::preview(&all).await.unwrap();
    let pieces = backup.manifest.tables.iter().flat_map(|data| &data.pieces);
    let bytes: u64 = pieces.map(|piece| piece.raw_len).sum();
    let totals = &backup.snapshot.totals;
    assert_eq!(
        (looked.tables, looked.rows, looked.bytes),
        (3, totals.rows, bytes)
    );
    // The manifest has been read by then.
    let manifest = backup.snapshot.manifest.len;
    assert_eq!(
        (looked.fetched_objects + 1, looked.fetched_bytes + manifest),
        (totals.objects, totals.stored_bytes)
    );
    assert!(looked.refused.is_none(), "{looked:?}");
    let notes = Selection {
        tables: vec![name("public", "notes")],
        ..Selection::default()
    };
    let one = restore::preview(&request(&backup, &into, &ca, &notes)).await;
    let one = one.unwrap();
    assert_eq!(one.tables, 1);
    assert!(one.fetched_bytes < looked.fetched_bytes, "{one:?}");
    assert!(
        one.notes
            .iter()
            .any(|note| matches!(note, Note::LeftOut(_))),
        "{one:?}"
    );

    restore(&backup, &target).await.expect("it was left empty");
    let full = restore::preview(&all).await.unwrap();
    assert!(matches!(full.refused, Some(Cause::NotEmpty(_))), "{full:?}");
}
