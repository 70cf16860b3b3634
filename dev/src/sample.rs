//! Sample data: a week of a small app's life, with one outage in it, so that
//! every figure of the dashboard has something true to say from the start.

use anyhow::Context;
use serde_json::json;
use tokio_postgres::Client;

/// How many people use the sample app.
pub(super) const USERS: u32 = 24;

/// What they do, as the app names it.
pub(super) const EVENTS: [&str; 8] = [
    "wine_added",
    "recommendation_generated",
    "ai_query_processed",
    "user_registered",
    "image_processed",
    "taste_profile_completed",
    "wine_consumed",
    "food_pairing_requested",
];

/// Which requests that makes: method, path and usual milliseconds.
pub(super) const ENDPOINTS: [(&str, &str, u32); 8] = [
    ("GET", "/api/wines", 60),
    ("POST", "/api/wines", 120),
    ("GET", "/api/recommendations", 180),
    ("POST", "/api/ai/query", 900),
    ("POST", "/api/images/analyze", 700),
    ("GET", "/api/taste-profile", 50),
    ("PUT", "/api/taste-profile", 80),
    ("POST", "/api/consumption", 90),
];

/// A user's id; they are counted from one.
pub(super) fn user(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// Makes the people who use the app, where they are not there yet.
pub(super) async fn make_users(client: &Client) -> anyhow::Result<()> {
    client
        .execute(include_str!("sample_users.sql"), &[&users()])
        .await
        .context("cannot make the sample users")?;
    Ok(())
}

/// Fills a database that holds no measurement yet, and says whether it did.
/// Its users have to be there.
pub(super) async fn fill(client: &mut Client, app_url: &str) -> anyhow::Result<bool> {
    let transaction = client.transaction().await?;
    let empty = "select not exists (select from public.api_usage_metrics) \
                 and not exists (select from public.analytics_events) \
                 and not exists (select from ops.samples)";
    let empty: bool = transaction.query_one(empty, &[]).await?.try_get(0)?;
    if empty {
        let plan =
            json!({ "users": users(), "events": EVENTS, "endpoints": ENDPOINTS, "app": app_url });
        transaction
            .execute(
                "select set_config('pourtrait.sample', $1, true)",
                &[&plan.to_string()],
            )
            .await?;
        transaction
            .batch_execute(include_str!("sample.sql"))
            .await
            .context("cannot write the sample data")?;
        transaction
            .execute("select ops.roll_up_figures(1000000, now())", &[])
            .await
            .context("cannot add up the sample data")?;
    }
    transaction.commit().await?;
    Ok(empty)
}

/// The number of the key with which the sample pages send; made where it is not there yet.
pub(super) async fn open_door(client: &Client) -> anyhow::Result<u32> {
    let sql = "select coalesce(
            (select min(id) from ops.door_keys where name = 'sample pages' and revoked_at is null),
            (public.ops_add_door_key('sample pages', '{}', 6000, 1000000, 'sample') ->> 'id')::integer
        )";
    let number: i32 = client.query_one(sql, &[]).await?.try_get(0)?;
    u32::try_from(number).context("a project key has an odd number")
}

fn users() -> Vec<String> {
    (1..=USERS).map(user).collect()
}
