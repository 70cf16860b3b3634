//! `verify` against the whole bundle: it passes, and finds each fault that is seeded, one at a
//! time.
//!
//! - `front`: what stands before the bundle, encrypts, and breaks one thing
//! - `faults`: the faults, each with the looks that have to find it
//! - `gate`: the deployment check of the platform

mod faults;
mod front;
mod gate;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use dev::{DevOptions, Running};
use http::StatusCode;
use local_supabase::{
    platforms::{
        stand_in::StandIn,
        vercel::{self, State, deployments::Deployment},
    },
    postgres::{Cluster, TestDatabase},
    server::Server,
};
use ops::{
    config::Config,
    verification::{
        self,
        report::{Outcome, Report},
        subject::{Group, Project, Subject},
        transport::transport,
    },
};
use outside::{
    clock::{self, Deadline},
    outbound::Outbound,
};
use serde_json::{Value, json};

use crate::support::{Folder, bundle, call_with};
use faults::{Fault, Seed};
use front::{Certificate, Front};

/// A bundle in order, and what it stands on.
struct World {
    running: Running,
    _database: TestDatabase,
    front: Front,
    vercel: StandIn<State>,
    supabase: Server,
    backups: Arc<std::sync::Mutex<Value>>,
    build: Folder,
    env: BTreeMap<String, String>,
}

impl World {
    async fn in_order() -> Self {
        let (running, database) = bundle(DevOptions::default()).await;
        for path in [
            "/api/cron/backup",
            "/api/cron/monitor",
            "/api/alerts/dispatch",
            "/api/cron/maintenance",
        ] {
            run_job(&running, path).await;
        }
        note_drill(&database).await;
        let front = Front::before(running.base_url.clone()).await;
        let vercel = vercel::start(None, "token-of-vercel").await.unwrap();
        let backups = Arc::new(std::sync::Mutex::new(good_backups()));
        let supabase = Server::bind(None, {
            let backups = Arc::clone(&backups);
            move |_| {
                let document = backups.lock().unwrap().clone();
                async move { json_answer(&document) }
            }
        })
        .await
        .unwrap();
        let mut env = running.env.clone();
        for (name, value) in [
            ("VERCEL_TOKEN", vercel.token().to_owned()),
            ("VERCEL_PROJECT_ID", "prj_ops".to_owned()),
            ("VERCEL_API_URL", vercel.url()),
            ("SUPABASE_ACCESS_TOKEN", "sbp_of_supabase".to_owned()),
            ("SUPABASE_PROJECT_REF", "ref".to_owned()),
            ("SUPABASE_API_URL", supabase.url()),
        ] {
            env.insert(name.to_owned(), value);
        }
        let build = Folder::empty();
        let function = build.path().join("functions/api/health.func");
        std::fs::create_dir_all(&function).unwrap();
        std::fs::write(function.join("executable"), "").unwrap();
        Self {
            running,
            _database: database,
            front,
            vercel,
            supabase,
            backups,
            build,
            env,
        }
    }

    /// Looks at it with one fault, and takes the fault away again.
    async fn look(&self, fault: Option<&Fault>) -> Report {
        *self.vercel.state() = in_order();
        *self.backups.lock().unwrap() = good_backups();
        let config = Config::from_lookup(&|name| self.env.get(name).cloned());
        let outbound = Arc::new(Outbound::trusting(vec![self.front.root()]));
        let mut subject = Subject {
            output: Some(self.build.path().to_owned()),
            // A build for tests on a machine that does other things.
            slowest: Duration::from_secs(60),
            groups: fault.map_or(Group::ALL.to_vec(), |fault| vec![fault.group]),
            ..Subject::new(
                self.front.url(Certificate::Good),
                Project::Ops,
                &config,
                outbound,
            )
        };
        if subject.looks_at(Group::Jobs) {
            // On a machine that does other things the faults take longer than three slots.
            for path in ["/api/cron/monitor", "/api/alerts/dispatch"] {
                run_job(&self.running, path).await;
            }
        }
        let server = self
            .build
            .path()
            .join("functions/api/health.func/user-server");
        match fault.map(|fault| &fault.seed) {
            None => {}
            Some(Seed::Answer(breaks)) => self.front.break_with(Some(*breaks)),
            Some(Seed::Subject(change)) => change(&mut subject),
            Some(Seed::Certificate(certificate)) => subject.url = self.front.url(*certificate),
            Some(Seed::Vercel(change)) => change(&mut self.vercel.state()),
            Some(Seed::Provider(change)) => change(&mut self.backups.lock().unwrap()),
            Some(Seed::Build) => std::fs::write(&server, "").unwrap(),
            Some(Seed::Upload(file)) => {
                subject.output = None;
                let mut state = self.vercel.state();
                state.deployments.all[0].files = Some(uploaded(file));
            }
        }
        let report = verification::look_at(&subject, Deadline::after(Duration::from_secs(60)));
        let report = report.await;
        self.front.break_with(None);
        // Most faults never made it.
        let _ = std::fs::remove_file(&server);
        report
    }
}

/// The platform's documents of a project in order.
fn in_order() -> State {
    let paths = [
        "/api/cron/monitor",
        "/api/alerts/dispatch",
        "/api/cron/backup",
        "/api/cron/maintenance",
    ];
    let crons: Vec<_> = paths
        .iter()
        .map(|path| json!({"host": "ops.wine.example", "path": path, "schedule": "* * * * *"}))
        .collect();
    let mut state = State::default();
    state.serve("prj_ops", "pourtrait-ops", &["localhost"], "dpl_1");
    let project = state.projects.find_mut("prj_ops").unwrap();
    project.document["crons"] = json!({"enabledAt": 1, "disabledAt": null, "definitions": crons});
    let mut deployment = Deployment::served("dpl_1", 1, "commit1");
    deployment.project = ("prj_ops".to_owned(), "pourtrait-ops".to_owned());
    state.deployments.all.push(deployment);
    state
}

/// What was uploaded for a deployment of one function with a file in it.
fn uploaded(file: &str) -> Value {
    let folder = |name: &str, children: Value| json!({"name": name, "type": "directory", "children": children});
    let file = json!({"name": file, "type": "file", "uid": "x"});
    let function = folder("health.func", json!([file]));
    let functions = folder("functions", json!([folder("api", json!([function]))]));
    json!([folder(
        ".vercel",
        json!([folder("output", json!([functions]))])
    )])
}

fn good_backups() -> Value {
    let yesterday = clock::now() - jiff::SignedDuration::from_hours(12);
    json!({
        "region": "eu-central-1", "walg_enabled": true, "pitr_enabled": false,
        "backups": [{"id": 1, "inserted_at": yesterday, "is_physical_backup": true,
                     "status": "COMPLETED"}],
        "physical_backup_data": {},
    })
}

/// Calls a job as the platform's scheduler does, and waits for its end.
async fn run_job(running: &Running, path: &str) {
    let outbound = Outbound::default();
    let ran = outbound
        .client()
        .unwrap()
        .get(format!("{}{path}", running.base_url))
        .bearer_auth(&running.env["CRON_SECRET"])
        .timeout(Duration::from_secs(300))
        .send()
        .await
        .unwrap();
    assert_eq!(ran.status(), StatusCode::OK, "{path}");
}

/// The receipt of a good drill that ends now.
async fn note_drill(database: &TestDatabase) {
    let cluster = Cluster::shared().await.unwrap();
    let admin = cluster.connect_admin(database.name()).await.unwrap();
    let now = clock::now();
    let receipt = json!({
        "id": uuid::Uuid::new_v4(), "snapshot": "a-snapshot", "takenAt": now, "startedAt": now,
        "finishedAt": now, "reason": null, "missing": [], "tables": ["public.wines"],
        "seconds": 30.5, "rows": 10, "bytes": 1000, "tablesInBackup": 1,
    });
    admin
        .execute(
            "select public.ops_record_drill($1::text::jsonb)",
            &[&receipt.to_string()],
        )
        .await
        .unwrap();
}

fn json_answer(document: &Value) -> http::Response<bytes::Bytes> {
    http::Response::new(document.to_string().into())
}

fn found(report: &Report) -> Vec<&str> {
    let failed = report.findings.iter();
    failed
        .filter(|finding| finding.outcome == Outcome::Failed)
        .map(|finding| finding.look)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_each_of_fifty_seeded_faults_and_passes_without_them() {
    let world = World::in_order().await;
    let report = world.look(None).await;
    for finding in &report.findings {
        assert_eq!(finding.outcome, Outcome::Passed, "{finding:#?}");
    }
    assert_eq!(report.findings.len(), verification::names().count());
    assert!(faults::ALL.len() >= 50, "{}", faults::ALL.len());
    for fault in faults::ALL {
        let report = world.look(Some(fault)).await;
        assert_eq!(
            found(&report),
            fault.found_by,
            "{}: {report:#?}",
            fault.name
        );
        let counts = fault.found_by != ["messages"];
        assert_eq!(report.is_good(), !counts, "{}", fault.name);
        let said = report.findings.iter();
        assert!(
            said.filter(|finding| finding.outcome == Outcome::Failed)
                .all(|finding| finding.mend.is_some()),
            "{}",
            fault.name
        );
    }
    let report = world.look(None).await;
    assert_eq!(found(&report), [""; 0], "every fault was taken away again");
    let good = faults::of_upload("executable");
    let report = world.look(Some(&good)).await;
    assert_eq!(report.count(Outcome::Passed), 2, "{report:#?}");
    world.vercel.stop().await;
    world.supabase.stop().await;
    world.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_auditor_compares_is_what_the_outside_sees() {
    let world = World::in_order().await;
    let see = async || {
        let config = Config::from_lookup(&|name| world.env.get(name).cloned());
        let outbound = Arc::new(Outbound::trusting(vec![world.front.root()]));
        let url = world.front.url(Certificate::Good);
        let subject = Subject::new(url, Project::Ops, &config, outbound);
        transport(&subject, Deadline::after(Duration::from_secs(60))).await
    };
    let seen = see().await;
    assert_eq!(seen.protocol.as_deref(), Ok("TLSv1_3"), "{seen:?}");
    let certificate = seen.certificate.as_ref().unwrap();
    assert!(certificate.issuer.starts_with("CN="), "{certificate:?}");
    assert!(certificate.ends_at > clock::now(), "{certificate:?}");
    assert!(seen.headers.len() > 10, "{seen:?}");
    assert!(seen.headers.iter().all(|header| header.is_kept), "{seen:?}");
    assert_eq!(seen.unreached, [""; 0]);
    world.front.break_with(Some(|_, response| {
        response.headers_mut().remove("strict-transport-security");
    }));
    let broken = see().await;
    let missing: Vec<_> = broken
        .headers
        .iter()
        .filter(|header| !header.is_kept)
        .collect();
    assert_eq!(missing.len(), 4, "of each page: {missing:?}");
    assert!(
        missing
            .iter()
            .all(|header| header.found.is_none() && header.name == "Strict-Transport-Security")
    );
    world.vercel.stop().await;
    world.supabase.stop().await;
    world.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_is_written_for_people_scripts_and_ci() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let url = running.base_url.as_str();
    let mut env = running.env.clone();
    env.remove("VERCEL_TOKEN");
    let call = async |line: &str| {
        let arguments: Vec<_> = line.split(' ').collect();
        call_with(&env, &arguments).await
    };
    // Nothing has run yet, and the command says so.
    let table = call(&format!("verify {url} --only jobs")).await;
    assert_eq!(table.status, 1, "{table:?}");
    assert!(
        table.stderr.contains(&format!("looking at {url}/")),
        "{table:?}"
    );
    assert!(
        table.stdout.contains("monitor never ran by its schedule"),
        "{table:?}"
    );
    assert!(
        table.stdout.contains("docs/verify.md#crons_running"),
        "{table:?}"
    );
    assert!(
        table
            .stdout
            .contains("VERCEL_TOKEN or the project's id is not set"),
        "{table:?}"
    );

    let good = call("verify --only access --json").await;
    assert_eq!(good.status, 0, "{good:?}");
    let report = good.json();
    assert_eq!(report["project"], "ops");
    let doors = report["findings"][1].clone();
    assert_eq!(
        (&doors["look"], &doors["outcome"]),
        (&json!("doors"), &json!("passed"))
    );

    let junit = call(&format!("verify {url} --only backups --format junit")).await;
    assert_eq!(junit.status, 1, "{junit:?}");
    assert!(
        junit.stdout.starts_with("<?xml version=\"1.0\""),
        "{junit:?}"
    );
    assert!(junit.stdout.contains("failures=\"2\""), "{junit:?}");
    assert!(!junit.stdout.contains(&running.env["MONITORING_API_KEY"]));

    let app = call("verify --project app --only health").await;
    assert_eq!(app.status, 0, "{app:?}");

    for line in ["verify ftp://ops.wine.example", "verify --only nonsense"] {
        assert_eq!(call(line).await.status, 2, "{line}");
    }
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_sent_to_nobody_else() {
    let keys = Arc::new(std::sync::Mutex::new(Vec::new()));
    let stranger = Server::bind(None, {
        let keys = Arc::clone(&keys);
        move |request: http::Request<bytes::Bytes>| {
            let secrets = ["authorization", "x-vercel-protection-bypass"];
            let seen = secrets
                .iter()
                .filter_map(|name| request.headers().get(*name));
            keys.lock().unwrap().extend(seen.cloned());
            async move { json_answer(&json!({})) }
        }
    })
    .await
    .unwrap();
    let lookup = |name: &str| match name {
        "MONITORING_API_KEY" | "VERCEL_AUTOMATION_BYPASS_SECRET" => {
            Some("0123456789abcdef".to_owned())
        }
        "BASE_URL" => Some("https://ops.wine.example".to_owned()),
        _ => None,
    };
    let config = Config::from_lookup(&lookup);
    let outbound = Arc::new(Outbound::default());
    // A name that is this machine's, and that nobody can know to be.
    let port = stranger.address().port();
    for (url, sent) in [
        (format!("http://127.0.0.1:{port}"), true),
        (format!("http://[::ffff:127.0.0.1]:{port}"), false),
    ] {
        keys.lock().unwrap().clear();
        let subject = Subject::new(
            url.parse().unwrap(),
            Project::Ops,
            &config,
            Arc::clone(&outbound),
        );
        let report = verification::look_at(&subject, Deadline::after(Duration::from_secs(20)));
        let report = report.await;
        assert_eq!(!keys.lock().unwrap().is_empty(), sent, "{url}: {report:#?}");
    }
    stranger.stop().await;
}

/// A page that the platform protects, unless somebody is shown whom it trusts.
async fn protected(trusted: &'static str) -> Server {
    Server::bind(None, move |request: http::Request<bytes::Bytes>| {
        let shown = request.headers().get("x-vercel-trusted-oidc-idp-token");
        let is_trusted = shown.is_some_and(|shown| shown == trusted);
        let mut answer = http::Response::new("<!doctype html>".into());
        answer
            .headers_mut()
            .insert("content-type", http::HeaderValue::from_static("text/html"));
        if !is_trusted {
            *answer.status_mut() = StatusCode::UNAUTHORIZED;
            *answer.body_mut() = "Authentication Required".into();
        }
        async move { answer }
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_trusted_is_let_in_without_a_secret() {
    let page = protected("who-this-job-is").await;
    let github = Server::bind(None, |request: http::Request<bytes::Bytes>| {
        let proof = request.headers().get("authorization").cloned();
        let is_job = proof.is_some_and(|proof| proof == "Bearer proof-of-the-job");
        async move {
            if is_job {
                json_answer(&json!({"value": "who-this-job-is"}))
            } else {
                json_answer(&json!({}))
            }
        }
    })
    .await
    .unwrap();
    let call = async |more: &[(&str, &str)]| {
        let known = [
            ("SUPABASE_URL", "http://127.0.0.1:9"),
            ("NEXT_PUBLIC_APP_URL", &page.url()),
        ];
        let env = known.iter().chain(more);
        let env: BTreeMap<_, _> = env
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let line = ["verify", "--project", "app", "--only", "transport"];
        call_with(&env, &line).await
    };
    let url = ("ACTIONS_ID_TOKEN_REQUEST_URL", &*github.url());
    let proof = |text| ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", text);
    let stranger = call(&[]).await;
    assert_eq!(stranger.status, 1, "{stranger:?}");
    assert!(
        stranger
            .stdout
            .contains("VERCEL_AUTOMATION_BYPASS_SECRET is not set here"),
        "{stranger:?}"
    );
    let job = call(&[url, proof("proof-of-the-job")]).await;
    assert_eq!(job.status, 0, "{job:?}");
    assert!(!job.stdout.contains("who-this-job-is") && !job.stderr.contains("who-this-job-is"));
    let unknown = call(&[url, proof("of-another")]).await;
    assert_eq!(unknown.status, 1, "{unknown:?}");
    assert!(
        unknown
            .stderr
            .contains("GitHub does not say who this job is: it answered no token"),
        "{unknown:?}"
    );
    page.stop().await;
    github.stop().await;
}
