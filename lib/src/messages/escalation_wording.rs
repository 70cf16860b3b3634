//! The escalation of an alert in words: which level is asked, since when nobody
//! answers, and who was asked before. Whose turn it is, is decided in the database.

use super::{
    escalation_step::{Acknowledgement, AskedBefore, EndedAcknowledgement, Escalation, OnCall},
    message_facts::{Facts, Kind},
    quantities,
};

/// How many levels an escalation has.
const LEVELS: u64 = 4;

/// What happened, with what became of the last call for help.
pub(super) fn headline(facts: &Facts, happened: String) -> String {
    if let (Kind::Reminder, Some(acknowledgement)) = (facts.kind, &facts.acknowledgement) {
        return ending(acknowledgement, &happened);
    }
    let Some(escalation) = facts.escalation.as_ref() else {
        return happened;
    };
    match facts.kind {
        Kind::Escalation => unanswered(facts, escalation, happened),
        Kind::Reminder => reminded(facts, escalation, &happened),
        Kind::Firing | Kind::Resolved | Kind::Notice => happened,
    }
}

/// Whoever acknowledged it has little time left.
fn ending(Acknowledgement { by, until }: &Acknowledgement, happened: &str) -> String {
    match until {
        Some(until) => format!(
            "The acknowledgement by {by} ends at {}: {happened}",
            quantities::time(*until)
        ),
        None => format!("The acknowledgement by {by} ends soon: {happened}"),
    }
}

fn reminded(facts: &Facts, escalation: &Escalation, happened: &str) -> String {
    match (facts.since, escalation.at) {
        (Some(since), Some(at)) => {
            format!(
                "Still firing, for {}: {happened}",
                quantities::between(since, at)
            )
        }
        _ => format!("Still firing: {happened}"),
    }
}

fn unanswered(facts: &Facts, escalation: &Escalation, happened: String) -> String {
    if escalation.acknowledged.is_some() {
        return format!("Acknowledged and not resolved: {happened}");
    }
    let happened = match escalation.others {
        0 => happened,
        others => format!(
            "{happened}, and {}",
            quantities::count(others, "more alert")
        ),
    };
    match (facts.opened_at, escalation.at) {
        (Some(opened), Some(at)) if at.duration_since(opened).as_secs() >= 60 => {
            let waited = quantities::between(opened, at);
            let how = if escalation.answered {
                "Not resolved"
            } else {
                "Unanswered"
            };
            format!("{how} for {waited}: {happened}")
        }
        _ => happened,
    }
}

/// Who is asked, at which level, and whom others have been.
pub(super) fn fields(facts: &Facts) -> [(&'static str, Option<String>); 5] {
    let escalation = facts
        .escalation
        .as_ref()
        .filter(|_| facts.kind != Kind::Resolved);
    [
        ("Level", escalation.and_then(level)),
        ("Asked", asked(facts)),
        ("On call", escalation.and_then(on_call)),
        ("Told before", escalation.and_then(asked_before)),
        (
            "Acknowledged",
            escalation
                .and_then(|escalation| escalation.acknowledged.as_ref())
                .map(ended)
                .or_else(|| facts.acknowledgement.as_ref().map(in_force)),
        ),
    ]
}

fn level(escalation: &Escalation) -> Option<String> {
    let level = escalation.level?;
    let passed: Vec<String> = escalation.passed.iter().map(u64::to_string).collect();
    let instead = match passed.as_slice() {
        [] => String::new(),
        [one] => format!(", because level {one} has nobody to ask now"),
        [all @ .., last] => format!(
            ", because levels {} and {last} have nobody to ask now",
            all.join(", ")
        ),
    };
    Some(format!("{level} of {LEVELS}{instead}"))
}

fn asked(facts: &Facts) -> Option<String> {
    let people: Vec<String> = facts
        .recipients
        .people
        .iter()
        .map(super::recipients::Person::described)
        .collect();
    let open = facts.kind.is_open();
    (open && !people.is_empty()).then(|| people.join(", "))
}

fn asked_before(escalation: &Escalation) -> Option<String> {
    let earlier: Vec<String> = escalation
        .earlier
        .iter()
        .map(|AskedBefore { name, level, at }| {
            let level = level.map(|level| format!("level {level}"));
            let at = at.map(quantities::time);
            let when: Vec<String> = [level, at].into_iter().flatten().collect();
            if when.is_empty() {
                name.clone()
            } else {
                format!("{name} ({})", when.join(", "))
            }
        })
        .collect();
    (!earlier.is_empty()).then(|| earlier.join("\n"))
}

/// A line for each rotation.
fn on_call(escalation: &Escalation) -> Option<String> {
    let lines: Vec<String> = escalation
        .on_call
        .iter()
        .map(
            |OnCall {
                 rotation,
                 name,
                 until,
                 next,
             }| {
                let name = name.as_deref().unwrap_or("nobody");
                let until = until.map_or_else(String::new, |until| {
                    let next = next.as_deref().unwrap_or("nobody");
                    format!(" until {}, then {next}", quantities::time(until))
                });
                format!("{rotation}: {name}{until}")
            },
        )
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn ended(EndedAcknowledgement { by, at }: &EndedAcknowledgement) -> String {
    let at = at.map_or_else(String::new, |at| format!(", {}", quantities::time(at)));
    format!("by {by}{at}; that has run out")
}

fn in_force(Acknowledgement { by, until }: &Acknowledgement) -> String {
    let until = until.map_or_else(String::new, |until| {
        format!(" until {}", quantities::time(until))
    });
    format!("by {by}{until}")
}
