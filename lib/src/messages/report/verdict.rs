//! What a figure means beside those before it. This is pure.
//!
//! A figure is as usual if it lies where the four before it lay, give or take: a tenth of
//! their mean, or for what is counted the root of it, because so much is chance.

use super::{
    Line,
    definition::{Better, Unit},
};

/// With fewer periods than that nothing is usual.
const KNOWN: usize = 2;

/// What a figure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is known.
    NoData,
    /// Too few measurements, or too few periods before.
    TooLittle,
    /// It passes the bound of the settings, whatever is usual.
    BeyondBound,
    /// Better than usual.
    Better,
    /// Worse than usual.
    Worse,
    /// More than usual, of what is neither good nor bad.
    Higher,
    /// Less than usual, of what is neither good nor bad.
    Lower,
    /// As the periods before.
    AsUsual,
}

impl Verdict {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NoData => "no data yet",
            Self::TooLittle => "too little to say",
            Self::BeyondBound => "beyond its bound",
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Higher => "higher than usual",
            Self::Lower => "lower than usual",
            Self::AsUsual => "as usual",
        }
    }

    /// Whether somebody should look.
    #[must_use]
    pub fn calls(self) -> bool {
        match self {
            Self::BeyondBound | Self::Worse => true,
            Self::NoData
            | Self::TooLittle
            | Self::Better
            | Self::Higher
            | Self::Lower
            | Self::AsUsual => false,
        }
    }
}

/// The mean of those that are known.
pub(super) fn mean(before: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = before.iter().copied().flatten().collect();
    #[expect(clippy::cast_precision_loss, reason = "there are four at most")]
    let count = known.len() as f64;
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / count)
}

/// The verdict on a line.
pub(super) fn verdict(line: &Line) -> Verdict {
    let Some(value) = line.value else {
        return Verdict::NoData;
    };
    let rests_on_little = match (line.samples, line.minimum) {
        (samples, Some(minimum)) => samples.unwrap_or(0.0) < minimum,
        (_, None) => false,
    };
    if rests_on_little {
        return Verdict::TooLittle;
    }
    let better = line
        .definition
        .map_or(Better::Neither, |known| known.better);
    if line.bound.is_some_and(|bound| passes(value, bound, better)) {
        return Verdict::BeyondBound;
    }
    let known: Vec<f64> = line.before.iter().copied().flatten().collect();
    let Some(mean) = mean(&line.before).filter(|_| known.len() >= KNOWN) else {
        return Verdict::TooLittle;
    };
    let give = match line.definition.map_or(Unit::Plain, |known| known.unit) {
        Unit::Count => mean.abs().sqrt().max(1.0),
        Unit::Percent
        | Unit::Milliseconds
        | Unit::Seconds
        | Unit::Bytes
        | Unit::Days
        | Unit::Dollars
        | Unit::Plain => mean.abs() * 0.1,
    };
    let low = known.iter().copied().fold(f64::INFINITY, f64::min) - give;
    let high = known.iter().copied().fold(f64::NEG_INFINITY, f64::max) + give;
    if value > high {
        judge(better, Better::Higher, Verdict::Higher)
    } else if value < low {
        judge(better, Better::Lower, Verdict::Lower)
    } else {
        Verdict::AsUsual
    }
}

fn passes(value: f64, bound: f64, better: Better) -> bool {
    match better {
        Better::Higher => value < bound,
        Better::Lower | Better::Neither => value > bound,
    }
}

/// What it means that a figure went one way.
fn judge(better: Better, went: Better, neutral: Verdict) -> Verdict {
    match better {
        Better::Neither => neutral,
        way if way == went => Verdict::Better,
        Better::Higher | Better::Lower => Verdict::Worse,
    }
}
