//! What of a table has to be read, by what is known of it. Pure.
//!
//! A range is some consecutive pieces of a table which the first two columns of its order tell
//! from all others. The server sums each range's rows in the run's snapshot; a range whose rows are
//! as many and sum up to the same as when its pieces were read is taken over, and all other rows
//! are read: those before the first and behind the last known row as well.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
};

use jiff::{SignedDuration, Timestamp};

use crate::{
    checksum::{self, RowSums},
    format::{KnownPiece, KnownTable, Why},
    schema::{Name, Table},
    source::{Access, Bound, Opened, Partition, Parts, RangeColumn},
};

/// Everything is read once in this time.
const WEEK: i64 = 7 * 24 * 60 * 60;

/// Where less than one part in so many of a table's text could be taken over, it is read whole:
/// that costs little more, and cuts its pieces anew.
const LEAST_TAKEN_OVER: u64 = 10;

/// Of how many values of a first column the rows are told apart by the second.
const MOST_SHARED: usize = 32;

/// The longest time, as runs, in which nobody asks for checksums that were of no use, as a
/// power of two.
const MOST_REST: u32 = 5;

/// What has to hold for anything to be taken over in this run at all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circumstances {
    /// The time of the snapshot.
    pub(super) taken_at: Timestamp,
    /// Whether the backup before is suspect.
    pub(super) after_suspect: bool,
    /// Whether the server and its settings are those of before.
    pub(super) same_server: bool,
    /// Whether everything is to be read.
    pub(super) whole: bool,
}

/// The ranges of a table.
#[derive(Debug, PartialEq)]
pub(super) struct Ranges<'a> {
    /// How the server tells them apart: range 0 is its part 1.
    pub(super) partition: Partition,
    /// The pieces of each.
    pub(super) pieces: Vec<&'a [KnownPiece]>,
}

/// What becomes of the parts of a table's rows, in order.
#[derive(Debug, PartialEq)]
pub(super) enum Stretch<'a> {
    /// These pieces hold them.
    TakenOver(&'a [KnownPiece]),
    /// They are read.
    Read {
        /// The numbers of the parts.
        parts: Vec<usize>,
        /// How many rows they have.
        rows: u64,
        /// Their sums, by the server.
        sums: RowSums,
    },
}

/// Finds the ranges that the server has to compare.
///
/// # Errors
/// Why the table is read whole without asking.
pub(super) fn plan<'a>(
    circumstances: Circumstances,
    table: &Table,
    opened: &Opened,
    known: Option<&'a KnownTable>,
) -> Result<Ranges<'a>, Why> {
    if opened.access() == Access::Unplanned {
        return Err(Why::RunsCode);
    }
    let first = opened.order.columns.first().ok_or(Why::NoKey)?;
    let column = |name: &String| table.columns.iter().find(|column| column.name == *name);
    let first = column(first)
        .and_then(RangeColumn::of)
        .ok_or(Why::KeyType)?;
    if opened.key().is_none() {
        return Err(Why::KeyType);
    }
    let second = opened.order.columns.get(1).and_then(column);
    let second = second.and_then(RangeColumn::of);
    if circumstances.whole {
        return Err(Why::Asked);
    }
    if circumstances.after_suspect {
        return Err(Why::Suspect);
    }
    let known = known.ok_or(Why::Unknown)?;
    if !circumstances.same_server {
        return Err(Why::OtherServer);
    }
    let shape = (&known.columns, &known.types, &known.order);
    if shape != (&opened.columns, &opened.types, &opened.order.columns) {
        return Err(Why::OtherShape);
    }
    if is_due(&table.name, known.read_at, circumstances.taken_at) {
        return Err(Why::Weekly);
    }
    if known.rest > 0 {
        return Err(Why::Spread);
    }
    let (bounds, pieces): (Vec<_>, Vec<_>) = ranges(&known.pieces, &first, second.as_ref())
        .into_iter()
        .unzip();
    if bounds.is_empty() {
        return Err(Why::NothingBefore);
    }
    Ok(Ranges {
        partition: Partition::new(first, second, bounds),
        pieces,
    })
}

/// Whether all of a table has to be read again: each has its own hour of the week, so that not
/// all are read at once. What was read after the snapshot was read by a clock that is wrong.
fn is_due(table: &Name, read_at: Timestamp, taken_at: Timestamp) -> bool {
    let text = format!("{}\t{}", table.schema, table.name);
    // FNV-1a.
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let hour = i64::try_from(hash % 168).unwrap_or_default() * 3600;
    let since = (taken_at.as_second() - hour).rem_euclid(WEEK);
    let slot = taken_at.saturating_sub(SignedDuration::from_secs(since));
    read_at > taken_at || slot.is_ok_and(|slot| read_at < slot)
}

/// Where each range begins, and its pieces. None begins among rows that share both values, nor
/// among nulls, which come last.
fn ranges<'a>(
    pieces: &'a [KnownPiece],
    first: &RangeColumn,
    second: Option<&RangeColumn>,
) -> Vec<(Bound, &'a [KnownPiece])> {
    let shared = second.map_or_else(HashSet::new, |_| most_shared(pieces));
    let mut starts: Vec<(usize, Bound)> = Vec::new();
    for (place, known) in pieces.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|place| pieces.get(place));
        if let Some(bound) = bound(before, known, &shared) {
            starts.push((place, bound));
        }
    }
    if starts.first().is_none_or(|(place, _)| *place != 0) {
        return Vec::new();
    }
    let kinds = [Some(first), second].into_iter().flatten();
    let most = kinds
        .map(|column| column.kind.most_parts())
        .min()
        .unwrap_or(1);
    let together = starts.len().div_ceil(most - 1).max(1);
    let starts: Vec<_> = starts.into_iter().step_by(together).collect();
    let ends: Vec<usize> = starts.iter().skip(1).map(|(place, _)| *place).collect();
    let ends = ends.into_iter().chain([pieces.len()]);
    let ranges = starts.into_iter().zip(ends);
    ranges
        .map(|((start, bound), end)| (bound, &pieces[start..end]))
        .collect()
}

/// Where a range begins that begins with a piece, if one can.
fn bound(before: Option<&KnownPiece>, known: &KnownPiece, shared: &HashSet<&str>) -> Option<Bound> {
    let field = |key: &str, place| key.split('\t').nth(place).unwrap_or_default().to_owned();
    let begins = |place| {
        let own = field(&known.piece.first_key, place);
        let other = before.map(|before| field(&before.piece.last_key, place));
        (other != Some(own.clone())).then_some(own)
    };
    if let Some(own) = begins(0) {
        let second = None;
        return checksum::value_of(&own).map(|first| Bound { first, second });
    }
    let own = field(&known.piece.first_key, 0);
    let second = begins(1).filter(|_| shared.contains(own.as_str()))?;
    Some(Bound {
        first: checksum::value_of(&own)?,
        second: Some(checksum::value_of(&second)?),
    })
}

/// The first values that most pieces begin with: those whose rows the server tells apart by the
/// next column, which takes a comparison for each of these values and row.
fn most_shared(pieces: &[KnownPiece]) -> HashSet<&str> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for known in pieces {
        let first = known.piece.first_key.split('\t').next().unwrap_or_default();
        *counts.entry(first).or_default() += 1;
    }
    let mut shared: Vec<_> = counts.into_iter().collect();
    shared.sort_unstable_by_key(|(value, count)| (Reverse(*count), *value));
    let most = shared.into_iter().take(MOST_SHARED);
    most.map(|(value, _)| value).collect()
}

impl<'a> Ranges<'a> {
    /// What of the table is taken over and what is read, by what the server found in each part.
    ///
    /// # Errors
    /// That its changes are spread over most of it.
    pub(super) fn compare(
        &self,
        found: &[(u64, RowSums)],
        is_stored: impl Fn(&KnownPiece) -> bool,
    ) -> Result<Vec<Stretch<'a>>, Why> {
        let mut stretches: Vec<Stretch<'a>> = Vec::new();
        let (mut taken_over, mut known) = (0, 0);
        for (part, (rows, sums)) in found.iter().copied().enumerate() {
            let range = part.checked_sub(1).and_then(|range| self.pieces.get(range));
            let length =
                |pieces: &[KnownPiece]| pieces.iter().map(|known| known.piece.raw_len).sum::<u64>();
            known += range.map_or(0, |pieces| length(pieces));
            match range {
                Some(pieces) if total(pieces) == (rows, sums) && pieces.iter().all(&is_stored) => {
                    taken_over += length(pieces);
                    stretches.push(Stretch::TakenOver(pieces));
                }
                Some(_) | None => read(&mut stretches, part, rows, sums),
            }
        }
        if taken_over < known / LEAST_TAKEN_OVER || taken_over == 0 && known > 0 {
            return Err(Why::Spread);
        }
        Ok(stretches)
    }
}

impl Ranges<'_> {
    /// The parts that are read, and where one stretch of them ends.
    pub(super) fn wanted(&self, stretches: &[Stretch<'_>]) -> Parts<'_> {
        let (mut numbers, mut stops, mut end) = (Vec::new(), Vec::new(), 0);
        for stretch in stretches {
            if let Stretch::Read { parts, rows, .. } = stretch {
                numbers.extend(parts);
                end += rows;
                if *rows > 0 {
                    stops.push(end);
                }
            }
        }
        Parts {
            partition: &self.partition,
            numbers,
            stops,
        }
    }
}

/// Adds a part to those that are read.
fn read(stretches: &mut Vec<Stretch<'_>>, part: usize, more: u64, other: RowSums) {
    if let Some(Stretch::Read { parts, rows, sums }) = stretches.last_mut() {
        parts.push(part);
        *rows += more;
        *sums += other;
    } else {
        stretches.push(Stretch::Read {
            parts: vec![part],
            rows: more,
            sums: other,
        });
    }
}

/// How many rows pieces hold, and what these sum up to.
fn total(pieces: &[KnownPiece]) -> (u64, RowSums) {
    let mut total = (0, RowSums::default());
    for known in pieces {
        total.0 += known.piece.rows;
        total.1 += known.sums;
    }
    total
}

/// How often in a row a table's changes were spread over most of it, and for how many runs
/// nobody asks again, after it was read whole for this reason or not whole.
pub(super) fn patience(known: Option<&KnownTable>, why: Option<Why>) -> (u32, u32) {
    let (spread, rest) = known.map_or((0, 0), |known| (known.spread, known.rest));
    match why {
        None => (0, 0),
        Some(Why::Spread) if rest > 0 => (spread, rest - 1),
        Some(Why::Spread) => {
            let spread = (spread + 1).min(MOST_REST);
            (spread, (1 << spread) - 1)
        }
        Some(_) => (spread, rest),
    }
}

#[cfg(test)]
mod tests;
