//! The server as a process: it starts, stops, survives a hard kill and leaves
//! nothing behind.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use futures_util::future::join_all;

use crate::support::{TemporaryFolder, until};
use local_supabase::postgres::{Cluster, ClusterOptions, TestDatabase};

fn on(data: &Path) -> ClusterOptions {
    ClusterOptions {
        data: Some(data.to_owned()),
        ..ClusterOptions::default()
    }
}

/// How long the shared servers of these tests wait for their next user.
const PATIENCE: Duration = Duration::from_secs(1);

async fn ends_within(time: Duration, port: u16) -> Result<(), tokio::time::error::Elapsed> {
    let ending = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        while accepts(port) {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(time, ending).await
}

fn accepts(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

async fn write(cluster: &Cluster, number: i32) {
    cluster
        .connect_postgres("postgres")
        .await
        .unwrap()
        .batch_execute(&format!(
            "create table if not exists kept (n integer); insert into kept values ({number})"
        ))
        .await
        .unwrap();
}

async fn written(cluster: &Cluster) -> Vec<i32> {
    let rows = cluster
        .connect_postgres("postgres")
        .await
        .unwrap()
        .query("select n from kept order by n", &[])
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// A server in another process.
struct Elsewhere {
    process: Child,
    port: u16,
    folder: PathBuf,
}

impl Elsewhere {
    fn start(data: Option<&Path>) -> Self {
        Self::with_arguments(data)
    }

    fn sharing(place: &Path) -> Self {
        Self::with_arguments([Path::new("--shared"), place])
    }

    fn with_arguments<'a>(arguments: impl IntoIterator<Item = &'a Path>) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_local-cluster"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut value = |name: &str| {
            let line = lines.next().unwrap().unwrap();
            line.strip_prefix(name).unwrap().to_owned()
        };
        let url = url::Url::parse(&value("DATABASE_URL=")).unwrap();
        let authority = PathBuf::from(value("DATABASE_CA="));
        Self {
            process,
            port: url.port().unwrap(),
            folder: authority.parent().unwrap().to_owned(),
        }
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn kill_9(process: &str) {
    let status = Command::new("sh")
        .args(["-c", "kill -9 \"$0\"", process])
        .status()
        .unwrap();
    assert!(status.success());
}

/// The process that started another: as Linux has it, else as `ps` prints it.
fn parent_of(process: &str) -> String {
    if let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) {
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
        return parent.unwrap().trim().to_owned();
    }
    let parent = Command::new("ps")
        .args(["-o", "ppid=", "-p", process])
        .output()
        .unwrap();
    String::from_utf8(parent.stdout).unwrap().trim().to_owned()
}

/// The process number of the server on this data directory.
fn server_process(data: &Path) -> String {
    let lock = fs::read_to_string(data.join("postgres/data/postmaster.pid")).unwrap();
    lock.lines().next().unwrap().to_owned()
}

#[tokio::test]
async fn a_temporary_cluster_leaves_nothing_behind() {
    let cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    let folder = cluster.ca_pem_path().parent().unwrap().to_owned();
    let port = cluster.port();
    assert!(folder.exists());
    drop(cluster);
    assert!(!folder.exists());
    assert!(!accepts(port));
}

#[tokio::test]
async fn data_outlives_a_stop_and_a_restart_on_the_same_port() {
    let folder = TemporaryFolder::new(0o755);
    let cluster = Cluster::start(on(&folder.0)).await.unwrap();
    let port = cluster.port();
    write(&cluster, 1).await;
    cluster.stop().await.unwrap();
    assert!(!accepts(port));
    cluster.restart().await.unwrap();
    assert_eq!(cluster.port(), port);
    write(&cluster, 2).await;
    drop(cluster);
    let cluster = Cluster::start(on(&folder.0)).await.unwrap();
    assert_eq!(written(&cluster).await, [1, 2]);
}

#[tokio::test]
async fn a_stop_cuts_sessions_with_57p01() {
    let cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    let client = cluster.connect_postgres("postgres").await.unwrap();
    let sleeping = client.batch_execute("select pg_sleep(60)");
    let stopping = async {
        let admin = cluster.connect_admin("postgres").await.unwrap();
        let waits = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'";
        while admin.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {}
        cluster.stop().await.unwrap();
    };
    let (cut, ()) = tokio::join!(sleeping, stopping);
    assert_eq!(cut.unwrap_err().code().unwrap().code(), "57P01");
}

#[tokio::test]
async fn a_killed_process_takes_its_server_along() {
    let mut elsewhere = Elsewhere::start(None);
    assert!(accepts(elsewhere.port));
    elsewhere.kill();
    until("the orphaned server ends", || !accepts(elsewhere.port)).await;
    until("its data is removed", || !elsewhere.folder.exists()).await;
}

#[tokio::test]
async fn a_shared_server_ends_after_the_last_of_its_users_however_they_end() {
    let place = TemporaryFolder::new(0o755);
    let mut first = Elsewhere::sharing(&place.0);
    let mut second = Elsewhere::sharing(&place.0);
    assert_eq!((first.port, &first.folder), (second.port, &second.folder));
    first.kill();
    let third = Cluster::shared_at(&place.0, PATIENCE).await.unwrap();
    assert_eq!(third.port(), first.port);
    write(&third, 1).await;
    second.kill();
    // Longer than the server waits for a user, if it had none.
    ends_within(PATIENCE * 3, first.port).await.unwrap_err();
    assert_eq!(written(&third).await, [1]);
    drop(third);
    until("the deserted server ends", || !accepts(first.port)).await;
    until("its data is removed", || !first.folder.exists()).await;
    let mut next = Elsewhere::sharing(&place.0);
    assert_ne!(next.folder, first.folder);
    next.kill();
    until("this one ends too", || !next.folder.exists()).await;
}

#[tokio::test]
async fn those_who_come_at_once_share_one_server() {
    let place = TemporaryFolder::new(0o755);
    let clusters =
        join_all((0..4).map(async |_| Cluster::shared_at(&place.0, PATIENCE).await.unwrap()));
    let clusters = clusters.await;
    let ports: BTreeSet<u16> = clusters.iter().map(Cluster::port).collect();
    assert_eq!(ports.len(), 1);
    let refused = clusters[0].stop().await.unwrap_err();
    assert!(refused.to_string().contains("shared"), "{refused}");
    let folder = clusters[0].ca_pem_path().parent().unwrap().to_owned();
    drop(clusters);
    until("the deserted server ends", || !folder.exists()).await;
}

#[tokio::test]
async fn a_shared_server_that_died_is_followed_by_another() {
    let place = TemporaryFolder::new(0o755);
    let mut first = Elsewhere::sharing(&place.0);
    kill_9(&server_process(&first.folder));
    until("its supervisor ends", || {
        !first.folder.join("postgres/users").exists()
    })
    .await;
    let mut second = Elsewhere::sharing(&place.0);
    assert_ne!(second.folder, first.folder);
    for elsewhere in [&mut first, &mut second] {
        elsewhere.kill();
    }
    until("the second ends", || !second.folder.exists()).await;
    fs::remove_dir_all(&first.folder).unwrap();
}

#[tokio::test]
async fn the_next_start_recovers_from_a_killed_process() {
    let folder = TemporaryFolder::new(0o755);
    let mut elsewhere = Elsewhere::start(Some(&folder.0));
    elsewhere.kill();
    // At once: the old server may still be stopping.
    let cluster = Cluster::start(on(&folder.0)).await.unwrap();
    write(&cluster, 1).await;
    assert_eq!(written(&cluster).await, [1]);
    assert!(cluster.port() == elsewhere.port || !accepts(elsewhere.port));
}

#[tokio::test]
async fn the_next_start_recovers_when_everything_was_killed_at_once() {
    let folder = TemporaryFolder::new(0o755);
    let cluster = Cluster::start(on(&folder.0)).await.unwrap();
    write(&cluster, 1).await;
    kill_9(&server_process(&folder.0));
    drop(cluster);
    let cluster = Cluster::start(on(&folder.0)).await.unwrap();
    assert_eq!(written(&cluster).await, [1]);
}

#[tokio::test]
async fn a_server_whose_supervisor_was_killed_too_is_ended_first() {
    let folder = TemporaryFolder::new(0o755);
    let mut elsewhere = Elsewhere::start(Some(&folder.0));
    let server = server_process(&folder.0);
    kill_9(&parent_of(&server));
    elsewhere.kill();
    assert!(accepts(elsewhere.port));
    let cluster = Cluster::start(on(&folder.0)).await.unwrap();
    assert_ne!(server_process(&folder.0), server);
    write(&cluster, 1).await;
}

#[tokio::test]
async fn a_lock_file_that_names_a_stranger_is_no_obstacle() {
    let folder = TemporaryFolder::new(0o755);
    drop(Cluster::start(on(&folder.0)).await.unwrap());
    let lock = folder.0.join("postgres/data/postmaster.pid");
    fs::write(&lock, format!("{}\n", std::process::id())).unwrap();
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o644)).unwrap();
    Cluster::start(on(&folder.0)).await.unwrap();
}

#[tokio::test]
async fn an_initialisation_cut_short_is_done_anew() {
    let folder = TemporaryFolder::new(0o755);
    drop(Cluster::start(on(&folder.0)).await.unwrap());
    fs::remove_file(folder.0.join("initialised")).unwrap();
    fs::remove_file(folder.0.join("postgres/data/PG_VERSION")).unwrap();
    let cluster = Cluster::start(on(&folder.0)).await.unwrap();
    write(&cluster, 1).await;
}

#[tokio::test]
async fn one_folder_serves_one_process() {
    let folder = TemporaryFolder::new(0o755);
    let cluster = Cluster::start(on(&folder.0)).await.unwrap();
    let error = Cluster::start(on(&folder.0)).await.err().unwrap();
    assert!(error.to_string().contains("another process"), "{error}");
    write(&cluster, 1).await;
}

#[tokio::test]
async fn data_lies_elsewhere_where_the_server_s_user_cannot_reach_the_folder() {
    let folder = TemporaryFolder::new(0o700);
    let data = folder.0.join("deep");
    let cluster = Cluster::start(on(&data)).await.unwrap();
    write(&cluster, 1).await;
    drop(cluster);
    let cluster = Cluster::start(on(&data)).await.unwrap();
    assert_eq!(written(&cluster).await, [1]);
    drop(cluster);
    // Only root runs the server as someone else, who cannot reach the folder.
    if let Ok(elsewhere) = fs::read_to_string(data.join("postgres.path")) {
        let elsewhere = PathBuf::from(elsewhere.trim());
        let mode = fs::metadata(&elsewhere).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        fs::remove_dir_all(elsewhere).unwrap();
    }
}

#[tokio::test]
async fn secrets_are_readable_by_their_owner_alone() {
    let folder = TemporaryFolder::new(0o755);
    let _cluster = Cluster::start(on(&folder.0)).await.unwrap();
    for path in ["passwords.json", "postgres/data/server.key"] {
        let mode = fs::metadata(folder.0.join(path))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
}

#[tokio::test]
async fn tls_is_verified_against_the_cluster_s_own_authority() {
    let cluster = Cluster::shared().await.unwrap();
    let url = cluster.postgres_url("postgres");
    let query = |url: &str| {
        let output = Command::new(cluster.program("psql").unwrap())
            .args([
                "--no-psqlrc",
                "--tuples-only",
                "--no-align",
                url,
                "--command",
            ])
            .arg("select ssl from pg_stat_ssl where pid = pg_backend_pid()")
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let authority = cluster.ca_pem_path().display().to_string();
    let verified = url.replace(
        "sslmode=require",
        &format!("sslmode=verify-full&sslrootcert={authority}"),
    );
    assert_eq!(query(&verified), "t");
    assert_eq!(query(&verified.replace("127.0.0.1", "localhost")), "t");
    assert_eq!(query(&url), "t");
    assert_eq!(query(&url.replace("require", "disable")), "f");
    let other = Cluster::start(ClusterOptions::default()).await.unwrap();
    let stranger = other.ca_pem_path().display().to_string();
    assert_eq!(query(&verified.replace(&authority, &stranger)), "");
}

#[tokio::test]
async fn a_template_is_prepared_once_and_its_clones_are_apart() {
    const MARKS: &str = "create table marks (n integer)";
    async fn prepare(cluster: &Cluster, name: &str) -> anyhow::Result<()> {
        let client = cluster.connect_postgres(name).await?;
        Ok(client.batch_execute(MARKS).await?)
    }
    let (first, second) = tokio::join!(
        TestDatabase::create("marks", MARKS, prepare),
        TestDatabase::create("marks", MARKS, prepare)
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    let cluster = Cluster::shared().await.unwrap();
    let client = cluster.connect_postgres(first.name()).await.unwrap();
    client
        .batch_execute("insert into marks values (1)")
        .await
        .unwrap();
    let other = cluster.connect_postgres(second.name()).await.unwrap();
    let rows = other.query("select n from marks", &[]).await.unwrap();
    assert!(rows.is_empty());
    let name = first.name().to_owned();
    drop(first);
    let admin = cluster.connect_admin("postgres").await.unwrap();
    let mut gone = false;
    while !gone {
        let found = admin
            .query_opt("select 1 from pg_database where datname = $1", &[&name])
            .await
            .unwrap();
        gone = found.is_none();
    }
}
