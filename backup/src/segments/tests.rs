use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn cut<'a>(key: Option<Vec<usize>>, rows: impl IntoIterator<Item = &'a [u8]>) -> Vec<Segment> {
    let mut cutter = Cutter::new(key);
    let mut segments = Vec::new();
    for row in rows {
        if row.len() > MAX {
            segments.extend(cutter.push_long(Bytes::copy_from_slice(row)));
            segments.extend(std::iter::from_fn(|| cutter.next_part()));
        } else {
            segments.extend(cutter.push(row));
        }
    }
    segments.extend(cutter.finish());
    segments
}

/// Rows of a growing table: a number and a text whose length depends on it.
fn rows(ids: impl IntoIterator<Item = u64>) -> Vec<Vec<u8>> {
    ids.into_iter()
        .map(|id| {
            let text = "x".repeat(usize::try_from(200 + id * 7919 % 4000).unwrap());
            format!("{id}\t{text}\n").into_bytes()
        })
        .collect()
}

fn cut_by_id(rows: &[Vec<u8>]) -> Vec<Segment> {
    cut(Some(vec![0]), rows.iter().map(Vec::as_slice))
}

/// How many of the segments are not among the others.
fn new_ones(segments: &[Segment], others: &[Segment]) -> usize {
    let known: HashSet<&[u8]> = others.iter().map(|segment| &*segment.bytes).collect();
    let is_new = |segment: &&Segment| !known.contains(&*segment.bytes);
    segments.iter().filter(is_new).count()
}

#[test]
fn segments_are_about_as_long_as_they_should_be() {
    let rows = rows(0..40_000);
    let segments = cut_by_id(&rows);
    let total: usize = rows.iter().map(Vec::len).sum();
    let average = total / segments.len();
    assert!(
        (TARGET * 3 / 4..TARGET * 5 / 4).contains(&average),
        "{average}"
    );
    for segment in &segments[..segments.len() - 1] {
        assert!((MIN..=MAX).contains(&segment.bytes.len()));
    }
}

/// A row of that length after which a long enough segment ends, or goes on.
fn row(length: usize, ends: bool) -> Vec<u8> {
    let chance = CHANCE_PER_BYTE.saturating_mul(length as u64);
    (0..100_000)
        .map(|n: u64| format!("{n:0>width$}\n", width = length - 1).into_bytes())
        .find(|row| (hash([&row[..]]) < chance) == ends)
        .unwrap()
}

/// How long the first segment of rows is: as many as fit of one that goes on, then
/// these.
fn first_segment(filled: usize, last: &[Vec<u8>]) -> usize {
    let filling = row(1024, false);
    assert_eq!(filled % filling.len(), 0);
    let rows = std::iter::repeat_n(&filling, filled / filling.len()).chain(last);
    cut(None, rows.map(Vec::as_slice))[0].bytes.len()
}

#[test]
fn a_segment_ends_no_sooner_than_its_least_length_and_no_later_than_its_greatest() {
    let (goes_on, another) = (row(1024, false), row(1025, false));
    let more = |last: Vec<u8>| [last, goes_on.clone()];
    let before = MIN - 1024;
    assert_eq!(
        first_segment(before, &more(row(1023, true))),
        MIN - 1 + 1024
    );
    assert_eq!(first_segment(before, &more(row(1024, true))), MIN);

    let before = MAX - 1024;
    assert_eq!(first_segment(before, &more(goes_on.clone())), MAX);
    assert_eq!(first_segment(before, &more(another)), before);
}

#[test]
fn appended_rows_leave_all_segments_but_the_last_as_they_were() {
    let before = cut_by_id(&rows(0..20_000));
    let after = cut_by_id(&rows(0..20_200));
    let kept = before.len() - 1;
    assert_eq!(after[..kept], before[..kept]);
}

#[test]
fn a_changed_row_changes_its_neighbourhood_alone() {
    let rows = rows(0..20_000);
    let before = cut_by_id(&rows);
    assert!(before.len() > 30, "{}", before.len());
    for changed in [0, 5_000, 10_001, 19_999] {
        let mut rows = rows.clone();
        rows[changed] = format!("{changed}\tsomething else\n").into_bytes();
        let different = new_ones(&cut_by_id(&rows), &before);
        assert!((1..=3).contains(&different), "row {changed}: {different}");
    }
}

#[test]
fn a_removed_row_changes_its_neighbourhood_alone() {
    let before = cut_by_id(&rows(0..20_000));
    let after = cut_by_id(&rows((0..20_000).filter(|id| *id != 9_000)));
    assert!((1..=3).contains(&new_ones(&after, &before)));
}

#[test]
fn a_row_longer_than_a_segment_stands_in_several() {
    let long = vec![b'x'; MAX * 2];
    let long = [&b"2\t"[..], &long, b"\n"].concat();
    let segments = cut(Some(vec![0]), [&b"1\ta\n"[..], &long, &long, b"3\tb\n"]);
    let found: Vec<_> = segments
        .iter()
        .map(|segment| (segment.rows, &*segment.first_key))
        .collect();
    let row = [(0, "2"), (0, "2"), (1, "2")];
    assert_eq!(found, [&[(1, "1")], &row[..], &row, &[(1, "3")]].concat());
    let lengths: Vec<_> = segments[1..4].iter().map(|part| part.bytes.len()).collect();
    assert_eq!(lengths, [MAX, MAX, 3]);
    let ended: Vec<_> = segments[1..4].iter().map(|part| &*part.ended).collect();
    assert_eq!(ended, [&b""[..], b"", &long]);
}

#[test]
fn no_segment_of_several_rows_goes_past_the_most() {
    // The same key everywhere, so that either every row would end a segment or
    // none.
    let row = [&b"7\t"[..], &vec![b'x'; 300_000], b"\n"].concat();
    let segments = cut(Some(vec![0]), std::iter::repeat_n(&*row, 100));
    assert!(segments.iter().all(|segment| segment.bytes.len() <= MAX));
    assert_eq!(
        segments.iter().map(|segment| segment.rows).sum::<u64>(),
        100
    );
}

#[test]
fn keys_are_the_fields_in_the_keys_order() {
    let rows: [&[u8]; 2] = [b"a\tb\tc\n", b"d\t\\N\tf\n"];
    let [segment] = &cut(Some(vec![2, 1]), rows)[..] else {
        panic!("one segment");
    };
    assert_eq!(segment.first_key, "c\tb");
    assert_eq!(segment.last_key, "f\t\\N");
    assert_eq!(segment.rows, 2);
}

#[test]
fn without_a_key_there_are_no_keys() {
    let [segment] = &cut(None, [&b"a\tb\n"[..]])[..] else {
        panic!("one segment");
    };
    assert_eq!((&*segment.first_key, &*segment.last_key), ("", ""));
}

#[test]
fn no_rows_are_no_segment() {
    assert_eq!(cut(None, []), []);
    assert_eq!(cut(Some(vec![0]), []), []);
}

#[test]
fn rows_without_columns_are_kept() {
    let [segment] = &cut(None, [&b"\n"[..]; 3])[..] else {
        panic!("one segment");
    };
    assert_eq!((segment.rows, &*segment.bytes), (3, &b"\n\n\n"[..]));
}

/// Written down once: other values would store every backup anew.
#[test]
fn the_hash_stays_as_it_is() {
    assert_eq!(hash([&b"1"[..]]), 0x9e54_1ba0_d67f_df92);
    assert_eq!(hash([&b"1"[..], b"2"]), 0xa2d4_9fe2_9ecc_dfa2);
    assert_ne!(hash([&b"12"[..]]), hash([&b"1"[..], b"2"]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn segments_joined_are_the_rows(
        lengths in prop::collection::vec(0_usize..300_000, 0..40),
        key in prop::option::of(Just(vec![0_usize])),
    ) {
        let rows: Vec<Vec<u8>> = lengths
            .iter()
            .enumerate()
            .map(|(id, length)| [id.to_string().as_bytes(), b"\t", &vec![b'y'; *length], b"\n"].concat())
            .collect();
        let segments = cut(key.clone(), rows.iter().map(Vec::as_slice));
        let joined: Vec<u8> = segments.iter().flat_map(|segment| segment.bytes.clone()).collect();
        prop_assert!(joined == rows.concat());
        prop_assert_eq!(segments.iter().map(|segment| segment.rows).sum::<u64>(), rows.len() as u64);
        prop_assert!(segments.iter().all(|segment| segment.rows == 1 || segment.bytes.len() <= MAX));
        prop_assert_eq!(cut(key, rows.iter().map(Vec::as_slice)), segments);
    }
}
