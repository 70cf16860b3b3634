use super::*;

fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// Which part of a round is behind a position, in thousandths.
fn thousandths(position: u64) -> u64 {
    position * 1000 / END
}

#[test]
fn a_round_comes_as_far_as_its_time_has_gone() {
    let (now, week) = (start(), 7);
    let round = |hours, upto| Round {
        began_at: now - SignedDuration::from_hours(hours),
        upto,
    };
    let half = END / 2;
    for (name, before, upto, target) in [
        ("the first begins at once", None, 0, 0),
        (
            "an hour is a 151st of 9/10 of a week",
            Some(round(1, 0)),
            0,
            6,
        ),
        (
            "half of the time is half of the round",
            Some(round(75, 0)),
            0,
            496,
        ),
        (
            "what is read is not read again",
            Some(round(1, half)),
            500,
            500,
        ),
        (
            "late is the rest of the round, no more",
            Some(round(2000, half)),
            500,
            1000,
        ),
        (
            "a round that is over begins anew",
            Some(round(2000, END)),
            0,
            0,
        ),
        (
            "a clock that was ahead loses nothing",
            Some(round(-50, half)),
            500,
            499,
        ),
    ] {
        let (round, found) = Round::due(before, now, week);
        let found = (thousandths(round.upto), thousandths(found));
        let expected = (upto, target.max(upto));
        assert_eq!(found, expected, "{name}");
    }
    let (round, _) = Round::due(Some(round(-50, half)), now, week);
    let later = now + SignedDuration::from_hours(15);
    assert_eq!(thousandths(Round::due(Some(round), later, week).1), 599);
}

/// Runs by half-hours of which any may be missing, for at most half a day at once, and a store to
/// which objects are added all the time.
#[test]
fn every_object_is_read_within_its_days_whatever_runs_are_missed() {
    for seed in 0_u64..40 {
        let mut state = seed * 2 + 1;
        let mut random = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        let days = 2 + u32::try_from(random(12)).unwrap();
        let limit = SignedDuration::from_hours(24 * i64::from(days));
        // Since when each object, by its position, has not been read.
        let mut objects: Vec<(u64, Timestamp)> = Vec::new();
        let (mut now, mut round) = (start(), None);
        for step in 0..days * 48 * 4 {
            // A round leaves a tenth of its time, which is more than two hours.
            let missed = if random(9) == 0 { random(3) } else { 0 };
            now += SignedDuration::from_mins(30 * (1 + i64::try_from(missed).unwrap()));
            if step % 7 == 0 {
                objects.push((random(END), now));
            }
            let (begun, target) = Round::due(round, now, days);
            for (position, read) in &mut objects {
                assert!(
                    now - *read <= limit,
                    "seed {seed}: {position} waits since {read} at {now}"
                );
                if (begun.upto..target).contains(position) {
                    *read = now;
                }
            }
            round = Some(Round {
                upto: target,
                ..begun
            });
        }
    }
}

#[test]
fn the_last_time_that_a_position_was_read_counts() {
    let stretch = |hour, from, upto| Stretch {
        at: start() + SignedDuration::from_hours(hour),
        from,
        upto,
    };
    // Given in no order.
    let stretches = [
        stretch(5, 40, 60),
        stretch(1, 0, 50),
        stretch(9, 10, 20),
        stretch(9, 30, 30),
        stretch(3, 45, 48),
    ];
    let reads = LastReads::of(&stretches);
    for position in 0..70 {
        let by_hand = stretches
            .iter()
            .filter(|one| (one.from..one.upto).contains(&position))
            .map(|one| one.at)
            .max();
        assert_eq!(reads.of_position(position), by_hand, "{position}");
    }
}

#[test]
fn positions_are_spread() {
    let mut counted = [0_u32; 8];
    for number in 0..8000 {
        let position = position(&format!("v1/seg/1/00/{number}.zst.age"));
        counted[usize::try_from(position * 8 / END).unwrap()] += 1;
    }
    assert!(
        counted.iter().all(|count| (800..1200).contains(count)),
        "{counted:?}"
    );
}
