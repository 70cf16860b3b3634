//! The whole of alerting against a reference model: whatever is called when,
//! however channels answer and clocks move, each alert opens and resolves when
//! the rules say, people are told when their time has come, whoever is told of a
//! beginning is told of its end once, and nothing is lost.
//!
//! Each run plays other schedules than the last one, by consecutive seeds from
//! one that is random and printed when a schedule fails. `SCHEDULES=20000 cargo
//! test --test database model` tries twenty thousand; `SEED=17 SCHEDULES=1` plays
//! number 17 again.

mod real;
mod reference;
mod schedule;

use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt, future::join_all};
use serde_json::Value;

use self::{
    real::{CHANNELS, Real},
    reference::{History, Reference},
    schedule::{SUBJECTS, Seen, Step, Verdict, schedule},
};
use crate::{
    chance::{any_seed, wanted},
    people::everybody,
    support::World,
};

/// Schedules that are tried unless the environment says otherwise.
const SCHEDULES: u64 = 60;
/// Databases that work side by side.
const WORKERS: usize = 2;

/// Both sides of one schedule, and its time.
struct Play<'a> {
    real: &'a mut Real,
    model: Reference,
    now: i64,
}

impl Play<'_> {
    async fn step(&mut self, step: Step) {
        match step {
            Step::Tick(seen) => self.tick(seen).await,
            Step::Repeated(seen) => self.repeat(seen).await,
            Step::Doubled(seen) => self.double(seen).await,
            Step::Killed => {
                self.real.claim(self.now).await;
                self.now += 60;
            }
            Step::Overtaken { late, next } => self.overtake(late, next).await,
            Step::Missed(seconds) => self.now += seconds,
            Step::SetBack(seconds) => self.now -= seconds,
            Step::Deliver(answers) => {
                for (channel, answer) in CHANNELS.into_iter().zip(answers) {
                    self.real.deliver(channel, answer, self.now).await;
                }
                self.now += 5;
            }
            Step::Advance => {
                self.real.advance(self.now).await;
                self.model.advance(self.now);
            }
            Step::Act(action, nth) => {
                let open = self.model.open_subjects();
                if let Some(subject) = open.iter().cycle().nth(nth).copied() {
                    let unheard = self.real.unheard(subject).await;
                    self.real.act(action, subject, self.now).await;
                    self.model.act(action, subject, &unheard, self.now);
                }
            }
        }
    }

    async fn tick(&mut self, seen: Seen) {
        if let Some(run) = self.real.claim(self.now).await {
            self.committed(&run, seen).await;
        }
        self.now += 60;
    }

    /// Commits a run that nobody has overtaken.
    async fn committed(&mut self, run: &real::Run, seen: Seen) -> Value {
        let answer = self.real.commit(run, seen, self.now).await;
        assert_eq!(answer["outcome"], "committed", "{answer}");
        self.model.observe(seen, self.now);
        answer
    }

    async fn repeat(&mut self, seen: Seen) {
        if let Some(run) = self.real.claim(self.now).await {
            let first = self.committed(&run, seen).await;
            assert_eq!(self.real.commit(&run, seen, self.now + 3).await, first);
        }
        self.now += 60;
    }

    async fn double(&mut self, seen: Seen) {
        if let Some(run) = self.real.claim(self.now).await {
            assert!(self.real.claim(self.now).await.is_none(), "busy");
            self.committed(&run, seen).await;
            assert!(self.real.claim(self.now).await.is_none(), "done");
        }
        self.now += 60;
    }

    async fn overtake(&mut self, late: Seen, next: Seen) {
        let overtaken = self.real.claim(self.now).await;
        self.now += 60;
        if let Some(run) = self.real.claim(self.now).await {
            self.committed(&run, next).await;
            if let Some(overtaken) = overtaken {
                let answer = self.real.commit(&overtaken, late, self.now).await;
                assert_eq!(answer["outcome"], "superseded", "{answer}");
            }
        }
        self.now += 60;
    }

    /// Everything is well again, for as long as the most careful rule asks.
    async fn recover(&mut self) {
        // Past every lease, and every slot that a clock set back has used.
        self.now += 600;
        for _ in 0..4 {
            self.tick([Verdict::Good; 3]).await;
        }
    }

    /// Alerts opened and resolved, and people were told, when the rules say.
    async fn agree(&self) {
        let alerts = self.real.rows(
            "select subject, opened_at, resolved_at, (
                 select jsonb_agg(jsonb_build_array(told_at, person ->> 'name'))
                 from ops.escalations
                 where alert = alerts.id and status = 'told' and person is not null
             ) as told
             from ops.alerts where rule in ('app_down', 'service_degraded')",
        );
        let alerts = alerts.await;
        let mut histories: Vec<_> = alerts.iter().map(|alert| self.history(alert)).collect();
        histories.sort();
        assert_eq!(histories, self.model.histories());
    }

    fn history(&self, alert: &Value) -> History {
        let mut subjects = SUBJECTS.into_iter();
        let told = alert["told"].as_array().into_iter().flatten();
        let told = told.map(|asked| {
            let name = asked[1].as_str().unwrap().to_owned();
            (self.real.second(&asked[0]).unwrap(), name)
        });
        let mut told: Vec<_> = told.collect();
        told.sort_unstable();
        History {
            subject: subjects.position(|name| alert["subject"] == name).unwrap(),
            opened: self.real.second(&alert["opened_at"]).unwrap(),
            resolved: self.real.second(&alert["resolved_at"]),
            told,
        }
    }

    /// What fires and was not answered has arrived, or is known to have been
    /// refused, on each of its channels.
    async fn nothing_is_lost(&self) {
        let silent = self.real.rows(
            "select rule, subject, wanted.channel, array_agg(message.status) as statuses
             from ops.alerts as alert
             cross join lateral ops.route_alert(alert, '{slack,email}') as wanted
             left join ops.outbox as message
                 on message.alert = alert.id and message.kind = 'firing' and message.channel = wanted.channel
             where alert.status = 'firing'
             group by alert.id, wanted.channel
             having not coalesce(bool_or(message.status = 'sent'), false)
                and not coalesce(bool_and(message.status = 'dead'), false)",
        );
        assert_eq!(silent.await, [] as [Value; 0], "nobody heard of these");
    }

    /// Whoever was told of a beginning was told of the end, once, and nobody else.
    async fn every_beginning_has_its_end(&self) {
        let waiting = "select kind, channel, facts ->> 'rule' as rule from ops.outbox where status = 'pending'";
        let waiting = self.real.rows(waiting).await;
        assert_eq!(waiting, [] as [Value; 0], "nothing will ever send these");
        let halves = format!(
            "select facts ->> 'rule' as rule, facts ->> 'subject' as subject, channel, audience,
                 array_agg(kind || ' ' || status order by created_at, kind) as messages
             from ({MESSAGES}) as message
             where not exists (
                 -- An email to the usual readers that names them tells them of the end as well.
                 select from ({MESSAGES}) as wider
                 where wider.alert = message.alert and wider.channel = message.channel
                     and wider.audience is null and wider.heard
                     and wider.facts #> '{{recipients,people}}' @> message.audience
             )
             group by alert, 1, 2, channel, audience
             having bool_or(heard)
                 <> (count(*) filter (where kind = 'resolved' and status in ('sent', 'dead') and stands_in_for is null) = 1)"
        );
        let halves = self.real.rows(&halves).await;
        assert_eq!(halves, [] as [Value; 0], "a beginning without its end");
        let taken_back = format!(
            "select message.id
             from ({MESSAGES}) as message
             where message.status = 'superseded' and not exists (
                 select from ({MESSAGES}) as ending
                 where ending.kind = 'resolved' and ending.status = 'sent'
                     and ending.alert = message.alert and ending.channel = message.channel
                     and ending.audience is not distinct from message.audience
             )"
        );
        for message in self.real.rows(&taken_back).await {
            let id = message["id"].as_str().unwrap();
            let received = self.real.received.contains(id);
            assert!(!received, "{id} was taken back after it was received");
        }
    }
}

/// The messages about alerts that are over, each with those who hear it, and whether it
/// is a beginning that they may have heard.
const MESSAGES: &str = "
    select message.*,
        kind in ('firing', 'escalation', 'reminder') and (
            message.status = 'sent'
            or message.status in ('superseded', 'dead') and exists (
                select from ops.deliveries as delivery
                where delivery.message = message.id and coalesce(delivery.outcome = 'retry', true)
            )
        ) as heard,
        case
        when channel = 'email' and message.facts #>> '{recipients,usual}' = 'false'
        then message.facts #> '{recipients,people}'
    end as audience
    from ops.outbox as message
    join ops.alerts as over on over.id = message.alert and over.status = 'resolved'";

/// Plays one schedule to its end.
async fn play(real: &mut Real, seed: u64) -> usize {
    let steps = schedule(seed);
    real.begin(seed).await;
    let mut play = Play {
        real,
        model: Reference::default(),
        now: 0,
    };
    for step in &steps {
        play.step(*step).await;
    }
    play.agree().await;
    play.now = play.real.drain(play.now).await;
    play.nothing_is_lost().await;
    play.recover().await;
    play.agree().await;
    play.real.drain(play.now).await;
    play.every_beginning_has_its_end().await;
    let alerts = play.model.histories().len();
    real.end().await;
    alerts
}

/// Plays every schedule whose turn it is; how many alerts opened.
async fn work(seeds: impl Iterator<Item = u64>) -> usize {
    let world = World::migrated().await;
    everybody(&world).await;
    let mut real = Real::new(&world).await;
    let mut alerts = 0;
    for seed in seeds {
        let played = AssertUnwindSafe(play(&mut real, seed)).catch_unwind();
        alerts += played.await.unwrap_or_else(|_| {
            panic!(
                "play it again with SEED={seed} SCHEDULES=1: {:?}",
                schedule(seed)
            )
        });
    }
    alerts
}

#[tokio::test]
async fn alerting_is_what_the_reference_says_whatever_happens() {
    let schedules = wanted("SCHEDULES").unwrap_or(SCHEDULES);
    let first = wanted("SEED").unwrap_or_else(any_seed);
    println!("{schedules} schedules from SEED={first} on");
    let seeds = |turn| (first..first + schedules).skip(turn).step_by(WORKERS);
    let alerts = join_all((0..WORKERS).map(|turn| work(seeds(turn)))).await;
    let alerts: usize = alerts.into_iter().sum();
    let least = usize::try_from(schedules).unwrap() / 2;
    assert!(
        alerts > least || schedules < SCHEDULES,
        "only {alerts} alerts: the schedules say little"
    );
}
