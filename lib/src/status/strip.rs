//! Ninety days as one strip: how high a day is filled says how long it was down, hatching how
//! long nobody knows, a notch that work was going on. What can be seen is also said.

use std::fmt::Write;

use jiff::{ToSpan, civil::Date};

use super::document::Days;
use crate::messages::quantities::{count, duration};

/// The width of a day and the height of the strip, in the picture's own units.
const DAY: usize = 6;
const HEIGHT: f64 = 40.0;

/// The least height at which something can be seen.
const LEAST: f64 = 4.0;

/// A day, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Day {
    up: u32,
    down: u32,
    unknown: u32,
    maintenance: u32,
}

/// The days, each `None` before anybody looked.
fn days(days: &Days) -> impl Iterator<Item = Option<Day>> + '_ {
    let at = |list: &[Option<u32>], nth: usize| list.get(nth).copied().flatten();
    (0..days.up.len()).map(move |nth| {
        Some(Day {
            up: at(&days.up, nth)?,
            down: at(&days.down, nth)?,
            unknown: at(&days.unknown, nth)?,
            maintenance: at(&days.maintenance, nth)?,
        })
    })
}

/// The strip as a picture within a page that has the hatching.
pub(super) fn picture(of: &Days) -> String {
    let width = of.up.len() * DAY;
    let mut bars = String::new();
    for (nth, day) in days(of).enumerate() {
        match day {
            Some(day) => bar(&mut bars, nth * DAY, day),
            None => {
                let _ = write!(
                    bars,
                    "<rect class=\"blank\" x=\"{}\" y=\"38\" width=\"{}\" height=\"2\"/>",
                    nth * DAY,
                    DAY - 1
                );
            }
        }
    }
    format!(
        "<svg viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" aria-hidden=\"true\" focusable=\"false\">{bars}</svg>"
    )
}

fn bar(bars: &mut String, x: usize, day: Day) {
    let whole = f64::from(day.up + day.down + day.unknown + day.maintenance).max(1.0);
    let height = |seconds: u32| match seconds {
        0 => 0.0,
        seconds => (HEIGHT * f64::from(seconds) / whole).max(LEAST),
    };
    let mut rect = |class: &str, y: f64, height: f64| {
        let _ = write!(
            bars,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y:.1}\" width=\"{}\" height=\"{height:.1}\"/>",
            DAY - 1
        );
    };
    let unknown = height(day.unknown);
    let down = height(day.down).min(HEIGHT);
    rect("up", 0.0, HEIGHT);
    if unknown > 0.0 {
        rect("unknown", 0.0, unknown.min(HEIGHT));
        let _ = write!(
            bars,
            "<rect fill=\"url(#hatch)\" x=\"{x}\" y=\"0\" width=\"{}\" height=\"{:.1}\"/>",
            DAY - 1,
            unknown.min(HEIGHT)
        );
    }
    if down > 0.0 {
        let _ = write!(
            bars,
            "<rect class=\"down\" x=\"{x}\" y=\"{:.1}\" width=\"{}\" height=\"{down:.1}\"/>",
            HEIGHT - down,
            DAY - 1
        );
    }
    if day.maintenance > 0 {
        let _ = write!(
            bars,
            "<path class=\"maintenance\" d=\"M{x} 0h{w}l-2.5 7z\"/>",
            w = DAY - 1
        );
    }
}

/// The strip in a sentence.
pub(super) fn sentence(of: &Days) -> String {
    let known: Vec<Day> = days(of).flatten().collect();
    let Some(percent) = of.percent else {
        return "Nothing is known of the last 90 days.".to_owned();
    };
    let mut text = format!(
        "{} % up over {}",
        share(percent),
        count(known.len() as u64, "day")
    );
    if let (Some(lower), Some(upper), Some(coverage)) = (of.lower, of.upper, of.coverage)
        && coverage < 99.995
    {
        let _ = write!(
            text,
            " (between {} and {} %, {} % of the time measured)",
            share(lower),
            share(upper),
            share(coverage)
        );
    }
    let down: u64 = known.iter().map(|day| u64::from(day.down)).sum();
    let bad = known.iter().filter(|day| day.down > 0).count();
    if down == 0 {
        text.push_str(", never down");
    } else {
        let _ = write!(
            text,
            ", {} down on {}",
            duration(down),
            count(bad as u64, "day")
        );
    }
    let work: u64 = known.iter().map(|day| u64::from(day.maintenance)).sum();
    if work > 0 {
        let _ = write!(text, ", {} of maintenance", duration(work));
    }
    text + "."
}

/// A share in percent with no more digits than it takes to tell it from 100.
fn share(percent: f64) -> String {
    // Rounded down: nothing that failed once was there all of the time.
    let digits = (percent * 100.0).floor() / 100.0;
    let text = format!("{digits:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What happened on one day.
fn day_sentence(date: Date, day: Option<Day>) -> String {
    let date = date.strftime("%-d %b %Y");
    let Some(day) = day else {
        return format!("{date}: not measured yet");
    };
    let mut parts = Vec::new();
    for (seconds, what) in [
        (day.down, "down"),
        (day.unknown, "not measured"),
        (day.maintenance, "maintenance"),
    ] {
        if seconds > 0 {
            parts.push(format!("{} {what}", duration(seconds.into())));
        }
    }
    if parts.is_empty() {
        parts.push("up all the time".to_owned());
    }
    format!("{date}: {}", parts.join(", "))
}

/// A sentence for each day, for those who go through them one by one.
pub(super) fn day_sentences(of: &Days) -> Vec<String> {
    days(of)
        .enumerate()
        .map(|(nth, day)| {
            let date = of
                .from
                .saturating_add(i64::try_from(nth).unwrap_or_default().days());
            day_sentence(date, day)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{document::State, sample};

    #[test]
    fn the_sentence_has_bounds_where_something_is_not_measured() {
        let mut days = sample::document(&[State::Operational]).components[0]
            .days
            .clone();
        assert_eq!(
            sentence(&days),
            "99.88 % up over 60 days (between 99.65 and 99.88 %, 99.77 % of the time measured), 1 h 40 min down on 60 \
             days, 1 h 40 min of maintenance."
        );
        days.coverage = Some(100.0);
        assert!(sentence(&days).starts_with("99.88 % up over 60 days, 1 h 40 min down"));
        days.percent = None;
        assert_eq!(sentence(&days), "Nothing is known of the last 90 days.");
        assert_eq!(share(99.999_9), "99.99", "never rounded up to all");
        assert_eq!(share(100.0), "100");
    }

    #[test]
    fn days_before_anybody_looked_are_blank_and_every_day_has_a_sentence() {
        let days = sample::document(&[State::Operational]).components[0]
            .days
            .clone();
        assert_eq!(picture(&days).matches("class=\"up\"").count(), 60);
        let sentences = day_sentences(&days);
        assert_eq!(sentences.len(), 90);
        assert_eq!(sentences[0], "27 Aug 2026: not measured yet");
        assert_eq!(
            sentences[89],
            "24 Nov 2026: 1 min 40 s down, 3 min 20 s not measured, 1 min 40 s maintenance"
        );
    }
}
