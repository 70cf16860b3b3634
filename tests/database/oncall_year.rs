//! A year of rotations of random teams, held against another calculation: Python's, which
//! reads each zone's clock at every minute.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    chance::{Dice, any_seed, wanted},
    oncall_calendar::save,
    people::contact,
    support::{World, array},
};

/// A year with a leap day, and what every zone's clock does in it.
const FROM: &str = "2028-01-01T00:00:00Z";
const UNTIL: &str = "2029-01-01T00:00:00Z";
const MINUTES: u64 = 366 * 24 * 60;

/// Zones of whole, half and quarter hours, on both halves of the earth, some of whose
/// clocks move, one by half an hour and one at midnight.
const ZONES: [&str; 14] = [
    "UTC",
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",
    "America/Santiago",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Chatham",
    "Pacific/Auckland",
];

/// Hand-overs that a clock may leave out or tell twice, and usual ones.
const TIMES: [&str; 10] = [
    "00:00", "00:30", "01:30", "01:45", "02:00", "02:15", "02:30", "03:00", "09:00", "17:45",
];

const PEOPLE: [&str; 8] = ["Ada", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Hal"];

fn one_of<'a>(dice: &mut Dice, words: &[&'a str]) -> &'a str {
    words[usize::try_from(dice.roll(words.len() as u64)).unwrap()]
}

/// Somebody's span of some hours or days, to the minute.
fn span(dice: &mut Dice, hours: u64) -> Value {
    let start: jiff::Timestamp = FROM.parse().unwrap();
    let begins = i64::try_from(dice.roll(MINUTES + 20_000)).unwrap() - 10_000;
    let lasts = i64::try_from(1 + dice.roll(60 * hours)).unwrap();
    let from = start + jiff::SignedDuration::from_mins(begins);
    let until = from + jiff::SignedDuration::from_mins(lasts);
    json!({"name": one_of(dice, &PEOPLE), "from": from, "until": until})
}

fn layer(dice: &mut Dice, number: usize, team: usize) -> Value {
    let weekly = dice.roll(2) == 0;
    let times = [one_of(dice, &TIMES), one_of(dice, &TIMES)];
    let hours = (dice.roll(2) == 0 && times[0] != times[1])
        .then(|| json!({"from": times[0], "until": times[1]}));
    // The first two teams have one person and nobody.
    let members: Vec<_> = match team {
        0 => vec![one_of(dice, &PEOPLE)],
        1 => Vec::new(),
        _ => (0..=dice.roll(5)).map(|_| one_of(dice, &PEOPLE)).collect(),
    };
    json!({
        "layer": number, "unit": if weekly { "week" } else { "day" }, "every": 1 + dice.roll(4),
        "weekday": weekly.then(|| 1 + dice.roll(7)), "handOver": one_of(dice, &TIMES),
        "zone": one_of(dice, &ZONES), "hours": hours,
        "firstOn": format!("202{}-0{}-1{}", 6 + dice.roll(4), 1 + dice.roll(9), dice.roll(10)),
        "members": members,
    })
}

fn team(dice: &mut Dice, nth: usize) -> Value {
    let layers = 1 + usize::try_from(dice.roll(3)).unwrap();
    let layers: Vec<_> = (1..=layers)
        .map(|number| layer(dice, number, nth))
        .collect();
    let overrides: Vec<_> = (0..dice.roll(12)).map(|_| span(dice, 100)).collect();
    let entries: Vec<_> = (0..dice.roll(12)).map(|_| span(dice, 300)).collect();
    json!({"layers": layers, "overrides": overrides, "entries": entries})
}

fn teams(dice: &mut Dice, count: usize) -> Value {
    let teams: Vec<_> = (0..count).map(|nth| team(dice, nth)).collect();
    let mut absences: Vec<_> = (0..30).map(|_| span(dice, 400)).collect();
    // Everybody has holidays.
    absences.extend(PEOPLE.map(|name| {
        json!({"name": name, "from": "2028-12-24T12:00:00Z", "until": "2028-12-26T12:00:00Z"})
    }));
    json!({"from": FROM, "until": UNTIL, "teams": teams, "absences": absences})
}

/// The other calculation: of each team, spans in minutes.
fn calculated(given: &Value) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/database/oncall_year.py");
    let mut python = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3, which this test compares with");
    let mut input = python.stdin.take().unwrap();
    input.write_all(given.to_string().as_bytes()).unwrap();
    drop(input);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Writes the teams into the database; returns their rotations.
async fn write(world: &World, given: &Value) -> Vec<String> {
    let mut ids = serde_json::Map::new();
    for name in PEOPLE {
        let address = json!({"email": format!("{name}@wine.example")});
        let id = contact(world, name, "on_call_primary", address).await;
        ids.insert(name.to_owned(), json!(id));
    }
    let id = |name: &Value| ids[name.as_str().unwrap()].as_str().unwrap().to_owned();
    for absence in array(&given["absences"]) {
        world
            .execute(&format!(
                "insert into ops.absences values (gen_random_uuid(), '{}', {}, {}, null, now(), 'test')",
                id(&absence["name"]), quoted(&absence["from"]), quoted(&absence["until"])
            ))
            .await;
    }
    let mut rotations = Vec::new();
    for (nth, team) in array(&given["teams"]).iter().enumerate() {
        let rotation = uuid::Uuid::new_v4().to_string();
        for layer in array(&team["layers"]) {
            let mut layer = layer.clone();
            layer["members"] = array(&layer["members"])
                .iter()
                .map(|name| json!(id(name)))
                .collect();
            let fields =
                json!({"name": format!("Team {nth}"), "role": "on_call_primary", "layer": layer});
            save(world, &rotation, &fields).await;
        }
        for (made, given) in array(&team["overrides"]).iter().enumerate() {
            world
                .execute(&format!(
                    "insert into ops.oncall_overrides values (gen_random_uuid(), '{rotation}', '{}', {}, {}, null, null,
                         timestamptz '2027-01-01' + interval '1 minute' * {made}, 'test')",
                    id(&given["name"]), quoted(&given["from"]), quoted(&given["until"])
                ))
                .await;
        }
        world
            .execute(&format!(
                "insert into ops.calendars (rotation, url, zone, added_at, added_by)
                 values ('{rotation}', 'https://c.example/', 'UTC', now(), 'test')"
            ))
            .await;
        for entry in array(&team["entries"]) {
            world
                .execute(&format!(
                    "insert into ops.calendar_entries values ('{rotation}', {}, {}, '{}')",
                    quoted(&entry["from"]),
                    quoted(&entry["until"]),
                    id(&entry["name"])
                ))
                .await;
        }
        rotations.push(rotation);
    }
    rotations
}

fn quoted(time: &Value) -> String {
    format!("'{}'", time.as_str().unwrap())
}

/// Spans as the database has them, in minutes.
async fn decided(world: &World, rotation: &str) -> Value {
    world
        .value(&format!(
            "(select jsonb_agg(jsonb_build_array(
                  extract(epoch from shift.starts_at) / 60, extract(epoch from shift.ends_at) / 60, contact.name
              ) order by shift.starts_at)
              from ops.duty_shifts('{rotation}', '{FROM}', '{UNTIL}') as shift
              left join ops.contacts as contact on contact.id = shift.contact)"
        ))
        .await
}

/// Who has each minute of the year.
fn minute_by_minute(spans: &Value) -> Vec<Option<&str>> {
    let minute = |value: &Value| {
        let minute = value.as_f64().unwrap();
        assert!(minute.fract().abs() < f64::EPSILON, "{minute}");
        minute
    };
    let mut minutes = Vec::new();
    for span in array(spans) {
        let mut at = minute(&span[0]);
        while at < minute(&span[1]) {
            minutes.push(span[2].as_str());
            at += 1.0;
        }
    }
    assert_eq!(minutes.len() as u64, MINUTES);
    minutes
}

/// How many of some holes are not among those that a tick two weeks before looks at.
async fn untold(world: &World, rotation: &str) -> Value {
    world
        .value(&format!(
            "(select count(*)
              from (
                  select hole.starts_at
                  from ops.find_holes('{rotation}', '{FROM}', '{UNTIL}') as hole
                  order by md5(hole.starts_at::text)
                  limit 10
              ) as hole
              where not exists (
                  select
                  from ops.find_holes(
                      '{rotation}', hole.starts_at - interval '14 days', hole.starts_at + interval '1 hour'
                  ) as told
                  where told.starts_at <= hole.starts_at and told.ends_at > hole.starts_at
              ))"
        ))
        .await
}

#[tokio::test]
async fn a_year_of_random_teams_is_as_another_calculation_has_it() {
    let seed = wanted("SEED").unwrap_or_else(any_seed);
    let count = usize::try_from(wanted("TEAMS").unwrap_or(20)).unwrap();
    println!("SEED={seed}");
    let given = teams(&mut Dice(seed), count);
    let world = World::migrated().await;
    let rotations = write(&world, &given).await;
    let expected = calculated(&given);
    let (mut compared, mut differing, mut alone, mut silent) = (0, 0, 0, 0);
    for (nth, rotation) in rotations.iter().enumerate() {
        let decided = decided(&world, rotation).await;
        let pairs = minute_by_minute(&decided)
            .into_iter()
            .zip(minute_by_minute(&expected[nth]));
        for (ours, theirs) in pairs {
            compared += 1;
            differing += u64::from(ours != theirs);
            alone += u64::from(theirs.is_none());
        }
        silent += untold(&world, rotation).await.as_u64().unwrap();
        assert_eq!(
            differing, 0,
            "SEED={seed}, team {nth}: {}",
            given["teams"][nth]
        );
    }
    println!(
        "{compared} minutes compared, {differing} differ, {alone} without an owner, {silent} holes untold"
    );
    assert_eq!(
        (compared, silent),
        (MINUTES * count as u64, 0),
        "SEED={seed}"
    );
}
