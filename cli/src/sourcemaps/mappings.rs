//! The mappings of a source map: from places in a built file to places in its sources.
//!
//! They are read from the front, each number being told by how much it differs from the one
//! before. Nothing is kept but what was asked for, so that a map of any size costs no memory
//! beside its text. See ECMA-426.

use std::collections::BTreeMap;

/// The largest line, column or number of a source that is believed.
const LARGEST: i64 = i32::MAX as i64;

/// A place in a file; both numbers begin with 0, columns count units of UTF-16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) column: u32,
}

/// Where a place in a built file comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mapping {
    /// Which of the sources.
    pub(super) source: usize,
    pub(super) place: Place,
    /// Which of the names the place had there.
    pub(super) name: Option<usize>,
}

/// How many sources and names a map has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) sources: usize,
    pub(super) names: usize,
}

/// Finds where those places come from: the mapping that begins last at or before each of
/// them, in its line. None where the map knows of no source.
///
/// # Errors
/// What is wrong with the mappings, wherever that is.
pub(super) fn find(
    mappings: &str,
    bounds: Bounds,
    wanted: &[Place],
) -> Result<Vec<Option<Mapping>>, String> {
    let mut of_line: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (nth, place) in wanted.iter().enumerate() {
        of_line.entry(place.line).or_default().push(nth);
    }
    let mut best: Vec<Option<(i64, Option<Mapping>)>> = vec![None; wanted.len()];
    let mut running = Running::default();
    for (line, segments) in mappings.split(';').enumerate() {
        running.column = 0;
        if segments.is_empty() {
            continue;
        }
        let here = u32::try_from(line).ok().and_then(|line| of_line.get(&line));
        for segment in segments.split(',').filter(|segment| !segment.is_empty()) {
            let mapping = running.read(segment, bounds)?;
            for &nth in here.into_iter().flatten() {
                let is_later = best[nth].is_none_or(|(column, _)| column <= running.column);
                if running.column <= i64::from(wanted[nth].column) && is_later {
                    best[nth] = Some((running.column, mapping));
                }
            }
        }
    }
    Ok(best
        .into_iter()
        .map(|best| best.and_then(|(_, mapping)| mapping))
        .collect())
}

/// The numbers of the mapping before.
#[derive(Debug, Default)]
struct Running {
    column: i64,
    source: i64,
    line: i64,
    source_column: i64,
    name: i64,
}

impl Running {
    fn read(&mut self, segment: &str, bounds: Bounds) -> Result<Option<Mapping>, String> {
        let mut digits = segment.bytes();
        let mut numbers = [0; 5];
        let mut count = 0;
        while let Some(number) = number(&mut digits)? {
            let slot = numbers
                .get_mut(count)
                .ok_or_else(|| "a mapping has more than five numbers".to_owned())?;
            *slot = number;
            count += 1;
        }
        let [column, source, line, source_column, name] = numbers;
        moved(&mut self.column, column, LARGEST)?;
        if count == 1 {
            return Ok(None);
        }
        if !matches!(count, 4 | 5) {
            return Err(format!("a mapping has {count} numbers"));
        }
        moved(&mut self.source, source, last(bounds.sources))?;
        moved(&mut self.line, line, LARGEST)?;
        moved(&mut self.source_column, source_column, LARGEST)?;
        if count == 5 {
            moved(&mut self.name, name, last(bounds.names))?;
        }
        Ok(Some(Mapping {
            source: usize::try_from(self.source).unwrap_or(usize::MAX),
            place: Place {
                line: u32::try_from(self.line).unwrap_or(u32::MAX),
                column: u32::try_from(self.source_column).unwrap_or(u32::MAX),
            },
            name: (count == 5).then(|| usize::try_from(self.name).unwrap_or(usize::MAX)),
        }))
    }
}

fn last(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX) - 1
}

fn moved(number: &mut i64, by: i64, most: i64) -> Result<(), String> {
    let to = number.saturating_add(by);
    if !(0..=most).contains(&to) {
        return Err(format!(
            "a mapping leads to {to}, where 0 to {most} would be"
        ));
    }
    *number = to;
    Ok(())
}

/// The next number, in digits of base 64 of which each says whether another follows; none
/// at the end.
fn number(digits: &mut impl Iterator<Item = u8>) -> Result<Option<i64>, String> {
    let mut value: i64 = 0;
    let mut shift = 0;
    loop {
        let Some(letter) = digits.next() else {
            return match shift {
                0 => Ok(None),
                _ => Err("a mapping ends in the middle of a number".to_owned()),
            };
        };
        let digit = digit(letter)?;
        if shift > 30 {
            return Err("a mapping has a number that is too large".to_owned());
        }
        value |= (digit & 31) << shift;
        shift += 5;
        if digit & 32 == 0 {
            let magnitude = value >> 1;
            return Ok(Some(if value & 1 == 1 {
                -magnitude
            } else {
                magnitude
            }));
        }
    }
}

fn digit(letter: u8) -> Result<i64, String> {
    Ok(i64::from(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return Err("a mapping has a letter that is no digit of base 64".to_owned()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        sources: 2,
        names: 1,
    };

    fn place(line: u32, column: u32) -> Place {
        Place { line, column }
    }

    #[test]
    fn the_mapping_that_begins_last_before_a_place_is_found_in_its_line_alone() {
        // Line 0: column 0 to source 0, 0:0; column 4 to 1:2 with a name. Line 1: nothing.
        // Line 2: column 3 to source 1, 3:0; column 8 to no source.
        let mappings = "AAAA,IACEA;;GCEF,K";
        let found = |line, column| find(mappings, BOUNDS, &[place(line, column)]).unwrap()[0];
        let at = |source, line, column, name| {
            Some(Mapping {
                source,
                place: place(line, column),
                name,
            })
        };
        for (line, column, expected) in [
            (0, 0, at(0, 0, 0, None)),
            (0, 3, at(0, 0, 0, None)),
            (0, 4, at(0, 1, 2, Some(0))),
            (0, 4_000_000_000, at(0, 1, 2, Some(0))),
            (1, 7, None),
            (2, 2, None),
            (2, 3, at(1, 3, 0, None)),
            (2, 8, None),
            (3, 0, None),
            (u32::MAX, u32::MAX, None),
        ] {
            assert_eq!(found(line, column), expected, "{line}:{column}");
        }
        let both = find(mappings, BOUNDS, &[place(2, 5), place(0, 5)]).unwrap();
        assert_eq!(both, [at(1, 3, 0, None), at(0, 1, 2, Some(0))]);
    }

    #[test]
    fn mappings_in_no_order_are_found_all_the_same() {
        // Columns 8, 2 and 5.
        let found = find("QAAA,NACA,GACA", BOUNDS, &[place(0, 6)]).unwrap()[0];
        assert_eq!(found.unwrap().place, place(2, 0));
    }

    #[test]
    fn what_is_no_mapping_is_told_in_words() {
        for (mappings, word) in [
            ("A!AA", "no digit"),
            ("é", "no digit"),
            ("g", "middle of a number"),
            ("AA", "2 numbers"),
            ("AAAAAA", "more than five"),
            ("D", "leads to -1"),
            ("AAAD", "leads to -1"),
            ("AEAA", "leads to 2, where 0 to 1"),
            ("AAAAC", "leads to 1, where 0 to 0"),
            ("gggggggggB", "too large"),
            ("+/////H", "leads to"),
        ] {
            let wrong = find(mappings, BOUNDS, &[]).unwrap_err();
            assert!(wrong.contains(word), "{mappings}: {wrong}");
        }
    }

    #[test]
    fn a_map_of_millions_of_mappings_is_read_through() {
        let mappings = "AACA,".repeat(2_000_000);
        let found = find(&mappings, BOUNDS, &[place(0, 0)]).unwrap()[0];
        assert_eq!(found.unwrap().place.line, 2_000_000);
        assert!(find(&";".repeat(5_000_000), BOUNDS, &[place(4_999_999, 0)]).unwrap()[0].is_none());
    }
}
