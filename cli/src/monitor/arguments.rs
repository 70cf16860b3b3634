//! The grammar of `monitor`.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use url::Url;

/// Watches the bundle and the app from outside, for as long as it runs
#[derive(Debug, Args)]
pub(crate) struct Monitor {
    /// Where the bundle answers; without it, where the variables say
    pub(super) url: Option<Url>,
    /// Looks once and ends: 0 if everything answers, else 1
    #[arg(long)]
    pub(super) once: bool,
    /// How often it looks: 10s to 1h
    #[arg(long, value_name = "LENGTH", default_value = "60s", value_parser = interval)]
    pub(super) interval: Duration,
    /// Appends what it sees to this file, and opens it anew on SIGHUP
    #[arg(long, value_name = "FILE")]
    pub(super) log: Option<PathBuf>,
    /// Somebody else's address, asked where nothing answers: if that does not either, the
    /// network here is lost and nothing else
    #[arg(
        long,
        value_name = "URL",
        default_value = "https://www.vercel-status.com/api/v2/status.json"
    )]
    pub(super) witness: Url,
    /// Raises alerts by the bundle alone, and never by itself
    #[arg(long, conflicts_with = "slack")]
    pub(super) dispatch: bool,
    /// Writes to Slack alone, and never by the bundle
    #[arg(long)]
    pub(super) slack: bool,
}

/// Reads a length of time such as `60s`, `5m` or `1h`.
fn interval(text: &str) -> Result<Duration, String> {
    const SECONDS: std::ops::RangeInclusive<u64> = 10..=3_600;
    let wrong = || format!("an interval is 10s to 1h, such as 60s or 5m, got `{text}`");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let count: u64 = text[..text.len() - unit.len_utf8()]
        .parse()
        .map_err(|_| wrong())?;
    let seconds_of_unit = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        _ => return Err(wrong()),
    };
    let seconds = count.checked_mul(seconds_of_unit);
    seconds
        .filter(|seconds| SECONDS.contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_seconds_to_an_hour() {
        for (text, seconds) in [("10s", 10), ("5m", 300), ("1h", 3_600)] {
            assert_eq!(interval(text), Ok(Duration::from_secs(seconds)));
        }
        for text in ["", "s", "60", "9s", "61m", "2h", "1d", "-5m", "5 m", "5ü"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }
}
