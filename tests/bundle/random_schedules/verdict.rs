//! Judges what arrived by what was really so. It reads the wire's log and the schedule's
//! record, and shares no rule with what it judges: a message is about the alert whose
//! opening time it carries, and the record says what began then.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    record::{End, Episode, Record, Span, Thing},
    wire::{Attempt, Claim, Log, Row},
    words::{self, Word},
};

/// What people read. A machine that was told is nobody who was told.
const PEOPLE: [&str; 3] = ["slack", "email", "discord"];

/// How long something may go on before somebody has to be told, where nothing is in the
/// way, and in how many ticks.
const PATIENCE: (SignedDuration, usize) = (SignedDuration::from_mins(10), 3);

/// What was counted, and what is wrong.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) alerts: usize,
    pub(super) arrived: usize,
    /// Messages that arrived again because the answer to them was lost.
    pub(super) repeated: usize,
    pub(super) lost: Vec<String>,
    pub(super) doubled: Vec<String>,
    pub(super) unpaired: Vec<String>,
    pub(super) untrue: Vec<String>,
}

impl Verdict {
    pub(super) fn faults(&self) -> Vec<String> {
        let kinds = [
            ("lost", &self.lost),
            ("doubled", &self.doubled),
            ("unpaired", &self.unpaired),
            ("untrue", &self.untrue),
        ];
        let faults = kinds
            .into_iter()
            .flat_map(|(kind, faults)| faults.iter().map(move |fault| format!("{kind}: {fault}")));
        faults.collect()
    }
}

/// One row of the outbox that arrived, with what was said of it.
struct Arrival<'a> {
    attempt: &'a Attempt,
    claim: &'a Claim,
    row: &'a Row,
    /// Whether it came with others, as one message.
    together: bool,
    /// Nothing, where a message shows but the worst of many.
    word: Option<&'a Word>,
    addresses: Vec<String>,
}

impl Arrival<'_> {
    fn is_end(&self) -> bool {
        self.row.kind == "resolved"
    }

    fn is_beginning(&self) -> bool {
        matches!(self.row.kind.as_str(), "firing" | "escalation" | "reminder")
    }

    /// A copy of what another channel did not take.
    fn is_copy(&self) -> bool {
        self.row.facts["standsInFor"]
            .as_array()
            .is_some_and(|of| !of.is_empty())
    }

    /// Whether it also calls for other alerts.
    fn speaks_for_others(&self) -> bool {
        self.row.facts["escalation"]["others"]
            .as_u64()
            .unwrap_or_default()
            > 0
    }

    fn describe(&self) -> String {
        let said = self.word.map_or("(not shown)".to_owned(), |word| {
            format!("{}: {}", word.label, word.headline)
        });
        format!(
            "{} {} {} “{said}” claimed {} arrived {} to {:?}",
            self.claim.channel,
            self.row.kind,
            &self.row.id[..8],
            self.claim.at.strftime("%d %H:%M:%S"),
            self.attempt.at.strftime("%d %H:%M:%S"),
            self.addresses,
        )
    }
}

pub(super) struct Judge<'a> {
    record: &'a Record,
    log: &'a Log,
    verdict: Verdict,
}

impl<'a> Judge<'a> {
    pub(super) fn new(record: &'a Record, log: &'a Log) -> Self {
        Self {
            record,
            log,
            verdict: Verdict::default(),
        }
    }

    /// What still goes on, may be told and was told to nobody by then.
    pub(super) fn untold(mut self, low: bool) -> Vec<String> {
        let words = read(self.log);
        let arrivals = arrivals(self.log, &words);
        let last = self.log.claims.last().map(|claim| claim.at);
        for (token, thing) in &self.record.things {
            let Some(open) = thing.open().filter(|_| (thing.severity == "low") == low) else {
                continue;
            };
            let now = last.unwrap();
            let answered = open.answers.iter().any(|answer| answer.holds(now, now));
            if !answered && !self.record.is_silent(token, now, now) && !was_told(&arrivals, open) {
                self.verdict
                    .lost
                    .push(format!("{token}, open since {}", open.opened.until));
            }
        }
        self.verdict.lost
    }

    pub(super) fn judge(mut self) -> Verdict {
        let words = read(self.log);
        let arrivals = arrivals(self.log, &words);
        self.verdict.arrived = self
            .log
            .attempts
            .iter()
            .filter(|attempt| attempt.arrived)
            .count();
        self.verdict.alerts = self
            .record
            .things
            .values()
            .map(|thing| thing.episodes.len())
            .sum();
        self.repetitions();
        for arrival in &arrivals {
            self.truth(arrival, &arrivals);
        }
        self.pairs(&arrivals);
        self.patience(&arrivals);
        self.incidents(&arrivals);
        self.verdict
    }

    /// The same message arrives twice only if the sender could not know that it had
    /// arrived: the answer was lost, or the sender died before it had settled.
    fn repetitions(&mut self) {
        let mut by_parcel: BTreeMap<Vec<&str>, Vec<&Attempt>> = BTreeMap::new();
        for attempt in self.log.attempts.iter().filter(|attempt| attempt.arrived) {
            let claim = &self.log.claims[attempt.claim];
            if let Some(rows) = claim.parcels.get(attempt.parcel) {
                let mut parcel = vec![claim.channel];
                parcel.extend(rows.iter().map(|row| row.id.as_str()));
                by_parcel.entry(parcel).or_default().push(attempt);
            } else {
                self.verdict
                    .doubled
                    .push(format!("sent and not claimed: {}", attempt.body));
            }
        }
        for (parcel, attempts) in &by_parcel {
            self.verdict.repeated += attempts.len() - 1;
            let known =
                |attempt: &&&Attempt| attempt.answered && self.log.claims[attempt.claim].settled;
            if attempts.iter().filter(known).count() > 1
                || attempts[..attempts.len() - 1]
                    .iter()
                    .any(|attempt| known(&attempt))
            {
                self.verdict
                    .doubled
                    .push(format!("{parcel:?}: {}", attempts[0].body["text"]));
            }
            if attempts
                .iter()
                .any(|attempt| said(&attempt.body) != said(&attempts[0].body))
            {
                self.verdict
                    .doubled
                    .push(format!("{parcel:?} in other words"));
            }
        }
        let mut by_row: BTreeMap<&str, BTreeSet<&Vec<&str>>> = BTreeMap::new();
        for parcel in by_parcel.keys() {
            for row in &parcel[1..] {
                by_row.entry(row).or_default().insert(parcel);
            }
        }
        for (row, parcels) in by_row.into_iter().filter(|(_, parcels)| parcels.len() > 1) {
            self.verdict
                .doubled
                .push(format!("{row} in several messages: {parcels:?}"));
        }
    }

    /// Whether somebody may have read a row before that claim: it was claimed, and not
    /// known to have been refused or left.
    fn may_have_arrived(&self, row: &str, before: &Claim) -> bool {
        let claims = self
            .log
            .claims
            .iter()
            .take_while(|claim| claim.id != before.id);
        let mut holding =
            claims.filter(|claim| claim.parcels.iter().flatten().any(|held| held.id == row));
        holding.any(|claim| {
            let mut settled = self.log.settled.iter();
            let settled = settled.rfind(|settled| settled.claim == claim.id && settled.row == row);
            settled.is_none_or(|settled| !matches!(settled.outcome.as_str(), "refused" | "untried"))
        })
    }

    fn thing(&self, row: &Row) -> Option<(&'a str, &'a Thing)> {
        let about = [&row.facts["title"], &row.facts["subject"]]
            .map(|text| text.as_str().unwrap_or_default());
        let mut things = self.record.things.iter();
        let slow = row.facts["rule"]
            .as_str()
            .is_some_and(|rule| rule.ends_with("_slow"));
        let (token, thing) = things
            .find(|(token, _)| !slow && about.iter().any(|text| text.contains(token.as_str())))?;
        Some((token, thing))
    }

    fn truth(&mut self, arrival: &Arrival, all: &[Arrival]) {
        let Some((token, thing)) = self.thing(arrival.row) else {
            return;
        };
        let untrue = |why: &str| format!("{why}: {}", arrival.describe());
        let Some(episode) = episode_of(arrival.row, thing) else {
            self.verdict.untrue.push(untrue("nothing began then"));
            return;
        };
        if let Some(word) = arrival.word {
            let over = matches!(word.label.as_str(), "Resolved" | "Closed" | "Not watched");
            let mistaken = match arrival.row.kind.as_str() {
                // The first message, as it is to read now.
                "change" if over => episode
                    .ended
                    .is_none_or(|(end, _)| end.from > arrival.attempt.at),
                "change" => episode
                    .ended
                    .is_some_and(|(end, _)| end.until < arrival.claim.at),
                _ => over != arrival.is_end(),
            };
            if mistaken || !word.headline.contains(token) {
                self.verdict.untrue.push(untrue("it says something else"));
            }
        }
        if arrival.is_end() {
            self.end_is_true(arrival, thing, episode);
        } else if arrival.is_beginning() {
            self.beginning_is_true(arrival, token, episode, all);
        }
    }

    fn end_is_true(&mut self, arrival: &Arrival, thing: &Thing, episode: &Episode) {
        let untrue = |why: &str| format!("{why}: {}", arrival.describe());
        let Some((at, how)) = episode
            .ended
            .filter(|(at, _)| at.from <= arrival.attempt.at)
        else {
            self.verdict.untrue.push(untrue("it is not over"));
            return;
        };
        let by_hand = arrival.word.is_some_and(|word| word.label == "Closed");
        if arrival.word.is_some() && by_hand != (how == End::ByHand) {
            self.verdict.untrue.push(untrue("it ended otherwise"));
        }
        let again = thing.episodes.iter().find(|later| {
            later.opened.from > at.from
                && later.opened.until < arrival.claim.at
                && later
                    .ended
                    .is_none_or(|(end, _)| end.from > arrival.attempt.at)
        });
        if again.is_some()
            && how == End::Good
            && !self.may_have_arrived(&arrival.row.id, arrival.claim)
        {
            self.verdict.untrue.push(untrue("it has begun again"));
        }
    }

    fn beginning_is_true(
        &mut self,
        arrival: &Arrival,
        token: &str,
        episode: &Episode,
        all: &[Arrival],
    ) {
        let untrue = |why: &str| format!("{why}: {}", arrival.describe());
        let claimed = arrival.claim.at;
        let earlier = self.may_have_arrived(&arrival.row.id, arrival.claim);
        let stands = arrival.speaks_for_others();
        let headline = arrival.word.map_or("", |word| word.headline.as_str());
        let warns = headline.starts_with("The acknowledgement by");

        // A group that may have arrived is sent again whole.
        let whole = earlier && arrival.together;
        if episode.ended.is_some_and(|(end, _)| end.until < claimed) && !stands && !whole {
            self.verdict.untrue.push(untrue("it is over"));
        }
        if episode.opened.from > arrival.attempt.at {
            self.verdict.untrue.push(untrue("it has not begun"));
        }
        let answered = episode
            .answers
            .iter()
            .any(|answer| answer.holds(claimed, claimed));
        if answered && !warns && !stands && !earlier {
            self.verdict.untrue.push(untrue("somebody is at it"));
        }
        if warns
            && !episode.answers.iter().any(|answer| {
                answer.given.from < claimed && answer.ended.is_none_or(|end| end.until > claimed)
            })
        {
            self.verdict.untrue.push(untrue("nobody is at it"));
        }
        if headline.starts_with("Unanswered for") && !stands {
            let at = time(&arrival.row.facts["escalation"]["at"]).unwrap();
            if episode.answers.iter().any(|answer| answer.given.until < at) {
                self.verdict.untrue.push(untrue("somebody has answered"));
            }
        }
        if self.record.is_silent(token, claimed, claimed) && !warns && !stands && !earlier {
            self.verdict.untrue.push(untrue("it is silenced"));
        }
        let alert = &arrival.row.facts["alert"];
        let ended = all.iter().any(|end| {
            end.is_end()
                && end.row.facts["alert"] == *alert
                && end.claim.channel == arrival.claim.channel
                && end.attempt.at < arrival.attempt.at
                && end
                    .addresses
                    .iter()
                    .any(|address| arrival.addresses.contains(address))
        });
        if ended && !whole && !stands {
            self.verdict.unpaired.push(untrue("after its end"));
        }
        self.asked_are_on_duty(arrival);
    }

    fn asked_are_on_duty(&mut self, arrival: &Arrival) {
        let facts = &arrival.row.facts;
        let Some(at) = time(&facts["escalation"]["at"]) else {
            return;
        };
        // Whoever acknowledged is asked first, on duty or not.
        if facts["escalation"]["level"].is_null() {
            return;
        }
        for person in facts["recipients"]["people"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let name = person["name"].as_str().unwrap();
            if !self.record.is_on_duty(name, at) {
                let fault = format!("{name} is not on duty at {at}: {}", arrival.describe());
                self.verdict.untrue.push(fault);
            }
        }
    }

    /// Whoever was sent a beginning was sent one end, and nobody else.
    fn pairs(&mut self, arrivals: &[Arrival]) {
        let mut audiences: BTreeMap<(String, &str, &str), [Vec<&Arrival>; 2]> = BTreeMap::new();
        for arrival in arrivals
            .iter()
            .filter(|arrival| self.thing(arrival.row).is_some())
        {
            let alert = arrival.row.facts["alert"].as_str().unwrap();
            let kind = match (arrival.is_beginning(), arrival.is_end()) {
                (true, _) => 0,
                (_, true) => 1,
                _ => continue,
            };
            for address in &arrival.addresses {
                let audience = (alert.to_owned(), arrival.claim.channel, address.as_str());
                audiences.entry(audience).or_default()[kind].push(arrival);
            }
        }
        for ((alert, channel, address), [beginnings, ends]) in &audiences {
            self.pair(alert, channel, address, beginnings, ends);
        }
        self.one_alert_each(arrivals);
    }

    fn pair(
        &mut self,
        alert: &str,
        channel: &str,
        address: &str,
        beginnings: &[&Arrival],
        ends: &[&Arrival],
    ) {
        let some = beginnings.first().or(ends.first()).unwrap();
        let (token, thing) = self.thing(some.row).unwrap();
        let what = format!("{token} {} on {channel} {address}", &alert[..8]);
        let own: BTreeSet<&str> = ends
            .iter()
            .filter(|end| !end.is_copy())
            .map(|end| end.row.id.as_str())
            .collect();
        if own.len() > 1 {
            self.verdict
                .doubled
                .push(format!("{} ends of {what}", own.len()));
        }
        let firings: BTreeSet<&str> = beginnings
            .iter()
            .filter(|beginning| {
                beginning.row.kind == "firing" && !beginning.is_copy() && beginning.attempt.answered
            })
            .map(|firing| firing.row.id.as_str())
            .collect();
        if firings.len() > 1 {
            self.verdict
                .doubled
                .push(format!("{} first messages of {what}", firings.len()));
        }
        let over = episode_of(some.row, thing).is_none_or(|episode| episode.ended.is_some());
        if !beginnings.is_empty() && over && ends.is_empty() {
            self.verdict
                .unpaired
                .push(format!("no end of {what}: {}", beginnings[0].describe()));
        }
        if beginnings.is_empty() && !own.is_empty() && !self.may_have_begun(alert, channel) {
            self.verdict
                .unpaired
                .push(format!("an end without a beginning of {what}"));
        }
    }

    /// Whether somebody may have read a beginning that is not known to have arrived.
    fn may_have_begun(&self, alert: &str, channel: &str) -> bool {
        let claims = self
            .log
            .claims
            .iter()
            .filter(|claim| claim.channel == channel);
        let mut rows =
            claims.flat_map(|claim| claim.parcels.iter().flatten().map(move |row| (claim, row)));
        rows.any(|(claim, row)| {
            let settled = self
                .log
                .settled
                .iter()
                .find(|settled| settled.claim == claim.id && settled.row == row.id);
            matches!(row.kind.as_str(), "firing" | "escalation" | "reminder")
                && row.facts["alert"] == alert
                && settled.is_none_or(|settled| {
                    !matches!(settled.outcome.as_str(), "refused" | "untried")
                })
        })
    }

    /// Each beginning of something is one alert.
    fn one_alert_each(&mut self, arrivals: &[Arrival]) {
        let mut alerts: BTreeMap<(&str, Timestamp), BTreeSet<&str>> = BTreeMap::new();
        for arrival in arrivals {
            if let Some((token, thing)) = self.thing(arrival.row)
                && let Some(episode) = episode_of(arrival.row, thing)
            {
                let ids = alerts.entry((token, episode.opened.from)).or_default();
                ids.insert(arrival.row.facts["alert"].as_str().unwrap());
            }
        }
        for ((token, opened), ids) in alerts.into_iter().filter(|(_, ids)| ids.len() > 1) {
            self.verdict
                .doubled
                .push(format!("{token} of {opened} is {} alerts", ids.len()));
        }
    }

    /// What went on for some time while nothing was in the way was told.
    fn patience(&mut self, arrivals: &[Arrival]) {
        for (token, thing) in &self.record.things {
            for episode in thing.episodes.iter().filter(|_| thing.severity != "low") {
                let (from, until) = (
                    episode.opened.until,
                    episode.ended.map_or(Timestamp::MAX, |(end, _)| end.from),
                );
                let within = |times: &[Timestamp]| {
                    times.iter().filter(|at| (from..until).contains(at)).count()
                };
                let quiet = self.record.silences.iter().any(|silence| {
                    silence.of.as_deref().is_none_or(|of| of == token)
                        && silence.from < until
                        && from < silence.until
                });
                if until.duration_since(from) > PATIENCE.0
                    && within(&self.record.undisturbed) >= PATIENCE.1
                    && within(&self.record.disturbed) == 0
                    && episode.answers.is_empty()
                    && !quiet
                    && !was_told(arrivals, episode)
                {
                    self.verdict
                        .lost
                        .push(format!("{token}, from {from} to {until}"));
                }
            }
        }
    }

    /// That people opened an incident was told once.
    fn incidents(&mut self, arrivals: &[Arrival]) {
        for title in &self.record.incidents {
            let told = arrivals.iter().filter(|arrival| {
                arrival.row.facts["title"].as_str() == Some(title)
                    && arrival.row.facts["incidentChange"]["what"] == "opened"
                    && !arrival.is_copy()
            });
            let mut rows: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
            for arrival in told {
                rows.entry(arrival.claim.channel)
                    .or_default()
                    .insert(&arrival.row.id);
            }
            if !PEOPLE.iter().any(|channel| rows.contains_key(channel)) {
                self.verdict.lost.push(format!("the incident {title}"));
            }
            for (channel, rows) in rows.into_iter().filter(|(_, rows)| rows.len() > 1) {
                self.verdict
                    .doubled
                    .push(format!("the incident {title} on {channel}: {rows:?}"));
            }
        }
    }
}

/// What each attempt says.
fn read(log: &Log) -> Vec<Vec<Word>> {
    let attempts = log.attempts.iter();
    attempts
        .map(|attempt| words::read(log.claims[attempt.claim].channel, &attempt.body))
        .collect()
}

fn arrivals<'a>(log: &'a Log, words: &'a [Vec<Word>]) -> Vec<Arrival<'a>> {
    let mut arrivals = Vec::new();
    for (attempt, words) in log.attempts.iter().zip(words) {
        let claim = &log.claims[attempt.claim];
        let rows = claim
            .parcels
            .get(attempt.parcel)
            .filter(|_| attempt.arrived);
        for (nth, row) in rows.into_iter().flatten().enumerate() {
            arrivals.push(Arrival {
                attempt,
                claim,
                row,
                together: rows.is_some_and(|rows| rows.len() > 1),
                word: words.get(nth),
                addresses: words::addresses(claim.channel, &attempt.body),
            });
        }
    }
    arrivals
}

/// What began when the alert of that row opened.
fn episode_of<'a>(row: &Row, thing: &'a Thing) -> Option<&'a Episode> {
    let mut episodes = thing.episodes.iter();
    episodes.find(|episode| opened_in(row, episode))
}

fn opened_in(row: &Row, episode: &Episode) -> bool {
    let Span { from, until } = episode.opened;
    // The database counts in microseconds.
    let opened = time(&row.facts["openedAt"]);
    opened.is_some_and(|at| (from - SignedDuration::from_millis(1)..=until).contains(&at))
}

fn was_told(arrivals: &[Arrival], episode: &Episode) -> bool {
    arrivals.iter().any(|arrival| {
        arrival.is_beginning()
            && PEOPLE.contains(&arrival.claim.channel)
            && opened_in(arrival.row, episode)
    })
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// The words of a message, without where it stands.
fn said(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(fields) = body.as_object_mut() {
        for place in ["thread_ts", "reply_broadcast", "channel", "ts"] {
            fields.remove(place);
        }
    }
    body
}
