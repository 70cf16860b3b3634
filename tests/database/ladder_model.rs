//! The ladder against a model that a reader can check by eye: whatever is called
//! when, everybody whose time has come is told at the first call at which the
//! alert fires and is not silenced, and once.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::{
    people::{action, advance, everybody, raise, resolve},
    support::{World, array},
};

/// Schedules that are tried; each is a day of its own.
const SCHEDULES: u64 = 60;
const STEPS: u64 = 20;

/// What can happen between two looks at the ladder.
#[derive(Debug, Clone, Copy)]
enum Event {
    Advance,
    AdvanceTwice,
    Acknowledge,
    Snooze,
    Unacknowledge,
    Silence,
    Resolve,
}

/// Each as often as its weight says.
const EVENTS: [(Event, usize); 7] = [
    (Event::Advance, 10),
    (Event::AdvanceTwice, 5),
    (Event::Acknowledge, 3),
    (Event::Snooze, 1),
    (Event::Unacknowledge, 3),
    (Event::Silence, 2),
    (Event::Resolve, 1),
];

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn event(&mut self) -> Event {
        let weighted: Vec<Event> = EVENTS
            .into_iter()
            .flat_map(|(event, weight)| std::iter::repeat_n(event, weight))
            .collect();
        let sides = u64::try_from(weighted.len()).unwrap();
        weighted[usize::try_from(self.roll(sides)).unwrap()]
    }
}

/// Minutes after the alert opened at which each role is due.
const DUE: [(&str, u64); 8] = [
    ("on_call_primary", 0),
    ("on_call_secondary", 15),
    ("engineering_manager", 30),
    ("senior_engineer", 30),
    ("cto", 60),
    ("vendor_support", 60),
    ("executive", 120),
    ("external_consultant", 120),
];

/// The alert as the model has it, in minutes since it opened.
#[derive(Default)]
struct Model {
    acknowledged_until: Option<u64>,
    silenced_until: u64,
    resolved: bool,
    told: BTreeMap<String, u64>,
}

impl Model {
    fn advance(&mut self, now: u64) {
        if self.acknowledged_until.is_some_and(|until| until <= now) {
            self.acknowledged_until = None;
        }
        if self.resolved || self.acknowledged_until.is_some() || self.silenced_until > now {
            return;
        }
        for (role, due) in DUE {
            if due <= now {
                self.told.entry(role.to_owned()).or_insert(now);
            }
        }
    }

    fn apply(&mut self, event: Event, now: u64) {
        match event {
            Event::Advance | Event::AdvanceTwice => self.advance(now),
            Event::Resolve => {
                self.resolved = true;
            }
            _ if self.resolved => {}
            Event::Acknowledge => self.acknowledged_until = Some(now + 60),
            Event::Snooze => self.acknowledged_until = Some(now + 90),
            Event::Unacknowledge => self.acknowledged_until = None,
            Event::Silence => self.silenced_until = self.silenced_until.max(now + 20),
        }
    }
}

/// Does to the database what happened to the model.
async fn perform(world: &World, alert: &str, subject: &str, event: Event, now: Timestamp) {
    let later = |minutes: i64| (now + SignedDuration::from_mins(minutes)).to_string();
    let now = now.to_string();
    let (what, over) = match event {
        Event::Advance => {
            advance(world, &now).await;
            return;
        }
        Event::AdvanceTwice => {
            advance(world, &now).await;
            assert_eq!(advance(world, &now).await, 0, "{subject} at {now}");
            return;
        }
        Event::Resolve => return resolve(world, &now, subject).await,
        Event::Acknowledge => ("acknowledge", json!({})),
        Event::Snooze => ("snooze", json!({"p_until": later(90)})),
        Event::Unacknowledge => ("unacknowledge", json!({})),
        Event::Silence => (
            "silence",
            json!({"p_until": later(20), "p_note": "planned"}),
        ),
    };
    world
        .call("ops_act_on_alert", action(alert, what, &now, &over))
        .await;
}

#[tokio::test]
async fn the_ladder_is_where_the_model_is_whatever_is_called_when() {
    let world = World::migrated().await;
    everybody(&world).await;
    let start: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
    let mut told = 0;
    for schedule in 0..SCHEDULES {
        let mut dice = Dice(schedule);
        let opened = start + SignedDuration::from_hours(24 * i64::try_from(schedule).unwrap());
        let at = |minute: u64| opened + SignedDuration::from_mins(i64::try_from(minute).unwrap());
        let subject = format!("schedule-{schedule}");
        let alert = raise(&world, &opened.to_string(), "critical", &subject).await;
        let mut model = Model::default();
        model.advance(0);
        let mut minute = 0;
        let mut history = Vec::new();
        for _ in 0..STEPS {
            // Calls come doubled, late, or at the same minute.
            minute += dice.roll(16);
            let event = dice.event();
            history.push((minute, event));
            model.apply(event, minute);
            perform(&world, &alert, &subject, event, at(minute)).await;
        }
        let found = world
            .rows(&format!(
                "select person ->> 'name' as name,
                        (extract(epoch from told_at - '{opened}') / 60)::integer as minute
                 from ops.escalations where alert = '{alert}' and status = 'told'"
            ))
            .await;
        let found: BTreeMap<String, u64> = array(&found)
            .iter()
            .map(|row| {
                let name = row["name"].as_str().unwrap().to_owned();
                (name, row["minute"].as_u64().unwrap())
            })
            .collect();
        assert_eq!(found, model.told, "schedule {schedule}: {history:?}");
        told += found.len();
        resolve(&world, &at(minute).to_string(), &subject).await;
    }
    assert!(
        told > 200,
        "only {told} steps were told: the schedules say little"
    );
}
