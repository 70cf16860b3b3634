//! A calendar in the iCalendar form (RFC 5545), read as far as on-call calendars go:
//! events, whole days, daily and weekly recurrence, and single events of a series that
//! were moved. An event that is not understood is named and left behind, and takes no
//! other along. Local times stay local: the database makes instants of them.

mod content_lines;
mod moments;
mod recurrence;

use std::collections::HashMap;

use jiff::{ToSpan, civil};
use serde::Serialize;

use content_lines::ContentLine;
use moments::{LONGEST, Moment};
use recurrence::Recurrence;

/// How many events a calendar may have.
const MOST_EVENTS: usize = 2_000;

/// How many times they may take place in all.
const MOST_OCCURRENCES: usize = 5_000;

/// What a calendar says of some days.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    /// The events that take place then.
    events: Vec<Event>,
    /// The events that are not understood.
    left_out: Vec<LeftOut>,
}

/// An event, and when it takes place.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    summary: String,
    /// Email addresses.
    attendees: Vec<String>,
    zone: Option<String>,
    end_zone: Option<String>,
    /// Beginnings and ends, by the clocks of those zones.
    occurrences: Vec<(civil::DateTime, civil::DateTime)>,
    /// Beginnings that do not count.
    except: Vec<Moment>,
    /// In UTC: what begins later does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_after: Option<String>,
}

/// An event that is not understood.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct LeftOut {
    event: String,
    why: String,
}

/// Why a calendar cannot be read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Something else was answered.
    #[error("what it answers is no calendar")]
    NoCalendar,
    /// It has no end: the answer was cut off.
    #[error("the calendar is cut off")]
    CutOff,
    /// More events than anybody is on call.
    #[error("the calendar has too many events")]
    TooMany,
}

/// Reads what a calendar says of the days from `from` to `to`.
///
/// # Errors
/// When it is no calendar, or too large a one.
pub fn read(text: &str, from: civil::Date, to: civil::Date) -> Result<Reading, Unreadable> {
    let lines = content_lines::read(text);
    let is_at = |line: &ContentLine, name| {
        line.name == name && line.value.eq_ignore_ascii_case("VCALENDAR")
    };
    if !lines.first().is_some_and(|line| is_at(line, "BEGIN")) {
        return Err(Unreadable::NoCalendar);
    }
    if !lines.last().is_some_and(|line| is_at(line, "END")) {
        return Err(Unreadable::CutOff);
    }
    let written = written_events(&lines);
    if written.len() > MOST_EVENTS {
        return Err(Unreadable::TooMany);
    }
    let moved = moved(&written);
    let mut reading = Reading::default();
    let mut occurrences = 0;
    for event in &written {
        match event.read(from, to, &moved) {
            Ok(Some(read)) if read.occurrences.is_empty() => {}
            Ok(Some(read)) => {
                occurrences += read.occurrences.len();
                reading.events.push(read);
            }
            Ok(None) => {}
            Err(why) => reading.left_out.push(LeftOut {
                event: event.summary(),
                why,
            }),
        }
        if occurrences > MOST_OCCURRENCES {
            return Err(Unreadable::TooMany);
        }
    }
    Ok(reading)
}

/// An event as it is written: its own lines.
#[derive(Debug, Default)]
struct Written<'a>(Vec<&'a ContentLine>);

/// The events of a calendar, without what stands within them, such as reminders.
fn written_events(lines: &[ContentLine]) -> Vec<Written<'_>> {
    let mut events = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    let mut event = Written::default();
    for line in lines {
        match line.name.as_str() {
            "BEGIN" => open.push(line.value.as_str()),
            "END" => {
                let ended = open.pop();
                if ended.is_some_and(|name| name.eq_ignore_ascii_case("VEVENT")) {
                    events.push(std::mem::take(&mut event));
                }
            }
            _ if open
                .last()
                .is_some_and(|name| name.eq_ignore_ascii_case("VEVENT")) =>
            {
                event.0.push(line);
            }
            _ => {}
        }
    }
    events
}

/// By the id of a series, the beginnings of those of its events that stand for
/// themselves.
fn moved(events: &[Written<'_>]) -> HashMap<String, Vec<Moment>> {
    let mut moved: HashMap<String, Vec<Moment>> = HashMap::new();
    for event in events {
        let replaced = event.line("RECURRENCE-ID").and_then(Moment::one);
        if let (Some(uid), Some(replaced)) = (event.line("UID"), replaced) {
            moved.entry(uid.value.clone()).or_default().push(replaced);
        }
    }
    moved
}

impl<'a> Written<'a> {
    fn lines(&self, name: &str) -> impl Iterator<Item = &'a ContentLine> {
        self.0.iter().copied().filter(move |line| line.name == name)
    }

    fn line(&self, name: &str) -> Option<&'a ContentLine> {
        self.lines(name).next()
    }

    fn summary(&self) -> String {
        let summary = self.line("SUMMARY").map(ContentLine::text);
        let summary = summary.filter(|summary| !summary.is_empty());
        summary.map_or_else(
            || "an event without a name".to_owned(),
            |summary| summary.chars().take(200).collect(),
        )
    }

    fn attendees(&self) -> Vec<String> {
        self.lines("ATTENDEE")
            .filter_map(|line| {
                let (scheme, address) = line.value.split_once(':')?;
                scheme
                    .eq_ignore_ascii_case("mailto")
                    .then(|| address.trim().to_lowercase())
            })
            .take(20)
            .collect()
    }

    fn is_cancelled(&self) -> bool {
        let status = self.line("STATUS");
        status.is_some_and(|line| line.value.eq_ignore_ascii_case("CANCELLED"))
    }

    /// The event, if it takes place at all.
    fn read(
        &self,
        from: civil::Date,
        to: civil::Date,
        moved: &HashMap<String, Vec<Moment>>,
    ) -> Result<Option<Event>, String> {
        if self.is_cancelled() {
            return Ok(None);
        }
        if self.line("RDATE").is_some() {
            return Err("RDATE is not understood".to_owned());
        }
        let start = self.line("DTSTART").and_then(Moment::one);
        let start = start.ok_or("it has no beginning that is understood")?;
        let end = self.end(&start)?;
        let lasts = end.at.duration_since(start.at);
        if lasts.as_secs() > LONGEST || lasts.is_negative() {
            return Err("it ends before it begins, or lasts longer than a year".to_owned());
        }
        // Whatever the zones are, they differ by less than two days.
        let margin = 2.days();
        let earliest = from
            .to_datetime(civil::Time::midnight())
            .checked_sub(margin);
        let earliest = earliest.and_then(|earliest| earliest.checked_sub(lasts));
        let latest = to.to_datetime(civil::Time::midnight()).checked_add(margin);
        let (Ok(earliest), Ok(latest)) = (earliest, latest) else {
            return Err("it is too far away".to_owned());
        };
        let mut not_after = None;
        let mut except = Vec::new();
        let begins = match self.recurrence()? {
            None if (earliest..latest).contains(&start.at) => vec![start.at],
            None => Vec::new(),
            Some(_) if end.zone != start.zone => {
                return Err("it recurs, and ends by another zone's clock".to_owned());
            }
            Some(recurrence) => {
                let series = self.line("UID").and_then(|uid| moved.get(&uid.value));
                except.extend(series.into_iter().flatten().cloned());
                except.extend(self.exceptions(&start)?);
                not_after = recurrence
                    .not_after(&start)
                    .map(|until| format!("{until}Z"));
                recurrence.expand(&start, earliest, latest)?
            }
        };
        let occurrences = begins
            .into_iter()
            .filter_map(|begin| Some((begin, begin.checked_add(lasts).ok()?)));
        Ok(Some(Event {
            summary: self.summary(),
            attendees: self.attendees(),
            occurrences: occurrences.collect(),
            end_zone: end.zone,
            zone: start.zone,
            except,
            not_after,
        }))
    }

    fn end(&self, start: &Moment) -> Result<Moment, String> {
        let after = |length: jiff::SignedDuration| {
            let at = start.at.checked_add(length).ok();
            at.map(|at| Moment {
                at,
                ..start.clone()
            })
        };
        let end = match (self.line("DTEND"), self.line("DURATION")) {
            (Some(line), _) => Moment::one(line).filter(|end| end.is_day == start.is_day),
            (None, Some(line)) => moments::length(&line.value).and_then(after),
            (None, None) if start.is_day => after(jiff::SignedDuration::from_hours(24)),
            (None, None) => None,
        };
        end.ok_or_else(|| "it has no end that is understood".to_owned())
    }

    fn recurrence(&self) -> Result<Option<Recurrence>, String> {
        let rules: Vec<_> = self.lines("RRULE").collect();
        match rules.as_slice() {
            [] => Ok(None),
            [rule] => Recurrence::read(&rule.value).map(Some),
            _ => Err("it has several rules".to_owned()),
        }
    }

    fn exceptions(&self, start: &Moment) -> Result<Vec<Moment>, String> {
        let read = self.lines("EXDATE").map(|line| {
            Moment::all(line).filter(|days| days.iter().all(|day| day.is_day == start.is_day))
        });
        let read: Option<Vec<_>> = read.collect();
        read.map(|lists| lists.concat())
            .ok_or_else(|| "its EXDATE is not understood".to_owned())
    }
}

#[cfg(test)]
mod tests;
