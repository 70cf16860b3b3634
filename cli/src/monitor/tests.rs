//! Rounds of looking against servers that fail and come back.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use local_supabase::{port::ClosedPort, server::Server};

use super::*;

/// What stands in for the bundle, the app and Slack, and what each was told.
#[derive(Default)]
struct Place {
    is_down: Mutex<bool>,
    told: Mutex<Vec<Value>>,
}

impl Place {
    async fn serve(self: &Arc<Self>) -> Server {
        let place = Arc::clone(self);
        Server::bind(None, move |request: Request<Bytes>| {
            let answer = place.answer(&request);
            async move { answer }
        })
        .await
        .unwrap()
    }

    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from_static(
            b"{\"status\":\"healthy\",\"services\":{}}",
        ));
        if *self.is_down.lock().unwrap() {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        } else if request.method() == http::Method::POST {
            let told = serde_json::from_slice(request.body()).unwrap_or_default();
            self.told.lock().unwrap().push(told);
            // What Slack says.
            *response.body_mut() = Bytes::from_static(b"ok");
        }
        response
    }

    fn goes_down(&self, is_down: bool) {
        *self.is_down.lock().unwrap() = is_down;
    }

    fn told(&self) -> Vec<Value> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }
}

struct World {
    bundle: Arc<Place>,
    app: Arc<Place>,
    slack: Arc<Place>,
    round: Round,
    _servers: [Server; 3],
}

impl World {
    async fn watched(ways: Ways) -> Self {
        let places: [Arc<Place>; 3] = Default::default();
        let [bundle, app, slack] = places;
        let servers = [bundle.serve().await, app.serve().await, slack.serve().await];
        let urls = [&servers[0], &servers[1], &servers[2]].map(Server::url);
        let [bundle_url, app_url, slack_url] = urls.clone();
        let lookup = move |name: &str| match name {
            "MONITORING_API_KEY" => Some("0123456789abcdef".to_owned()),
            "SLACK_WEBHOOK_URL" => Some(format!("{slack_url}/services/x")),
            _ => None,
        };
        let target = |subject, url: &str| Target {
            subject,
            url: url.parse().unwrap(),
        };
        let targets = vec![
            target(Subject::Bundle, &format!("{bundle_url}/api/health")),
            target(Subject::App, &app_url),
        ];
        let round = Round {
            app: App::new(Config::from_lookup(&lookup)),
            watched: targets.iter().map(|_| Watched::default()).collect(),
            targets,
            witness: urls[1].parse().unwrap(),
            ways,
            log: LogFile::open(None).unwrap(),
        };
        Self {
            bundle,
            app,
            slack,
            round,
            _servers: servers,
        }
    }

    async fn rounds(&mut self, rounds: usize) {
        for _ in 0..rounds {
            self.round.go().await;
        }
    }
}

#[tokio::test]
async fn an_outage_of_the_app_is_raised_and_resolved_by_the_bundle() {
    let mut world = World::watched(Ways::Both).await;
    world.rounds(2).await;
    // What an earlier run may have left open is over.
    let statuses: Vec<_> = world
        .bundle
        .told()
        .iter()
        .map(|told| told["alerts"][0]["status"].clone())
        .collect();
    assert_eq!(statuses, ["resolved", "resolved"]);
    world.app.goes_down(true);
    world.rounds(5).await;
    let told = world.bundle.told();
    assert_eq!(told.len(), 1, "{told:?}");
    let alert = &told[0]["alerts"][0];
    assert_eq!(alert["status"], "firing");
    assert_eq!(alert["fingerprint"], "outside_monitor:app");
    assert!(
        alert["message"]
            .as_str()
            .unwrap()
            .starts_with("it answers 503")
    );
    world.app.goes_down(false);
    world.rounds(3).await;
    let told = world.bundle.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["alerts"][0]["status"], "resolved");
    assert_eq!(world.slack.told(), Vec::<Value>::new());
}

#[tokio::test]
async fn a_bundle_that_is_down_is_told_by_itself_once_and_so_is_its_return() {
    let mut world = World::watched(Ways::Both).await;
    world.bundle.goes_down(true);
    world.rounds(5).await;
    assert_eq!(world.slack.told().len(), 1);
    world.bundle.goes_down(false);
    world.rounds(3).await;
    assert_eq!(world.slack.told().len(), 1);
    // The bundle never heard of it, and is told nothing of its end.
    let of_the_bundle = |told: &Value| told["alerts"][0]["subject"] == "bundle";
    assert!(!world.bundle.told().iter().any(of_the_bundle));
}

#[tokio::test]
async fn what_nobody_takes_is_told_again() {
    let mut world = World::watched(Ways::SlackAlone).await;
    world.app.goes_down(true);
    world.slack.goes_down(true);
    world.rounds(4).await;
    assert_eq!(world.slack.told().len(), 0);
    world.slack.goes_down(false);
    world.rounds(2).await;
    assert_eq!(world.slack.told().len(), 1);
}

#[tokio::test]
async fn a_lost_network_opens_nothing_and_a_dead_host_does() {
    let mut world = World::watched(Ways::SlackAlone).await;
    let closed = ClosedPort::hold().unwrap();
    let nowhere: Url = format!("http://{}", closed.address()).parse().unwrap();
    world.round.targets[1].url = nowhere.clone();
    let witness = std::mem::replace(&mut world.round.witness, nowhere);
    world.rounds(5).await;
    assert_eq!(world.slack.told().len(), 0, "the network here is lost");
    world.round.witness = witness;
    world.rounds(3).await;
    assert_eq!(world.slack.told().len(), 1, "somebody else answers");
}

/// The rounds of the test below, in a process whose memory is theirs alone.
#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "started by the test below, which reads what it prints"]
async fn rounds_by_themselves() {
    let rounds = local_supabase::chance::wanted("ROUNDS").unwrap_or(2_000);
    let path = std::env::temp_dir().join(format!("monitor-{}.log", uuid::Uuid::new_v4()));
    let mut world = World::watched(Ways::Both).await;
    world.round.log = LogFile::open(Some(&path)).unwrap();
    // Connections and buffers are there after some.
    world.rounds(500).await;
    let before = resident_kilobytes();
    for nth in 0..rounds {
        // An outage every hundred rounds, told and resolved.
        world.app.goes_down(nth % 100 < 5);
        world.rounds(1).await;
        world.bundle.told();
    }
    println!("\nresident: {before} {}", resident_kilobytes());
    std::fs::remove_file(&path).unwrap();
}

#[cfg(target_os = "linux")]
fn resident_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.unwrap().trim().split(' ').next().unwrap();
    number.parse().unwrap()
}

/// `ROUNDS=20000` looks longer.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_over_thousands_of_rounds() {
    let ran = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture"])
        .arg("monitor::tests::rounds_by_themselves")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    let line = said
        .lines()
        .find_map(|line| line.strip_prefix("resident: "));
    let line = line.unwrap_or_else(|| panic!("{said}"));
    println!("kilobytes before and after: {line}");
    let (before, after) = line.split_once(' ').unwrap();
    let (before, after): (u64, u64) = (before.parse().unwrap(), after.parse().unwrap());
    assert!(after < before + 2_048, "{line}");
}

#[test]
fn a_log_that_was_moved_away_is_begun_anew() {
    let folder = std::env::temp_dir().join(format!("pourtrait-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("monitor.log");
    let mut log = LogFile::open(Some(&path)).unwrap();
    log.write(&json!({"nth": 1}));
    std::fs::rename(&path, folder.join("monitor.log.1")).unwrap();
    log.write(&json!({"nth": 2}));
    log.reopen();
    log.write(&json!({"nth": 3}));
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read("monitor.log.1"), "{\"nth\":1}\n{\"nth\":2}\n");
    assert_eq!(read("monitor.log"), "{\"nth\":3}\n");
    std::fs::remove_dir_all(&folder).unwrap();
}
