//! A restore for people who may not see whose the rows are.

use backup::{
    masking::{self, MaskError, MaskFile, MaskKind, Masking},
    restore::{self, Cause, Note, Request, RestoreError, Restored},
    selection::Selection,
};
use local_supabase::postgres::TestDatabase;
use tokio_postgres::Client;

use crate::{
    support::{direct, migrated, session},
    taken::Taken,
};

const PEOPLE: &str = r"
    create table public.profiles (
        id uuid primary key default gen_random_uuid(), email text not null unique, full_name text,
        phone varchar(20), born date, joined timestamptz, bio text, settings jsonb,
        shout text generated always as (upper(full_name)) stored
    );
    create table public.mentions (
        id bigint primary key, who text references public.profiles (email), wine text, seen_at timestamptz
    );
    insert into public.profiles (id, email, full_name, phone, born, joined, bio, settings)
    select lpad(n::text, 32, '0')::uuid, 'ada' || n || '@pourtrait.test', 'Lovelace' || n, '+4930' || 5550000 + n,
        date '1985-01-01' + n, timestamptz '2026-01-01 12:00:00.25+00' + n * interval '1 day',
        E'Likes\t' || n || E' wines\\, asks ada@pourtrait.test', jsonb_build_object('mail', 'ada@pourtrait.test')
    from generate_series(1, 3000) n;
    insert into public.profiles (email) values ('');
    insert into public.mentions select n, 'ada' || n % 3000 + 1 || '@pourtrait.test', 'Riesling', now() from generate_series(1, 5000) n;
    insert into auth.users (id, email, encrypted_password)
        values ('00000000-0000-0000-0000-000000000001', 'ada1@pourtrait.test', 'hashed-once');
";

/// What must not be found in the target any more.
const TRACES: [&str; 5] = [
    "pourtrait.test",
    "Lovelace",
    "LOVELACE",
    "+49305",
    "hashed-once",
];

async fn people() -> Taken {
    let source = migrated().await;
    session(&source).await.batch_execute(PEOPLE).await.unwrap();
    Taken::of(source).await
}

async fn restore_masked(
    backup: &Taken,
    target: &TestDatabase,
    file: &MaskFile,
    unnamed: bool,
) -> Result<Restored, RestoreError> {
    let (into, ca) = direct(target).await;
    let everything = Selection::default();
    let request = Request {
        store: &backup.store,
        snapshot: &backup.snapshot,
        identities: &backup.identities,
        into: &into,
        ca: Some(&ca),
        selection: &everything,
        jobs: 2,
        strict: false,
        masking: Some(Masking { file, unnamed }),
    };
    restore::restore(request, &|_| {}).await
}

async fn proposed(backup: &Taken) -> MaskFile {
    let (store, snapshot) = (&backup.store, &backup.snapshot);
    let template = masking::template(store, snapshot, &backup.identities).await;
    MaskFile::parse(&template.unwrap()).unwrap()
}

async fn text(session: &Client, query: &str) -> String {
    session.query_one(query, &[]).await.unwrap().get(0)
}

/// Everything that a database holds of the app and of accounts, as text.
async fn everything(session: &Client) -> String {
    let mut all = String::new();
    for table in ["public.profiles", "public.mentions", "auth.users"] {
        all += &text(
            session,
            &format!("select string_agg(t::text, ' ') from {table} t"),
        )
        .await;
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_personal_reaches_the_target_and_rows_stay_joined() {
    let backup = people().await;
    let source = session(&backup.source).await;
    let held = everything(&source).await;
    assert!(
        TRACES.iter().all(|trace| held.contains(trace)),
        "the source has them"
    );
    let mut file = proposed(&backup).await;
    let target = TestDatabase::empty().await.unwrap();
    let restored = restore_masked(&backup, &target, &file, false)
        .await
        .unwrap();
    assert!(restored.missing.is_empty(), "{:?}", restored.missing);
    let masked = restored
        .notes
        .iter()
        .find(|note| matches!(note, Note::Masked { .. }));
    let told = masked.unwrap().to_string();
    assert!(told.contains("hashed as it was sent, but for"), "{told}");

    let target = session(&target).await;
    let held = everything(&target).await;
    for trace in TRACES {
        assert!(!held.contains(trace), "{trace}");
    }
    for (query, expected) in [
        (
            "select count(*)::text from public.mentions m join public.profiles p on p.email = m.who",
            "5000",
        ),
        (
            "select count(distinct email)::text from public.profiles",
            "3001",
        ),
        (
            "select count(*)::text from public.profiles where email = ''",
            "1",
        ),
        (
            "select count(distinct phone)::text from public.profiles",
            "3000",
        ),
        (
            "select count(*)::text from public.profiles where full_name is null",
            "1",
        ),
        ("select min(wine) from public.mentions", "Riesling"),
        (
            "select u.email from auth.users u join public.profiles p using (id) where p.email = u.email",
            &text(&target, "select email from auth.users").await,
        ),
        (
            "select count(*)::text from public.profiles where shout = upper(full_name)",
            "3000",
        ),
    ] {
        assert_eq!(text(&target, query).await, expected, "{query}");
    }
    let days = "select string_agg(born::text, ' ' order by id) from public.profiles";
    assert_ne!(text(&target, days).await, text(&source, days).await);

    // The same once more is the same: what was joined across restores is joined still.
    let again = TestDatabase::empty().await.unwrap();
    file.columns
        .retain(|column, _| column.table.schema != "ops");
    restore_masked(&backup, &again, &file, true).await.unwrap();
    let emails = "select string_agg(email, ' ' order by id) from public.profiles";
    let again = session(&again).await;
    assert_eq!(text(&again, emails).await, text(&target, emails).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_decided_and_what_would_part_rows_is_refused_before_anything_is_done() {
    let backup = people().await;
    let target = TestDatabase::empty().await.unwrap();
    let refused = async |file: &MaskFile| match restore_masked(&backup, &target, file, false).await
    {
        Err(RestoreError::Untouched(Cause::Mask(error))) => error,
        other => panic!("{other:?}"),
    };
    let MaskError::Unnamed(unnamed) = refused(&MaskFile::default()).await else {
        panic!("nothing is named")
    };
    let names: Vec<_> = unnamed
        .iter()
        .map(|found| found.column.to_string())
        .collect();
    for name in [
        "auth.users.email",
        "auth.users.encrypted_password",
        "public.profiles.email",
        "public.profiles.full_name",
        "public.profiles.phone",
        "public.profiles.born",
        "public.profiles.bio",
        "public.profiles.settings",
        "public.mentions.who",
    ] {
        assert!(names.iter().any(|found| found == name), "{name}: {names:?}");
    }
    assert!(
        !names.iter().any(|name| name == "public.mentions.wine"),
        "{names:?}"
    );

    let proposed = proposed(&backup).await;
    let with = |name: &str, kind: MaskKind| {
        let mut file = proposed.clone();
        let line = format!("{name} = \"keep\"");
        let column = MaskFile::parse(&line).unwrap().columns.into_keys().next();
        file.columns.insert(column.unwrap(), kind);
        file
    };
    for (name, kind, why) in [
        (
            "public.mentions.who",
            MaskKind::Hash,
            "foreign key public.mentions mentions_who_fkey: both sides must have the same mask",
        ),
        (
            "public.profiles.emial",
            MaskKind::Email,
            "the backup has no column public.profiles.emial",
        ),
        (
            "public.profiles.shout",
            MaskKind::Null,
            "or its values are computed",
        ),
        (
            "public.profiel.email",
            MaskKind::Email,
            "the backup has no table public.profiel",
        ),
        (
            "public.mentions.id",
            MaskKind::Hash,
            "hash masks text and uuid, not bigint",
        ),
    ] {
        let error = refused(&with(name, kind)).await.to_string();
        assert!(error.contains(why), "{error}");
    }
    let both = {
        let mut file = with("public.mentions.who", MaskKind::Text);
        file.columns.extend(
            with("public.profiles.email", MaskKind::Text)
                .columns
                .into_iter()
                .filter(|(column, _)| column.column == "email" && column.table.name == "profiles"),
        );
        file
    };
    let error = refused(&both).await.to_string();
    assert!(
        error.contains("one of keep, hash, email and phone"),
        "{error}"
    );
    let kept = session(&target).await;
    let tables = "select count(*)::text from pg_tables where schemaname = 'public'";
    assert_eq!(text(&kept, tables).await, "0");
}
