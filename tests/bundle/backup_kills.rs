//! The backup's function, killed at requests of each kind, to the database's API
//! and to the bucket, before they are served and after they were: whatever is
//! sealed is whole, and the next run seals.

use std::{
    collections::BTreeMap,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use local_supabase::{
    port,
    server::{Answer, Server},
};
use ops::endpoint::Endpoint;
use outside::{clock, outbound::Outbound};

use crate::{
    backups::Backups,
    bucket::{Bucket, Watch},
    proxy,
    support::get,
};

/// When the process dies, relative to one of its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    BeforeServing,
    AfterServing,
}

/// At which request a process dies: so many requests of its kind come before it. How many there are
/// in all differs from run to run.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sentence {
    moment: Moment,
    kind: String,
    before: usize,
}

/// Knows every request of the function, and kills it at one.
#[derive(Default)]
struct Executioner {
    child: Mutex<Option<Child>>,
    /// What was asked for while there was a process, in order.
    requests: Mutex<Vec<String>>,
    sentence: Mutex<Option<Sentence>>,
}

impl Executioner {
    fn kill_if(&self, moment: Moment, number: usize) -> bool {
        let requests = self.requests.lock().unwrap().clone();
        let sentence = self.sentence.lock().unwrap().clone();
        let Some((what, sentence)) = requests.get(number).zip(sentence) else {
            return false;
        };
        let kind = kind_of(what);
        let before = requests[..number].iter();
        let before = before.filter(|what| kind_of(what) == kind).count();
        let this = Sentence {
            moment,
            kind,
            before,
        };
        let is_sentenced = this == sentence;
        if is_sentenced {
            self.kill();
        }
        is_sentenced
    }

    fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn is_alive(&self) -> bool {
        self.child.lock().unwrap().is_some()
    }
}

impl Watch for Executioner {
    fn begins(&self, what: String) -> usize {
        // Others ask the same servers once the process is gone.
        if !self.is_alive() {
            return usize::MAX;
        }
        let mut requests = self.requests.lock().unwrap();
        requests.push(what);
        requests.len() - 1
    }

    fn is_served(&self, number: usize) -> bool {
        !self.kill_if(Moment::BeforeServing, number)
    }

    fn is_answered(&self, number: usize) -> bool {
        !self.kill_if(Moment::AfterServing, number)
    }
}

/// The database's API with the executioner in front.
async fn api(upstream: String, executioner: Arc<Executioner>) -> Server {
    let outbound = Arc::new(Outbound::default());
    let answer = move |request: http::Request<bytes::Bytes>| {
        let (executioner, outbound) = (Arc::clone(&executioner), Arc::clone(&outbound));
        let upstream = upstream.clone();
        async move {
            let number =
                executioner.begins(format!("{} {}", request.method(), request.uri().path()));
            if !executioner.is_served(number) {
                return Answer::Drop;
            }
            let answer = proxy::forward(&outbound, &upstream, request).await;
            if executioner.is_answered(number) {
                answer
            } else {
                Answer::Drop
            }
        }
    };
    Server::bind(None, answer).await.unwrap()
}

/// Runs one backup in a process of its own; what it answered, if it lived to.
async fn run_in_a_process(backups: &Backups, executioner: &Executioner) -> Option<String> {
    let port = port::free();
    executioner.requests.lock().unwrap().clear();
    let child = Command::new(env!("CARGO_BIN_EXE_cron_backup"))
        .env_clear()
        .envs(&backups.bundle.env)
        .env("VERCEL_DEV_PORT", port.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    *executioner.child.lock().unwrap() = Some(child);
    let outbound = Outbound::default();
    let client = outbound.client().unwrap();
    let answer = loop {
        let request = client
            .get(format!("http://127.0.0.1:{port}/api/cron/backup"))
            .bearer_auth(backups.bundle.secret("MONITORING_API_KEY"));
        match request.send().await {
            Ok(response) => break response.text().await.ok(),
            // Not listening yet, unless it was killed already.
            Err(error) if error.is_connect() && executioner.is_alive() => {
                clock::wait(Duration::from_millis(5)).await;
            }
            Err(_) => break None,
        }
    };
    executioner.kill();
    answer
}

/// The method, and what is asked for: of an object, the folder that it lies in.
fn kind_of(what: &str) -> String {
    match what.split_once("/v1/") {
        Some((method, path)) => format!("{method}{}", path.split('/').next().unwrap()),
        None => what.to_owned(),
    }
}

/// Of each kind of request: the first before it is served, the last after it. With each, at which
/// request of all that was. Before a call of the database nothing is otherwise than after the
/// request before it.
fn of_each_kind(requests: &[String]) -> Vec<(Sentence, usize)> {
    let mut kinds: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (number, what) in requests.iter().enumerate() {
        kinds.entry(kind_of(what)).or_default().push(number);
    }
    let sentences = |(kind, numbers): (String, Vec<usize>)| {
        let last = numbers.len() - 1;
        let is_call = kind.contains("/rpc/");
        let before = (!is_call).then_some((Moment::BeforeServing, 0));
        let moments = before.into_iter().chain([(Moment::AfterServing, last)]);
        moments
            .map(|(moment, before)| {
                let kind = kind.clone();
                let sentence = Sentence {
                    moment,
                    kind,
                    before,
                };
                (sentence, numbers[before])
            })
            .collect::<Vec<_>>()
    };
    kinds.into_iter().flat_map(sentences).collect()
}

/// What the killed process held is given up when its lease ends.
async fn let_the_lease_end(backups: &Backups) {
    let ended = "update ops.jobs set lease_until = now() - interval '1 second' where lease_until is not null";
    let admin = backups.bundle.admin().await;
    admin.batch_execute(ended).await.unwrap();
}

async fn survive(
    backups: &mut Backups,
    executioner: &Arc<Executioner>,
    sentence: Sentence,
    is_collected: bool,
) {
    let bucket = Bucket::start(Arc::clone(executioner)).await;
    backups.bundle.env.extend(bucket.variables());
    backups.make().await;
    let admin = backups.bundle.admin().await;
    // This bucket has no receipt of what was done in others.
    let receipts = "delete from ops.receipts; delete from ops.receipt_checks";
    admin.batch_execute(receipts).await.unwrap();
    if is_collected {
        let due = "delete from ops.backup_collections";
        admin.batch_execute(due).await.unwrap();
    }
    let what = format!("{sentence:?}");
    *executioner.sentence.lock().unwrap() = Some(sentence);
    let answer = run_in_a_process(backups, executioner).await;
    let requests = executioner.requests.lock().unwrap().clone();
    assert_eq!(answer, None, "{what}: it was to be killed");
    let sealed = backups.whole().await.len();
    let committed = requests
        .iter()
        .any(|what| what.starts_with("PUT") && what.contains("/v1/snap/"));
    assert!(sealed <= usize::from(committed), "{what}: {sealed} backups");

    let_the_lease_end(backups).await;
    let app = backups.bundle.instance(Endpoint::Backup);
    let key = backups.bundle.secret("MONITORING_API_KEY");
    let next = get(&app, "/api/cron/backup").bearer(key).send().await;
    assert_eq!(next.json()["outcome"], "done", "{what}: {:?}", next.bytes);
    assert_eq!(backups.whole().await.len(), sealed + 1, "{what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_killed_on_its_way_is_whole_or_is_none_and_the_next_one_seals() {
    let mut backups = Backups::start().await;
    let executioner = Arc::new(Executioner::default());
    let upstream = backups.bundle.stack.supabase_url();
    let api = api(upstream, Arc::clone(&executioner)).await;
    backups.bundle.env.insert("SUPABASE_URL".into(), api.url());

    let bucket = Bucket::start(Arc::clone(&executioner)).await;
    backups.bundle.env.extend(bucket.variables());
    backups.make().await;
    let answer = run_in_a_process(&backups, &executioner).await.unwrap();
    assert!(answer.contains("\"done\""), "{answer}");
    assert_eq!(backups.whole().await.len(), 1);
    let requests = executioner.requests.lock().unwrap().clone();
    let chosen = of_each_kind(&requests);
    assert!(chosen.len() >= 20, "{requests:#?}");

    // Only who is killed during the collection after it needs one that is due.
    let is_plan = |what: &String| what.ends_with("/ops_plan_collection");
    let collecting = requests.iter().position(is_plan).unwrap();
    for (sentence, at) in chosen {
        survive(&mut backups, &executioner, sentence, at > collecting).await;
    }
}
