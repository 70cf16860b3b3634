//! Changes of traffic through random schedules of faults, against the local stand-in: never
//! two changes by one command, and never a lie about what serves.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use local_supabase::{
    chance::Dice,
    platforms::{
        stand_in::{Asked as Request, StandIn, Trouble},
        vercel::{self as platform, State, deployments::Deployment, promotions::Course},
    },
};
use ops::platforms::{api::Pace, vercel::Vercel};
use outside::outbound::Outbound;
use tokio::sync::Notify;

use super::{Kind, Outcome, Patience, Report, Scene, Serving, Wanted, change, report::Asked};

const SCHEDULES: u64 = 500;
const DOMAINS: [&str; 2] = ["wine.example", "www.wine.example"];
const TOKEN: &str = "token";

const PACE: Pace = Pace {
    request: Duration::from_millis(300),
    patience: Duration::from_millis(1),
};

const PATIENCE: Patience = Patience {
    every: Duration::from_millis(1),
    unseen: Duration::from_millis(20),
    unsettled: Duration::from_millis(60),
};

/// What happens as the platform is asked the n-th time.
#[derive(Clone, Debug)]
enum Event {
    Trouble(Trouble),
    /// The command is killed as the request hangs, done or not.
    Kill {
        after: bool,
    },
    /// Somebody else changes what serves.
    Others(&'static str, &'static str),
    /// The project leaves a field out from now on.
    Omits(&'static str),
}

/// What one command is to go through.
#[derive(Clone, Debug)]
struct Schedule {
    kind: Kind,
    events: BTreeMap<u32, Event>,
    course: Course,
    is_hobby: bool,
    was_pinned: bool,
}

/// What a command came to.
struct Passage {
    /// None where it was killed.
    report: Option<Report>,
    /// What the command asked for, as it reached the platform.
    writes: usize,
    /// What it was that the platform last told of each domain, as it was asked.
    told: BTreeMap<String, String>,
}

fn event(dice: &mut Dice) -> Event {
    let status = |status| {
        Event::Trouble(Trouble::Status {
            status,
            retry_after: None,
        })
    };
    let events = [
        status(402),
        status(409),
        status(422),
        status(429),
        status(500),
        Event::Trouble(Trouble::CutBefore),
        Event::Trouble(Trouble::CutAfter),
        Event::Trouble(Trouble::HangBefore),
        Event::Trouble(Trouble::HangAfter),
        Event::Trouble(Trouble::OddAfter),
        Event::Kill { after: false },
        Event::Kill { after: true },
        Event::Others("promote", "dpl_4"),
        Event::Others("rollback", "dpl_2"),
        Event::Others("promote", "dpl_2"),
        Event::Others("rollback", "dpl_1"),
        Event::Omits("autoAssignCustomDomains"),
        Event::Omits("lastAliasRequest"),
    ];
    dice.one_of(&events).clone()
}

fn schedule(seed: u64) -> Schedule {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let count = dice.roll(4);
    // The look, the look again and the request are the first nine of what is asked.
    let events = (0..count).map(|_| (u32::try_from(dice.roll(14)).unwrap(), event(&mut dice)));
    let events = events.collect();
    let kinds = [Kind::Promote, Kind::Rollback, Kind::Rollback, Kind::Release];
    let kind = *dice.one_of(&kinds);
    Schedule {
        kind,
        events,
        course: Course {
            readings: u32::try_from(dice.roll(4)).unwrap(),
            left_behind: usize::try_from(dice.roll(6)).unwrap().saturating_sub(4),
        },
        is_hobby: dice.roll(5) == 0,
        was_pinned: kind == Kind::Release,
    }
}

async fn stand_in(schedule: &Schedule) -> StandIn<State> {
    let server = platform::start(None, TOKEN).await.unwrap();
    let mut state = server.state();
    let former = [1, 2, 3, 4].map(|n| Deployment::served(&format!("dpl_{n}"), n, &format!("c{n}")));
    let staged = Deployment::staged("dpl_5", 5, "c5");
    state.deployments.all = former.into_iter().chain([staged]).collect();
    state.serve("prj_1", "wine", &DOMAINS, "dpl_4");
    state.promotions.is_pinned = schedule.was_pinned;
    state.promotions.is_hobby = schedule.is_hobby;
    state.promotions.course = schedule.course;
    drop(state);
    server
}

/// Lets a schedule happen; `killed` hears when the command is to end.
fn follow(
    server: &StandIn<State>,
    schedule: Schedule,
    killed: Arc<Notify>,
    told: Arc<Mutex<BTreeMap<String, String>>>,
) {
    let mut asked = 0;
    server.script(move |state, request| {
        let event = schedule.events.get(&asked).cloned();
        asked += 1;
        let trouble = match event {
            None => None,
            Some(Event::Trouble(trouble)) => Some(trouble),
            Some(Event::Kill { after }) => {
                killed.notify_one();
                Some(if after {
                    Trouble::HangAfter
                } else {
                    Trouble::HangBefore
                })
            }
            Some(Event::Others(kind, to)) => {
                state.promotions.take(kind, to);
                None
            }
            Some(Event::Omits(field)) => {
                state.promotions.omitted.insert(field);
                None
            }
        };
        if let ("GET", [_, "aliases", domain]) = (request.route().0, &request.route().1[..])
            && let Some(holder) = state.promotions.aliases.get(*domain)
        {
            told.lock()
                .unwrap()
                .insert((*domain).to_owned(), holder.clone());
        }
        trouble
    });
}

/// Goes through a schedule with one command.
async fn go_through(
    schedule: &Schedule,
    server: &StandIn<State>,
    outbound: &Arc<Outbound>,
    pace: Pace,
) -> Passage {
    let killed = Arc::new(Notify::new());
    let told = Arc::default();
    follow(
        server,
        schedule.clone(),
        Arc::clone(&killed),
        Arc::clone(&told),
    );
    let vercel = client(server, outbound, pace);
    let command = async {
        let seen = Scene::look(&vercel, "wine").await.ok()?;
        let deployment = match schedule.kind {
            Kind::Promote => "dpl_5",
            Kind::Rollback => "dpl_3",
            Kind::Release => seen.alone()?,
        };
        let wanted = Wanted {
            kind: schedule.kind,
            deployment: deployment.to_owned(),
            reason: "a test".to_owned(),
        };
        Some(change::make(&vercel, wanted, &seen, PATIENCE).await)
    };
    let report = tokio::select! {
        report = command => report,
        () = killed.notified() => None,
    };
    let is_write = |request: &&Request| request.method == "POST";
    Passage {
        report,
        writes: server.asked().iter().filter(is_write).count(),
        told: Arc::try_unwrap(told).map_or_else(
            |told| told.lock().unwrap().clone(),
            |told| told.into_inner().unwrap(),
        ),
    }
}

fn client(server: &StandIn<State>, outbound: &Arc<Outbound>, pace: Pace) -> Vercel {
    let base = server.url().parse().unwrap();
    Vercel::new(Arc::clone(outbound), base, TOKEN.into(), None).at_pace(pace)
}

/// Compares what a command reports with what the platform has.
fn compare(seed: u64, schedule: &Schedule, passage: &Passage) -> Option<Outcome> {
    let context = || format!("seed {seed}: {schedule:?}");
    assert!(
        passage.writes <= 1,
        "{} changes were asked for; {}",
        passage.writes,
        context()
    );
    let report = passage.report.as_ref()?;
    assert_eq!(
        passage.writes,
        usize::from(!matches!(report.asked, Asked::Not(_))),
        "{report:?}; {}",
        context()
    );
    let words = report.words();
    let Ok(after) = &report.after else {
        assert_eq!(report.outcome(), Outcome::Unknown);
        assert!(words.contains("cannot be read"), "{words}");
        return Some(Outcome::Unknown);
    };
    for (domain, holder) in after.holders() {
        let truth = passage.told.get(domain).map(String::as_str);
        assert_eq!(holder, truth, "{domain} in {words}; {}", context());
    }
    let is_wanted = after.serving() == Serving::One(&report.wanted.deployment);
    match report.outcome() {
        Outcome::Done => assert!(is_wanted, "{words}; {}", context()),
        Outcome::Split => assert_eq!(after.serving(), Serving::Several),
        Outcome::Elsewhere => assert!(!is_wanted, "{words}; {}", context()),
        Outcome::Unchanged => assert!(!is_wanted || report.wanted.kind == Kind::Release),
        Outcome::Unknown => panic!("what serves was read; {}", context()),
    }
    Some(report.outcome())
}

/// A look after everything tells what serves, and a job that was left open is seen.
async fn look_after(seed: u64, server: &StandIn<State>, outbound: &Arc<Outbound>) {
    server.script(|_, _| None);
    server.state().promotions.omitted.clear();
    let patient = client(server, outbound, Pace::default());
    let scene = Scene::look(&patient, "wine").await.unwrap();
    let state = server.state();
    for (domain, holder) in scene.holders() {
        assert_eq!(
            holder,
            state.promotions.aliases.get(domain).map(String::as_str),
            "seed {seed}"
        );
    }
}

async fn one(seed: u64, outbound: Arc<Outbound>) -> Option<Outcome> {
    let schedule = schedule(seed);
    let server = stand_in(&schedule).await;
    let passage = go_through(&schedule, &server, &outbound, PACE).await;
    let outcome = compare(seed, &schedule, &passage);
    look_after(seed, &server, &outbound).await;
    outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn no_schedule_of_faults_makes_two_changes_or_a_lie() {
    let outbound = Arc::new(Outbound::default());
    let outcomes: Vec<_> = stream::iter(0..SCHEDULES)
        .map(|seed| tokio::spawn(one(seed, Arc::clone(&outbound))))
        .buffer_unordered(16)
        .map(Result::unwrap)
        .collect()
        .await;
    let count = |outcome| outcomes.iter().filter(|one| **one == outcome).count();
    for outcome in [
        Some(Outcome::Done),
        Some(Outcome::Unchanged),
        Some(Outcome::Split),
        Some(Outcome::Elsewhere),
        Some(Outcome::Unknown),
        None,
    ] {
        println!("{outcome:?}: {}", count(outcome));
        assert!(count(outcome) > 0, "no schedule came to {outcome:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_is_not_asked_again_and_what_serves_is_told() {
    let schedule = Schedule {
        kind: Kind::Rollback,
        events: BTreeMap::from([(8, Event::Trouble(Trouble::CutAfter))]),
        course: Course::default(),
        is_hobby: false,
        was_pinned: false,
    };
    let server = stand_in(&schedule).await;
    let passage = go_through(&schedule, &server, &Arc::default(), Pace::default()).await;
    let report = passage.report.as_ref().unwrap();
    assert!(matches!(report.asked, Asked::Uncertain(_)), "{report:?}");
    assert_eq!((passage.writes, report.outcome()), (1, Outcome::Done));
    assert!(
        report.words().contains("dpl_3 serves production now"),
        "{report:?}"
    );
}

#[tokio::test]
async fn what_changed_since_the_choice_is_left_alone() {
    let schedule = Schedule {
        kind: Kind::Rollback,
        events: BTreeMap::from([(4, Event::Others("promote", "dpl_2"))]),
        course: Course::default(),
        is_hobby: false,
        was_pinned: false,
    };
    let server = stand_in(&schedule).await;
    let passage = go_through(&schedule, &server, &Arc::default(), Pace::default()).await;
    let report = passage.report.as_ref().unwrap();
    assert!(matches!(report.asked, Asked::Not(_)), "{report:?}");
    assert_eq!(passage.writes, 0);
}
