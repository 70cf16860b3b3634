//! Random schedules with the functions as processes: up to five ticks at once, processes
//! that die at any of their requests, faults on every channel, acknowledgements, silences,
//! maintenance and shifts in between. No alert is lost, none is told twice but where an
//! answer was lost, each beginning has one end, and every word is true when it arrives.
//!
//! The database is told what time it is, so that hours pass in a moment. What happens is
//! the same in every run of a seed; how processes that run at once overtake each other is
//! not.
//!
//! `SCHEDULES=200 cargo test --test bundle random_schedules` plays two hundred, from any
//! seed on; `SEED=17 SCHEDULES=1` plays number 17 again, and `STORY=1` tells what happened in it.

mod play;
mod record;
mod stage;
mod steps;
mod verdict;
mod wire;
mod words;

use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt, future::join_all};

use self::{
    play::Play,
    steps::schedule,
    verdict::{Judge, Verdict},
};
use crate::chance::{any_seed, wanted};

/// Schedules that are played unless the environment says otherwise.
const SCHEDULES: u64 = 2;
/// The first of them: the same in every plain run, for a fault that chance finds is nothing
/// that a change brought.
const FIRST: u64 = 6015;
/// How many are played side by side: most of their time they wait.
const WORKERS: usize = 8;

/// What was played and counted.
#[derive(Debug, Default)]
struct Figures {
    schedules: usize,
    alerts: usize,
    deliveries: usize,
    repeated: usize,
    ticks: usize,
    calls: usize,
    kills: usize,
    lost_answers: usize,
    failed: Vec<u64>,
    lost: usize,
    doubled: usize,
    unpaired: usize,
    untrue: usize,
}

impl Figures {
    fn count(&mut self, seed: u64, play: &Play, verdict: &Verdict) {
        let log = play.stage.wire.log.lock().unwrap();
        self.schedules += 1;
        self.alerts += verdict.alerts;
        self.deliveries += verdict.arrived;
        self.repeated += verdict.repeated;
        self.ticks += play.ticks;
        self.calls += play.calls;
        self.kills += log.kills;
        self.lost_answers += log.cuts;
        self.lost += verdict.lost.len();
        self.doubled += verdict.doubled.len();
        self.unpaired += verdict.unpaired.len();
        self.untrue += verdict.untrue.len();
        if !verdict.faults().is_empty() {
            self.failed.push(seed);
        }
    }

    fn join(mut self, other: Self) -> Self {
        self.schedules += other.schedules;
        self.alerts += other.alerts;
        self.deliveries += other.deliveries;
        self.repeated += other.repeated;
        self.ticks += other.ticks;
        self.calls += other.calls;
        self.kills += other.kills;
        self.lost_answers += other.lost_answers;
        self.failed.extend(other.failed);
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.unpaired += other.unpaired;
        self.untrue += other.untrue;
        self
    }
}

/// Plays one schedule to its end, and judges it.
async fn play(seed: u64) -> (Play, Verdict) {
    let mut play = Play::start(seed).await;
    for step in &schedule(seed) {
        play.step(step).await;
    }
    play.heal().await;
    let untold = |play: &Play, low| {
        let log = play.stage.wire.log.lock().unwrap();
        Judge::new(&play.record, &log).untold(low)
    };
    let mut lost = untold(&play, false);
    play.sleep_over_it().await;
    lost.extend(untold(&play, true));
    play.end_all().await;
    // Ends of what was in the digest come with the next one.
    play.sleep_over_it().await;
    let waiting = play.waiting().await;
    if !waiting.is_empty() {
        lost.push(format!("it still waits: {waiting}"));
    }
    let mut verdict = {
        let log = play.stage.wire.log.lock().unwrap();
        Judge::new(&play.record, &log).judge()
    };
    verdict.lost.extend(lost);
    (play, verdict)
}

/// Plays every schedule whose turn it is.
#[expect(
    clippy::print_stdout,
    reason = "a run of hours tells what it has found so far"
)]
async fn work(seeds: impl Iterator<Item = u64>) -> Figures {
    let mut figures = Figures::default();
    for seed in seeds {
        let Ok((played, verdict)) = AssertUnwindSafe(play(seed)).catch_unwind().await else {
            println!("SEED={seed} could not be played");
            figures.failed.push(seed);
            continue;
        };
        figures.count(seed, &played, &verdict);
        for fault in verdict.faults() {
            println!("SEED={seed} {fault}");
        }
        if wanted("STORY").is_some() {
            println!("{:#?}\n{}", schedule(seed), played.story().await);
        }
        println!(
            "played {seed}: {} alerts, {} arrived",
            verdict.alerts, verdict.arrived
        );
        played.stage.bundle.stack.stop().await;
    }
    figures
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_or_doubled_or_untrue_whatever_happens_when() {
    let asked = wanted("SCHEDULES");
    let schedules = asked.unwrap_or(SCHEDULES);
    let first = wanted("SEED").unwrap_or_else(|| asked.map_or(FIRST, |_| any_seed()));
    println!("{schedules} schedules from SEED={first} on");
    let seeds = |turn| (first..first + schedules).skip(turn).step_by(WORKERS);
    let figures = join_all((0..WORKERS).map(|turn| work(seeds(turn)))).await;
    let figures = figures.into_iter().fold(Figures::default(), Figures::join);
    println!("{figures:?}");
    assert!(
        figures.failed.is_empty(),
        "play one again with SEED=… SCHEDULES=1: {figures:?}"
    );
    assert!(figures.alerts > 0, "the schedules say nothing");
}
