//! One row through all backups, from as few pieces as can hold it.

use backup::{
    catalogue,
    format::Snapshot,
    row_history::{self, Change, Held, History, HistoryError, RowName, State},
};

use crate::{
    handmade::name,
    support::{migrated, session},
    taken::Taken,
};

const WINES: &str = "
    create table public.wines (id bigint primary key, name text, price numeric, note text);
    insert into public.wines select n, 'wine ' || n, n, repeat(md5(n::text), 20) from generate_series(1, 8000) n;
    create table public.keyless (id int, note text);
    insert into public.keyless values (1, 'a'), (1, 'b'), (2, null);
    create table public.tastings (wine bigint, day date, points int, primary key (wine, day)) partition by range (day);
    create table public.tastings_2026 partition of public.tastings for values from ('2026-01-01') to ('2027-01-01');
    create table public.tastings_2027 partition of public.tastings for values from ('2027-01-01') to ('2028-01-01');
    insert into public.tastings values (7, '2026-05-01', 90);
";

/// What happens between backups.
const STEPS: [&str; 4] = [
    "update public.wines set price = 12.5, name = E'tab\\there' where id = 7000; delete from public.keyless where note = 'b'",
    "alter table public.wines add column stock int default 3; update public.tastings set day = '2027-02-01'",
    "update public.wines set note = null where id = 7000",
    "delete from public.wines where id = 7000",
];

/// Five backups, the oldest first.
async fn backups() -> (Taken, Vec<Snapshot>) {
    let source = migrated().await;
    session(&source).await.batch_execute(WINES).await.unwrap();
    let mut taken = Taken::of(source).await;
    let mut snapshots = vec![taken.snapshot.clone()];
    for step in STEPS {
        let client = session(&taken.source).await;
        client.batch_execute(step).await.unwrap();
        taken = taken.again().await;
        snapshots.push(taken.snapshot.clone());
    }
    (taken, snapshots)
}

async fn follow(
    taken: &Taken,
    snapshots: &[Snapshot],
    table: &str,
    key: &[(&str, &str)],
) -> Result<History, HistoryError> {
    let row = RowName {
        table: name("public", table),
        key: key
            .iter()
            .map(|(column, value)| ((*column).to_owned(), (*value).to_owned()))
            .collect(),
    };
    row_history::follow(&taken.store, snapshots, &taken.identities, &row, || {}).await
}

fn changed(history: &History) -> Vec<Change> {
    let before = std::iter::once(None).chain(history.versions.iter().map(Some));
    let versions = history.versions.iter().zip(before);
    versions
        .map(|(version, before)| version.change(before))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_version_of_a_row_is_found_in_the_pieces_that_can_hold_it() {
    let (taken, snapshots) = backups().await;
    let history = follow(&taken, &snapshots, "wines", &[("id", "7000")]);
    let history = history.await.unwrap();
    let changes: Vec<_> = changed(&history)
        .into_iter()
        .map(|change| match change {
            Change::Columns(columns) => columns
                .into_iter()
                .map(|one| format!("{} {:?} {:?}", one.column, one.old, one.new))
                .map(|text| text.chars().take(60).collect::<String>())
                .collect(),
            other => vec![format!("{other:?}")],
        })
        .collect();
    assert_eq!(
        changes,
        [
            vec!["First"],
            vec![
                r#"name Value("wine 7000") Value("tab\there")"#,
                r#"price Value("7000") Value("12.5")"#
            ],
            vec![r#"stock NoColumn Value("3")"#],
            vec![r#"note Value("708be71b9ab6e0a84252760579ade9f1708be71b9ab6e0a8"#],
            vec!["Went"],
        ]
        .map(|lines| lines.into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()),
    );
    let sinces: Vec<_> = history.versions.iter().map(|one| &one.since).collect();
    assert_eq!(sinces, snapshots.iter().collect::<Vec<_>>());
    assert!(history.by_range);
    // One piece of several each time, and the one of a backup that shares it is read once.
    let pieces = taken.pieces(&name("public", "wines")).len();
    assert!(pieces > 2, "{pieces}");
    assert_eq!(history.pieces_read, 5);
    let still = follow(&taken, &snapshots[..2], "wines", &[("id", "1")]);
    let still = still.await.unwrap();
    assert_eq!((still.versions.len(), still.pieces_read), (1, 1));
    assert_eq!(still.versions[0].until, snapshots[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_found_without_its_order_and_in_whatever_partition() {
    let (taken, snapshots) = backups().await;
    let by_name = follow(&taken, &snapshots, "wines", &[("name", "wine 7000")]);
    let by_name = by_name.await.unwrap();
    let states: Vec<_> = by_name
        .versions
        .iter()
        .map(|version| matches!(version.state, State::Row(_)))
        .collect();
    assert_eq!((states, by_name.by_range), (vec![true, false], false));

    let moved = follow(&taken, &snapshots, "tastings", &[("wine", "7")]);
    let Change::Columns(columns) = &changed(&moved.await.unwrap())[1] else {
        panic!("it is one row");
    };
    assert_eq!(columns[0].new, Held::Value("2027-02-01".into()));

    let several = follow(&taken, &snapshots, "keyless", &[("id", "1")]);
    assert_eq!(
        several.await.unwrap_err().to_string(),
        format!(
            "2 rows of \"public\".\"keyless\" have this key in {}: name more of their columns",
            snapshots[0].snapshot
        )
    );
    let went = follow(&taken, &snapshots, "keyless", &[("id", "1"), ("note", "b")]);
    assert_eq!(changed(&went.await.unwrap()), [Change::First, Change::Went]);

    let late = follow(&taken, &snapshots, "wines", &[("id", "7"), ("stock", "3")]);
    let late = late.await.unwrap();
    assert_eq!(late.versions[0].state, State::NoColumn("stock".into()));
    assert_eq!(changed(&late), [Change::First, Change::Shape]);
    let none = follow(&taken, &snapshots, "vines", &[("id", "7")]);
    assert_eq!(none.await.unwrap().versions[0].state, State::NoTable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_cannot_be_read_is_told_and_takes_no_other_along() {
    let (taken, snapshots) = backups().await;
    let manifest = taken.file(&snapshots[1].manifest.path);
    std::fs::write(&manifest, b"torn").unwrap();
    let history = follow(&taken, &snapshots, "wines", &[("id", "7000")]);
    let history = history.await.unwrap();
    assert_eq!((history.backups, history.unread.len()), (4, 1));
    assert_eq!(history.unread[0].0, snapshots[1]);
    assert_eq!(history.versions.len(), 4);
    let listing = catalogue::snapshots(&taken.store).await.unwrap();
    assert_eq!(listing.snapshots.len(), 5);
}
