//! What the server computes is compared after a restore, and what differs is named.

use backup::{format::ComputedKind, restore::Note};
use local_supabase::postgres::TestDatabase;

use crate::{restore::restore, support, taken::Taken};

/// Tables and views, and what changed since they were computed.
async fn backed_up(changes: &str) -> Taken {
    let database = support::migrated().await;
    let client = support::session(&database).await;
    client
        .batch_execute(
            "create function public.slug(v text) returns text language plpgsql immutable
                 as $$ begin return lower(v); end $$;
             create table public.posts (
                 id integer primary key, title text,
                 slug text generated always as (public.slug(title)) stored
             );
             insert into public.posts values (1, 'One'), (2, 'Two');
             create table public.keyless (a integer, b integer generated always as (a * 2) stored);
             insert into public.keyless values (1), (2);
             create materialized view public.titles as select id, title from public.posts;
             create materialized view public.empty as select title from public.posts with no data",
        )
        .await
        .unwrap();
    client.batch_execute(changes).await.unwrap();
    Taken::of(database).await
}

async fn told(backup: &Taken) -> Vec<Note> {
    let target = TestDatabase::empty().await.unwrap();
    let restored = restore(backup, &target).await.unwrap();
    assert_eq!(restored.missing, []);
    let is_equal = restored.is_equal();
    let is_of_values = |note: &Note| matches!(note, Note::Differs(_) | Note::Unproven(_));
    let notes: Vec<_> = restored.notes.into_iter().filter(is_of_values).collect();
    assert_eq!(is_equal, notes.is_empty());
    notes
}

#[tokio::test]
async fn what_is_computed_is_proven() {
    let backup = backed_up("select 1").await;
    let computed = backup.manifest.computed.iter();
    let ours: Vec<_> = computed
        .filter(|computed| computed.relation.schema == "public")
        .map(|computed| {
            let rows = computed.proof.as_ref().map(|(rows, _)| *rows);
            (
                computed.relation.name.as_str(),
                computed.kind,
                computed.columns.len(),
                rows,
            )
        })
        .collect();
    assert_eq!(
        ours,
        [
            ("keyless", ComputedKind::Generated, 2, Some(2)),
            ("posts", ComputedKind::Generated, 2, Some(2)),
            ("titles", ComputedKind::View, 2, Some(2)),
        ]
    );
    assert_eq!(told(&backup).await, []);
}

#[tokio::test]
async fn a_function_that_changed_and_a_stale_view_are_named() {
    let backup = backed_up(
        "create or replace function public.slug(v text) returns text language plpgsql immutable
             as $$ begin return upper(v); end $$;
         insert into public.posts values (3, 'Three')",
    )
    .await;
    let what = [
        "generated columns of \"public\".\"posts\"",
        "materialized view \"public\".\"titles\"",
    ];
    let mut found = told(&backup).await;
    found.sort_by_key(ToString::to_string);
    assert_eq!(found, what.map(|what| Note::Differs(what.to_owned())));
}

#[tokio::test]
async fn rows_are_compared_where_planning_would_fail() {
    let backup = backed_up(
        // The server computes it when it plans. It fails with the path of our sessions, and
        // not with the path that makes the index: the source's, and a later server's own.
        "create function public.mark(v text) returns text language plpgsql immutable as $$
             begin
                 if current_setting('search_path') = '' then
                     raise undefined_function;
                 end if;
                 return v;
             end $$;
         create index on public.posts ((title || public.mark('!')))",
    )
    .await;
    let generated = "generated columns of \"public\".\"posts\"".to_owned();
    assert_eq!(told(&backup).await, [Note::Unproven(generated)]);
}
