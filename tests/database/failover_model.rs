//! Failover against what must hold whatever happens to the channels: whoever was
//! told of a beginning hears of its end, nobody hears of an end alone, and no
//! channel hears of more ends than of beginnings.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::{
    chance::Dice,
    failing_channels::{mind, settle},
    people::{raise, resolve},
    support::World,
};

const CHANNELS: [&str; 2] = ["slack", "email"];

/// Schedules that are tried; each is a day of its own.
const SCHEDULES: u64 = 40;
const STEPS: u64 = 20;

fn one_of<T: Copy, const N: usize>(dice: &mut Dice, all: [T; N]) -> T {
    all[usize::try_from(dice.roll(N as u64)).unwrap()]
}

/// A day of two alerts whose channels take, refuse and give up at random; all
/// are well in the end, and everything that is due is sent.
async fn live(world: &World, schedule: u64, opened: Timestamp) {
    let mut dice = Dice(schedule);
    let mut now = opened;
    let names = ["a", "b"].map(|name| format!("{schedule}-{name}"));
    for name in &names {
        let severity = one_of(&mut dice, ["critical", "high", "medium"]);
        raise(world, &now.to_string(), severity, name).await;
    }
    for _ in 0..STEPS {
        now += SignedDuration::from_secs(10 + i64::try_from(dice.roll(180)).unwrap());
        let time = now.to_string();
        match dice.roll(8) {
            0 => resolve(world, &time, &names[0]).await,
            1..=3 => mind(world, &time, &CHANNELS).await,
            _ => {
                let channel = one_of(&mut dice, CHANNELS);
                let outcome = one_of(&mut dice, ["sent", "retry", "retry", "retry", "dead"]);
                settle(world, &time, channel, outcome).await;
            }
        }
    }
    // Backoff is at most an hour and a fifth; high alerts add email meanwhile.
    for hours in 0..4 {
        let time = (now + SignedDuration::from_hours(hours)).to_string();
        if hours == 2 {
            for name in &names {
                resolve(world, &time, name).await;
            }
        }
        mind(world, &time, &CHANNELS).await;
        for channel in CHANNELS {
            settle(world, &time, channel, "sent").await;
        }
    }
}

#[tokio::test]
async fn whatever_the_channels_do_a_beginning_has_its_end_where_it_was_told() {
    let world = World::migrated().await;
    let start: Timestamp = "2026-12-01T12:00:00Z".parse().unwrap();
    for schedule in 0..SCHEDULES {
        let opened = start + SignedDuration::from_hours(24 * i64::try_from(schedule).unwrap());
        live(&world, schedule, opened).await;
    }
    let told = "
        with told as (
            select
                alert, channel, kind <> 'resolved' as beginning, status, facts ? 'standsInFor' as copy,
                -- Somebody may have heard a beginning that nobody answered for.
                kind <> 'resolved' and (status = 'sent' or status in ('superseded', 'dead') and exists (
                    select from ops.deliveries as delivery
                    where delivery.message = message.id and coalesce(delivery.outcome = 'retry', true)
                )) as heard,
                concat_ws(' ', created_at::time, kind, status, attempts, sent_at::time, facts -> 'standsInFor') as line
            from ops.outbox as message
            where alert is not null
        )";
    // An end that its own channel gave up is told by another, which says so.
    let on_a_channel = world
        .rows(&format!(
            "{told}
             select channel, array_agg(line order by line) as lines
             from told
             group by alert, channel
             having count(*) filter (where status = 'pending') > 0
                 or count(*) filter (where not beginning and not copy and status = 'sent')
                     > count(*) filter (where heard)
                 or bool_or(heard) and not bool_or(not beginning and status in ('sent', 'dead'))"
        ))
        .await;
    assert_eq!(on_a_channel, json!([]));
    // What every channel gave up is a dead letter, and an alert of its own.
    let anywhere = world
        .rows(&format!(
            "{told}
             select array_agg(channel || ' ' || line order by line) as lines
             from told
             group by alert
             having bool_or(not beginning and status = 'sent') and not bool_or(heard)
                 -- Where a beginning only may have arrived, the end goes there alone.
                 or bool_or(beginning and status = 'sent') and not bool_or(not beginning and status = 'sent')
                 and count(distinct channel) filter (where not beginning and status = 'dead') < 2"
        ))
        .await;
    assert_eq!(anywhere, json!([]));
    let unheard = world
        .rows(
            "select subject
             from ops.alerts as alert
             join ops.outbox as message on message.alert = alert.id and message.kind <> 'resolved'
             where resolved_at - opened_at > interval '2 hours'
             group by subject
             having not bool_or(message.status = 'sent')
                 and count(distinct message.channel) filter (where message.status = 'dead') < 2",
        )
        .await;
    let rule = "what lasted was told, or given up by every channel";
    assert_eq!(unheard, json!([]), "{rule}");
    let copies = world
        .value("(select count(*) from ops.outbox where stands_in_for is not null)")
        .await;
    assert!(copies.as_u64().unwrap() > 20, "only {copies} copies");
}
