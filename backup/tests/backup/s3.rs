//! Backups in a bucket, of a real S3 server in this process.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use backup::{
    catalogue,
    collection::{self, End, Report},
    retention::Ladder,
    store::{
        Credentials, Deletion, OpenError, Store, StoreError,
        trial::{self, Trial},
    },
};
use futures_util::future::join_all;
use http::{HeaderValue, Method, Request, Response};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use local_supabase::port::ClosedPort;
use outside::{clock::Deadline, outbound::Outbound};
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use tokio::{net::TcpListener, task::AbortHandle};

use crate::{
    collection::Source,
    scratch::{Folder, Keyring, assert_whole, in_folder, whole_backups},
};

const BUCKET: &str = "backups";

/// What happens to one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It is carried out, and the connection ends before the answer.
    LostAnswer,
    /// It is answered with this status and not carried out.
    Status(u16),
}

/// Counts writes and spoils one of them.
#[derive(Debug, Default)]
struct Interference {
    fault: Option<(Fault, u64)>,
    writes: AtomicU64,
    /// Whether deletions are refused, as they are to a key that may not delete.
    keeps_everything: AtomicBool,
    /// Whether what is there stays as it is, as in a bucket that is locked.
    is_locked: bool,
    /// Whether what is deleted lies behind a mark, as in a bucket that keeps versions.
    keeps_versions: bool,
    hidden: Mutex<BTreeSet<String>>,
}

impl Interference {
    fn is_refused(&self, request: &Request<Incoming>) -> bool {
        let creates = request.headers().contains_key("if-none-match");
        let writes_over = request.method() == Method::PUT && !creates;
        // Many are deleted by one POST.
        let deletes = [Method::DELETE, Method::POST].contains(request.method());
        self.is_locked && (writes_over || deletes)
    }

    /// What a bucket answers that keeps versions; nothing where it is as any other.
    fn of_versions(&self, request: &Request<Incoming>) -> Option<Response<s3s::Body>> {
        let status = |code| Response::builder().status(code);
        let (path, query) = (request.uri().path(), request.uri().query());
        let is_versioned = query.is_some_and(|query| query.contains("versionId="));
        if !self.keeps_versions {
            return None;
        }
        if request.method() == Method::DELETE && !is_versioned {
            self.hidden.lock().unwrap().insert(path.to_owned());
            return status(204).body(s3s::Body::empty()).ok();
        }
        if !self.hidden.lock().unwrap().contains(path) {
            return None;
        }
        let answer = if is_versioned {
            status(200)
                .header("last-modified", "Mon, 30 Nov 2026 12:00:00 GMT")
                .header("content-length", "1")
        } else {
            status(404)
        };
        answer.body(s3s::Body::empty()).ok()
    }

    fn of_next(&self, method: &Method) -> Option<Fault> {
        if method != Method::PUT {
            return None;
        }
        let number = self.writes.fetch_add(1, Ordering::SeqCst);
        let (fault, at) = self.fault?;
        (number == at).then_some(fault)
    }

    async fn answer(
        &self,
        service: &S3Service,
        request: Request<Incoming>,
    ) -> anyhow::Result<Response<s3s::Body>> {
        let is_kept = self.keeps_everything.load(Ordering::SeqCst);
        if is_kept && request.method() == Method::DELETE {
            let refused = Response::builder().status(403).body(s3s::Body::empty());
            return Ok(refused?);
        }
        if self.is_refused(&request) {
            return Ok(Response::builder().status(403).body(s3s::Body::empty())?);
        }
        if let Some(answered) = self.of_versions(&request) {
            return Ok(answered);
        }
        match self.of_next(request.method()) {
            None => {
                let mut answered = answer(service, request).await?;
                if self.keeps_versions {
                    let version = HeaderValue::from_static("v1");
                    answered.headers_mut().insert("x-amz-version-id", version);
                }
                Ok(answered)
            }
            Some(Fault::LostAnswer) => {
                answer(service, request).await?;
                anyhow::bail!("the connection ends here")
            }
            Some(Fault::Status(status)) => Ok(Response::builder()
                .status(status)
                .body(s3s::Body::empty())?),
        }
    }
}

async fn answer(
    service: &S3Service,
    request: Request<Incoming>,
) -> anyhow::Result<Response<s3s::Body>> {
    let answer = service.call(request.map(s3s::Body::from)).await;
    answer.map_err(|error| anyhow::anyhow!("{error:?}"))
}

struct Server {
    folder: Folder,
    address: SocketAddr,
    accepting: AbortHandle,
    interference: Arc<Interference>,
}

impl Server {
    async fn start() -> Self {
        Self::interfering(None).await
    }

    async fn interfering(fault: Option<(Fault, u64)>) -> Self {
        Self::with(Interference {
            fault,
            ..Interference::default()
        })
        .await
    }

    async fn with(interference: Interference) -> Self {
        let folder = Folder::new();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let files = s3s_fs::FileSystem::new(folder.path()).unwrap();
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single("id", "secret"));
        let service = builder.build();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let interference = Arc::new(interference);
        let accepting = tokio::spawn(accept(listener, service, Arc::clone(&interference)));
        Self {
            folder,
            address,
            accepting: accepting.abort_handle(),
            interference,
        }
    }

    fn url(&self, bucket: &str) -> String {
        format!(
            "s3://{bucket}/some/prefix?endpoint=http://{}&region=auto",
            self.address
        )
    }

    fn store(&self) -> Store {
        open(&self.url(BUCKET), "secret").unwrap()
    }
}

async fn accept(listener: TcpListener, service: S3Service, interference: Arc<Interference>) {
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let (service, interference) = (service.clone(), Arc::clone(&interference));
        tokio::spawn(async move {
            let answer = service_fn(|request| interference.answer(&service, request));
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answer);
            // A client that goes is no matter, nor is an answer that was lost.
            drop(connection.await);
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn open(url: &str, secret: &str) -> Result<Store, OpenError> {
    let credentials = Credentials {
        key_id: "id".into(),
        secret: secret.into(),
    };
    Store::open(url, Some(&credentials), &Outbound::default())
}

#[tokio::test]
async fn a_bucket_holds_backups() {
    let server = Server::start().await;
    let (keyring, store) = (Keyring::new(), server.store());
    let first = keyring.back_up(&store, 1, 2).await.unwrap();
    let second = keyring.back_up(&store, 2, 3).await.unwrap();
    assert_eq!(second.totals.new_objects, 1);
    assert_eq!(catalogue::find(&store, "latest").await.unwrap(), second);
    let found = whole_backups(&store, &keyring.identities).await;
    assert_eq!(found, [second, first]);
    assert!(
        server
            .folder
            .path()
            .join(BUCKET)
            .join("some/prefix/v1/repo.json")
            .is_file()
    );
}

/// `create_only good`, a line each.
fn told(trial: &Trial) -> Vec<String> {
    let tried = trial.tried.iter();
    tried
        .map(|tried| format!("{:?} {:?}", tried.what, tried.outcome))
        .collect()
}

const HOLDS: [&str; 4] = [
    "ReadAfterWrite Good",
    "ListAfterWrite Good",
    "Clock Good",
    "CreateOnly Good",
];

#[tokio::test]
async fn what_a_store_does_is_tried_and_nothing_is_left() {
    let server = Server::start().await;
    let folder = Folder::new();
    let url = format!("file://{}", folder.path().display());
    for store in [
        server.store(),
        Store::make(&url, None, &Outbound::default()).unwrap(),
    ] {
        let trial = trial::run(&store).await.unwrap();
        let open = ["OverwriteRefused Open", "DeleteRefused Open"];
        assert_eq!(told(&trial), [&HOLDS[..], &open].concat(), "{trial:?}");
        assert!(trial.is_good() && trial.left.is_none());
        assert_eq!(store.list("").await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_bucket_that_is_locked_keeps_the_trial() {
    let server = Server::with(Interference {
        is_locked: true,
        ..Interference::default()
    })
    .await;
    let trial = trial::run(&server.store()).await.unwrap();
    let kept = ["OverwriteRefused Good", "DeleteRefused Good"];
    assert_eq!(told(&trial), [&HOLDS[..], &kept].concat(), "{trial:?}");
    assert!(trial.is_good());
    let left = trial.left.unwrap();
    assert!(server.store().get(&left).await.is_ok(), "{left}");
}

#[tokio::test]
async fn a_bucket_that_keeps_versions_hides_what_is_deleted() {
    for (keeps_versions, found) in [(true, Deletion::Hidden), (false, Deletion::Gone)] {
        let server = Server::with(Interference {
            keeps_versions,
            ..Interference::default()
        })
        .await;
        let store = server.store();
        store.put_new("v1/x", "one".into()).await.unwrap();
        assert_eq!(store.try_deletion("v1/x").await.unwrap(), found);
        assert_eq!(store.get_if_there("v1/x").await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_store_that_does_not_know_how_to_create_only_is_refused_in_words() {
    let server = Server::interfering(Some((Fault::Status(501), 0))).await;
    let refused = trial::run(&server.store()).await.unwrap_err();
    assert!(matches!(refused, StoreError::CannotCreate), "{refused}");
}

#[tokio::test]
async fn a_bucket_creates_an_object_once() {
    let server = Server::start().await;
    let store = server.store();
    store.put_new("v1/x", "one".into()).await.unwrap();
    assert_eq!(
        store.requests().get,
        0,
        "the checksum makes reading back needless"
    );
    store.put_new("v1/x", "one".into()).await.unwrap();
    let taken = store.put_new("v1/x", "two".into()).await.unwrap_err();
    assert!(matches!(taken, StoreError::Taken { .. }), "{taken}");
    store
        .prove_create_only("v1/x", &"one".into())
        .await
        .unwrap();
    assert_eq!(store.get("v1/x").await.unwrap(), "one");
    store.put_over("v1/x", "two".into()).await.unwrap();
    assert_eq!(store.get("v1/x").await.unwrap(), "two");
    assert_eq!(store.get_if_there("v1/y").await.unwrap(), None);
    assert_eq!(store.len_if_there("v1/x").await.unwrap(), Some(3));
}

#[tokio::test]
async fn a_bucket_lets_go_what_no_backup_needs() {
    let server = Server::start().await;
    let root = server.folder.path().join(BUCKET).join("some/prefix");
    let_go(&server.store(), &root).await;
}

#[tokio::test]
async fn a_folder_lets_go_what_no_backup_needs() {
    let (_folder, root, store) = in_folder();
    let_go(&store, &root).await;
}

#[tokio::test]
async fn a_key_that_may_not_delete_is_told_and_makes_backups_as_before() {
    let server = Server::start().await;
    let store = server.store();
    let mut source = Source::of(2);
    let now = outside::clock::now();
    five(&mut source, &store, now).await;
    server
        .interference
        .keeps_everything
        .store(true, Ordering::SeqCst);
    let report = collect(&store, now).await;
    assert!(
        matches!(&report.end, End::Refused(why) if why.contains("permission is denied")),
        "{report:?}"
    );
    let snapshot = source.back_up(&store, now).await.unwrap();
    assert_whole(&store, &snapshot, &source.keyring.identities).await;
    assert_eq!(
        catalogue::snapshots(&store).await.unwrap().snapshots.len(),
        6
    );
    server
        .interference
        .keeps_everything
        .store(false, Ordering::SeqCst);
    assert_eq!(collect(&store, now).await.end, End::Done);
}

/// Five backups in five minutes, each of another content.
async fn five(source: &mut Source, store: &Store, now: Timestamp) {
    for minutes in (1..=5).rev() {
        source.versions[0] += 1;
        let taken_at = now - SignedDuration::from_mins(minutes);
        source.back_up(store, taken_at).await.unwrap();
    }
}

async fn collect(store: &Store, now: Timestamp) -> Report {
    static FENCES: AtomicU64 = AtomicU64::new(1_000_000);
    let fence = FENCES.fetch_add(1, Ordering::SeqCst);
    let mut terms = crate::collection::terms();
    terms.is_forced = true;
    // Whatever the time of day: the newest three are kept.
    terms.ladder = Ladder {
        hourly: 1,
        daily: 0,
        weekly: 0,
        monthly: 0,
        yearly: 0,
    };
    let soon = Deadline::after(Duration::from_secs(60));
    collection::collect(store, &terms, now, fence, soon, async || true)
        .await
        .unwrap()
}

/// Makes all files of a folder older.
fn age(folder: &Path, hours: u64) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            age(&path, hours);
        } else {
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            let before = file.metadata().unwrap().modified().unwrap();
            file.set_modified(before - Duration::from_secs(3600 * hours))
                .unwrap();
        }
    }
}

/// The whole way of a backup from its place to nowhere, in a real store whose files are made older.
async fn let_go(store: &Store, root: &Path) {
    let mut source = Source::of(2);
    let now = outside::clock::now();
    five(&mut source, store, now).await;
    let first = collect(store, now).await;
    assert_eq!(
        (&first.end, first.trashed.len()),
        (&End::Done, 2),
        "{first:?}"
    );
    assert_eq!(
        catalogue::snapshots(store).await.unwrap().snapshots.len(),
        3
    );
    age(&root.join("v1"), 24 * 8);
    let second = collect(store, now).await;
    assert_eq!(second.forgotten, first.trashed);
    assert!(second.doomed.objects >= 6, "{second:?}");
    assert_eq!(second.deleted.objects, 0);
    age(&root.join("v1/gc"), 25);
    let before = store.list("v1").await.unwrap().len();
    let third = collect(store, now).await;
    assert_eq!(third.deleted, second.doomed);
    assert_eq!(
        store.list("v1").await.unwrap().len() as u64,
        before as u64 - third.deleted.objects
    );
    let fourth = collect(store, now).await;
    assert_eq!(
        (fourth.deleted.objects, fourth.unneeded.objects),
        (0, 0),
        "{fourth:?}"
    );
    assert_eq!(store.list("v1/gc/tombstones").await.unwrap(), []);
    assert_eq!(
        whole_backups(store, &source.keyring.identities).await.len(),
        3
    );
    source.versions[0] = 1;
    let again = source.back_up(store, now).await.unwrap();
    assert_whole(store, &again, &source.keyring.identities).await;
}

#[tokio::test]
async fn what_an_unfinished_run_stored_in_a_bucket_is_found() {
    let server = Server::start().await;
    let (keyring, store) = (Keyring::new(), server.store());
    keyring.back_up(&store, 1, 1).await.unwrap();
    let killed = keyring.begin(&store, 2).await.unwrap();
    crate::scratch::put_tables(&killed, 4).await.unwrap();
    killed.keep_progress().await.unwrap();
    drop(killed);
    let snapshot = keyring.back_up(&store, 3, 4).await.unwrap();
    assert_eq!(snapshot.totals.new_objects, 0);
    assert_whole(&store, &snapshot, &keyring.identities).await;
}

/// Backs up through a server that spoils one write, and once more. Returns
/// whether the first backup got as far as that write.
async fn survive(fault: Fault, at: u64) -> bool {
    let server = Server::interfering(Some((fault, at))).await;
    let (keyring, store) = (Keyring::new(), server.store());
    let outcome = keyring.back_up(&store, 1, 2).await;
    // Each of these is settled by reading, or by asking again.
    let first = outcome.unwrap_or_else(|error| panic!("{fault:?} at {at}: {error:#}"));
    let got_there = server.interference.writes.load(Ordering::SeqCst) > at;
    let second = keyring.back_up(&store, 2, 3).await.unwrap();
    assert_eq!(second.totals.new_objects, 1, "{fault:?} at {at}");
    let found = whole_backups(&store, &keyring.identities).await;
    assert_eq!(found, [second, first]);
    got_there
}

#[tokio::test]
async fn every_write_may_be_answered_late_or_wrongly() {
    for fault in [
        Fault::LostAnswer,
        Fault::Status(400),
        Fault::Status(409),
        Fault::Status(412),
        Fault::Status(429),
        Fault::Status(500),
        Fault::Status(503),
    ] {
        let survived = join_all((0..16).map(|at| survive(fault, at))).await;
        assert!(survived[0] && !survived[15], "{fault:?}: {survived:?}");
    }
}

#[tokio::test]
async fn wrong_credentials_are_refused_at_once_and_not_repeated() {
    let server = Server::start().await;
    let store = open(&server.url(BUCKET), "another").unwrap();
    let error = store.put_new("v1/x", "x".into()).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    assert_eq!(store.requests().put, 1);
    let said = format!("{error} {error:?} {store:?}");
    assert!(
        !said.contains("another") && !said.contains("127.0.0.1"),
        "{said}"
    );
}

#[tokio::test]
async fn a_server_without_create_only_writes_is_told_so_and_not_asked_again() {
    let server = Server::interfering(Some((Fault::Status(501), 0))).await;
    let store = server.store();
    let error = store.put_new("v1/x", "x".into()).await.unwrap_err();
    assert_eq!(error, StoreError::CannotCreate);
    assert!(error.to_string().contains("create-only writes"), "{error}");
    assert_eq!(store.requests().put, 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_given_up() {
    let closed = ClosedPort::hold().unwrap();
    let url = format!("s3://x?endpoint=http://{}", closed.address());
    let store = open(&url, "secret").unwrap();
    let error = store.get("v1/x").await.unwrap_err();
    let StoreError::Failing { reason, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(reason, "cannot connect");
}

#[test]
fn only_urls_of_buckets_are_opened() {
    let check = |url: &str, expected: &str| {
        let error = open(url, "secret").unwrap_err();
        assert_eq!(error.to_string(), expected, "{url}");
    };
    check("s3://", "the store's URL names no bucket");
    check(
        "s3://bucket/x",
        "the store's URL names neither an endpoint nor a region",
    );
    check(
        "s3://id:key@bucket?region=a",
        "the store's URL names a bucket and has a user or a port; keys and endpoint have places of their own",
    );
    check(
        "s3://bucket?region=a&acl=public",
        "the store's URL has an option other than endpoint and region",
    );
    check(
        "s3://bucket?endpoint=r2",
        "the endpoint in the store's URL: not a URL",
    );
    check(
        "s3://bucket?endpoint=http://example.com",
        "the endpoint in the store's URL: plain http is accepted for loopback hosts only",
    );
    check(
        "s3://bucket?endpoint=https://id:key@example.com",
        "the endpoint in the store's URL: more than a host and a path",
    );
    check(
        "s3://bucket?endpoint=ftp://example.com",
        "the endpoint in the store's URL: neither https nor http",
    );
    for good in [
        "s3://bucket?region=eu-central-1",
        "s3://bucket/prefix?endpoint=https://id.r2.cloudflarestorage.com",
        "s3://bucket?endpoint=http://localhost:9000&region=local",
    ] {
        open(good, "secret").unwrap();
    }
}
