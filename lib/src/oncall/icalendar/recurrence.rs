//! How an event recurs: daily or weekly. Whatever else a rule may say is named as not
//! understood, because half a rule would put the wrong person on call.

use jiff::{ToSpan, civil};

use super::moments::{Moment, UTC};

/// A rule that is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recurrence {
    unit: Unit,
    every: i32,
    /// How many there are in all.
    count: Option<usize>,
    /// The last one is not after this.
    until: Option<Moment>,
    /// On which days of the week; none means on that of the first.
    days: Vec<civil::Weekday>,
    week_starts: civil::Weekday,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Day,
    Week,
}

/// The most that a rule may count to, and the most of its days or weeks that are
/// looked at.
const MOST: usize = 10_000;

impl Recurrence {
    /// # Errors
    /// Which part of the rule is not understood.
    pub(super) fn read(rule: &str) -> Result<Self, String> {
        let mut unit = None;
        let mut read = Self {
            unit: Unit::Day,
            every: 1,
            count: None,
            until: None,
            days: Vec::new(),
            week_starts: civil::Weekday::Monday,
        };
        for part in rule.split(';').filter(|part| !part.is_empty()) {
            let wrong = || format!("{part} in its rule is not understood");
            let (name, value) = part.split_once('=').ok_or_else(wrong)?;
            match name.to_ascii_uppercase().as_str() {
                "FREQ" => {
                    unit = Some(match value {
                        "DAILY" => Unit::Day,
                        "WEEKLY" => Unit::Week,
                        _ => return Err(wrong()),
                    });
                }
                "INTERVAL" => {
                    let every = value.parse().ok();
                    read.every = every
                        .filter(|every| (1..=366).contains(every))
                        .ok_or_else(wrong)?;
                }
                "COUNT" => {
                    let count = value.parse().ok();
                    let count = count.filter(|count| (1..=MOST).contains(count));
                    read.count = Some(count.ok_or_else(wrong)?);
                }
                "UNTIL" => read.until = Some(Moment::read(value, None).ok_or_else(wrong)?),
                "BYDAY" => {
                    let days = value.split(',').map(weekday).collect::<Option<_>>();
                    read.days = days.ok_or_else(wrong)?;
                }
                "WKST" => read.week_starts = weekday(value).ok_or_else(wrong)?,
                _ => return Err(wrong()),
            }
        }
        read.unit = unit.ok_or_else(|| "its rule has no FREQ".to_owned())?;
        Ok(read)
    }

    /// Until when in UTC, where the event itself is told by another clock, so that only
    /// the database can compare.
    pub(super) fn not_after(&self, start: &Moment) -> Option<civil::DateTime> {
        let until = self.until.as_ref()?;
        let comparable = until.is_day || until.zone.is_none() || start.zone.as_deref() == Some(UTC);
        (!comparable).then_some(until.at)
    }

    /// The beginnings from `from` on and before `to`.
    ///
    /// # Errors
    /// Where the first one is none by the rule.
    pub(super) fn expand(
        &self,
        start: &Moment,
        from: civil::DateTime,
        to: civil::DateTime,
    ) -> Result<Vec<civil::DateTime>, String> {
        let first = start.at;
        if !self.holds(first.date().weekday(), first.date().weekday()) {
            return Err("it begins on a day that its rule leaves out".to_owned());
        }
        let last_day = match (&self.until, self.not_after(start)) {
            (Some(until), None) => Some(until),
            _ => None,
        };
        let mut found = Vec::new();
        let counted = self.count.unwrap_or(usize::MAX);
        for at in self.every_one(first, from).take(counted.min(7 * MOST)) {
            let over = last_day.is_some_and(|until| {
                if until.is_day {
                    at.date() > until.at.date()
                } else {
                    at > until.at
                }
            });
            if over || at >= to {
                break;
            }
            if at >= from {
                found.push(at);
            }
        }
        Ok(found)
    }

    fn holds(&self, day: civil::Weekday, first: civil::Weekday) -> bool {
        match (self.days.as_slice(), self.unit) {
            ([], Unit::Day) => true,
            ([], Unit::Week) => day == first,
            (days, _) => days.contains(&day),
        }
    }

    /// All beginnings in their order. Those long before `from` are left out, unless
    /// they are counted.
    fn every_one(
        &self,
        first: civil::DateTime,
        from: civil::DateTime,
    ) -> impl Iterator<Item = civil::DateTime> {
        let (step, width) = match self.unit {
            Unit::Day => (self.every, 1),
            Unit::Week => (self.every.saturating_mul(7), 7),
        };
        // A week is looked at from its first day on, whichever day comes first in it.
        let begins = match self.unit {
            Unit::Day => first.date(),
            Unit::Week => {
                let into = first.date().weekday().since(self.week_starts);
                let begins = first.date().checked_sub(i32::from(into).days());
                begins.unwrap_or(first.date())
            }
        };
        let passed = from.date().since(begins).map_or(0, |span| span.get_days());
        let skipped = match self.count {
            Some(_) => 0,
            None => (passed / step - 1).max(0),
        };
        let weekday = first.date().weekday();
        let steps = (skipped..)
            .map_while(move |nth| begins.checked_add(nth.checked_mul(step)?.days()).ok());
        steps
            .flat_map(move |day| {
                (0..width).filter_map(move |into| day.checked_add(into.days()).ok())
            })
            .filter(move |day| *day >= first.date() && self.holds(day.weekday(), weekday))
            .map(move |day| day.to_datetime(first.time()))
    }
}

fn weekday(text: &str) -> Option<civil::Weekday> {
    Some(match text {
        "MO" => civil::Weekday::Monday,
        "TU" => civil::Weekday::Tuesday,
        "WE" => civil::Weekday::Wednesday,
        "TH" => civil::Weekday::Thursday,
        "FR" => civil::Weekday::Friday,
        "SA" => civil::Weekday::Saturday,
        "SU" => civil::Weekday::Sunday,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FROM: civil::DateTime = civil::datetime(2026, 11, 20, 0, 0, 0, 0);
    const TO: civil::DateTime = civil::datetime(2027, 1, 20, 0, 0, 0, 0);

    /// The days on which an event recurs that begins at nine.
    #[track_caller]
    fn days(start: &str, rule: &str) -> String {
        let start = Moment::read(&format!("{start}T090000"), None).unwrap();
        let expanded = Recurrence::read(rule).unwrap().expand(&start, FROM, TO);
        let days: Vec<_> = expanded
            .unwrap()
            .iter()
            .map(|at| at.strftime("%m-%d").to_string())
            .collect();
        days.join(" ")
    }

    #[test]
    fn days_and_weeks_recur_until_they_do_not() {
        for (start, rule, expected) in [
            ("20261123", "FREQ=DAILY;COUNT=3", "11-23 11-24 11-25"),
            // What was before counts.
            ("20261118", "FREQ=DAILY;COUNT=4", "11-20 11-21"),
            ("20261123", "FREQ=DAILY;INTERVAL=20", "11-23 12-13 01-02"),
            ("20261123", "FREQ=DAILY;UNTIL=20261125", "11-23 11-24 11-25"),
            (
                "20261123",
                "FREQ=DAILY;UNTIL=20261125T085959",
                "11-23 11-24",
            ),
            (
                "20261123",
                "FREQ=DAILY;BYDAY=MO,SU;COUNT=3",
                "11-23 11-29 11-30",
            ),
            ("20261123", "FREQ=WEEKLY;INTERVAL=3", "11-23 12-14 01-04"),
            ("20001106", "FREQ=WEEKLY;INTERVAL=4", "11-30 12-28"),
            (
                "20261124",
                "FREQ=WEEKLY;BYDAY=SU,TU;INTERVAL=2;COUNT=4",
                "11-24 11-29 12-08 12-13",
            ),
            // The week begins with Sunday here, so that day belongs to the next one.
            (
                "20261124",
                "FREQ=WEEKLY;WKST=SU;BYDAY=SU,TU;INTERVAL=2;COUNT=4",
                "11-24 12-06 12-08 12-20",
            ),
        ] {
            assert_eq!(days(start, rule), expected, "{start} {rule}");
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (rule, expected) in [
            ("FREQ=MONTHLY", "FREQ=MONTHLY in its rule is not understood"),
            (
                "FREQ=WEEKLY;BYDAY=1MO",
                "BYDAY=1MO in its rule is not understood",
            ),
            (
                "FREQ=DAILY;BYMONTH=12",
                "BYMONTH=12 in its rule is not understood",
            ),
            (
                "FREQ=DAILY;INTERVAL=0",
                "INTERVAL=0 in its rule is not understood",
            ),
            (
                "FREQ=DAILY;COUNT=99999",
                "COUNT=99999 in its rule is not understood",
            ),
            ("COUNT=1", "its rule has no FREQ"),
        ] {
            assert_eq!(Recurrence::read(rule), Err(expected.to_owned()));
        }
        let monday = Moment::read("20261123T090000", None).unwrap();
        let tuesdays = Recurrence::read("FREQ=WEEKLY;BYDAY=TU").unwrap();
        assert!(tuesdays.expand(&monday, FROM, TO).is_err());
    }

    #[test]
    fn an_end_by_another_clock_is_left_to_the_database() {
        let rule = Recurrence::read("FREQ=DAILY;UNTIL=20261125T080000Z").unwrap();
        let here = Moment::read("20261123T090000", Some("Europe/Berlin")).unwrap();
        let there = Moment::read("20261123T080000Z", None).unwrap();
        assert!(rule.not_after(&here).is_some());
        assert_eq!(rule.not_after(&there), None);
        assert_eq!(rule.expand(&there, FROM, TO).unwrap().len(), 3);
    }

    proptest! {
        #[test]
        fn what_was_left_out_of_the_past_changes_nothing(
            before in 0_i64..9_000, every in 1_i32..60, weekly: bool, days in prop::collection::vec(0_usize..7, 0..4),
        ) {
            const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
            let unit = if weekly { "WEEKLY" } else { "DAILY" };
            let start = TO.checked_sub(before.days()).unwrap();
            // The first day is one of the rule.
            let own = usize::try_from(start.date().weekday().to_monday_zero_offset()).unwrap();
            let by_day: Vec<_> = days.iter().chain([&own]).map(|day| DAYS[*day]).collect();
            let rule = format!("FREQ={unit};INTERVAL={every};BYDAY={}", by_day.join(","));
            let read = Recurrence::read(&rule).unwrap();
            let start = Moment { at: start, zone: None, is_day: false };
            let counted = Recurrence { count: Some(MOST), ..read.clone() };
            prop_assert_eq!(read.expand(&start, FROM, TO), counted.expand(&start, FROM, TO));
        }
    }
}
