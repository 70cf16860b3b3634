use super::*;
use crate::{
    checksum::RowSums,
    format::{Piece, RowHash},
    source::RangeType,
};

/// A piece of so many rows from a key to another, which sums up to its number.
fn piece(number: u64, rows: u64, first_key: &str, last_key: &str) -> KnownPiece {
    let text = format!("{number}\n").repeat(usize::try_from(rows).unwrap());
    KnownPiece {
        piece: Piece {
            name: number.to_string(),
            rows,
            raw_len: 100,
            raw_sha256: String::new(),
            first_key: first_key.to_owned(),
            last_key: last_key.to_owned(),
        },
        sums: RowSums::of(text.as_bytes(), 1, RowHash::Mixed),
    }
}

fn column(kind: RangeType) -> RangeColumn {
    RangeColumn {
        name: "id".to_owned(),
        kind,
    }
}

/// Where ranges begin, and how many pieces each has.
fn bounds(pieces: &[KnownPiece], kind: RangeType, second: bool) -> Vec<(String, usize)> {
    let (first, second) = (column(kind), second.then(|| column(kind)));
    let ranges = ranges(pieces, &first, second.as_ref()).into_iter();
    let text = |Bound { first, second }| match second {
        Some(second) => format!("{first}|{second}"),
        None => first,
    };
    ranges
        .map(|(bound, pieces)| (text(bound), pieces.len()))
        .collect()
}

/// The pieces with these first and last keys.
fn pieces(keys: &[(&str, &str)]) -> Vec<KnownPiece> {
    let numbered = (0..).zip(keys);
    numbered
        .map(|(n, (first, last))| piece(n, 1, first, last))
        .collect()
}

#[test]
fn a_range_begins_where_a_value_does_so_anew() {
    let shared = [
        ("a\t1", "b\t5"),
        ("b\t6", "b\t9"),
        ("b\t9", "c\t1"),
        ("d\t1", "d\t2"),
        ("d\t3", "d\t4"),
    ];
    for (case, second, keys, expected) in [
        (
            "one column",
            false,
            &[("a", "b"), ("c", "d")][..],
            &[("a", 1), ("c", 1)][..],
        ),
        ("a shared value", false, &shared, &[("a", 3), ("d", 2)]),
        (
            "a shared value and another column",
            true,
            &shared,
            &[("a", 1), ("b|6", 2), ("d", 1), ("d|3", 1)],
        ),
        (
            "a row that is longer than a piece",
            true,
            &[("a", "a"), ("a", "a"), ("b", "c")],
            &[("a", 2), ("b", 1)],
        ),
        (
            "nulls are last",
            true,
            &[("a\t1", "b\t2"), ("\\N\t3", "\\N\t4"), ("\\N\t5", "\\N\t9")],
            &[("a", 3)],
        ),
        ("nulls alone", true, &[("\\N\t3", "\\N\t4")], &[]),
        ("escaped", false, &[("a\\tb\\\\", "c")], &[("a\tb\\", 1)]),
        (
            "the empty text",
            false,
            &[("", "a"), ("b", "c")],
            &[("", 1), ("b", 1)],
        ),
        ("no rows", false, &[], &[]),
    ] {
        let expected = expected
            .iter()
            .map(|(bound, count)| ((*bound).to_owned(), *count));
        let found = bounds(&pieces(keys), RangeType::Text, second);
        assert_eq!(found, expected.collect::<Vec<_>>(), "{case}");
    }
}

#[test]
fn only_the_values_that_most_pieces_share_are_told_apart_further() {
    let keys: Vec<(String, String)> = (0..100)
        .flat_map(|value| {
            (0..=value).map(move |n| (format!("{value:03}\t{n}"), format!("{value:03}\t{n}x")))
        })
        .collect();
    let keys: Vec<(&str, &str)> = keys
        .iter()
        .map(|(first, last)| (first.as_str(), last.as_str()))
        .collect();
    let found = bounds(&pieces(&keys), RangeType::Fixed("bigint"), true);
    let further = |value: &str| {
        found
            .iter()
            .filter(|(bound, _)| bound.starts_with(value))
            .count()
    };
    assert_eq!(
        (further("099"), further("068"), further("067")),
        (100, 69, 1)
    );
}

#[test]
fn there_are_no_more_parts_than_the_server_finds_quickly() {
    for kind in [RangeType::Text, RangeType::Fixed("bigint")] {
        let most = kind.most_parts();
        for count in [1, most - 2, most - 1, most, most * 3 + 1] {
            let key = |n: usize| format!("{n:09}");
            let pieces: Vec<_> = (0..count).map(|n| piece(0, 1, &key(n), &key(n))).collect();
            let found = bounds(&pieces, kind, false);
            assert!(found.len() < most, "{count}");
            assert!(
                found.len() * 2 >= count.min(most - 1),
                "{count}: {}",
                found.len()
            );
            assert_eq!(found.iter().map(|(_, pieces)| pieces).sum::<usize>(), count);
        }
    }
}

fn three() -> Vec<KnownPiece> {
    vec![
        piece(1, 3, "1", "3"),
        piece(2, 3, "4", "6"),
        piece(3, 3, "7", "9"),
    ]
}

fn ranges_of(pieces: &[KnownPiece]) -> Ranges<'_> {
    let column = column(RangeType::Fixed("integer"));
    let (bounds, pieces) = ranges(pieces, &column, None).into_iter().unzip();
    Ranges {
        partition: Partition::new(column, None, bounds),
        pieces,
    }
}

/// What the server would find of some rows, as their number and how many they are.
fn found(number: u64, rows: u64) -> (u64, RowSums) {
    total(&[piece(number, rows, "", "")])
}

/// What becomes of the parts, in letters: `t` taken over, and how many rows are read.
fn fate(parts: [(u64, RowSums); 4], stored: impl Fn(&KnownPiece) -> bool) -> String {
    let pieces = three();
    match ranges_of(&pieces).compare(&parts, stored) {
        Ok(stretches) => stretches
            .iter()
            .map(|stretch| match stretch {
                Stretch::TakenOver(_) => "t ".to_owned(),
                Stretch::Read { parts, rows, .. } => format!("{parts:?}:{rows} "),
            })
            .collect(),
        Err(why) => why.word().to_owned(),
    }
}

#[test]
fn what_sums_up_to_the_same_is_taken_over_and_all_else_is_read() {
    let (none, one, two, three) = (found(0, 0), found(1, 3), found(2, 3), found(3, 3));
    for (case, parts, expected) in [
        ("unchanged", [none, one, two, three], "[0]:0 t t t "),
        (
            "appended",
            [none, one, two, found(3, 4)],
            "[0]:0 t t [3]:4 ",
        ),
        (
            "before the first",
            [found(9, 2), one, two, three],
            "[0]:2 t t t ",
        ),
        (
            "in the middle",
            [none, one, found(8, 3), three],
            "[0]:0 t [2]:3 t ",
        ),
        ("deleted", [none, none, two, three], "[0, 1]:0 t t "),
        (
            "another number of rows",
            [none, one, (4, two.1), three],
            "[0]:0 t [2]:4 t ",
        ),
        (
            "most of it",
            [none, found(7, 3), found(8, 3), found(9, 3)],
            "spread",
        ),
        ("emptied", [none, none, none, none], "spread"),
        (
            "two next to each other",
            [none, found(7, 3), found(8, 1), three],
            "[0, 1, 2]:4 t ",
        ),
    ] {
        assert_eq!(fate(parts, |_| true), expected, "{case}");
    }
    // What nobody vouches for is read, though it has not changed.
    let lost = fate([none, one, two, three], |known| known.piece.name != "2");
    assert_eq!(lost, "[0]:0 t [2]:3 t ");
}

#[test]
fn segments_end_where_a_stretch_does() {
    let pieces = three();
    let ranges = ranges_of(&pieces);
    let parts = [found(9, 2), found(1, 3), found(8, 5), found(3, 3)];
    let stretches = ranges.compare(&parts, |_| true).unwrap();
    let wanted = ranges.wanted(&stretches);
    assert_eq!(wanted.numbers, [0, 2]);
    assert_eq!(wanted.stops, [2, 7]);
}

#[test]
fn each_table_is_read_once_in_a_week_and_not_all_in_one_hour() {
    let at = |hours: i64| Timestamp::from_second(1_780_000_000 + hours * 3600).unwrap();
    let mut hours = std::collections::HashSet::new();
    for number in 0..100 {
        let table = Name {
            schema: "public".to_owned(),
            name: format!("t{number}"),
        };
        // Read in each hour of two weeks in which it is due.
        let mut read_at = at(0);
        let mut reads = Vec::new();
        for hour in 1..=336 {
            if is_due(&table, read_at, at(hour)) {
                read_at = at(hour);
                reads.push(hour);
            }
        }
        assert_eq!(reads.len(), 2, "{number}: {reads:?}");
        assert_eq!(reads[1] - reads[0], 168, "{number}");
        hours.insert(reads[0]);
        assert!(is_due(&table, at(1), at(0)), "a clock that was ahead");
    }
    assert!(hours.len() > 60, "{hours:?}");
}

#[test]
fn checksums_of_no_use_are_asked_for_ever_more_seldom() {
    let mut known = KnownTable {
        table: Name {
            schema: "public".to_owned(),
            name: "t".to_owned(),
        },
        read_at: Timestamp::UNIX_EPOCH,
        spread: 0,
        rest: 0,
        columns: Vec::new(),
        types: Vec::new(),
        order: Vec::new(),
        pieces: Vec::new(),
    };
    let mut asked = Vec::new();
    for run in 0..100 {
        if known.rest == 0 {
            asked.push(run);
        }
        (known.spread, known.rest) = patience(Some(&known), Some(Why::Spread));
    }
    assert_eq!(asked, [0, 2, 6, 14, 30, 62, 94]);
    assert_eq!(
        patience(Some(&known), Some(Why::Weekly)),
        (known.spread, known.rest)
    );
    assert_eq!(patience(Some(&known), None), (0, 0));
    assert_eq!(patience(None, Some(Why::Unknown)), (0, 0));
}
