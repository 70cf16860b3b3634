//! The ladder against another calculation, and what it promises whatever there is.

use proptest::prelude::*;

use super::*;

const LADDER: Ladder = Ladder {
    hourly: 4,
    daily: 3,
    weekly: 3,
    monthly: 2,
    yearly: 2,
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn backup(taken_at: Timestamp) -> Candidate {
    let fence = taken_at.as_second().unsigned_abs();
    Candidate {
        name: SnapshotName::new(taken_at, fence, uuid::Uuid::nil()),
        taken_at,
        is_suspect: false,
        is_drilled: false,
        is_pinned: false,
    }
}

/// The times of the backups that are kept, with why, newest first.
fn kept(backups: Vec<Candidate>, ladder: &Ladder, now: &str) -> Vec<String> {
    plan(backups, ladder, at(now))
        .decisions
        .iter()
        .filter(|decision| decision.fate.is_keep())
        .map(|decision| {
            let text = decision.fate.to_string();
            let reasons = text.strip_prefix("keep: ").unwrap().to_owned();
            format!("{} {reasons}", decision.candidate.taken_at)
        })
        .collect()
}

/// Only a ladder, without what is kept in any case.
fn rungs(backups: Vec<Candidate>, ladder: &Ladder, now: &str, rung: &str) -> Vec<String> {
    kept(backups, ladder, now)
        .into_iter()
        .filter(|line| line.contains(rung))
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect()
}

#[test]
fn the_ladder_is_the_one_that_was_promised() {
    let ladder = Ladder::default();
    let slots = Rung::ALL.map(|rung| ladder.slots(rung));
    assert_eq!(slots, [48, 30, 12, 12, 7]);
    assert_eq!((NEWEST, NEWEST_DRILLED, FRESH.as_hours()), (3, 2, 26));
}

#[test]
fn every_reason_is_told() {
    let mut backups: Vec<_> = [
        "2026-11-24T12:30:00Z",
        "2026-11-24T12:00:00Z",
        "2026-11-24T11:30:00Z",
        "2026-11-24T11:00:00Z",
        "2026-11-23T23:30:00Z",
        "2026-11-01T00:00:00Z",
        "2026-10-31T00:00:00Z",
        "2024-02-29T00:00:00Z",
        "2023-01-01T00:00:00Z",
    ]
    .map(|time| backup(at(time)))
    .into();
    backups[6].is_drilled = true;
    backups[8].is_pinned = true;
    backups.push(backup(at("2026-11-25T00:00:00Z")));
    assert_eq!(
        kept(backups.clone(), &LADDER, "2026-11-24T12:40:00Z"),
        [
            "2026-11-25T00:00:00Z ahead",
            "2026-11-24T12:30:00Z newest, hourly, daily, weekly, monthly",
            "2026-11-24T12:00:00Z newest",
            "2026-11-24T11:30:00Z newest, hourly",
            "2026-11-23T23:30:00Z hourly, daily",
            "2026-11-01T00:00:00Z hourly, daily",
            "2026-10-31T00:00:00Z drilled, weekly, monthly, yearly",
            "2024-02-29T00:00:00Z weekly, yearly",
            "2023-01-01T00:00:00Z pinned",
        ]
    );
    let plan = plan(backups, &LADDER, at("2026-11-24T12:40:00Z"));
    let dropped = plan.decisions.iter().find(|one| !one.fate.is_keep());
    let dropped = dropped.unwrap();
    assert_eq!(dropped.candidate.taken_at, at("2026-11-24T11:00:00Z"));
    assert_eq!(
        dropped.fate.to_string(),
        "drop: 20261124T113000Z-1795519800-00000000 stands for its time"
    );
}

#[test]
fn a_slot_is_represented_by_what_a_drill_restored_else_by_what_looks_right() {
    let mut backups: Vec<_> = [0, 1, 2, 3, 4, 5, 6, 7]
        .map(|hour| backup(at(&format!("2026-11-24T0{hour}:00:00Z"))))
        .into();
    let ladder = Ladder {
        hourly: 1,
        weekly: 0,
        monthly: 0,
        yearly: 0,
        ..LADDER
    };
    let daily =
        |backups: &[Candidate]| rungs(backups.to_vec(), &ladder, "2026-11-24T08:00:00Z", "daily");
    assert_eq!(daily(&backups), ["2026-11-24T07:00:00Z"]);
    backups[7].is_suspect = true;
    assert_eq!(daily(&backups), ["2026-11-24T06:00:00Z"]);
    backups[2].is_drilled = true;
    backups[1].is_drilled = true;
    assert_eq!(daily(&backups), ["2026-11-24T02:00:00Z"]);
    for backup in &mut backups {
        (backup.is_drilled, backup.is_suspect) = (false, true);
    }
    assert_eq!(daily(&backups), ["2026-11-24T07:00:00Z"]);
}

#[test]
fn days_weeks_months_and_years_are_those_of_the_calendar_in_utc() {
    let check = |rung: &str, now: &str, times: &[&str], expected: &[&str]| {
        let backups = times.iter().map(|time| backup(at(time))).collect();
        assert_eq!(rungs(backups, &LADDER, now, rung), expected, "{rung}");
    };
    // A leap day is a day.
    check(
        "daily",
        "2028-03-01T12:00:00Z",
        &[
            "2028-02-27T23:59:59Z",
            "2028-02-28T23:59:59Z",
            "2028-02-29T00:00:00Z",
            "2028-02-29T23:59:59Z",
            "2028-03-01T00:00:00Z",
        ],
        &[
            "2028-03-01T00:00:00Z",
            "2028-02-29T23:59:59Z",
            "2028-02-28T23:59:59Z",
        ],
    );
    // The last days of December 2026 and the first of January 2027 are one week, its 53rd.
    check(
        "weekly",
        "2027-01-04T12:00:00Z",
        &[
            "2026-12-27T23:59:59Z",
            "2026-12-28T00:00:00Z",
            "2026-12-31T12:00:00Z",
            "2027-01-03T23:59:59Z",
            "2027-01-04T00:00:00Z",
        ],
        &[
            "2027-01-04T00:00:00Z",
            "2027-01-03T23:59:59Z",
            "2026-12-27T23:59:59Z",
        ],
    );
    check(
        "yearly",
        "2027-01-01T12:00:00Z",
        &[
            "2025-12-31T23:59:59Z",
            "2026-01-01T00:00:00Z",
            "2026-12-31T23:59:59Z",
            "2027-01-01T00:00:00Z",
        ],
        &["2027-01-01T00:00:00Z", "2026-12-31T23:59:59Z"],
    );
}

#[test]
fn nothing_is_dropped_while_backups_fail_or_the_newest_is_suspect() {
    let backups: Vec<_> = (0..60)
        .map(|half_hour| at("2026-11-24T00:00:00Z") + SignedDuration::from_mins(30 * half_hour))
        .map(backup)
        .collect();
    let frozen = |backups: &[Candidate], now: &str| {
        let plan = plan(backups.to_vec(), &LADDER, at(now));
        let all_kept = plan.decisions.iter().all(|one| one.fate.is_keep());
        assert_eq!(all_kept, plan.frozen.is_some());
        plan.frozen.map(|freeze| freeze.to_string())
    };
    assert_eq!(frozen(&backups, "2026-11-25T05:40:00Z"), None);
    assert_eq!(frozen(&backups, "2026-11-26T07:30:00Z"), None);
    assert_eq!(
        frozen(&backups, "2026-11-26T07:30:01Z").unwrap(),
        "the newest backup, 20261125T053000Z-1795584600-00000000, is older than 26 hours"
    );
    let mut suspect = backups.clone();
    suspect[59].is_suspect = true;
    assert!(
        frozen(&suspect, "2026-11-25T05:40:00Z")
            .unwrap()
            .contains("is suspect")
    );
    // A clock that is behind all of them.
    assert_eq!(
        frozen(&backups, "2026-11-23T00:00:00Z").unwrap(),
        "there is no backup"
    );
    assert_eq!(
        plan(Vec::new(), &LADDER, at("2026-11-23T00:00:00Z")).frozen,
        Some(Freeze::NoBackup)
    );
}

/// The same decision by trying, backup by backup.
fn is_kept(backup: &Candidate, backups: &[Candidate], ladder: &Ladder, now: Timestamp) -> bool {
    let past: Vec<_> = backups.iter().filter(|one| one.taken_at <= now).collect();
    let later = |is_counted: &dyn Fn(&Candidate) -> bool| {
        let counted = past.iter().filter(|one| is_counted(one));
        counted.filter(|one| one.place() > backup.place()).count()
    };
    let is_newest =
        later(&|_| true) < 3 || (!backup.is_suspect && later(&|one| !one.is_suspect) < 3);
    let is_newest_drilled = backup.is_drilled && later(&|one| one.is_drilled) < 2;
    if backup.is_pinned || backup.taken_at > now || is_newest || is_newest_drilled {
        return true;
    }
    let newest = past.iter().max_by_key(|one| one.place());
    let Some(newest) = newest else { return true };
    let newest_of_all = backups.iter().max_by_key(|one| one.place());
    if newest.is_suspect
        || newest_of_all.is_some_and(|one| one.is_suspect)
        || now.duration_since(newest.taken_at) > SignedDuration::from_hours(26)
    {
        return true;
    }
    Rung::ALL.iter().any(|rung| {
        let of_slot = past
            .iter()
            .filter(|one| written(*rung, one) == written(*rung, backup));
        let mut of_slot: Vec<_> = of_slot.collect();
        of_slot.sort_by_key(|one| one.place());
        let drilled = of_slot.iter().rev().find(|one| one.is_drilled);
        let good = of_slot.iter().rev().find(|one| !one.is_suspect);
        let best = drilled.or(good).or(of_slot.last());
        let slots: BTreeSet<_> = past
            .iter()
            .filter(|one| written(*rung, one) > written(*rung, backup))
            .map(|one| written(*rung, one))
            .collect();
        best.is_some_and(|best| best.name == backup.name)
            && slots.len() < ladder.slots(*rung) as usize
    })
}

/// A slot as people write it, which sorts by time.
fn written(rung: Rung, backup: &Candidate) -> String {
    let civil = TimeZone::UTC.to_datetime(backup.taken_at);
    let pattern = match rung {
        Rung::Hourly => "%Y-%m-%dT%H",
        Rung::Daily => "%Y-%m-%d",
        Rung::Weekly => "%G-W%V",
        Rung::Monthly => "%Y-%m",
        Rung::Yearly => "%Y",
    };
    civil.strftime(pattern).to_string()
}

/// Backups around the turn of a year with a 53rd week and before a leap day, some of them close
/// together.
fn backups() -> impl Strategy<Value = Vec<Candidate>> {
    let one = (0_i64..1200, 0_i64..8, any::<[bool; 5]>());
    proptest::collection::vec(one, 0..80).prop_map(|parts| {
        let mut found: BTreeMap<SnapshotName, Candidate> = BTreeMap::new();
        for (day, part, flags) in parts {
            // Most lie in the last days.
            let day = if flags[0] { day } else { 1200 - day % 5 };
            let seconds = day * 86_400 + part * 5000;
            let taken_at = at("2024-11-25T00:00:00Z") + SignedDuration::from_secs(seconds);
            let one = Candidate {
                is_suspect: flags[1] && flags[2],
                is_drilled: flags[3] && flags[1],
                is_pinned: flags[4] && flags[3] && flags[2],
                ..backup(taken_at)
            };
            found.insert(one.name.clone(), one);
        }
        found.into_values().collect()
    })
}

/// Some time in those years, or right after the newest backup.
fn now_of(backups: &[Candidate], hours: Option<i64>) -> Timestamp {
    if let Some(hours) = hours {
        return at("2024-11-01T00:00:00Z") + SignedDuration::from_hours(hours);
    }
    let newest = backups.iter().map(|one| one.taken_at).max();
    newest.unwrap_or(Timestamp::UNIX_EPOCH) + SignedDuration::from_mins(7)
}

fn names(plan: &Plan) -> BTreeSet<SnapshotName> {
    let kept = plan.decisions.iter().filter(|one| one.fate.is_keep());
    kept.map(|one| one.candidate.name.clone()).collect()
}

fn survivors(plan: &Plan) -> Vec<Candidate> {
    let kept = plan.decisions.iter().filter(|one| one.fate.is_keep());
    kept.map(|one| one.candidate.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_backups_are_kept_as_brute_force_keeps_them(
        backups in backups(), hours in proptest::option::of(0_i64..35_000)
    ) {
        let now = now_of(&backups, hours);
        let plan = plan(backups.clone(), &LADDER, now);
        prop_assert_eq!(plan.decisions.len(), backups.len());
        for Decision { candidate, fate } in &plan.decisions {
            let expected = is_kept(candidate, &backups, &LADDER, now);
            prop_assert_eq!(fate.is_keep(), expected, "{} at {}: {}", candidate.name, now, fate);
        }
    }

    #[test]
    fn deciding_again_drops_nothing_more(
        backups in backups(), hours in proptest::option::of(0_i64..35_000)
    ) {
        let now = now_of(&backups, hours);
        let once = plan(backups, &LADDER, now);
        let again = plan(survivors(&once), &LADDER, now);
        prop_assert_eq!(names(&once), names(&again));
    }

    #[test]
    fn a_newer_backup_brings_none_back(backups in backups(), later in 1_i64..4000) {
        let now = now_of(&backups, None);
        let dropped = |plan: &Plan| {
            let gone = plan.decisions.iter().filter(|one| !one.fate.is_keep());
            gone.map(|one| one.candidate.name.clone()).collect::<BTreeSet<_>>()
        };
        let before = dropped(&plan(backups.clone(), &LADDER, now));
        let newer = backup(now + SignedDuration::from_mins(later));
        let then = newer.taken_at + SignedDuration::from_mins(1);
        let after = dropped(&plan([backups, vec![newer]].concat(), &LADDER, then));
        prop_assert!(before.is_subset(&after));
    }

    #[test]
    fn a_longer_ladder_drops_nothing_that_a_shorter_one_keeps(
        backups in backups(), more in proptest::array::uniform5(0_u32..9)
    ) {
        let now = now_of(&backups, None);
        let longer = Ladder {
            hourly: LADDER.hourly + more[0],
            daily: LADDER.daily + more[1],
            weekly: LADDER.weekly + more[2],
            monthly: LADDER.monthly + more[3],
            yearly: LADDER.yearly + more[4],
        };
        let short = names(&plan(backups.clone(), &LADDER, now));
        prop_assert!(short.is_subset(&names(&plan(backups, &longer, now))));
    }

    #[test]
    fn a_clock_that_is_wrong_keeps_more_and_never_less(
        backups in backups(), hours in 0_i64..35_000
    ) {
        let right = now_of(&backups, None);
        let wrong = now_of(&backups, Some(hours));
        let kept = names(&plan(backups.clone(), &LADDER, right));
        prop_assert!(kept.is_subset(&names(&plan(backups, &LADDER, wrong))));
    }

    /// Half a year of half hours, with the ladder applied each time: no backup outlives what a
    /// proof of an erasure says.
    #[test]
    fn no_backup_is_kept_longer_than_is_said(start in 0_i64..900, taken in 0_i64..40) {
        let first = at("2024-11-25T00:00:00Z") + SignedDuration::from_hours(24 * start);
        let taken_at = first + SignedDuration::from_hours(taken);
        let ladder = Ladder { yearly: 0, ..LADDER };
        let mut held = vec![backup(taken_at)];
        let end = latest_end(taken_at, &ladder, 7);
        let mut now = first;
        while now < end {
            now += SignedDuration::from_hours(6);
            held.push(backup(now));
            held = survivors(&plan(held, &ladder, now));
        }
        prop_assert!(held.iter().all(|one| one.taken_at != taken_at || taken_at == now));
    }
}

#[test]
fn an_end_is_the_end_of_the_last_slot_that_is_kept() {
    let ladder = Ladder::default();
    let none = Ladder {
        hourly: 0,
        daily: 0,
        weekly: 0,
        monthly: 0,
        yearly: 0,
    };
    let taken_at = at("2024-02-29T12:34:56Z");
    for (ladder, drill_days, end) in [
        (ladder, 7, "2031-01-01T00:00:00Z"),
        (
            Ladder {
                yearly: 0,
                ..ladder
            },
            7,
            "2025-02-01T00:00:00Z",
        ),
        (
            Ladder {
                yearly: 0,
                monthly: 0,
                ..ladder
            },
            7,
            "2024-05-20T00:00:00Z",
        ),
        (Ladder { daily: 30, ..none }, 7, "2024-03-30T00:00:00Z"),
        (none, 7, "2024-03-16T12:34:56Z"),
        (none, 0, "2024-03-04T12:34:56Z"),
        (
            Ladder {
                hourly: 400,
                ..none
            },
            1,
            "2024-03-17T04:00:00Z",
        ),
    ] {
        assert_eq!(
            latest_end(taken_at, &ladder, drill_days),
            at(end),
            "{ladder:?}"
        );
    }
}
