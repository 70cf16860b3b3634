//! The ladder in words: which level is asked, since when nobody answers, and
//! who was told before. Whose turn it is, is decided in the database.

use super::{
    audience::{Acknowledged, Escalation, Held, Told},
    facts::{Facts, Kind},
    figures,
};

/// The levels that the matrix has.
const LEVELS: u64 = 4;

/// What happened, with what became of the last call for help.
pub(super) fn headline(facts: &Facts, happened: String) -> String {
    let Some(escalation) = facts.escalation.as_ref() else {
        return happened;
    };
    match facts.kind {
        Kind::Escalation => unanswered(facts, escalation, happened),
        Kind::Reminder => reminded(facts, escalation, &happened),
        Kind::Firing | Kind::Resolved | Kind::Notice => happened,
    }
}

fn reminded(facts: &Facts, escalation: &Escalation, happened: &str) -> String {
    match (facts.since, escalation.at) {
        (Some(since), Some(at)) => {
            format!(
                "Still firing, for {}: {happened}",
                figures::between(since, at)
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
        others => format!("{happened}, and {}", figures::count(others, "more alert")),
    };
    match (facts.opened_at, escalation.at) {
        (Some(opened), Some(at)) if at.duration_since(opened).as_secs() >= 60 => {
            let waited = figures::between(opened, at);
            format!("Unanswered for {waited}: {happened}")
        }
        _ => happened,
    }
}

/// Who is asked, at which level, and whom others have been.
pub(super) fn fields(facts: &Facts) -> [(&'static str, Option<String>); 4] {
    let escalation = facts
        .escalation
        .as_ref()
        .filter(|_| facts.kind != Kind::Resolved);
    [
        ("Level", escalation.and_then(level)),
        ("Asked", asked(facts)),
        ("Told before", escalation.and_then(told)),
        (
            "Acknowledged",
            escalation
                .and_then(|escalation| escalation.acknowledged.as_ref())
                .map(acknowledged)
                .or_else(|| facts.held.as_ref().map(held)),
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
        .map(super::audience::Person::described)
        .collect();
    let told = facts.kind.is_open();
    (told && !people.is_empty()).then(|| people.join(", "))
}

fn told(escalation: &Escalation) -> Option<String> {
    let told: Vec<String> = escalation
        .told
        .iter()
        .map(|Told { name, level, at }| {
            let level = level.map(|level| format!("level {level}"));
            let at = at.map(figures::time);
            let when: Vec<String> = [level, at].into_iter().flatten().collect();
            if when.is_empty() {
                name.clone()
            } else {
                format!("{name} ({})", when.join(", "))
            }
        })
        .collect();
    (!told.is_empty()).then(|| told.join("\n"))
}

fn acknowledged(Acknowledged { by, at }: &Acknowledged) -> String {
    let at = at.map_or_else(String::new, |at| format!(", {}", figures::time(at)));
    format!("by {by}{at}; that has run out")
}

fn held(Held { by, until }: &Held) -> String {
    let until = until.map_or_else(String::new, |until| {
        format!(" until {}", figures::time(until))
    });
    format!("by {by}{until}")
}
