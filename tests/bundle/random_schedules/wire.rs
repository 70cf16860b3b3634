//! The wire between the functions and everything that they reach. Each process has
//! proxies of its own, so that each request is known to be its. Here requests meet faults,
//! processes die, the database is told what time it is, and all that was claimed, sent and
//! settled is written down.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Child,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use local_supabase::server::Answer;
use outside::{clock, outbound::Outbound};
use serde_json::Value;

use super::steps::{Fate, Fault, Moment};
use crate::{chance::Dice, proxy};

/// What a proxy stands in front of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Upstream {
    Database,
    Channel(&'static str),
    Other,
}

/// Messages that a worker has claimed on a channel.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) id: String,
    pub(super) channel: &'static str,
    /// When, by the database's clock.
    pub(super) at: Timestamp,
    /// What is sent as one, in the order in which it is sent.
    pub(super) parcels: Vec<Vec<Row>>,
    /// How many of them were tried.
    tried: usize,
    /// Whether the database took what became of them.
    pub(super) settled: bool,
}

/// A row of the outbox, as the worker got it.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) facts: Value,
}

/// A request to a channel's provider.
#[derive(Debug)]
pub(super) struct Attempt {
    /// Which of the claims.
    pub(super) claim: usize,
    /// Which of its parcels.
    pub(super) parcel: usize,
    pub(super) at: Timestamp,
    pub(super) body: Value,
    /// Whether the provider took it, and had not taken it before.
    pub(super) arrived: bool,
    /// Whether the worker was told so.
    pub(super) answered: bool,
}

/// What became of a row, as a worker settled it.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) claim: String,
    pub(super) row: String,
    pub(super) outcome: String,
}

/// What a tick that was committed had seen.
#[derive(Debug, Clone)]
pub(super) struct Observed {
    /// When it was committed, from the request to the answer.
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// Names of what was probed, and whether each was well.
    pub(super) seen: Vec<(String, bool)>,
}

/// Everything that went over the wire.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) claims: Vec<Claim>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) settled: Vec<Settled>,
    pub(super) observed: Vec<Observed>,
    /// The ticks that were committed, for a call whose answer was lost is made again.
    committed: BTreeSet<String>,
    /// The keys under which the email provider has taken letters.
    letters: BTreeSet<String>,
    pub(super) kills: usize,
    pub(super) cuts: usize,
}

/// A process of a function, and what is to happen to it.
pub(super) struct Process {
    pub(super) child: Mutex<Option<Child>>,
    fate: Fate,
    requests: AtomicUsize,
    lost: AtomicBool,
    hung: AtomicBool,
    /// The claim that it works on, by channel.
    claims: Mutex<BTreeMap<&'static str, usize>>,
}

impl Process {
    pub(super) fn new(child: Option<Child>, fate: Fate) -> Self {
        Self {
            child: Mutex::new(child),
            fate,
            requests: AtomicUsize::default(),
            lost: AtomicBool::default(),
            hung: AtomicBool::default(),
            claims: Mutex::default(),
        }
    }

    pub(super) fn lives(&self) -> bool {
        self.child.lock().unwrap().is_some()
    }

    /// Whether it was there to be ended.
    pub(super) fn end(&self) -> bool {
        let Some(mut child) = self.child.lock().unwrap().take() else {
            return false;
        };
        child.kill().unwrap();
        child.wait().unwrap();
        true
    }

    fn dies_at(&self, number: usize, moment: Moment) -> bool {
        self.fate == Fate::Dies { at: number, moment }
    }

    /// Whether this answer of the database is the one that gets lost.
    fn loses(&self, number: usize, moment: Moment) -> bool {
        matches!(self.fate, Fate::Loses { at, moment: when } if number >= at && when == moment)
            && !self.lost.swap(true, Ordering::SeqCst)
    }
}

/// Everything that the processes of one schedule share.
pub(super) struct Wire {
    pub(super) log: Mutex<Log>,
    pub(super) faults: Mutex<BTreeMap<&'static str, Fault>>,
    dice: Mutex<Dice>,
    /// How far the database's clock is ahead of ours, in milliseconds.
    ahead: AtomicI64,
    /// Functions of the database that can be told what time it is.
    timed: BTreeSet<String>,
    outbound: Arc<Outbound>,
    under_way: AtomicUsize,
}

impl Wire {
    pub(super) fn new(seed: u64, start: Timestamp, timed: BTreeSet<String>) -> Self {
        let ahead = start.duration_since(clock::now()).as_millis();
        Self {
            log: Mutex::default(),
            faults: Mutex::default(),
            dice: Mutex::new(Dice(seed)),
            ahead: AtomicI64::new(i64::try_from(ahead).unwrap()),
            timed,
            outbound: Arc::default(),
            under_way: AtomicUsize::default(),
        }
    }

    /// The database's time.
    pub(super) fn now(&self) -> Timestamp {
        clock::now() + SignedDuration::from_millis(self.ahead.load(Ordering::SeqCst))
    }

    pub(super) fn pass_time(&self, seconds: i64) {
        self.ahead.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    pub(super) fn fault(&self, channel: &'static str) -> Fault {
        let faults = self.faults.lock().unwrap();
        faults.get(channel).copied().unwrap_or(Fault::Works)
    }

    pub(super) fn all_work(&self) -> bool {
        let faults = self.faults.lock().unwrap();
        faults.values().all(|fault| *fault == Fault::Works)
    }

    /// Waits until nothing is on its way any more.
    pub(super) async fn settle(&self) {
        while self.under_way.load(Ordering::SeqCst) > 0 {
            clock::wait(Duration::from_millis(2)).await;
        }
    }

    /// Takes a request of a process. It goes to its end even if the process dies.
    pub(super) async fn carry(
        self: Arc<Self>,
        process: Arc<Process>,
        upstream: Upstream,
        target: String,
        request: Request<Bytes>,
    ) -> Answer {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let wire = Arc::clone(&self);
        let carried = tokio::spawn(async move {
            let wire = UnderWay(wire);
            wire.0.pass(&process, upstream, &target, request).await
        });
        carried.await.unwrap()
    }

    async fn pass(
        &self,
        process: &Process,
        upstream: Upstream,
        target: &str,
        request: Request<Bytes>,
    ) -> Answer {
        if !process.lives() {
            return Answer::Drop;
        }
        let number = process.requests.fetch_add(1, Ordering::SeqCst) + 1;
        if process.dies_at(number, Moment::BeforeSending) {
            self.kill(process);
            return Answer::Drop;
        }
        let answer = match upstream {
            Upstream::Database => self.ask(process, number, target, request).await,
            Upstream::Channel(channel) => self.tell(process, channel, target, request).await,
            Upstream::Other => proxy::forward(&self.outbound, target, request).await,
        };
        if process.dies_at(number, Moment::AfterAnswer) {
            self.kill(process);
            return Answer::Drop;
        }
        answer
    }

    fn kill(&self, process: &Process) {
        if process.end() {
            self.log.lock().unwrap().kills += 1;
        }
    }

    async fn ask(
        &self,
        process: &Process,
        number: usize,
        target: &str,
        request: Request<Bytes>,
    ) -> Answer {
        if process.loses(number, Moment::BeforeSending) {
            self.log.lock().unwrap().cuts += 1;
            return Answer::Drop;
        }
        let function = request.uri().path().rsplit('/').next().unwrap().to_owned();
        let from = self.now();
        let (request, asked) = self.at_its_time(&function, from, request);
        let answer = proxy::forward(&self.outbound, target, request).await;
        if let Answer::Response(response) = &answer
            && response.status().is_success()
        {
            let answered = serde_json::from_slice(response.body()).unwrap_or_default();
            self.note(process, &function, from, &asked, &answered);
        }
        if process.loses(number, Moment::AfterAnswer) {
            self.log.lock().unwrap().cuts += 1;
            return Answer::Drop;
        }
        answer
    }

    /// The call with the time that it is made at.
    fn at_its_time(
        &self,
        function: &str,
        now: Timestamp,
        request: Request<Bytes>,
    ) -> (Request<Bytes>, Value) {
        let mut arguments: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        if !self.timed.contains(function) || !arguments.is_object() {
            return (request, arguments);
        }
        arguments["p_now"] = now.to_string().into();
        let (mut head, _) = request.into_parts();
        head.headers.remove(header::CONTENT_LENGTH);
        let body = Bytes::from(arguments.to_string());
        (Request::from_parts(head, body), arguments)
    }

    fn note(
        &self,
        process: &Process,
        function: &str,
        from: Timestamp,
        asked: &Value,
        said: &Value,
    ) {
        let mut log = self.log.lock().unwrap();
        match function {
            "ops_claim_messages" => log.claim(process, from, asked, said),
            "ops_settle_messages" => log.settle(asked),
            "ops_commit_tick"
                if said["outcome"] == "committed"
                    && log.committed.insert(asked["p_run"].to_string()) =>
            {
                let checks = asked["p_tick"]["checks"].as_array().unwrap().iter();
                // What is unknown says nothing.
                let known =
                    checks.filter(|check| check["status"] == "up" || check["status"] == "down");
                let seen = known.map(|check| {
                    let name = check["name"].as_str().unwrap().to_owned();
                    (name, check["status"] == "up")
                });
                let seen = seen.collect();
                let until = self.now();
                log.observed.push(Observed { from, until, seen });
            }
            _ => {}
        }
    }

    async fn tell(
        &self,
        process: &Process,
        channel: &'static str,
        target: &str,
        request: Request<Bytes>,
    ) -> Answer {
        if request.method() != http::Method::POST || request.uri().path().ends_with("/auth.test") {
            return proxy::forward(&self.outbound, target, request).await;
        }
        let noted = self
            .log
            .lock()
            .unwrap()
            .attempt(process, channel, &request, self.now());
        let answer = match self.fault_now(channel) {
            Fault::Works | Fault::Refuses | Fault::Flaky => {
                let answer = self.deliver(noted, channel, target, request).await;
                self.log.lock().unwrap().attempts[noted].answered = true;
                answer
            }
            Fault::LosesAnswers => {
                self.deliver(noted, channel, target, request).await;
                Answer::Drop
            }
            Fault::Cuts => Answer::Drop,
            Fault::Hangs if process.hung.swap(true, Ordering::SeqCst) => Answer::Drop,
            Fault::Hangs => {
                while process.lives() {
                    clock::wait(Duration::from_millis(20)).await;
                }
                Answer::Drop
            }
            Fault::Answers(status) => plain(status).into(),
            Fault::Limits(after) => {
                let mut response = plain(429);
                if let Some(after) = after {
                    let headers = response.headers_mut();
                    headers.insert(header::RETRY_AFTER, after.into());
                }
                response.into()
            }
        };
        self.log.lock().unwrap().attempts[noted].at = self.now();
        answer
    }

    /// What this one request meets.
    fn fault_now(&self, channel: &'static str) -> Fault {
        match self.fault(channel) {
            Fault::Flaky => {
                let mut dice = self.dice.lock().unwrap();
                [
                    Fault::Works,
                    Fault::Works,
                    Fault::Cuts,
                    Fault::LosesAnswers,
                    Fault::Answers(500),
                ][usize::try_from(dice.roll(5)).unwrap()]
            }
            fault => fault,
        }
    }

    async fn deliver(
        &self,
        noted: usize,
        channel: &'static str,
        target: &str,
        request: Request<Bytes>,
    ) -> Answer {
        let key = request.headers().get("idempotency-key").cloned();
        let answer = proxy::forward(&self.outbound, target, request).await;
        let Answer::Response(response) = &answer else {
            return answer;
        };
        let said: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        let taken = response.status().is_success() && said["ok"] != false;
        let mut log = self.log.lock().unwrap();
        let key = key.map(|key| key.to_str().unwrap().to_owned());
        // What a provider knows by its key arrives once.
        let new = channel != "email" || log.letters.insert(key.expect("a key of the letter"));
        log.attempts[noted].arrived = taken && new;
        answer
    }
}

/// A request that is under way, until this is dropped, also by a panic: nobody waits for it then.
struct UnderWay(Arc<Wire>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Log {
    fn claim(&mut self, process: &Process, at: Timestamp, asked: &Value, said: &Value) {
        let id = asked["p_claim"].as_str().unwrap().to_owned();
        let word = asked["p_channels"][0].as_str().unwrap();
        let channel = super::steps::CHANNELS
            .into_iter()
            .find(|known| *known == word);
        let channel = channel.unwrap();
        let place = self.claims.iter().position(|claim| claim.id == id);
        let place = place.unwrap_or_else(|| {
            self.claims.push(Claim {
                id,
                channel,
                at,
                parcels: parcels(said),
                tried: 0,
                settled: false,
            });
            self.claims.len() - 1
        });
        process.claims.lock().unwrap().insert(channel, place);
    }

    fn settle(&mut self, asked: &Value) {
        let id = asked["p_claim"].as_str().unwrap();
        for claim in self.claims.iter_mut().filter(|claim| claim.id == id) {
            claim.settled = true;
        }
        for result in asked["p_results"].as_array().unwrap() {
            self.settled.push(Settled {
                claim: id.to_owned(),
                row: result["id"].as_str().unwrap().to_owned(),
                outcome: result["outcome"].as_str().unwrap().to_owned(),
            });
        }
    }

    fn attempt(
        &mut self,
        process: &Process,
        channel: &'static str,
        request: &Request<Bytes>,
        at: Timestamp,
    ) -> usize {
        let claim = process.claims.lock().unwrap()[channel];
        let parcel = self.claims[claim].tried;
        self.claims[claim].tried += 1;
        self.attempts.push(Attempt {
            claim,
            parcel,
            at,
            body: serde_json::from_slice(request.body()).unwrap(),
            arrived: false,
            answered: false,
        });
        self.attempts.len() - 1
    }
}

/// What a claim's answer says to send, in the order in which it is sent.
fn parcels(said: &Value) -> Vec<Vec<Row>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let singles = said["messages"].as_array().into_iter().flatten();
    let singles = singles.map(|message| {
        vec![Row {
            id: text(&message["id"]),
            kind: text(&message["kind"]),
            facts: message["facts"].clone(),
        }]
    });
    let together = said["digests"].as_array().into_iter().flatten();
    let together = together.map(|digest| {
        let ids = digest["ids"].as_array().unwrap().iter();
        let facts = digest["items"].as_array().unwrap().iter();
        let rows = ids.zip(facts).map(|(id, facts)| Row {
            id: text(id),
            kind: text(&facts["kind"]),
            facts: facts.clone(),
        });
        rows.collect()
    });
    singles.chain(together).collect()
}

fn plain(status: u16) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}
