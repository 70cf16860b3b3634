//! Funnels against a reference that tries every way: whoever did what, where it was told of,
//! at the same time, again and again, late or without a name, each step counts whom it should.
//!
//! `FUNNELS=500 cargo test --test database funnels_model` tries more histories, from the
//! `SEED=` that a failure prints.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    chance::{Dice, any_seed, wanted},
    support::{World, array, at},
};

const HISTORIES: u64 = 25;
const ROWS: u64 = 60;

/// When the tests look, in minutes after the first time that something may happen.
const NOW: i64 = 5 * 24 * 60;

const THINGS: [&str; 6] = ["a", "b", "c", "page:/", "page:/w", "feature:f"];

/// Something that somebody did.
#[derive(Debug, Clone)]
struct Moment {
    thing: &'static str,
    /// In minutes.
    at: i64,
    user: Option<String>,
    session: Option<String>,
    visitor: Option<String>,
    release: Option<&'static str>,
    logged: bool,
    environment: &'static str,
}

#[derive(Debug)]
struct Question {
    steps: Vec<&'static str>,
    within: i64,
    days: i64,
}

fn one_of<T: Clone>(dice: &mut Dice, all: &[T]) -> T {
    all[usize::try_from(dice.roll(all.len() as u64)).unwrap()].clone()
}

fn moment(dice: &mut Dice) -> Moment {
    let thing = one_of(dice, &THINGS);
    let user =
        (dice.roll(3) > 0).then(|| format!("00000000-0000-4000-8000-00000000000{}", dice.roll(3)));
    let session = (dice.roll(2) > 0).then(|| format!("s{}", dice.roll(4)));
    // Few times, so that many things happen at the same one; some have not come yet.
    let at = match dice.roll(6) {
        0 => i64::try_from(dice.roll(5 * 24)).unwrap() * 60,
        1 => NOW - i64::try_from(dice.roll(3)).unwrap() * 24 * 60,
        _ => NOW + 30 - i64::try_from(dice.roll(12)).unwrap() * 30,
    };
    let logged = thing.starts_with("feature:") || dice.roll(2) == 0;
    Moment {
        thing,
        at,
        visitor: (!logged && user.is_none() && dice.roll(2) == 0)
            .then(|| format!("v-{:032x}", dice.roll(2))),
        release: (!logged)
            .then(|| one_of(dice, &[None, Some("1"), Some("2")]))
            .flatten(),
        // A feature knows neither a session nor an environment.
        session: session.filter(|_| !thing.starts_with("feature:")),
        environment: if dice.roll(8) == 0 && !thing.starts_with("feature:") {
            "preview"
        } else {
            "production"
        },
        user,
        logged,
    }
}

fn question(dice: &mut Dice) -> Question {
    let steps = (0..2 + dice.roll(4))
        .map(|_| one_of(dice, &THINGS))
        .collect();
    Question {
        steps,
        within: one_of(dice, &[1, 29, 30, 60, 90, 1440, 10_000]),
        days: one_of(dice, &[1, 2, 4, 5]),
    }
}

fn time(minutes: i64) -> String {
    format!(
        "(timestamptz '{}' + interval '{} min')",
        at("12:00:00"),
        minutes - NOW
    )
}

fn quoted(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), |text| format!("'{text}'"))
}

fn sql(moment: &Moment) -> String {
    let Moment {
        thing,
        environment,
        release,
        ..
    } = moment;
    let (at, session) = (time(moment.at), quoted(moment.session.as_deref()));
    let user = quoted(moment.user.as_deref());
    if let Some(feature) = thing.strip_prefix("feature:") {
        return format!(
            "insert into public.feature_usage (feature_name, user_id, first_used, last_used, date)
             values ('{feature}', {user}, {at}, {at}, ({at} at time zone 'UTC')::date)
             on conflict (feature_name, user_id, date) do update
             set first_used = least(feature_usage.first_used, excluded.first_used),
                 last_used = greatest(feature_usage.last_used, excluded.last_used)"
        );
    }
    let page = thing.strip_prefix("page:");
    if moment.logged {
        let (event, properties) = page.map_or((*thing, "{}".to_owned()), |page| {
            ("page_view", json!({ "page": page }).to_string())
        });
        return format!(
            "insert into public.analytics_events (event_name, properties, user_id, session_id, environment, timestamp)
             values ('{event}', '{properties}', {user}, {session}, '{environment}', {at})"
        );
    }
    let (kind, name) = page.map_or(("event", *thing), |page| ("page_view", page));
    let person = quoted(moment.user.as_deref().or(moment.visitor.as_deref()));
    format!(
        "insert into ops.items (day, id, kind, at, received_at, source, key, environment, name, person, session,
             release, detail)
         values (({at} at time zone 'UTC')::date, gen_random_uuid(), '{kind}', {at}, {at}, 'own', 1,
             '{environment}', '{name}', {person}, {session}, {}, '{{}}')",
        quoted(*release)
    )
}

/// What a feature's day keeps of all its uses: the first and the last.
fn as_kept(moments: &[Moment]) -> Vec<Moment> {
    let mut kept: Vec<Moment> = Vec::new();
    let mut days: BTreeMap<(&str, String, i64), (i64, i64)> = BTreeMap::new();
    for moment in moments {
        if moment.thing.starts_with("feature:") {
            // A use by nobody conflicts with none, and counts for nobody.
            let Some(user) = moment.user.clone() else {
                continue;
            };
            // Noon is the end of the fifth day, so days begin half a day later.
            let day = (moment.at + 12 * 60).div_euclid(24 * 60);
            let span = days
                .entry((moment.thing, user, day))
                .or_insert((moment.at, moment.at));
            *span = (span.0.min(moment.at), span.1.max(moment.at));
        } else {
            kept.push(moment.clone());
        }
    }
    for ((thing, user, _), (first, last)) in days {
        for at in BTreeSet::from([first, last]) {
            kept.push(Moment {
                thing,
                at,
                user: Some(user.clone()),
                session: None,
                visitor: None,
                release: None,
                logged: true,
                environment: "production",
            });
        }
    }
    kept
}

/// Who did what, each person's moments in order.
fn people(moments: &[Moment], question: &Question) -> Vec<Vec<Moment>> {
    let counts = |moment: &&Moment| {
        moment.environment == "production"
            && moment.at > NOW - question.days * 24 * 60
            && moment.at <= NOW
            && question.steps.contains(&moment.thing)
    };
    let counted: Vec<_> = moments.iter().filter(counts).collect();
    let owner = |session: &str| {
        let users: BTreeSet<_> = counted
            .iter()
            .filter(|moment| moment.session.as_deref() == Some(session))
            .filter_map(|moment| moment.user.clone())
            .collect();
        (users.len() == 1).then(|| users.into_iter().next().unwrap())
    };
    let mut people: BTreeMap<String, Vec<Moment>> = BTreeMap::new();
    for moment in &counted {
        let session = moment.session.as_deref();
        let user = moment.user.clone().or_else(|| session.and_then(owner));
        let person = user
            .map(|user| format!("user {user}"))
            .or_else(|| session.map(|session| format!("session {session}")))
            .or_else(|| moment.visitor.clone());
        if let Some(person) = person {
            people.entry(person).or_default().push((*moment).clone());
        }
    }
    let place = |thing: &str| question.steps.iter().position(|step| *step == thing);
    people
        .into_values()
        .map(|mut own| {
            own.sort_by_key(|moment| (moment.at, place(moment.thing)));
            own
        })
        .collect()
}

/// The moments that complete each step on any way at all, by their places.
fn completing(own: &[Moment], question: &Question) -> Vec<BTreeSet<usize>> {
    let mut completing = vec![BTreeSet::new(); question.steps.len()];
    // Ways as they are walked: the step, where it began, where it is.
    let mut ways: Vec<(usize, usize, usize)> = Vec::new();
    let mut known = BTreeSet::new();
    for (place, moment) in own.iter().enumerate() {
        if moment.thing == question.steps[0] {
            ways.push((0, place, place));
        }
    }
    while let Some(way @ (step, began, place)) = ways.pop() {
        if !known.insert(way) {
            continue;
        }
        completing[step].insert(place);
        for (later, moment) in own.iter().enumerate().skip(place + 1) {
            if question.steps.get(step + 1) == Some(&moment.thing)
                && moment.at <= own[began].at + question.within
            {
                ways.push((step + 1, began, later));
            }
        }
    }
    completing
}

/// The numbers of each step, as people say them: how many, and the seconds that they took.
fn reference(people: &[Vec<Moment>], question: &Question) -> Vec<(usize, Vec<i64>)> {
    let mut steps = vec![(0, Vec::new()); question.steps.len()];
    for own in people {
        let doubled = |thing: &str| {
            own.iter()
                .any(|moment| moment.logged && moment.thing == thing)
        };
        let single: Vec<_> = own
            .iter()
            .filter(|moment| moment.logged || !doubled(moment.thing))
            .cloned()
            .collect();
        let completing = completing(&single, question);
        for (step, places) in completing.iter().enumerate() {
            let Some(first) = places.first() else {
                continue;
            };
            steps[step].0 += 1;
            if step > 0 {
                let before = completing[step - 1].range(..*first).next_back().unwrap();
                steps[step]
                    .1
                    .push(60 * (single[*first].at - single[*before].at));
            }
        }
    }
    steps
}

fn median(mut waits: Vec<i64>) -> Value {
    waits.sort_unstable();
    let middle = waits.len() / 2;
    match (waits.len(), waits.len() % 2) {
        (0, _) => Value::Null,
        (_, 1) => json!(waits[middle]),
        _ => json!(i64::midpoint(waits[middle - 1], waits[middle])),
    }
}

fn document(question: &Question, people: &[Vec<Moment>]) -> Value {
    let steps = reference(people, question).into_iter().zip(&question.steps);
    steps
        .map(|((people, waits), step)| json!([step, people, median(waits)]))
        .collect()
}

fn shortened(steps: &Value) -> Value {
    let steps = array(steps).iter();
    steps
        .map(|step| {
            let median = step["medianSeconds"].as_f64();
            #[expect(clippy::cast_possible_truncation, reason = "times are whole minutes")]
            let median = median.map(|median| median.round() as i64);
            json!([step["step"], step["people"], median])
        })
        .collect()
}

async fn ask(world: &World, question: &Question, by: Option<&str>) -> Value {
    let set = json!({"p_name": "model", "p_steps": question.steps, "p_within_minutes": question.within, "p_by": "model"});
    world.call("ops_set_funnel", set).await;
    let arguments =
        json!({"p_name": "model", "p_days": question.days, "p_by": by, "p_now": at("12:00:00")});
    world.call("ops_funnel", arguments).await
}

/// Compares the whole, and those of each release.
async fn compare(world: &World, moments: &[Moment], question: &Question, seed: u64) {
    let people = people(&as_kept(moments), question);
    let counted = ask(world, question, Some("release")).await;
    assert_eq!(
        shortened(&counted["steps"]),
        document(question, &people),
        "SEED={seed} {question:?} {moments:#?}"
    );
    for part in array(&counted["parts"]) {
        let release = part["part"].as_str().unwrap();
        let own: Vec<_> = people
            .iter()
            .filter(|own| {
                let mut releases = own
                    .iter()
                    .filter_map(|moment| moment.release.map(|release| (moment, release)));
                let first = releases.next();
                // Of two at the same time and of the same thing it is the lesser.
                let first = first.map(|(first, release)| {
                    let tied = own
                        .iter()
                        .filter(|moment| (moment.at, moment.thing) == (first.at, first.thing));
                    tied.filter_map(|moment| moment.release)
                        .min()
                        .unwrap_or(release)
                });
                first.unwrap_or("unknown") == release
            })
            .cloned()
            .collect();
        assert_eq!(
            shortened(&part["steps"]),
            document(question, &own),
            "SEED={seed} release {release} {question:?} {moments:#?}"
        );
    }
}

#[tokio::test]
async fn whatever_people_do_every_step_counts_whom_it_should() {
    let world = World::migrated().await;
    world
        .execute(
            "insert into auth.users (id) select ('00000000-0000-4000-8000-00000000000' || n)::uuid
             from generate_series(0, 9) as n;
             select ops.open_item_days('2026-11-24T12:00:00Z')",
        )
        .await;
    let first = wanted("SEED").unwrap_or_else(any_seed);
    let mut reached = 0;
    for seed in first..first + wanted("FUNNELS").unwrap_or(HISTORIES) {
        world
            .execute(
                "delete from public.analytics_events where true; delete from public.feature_usage where true;
                 delete from ops.items where true",
            )
            .await;
        let mut dice = Dice(seed);
        let mut moments = Vec::new();
        // Half of it comes late, after somebody has looked.
        for _ in 0..2 {
            let more: Vec<_> = (0..ROWS / 2).map(|_| moment(&mut dice)).collect();
            let statements: Vec<_> = more.iter().map(sql).collect();
            world.execute(&statements.join(";\n")).await;
            moments.extend(more);
            for _ in 0..4 {
                let question = question(&mut dice);
                compare(&world, &moments, &question, seed).await;
                let last = reference(&people(&as_kept(&moments), &question), &question);
                reached += last.last().map_or(0, |(people, _)| *people);
            }
        }
    }
    assert!(reached > 0, "nobody ever came to an end");
}
