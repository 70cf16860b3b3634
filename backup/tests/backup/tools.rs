//! The same with stock tools alone: `sh`, `awk`, `age`, `zstd` and `psql`.

use std::{
    fmt::Write as _,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use backup::{export::Conduct, format::object_path, seal, selection::Selection};
use local_supabase::{
    machine::{self, Tool},
    postgres::{Cluster, TestDatabase},
};
use sha2::{Digest, Sha256};

use crate::{
    handmade::{self, name},
    restore::assert_equal,
    scratch::Folder,
    support::{session, until},
};

/// The script that lies in every bucket.
pub(crate) fn restore_sh(bucket: &Path, identity: &Path) -> Output {
    restore_sh_with(&[], bucket, identity)
}

pub(crate) fn restore_sh_with(options: &[&str], bucket: &Path, identity: &Path) -> Output {
    machine::bring(&[Tool::Age, Tool::Zstd]).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tools/restore.sh");
    Command::new("sh")
        .arg(script)
        .args(options)
        .args([bucket, identity])
        .output()
        .unwrap()
}

/// A script through `psql -1`, as the documentation has it.
pub(crate) async fn psql(database: &TestDatabase, script: &[u8], arguments: &[&str]) -> Output {
    let folder = Folder::new();
    psql_in(folder.path(), database, script, arguments).await
}

/// The same where it may write what is missing.
pub(crate) async fn psql_in(
    folder: &Path,
    database: &TestDatabase,
    script: &[u8],
    arguments: &[&str],
) -> Output {
    let cluster = Cluster::shared().await.unwrap();
    let url = cluster.postgres_url(database.name());
    psql_at(folder, &url, script, arguments).await
}

/// The same as whoever a database's URL names.
pub(crate) async fn psql_at(folder: &Path, url: &str, script: &[u8], arguments: &[&str]) -> Output {
    let cluster = Cluster::shared().await.unwrap();
    let mut psql = Command::new(cluster.program("psql").unwrap())
        .current_dir(folder)
        .arg("-X")
        .args(arguments)
        .arg(url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = psql.stdin.take().unwrap();
    let script = script.to_owned();
    // Whoever stops reading has said why, or is about to.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&script);
    });
    let output = psql.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

pub(crate) fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// How many relations a fresh project's own schemas and ours have.
async fn relations(database: &TestDatabase) -> i64 {
    let session = session(database).await;
    let row = session
        .query_one(
            "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace \
             where n.nspname in ('public', 'side')",
            &[],
        )
        .await
        .unwrap();
    row.get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_tools_restore_what_is_equal_to_its_source() {
    let backup = handmade::backup().await;
    let script = restore_sh(&backup.bucket(), &backup.identity);
    assert!(script.status.success(), "{}", text_of(&script.stderr));
    for arguments in [&["-1"][..], &[]] {
        let target = TestDatabase::empty().await.unwrap();
        let restored = psql(&target, &script.stdout, arguments).await;
        assert!(restored.status.success(), "{}", text_of(&restored.stderr));
        let word = format!(
            "restored, and equal to the backup {}\n",
            backup.snapshot.snapshot
        );
        assert_eq!(text_of(&restored.stdout), word);
        assert!(text_of(&restored.stderr).contains("not made: policy storage.objects mine"));
        assert_equal(&backup, &target).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_export_is_what_stock_tools_write() {
    let backup = handmade::backup().await;
    let script = restore_sh(&backup.bucket(), &backup.identity);
    let exported = backup.script(&Selection::default(), Conduct::Lenient).await;
    let (ours, stock) = (text_of(&exported), text_of(&script.stdout));
    let differing = ours
        .lines()
        .zip(stock.lines())
        .find(|(ours, stock)| ours != stock);
    assert_eq!(differing, None);
    assert_eq!(ours.len(), stock.len());
}

/// Cut after a line or shortly before the end of the next: psql commits what came only if
/// all of it did, and says that it failed.
#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_is_cut_off_changes_nothing() {
    let backup = handmade::backup().await;
    let script = restore_sh(&backup.bucket(), &backup.identity).stdout;
    let target = TestDatabase::empty().await.unwrap();
    let whole = find(&script, b"insert into restore_end");
    let guarded = find(&script, b"\\if true") + 8;
    // The same in every script.
    let conduct = find(&script, b"-- What a restore by psql")
        ..find(&script, b"insert into pg_temp.restore_conduct");
    let ends = (0..whole).filter(|&at| script[at] == b'\n');
    let (of_conduct, ends): (Vec<usize>, Vec<usize>) = ends.partition(|end| conduct.contains(end));
    let is_row = |end: &usize| {
        let start = script[..*end].iter().rposition(|&byte| byte == b'\n');
        script[start.map_or(0, |at| at + 1)..*end].contains(&b'\t')
    };
    // All statements, and some of the many rows.
    let (rows, statements): (Vec<usize>, Vec<usize>) = ends.into_iter().partition(is_row);
    let cuts = statements.iter().chain(rows.iter().step_by(rows.len() / 5));
    let cuts = cuts.chain(of_conduct.iter().step_by(20));
    for (number, &end) in cuts.enumerate() {
        let cut = if number % 2 == 0 { end + 1 } else { end - 1 };
        let output = psql(&target, &script[..cut], &["-1"]).await;
        let (failed, told) = (!output.status.success(), text_of(&output.stderr));
        let told = format!(
            "cut at {cut}: {told}\n{}",
            text_of(&script[cut.saturating_sub(300)..cut])
        );
        assert!(failed || cut < guarded, "{told}");
        assert_eq!(text_of(&output.stdout), "", "cut at {cut}");
        assert_eq!(relations(&target).await, 0, "cut at {cut}");
    }
}

/// Anywhere, without a line's end in sight, and with psql gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_is_cut_anywhere_changes_nothing() {
    let backup = handmade::backup().await;
    let script = restore_sh(&backup.bucket(), &backup.identity).stdout;
    let target = TestDatabase::empty().await.unwrap();
    let whole = find(&script, b"insert into restore_end");
    for part in 1..40 {
        let cut = whole * part / 40;
        for arguments in [&["-1"][..], &[]] {
            let output = psql(&target, &script[..cut], arguments).await;
            let told = format!("cut at {cut}: {}", text_of(&output.stderr));
            assert!(!output.status.success() || arguments.is_empty(), "{told}");
            assert_eq!(text_of(&output.stdout), "", "{told}");
            assert_eq!(relations(&target).await, 0, "{told}");
        }
    }
    let cluster = Cluster::shared().await.unwrap();
    let mut killed = Command::new(cluster.program("psql").unwrap())
        .args(["-X", "-1"])
        .arg(cluster.postgres_url(target.name()))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = killed.stdin.take().unwrap();
    stdin.write_all(&script[..whole]).unwrap();
    let rows = "select exists (select from pg_stat_activity \
        where datname = current_database() and query like 'select pg_temp.compare%')";
    until(&session(&target).await, rows).await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    let gone = "select not exists (select from pg_stat_activity \
        where datname = current_database() and application_name = 'psql')";
    until(&session(&target).await, gone).await;
    assert_eq!(relations(&target).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_tools_refuse_what_is_damaged_before_they_write_a_line() {
    let backup = handmade::backup().await;
    let notes = backup.pieces(&name("public", "notes"));
    let people = backup.pieces(&name("public", "people"));
    let damage: [(&str, &dyn Fn()); 4] = [
        ("truncated", &|| {
            let bytes = std::fs::read(&notes[0]).unwrap();
            std::fs::write(&notes[0], &bytes[..bytes.len() - 1]).unwrap();
        }),
        ("swapped", &|| {
            std::fs::copy(&notes[1], &people[0]).unwrap();
        }),
        ("missing", &|| std::fs::remove_file(&notes[2]).unwrap()),
        ("another manifest", &|| {
            std::fs::copy(&notes[1], backup.file(&backup.snapshot.manifest.path)).unwrap();
        }),
    ];
    for (what, damage) in damage {
        let kept = Folder::new();
        copy(&backup.bucket(), kept.path());
        damage();
        let output = restore_sh(&backup.bucket(), &backup.identity);
        assert!(!output.status.success(), "{what}");
        assert_eq!(text_of(&output.stdout), "", "{what}");
        copy(kept.path(), &backup.bucket());
    }
    let whole = restore_sh(&backup.bucket(), &backup.identity);
    assert!(whole.status.success(), "{}", text_of(&whole.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_tools_refuse_a_wrong_key_and_a_backup_that_is_not_there() {
    let (backup, other) = (handmade::backup().await, handmade::backup().await);
    let output = restore_sh(&backup.bucket(), &other.identity);
    assert!(!output.status.success());
    assert_eq!(text_of(&output.stdout), "");
    assert!(text_of(&output.stderr).contains("cannot decrypt"));
    for bucket in [other.folder.path().to_owned(), backup.bucket().join("v1")] {
        let output = restore_sh(&bucket, &backup.identity);
        assert!(!output.status.success());
        assert!(text_of(&output.stderr).contains("no copy of a backup's bucket"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_tools_refuse_another_version_and_a_list_that_was_cut() {
    let backup = handmade::backup().await;
    let record = backup.file(&object_path::record(&backup.snapshot.snapshot));
    let written = std::fs::read_to_string(&record).unwrap();
    let inventory = &backup.snapshot.inventory;
    let text = decompressed(&backup.file(&inventory.path));
    for (record_text, inventory_text, told) in [
        (
            written.replace("\"format\": 2", "\"format\": 3"),
            text.clone(),
            "of another version",
        ),
        (
            written.clone(),
            text.replacen("\t2\n", "\t3\n", 1),
            "the inventory is cut off, or",
        ),
        (
            written.clone(),
            text.replacen("object", "", 1),
            "the inventory is damaged",
        ),
        (written.clone(), cut(&text), "the inventory is cut off, or"),
    ] {
        let compressed = seal::compress(inventory_text.as_bytes()).unwrap();
        std::fs::write(backup.file(&inventory.path), &compressed).unwrap();
        let vouched = told != "the inventory is damaged";
        let sum = if vouched {
            sha256(&compressed)
        } else {
            inventory.sha256.clone()
        };
        std::fs::write(&record, record_text.replace(&inventory.sha256, &sum)).unwrap();
        let output = restore_sh(&backup.bucket(), &backup.identity);
        assert!(!output.status.success(), "{told}");
        assert_eq!(text_of(&output.stdout), "", "{told}");
        assert!(
            text_of(&output.stderr).contains(told),
            "{}",
            text_of(&output.stderr)
        );
    }
}

/// Without its last object.
fn cut(inventory: &str) -> String {
    let mut lines: Vec<_> = inventory.lines().collect();
    lines.remove(lines.len() - 2);
    lines.join("\n") + "\n"
}

fn decompressed(file: &Path) -> String {
    let bytes = std::fs::read(file).unwrap();
    String::from_utf8(seal::decompress(&bytes, 1 << 20).unwrap()).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// The inventory vouches for what lies in the store; that the manifest means
/// just that is seen when it is opened.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_halfway_makes_psql_fail_and_changes_nothing() {
    let backup = handmade::backup_with(
        |_| {},
        |manifest| {
            let notes = &mut manifest.tables[2].pieces;
            let sum = notes[1].raw_sha256.clone();
            notes[3].raw_sha256 = sum;
        },
    )
    .await;
    let script = restore_sh(&backup.bucket(), &backup.identity);
    assert!(!script.status.success());
    assert!(script.stdout.len() > 1000, "it fails halfway");
    let target = TestDatabase::empty().await.unwrap();
    for arguments in [&["-1"][..], &[]] {
        let output = psql(&target, &script.stdout, arguments).await;
        assert!(!output.status.success());
        assert_eq!(relations(&target).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_refuses_a_target_that_is_not_empty_and_rows_that_differ() {
    let backup = handmade::backup().await;
    let script = restore_sh(&backup.bucket(), &backup.identity).stdout;
    for (filled, text_found) in [
        ("create table public.there ()", "it has public.there"),
        (
            "insert into auth.users (id) values (gen_random_uuid())",
            "it has rows in \"auth\".\"users\"",
        ),
    ] {
        let target = TestDatabase::empty().await.unwrap();
        session(&target).await.batch_execute(filled).await.unwrap();
        let output = psql(&target, &script, &["-1"]).await;
        assert!(!output.status.success());
        assert!(
            text_of(&output.stderr).contains(text_found),
            "{}",
            text_of(&output.stderr)
        );
    }
    let differing =
        handmade::backup_with(|_| {}, |manifest| manifest.tables[1].checksum.first += "1").await;
    let script = restore_sh(&differing.bucket(), &differing.identity).stdout;
    let target = TestDatabase::empty().await.unwrap();
    let output = psql(&target, &script, &["-1"]).await;
    assert!(!output.status.success());
    assert!(text_of(&output.stderr).contains("is not equal to the backup"));
    assert_eq!(relations(&target).await, 0);
}

fn find(text: &[u8], part: &[u8]) -> usize {
    text.windows(part.len())
        .position(|window| window == part)
        .unwrap()
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp")
        .arg("-a")
        .arg(from.join("."))
        .arg(to)
        .status();
    assert!(copied.unwrap().success());
}
